"""Sigma's own rules: all compile, and each regression event matches its rule.

Data: SigmaHQ/sigma, `sigma/rules` and `sigma/regression.jsonl` of the shared data.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from logscope.query.filters import compile_filter
from logscope.rules.loader import load_rules, load_text
from tests.pipelines import all_records

SHARED = Path(os.environ.get("LOGSCOPE_SHARED", Path(__file__).parents[2].parent / "shared"))
SIGMA = SHARED / "data" / "sigma"
ALLOWED = 0.02


def run() -> int:
    """Run both suites with every logsource mapped to all records.

    Returns:
        As `suites`.
    """
    with all_records():
        return suites()


def suites() -> int:
    """Run both suites and print their counts.

    Returns:
        0, or 1 if more than `ALLOWED` of one fails or the data is absent.
    """
    if not SIGMA.is_dir():
        print(f"no data at {SIGMA}")
        return 1
    loaded = load_rules([SIGMA / "rules"], compile_filter)
    corpus = len(loaded.rules) + len(loaded.errors)
    print(f"corpus: {len(loaded.rules)} of {corpus} rules compile")
    for error in loaded.errors:
        print(f"  {error}")
    lines = (SIGMA / "regression.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [(number, json.loads(line)) for number, line in enumerate(lines, 1)]
    applicable = [(number, case) for number, case in cases if case.get("events")]
    failures = [(number, why) for number, case in applicable if (why := regression(case))]
    print(f"regression: {len(applicable) - len(failures)} of {len(applicable)} rules match an event of theirs")
    for number, why in failures:
        print(f"  wrong: regression.jsonl:{number}: {why}")
    for number, case in cases:
        if not case.get("events"):
            print(f"  does not apply: regression.jsonl:{number}: no events; it has {', '.join(sorted(case))}")
    return int(len(loaded.errors) > ALLOWED * corpus or len(failures) > ALLOWED * len(applicable))


def regression(case: dict[str, Any]) -> str | None:
    """Why none of a case's events matches its rule; None: one does."""
    loaded = load_text(case["rule_yaml"], compile_filter, where=case["rule_path"])
    if loaded.errors or not loaded.rules or loaded.rules[0].sequence is None:
        return "; ".join(map(str, loaded.errors)) or "no rule"
    events = [event_fields(event) for event in case["events"]]
    frame = pl.DataFrame(events, infer_schema_length=None)
    mask = loaded.rules[0].sequence.steps[0].filter.mask(frame)
    return None if mask.any() else f"{case['rule_path']}: none of {frame.height} events matches"


def event_fields(event: dict[str, Any]) -> dict[str, str]:
    """A Windows event as a record: EventData and System flat, as Sigma's rules name them."""
    fields = {"raw": json.dumps(event, ensure_ascii=False)}
    for name, value in _leaves(event.get("Event", event)):
        fields.setdefault(f"fields.{name}", value)
    return fields


def _leaves(tree: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            for attribute, text in value.get("#attributes", {}).items():
                yield f"{name}_{attribute}", str(text)
            if "#text" in value:
                yield name, str(value["#text"])
            yield from _leaves({key: each for key, each in value.items() if not key.startswith("#")})
        elif value is not None:
            yield name, str(value)
