"""The same records give the same transactions and detections, whichever way they come.

One batch (a scan) is the measure; against it stand the same sources fed in any cuts, in any order
across sources, with a live watermark and a clock that may let sources fall silent.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from logscope.correlation.keys import Key
from logscope.correlation.plan import Plan
from logscope.engine.answers import Detection
from logscope.engine.api import Cancel
from logscope.engine.detection.detecting import Detecting
from logscope.engine.linking.correlating import Correlating
from logscope.engine.loading.ingest import Ingest
from logscope.engine.options import Options
from logscope.engine.rendering import iso
from logscope.engine.service.metrics import Measures, exposition
from logscope.engine.viewing.frames import Frames
from logscope.formats.assignment import FormatSet
from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import make_parser
from logscope.paths import PACKAGE
from logscope.records import schema
from logscope.records.framefile import read_frames, write_frames
from logscope.records.model import SourceRef
from logscope.records.pieces import Binding
from logscope.records.saving import below, under
from logscope.records.store import Store
from logscope.rules.deciders import decider_of
from logscope.rules.model.rule import Rule
from logscope.rules.stepping import StepDetector
from tests.growing import Growing

SECOND = 1_000_000
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""Shrinking runs the engine some hundred times more: minutes."""
START = 1_793_620_800 * SECOND
LATENESS = 2 * SECOND
NAMES = ("orders.log", "payments.log", "gateway.log")
PLAN = Plan(
    keys=(
        Key("order_id", fields=("order_id",), origin="user"),
        Key("psp_ref", fields=("psp_ref", "ref"), origin="user", parents=("order_id",)),
        Key("request_id", fields=("request_id",), origin="user", parents=("order_id",)),
    ),
    grain="order_id",
)
COMPONENTS = Plan(PLAN.keys, None)
OPTIONS = Options(
    rules=(
        str(PACKAGE / "rules" / "builtin" / "silent_payment_failure.yml"),
        str(Path(__file__).with_name("kinds.yml")),
    ),
    rule=(
        'seq by transaction maxspan 8m: ["charge begin"] not ["charge settled"] within 4s until ["order cancelled"]',
        'seq by order_id maxspan 20s: ["order created"] not ["order cancelled"] ["psp response"]',
    ),
    lateness=LATENESS,
)
STEPS = (
    ("orders.log", "order created", ("order_id", "request_id")),
    ("payments.log", "charge begin", ("order_id", "request_id")),
    ("payments.log", "psp response", ("order_id", "psp_ref")),
    ("gateway.log", "charge settled", ("psp_ref",)),
    ("orders.log", "order cancelled", ("order_id",)),
    ("gateway.log", "GET /", ("request_id",)),
)

formats = functools.cache(load_formats)


