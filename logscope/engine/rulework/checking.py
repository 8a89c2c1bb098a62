"""`rules check` in full: what lint says of the rules themselves, and what their own tests show of the fields they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from logscope.engine.detection.ruleset import lint_files, load_files
from logscope.engine.rulework.ruletests import names_in_tests
from logscope.records.schema import FIELD_PREFIX, KEY_PREFIX, USER_COLUMNS
from logscope.rules.lint import WARNING, Finding
from logscope.rules.nearest import nearest

if TYPE_CHECKING:
    from logscope.rules.model.rule import Rule


def check_files(paths: Iterable[Path]) -> tuple[Finding, ...]:
    """What there is to say of rule files.

    Args:
        paths: Files, or folders that are searched to any depth.

    Returns:
        All findings, by file and line.
    """
    paths = list(paths)
    found = [*lint_files(paths), *(finding for rule in load_files(paths).rules for finding in _of_fields(rule))]
    return tuple(sorted(found, key=lambda finding: (finding.path, finding.line or 0)))


def _of_fields(rule: Rule) -> Iterator[Finding]:
    """Fields that a rule groups by or tells, and no record of its tests has."""
    sequence = rule.sequence
    if rule.sigma or sequence is None or not any(test.records for test in rule.tests):
        return  # Sigma's names are mapped by pipelines
    by = () if sequence.by_transaction else sequence.by
    told = {need.field for need in rule.emit.needs}
    asked = [("by", name) for name in by] + [("emit", name) for name in sorted(told)]
    known = {*names_in_tests(rule), *USER_COLUMNS, *sequence.keys}
    for where, name in asked:
        plain = name.removeprefix(FIELD_PREFIX).removeprefix(KEY_PREFIX)
        if plain in known or rule.uses:
            continue
        yield Finding(
            WARNING, f"{where}: no record of the rule's tests has {plain}", rule.path or "", rule.line,
            mend=nearest(plain, sorted(known), "they have"), rule=rule.name,
        )  # fmt: skip
