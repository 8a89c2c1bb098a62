"""A Sigma document to a rule like any other: a sequence of one step, whose filter is the detection."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from logscope.errors import RuleError
from logscope.rules.digest import digest_of
from logscope.rules.documents import Located
from logscope.rules.emit import RECORD_STEP, Emit, StepField
from logscope.rules.model.rule import LEVELS, STATUSES, Note, Rule, Sequence, Step
from logscope.rules.reading import Complaints, Keys
from logscope.rules.sections import read_emit, read_tests
from logscope.rules.sigma.pipelines import placeholders, user_folder

if TYPE_CHECKING:
    from logscope.rules.sigma.correlation import CorrelationDraft
    from logscope.rules.sigma.detection import SigmaFilter
    from logscope.rules.sigma.filters import FilterDraft

SIGMA = ("detection", "correlation", "filter")
"""The keys that make a document Sigma's."""


def sigma_rule(document: Located, complaints: Complaints, where: str) -> Rule | CorrelationDraft | FilterDraft | None:
    """Read one Sigma document.

    Args:
        document: A mapping with one of `SIGMA`.
        complaints: Where errors go.
        where: The file's name.

    Returns:
        The rule, or a correlation or filter whose rules have to be looked up; None if something was complained of.
    """
    kind = next(name for name in SIGMA if name in document.value)
    if kind == "filter":
        from logscope.rules.sigma.filters import read_filter

        try:
            return read_filter(document, where)
        except RuleError as error:
            complaints.take(error, document.value[kind].line)
            return None
    if kind == "correlation":
        from logscope.rules.sigma.correlation import read_correlation

        try:
            return read_correlation(document, _name(document.plain()), where, complaints)
        except RuleError as error:
            complaints.take(error, document.value[kind].line)
            return None
    # pySigma takes a while to import: only those who have such a rule wait for it.
    from logscope.rules.sigma.detection import compile_detection

    entries = document.plain()
    try:
        found = compile_detection(entries)
    except RuleError as error:
        complaints.errors.append(error) if error.where else complaints.take(error, document.value[kind].line)
        return None
    return _detection_rule(document, found, complaints, where)


def _detection_rule(document: Located, found: SigmaFilter, complaints: Complaints, where: str) -> Rule:
    entries = document.plain()
    # Sigma lets any other key stand there.
    keys = Keys(document, document.value, complaints)
    line = document.value["detection"].line
    notes: tuple[Note, ...] = ()
    if not found.pipeline.known:
        told = f"no pipeline maps the logsource ({found.logsource}): the rule takes part in nothing"
        notes = (Note(told, f"write one into {user_folder()}", keys.line_of("logsource")),)
    emit = read_emit(keys.entry("emit"), ([RECORD_STEP], []), complaints)
    return Rule(
        name=_name(entries),
        title=str(entries["title"]),
        level=entries["level"] if entries.get("level") in LEVELS else "medium",
        kind="record",
        sequence=Sequence(by=(), steps=(Step(RECORD_STEP, found.where, found, line=line),)),
        emit=emit if keys.has("emit") else Emit(fields=_shown(entries.get("fields"), found)),
        id=entries.get("id"),
        status=entries["status"] if entries.get("status") in STATUSES else "experimental",
        description=str(entries.get("description") or ""),
        enabled=keys.boolean("enabled", True),
        actions=keys.names("actions"),
        tests=read_tests(keys, complaints),
        path=where,
        line=document.line,
        sigma=True,
        notes=notes,
        unmapped=None if found.pipeline.known else found.logsource,
        digest=digest_of(entries, found.pipeline, placeholders()),
    )


def _shown(names: Any, found: SigmaFilter) -> dict[str, StepField]:
    """The fields that the rule's author wants to see, as output."""
    listed = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    return {name: StepField(RECORD_STEP, found.pipeline.source(name).names[0]) for name in listed}


def _name(entries: dict[str, Any]) -> str:
    return str(entries.get("name") or slug(str(entries.get("title") or "")) or "rule")


def slug(title: str) -> str:
    """A name made of a title: lower-case letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