@dataclass(frozen=True)
class Story:
    """What each source holds, in its own order, as (microseconds since START, line)."""

    logs: dict[str, list[tuple[int, str]]]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A few orders; ids may be shared, so that a late link joins two; sources may be out of order within the lateness."""
    told: dict[str, list[tuple[int, str]]] = {name: [] for name in NAMES}
    times = st.integers(0, 12) | st.sampled_from((0, 30, 300, 500))
    for _ in range(draw(st.integers(2, 16))):
        source, message, names = draw(st.sampled_from(STEPS))
        at = draw(times) * SECOND
        number = draw(st.integers(0, 2))
        entry: dict[str, Any] = {"time": iso(START + at), "level": "info", "message": message}
        for name in names:
            other = draw(st.sampled_from((number, number, number, 1)))
            entry["ref" if name == "psp_ref" and source == "gateway.log" else name] = f"{name}-{other}"
        if message == "charge begin":
            entry["amount"] = number
        told[source].append((at, json.dumps(entry)))
    late = draw(st.booleans())
    for name, lines in told.items():
        if late:
            delays = [draw(st.integers(0, LATENESS)) for _ in lines]
            order = sorted(range(len(lines)), key=lambda place: lines[place][0] + delays[place])
            told[name] = [lines[place] for place in order]
        else:
            lines.sort(key=lambda line: line[0])
    return Story(told)


@dataclass
class World:
    """A store with everything above it, as a session composes them."""

    plan: Plan
    sources: list[Growing] = field(default_factory=lambda: [Growing(name, START) for name in NAMES])
    store: Store = field(default_factory=Store)
    net: dict[str, Detection] = field(default_factory=dict)
    raised: Counter[str] = field(default_factory=Counter)
    retracted: Counter[str] = field(default_factory=Counter)
    reached: int | None = None

    def __post_init__(self) -> None:
        frames = self.frames = Frames(1 << 20)
        self.ingests = [
            Ingest(source, self.store, functools.partial(bind, place, source))
            for place, source in enumerate(self.sources)
        ]
        self.correlating = Correlating(self.store, frames, OPTIONS)
        self.correlating.prepare(cancel=Cancel(), plan=self.plan)
        self.detecting = Detecting(self.store, frames, self.correlating, OPTIONS, lambda place: NAMES[place])
        assert not self.detecting.rule_errors

    def begin_again(self, file: Path) -> None:
        """As another process would: all that links and decides is made anew, and takes up what this one has saved."""
        if not self.detecting.settled:
            return
        saved = {
            **under("values", self.correlating.extracted.saved()),
            **under("linked", self.correlating.saved()),
            **under("detecting", self.detecting.saved()),
        }
        write_frames(file, {}, saved)
        _, frames = read_frames(file)
        digests = {rule.name: rule.digest for rule in self.detecting.rules}
        told, now = dict(self.detecting.told), 0
        self.correlating = Correlating(self.store, Frames(1 << 20), OPTIONS)
        self.detecting = Detecting(self.store, Frames(1 << 20), self.correlating, OPTIONS, lambda place: NAMES[place])
        self.correlating.extracted.restore(below("values", frames), self.plan)
        self.correlating.restore(below("linked", frames), self.plan)
        kept = self.detecting.restore(below("detecting", frames), digests, now, Cancel())
        assert kept == set(digests)
        assert self.detecting.told == told

    def turn(self, now: int, *, final: bool = False, least: int | None = None) -> None:
        for ingest in self.ingests:
            if final:
                ingest.finish()
            while ingest.step():
                pass
        delta = self.correlating.update(cancel=Cancel())
        told = self.detecting.update(delta, cancel=Cancel(), final=final, least=least, now=now)
        for detection in told.retracted:
            self.retracted[detection.detection] += 1
            del self.net[detection.detection]
        for detection in told.raised:
            self.raised[detection.detection] += 1
            assert detection.detection not in self.net, "told twice"
            self.net[detection.detection] = detection
        watermark = self.detecting.watermark
        if told.raised and watermark.value is not None and watermark.value > (watermark.newest or 0):
            self.reached = watermark.value

    def detections(self) -> list[object]:
        """Without keys: what is told early knows fewer of them; of a whole that was opened again, its end too."""
        return sorted(
            (one.detection, one.rule, one.state, one.transaction, *([one.time, one.start, one.end,
             str(one.output), str({name: (s["time"], s["source"], s["line"]) for name, s in one.steps.items()})]
             if one.steps else []))
            for one in self.net.values()
        )  # fmt: skip

    def transactions(self) -> dict[str, list[tuple[str, int]]]:
        table = self.correlating.transactions()
        numbers = dict(table.select("number", "transaction").iter_rows())
        members = self.correlating.members_of(list(numbers))
        index = self.store.view.index.select("source_id", "line")[members.get_column(schema.ROW)]
        found: dict[str, list[tuple[str, int]]] = {}
        for number, source_id, line in zip(members.get_column("transaction"), *index.get_columns(), strict=True):
            found.setdefault(numbers[number], []).append((NAMES[source_id], line))
        assert len(found) == len(numbers), "two transactions with one id"
        return found


def bind(place: int, source: Growing, _lines: list[str]) -> Binding:
    known: FormatSet = formats()
    sample = ['{"time":"2026-11-01T10:00:00.000001Z","level":"info","message":"charge begin","order_id":"o"}'] * 5
    parser = make_parser(
        detect(known, sample, name=source.name), zone="UTC", reference_us=START, source_name=source.name
    )
    return Binding(SourceRef(place, source.name, source.kind), source, parser, tuple(parser.formats))


def scanned(story: Story, plan: Plan, least: int | None = None) -> World:
    world = World(plan)
    for source in world.sources:
        source.data = "".join(f"{line}\n" for _, line in story.logs[source.name]).encode()
        source.ended = True
    world.turn(0, final=True, least=least)
    return world


@st.composite
def arrivals(draw: st.DrawFn, *, within: int | None) -> tuple[Story, list[tuple[list[int], int]]]:
    """A story, and steps of its coming: bytes of each source that are there by then, and the clock.

    Args:
        within: Sources stand at most so far apart in time (microseconds); None: as it happens.
    """
    story = draw(stories())
    data = [[len(line) + 1 for _, line in story.logs[name]] for name in NAMES]
    if within is None:
        order = draw(st.permutations([place for place, lines in enumerate(data) for _ in lines]))
    else:
        timed = [
            (at + draw(st.integers(0, within)), place, number)
            for place, name in enumerate(NAMES)
            for number, at in enumerate(running_maximum([at for at, _ in story.logs[name]]))
        ]
        # A source's own lines keep their order, whatever the delays.
        order = [place for _, place, _ in sorted(timed)]
    sizes, taken, clock = [0, 0, 0], [0, 0, 0], 0
    steps: list[tuple[list[int], int]] = []
    ends = draw(st.sets(st.integers(0, len(order)), max_size=4))
    for number, place in enumerate(order):
        sizes[place] += data[place][taken[place]]
        taken[place] += 1
        torn = draw(st.sampled_from((0, 0, 0, 7)))
        if number in ends:
            clock += draw(st.sampled_from((0, 1, 1, 15))) * SECOND if within is None else 1
            steps.append(([max(0, size - torn) for size in sizes], clock))
    return story, steps


def running_maximum(times: list[int]) -> list[int]:
    found: list[int] = []
    for time in times:
        found.append(max(time, found[-1] if found else time))
    return found


def fed(story: Story, steps: list[tuple[list[int], int]], plan: Plan, file: Path | None = None) -> World:
    """What comes in steps; with a file it is begun again by it after each."""
    world = World(plan)
    whole = ["".join(f"{line}\n" for _, line in story.logs[name]).encode() for name in NAMES]
    for sizes, clock in steps:
        for source, size, data in zip(world.sources, sizes, whole, strict=True):
            source.data = data[: max(size, len(source.data))]
        world.turn(clock)
        if file is not None:
            world.begin_again(file)
    for source, data in zip(world.sources, whole, strict=True):
        source.data, source.ended = data, True
    world.turn(steps[-1][1] if steps else 0, final=True, least=world.reached)
    return world


def line(at: float, message: str, **fields: Any) -> tuple[int, str]:
    time = int(at * SECOND)
    return time, json.dumps({"time": iso(START + time), "level": "info", "message": message, **fields})


MERGE = Story(
    {
        "orders.log": [line(0, "order created", order_id="o-1", request_id="r-1")],
        "payments.log": [
            line(1, "charge begin", order_id="o-1", request_id="r-1", amount=3),
            line(2, "psp response", order_id="o-1", psp_ref="p-1"),
            line(500, "charge begin", order_id="o-2", request_id="r-2", amount=4),
        ],
        "gateway.log": [line(4, "charge settled", ref="p-1")],
    }
)
"""The settlement shares no key with the charge until the response, which names both, is there."""


HELD = Story(
    {
        "orders.log": [line(3, "order created", order_id="o-1", request_id="r-1")],
        "payments.log": [
            line(500, "psp response", order_id="o-2", psp_ref="p-2"),
            line(500, "charge begin", order_id="o-1", request_id="r-1", amount=1),
        ],
        "gateway.log": [],
    }
)
"""The last record is still held back when silence moves the watermark beyond its window."""


@settings(max_examples=10, phases=QUICK)
@given(arrivals(within=None), st.sampled_from((PLAN, COMPONENTS)))
@example((MERGE, [([400, 0, 400], 0), ([400, 110, 400], 15 * SECOND), ([400, 330, 400], 16 * SECOND)]), PLAN)
@example((HELD, [([999, 999, 0], 2 * SECOND), ([999, 999, 0], 17 * SECOND)]), PLAN)
def test_any_cuts_and_any_order_give_what_one_batch_gives(
    coming: tuple[Story, list[tuple[list[int], int]]], plan: Plan
) -> None:
    live = fed(*coming, plan)
    once = scanned(coming[0], plan, live.reached)
    assert live.transactions() == once.transactions()
    assert live.detections() == once.detections()


@settings(max_examples=3, phases=QUICK, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals(within=None), st.sampled_from((PLAN, COMPONENTS)))
@example((MERGE, [([400, 0, 400], 0), ([400, 110, 400], 15 * SECOND), ([400, 330, 400], 16 * SECOND)]), PLAN)
def test_begun_again_after_each_cut_it_gives_what_one_run_gives(
    tmp_path: Path, coming: tuple[Story, list[tuple[list[int], int]]], plan: Plan
) -> None:
    story, steps = coming
    # A new process has heard every stream just now: the clock stands still, so that this makes no difference.
    steps = [(sizes, 0) for sizes, _ in steps]
    through, again = fed(story, steps, plan), fed(story, steps, plan, tmp_path / "saved")
    assert again.transactions() == through.transactions()
    assert again.detections() == through.detections()
    assert (again.raised, again.retracted) == (through.raised, through.retracted)


@settings(max_examples=6, phases=QUICK)
@given(arrivals(within=LATENESS // 2))
def test_within_the_lateness_nothing_is_taken_back(coming: tuple[Story, list[tuple[list[int], int]]]) -> None:
    live = fed(*coming, PLAN)
    assert live.detections() == scanned(coming[0], PLAN, live.reached).detections()


def test_the_story_is_told() -> None:
    """The measure itself: a settled charge is none, an open one is, and both ways of linking agree on members."""
    world = scanned(MERGE, PLAN, START + 900 * SECOND)
    shipped = [one for one in world.net.values() if one.rule == "silent_payment_failure"]
    assert not shipped
    members = world.transactions()
    assert sorted(map(len, members.values())) == [1, 4]
    unsettled = Story(MERGE.logs | {"gateway.log": [line(600, "GET /", request_id="r-9")]})
    shipped = [one for one in scanned(unsettled, PLAN).net.values() if one.rule == "silent_payment_failure"]
    assert [one.output for one in shipped] == [{"order_id": "o-1", "amount": 3, "psp_ref": "p-1"}]
    assert shipped[0].time == START + (2 + 180) * SECOND


def test_a_late_link_merges_two_transactions_under_the_id_of_a_scan() -> None:
    world = World(COMPONENTS)
    logs = {name: [text.encode() + b"\n" for _, text in lines] for name, lines in MERGE.logs.items()}
    for source in world.sources:
        source.data = b"".join(logs[source.name][:1])
    world.turn(0)
    for source in world.sources:
        source.data = b"".join(logs[source.name]) + b'{"message":"x"}\n'
    world.turn(1)
    assert len(world.transactions()) == 2
    once = scanned(MERGE, COMPONENTS)
    assert world.transactions() == once.transactions()
    row = pl.Series([0], dtype=pl.UInt32)
    keys = [
        list(one.correlating.keys_of(one.correlating.groups_of(row).item(0, "transaction")).items())
        for one in (world, once)
    ]
    assert keys[0] == keys[1], "the order of keys and values is that of plan and records"


def test_the_index_is_the_order_of_records() -> None:
    """Time, then the source's place, then line; never arrival."""
    story = Story(
        {"orders.log": [line(1, "b"), line(0, "a")], "payments.log": [line(1, "c")], "gateway.log": [line(0, "d")]}
    )
    world = fed(story, [([0, 0, 999], 0), ([0, 999, 999], 1)], PLAN)
    view = world.store.view
    ordered = view.index.select("time", "source_id", "line")[world.store.ordered(view)]
    assert ordered.equals(ordered.sort("time", "source_id", "line"))
    assert ordered.get_column("source_id").to_list() == [0, 2, 0, 1]
    assert isinstance(ordered, pl.DataFrame)


def test_what_bounded_state_gives_up_is_said_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the very text that `watch`, its JSON events and the investigator pass on, and in the metrics."""

    def small(rule: Rule, *, every: bool = False) -> StepDetector:
        decider = decider_of(rule, every=every)
        decider.state.hits.limit = 4
        return decider

    monkeypatch.setattr("logscope.engine.detection.running.decider_of", small)
    charges = [line(at, "charge begin", order_id=f"o-{at}", amount=at) for at in range(0, 600, 60)]
    world = World(PLAN)
    for count in (2, 6, 10):
        world.sources[1].data = "".join(f"{text}\n" for _, text in charges[:count]).encode()
        world.turn(0)
        if count == 2:
            assert not world.detecting.evicted()
            assert not world.detecting.said()
    evicted = world.detecting.evicted()
    assert evicted["seq"] >= 4
    assert "rule seq is incomplete: it held more than it can, and the oldest was given up" in world.detecting.said()
    told = exposition(Measures(evicted=evicted))
    assert f'logscope_rule_evicted_total{{rule="seq"}} {evicted["seq"]}\n' in told
