"""Everything else that goes on: visits, browsing, logins, an attack, and machines talking to themselves."""

from __future__ import annotations

from sample_logs.model import MINUTE, MS, SECOND, Data, Visit
from sample_logs.shop import (
    AUTH,
    INVENTORY,
    LAST_ORDER,
    LENGTH,
    NOTIFICATIONS,
    ORDERS,
    PAYMENTS,
    START,
    Shop,
)
from sample_logs.traces import LEDGER_EXPORT

_VISITS = 305
_ORDERS_A_VISIT = (0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4)
_ATTACKER = "198.51.100.77"
_ATTACKER_AGENT = "python-requests/2.32.3"
_SCANNERS = ("198.51.100.14", "198.51.100.140", "198.51.100.201")
_SEARCHES = ("lamp", "desk", "chair", "kettle", "rug", "shelf")


def visits(shop: Shop) -> list[tuple[int, Visit]]:
    """Tell all visits but their orders.

    Returns:
        Time (microseconds since 1970) and visit of each checkout that is to come, in ascending order.
    """
    checkouts: list[tuple[int, Visit]] = []
    for _ in range(_VISITS):
        visit = Visit(shop.pick(shop.customers), shop.new_session())
        now = START + shop.chance.randrange(60 * MINUTE)
        if shop.chance.random() < 0.8:
            now = _login(shop, visit, now)
        for _ in range(shop.pick(_ORDERS_A_VISIT)):
            for _ in range(1 + shop.chance.randrange(5)):
                now += shop.between(2_000, 40_000)
                _browse(shop, visit, now)
            now += shop.between(1_500, 20_000)
            if now < START + LAST_ORDER:
                checkouts.append((now, visit))
        for _ in range(1 + shop.chance.randrange(6)):
            now += shop.between(2_000, 40_000)
            _browse(shop, visit, now)
    return sorted(checkouts, key=lambda checkout: (checkout[0], checkout[1].session))


def attack(shop: Shop) -> None:
    """One address tries passwords for some minutes, gets in, and looks around."""
    now = START + 20 * MINUTE + shop.chance.randrange(20 * MINUTE)
    victims = [shop.pick(shop.customers).uid for _ in range(12)]
    for _ in range(130 + shop.chance.randrange(40)):
        now += shop.between(600, 4_000)
        request, took = shop.new_request(), shop.between(40, 160)
        _refused(shop, now, took, request, shop.pick(victims), mark="attack")
    now += shop.between(600, 4_000)
    visit = Visit(next(c for c in shop.customers if c.uid == victims[-1]), shop.new_session())
    request, took = shop.new_request(), shop.between(40, 160)
    data: Data = {
        "requestId": request,
        "uid": visit.customer.uid,
        "sid": visit.session,
        "ip": _ATTACKER,
    }
    shop.say(
        AUTH, now + took - MS, "info", f"login succeeded for {visit.customer.uid}", data, logger="LOGIN", mark="breach"
    )
    _attacker_access(shop, now, took, request, ("POST", "/api/login", 200), mark="breach")
    for path in ("/api/account", "/api/account/cards", "/api/account/addresses"):
        now += shop.between(900, 5_000)
        _attacker_access(shop, now, shop.between(5, 60), shop.new_request(), ("GET", path, 200), mark="attack")


def background(shop: Shop) -> None:
    """Health checks, pools, timers, crawlers and ssh: records that belong to no order."""
    for gateway_turn in range(2):
        for now in range(START + gateway_turn * 5 * SECOND, START + LENGTH, 15 * SECOND):
            shop.access(now, shop.between(1, 3), "-", ("GET", "/healthz", 200), ip="10.0.0.5", agent="kube-probe/1.31")
    _timers(shop)
    _crawlers(shop)
    _ssh(shop)
    for _ in range(4 + shop.chance.randrange(4)):
        now = START + shop.chance.randrange(LENGTH)
        shop.say(
            shop.pick(PAYMENTS),
            now,
            "error",
            "ledger export failed, next try in 10 minutes",
            {},
            logger="shop.payments.LedgerExport",
            thread="scheduling-1",
            trace=LEDGER_EXPORT,
        )


