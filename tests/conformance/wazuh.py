"""Wazuh's and OSSEC's rule tests: a rule is for its line, and for no line of another product.

Data: `wazuh-ossec/rule_tests.jsonl` of the shared data. Rules that are a plain predicate are filters here
(`wazuh.toml`); the lines are read by our formats, each by itself. Cases that say `fail` are lines that the
rule must not match.
"""

from __future__ import annotations

import json
from typing import Any

from logscope.query.filters import compile_filter
from tests.conformance.rule_frames import matches, rules_of
from tests.conformance.sigma import SHARED
from tests.conformance.tally import Tally

DATA = SHARED / "data" / "wazuh-ossec" / "rule_tests.jsonl"

_SHARED_LINES = (
    {"cisco_asa", "pix"},
    {"pam", "su"},
    {"macos-sshd", "sshd"},
    {"web_appsec", "web_rules", "nginx"},
)
"""Files of one product, whose rules may match one another's lines."""


def run() -> int:
    """Run the filters that are written.

    Returns:
        0, or 1 if too much is wrong or the data is absent.
    """
    if not DATA.is_file():
        print(f"no data at {DATA}")
        return 1
    lines = DATA.read_text(encoding="utf-8").splitlines()
    cases: list[dict[str, Any]] = [json.loads(line) for line in lines]
    verdicts = {
        name: matches(compile_filter(text), [case["line"] for case in cases])
        for name, text in rules_of("wazuh.toml")["filters"].items()
    }
    said = {(case["line"], case["rule"], case["expect"] == "pass") for case in cases}
    tally = Tally("wazuh-ossec")
    for place, case in enumerate(cases):
        name, where = f"{case['file']} {case['rule']}", f"rule_tests.jsonl:{place + 1} ({case['id']})"
        if name not in verdicts:
            tally.passed_over["its rule groups lines, or is told by a decoder of its product alone"] += 1
            continue
        if (case["line"], case["rule"], case["expect"] != "pass") in said:
            tally.passed_over["the two rulesets say pass and fail of the same line and rule"] += 1
            continue
        strangers = [
            other for other, found in verdicts.items() if found[place] and not _related(other.split()[0], case["file"])
        ]
        found: object = strangers or verdicts[name][place]
        tally.take(f"{where} rule {case['rule']}", case["expect"] == "pass", found)
    return int(not tally.told())


def _related(one: str, other: str) -> bool:
    return one == other or any({one, other} <= files for files in _SHARED_LINES)
