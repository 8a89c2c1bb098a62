"""Panther's unit tests of rules: JSON records that match, and that do not.

Data: `panther/rule_tests.jsonl.gz` of the shared data. Its rules are Python; those that are a plain predicate are
filters here (`panther.toml`), run over the records as our JSON format reads them.
"""

from __future__ import annotations

import gzip
import json

from logscope.query.filters import compile_filter
from tests.conformance.rule_frames import matches, rules_of
from tests.conformance.sigma import SHARED
from tests.conformance.tally import Tally

DATA = SHARED / "data" / "panther" / "rule_tests.jsonl.gz"


def run() -> int:
    """Run the filters that are written.

    Returns:
        0, or 1 if too much is wrong or the data is absent.
    """
    if not DATA.is_file():
        print(f"no data at {DATA}")
        return 1
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        cases = [(number, json.loads(line)) for number, line in enumerate(lines, 1)]
    written = rules_of("panther.toml")
    filters = {name: compile_filter(text) for name, text in written["filters"].items()}
    tally = Tally("panther")
    for number, case in cases:
        if case["rule"] not in filters:
            tally.passed_over[written["reasons"].get(case["rule"], "it was not transcribed")] += 1
            continue
        (found,) = matches(filters[case["rule"]], [json.dumps(case["log"])])
        tally.take(f"rule_tests.jsonl:{number} ({case['id']})", case["expected"], found)
    return int(not tally.told())
