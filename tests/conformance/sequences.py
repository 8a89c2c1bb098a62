"""Sequences against what others wrote: EQL's test queries, Elastic's and Siddhi's absences, and an oracle.

Data: `eql`'s own test queries and events, as the package installs them; `absence.toml` beside this file.
"""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import eql
import polars as pl

from logscope.query.filters import compile_filter
from logscope.records.schema import TIME
from logscope.rules.detector import Detector
from logscope.rules.loader import load_text, rule_from_sequence
from logscope.rules.model.rule import Rule, Step, Until
from logscope.rules.model.rule import Sequence as Steps
from tests.unit.rules.streams import Contains, Event, expected, frame_of, rule_of

EQL = Path(eql.__file__).parent / "etc"
ORACLE_STREAMS = 500

_PROCESS, _FILE = "event_type=process", "event_type=file"
_LINKED = f"[{_PROCESS} opcode=1] [{_FILE} opcode=0] [{_FILE} opcode=0] [{_FILE} opcode=0]"
SAYABLE: dict[int, str] = {
    0: f"seq: [{_PROCESS} serial_event_id=1] [{_PROCESS} serial_event_id=2]",
    1: f"seq: [{_PROCESS} serial_event_id<5] [{_PROCESS} serial_event_id=5]",
    2: f"seq: [{_PROCESS} serial_event_id=1] [{_PROCESS} serial_event_id=2] [{_PROCESS} serial_event_id=3]",
    3: f"seq: [{_PROCESS} serial_event_id=1] [{_PROCESS}] [{_PROCESS}]",
    4: f"seq: [{_PROCESS} serial_event_id<=3] [{_PROCESS}] [{_PROCESS}]",
    5: f"seq: [{_PROCESS}] [{_PROCESS} serial_event_id<=3] [{_PROCESS}]",
    6: f"seq: [{_PROCESS}] [{_PROCESS}] [{_PROCESS} serial_event_id<=3]",
    7: f"seq: [{_PROCESS} serial_event_id<=4] [{_PROCESS}] [{_PROCESS}] [{_PROCESS}]",
    8: f"seq: [{_PROCESS}] [{_PROCESS} serial_event_id<=4] [{_PROCESS}] [{_PROCESS}]",
    9: f"seq: [{_PROCESS}] [{_PROCESS}] [{_PROCESS} serial_event_id<=4] [{_PROCESS}]",
    10: f"seq: [{_PROCESS}] [{_PROCESS}] [{_PROCESS}] [{_PROCESS} serial_event_id<=4]",
    13: f"seq by unique_pid: {_LINKED} until [{_FILE} opcode=2]",
    14: f"seq by unique_pid: {_LINKED} until [{_FILE} opcode=200]",
    15: f"seq by unique_pid: {_LINKED}",
    16: f"seq by unique_pid, process_path: {_LINKED}",
    17: f"seq by unique_pid, process_path: {_LINKED} until [{_FILE} opcode=200]",
    22: f"seq by unique_pid: [{_PROCESS} opcode=1 process_name:MSBuild.exe] [event_type=network]",
    29: f"seq: [{_PROCESS} serial_event_id<5] [{_PROCESS} serial_event_id<5]",
    31: f"seq by unique_pid: [{_FILE} opcode=0] [{_FILE} opcode=0]",
    32: f"seq by unique_pid: [{_FILE} opcode=0] [{_FILE} opcode=0]",
}
"""By place among the sequence and join queries."""

HAVING = {32: "step2.serial_event_id = 92"}
HEAD = {31: 1}
"""`| head N` is `--limit N`."""


def run() -> int:
    """Run all suites and print their counts.

    Returns:
        0, or 1 if anything differs that is not explained.
    """
    wrong = eql_queries() + absences() + oracle(ORACLE_STREAMS)
    return int(wrong > 0)


