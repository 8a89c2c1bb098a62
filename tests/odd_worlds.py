"""Worlds in which ids do not do what they do in most logs; see `tests.worlds`."""

from __future__ import annotations

import random

from tests.worlds import Event, World


def long_traces(seed: int, count: int = 24) -> World:
    """Traces of hundreds of records over some seconds each; every step names its own span and its parent's."""
    world = World(random.Random(seed))
    for number in range(count):
        trace, spans = world.hex("trace"), [world.hex("span", 64)]
        for step in range(110):
            service = world.chance.choice(("front", "basket", "price"))
            spans.append(world.hex("span", 64))
            ids = {"trace": trace, "span": spans[-1], "parent": world.chance.choice(spans[max(0, len(spans) - 6) : -1])}
            at = number * 2.0 + step * 0.02
            world.say(at, service, f"calls step {step % 11}", trace, **ids)
            world.say(at + 0.01, service, "answered", trace, **ids)
    return world


def visits(seed: int, count: int = 1200) -> World:
    """Visits of pages by signed links that come again on other days: nothing here is a transaction."""
    world = World(random.Random(seed))
    links = [world.new("link", f"AF{world.chance.getrandbits(100):025x}g") for _ in range(100)]
    for number in range(count):
        ids = {"link": world.chance.choice(links)} if world.chance.random() < 0.2 else {}
        world.say(number * 240.0, "web", world.chance.choice(("GET /a", "GET /b", "GET /c", "POST /d")), None, **ids)
    return world


def burst(seed: int, count: int = 60) -> World:
    """Work that was all begun within one second and then goes on side by side."""
    world = World(random.Random(seed))
    for _ in range(count):
        at, job = world.chance.random(), world.uuid("work")
        for step, word in enumerate(("taken from the queue", "read", "read more", "checked", "written", "done")):
            world.say(at, "worker" if step < 4 else "store", word, job, work=job)
            at += 0.5 + world.chance.random() * 3
    return world


def versions(seed: int, count: int = 480) -> World:
    """One service; each record holds its request and the version that runs, a new one now and then."""
    world = World(random.Random(seed))
    version = ""
    for number in range(count):
        version = world.hex("version", 160) if number % 80 == 0 else version
        request = world.hex("request")
        for step, word in enumerate(("begins", world.chance.choice(("reads", "writes")), "ends")):
            world.say(number * 1.5 + step * 0.2, "app", word, request, request=request, version=version)
    return world


def tickets(seed: int, count: int = 480) -> World:
    """Four offices give tickets from 1 on: a number is a ticket together with its office only."""
    world = World(random.Random(seed))
    offices = [world.new("office", name) for name in ("north", "south", "east", "west")]
    numbers = dict.fromkeys(offices, 0)
    for call in range(count):
        at = call * 60.0
        office = world.chance.choice(offices)
        numbers[office] += 1
        ticket = world.new("ticket", str(numbers[office]))
        whole = world.new("ticket of an office", f"{office}+{ticket}")
        for service, word in (("door", "drawn"), ("hall", "called"), ("desk", "served"), ("desk", "done")):
            at += world.chance.random() * 200
            world.say(at, service, word, whole, office=office, ticket=ticket)
    return world


def without_digits(world: World, kind: str, every: int = 12) -> World:
    """The same world, but of one kind of id a part has letters only, as ids that are drawn do now and then."""
    letters = str.maketrans("0123456789", "ABCDEFGHJK")
    chosen = [value for value, own in world.kinds.items() if own == kind][::every]
    new = {value: value.translate(letters) for value in chosen}
    kinds = {new.get(value, value): own for value, own in world.kinds.items()}
    events = [
        Event(each.at, each.service, each.text, {name: new.get(value, value) for name, value in each.ids.items()},
              None if each.truth is None else new.get(each.truth, each.truth))
        for each in world.events
    ]  # fmt: skip
    return World(world.chance, events, kinds)
