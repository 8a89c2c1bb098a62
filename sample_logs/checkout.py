"""The story of one order, from the checkout request to its end, service by service."""

from __future__ import annotations

from sample_logs.model import MS, SECOND, Data, Order, Outcome
from sample_logs.shop import (
    AUTH,
    INVENTORY,
    NOTIFICATIONS,
    ORDERS,
    PAYMENTS,
    PSP_ADDRESSES,
    PSP_AGENT,
    Shop,
)
from sample_logs.traces import PSP_FAILURES

_CHARGES = "shop.payments.ChargeService"
_PSP = "shop.payments.PspClient"
_WEBHOOKS = "shop.payments.WebhookController"


def tell(shop: Shop, order: Order) -> None:
    """Tell the whole story of an order, and note on it how it went.

    Args:
        shop: Where it happens.
        order: Id, visit, start and outcome are given; the rest is filled in.
    """
    for _ in range(1 + shop.chance.randrange(3)):
        sku, price = shop.pick(shop.goods)
        quantity = 1 + shop.chance.randrange(3) // 2
        order.items.append((sku, quantity))
        order.cents += price * quantity
    request = shop.new_request()
    instance = shop.pick(ORDERS)
    now = _created(shop, order, request, instance)
    if order.outcome is Outcome.CANCELLED:
        _cancelled(shop, order, request, now)
    elif order.outcome is Outcome.DECLINED:
        _declined(shop, order, request, instance, now)
    else:
        _charged(shop, order, request, instance, now)
        if order.outcome is Outcome.SILENT:
            _silence(shop, order)
        else:
            _settled(shop, order)


def _created(shop: Shop, order: Order, request: str, instance: str) -> int:
    """The checkout request up to the reserved stock; returns when that is done."""
    who, name = order.visit.customer, order.order_id
    now = order.start + shop.between(2, 9)
    seen: Data = {"requestId": request, "uid": who.uid, "sid": order.visit.session, "ip": who.ip}
    shop.say(AUTH, now, "info", f"token accepted for {who.uid}", seen, logger="TOKEN", order=name)
    now += shop.between(2, 15)
    received: Data = {
        "request_id": request,
        "session": order.visit.session,
        "customer": who.uid,
        "items": len(order.items),
    }
    shop.say(instance, now, "info", "checkout received", received, logger="orders.api", order=name)
    now += shop.between(3, 30)
    created: Data = {
        "orderId": name,
        "request_id": request,
        "customer": who.uid,
        "total": order.amount,
        "currency": "EUR",
    }
    shop.say(instance, now, "info", "order created", created, logger="orders.store", order=name)
    for sku, quantity in order.items:
        now += shop.between(4, 40)
        reserved: Data = {"order": name, "sku": sku, "qty": quantity, "x_request_id": request}
        shop.say(INVENTORY, now, "info", "stock reserved", reserved, logger="reserve", order=name)
    _mail(shop, order, "order_received", now + shop.between(80, 900))
    return now


def _cancelled(shop: Shop, order: Order, request: str, now: int) -> None:
    """The customer leaves before paying."""
    name = order.order_id
    _checkout_access(shop, order, request, now + shop.between(5, 20), 201)
    start = now + shop.between(4_000, 30_000)
    second = shop.new_request()
    data: Data = {"orderId": name, "request_id": second, "customer": order.visit.customer.uid, "by": "customer"}
    shop.say(shop.pick(ORDERS), start + 12 * MS, "info", "order cancelled", data, logger="orders.api", order=name)
    _released(shop, order, start + shop.between(20, 60), "cancelled")
    took = shop.between(61, 120)
    shop.access(start, took, second, ("DELETE", f"/api/orders/{name}", 200), visit=order.visit, order=name)
    _mail(shop, order, "order_cancelled", start + shop.between(300, 2_000))


