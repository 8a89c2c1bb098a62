"""A Sigma document to a rule like any other: a sequence of one step, whose filter is the detection."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from logscope.errors import RuleError
from logscope.rules.documents import Located
from logscope.rules.emit import RECORD_STEP
from logscope.rules.model import LEVELS, STATUSES, Rule, Sequence, Step
from logscope.rules.reading import Complaints

if TYPE_CHECKING:
    from logscope.rules.sigma.correlation import CorrelationDraft

SIGMA = ("detection", "correlation", "filter")
"""The keys that make a document Sigma's."""


def sigma_rule(document: Located, complaints: Complaints, where: str) -> Rule | CorrelationDraft | None:
    """Read one Sigma document.

    Args:
        document: A mapping with one of `SIGMA`.
        complaints: Where errors go.
        where: The file's name.

    Returns:
        The rule, or a correlation whose rules have to be looked up; None if something was complained of.
    """
    kind = next(name for name in SIGMA if name in document.value)
    if kind == "filter":
        complaints.add("Sigma filters are not supported yet", document.line, mend="write it into the rules")
        return None
    if kind == "correlation":
        from logscope.rules.sigma.correlation import read_correlation

        try:
            return read_correlation(document, _name(document.plain()), where)
        except RuleError as error:
            complaints.take(error, document.value[kind].line)
            return None
    # pySigma takes a while to import: only those who have such a rule wait for it.
    from logscope.rules.sigma.detection import compile_detection

    line = document.value[kind].line
    entries = document.plain()
    try:
        found = compile_detection(entries)
    except RuleError as error:
        complaints.take(error, line)
        return None
    title = str(entries["title"])
    return Rule(
        name=_name(entries),
        title=title,
        level=entries["level"] if entries.get("level") in LEVELS else "medium",
        kind="record",
        sequence=Sequence(by=(), steps=(Step(RECORD_STEP, found.where, found, line=line),)),
        id=entries.get("id"),
        status=entries["status"] if entries.get("status") in STATUSES else "experimental",
        description=str(entries.get("description") or ""),
        path=where,
        line=document.line,
    )


def _name(entries: dict[str, Any]) -> str:
    return str(entries.get("name") or slug(str(entries.get("title") or "")) or "rule")


def slug(title: str) -> str:
    """A name made of a title: lower-case letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