def _login(shop: Shop, visit: Visit, now: int) -> int:
    """A login, sometimes after a mistyped password; returns when it is over."""
    who = visit.customer
    while shop.chance.random() < 0.1:
        request, took = shop.new_request(), shop.between(40, 160)
        data: Data = {"requestId": request, "uid": who.uid, "ip": who.ip}
        shop.say(AUTH, now + took - MS, "warn", f"login failed for {who.uid}", data, logger="LOGIN")
        shop.access(now, took, request, ("POST", "/api/login", 401), visit=visit)
        now += shop.between(3_000, 9_000)
    request, took = shop.new_request(), shop.between(60, 260)
    data = {"requestId": request, "uid": who.uid, "sid": visit.session, "ip": who.ip}
    shop.say(AUTH, now + took - 9 * MS, "info", f"login succeeded for {who.uid}", data, logger="LOGIN")
    opened: Data = {"request_id": request, "session": visit.session, "customer": who.uid}
    shop.say(shop.pick(ORDERS), now + took - 4 * MS, "info", "session opened", opened, logger="orders.session")
    shop.access(now, took, request, ("POST", "/api/login", 200), visit=visit)
    return now + took


def _browse(shop: Shop, visit: Visit, start: int) -> None:
    """One request that orders nothing."""
    request, now = shop.new_request(), start + shop.between(2, 12)
    kind = shop.chance.randrange(10)
    sku = shop.pick(shop.goods)[0]
    if kind < 4:
        line = ("GET", f"/api/products/{sku}", 200)
        data: Data = {"sku": sku, "available": shop.chance.randrange(200), "x_request_id": request}
        shop.say(INVENTORY, now, "debug", "stock looked up", data, logger="lookup")
    elif kind < 7:
        line = ("POST", "/api/cart", 200)
        data = {"request_id": request, "session": visit.session, "customer": visit.customer.uid, "sku": sku}
        shop.say(shop.pick(ORDERS), now, "info", "cart updated", data, logger="orders.cart")
        now += shop.between(3, 20)
        check: Data = {"sku": sku, "available": shop.chance.randrange(200), "x_request_id": request}
        shop.say(INVENTORY, now, "debug", "stock looked up", check, logger="lookup")
    elif kind < 8:
        line = ("GET", "/api/account", 200)
        seen: Data = {
            "requestId": request,
            "uid": visit.customer.uid,
            "sid": visit.session,
            "ip": visit.customer.ip,
        }
        shop.say(AUTH, now, "info", f"token accepted for {visit.customer.uid}", seen, logger="TOKEN")
    else:
        line = ("GET", f"/api/search?q={shop.pick(_SEARCHES)}", 200)
        if shop.chance.random() < 0.03:
            line = ("GET", "/api/search?q=%00", 500)
    shop.access(start, now - start + shop.between(1, 40), request, line, visit=visit)


def _refused(shop: Shop, now: int, took: int, request: str, uid: str, *, mark: str) -> None:
    data: Data = {"requestId": request, "uid": uid, "ip": _ATTACKER}
    shop.say(AUTH, now + took - MS, "warn", f"login failed for {uid}", data, logger="LOGIN", mark=mark)
    _attacker_access(shop, now, took, request, ("POST", "/api/login", 401), mark=mark)


def _attacker_access(shop: Shop, start: int, took: int, request: str, line: tuple[str, str, int], *, mark: str) -> None:
    shop.access(start, took, request, line, ip=_ATTACKER, agent=_ATTACKER_AGENT, mark=mark)