def eql_queries() -> int:
    """The `eql` package's sequence and join queries; how many are wrong."""
    queries = tomllib.loads((EQL / "test_queries.toml").read_text(encoding="utf-8"))["queries"]
    chosen = [each for each in queries if each["query"].strip().startswith(("sequence", "join"))]
    frame = _frame_of_eql(json.loads((EQL / "test_data.json").read_text(encoding="utf-8")))
    wrong, reasons = 0, []
    for place, query in enumerate(chosen):
        if place not in SAYABLE:
            reasons.append(f"  does not apply: {place}: {why_not(query['query'])}")
            continue
        rule = _rule(SAYABLE[place], HAVING.get(place))
        found = _matches(rule, frame, "fields.serial_event_id")[: HEAD.get(place)]
        flat = [number for match in found for number in match]
        if flat != query["expected_event_ids"]:
            wrong += 1
            print(f"  wrong: {place}: {SAYABLE[place]}: {flat}, not {query['expected_event_ids']}")
    print(f"eql: {len(SAYABLE) - wrong} of {len(SAYABLE)} equal; {len(reasons)} of {len(chosen)} do not apply")
    print("\n".join(reasons))
    return wrong


def why_not(query: str) -> str:
    """Why our language cannot say a query."""
    if query.strip().startswith("join"):
        return "a join is in any order"
    if "fork" in query:
        return "fork=true: a match that goes on is used up here"
    if "* 2" in query or "length(" in query:
        return "keys are computed"
    return "each step has a key of its own name; here `by` names one field, or a key of the plan"


def absences() -> int:
    """Absences as Elastic and Siddhi test them; how many are wrong."""
    data = tomllib.loads(Path(__file__).with_name("absence.toml").read_text(encoding="utf-8"))
    total = 0
    for name in ("elastic", "siddhi"):
        suite = data[name]
        wrong = 0
        cases = [case for case in suite["cases"] if "differs" not in case]
        for case in cases:
            events = case.get("events") or data["streams"][case["stream"]]
            end = events[-1][0] + suite["tail"] if "tail" in suite else None
            found = _matches(
                _rule(case["rule"]), _frame_of(events), "line", decide=suite["decide"], begin=0, watermark=end
            )
            if (len(found) != case["told"]) if "told" in case else (found != case["expect"]):
                wrong += 1
                print(f"  wrong: {name}: {case['name']}: {found}, not {case.get('expect', case.get('told'))}")
        print(f"{name}: {len(cases) - wrong} of {len(cases)} equal ({suite['source']})")
        for case in suite["cases"]:
            if "differs" in case:
                print(f"  does not apply: {case['name']}: {case['differs']}")
        for reason, count in suite.get("left_out", {}).items():
            print(f"  does not apply: {count}: {reason}")
        total += wrong
    return total


def oracle(count: int) -> int:
    """Random streams with equal times and null keys against the machine in plain Python; how many differ."""
    chance = random.Random(7)
    wrong = matched = absent = 0
    for number in range(count):
        sequence = _random_sequence(chance)
        events = _random_events(chance)
        absent += any(step.absent for step in sequence.steps)
        begin = min((event.time for event in events), default=0)
        newest = max((event.time for event in events), default=0)
        detector = Detector(rule_of(sequence))
        result = detector.step(detector.hits(frame_of(events)), watermark=newest, begin=begin, final=True)
        found = {(*one.keys["key"], *_steps(one.steps, events)): "matched" for one in result.raised}
        found |= {
            (*one.keys["key"], *_steps(one.steps, events)): "pending"
            for one in detector.pending()
            if (*one.keys["key"], *_steps(one.steps, events)) not in found
        }
        matched += len(found)
        if found != expected(sequence, events, newest, begin):
            wrong += 1
            print(f"  wrong: stream {number}")
    print(f"oracle: {count - wrong} of {count} random streams equal, {absent} with absences, {matched} matches")
    return wrong


def _steps(steps: Any, events: Sequence[Event]) -> list[tuple[int, str]]:
    texts = {event.row: event.text for event in events}
    return [(step.time, texts[step.row]) for step in steps.values()]


