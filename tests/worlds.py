"""Small worlds that log, with the truth about each record: for tests of what is found without being told.

A world is made from a seed and a few switches. Every id is remembered with its kind, so that a test can ask
what a key that was found is made of, whatever it is called.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

Names = Mapping[tuple[str, str], str]
"""What a service calls a kind of id; (service, kind) to a field's name."""


@dataclass(frozen=True)
class Event:
    """One record before it is written."""

    at: float
    service: str
    text: str
    ids: dict[str, str]
    truth: str | None
    """The transaction that it belongs to."""


@dataclass
class World:
    """Events and ids so far."""

    chance: random.Random
    events: list[Event] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    """Each id and what it is."""

    def new(self, kind: str, value: str) -> str:
        """Remember an id."""
        self.kinds[value] = kind
        return value

    def hex(self, kind: str, bits: int = 128) -> str:
        """A fresh hexadecimal id."""
        return self.new(kind, f"{self.chance.getrandbits(bits):0{bits // 4}x}")

    def uuid(self, kind: str) -> str:
        """A fresh UUID."""
        text = f"{self.chance.getrandbits(128):032x}"
        return self.new(kind, f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}")

    def say(self, at: float, service: str, text: str, truth: str | None, **ids: str) -> None:
        """A service logs."""
        self.events.append(Event(at, service, text, ids, truth))


@dataclass(frozen=True)
class Shop:
    """Switches of the shop."""

    sessions: int = 45
    polls: int = 0
    lists: float = 0.15
    """Share of sessions that list their orders."""
    mdc: bool = False
    """Every record of a request holds its session too."""
    edge_session: bool = False
    """The session is logged by the gate alone, never beside the order."""
    login: bool = False
    """The session is minted by a login, within a request."""
    trace: bool = False
    job: bool = False
    hook_request: bool = True
    order: str = "prefixed"
    retries: bool = False
    support: bool = False
    """Someone looks at old orders later."""
    strangers: bool = False
    """Hardly any user comes twice."""


