"""`rules check|test|list|enable|disable`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from logscope.cli.output import Object, print_lines, say, table
from logscope.errors import UsageError

if TYPE_CHECKING:
    from logscope.rules.loaded import LoadedRules


def run_rules(arguments: argparse.Namespace) -> int:
    """Lint, test, list or switch rules."""
    action = {"check": _check, "test": _test, "list": _list, "enable": _switch, "disable": _switch}
    return action[arguments.action](arguments)


def _paths(arguments: argparse.Namespace) -> list[Path]:
    """The files named, or all that are installed; a name of a shipped rule stands for its file."""
    from logscope.engine.detection.ruleset import rule_path, rule_paths
    from logscope.engine.options import Options

    if not arguments.paths:
        return rule_paths(Options(shipped_rules=True))
    return [rule_path(name) for name in arguments.paths]


def _load(arguments: argparse.Namespace) -> LoadedRules:
    from logscope.engine.detection.ruleset import load_files

    return load_files(_paths(arguments))


def _check(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from logscope.engine.rulework.checking import check_files
    from logscope.rules.lint import ERROR

    findings = check_files(_paths(arguments))
    broken = [finding for finding in findings if finding.severity == ERROR]
    objects: list[Object] = [
        {name: value for name, value in asdict(finding).items() if value is not None} for finding in findings
    ]
    _print(arguments, objects, (str(finding) for finding in findings))
    say(f"{len(_load(arguments).rules)} rules compile, {len(broken)} errors, {len(findings) - len(broken)} hints")
    return 2 if broken else 0


def _test(arguments: argparse.Namespace) -> int:
    from logscope.engine.rulework.ruletests import run_rule_tests

    loaded = _load(arguments)
    for error in loaded.errors:
        say(f"logscope: {error}")
    failed = 0
    total = 0
    objects: list[Object] = []
    lines = []
    for rule in loaded.rules:
        for result in run_rule_tests(rule, loaded.rules):
            total += 1
            failed += not result.passed
            reason = "; ".join(str(difference) for difference in result.differences) or result.error
            objects.append({"rule": rule.name, "test": result.test, "passed": result.passed, "reason": reason})
            mark = "pass" if result.passed else "FAIL"
            lines.append(f"{mark}  {rule.name}: {result.test}" + (f": {reason}" if reason else ""))
    _print(arguments, objects, iter(lines))
    say(f"{total - failed} passed, {failed} failed")
    return 2 if loaded.errors else 1 if failed else 0


def _list(arguments: argparse.Namespace) -> int:
    from logscope.rules.enabled import enabled_rules, shipped_rules

    loaded = _load(arguments)
    shipped, on = shipped_rules(), enabled_rules()
    objects: list[Object] = []
    for rule in loaded.rules:
        own = Path(rule.path or "").stem
        state = (
            ("enabled" if own in on else "disabled") if own in shipped and "builtin" in (rule.path or "") else "yours"
        )
        objects.append({"rule": rule.name, "title": rule.title, "level": rule.level, "state": state, "path": rule.path})
    rows = [[str(entry[name]) for name in ("rule", "level", "state", "title")] for entry in objects]
    _print(arguments, objects, table(rows, ["rule", "level", "state", "title"]) if rows else iter(()))
    for error in loaded.errors:
        say(f"logscope: {error}")
    return 2 if loaded.errors else 0


def _switch(arguments: argparse.Namespace) -> int:
    from logscope.rules.enabled import switch_rule

    if not arguments.paths:
        raise UsageError("no rule is named", mend="see `logscope rules list`")
    for name in arguments.paths:
        switch_rule(name, on=arguments.action == "enable")
    return 0


def _print(arguments: argparse.Namespace, objects: list[Object], lines: Iterator[str]) -> None:
    from logscope.engine.rendering import json_line
    from logscope.text import clean

    print_lines(map(json_line, objects) if arguments.json else map(clean, lines))