def _random_sequence(chance: random.Random) -> Steps:
    count = chance.choice((1, 2, 3, 4))
    maxspan = chance.choice((None, chance.randrange(9)))
    absent = [chance.random() < 0.5 for _ in range(count)]
    if all(absent):
        absent[chance.randrange(count)] = False
    first, last = absent.index(False), count - 1 - absent[::-1].index(False)
    steps = []
    for place in range(count):
        within = pause = None
        if absent[place] and not first < place < last:
            within = chance.randrange(6) if maxspan is None else chance.choice((None, chance.randrange(6)))
        if not absent[place] and place > first:
            pause = chance.choice((None, chance.randrange(5)))
        letter = chance.choice("abcd")
        steps.append(Step(f"n{place}", letter, Contains(letter), absent[place], within, pause))
    until = Until("u", Contains("u")) if chance.random() < 0.5 else None
    return Steps(("key",), tuple(steps), maxspan, until)


def _random_events(chance: random.Random) -> list[Event]:
    count = chance.randrange(40)
    keys = ["k0", "k1", None] if chance.random() < 0.5 else ["k0"]
    width, density = chance.choice((4, 12, 30)), chance.choice((0.15, 0.25, 0.4))
    return [
        Event(
            chance.randrange(width), chance.randrange(2), line,
            "".join(x for x in "abcd" if chance.random() < density) + "u" * (chance.random() < 0.08), chance.choice(keys),
        )
        for line in chance.sample(range(1, 900), count)
    ]  # fmt: skip


def _rule(text: str, having: str | None = None) -> Rule:
    rule = rule_from_sequence(text, compile_filter)
    if having is None:
        return rule
    assert rule.sequence is not None
    steps = "".join(f"    - {{name: {step.name}, where: '{step.where}'}}\n" for step in rule.sequence.steps)
    loaded = load_text(
        f"title: x\nsequence:\n  by: [{', '.join(rule.sequence.by)}]\n  having: {having}\n  steps:\n{steps}",
        compile_filter,
    )
    return loaded.rules[0]


def _matches(
    rule: Rule,
    frame: pl.DataFrame,
    number: str,
    *,
    decide: bool = False,
    begin: int = -(2**60),
    watermark: int | None = None,
) -> list[list[int]]:
    """The numbers of each match's records, in the order of their last ones."""
    detector = Detector(rule)
    newest = frame["time"].to_physical().max()
    assert isinstance(newest, int)
    result = detector.step(
        detector.hits(frame), watermark=newest if watermark is None else watermark * 1000, begin=begin, final=True,
        decide=decide,
    )  # fmt: skip
    numbers = dict(zip(frame["row"], frame[number], strict=True))
    found = [[step.row for step in one.steps.values()] for one in result.raised]
    return [[int(numbers[row]) for row in match] for match in sorted(found, key=lambda match: match[-1])]


def _frame_of(events: Sequence[Sequence[Any]]) -> pl.DataFrame:
    frame = _index([event[0] * 1000 for event in events]).with_columns(
        pl.Series("line", [event[2] for event in events], dtype=pl.UInt32),
        pl.Series("message", [str(event) for event in events]),
        pl.Series("fields.tag", [event[1] for event in events]),
    )
    if len(events[0]) > 3:
        frame = frame.with_columns(pl.Series("fields.price", [event[3] for event in events], dtype=pl.Float64))
    return frame


def _frame_of_eql(events: list[dict[str, Any]]) -> pl.DataFrame:
    names = sorted({name for event in events for name in event})
    columns = [pl.Series(f"fields.{name}", [event.get(name) for event in events], strict=False) for name in names]
    # Windows counts tenths of microseconds; the order is the file's.
    return _index([event["timestamp"] // 10 for event in events]).with_columns(
        *columns, pl.Series("message", [json.dumps(event) for event in events])
    )


def _index(times: Sequence[int]) -> pl.DataFrame:
    count = len(times)
    return pl.DataFrame(
        {
            "row": pl.int_range(count, dtype=pl.UInt32, eager=True),
            "source_id": pl.repeat(0, count, dtype=pl.UInt16, eager=True),
            "line": pl.int_range(1, count + 1, dtype=pl.UInt32, eager=True),
            "time": pl.Series(times, dtype=pl.Int64).cast(TIME),
        }
    )
