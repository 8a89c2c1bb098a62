"""Values that come again, and values that stand beside everything: what discovery makes of them."""

from __future__ import annotations

import random

import pytest

from logscope.correlation.discover import find_plan
from logscope.correlation.plan import from_toml, to_toml
from tests.unit.correlation.test_discover import Entry, frames, linked


def sessions(last: str) -> list[Entry]:
    """360 connections of a daemon; the last sixty have process ids that others had ten minutes before."""
    log: list[Entry] = []
    for number in range(360):
        pid, at = str(20_000 + number % 300), number * 2.0
        log += [
            (at, "sshd", "connection opened", {"conn": pid}),
            (at + 0.5, "sshd", "password refused", {"conn": pid}),
            (at + 1.0, "sshd", last, {"conn": pid}),
        ]
    return log


def test_a_pid_that_begins_anew_after_a_silence_is_another_one() -> None:
    sample, pairs = frames(sessions("connection closed"))
    plan = find_plan(sample, pairs)
    assert plan.grain == "conn"
    assert plan.key("conn").gap_us is not None
    assert (plan.key("conn").gap_us or 0) < 600 * 1_000_000
    assert "of silence they begin anew" in plan.key("conn").why
    sizes = linked(sample, pairs, plan).group_by("transaction").len()["len"]
    assert (len(sizes), sizes.max()) == (360, 3)
    assert from_toml(to_toml(plan)) == plan


def test_a_session_that_was_idle_goes_on() -> None:
    log: list[Entry] = []
    for number in range(200):
        pid, at = str(20_000 + number), number * 2.0
        log += [
            (at, "sshd", "connection opened", {"conn": pid}),
            (at + 0.5, "sshd", "password accepted", {"conn": pid}),
            (at + 300.0, "sshd", "connection closed", {"conn": pid}),
        ]
    sample, pairs = frames(sorted(log, key=lambda entry: entry[0]))
    plan = find_plan(sample, pairs)
    assert plan.key("conn").reuse_us is None
    if plan.grain == "conn":
        sizes = linked(sample, pairs, plan).group_by("transaction").len()["len"]
        assert len(sizes) == 200


@pytest.mark.parametrize("drawn", [True, False])
def test_numbers_drawn_from_sixteen_bits_do_not_link_but_a_counter_does(drawn: bool) -> None:
    rng = random.Random(4)
    log: list[Entry] = []
    for number in range(600):
        request = f"{rng.getrandbits(128):032x}"
        query = str(rng.randrange(1, 65_536) if drawn else 40_000 + number)
        log += [
            (number * 2.0, "web", "asked", {"request_id": request, "query_id": query}),
            (number * 2.0 + 0.2, "dns", "looked up", {"query_id": query}),
            (number * 2.0 + 0.4, "web", "answered", {"request_id": request}),
        ]
    sample, pairs = frames(log)
    plan = find_plan(sample, pairs)
    assert plan.key("query_id").klass == ("scoped" if drawn else "strong")
    assert ("come again" in plan.key("query_id").why) is drawn
    assert ("query_id" in plan.linking) is not drawn


def test_the_id_of_a_loop_that_looks_at_everything_neither_glues_nor_hides_the_grain() -> None:
    """Two requests never end: one says what belongs to nothing, the other looks at each machine, at times unnamed."""
    rng = random.Random(7)
    log: list[Entry] = []
    loop, idle = "req-" + "a" * 32, "req-" + "b" * 32
    for number in range(150):
        at, machine = number * 3.0, f"vm-{rng.getrandbits(64):016x}"
        for step, words in enumerate((("claim", "image", "spawned"), ("stopped", "destroyed"))):
            request = f"req-{rng.getrandbits(128):032x}"
            held = {"request_id": request, "machine": machine}
            log += [(at + step * 20 + rng.random(), "compute", word, held) for word in words]
        for word in ("started", "paused", "resumed", "pending", "synced", "checked"):
            fields = {"request_id": loop} | ({"machine": machine} if rng.random() < 0.7 else {})
            log.append((at + 5 + rng.random(), "compute", word, fields))
        log += [(at + rng.random(), "compute", "cache looked through", {"request_id": idle}) for _ in range(20)]
    sample, pairs = frames(sorted(log, key=lambda entry: entry[0]))
    plan = find_plan(sample, pairs)
    assert plan.grain == "machine"
    assert "request_id" in plan.linking
    members = linked(sample, pairs, plan).join(sample.select("row", "raw"), on="row")
    of_loop = members.filter(members["raw"].str.contains(loop))
    assert of_loop["raw"].str.contains("machine=").all()
    assert members.group_by("transaction").len()["len"].sort()[-2] < 15