def shop(seed: int, plan: Shop) -> World:
    """Sessions with pages and orders; payments answer by a webhook that knows the reference only."""
    world = World(random.Random(seed))
    chance = world.chance
    orders: list[tuple[float, str]] = []
    users = [world.new("user", f"u-{1000 + n}") for n in range(max(4, plan.sessions // 2))]
    visitor = users[0]

    def request(
        at: float, page: str, session: str, truth: str | None = None, listed: tuple[str, ...] = ()
    ) -> tuple[dict[str, str], str]:
        ids = {"request": world.hex("request")}
        if plan.trace:
            ids["trace"] = world.hex("trace")
        own = truth or ids["request"]
        more = {"session": session} if plan.edge_session or plan.mdc or not truth else {}
        world.say(at, "gate", page, own, **ids, **more, user=visitor)
        if plan.mdc:
            ids["session"] = session
        for order in listed:
            # A line of a list belongs to the order as much as to the list: not judged.
            world.say(at + 0.05, "orders", "listed", None, **ids, order=order)
        return ids, own

    for number in range(plan.sessions):
        at = number * 15.0 + chance.random() * 10
        session = world.new("session", f"s-{chance.getrandbits(48):012x}")
        visitor = world.new("user", f"u-{5000 + number}") if plan.strangers else chance.choice(users)
        if plan.login:
            ids, own = request(at, "POST /login", session)
            world.say(at + 0.1, "auth", "session opened", own, **{**ids, "session": session})
        mine: list[str] = []
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3))):
            for _ in range(chance.randrange(2, 6)):
                at += 1 + chance.random() * 4
                ids, own = request(
                    at, chance.choice(("GET /search", "GET /product", "GET /cart", "GET /help")), session
                )
                step = chance.choice(("search done", "stock looked up", "cart changed"))
                world.say(at + 0.1, chance.choice(("orders", "stock")), step, own, **ids)
            if chance.random() < 0.25:
                continue
            at += 2
            order = _order_id(world, plan.order, len(orders))
            mine.append(order)
            orders.append((at, order))
            _checkout(world, plan, at, order, session, request)
        if chance.random() < plan.lists and mine:
            request(at + 5, "GET /account/orders", session, listed=tuple(mine))
    if plan.support:
        for at, order in chance.sample(orders, len(orders) // 8):
            ids, _ = request(
                at + 300, "GET /support", world.new("session", f"s-{chance.getrandbits(48):012x}"), truth=order
            )
            world.say(at + 300.1, "orders", "order looked up", order, **ids, order=order)
    if plan.job:
        for start in range(0, len(orders), 25):
            job = world.hex("job", 64)
            begun = (orders[min(start + 24, len(orders) - 1)][0]) + 60
            world.say(begun, "settle", "run started", None, job=job)
            for _, order in orders[start : start + 25]:
                begun += 0.05
                world.say(begun, "settle", "order settled", order, job=job, order=order)
    return world


def _order_id(world: World, form: str, number: int) -> str:
    if form == "uuid":
        return world.uuid("order")
    if form == "number":
        return world.new("order", str(48_210_000 + number * 7))
    return world.new("order", f"ORD-{700_000 + number}")


def _checkout(
    world: World, plan: Shop, at: float, order: str, session: str,
    request: Callable[..., tuple[dict[str, str], str]],
) -> None:  # fmt: skip
    chance = world.chance
    ref = world.new("ref", f"PSP{chance.randrange(10**9, 10**10)}")
    ids, _ = request(at, "POST /checkout", session, truth=order)
    beside = {} if plan.edge_session else {"session": session}
    world.say(at + 0.1, "orders", "order created", order, **{**ids, **beside}, order=order)
    world.say(at + 0.2, "stock", "stock reserved", order, **ids, order=order)
    for attempt in range(2 if plan.retries and chance.random() < 0.3 else 1):
        world.say(at + 0.3 + attempt, "pay", "charge begin", order, **ids, order=order, ref=ref)
        world.say(at + 0.5 + attempt, "pay", "charge sent", order, **ids, ref=ref)
    later = at + 3 + chance.random() * 3
    hook = {"request": world.hex("request")} if plan.hook_request else {}
    if plan.trace and hook:
        hook["trace"] = world.hex("trace")
    world.say(later, "gate", "POST /hook", order, **hook, ref=ref)
    world.say(later + 0.1, "pay", "charge settled", order, **hook, ref=ref)
    world.say(later + 0.2, "orders", "order paid", order, **hook, order=order)
    world.say(later + 1, "ship", "parcel announced", order, order=order)
    for poll in range(chance.randrange(plan.polls + 1) if plan.polls else 0):
        step = at + 1 + poll * 0.7
        ids, _ = request(step, "GET /status", session, truth=order)
        world.say(step + 0.1, "orders", "status asked", order, **ids, order=order)


def traces(seed: int, count: int = 150) -> World:
    """Traces with a span per service, nothing else."""
    world = World(random.Random(seed))
    for number in range(count):
        at, trace = number * 2.0, world.hex("trace")
        for depth, service in enumerate(world.chance.sample(("front", "basket", "price", "mail"), 3)):
            span = world.hex("span", 64)
            world.say(at + depth * 0.1, service, "call begins", trace, trace=trace, span=span)
            world.say(at + depth * 0.1 + 0.5, service, "call ends", trace, trace=trace, span=span)
    return world


def calls(seed: int, count: int = 150) -> World:
    """Telephone calls of two legs: an id per leg, one for both."""
    world = World(random.Random(seed))
    for number in range(count):
        at, call = number * 3.0, world.hex("call", 96)
        legs = [world.new("leg", f"{world.chance.getrandbits(96):024x}@10.0.0.{n}") for n in (1, 2)]
        for leg, side in zip(legs, ("edge", "core"), strict=True):
            for step, word in enumerate(("INVITE", "RINGING", "OK", "BYE")):
                world.say(at + step * 0.4, side, word, call, call=call, leg=leg)
        world.say(at + 20, "billing", "record written", call, call=call)
    return world


def bank(seed: int, count: int = 200, *, file: bool = False) -> World:
    """Transfers in sentences: accepted in a session, checked, sent, acknowledged."""
    world = World(random.Random(seed))
    session = ""
    batch = ""
    for number in range(count):
        at = number * 4.0
        if world.chance.random() < 0.3 or not session:
            session = world.hex("session", 64)
        if number % 40 == 0:
            batch = world.new("file", f"CLR-{number + 100:06d}")
        letters = "".join(world.chance.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(11))
        transfer, corr = world.new("transfer", f"{letters}7"), world.hex("corr", 64)
        world.say(at, "branch", "accepted", transfer, transfer=transfer, corr=corr, session=session)
        world.say(at + 0.3, "check", "limits fine", transfer, corr=corr)
        world.say(at + 0.4, "check", "no sanctions hit", transfer, corr=corr, transfer=transfer)
        world.say(at + 1.0, "clearing", "sent", transfer, transfer=transfer, **({"file": batch} if file else {}))
        world.say(at + 9.0, "clearing", "acknowledged", transfer, transfer=transfer)
        for poll in range(world.chance.randrange(3)):
            world.say(at + 2 + poll, "branch", "balance shown", None, session=session)
    return world


def daemon(seed: int, count: int = 200) -> World:
    """One daemon, a process per connection."""
    world = World(random.Random(seed))
    pids = world.chance.sample(range(10_000, 60_000), count)
    for number, pid in enumerate(pids):
        process = world.new("pid", str(pid))
        for step, word in enumerate(
            ("connection from 10.1.1.7", "invalid user admin", "failed password for root", "closed")
        ):
            world.say(number * 5.0 + step, "sshd", word, process, pid=process)
    return world


def strangers(seed: int, count: int = 400) -> World:
    """Every record has an id that no other has."""
    world = World(random.Random(seed))
    for number in range(count):
        service = world.chance.choice(("a", "b"))
        world.say(number * 1.0, service, "handled", None, request=world.hex("request"))
    return world


def agents(seed: int, count: int = 300) -> World:
    """An agent that works on twelve routers over and over: resources, no transactions."""
    world = World(random.Random(seed))
    routers = [world.uuid("router") for _ in range(12)]
    for number in range(count):
        world.say(
            number * 10.0,
            "agent",
            world.chance.choice(("synced", "checked")),
            None,
            router=world.chance.choice(routers),
        )
    return world


def thinned(
    world: World, *, services: tuple[str, ...] = (), keep: slice = slice(None), mask: float = 0.0, loss: float = 0.0
) -> World:
    """The world as seen by some services, in a slice of time, with ids masked and records lost."""
    events = sorted(world.events, key=lambda event: event.at)
    events = [event for event in events if not services or event.service in services][keep]
    events = [event for event in events if world.chance.random() >= loss]
    if mask:
        events = [_masked(world.chance, event) if world.chance.random() < mask else event for event in events]
    return World(world.chance, events, world.kinds)


def _masked(chance: random.Random, event: Event) -> Event:
    if len(event.ids) < 2:
        return event
    kept = chance.choice(sorted(event.ids))
    return Event(event.at, event.service, event.text, {kept: event.ids[kept]}, event.truth)


NAMES: dict[str, tuple[str, ...]] = {
    "request": ("req", "requestId", "x_request_id"), "session": ("sid", "session"), "order": ("orderId", "order_id", "order"),
    "ref": ("ref", "psp_ref", "reference"), "trace": ("trace_id", "traceId"), "span": ("span_id",), "user": ("user", "uid"),
    "job": ("job",), "call": ("icid",), "leg": ("call_id",), "transfer": ("transfer",), "corr": ("corr",), "file": ("file",),
    "router": ("router",), "pid": ("pid",), "parent": ("parent",), "link": ("sig",), "work": ("work",), "version": ("build",),
    "office": ("office",), "ticket": ("number",),
}  # fmt: skip


def usual_names(service: str, kind: str) -> str:
    """Each service has its own word for the same thing."""
    words = NAMES[kind]
    return words[sum(map(ord, service)) % len(words)]


def no_names(service: str, kind: str) -> str:
    """Names that say nothing at all, others in each service."""
    return f"f{(sum(map(ord, service)) * 7 + sum(map(ord, kind)) * 13) % 97}"


def one_name(service: str, kind: str) -> str:
    """Every service calls what it works on `id`; the rest has names."""
    own = {"orders": "order", "pay": "ref", "ship": "order", "stock": "request", "gate": "session"}
    return "id" if own.get(service) == kind else usual_names(service, kind)


SENTENCES = {
    "request": "request {}", "session": "in session {}", "order": "order {}", "ref": "reference {}", "user": "by {}",
    "transfer": "transfer {}", "corr": "corr {}", "file": "file {}", "trace": "trace {}", "span": "span {}",
    "job": "job {}", "call": "icid {}", "leg": "leg {}", "router": "router {}",
}  # fmt: skip


def write(
    world: World, folder: Path, *, style: str = "kv", names: Callable[[str, str], str] = usual_names,
    single: bool = False, skew: Mapping[str, float] | None = None, reverse: bool = False,
) -> tuple[list[Path], dict[tuple[str, int], str | None]]:  # fmt: skip
    """Write the logs, a file per service.

    Args:
        world: What happened.
        folder: Where to.
        style: `kv`, `json`, `free`, `bracket`, `header`, `bar`, `tab`, `syslog`.
        names: What a service calls an id.
        single: One file for all.
        skew: Seconds that a service's clock is ahead.
        reverse: Files are named so that they come in another order.

    Returns:
        The files, and the truth by file name and line.
    """
    lines: dict[str, list[str]] = {}
    truth: dict[tuple[str, int], str | None] = {}
    services = sorted({event.service for event in world.events})
    shift = skew or {}
    for event in sorted(world.events, key=lambda event: event.at + shift.get(event.service, 0.0)):
        place = f"{len(services) - services.index(event.service)}-{event.service}" if reverse else event.service
        name = "all.log" if single else f"{place}.log"
        log = lines.setdefault(name, [])
        stamp = START + timedelta(seconds=event.at + shift.get(event.service, 0.0))
        log.append(_line(event, stamp, style, names))
        truth[name, len(log)] = event.truth
    for name, log in lines.items():
        (folder / name).write_text("".join(f"{line}\n" for line in log))
    return [folder / name for name in sorted(lines)], truth


def _line(event: Event, stamp: datetime, style: str, names: Callable[[str, str], str]) -> str:
    when = stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    named = {names(event.service, kind): value for kind, value in event.ids.items()}
    if style == "json":
        return json.dumps({"ts": when, "level": "info", "service": event.service, "msg": event.text, **named})
    if style == "free":
        said = ", ".join(SENTENCES[kind].format(value) for kind, value in event.ids.items())
        return f"{when} INFO {event.service} - {event.text}: {said}"
    values = list(event.ids.values())
    if style == "bracket":
        return f"{when} INFO [ctx:[{event.service},host1,{','.join(values)},1]] {event.text}"
    if style == "header":
        return f"{when} [{values[0]}] INFO {event.service} {event.text}"
    if style == "bar":
        return " | ".join([when, "INFO", event.service, *values, event.text])
    if style == "tab":
        return "\t".join([when, *values, event.service, event.text])
    if style == "syslog":
        return f"{stamp:%b %d %H:%M:%S} host1 {event.service}[{event.ids['pid']}]: {event.text}"
    return f"{when} INFO {event.service} {event.text} " + " ".join(f"{k}={v}" for k, v in named.items())
