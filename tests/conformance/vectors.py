"""Unit tests of other Sigma engines: rule text, event, must it match.

Data: `rule-vectors` of the shared data, from go-sigma-rule-engine and hayabusa. The old `| count() by`
is a correlation in the specification that we follow, and written as one here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from logscope.query.filters import compile_filter
from logscope.records.schema import TIME
from logscope.rules.loaded import LoadedRules
from logscope.rules.loader import load_text
from logscope.rules.windows.detector import WindowDetector
from tests.conformance.sigma import SHARED, event_fields
from tests.conformance.tally import Tally
from tests.pipelines import all_records

VECTORS = SHARED / "data" / "rule-vectors"

_OWN = (
    (r"\|equalsfield", "the modifier equalsfield is hayabusa's own"),
    (r"\|endswithfield", "the modifier endswithfield is hayabusa's own"),
    (r"(?s)\|base64\b.*\|contains", "base64 keeps its padding in pySigma"),
    (r"windash': '[\u2013\u2014\u2015]", "pySigma's windash varies - and /, no other dash"),
)
"""Rules that mean what is hayabusa's alone: regex, why."""
_COUNT = re.compile(r"^(?P<condition>.*?) \| count\((?P<field>\w*)\)(?: by (?P<by>[\w, ]+))? >= (?P<least>\d+)$")
_UNTIMED = "10000d"
"""The old aggregation without a timeframe counts everything."""


def run() -> int:
    """Run all vectors.

    Returns:
        0, or 1 if too much is wrong or the data is absent.
    """
    if not VECTORS.is_dir():
        print(f"no data at {VECTORS}")
        return 1
    with all_records():
        tally = Tally("rule vectors")
        for name in ("go_sigma_rule_engine.jsonl", "hayabusa_select.jsonl"):
            single(name, tally)
        counted(tally)
    return int(not tally.told())


def single(name: str, tally: Tally) -> None:
    """Rules over one event."""
    for number, case in _cases(VECTORS / name):
        document = _document(case["rule_yaml"])
        reason = _passed_over(case)
        loaded = None if reason else _load(document)
        if reason is None and loaded is not None and loaded.errors:
            reason = f"refused: {loaded.errors[0].message}"
        if reason is not None or loaded is None or loaded.rules[0].sequence is None:
            tally.passed_over[reason or "no detection"] += 1
            continue
        frame = pl.DataFrame([_fields(case["event"])])
        found = bool(loaded.rules[0].sequence.steps[0].filter.mask(frame).any())
        tally.take(f"{name}:{number} ({case['id']})", case["match"], found)


def counted(tally: Tally) -> None:
    """The old aggregations as correlations: the groups that reach the count."""
    name = "hayabusa_count_timeframe.jsonl"
    for number, case in _cases(VECTORS / name):
        document = _document(case["rule_yaml"])
        parts = _COUNT.match(document["detection"]["condition"])
        assert parts is not None, document
        span = document["detection"].pop("timeframe", _UNTIMED)
        document["detection"]["condition"] = parts["condition"]
        document["name"] = "counted"
        condition: dict[str, Any] = {"gte": int(parts["least"])}
        if parts["field"]:
            condition["field"] = parts["field"]
        correlation: dict[str, Any] = {
            "type": "value_count" if parts["field"] else "event_count",
            "rules": ["counted"],
            "timespan": span,
            "condition": condition,
        }
        if parts["by"]:
            correlation["group-by"] = [parts["by"]]
        loaded = _load(document, {"title": "Many", "correlation": correlation})
        assert not loaded.errors, loaded.errors
        rule = next(rule for rule in loaded.rules if rule.windows is not None)
        detector = WindowDetector(rule)
        frame = _stream([_fields(event) for event in case["events"]])
        told = detector.step(detector.hits(frame), watermark=2**60, begin=0, final=True)
        found = sorted({one.output.get(parts["by"] or "", "_") for one in told.raised})
        tally.take(f"{name}:{number} ({case['id']})", sorted(each["key"] for each in case["expected_groups"]), found)


def _cases(path: Path) -> list[tuple[int, dict[str, Any]]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(number, json.loads(line)) for number, line in enumerate(lines, 1)]


def _document(text: str) -> dict[str, Any]:
    """The rule, with the condition and logsource that unit tests leave out."""
    document: dict[str, Any] = yaml.safe_load(text)
    detection = document["detection"]
    if "condition" not in detection:
        detection["condition"] = next(iter(detection))
    return {"title": "vector", "logsource": {"category": "any"}} | {
        name: value for name, value in document.items() if name in ("title", "logsource", "detection")
    }


def _load(*documents: Mapping[str, Any]) -> LoadedRules:
    return load_text("---\n".join(json.dumps(each) + "\n" for each in documents), compile_filter)


def _passed_over(case: Mapping[str, Any]) -> str | None:
    if "collapses white space" in (case.get("note") or ""):
        return "white space in patterns is not collapsed"
    own = _OWN if "hayabusa" in case["id"] else ()
    return next((reason for regex, reason in own if re.search(regex, case["rule_yaml"])), None)


def _fields(event: Mapping[str, Any]) -> dict[str, str]:
    """An event's values by their own names, and by the paths that hayabusa's rules may use."""
    if "Event" not in event:
        flat = dict(_flat("", event))
        return {"raw": json.dumps(event, ensure_ascii=False)} | {f"fields.{name}": text for name, text in flat.items()}
    paths = {f"fields.{name}": text for name, text in _flat("", event)}
    return paths | event_fields(dict(event))


def _flat(prefix: str, tree: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in tree.items():
        if isinstance(value, dict):
            found += _flat(f"{prefix}{name}.", value)
        elif value is not None:
            found.append((prefix + name, str(value)))
    return found


def _stream(events: list[dict[str, str]]) -> pl.DataFrame:
    frame = pl.DataFrame(events, infer_schema_length=None).with_row_index("row")
    stamp = "fields.TimeCreated_SystemTime"
    texts = frame[stamp].to_list() if stamp in frame.columns else [None] * frame.height
    moments = [_moment(text, place) for place, text in enumerate(texts)]
    return frame.with_columns(
        pl.Series("time", moments, dtype=pl.Int64).cast(TIME),
        line=pl.col("row") + 1,
        source_id=pl.lit(0, dtype=pl.UInt16),
        message=pl.col("raw"),
    )


def _moment(text: str | None, place: int) -> int:
    """Microseconds; hayabusa takes an event without a time for one of 1977."""
    if text is None:
        return int(datetime(1977, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000 + place
    return int(datetime.fromisoformat(text).timestamp() * 1_000_000)