def _declined(shop: Shop, order: Order, request: str, instance: str, now: int) -> None:
    """The risk check refuses before any charge begins."""
    name = order.order_id
    now += shop.between(20, 200)
    reason = shop.pick(("insufficient_funds", "card_expired", "risk_score"))
    data: Data = {"order_id": name, "amount": order.amount, "currency": "EUR", "reason": reason, "rid": request}
    payments, thread = shop.pick(PAYMENTS), shop.worker()
    shop.say(payments, now, "warn", "charge declined", data, logger=_CHARGES, thread=thread, order=name)
    now += shop.between(4, 30)
    _state(shop, order, instance, now, "NEW", "DECLINED", request=request)
    _released(shop, order, now + shop.between(5, 40), "declined")
    _checkout_access(shop, order, request, now + shop.between(3, 12), 402)


def _charged(shop: Shop, order: Order, request: str, instance: str, now: int) -> None:
    """The charge begins and, after retries perhaps, the PSP accepts it."""
    name, payments, thread = order.order_id, shop.pick(PAYMENTS), shop.worker()
    now += shop.between(10, 80)
    risk: Data = {"order_id": name, "score": shop.chance.randrange(60)}
    shop.say(payments, now, "debug", "risk check passed", risk, logger="shop.payments.Risk", thread=thread, order=name)
    now += shop.between(2, 12)
    begin: Data = {"order_id": name, "amount": order.amount, "currency": "EUR", "rid": request}
    shop.say(payments, now, "info", "charge begin", begin, logger=_CHARGES, thread=thread, order=name)
    calls = 1 + shop.chance.randrange(2) if order.outcome is Outcome.RETRIED else 0
    for attempt in range(1, calls + 1):
        now += shop.between(900, 3_000)
        error, trace = shop.pick(PSP_FAILURES)
        order.failed_calls.append(error)
        level = "warn" if attempt == 1 else "error"
        failed: Data = {"order_id": name, "attempt": attempt, "error": error, "rid": request}
        shop.say(payments, now, level, "psp call failed", failed, logger=_PSP, thread=thread, order=name, trace=trace)
        now += shop.between(1_000, 3_000)
        again: Data = {"order_id": name, "attempt": attempt + 1, "rid": request}
        shop.say(payments, now, "info", "charge retry", again, logger=_CHARGES, thread=thread, order=name)
    took = shop.between(160, 1_600)
    now += took
    order.accepted, order.psp_ref = now, shop.new_reference()
    response: Data = {
        "code": 202,
        "order_id": name,
        "psp_ref": order.psp_ref,
        "took": f"{took // MS}ms",
        "rid": request,
    }
    shop.say(payments, now, "info", "psp response", response, logger=_PSP, thread=thread, order=name)
    now += shop.between(4, 30)
    _state(shop, order, instance, now, "NEW", "PAYMENT_PENDING", request=request)
    _checkout_access(shop, order, request, now + shop.between(3, 12), 201)


def _settled(shop: Shop, order: Order) -> None:
    """The PSP calls back with nothing but its reference; the order is paid and goes out."""
    name = order.order_id
    wait = shop.between(50_000, 88_000) if order.outcome is Outcome.SLOW else shop.between(700, 19_500)
    now = order.accepted + wait
    order.settled = _webhook(shop, order, now, "charge settled")
    _polls(shop, order)
    if order.outcome is Outcome.SETTLED and shop.chance.random() < 0.04:
        _webhook(shop, order, now + shop.between(5_000, 15_000), "webhook duplicate ignored")
    now = order.settled + shop.between(30, 400)
    _state(shop, order, shop.pick(ORDERS), now, "PAYMENT_PENDING", "PAID")
    committed: Data = {"order": name, "lines": len(order.items)}
    now += shop.between(20, 300)
    shop.say(INVENTORY, now, "info", "stock committed", committed, logger="commit", order=name)
    label: Data = {"order": name, "carrier": shop.pick(("dhl", "gls", "ups")), "parcels": 1}
    label_time = now + shop.between(400, 4_000)
    shop.say(INVENTORY, label_time, "info", "parcel label printed", label, logger="shipping", order=name)
    _mail(shop, order, "order_paid", now + shop.between(100, 2_000))


