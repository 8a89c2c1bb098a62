"""fail2ban's test lines: is it a failure, and whose.

Data: `fail2ban/expected.jsonl` of the shared data. Each of its filters is one filter of ours and the place of
the offender's address (`fail2ban.toml`), as one writes them into a record rule and into `--key`.
"""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from logscope.query.filters import compile_filter
from tests.conformance.rule_frames import matches, rules_of
from tests.conformance.sigma import SHARED
from tests.conformance.tally import Tally

DATA = SHARED / "data" / "fail2ban" / "expected.jsonl"

_SESSION = "it depends on earlier lines of the session"
_MAPPED = "::ffff:"


def run() -> int:
    """Run the filters that are written.

    Returns:
        0, or 1 if too much is wrong or the data is absent.
    """
    if not DATA.is_file():
        print(f"no data at {DATA}")
        return 1
    cases: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for number, line in enumerate(DATA.read_text(encoding="utf-8").splitlines(), 1):
        case = json.loads(line)
        cases.setdefault(case["filter"], []).append((number, case))
    rules = rules_of("fail2ban.toml")
    tally = Tally("fail2ban")
    for name, mine in cases.items():
        if name not in rules:
            tally.passed_over.update(_passed_over(case) or "no filter is written for this service" for _, case in mine)
            continue
        _filter(rules[name], mine, tally)
    return int(not tally.told())


def _filter(rule: dict[str, Any], cases: list[tuple[int, dict[str, Any]]], tally: Tally) -> None:
    lines = [case["line"] for _, case in cases]
    found = matches(compile_filter(rule["where"]), lines)
    hosts = pl.Series(lines, dtype=pl.String).str.extract(rule["host"], 1).to_list()
    for (number, case), hit, host in zip(cases, found, hosts, strict=True):
        reason = _passed_over(case) or (_SESSION if case["id"] in rule.get("sessions", []) else None)
        if reason is not None:
            tally.passed_over[reason] += 1
            continue
        expected = case.get("host", True) if case["match"] else None
        told = None if not hit else host.removeprefix(_MAPPED) if host and "host" in case else True
        tally.take(f"expected.jsonl:{number} ({case['id']})", expected, told)


def _passed_over(case: dict[str, Any]) -> str | None:
    """Why a case asks for something that a filter over one record cannot say; None: it does not."""
    options = case.get("options") or [{}]
    modes = {each.get("mode", "normal") for each in (options if isinstance(options, list) else [options])}
    if "normal" not in modes and "rfc5424" not in modes:
        return "the expectation is of a mode of the filter other than its usual one"
    if case["match"] is None:
        return "the line has no expectation of its own"
    if case.get("constraint"):
        return "the expectation holds in some configurations only"
    if case["match"] and case.get("host") and case["host"] not in case["line"]:
        return "the offender's address stands on an earlier line of the session"
    return None
