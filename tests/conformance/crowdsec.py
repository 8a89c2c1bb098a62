"""CrowdSec's scenario tests: over each log, exactly the attackers that overflow a bucket are told.

Data: `crowdsec/scenario_tests.jsonl.gz` of the shared data. A scenario is a record rule, or a count over one
(`crowdsec.toml`), run by the engine as `scan` does.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.records import schema
from tests.conformance.rule_frames import rules_of
from tests.conformance.sigma import SHARED
from tests.conformance.tally import Tally

DATA = SHARED / "data" / "crowdsec" / "scenario_tests.jsonl.gz"
KEY = "attacker"


def run() -> int:
    """Run the scenarios that are written.

    Returns:
        0, or 1 if too much is wrong or the data is absent.
    """
    if not DATA.is_file():
        print(f"no data at {DATA}")
        return 1
    rules = rules_of("crowdsec.toml")
    tally = Tally("crowdsec")
    with gzip.open(DATA, "rt", encoding="utf-8") as lines, TemporaryDirectory() as folder:
        for number, line in enumerate(lines, 1):
            case = json.loads(line)
            if case["id"] not in rules:
                tally.passed_over[rules["reasons"].get(case["id"], "no rule is written for this scenario")] += 1
                continue
            expected = sorted({one["value"] for each in case["overflows"] for one in each["sources"] or ()})
            found = attackers(Path(folder), case["log"], rules[case["id"]])
            if found is None:
                tally.passed_over["no format of ours reads its times"] += 1
                continue
            tally.take(f"scenario_tests.jsonl:{number} ({case['id']})", expected, found)
    return int(not tally.told())


def attackers(folder: Path, log: str, rule: dict[str, Any]) -> list[str] | None:
    """Whom a rule tells of in a log; None: its records have no times."""
    source, rules = folder / "case.log", folder / "rules.yml"
    source.write_text(log, encoding="utf-8")
    rules.write_text(_documents(rule), encoding="utf-8")
    key = (f"{KEY}={rule['key']}",) if "key" in rule else ()
    options = Options(
        sources=(str(source),), rules=(str(rules),), key=key, keys=(KEY,) if key else (), auto_keys=False, cache=False
    )
    session = Session(options)
    session.open()
    try:
        session.read_all()
        assert not session.detecting.rule_errors, session.detecting.rule_errors
        session.prepare_transactions(cancel=Cancel(), decide=False)
        told = list(session.detecting.told.values())
        timed = (session.store.view.index["time_from"] != schema.FROM_FILE).any()
    finally:
        session.close()
    by = rule.get("by", KEY)
    if not timed:
        return None
    return sorted({str(one.output.get(by)) for one in told})


def _documents(rule: dict[str, Any]) -> str:
    by = rule.get("by", KEY)
    record = {"title": "Event", "name": "event", "record": {"where": rule["where"]}, "emit": {"fields": {by: by}}}
    if "least" not in rule:
        return json.dumps(record)
    condition = {"gte": rule["least"]} | ({"field": rule["distinct"]} if "distinct" in rule else {})
    kind = "value_count" if "distinct" in rule else "event_count"
    correlation = {
        "title": "Bucket",
        "name": "bucket",
        "correlation": {
            "type": kind,
            "rules": ["event"],
            "group-by": [by],
            "timespan": rule["span"],
            "condition": condition,
        },
    }
    return "\n---\n".join(map(json.dumps, (record, correlation)))