def _silence(shop: Shop, order: Order) -> None:
    """No settlement: the PSP never calls, or its call is accepted at the door and lost behind it."""
    order.reason = shop.pick(("webhook_never_sent", "webhook_dropped"))
    if order.reason == "webhook_dropped":
        start = order.accepted + shop.between(700, 19_500)
        _webhook_access(shop, order, start, shop.between(3, 20), shop.new_request())
    _polls(shop, order)
    now = order.accepted + shop.between(240_000, 290_000)
    _state(shop, order, shop.pick(ORDERS), now, "PAYMENT_PENDING", "EXPIRED", logger="orders.expiry")
    _released(shop, order, now + shop.between(20, 200), "expired")


def _webhook(shop: Shop, order: Order, start: int, message: str) -> int:
    """A webhook request that reaches payments; returns when payments wrote its last word on it."""
    request, payments, thread = shop.new_request(), shop.pick(PAYMENTS), shop.worker()
    now = start + shop.between(2, 10)
    data: Data = {"reference": order.psp_ref, "rid": request}
    shop.say(payments, now, "debug", "webhook received", data, logger=_WEBHOOKS, thread=thread, order=order.order_id)
    now += shop.between(3, 60)
    shop.say(payments, now, "info", message, data, logger=_CHARGES, thread=thread, order=order.order_id)
    _webhook_access(shop, order, start, now - start + shop.between(1, 8), request)
    return now


def _webhook_access(shop: Shop, order: Order, start: int, took: int, request: str) -> None:
    line = ("POST", f"/webhooks/psp?ref={order.psp_ref}", 200)
    ip = shop.pick(PSP_ADDRESSES)
    shop.access(start, took, request, line, ip=ip, agent=PSP_AGENT, order=order.order_id)


def _checkout_access(shop: Shop, order: Order, request: str, end: int, status: int) -> None:
    line = ("POST", "/api/orders", status)
    shop.access(order.start, end - order.start, request, line, visit=order.visit, order=order.order_id)


def _polls(shop: Shop, order: Order) -> None:
    """The customer's page asks how the order stands, each time with a request of its own."""
    start = order.accepted
    for _ in range(shop.chance.randrange(3)):
        start += shop.between(1_500, 9_000)
        request = shop.new_request()
        state = "PAID" if 0 < order.settled < start - SECOND else "PAYMENT_PENDING"
        data: Data = {"request_id": request, "orderId": order.order_id, "state": state}
        now = start + shop.between(2, 12)
        shop.say(shop.pick(ORDERS), now, "debug", "order status", data, logger="orders.api", order=order.order_id)
        line = ("GET", f"/api/orders/{order.order_id}", 200)
        took = now - start + shop.between(1, 8)
        shop.access(start, took, request, line, visit=order.visit, order=order.order_id)


def _state(
    shop: Shop,
    order: Order,
    instance: str,
    time: int,
    old: str,
    new: str,
    *,
    request: str = "",
    logger: str = "orders.store",
) -> None:
    data: Data = {"orderId": order.order_id, "from": old, "to": new}
    if request:
        data["request_id"] = request
    shop.say(instance, time, "info", "state change", data, logger=logger, order=order.order_id)


def _released(shop: Shop, order: Order, time: int, reason: str) -> None:
    data: Data = {"order": order.order_id, "lines": len(order.items), "reason": reason}
    shop.say(INVENTORY, time, "info", "stock released", data, logger="reserve", order=order.order_id)


def _mail(shop: Shop, order: Order, template: str, time: int) -> None:
    """A mail is queued, perhaps turned away once, and sent."""
    name, to = order.order_id, order.visit.customer.mail
    data: Data = {"template": template, "order": name, "to": to}
    shop.say(NOTIFICATIONS, time, "info", "mail queued", data, logger="mailer", order=name)
    time += shop.between(40, 700)
    if order.outcome is not Outcome.SILENT and shop.chance.random() < 0.02:
        turned: Data = {"template": template, "order": name, "smtp": 451, "retry_in": "2s"}
        shop.say(NOTIFICATIONS, time, "warn", "mail deferred", turned, logger="smtp", order=name)
        time += 2 * SECOND + shop.between(10, 200)
    took = shop.between(20, 400)
    sent: Data = {"template": template, "order": name, "smtp": 250, "took": f"{took // MS}ms"}
    shop.say(NOTIFICATIONS, time + took, "info", "mail sent", sent, logger="smtp", order=name)
