"""`logscope rules check`: what does not compile, and what compiles but is probably not meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from logscope.errors import RuleError
from logscope.rules.documents import Located, documents, read_text
from logscope.rules.doubles import distinct
from logscope.rules.loaded import LoadedRules
from logscope.rules.loader import read_rules, rule_files, together
from logscope.rules.model.filters import CompileFilter, CompileTransactionFilter
from logscope.rules.model.rule import Rule, Sequence
from logscope.rules.references import resolved
from logscope.text import human_duration

ERROR, WARNING, HINT = "error", "warning", "hint"
"""Severities: it does not compile or cannot work; it is probably not meant; it could be better."""


_FEW_VALUES = frozenset(
    [
        "level",
        "format",
        "source",
        "time_from",
        "severity",
        "facility",
        "status",
        "method",
        "thread",
        "logger",
        "version",
    ]
)
"""Names whose values are so few that a sequence by one of them alone is no story of anything."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that lint has to say."""

    severity: str
    message: str
    path: str
    line: int | None
    column: int | None = None
    mend: str | None = None
    rule: str | None = None

    def __str__(self) -> str:
        """One line: `path:line: severity: message; mend`."""
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        text = f"{place}: {self.severity}: {self.message}"
        return f"{text}; {self.mend}" if self.mend else text


def lint(
    paths: Iterable[Path],
    compile_filter: CompileFilter,
    compile_transaction: CompileTransactionFilter | None = None,
) -> tuple[Finding, ...]:
    """Check rule files.

    Args:
        paths: Files, or folders that are searched to any depth.
        compile_filter: Compiles filter text.
        compile_transaction: Compiles filter text over transactions; None: it is not looked at.

    Returns:
        All findings, by file and line.
    """
    files, errors = rule_files(paths)
    findings = [_of_error(error, error.where or "") for error in errors]
    parts: list[LoadedRules] = []
    for file in files:
        try:
            text = read_text(file)
        except RuleError as error:
            findings.append(_of_error(error, str(file)))
            continue
        parts.append(read_rules(text, compile_filter, compile_transaction, where=str(file)))
        findings += _surprises(text, str(file))
    loaded = resolved(together(parts))
    findings += [_of_error(error, error.where or "") for error in loaded.errors]
    findings += [_of_error(error, error.where or "") for error in distinct(loaded.rules)[1]]
    for rule in loaded.rules:
        findings += _of_rule(rule)
    return tuple(sorted(findings, key=lambda finding: (finding.path, finding.line or 0)))


def _of_error(error: RuleError, path: str) -> Finding:
    return Finding(ERROR, error.message, error.where or path, error.line, error.column, error.mend)


def _of_rule(rule: Rule) -> Iterator[Finding]:
    def finding(severity: str, message: str, mend: str, line: int | None = None) -> Finding:
        return Finding(severity, message, rule.path or "", line or rule.line, mend=mend, rule=rule.name)

    if rule.status == "stable" and not rule.tests and not rule.sigma:
        yield finding(WARNING, "a stable rule without tests", "add tests: with records and what they expect")
    if rule.id is None:
        yield finding(HINT, "no id, detections take the rule's name into theirs", "add id: with a UUID")
    for note in rule.notes:
        yield finding(WARNING, note.message, note.mend, note.line)
    if (
        not (rule.sigma or rule.quiet or rule.kind == "transaction")
        and rule.emit.message is None
        and not rule.emit.fields
    ):
        yield finding(HINT, "nothing is emitted", "add emit: with message: and fields:")
    if rule.kind == "sequence" and rule.sequence is not None:
        for severity, message, mend, line in _of_sequence(rule.sequence):
            yield finding(severity, message, mend, line)


def _of_sequence(sequence: Sequence) -> Iterator[tuple[str, str, str, int | None]]:
    """(severity, message, mend, line) of each finding."""
    if not sequence.by:
        yield WARNING, "steps have no key, any records make a match", "add by: [transaction] or a key", None
    for name in sequence.by:
        if name.removeprefix("fields.") in _FEW_VALUES and len(sequence.by) == 1:
            yield (
                WARNING,
                f"{name} has few values, it ties records together that have nothing to do with one another",
                "add the key of what the steps belong to, such as an order's or a session's id",
                None,
            )
    if sequence.reach_us is None:
        yield WARNING, "matches have no bound in time", "add maxspan:", None
    if sequence.keys and not sequence.by_transaction:
        yield HINT, "keys and grain count only by transaction", "leave them out, or write by: [transaction]", None
    span = sequence.maxspan_us
    for step in sequence.steps:
        if span is None:
            break
        for name, bound in (("within", step.within_us), ("maxpause", step.maxpause_us)):
            if bound is not None and bound > span:
                yield (
                    WARNING,
                    f"step {step.name}: {name} {human_duration(bound)} is longer than maxspan {human_duration(span)}",
                    "make maxspan longer" if name == "within" else f"leave {name} out, maxspan ends it earlier",
                    step.line,
                )
    for step in sequence.steps:
        if not step.where.strip():
            yield WARNING, f"step {step.name}: its filter matches every record", "write what it is about", step.line


def _surprises(text: str, path: str) -> Iterator[Finding]:
    """Filters that YAML has read otherwise than they look."""
    lines = text.splitlines()
    try:
        for document in documents(text, path):
            for name, entry in _filters(document):
                yield from _surprise(name, entry, lines, path)
    except RuleError:
        # It was told as an error of the loader.
        return


def _surprise(name: str, entry: Located, lines: list[str], path: str) -> Iterator[Finding]:
    block = f"write {name}: |- and the filter indented on the next line"
    if not isinstance(entry.value, str):
        return
    source = lines[entry.line - 1] if entry.line <= len(lines) else ""
    if entry.style == '"' and "\\" in source and not entry.value.startswith('"'):
        yield Finding(
            WARNING, f"{name}: YAML reads the backslashes between double quotes before the filter does", path,
            entry.line, mend=block,
        )  # fmt: skip
    elif entry.style in ("'", '"'):
        inner = entry.value.strip()
        if not (inner.startswith('"') and inner.endswith('"')) and " " in inner and ":" not in inner:
            yield Finding(
                WARNING, f"{name}: YAML takes the quotes, the filter is {inner}, its words in any order", path,
                entry.line, mend=block,
            )  # fmt: skip
    elif not entry.style and " #" in source:
        yield Finding(WARNING, f"{name}: YAML takes what follows # for a comment", path, entry.line, mend=block)


def _filters(entry: Located) -> Iterator[tuple[str, Located]]:
    if isinstance(entry.value, dict):
        for name, value in entry.value.items():
            if name in ("where", "until", "having"):
                yield name, value
            elif name not in ("tests", "emit"):
                yield from _filters(value)
    elif isinstance(entry.value, list):
        for item in entry.value:
            yield from _filters(item)