def _timers(shop: Shop) -> None:
    """What runs every so often in each service."""
    for number, payments in enumerate(PAYMENTS):
        for now in range(START + (3 + number) * SECOND, START + LENGTH, 30 * SECOND):
            pool: Data = {"total": 10, "active": shop.chance.randrange(6), "waiting": 0}
            thread = "HikariPool-1 housekeeper"
            logger = "com.zaxxer.hikari.pool.HikariPool"
            shop.say(
                payments,
                now + shop.between(0, 40),
                "debug",
                "HikariPool-1 - Pool stats",
                pool,
                logger=logger,
                thread=thread,
            )
    for number, orders in enumerate(ORDERS):
        for now in range(START + (7 + number) * SECOND, START + LENGTH, 30 * SECOND):
            sweep: Data = {"removed": shop.chance.randrange(9), "host_load": f"0.{shop.chance.randrange(90):02d}"}
            shop.say(orders, now + shop.between(0, 40), "debug", "cart sweep", sweep, logger="orders.cart")
        for _ in range(12):
            slow: Data = {"table": "carts", "took_ms": 800 + shop.chance.randrange(900)}
            shop.say(orders, START + shop.chance.randrange(LENGTH), "warn", "slow query", slow, logger="orders.db")
    for now in range(START + 11 * SECOND, START + LENGTH, 20 * SECOND):
        feed: Data = {"supplier": shop.pick(("north", "east")), "rows": shop.chance.randrange(400)}
        if shop.chance.random() < 0.05:
            shop.say(INVENTORY, now + shop.between(0, 900), "error", "supplier feed timed out", feed, logger="feed")
        else:
            shop.say(INVENTORY, now + shop.between(0, 900), "info", "supplier feed read", feed, logger="feed")
    for now in range(START + 17 * SECOND, START + LENGTH, 30 * SECOND):
        depth: Data = {"queue": "outbound", "depth": shop.chance.randrange(5)}
        shop.say(NOTIFICATIONS, now + shop.between(0, 40), "debug", "queue drained", depth, logger="worker")


def _crawlers(shop: Shop) -> None:
    """Robots that ask for what is not there."""
    for _ in range(150):
        path, status = shop.pick((("/robots.txt", 200), ("/wp-login.php", 404), ("/.env", 404), ("/sitemap.xml", 200)))
        now = START + shop.chance.randrange(LENGTH)
        shop.access(
            now,
            shop.between(1, 9),
            shop.new_request(),
            ("GET", path, status),
            ip=f"198.51.100.{120 + shop.chance.randrange(9)}",
            agent="Mozilla/5.0 (compatible; ExampleBot/1.0; +http://bot.example.net)",
        )


def _ssh(shop: Shop) -> None:
    """The machine's own sshd and cron, in the same syslog as the login service."""
    for _ in range(70):
        now, pid = START + shop.chance.randrange(LENGTH), 20_000 + shop.chance.randrange(9_000)
        user = shop.pick(("invalid user admin", "invalid user test", "root"))
        tail = f"from {shop.pick(_SCANNERS)} port {30_000 + shop.chance.randrange(30_000)}"
        shop.say(AUTH, now, "info", f"Failed password for {user} {tail} ssh2", {"pid": pid}, logger="sshd")
        shop.say(
            AUTH, now + shop.between(50, 900), "info", f"Connection closed by {tail.removeprefix('from ')} [preauth]",
            {"pid": pid}, logger="sshd",
        )  # fmt: skip
    for minute in range(3, LENGTH // MINUTE, 10):
        now, pid = START + minute * MINUTE + shop.between(0, 900), 20_000 + shop.chance.randrange(9_000)
        key = "ssh2: ED25519 SHA256:6Xw1Yk3cV0tq9mB5dN2rL8uJ4hG7sE1aZ"
        who = f"Accepted publickey for deploy from 10.0.0.9 port {40_000 + minute} {key}"
        shop.say(AUTH, now, "info", who, {"pid": pid}, logger="sshd")
        session = "pam_unix(sshd:session): session opened for user deploy(uid=1001) by deploy(uid=0)"
        shop.say(AUTH, now + 20 * MS, "info", session, {"pid": pid}, logger="sshd")
