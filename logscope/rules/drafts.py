"""A rule that is being made: its parts as data, and the readable YAML that they are written as."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from logscope.language.sequence import duration_text
from logscope.rules.documents import reads_as_text
from logscope.rules.model.rule import TRANSACTION

_PLAIN = re.compile(r"[A-Za-z_][\w .-]*[\w.-]|[A-Za-z_]", re.ASCII)
_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class DraftStep:
    """One step of a draft."""

    name: str
    where: str
    absent: bool = False
    bound: int | None = None
    """`maxpause` of a step that happens, `within` of an absent one, microseconds."""
    row: int | None = None
    """The record it was proposed from."""


@dataclass(frozen=True, slots=True)
class DraftField:
    """A value that the rule could emit."""

    name: str
    source: str
    """`STEP.FIELD`, in a rule over records or transactions `FIELD`."""
    example: str = ""
    chosen: bool = True


@dataclass(frozen=True, slots=True)
class DraftTest:
    """A test that is written into the rule."""

    name: str
    records: tuple[str, ...]
    expect: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule that is not written yet."""

    title: str
    name: str
    level: str = "medium"
    description: str = ""
    kind: str = "sequence"
    """`sequence`, `record` or `transaction`."""
    where: str = ""
    """The filter of a record or transaction rule."""
    steps: tuple[DraftStep, ...] = ()
    by: tuple[str, ...] = (TRANSACTION,)
    keys: tuple[str, ...] = ()
    grain: str | None = None
    maxspan: int | None = None
    until: str = ""
    fields: tuple[DraftField, ...] = ()
    message: str = ""
    id: str = ""
    tests: tuple[DraftTest, ...] = ()

    @property
    def present(self) -> tuple[DraftStep, ...]:
        """The steps that happen."""
        return tuple(step for step in self.steps if not step.absent)

    @property
    def chosen(self) -> tuple[DraftField, ...]:
        """The fields it emits."""
        gone = {step.name for step in self.steps if step.absent}
        return tuple(one for one in self.fields if one.chosen and one.source.partition(".")[0] not in gone)

    def with_step(self, place: int, step: DraftStep | None) -> Draft:
        """Another step in a place, or none; fields follow its name."""
        old = self.steps[place]
        if step is None:
            left = tuple(one for one in self.fields if one.source.partition(".")[0] != old.name)
            return replace(self, steps=self.steps[:place] + self.steps[place + 1 :], fields=left)
        steps = (*self.steps[:place], step, *self.steps[place + 1 :])
        fields = self.fields
        message = self.message
        if step.name != old.name:
            fields = tuple(
                replace(one, source=f"{step.name}.{one.source.partition('.')[2]}")
                if one.source.partition(".")[0] == old.name
                else one
                for one in fields
            )
            message = message.replace(f"{{{old.name}.", f"{{{step.name}.")
        return replace(self, steps=steps, fields=fields, message=message)


def rule_text(draft: Draft) -> str:
    """The YAML of a draft, as a person would write it.

    Args:
        draft: With at least a title.
    """
    lines = [f"title: {scalar(draft.title)}", f"name: {scalar(draft.name)}"]
    if draft.id:
        lines.append(f"id: {draft.id}")
    lines += ["status: experimental", f"level: {draft.level}"]
    if draft.description:
        lines.append(f"description: {scalar(draft.description)}")
    lines += _form(draft)
    lines += _emit(draft)
    if draft.tests:
        lines.append("tests:")
        for test in draft.tests:
            lines += _test(test)
    return "\n".join(lines) + "\n"


def _form(draft: Draft) -> list[str]:
    plan = []
    if draft.keys:
        plan.append(f"  keys: {flow(draft.keys)}")
    if draft.grain:
        plan.append(f"  grain: {scalar(draft.grain)}")
    if draft.kind == "record":
        return ["record:", *block("where", draft.where, 2)]
    if draft.kind == "transaction":
        return ["transaction:", *block("where", draft.where, 2), *plan]
    by_transaction = draft.by == (TRANSACTION,)
    lines = ["sequence:", f"  by: {flow(draft.by)}", *(plan if by_transaction else [])]
    if draft.maxspan:
        lines.append(f"  maxspan: {duration_text(draft.maxspan)}")
    lines.append("  steps:")
    happening = [place for place, step in enumerate(draft.steps) if not step.absent]
    for place, step in enumerate(draft.steps):
        lines += [f"    - name: {scalar(step.name)}", *block("where", step.where, 6)]
        if step.absent:
            lines.append("      absent: true")
            between = bool(happening) and happening[0] < place < happening[-1]
            if step.bound and not between:
                lines.append(f"      within: {duration_text(step.bound)}")
        elif step.bound and happening and place != happening[0]:
            lines.append(f"      maxpause: {duration_text(step.bound)}")
    if draft.until:
        lines += block("until", draft.until, 2)
    return lines


def _emit(draft: Draft) -> list[str]:
    lines = []
    if draft.message:
        lines.append(f"  message: {scalar(draft.message)}")
    if draft.chosen:
        lines.append("  fields:")
        lines += [f"    {scalar(one.name)}: {scalar(one.source)}" for one in draft.chosen]
    return ["emit:", *lines] if lines else []


def _test(test: DraftTest) -> list[str]:
    lines = [f"  - name: {scalar(test.name)}", "    records:"]
    lines += [f"      - {quoted(record)}" for record in test.records]
    if not test.expect:
        return [*lines, "    expect: []"]
    lines.append("    expect:")
    for one in test.expect:
        inner = ", ".join(f"{scalar(name)}: {_value(value)}" for name, value in one.items())
        lines.append(f"      - {{{inner}}}")
    return lines


def _value(value: Any) -> str:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else scalar(str(value))


def block(name: str, text: str, indent: int) -> list[str]:
    """`name: |-` with a filter on the next line: nothing in it means anything to YAML.

    Args:
        name: The key.
        text: One line; of several or with signs that YAML refuses it is quoted instead.
        indent: Blanks before the key.
    """
    pad = " " * indent
    if not text.strip() or not text.isprintable():
        return [f"{pad}{name}: {quoted(text)}"]
    return [f"{pad}{name}: |-", f"{pad}  {text.strip()}"]


def flow(items: Sequence[str]) -> str:
    """`[a, b]`."""
    return f"[{', '.join(scalar(one) for one in items)}]"


def scalar(text: str) -> str:
    """A text so that it is read as that text, bare where that is safe."""
    return text if _PLAIN.fullmatch(text) and reads_as_text(text) else quoted(text)


def quoted(text: str) -> str:
    """A text in quotes: single ones, or double ones where something has to be escaped."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_ESCAPED.get(sign) or (sign if sign.isprintable() else _escape(sign)) for sign in text) + '"'


def _escape(sign: str) -> str:
    number = ord(sign)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
