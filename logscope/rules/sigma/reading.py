"""A Sigma document to a rule like any other: a sequence of one step, whose filter is the detection."""

from __future__ import annotations

import re

from logscope.errors import RuleError
from logscope.rules.documents import Located
from logscope.rules.emit import RECORD_STEP
from logscope.rules.model import LEVELS, STATUSES, Rule, Sequence, Step
from logscope.rules.reading import Complaints

SIGMA = ("detection", "correlation", "filter")
"""The keys that make a document Sigma's."""


def sigma_rule(document: Located, complaints: Complaints, where: str) -> Rule | None:
    """Read one Sigma document.

    Args:
        document: A mapping with one of `SIGMA`.
        complaints: Where errors go.
        where: The file's name.

    Returns:
        The rule, None if something was complained of.
    """
    kind = next(name for name in SIGMA if name in document.value)
    if kind != "detection":
        complaints.add(f"Sigma {kind}s are not supported yet", document.line, mend="write it as sequence:")
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
        name=str(entries.get("name") or slug(title) or "rule"),
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


def slug(title: str) -> str:
    """A name made of a title: lower-case letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
