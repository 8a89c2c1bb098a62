"""Rule files to rules: every error with file, line and mend, and the good rules all the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Sequence as Several
from pathlib import Path
from typing import TYPE_CHECKING

from logscope.errors import FilterError, RuleError
from logscope.language.sequence import parse_sequence
from logscope.rules.digest import digest_of
from logscope.rules.documents import Located, documents, read_text
from logscope.rules.emit import RECORD_STEP, WHOLE_STEP
from logscope.rules.having import Having, compile_having
from logscope.rules.keywords import RECORD_KEYS, RULE_KEYS, SEQUENCE_KEYS, SILENCE_KEYS, STEP_KEYS, TRANSACTION_KEYS
from logscope.rules.loaded import LoadedRules
from logscope.rules.model.filters import CompileFilter, CompileTransactionFilter, RecordFilter, RuleFilter
from logscope.rules.model.rule import LEVELS, STATUSES, TRANSACTION, Rule, Sequence, Step, TransactionCondition, Until
from logscope.rules.model.silence import Silence
from logscope.rules.reading import Complaints, Keys
from logscope.rules.references import resolved
from logscope.rules.sections import read_emit, read_tests
from logscope.rules.sigma.reading import SIGMA, sigma_rule, slug
from logscope.rules.silences import reading as silences

if TYPE_CHECKING:
    from logscope.rules.sigma.correlation import CorrelationDraft
    from logscope.rules.sigma.filters import FilterDraft

BUILTIN = Path(__file__).parent / "builtin"
"""Shipped rules."""

SUFFIXES = (".yml", ".yaml")

_FORMS = ("sequence", "record", "silence", "transaction")
_STEP_NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)


def rule_files(paths: Iterable[Path]) -> tuple[list[Path], list[RuleError]]:
    """The rule files that paths mean: themselves, or of a folder all `.yml` and `.yaml` below it, sorted."""
    found: list[Path] = []
    errors: list[RuleError] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
        elif path.exists():
            found.append(path)
        else:
            errors.append(RuleError("there is no such file", where=str(path), mend="name a rule file or a folder"))
    # However often and by whatever way it is named, a file is one.
    return list({path.resolve(): path for path in reversed(found)}.values())[::-1], errors


def load_rules(
    paths: Iterable[Path],
    compile_filter: CompileFilter,
    compile_transaction: CompileTransactionFilter | None = None,
) -> LoadedRules:
    """All rules of files and folders.

    Args:
        paths: Files, or folders that are searched to any depth.
        compile_filter: Compiles filter text.
        compile_transaction: Compiles filter text over transactions; None: it is not looked at.

    Returns:
        The rules that compile, in order, and all errors of the others.
    """
    files, errors = rule_files(paths)
    parts = [LoadedRules((), tuple(errors))]
    for file in files:
        try:
            text = read_text(file)
        except RuleError as error:
            parts.append(LoadedRules((), (error,)))
            continue
        parts.append(read_rules(text, compile_filter, compile_transaction, where=str(file)))
    return resolved(together(parts))


def together(parts: Iterable[LoadedRules]) -> LoadedRules:
    """What several files gave, as one."""
    parts = list(parts)
    return LoadedRules(
        tuple(rule for part in parts for rule in part.rules),
        tuple(error for part in parts for error in part.errors),
        tuple(draft for part in parts for draft in part.drafts),
    )


def load_text(
    text: str,
    compile_filter: CompileFilter,
    compile_transaction: CompileTransactionFilter | None = None,
    *,
    where: str = "rule",
) -> LoadedRules:
    """All rules of one YAML text.

    Args:
        text: One or more documents.
        compile_filter: Compiles filter text.
        compile_transaction: Compiles filter text over transactions; None: it is not looked at.
        where: The file's name.
    """
    return resolved(read_rules(text, compile_filter, compile_transaction, where=where))


def read_rules(
    text: str,
    compile_filter: CompileFilter,
    compile_transaction: CompileTransactionFilter | None = None,
    *,
    where: str = "rule",
) -> LoadedRules:
    """As `load_text`, but rules that others name are not looked up: they may stand in another file."""
    rules: list[Rule] = []
    drafts: list[CorrelationDraft | FilterDraft] = []
    errors: list[RuleError] = []
    try:
        for document in documents(text, where):
            complaints = Complaints(where)
            rule = _rule(document, complaints, compile_filter, compile_transaction, where)
            errors += complaints.errors
            if rule is None or complaints.errors:
                continue
            if isinstance(rule, Rule):
                rules.append(rule)
            else:
                drafts.append(rule)
    except RuleError as error:
        errors.append(error)
    return LoadedRules(tuple(rules), tuple(errors), tuple(drafts))


def rule_from_sequence(text: str, compile_filter: CompileFilter, *, name: str = "seq") -> Rule:
    """A rule of a sequence in one line (`--rule 'seq ...'`).

    Args:
        text: `seq by transaction maxspan 5m: ["a"] not ["b"] within 30s`.
        compile_filter: Compiles filter text.
        name: The rule's name.

    Raises:
        FilterError: It does not parse, or a step's filter does not compile.
        RuleError: Its steps make no sequence.
    """
    syntax = parse_sequence(text)
    steps = tuple(
        Step(
            step.name, step.filter_text, compile_filter(step.filter_text), step.absent, step.within_us, step.maxpause_us
        )
        for step in syntax.steps
    )
    until = None if syntax.until is None else Until(syntax.until, compile_filter(syntax.until))
    sequence = Sequence(tuple(syntax.by), steps, syntax.maxspan_us, until)
    complaints = Complaints("--rule")
    _check_sequence(sequence, complaints, None)
    if complaints.errors:
        raise complaints.errors[0]
    digest = digest_of(name, text)
    return Rule(name=name, title=text, level="medium", kind="sequence", sequence=sequence, digest=digest)


def _rule(
    document: Located,
    complaints: Complaints,
    compile_filter: CompileFilter,
    compile_transaction: CompileTransactionFilter | None,
    where: str,
) -> Rule | CorrelationDraft | FilterDraft | None:
    if isinstance(document.value, dict) and any(name in document.value for name in SIGMA):
        return sigma_rule(document, complaints, where)
    keys = Keys(document, RULE_KEYS, complaints)
    title = keys.text("title", required=True) or ""
    forms = [form for form in _FORMS if keys.has(form)]
    if len(forms) != 1:
        what = f"has none of {', '.join(_FORMS)}" if not forms else f"has {' and '.join(forms)}"
        keys.wrong(f"the rule {what}", mend=f"give it one of {':, '.join(_FORMS)}:")
        return None
    kind = forms[0]
    sequence: Sequence | None = None
    transaction: TransactionCondition | None = None
    silence: Silence | None = None
    if kind == "sequence":
        sequence = _sequence(keys.entries[kind], complaints, compile_filter)
    elif kind in ("record", "silence"):
        part = Keys(keys.entries[kind], RECORD_KEYS if kind == "record" else SILENCE_KEYS, complaints, kind)
        silence = silences.read_silence(part) if kind == "silence" else None
        sequence = _record(part, complaints, compile_filter, () if silence is None else silence.by)
    else:
        transaction = _transaction(keys.entries[kind], complaints, compile_transaction)
    return Rule(
        name=keys.text("name") or slug(title) or "rule",
        title=title,
        level=keys.text("level", choices=LEVELS) or "medium",
        kind=kind,
        sequence=sequence,
        transaction=transaction,
        silence=silence,
        emit=read_emit(keys.entry("emit"), _names(sequence, transaction), complaints),
        id=keys.text("id"),
        status=keys.text("status", choices=STATUSES) or "experimental",
        description=keys.text("description") or "",
        enabled=keys.boolean("enabled", True),
        actions=keys.names("actions"),
        tests=read_tests(keys, complaints),
        path=where,
        line=document.line,
        digest=digest_of(document.plain()),
    )


def _sequence(entry: Located, complaints: Complaints, compile_filter: CompileFilter) -> Sequence | None:
    keys = Keys(entry, SEQUENCE_KEYS, complaints, "sequence")
    if not keys.has("steps"):
        keys.wrong("steps is missing", mend="add steps: with a list of name: and where:")
        return None
    read = [_step(item, number, complaints, compile_filter) for number, item in enumerate(keys.items("steps"), start=1)]
    steps = tuple(step for step in read if step is not None)
    if not read:
        keys.wrong("steps is empty", keys.line_of("steps"), "add a step with name: and where:")
    if not read or len(steps) < len(read):
        return None
    until = None
    if keys.has("until"):
        compiled = _filter(keys, "until", complaints, compile_filter)
        until = None if compiled is None else Until(*compiled, line=keys.line_of("until"))
    sequence = Sequence(
        by=keys.names("by"),
        steps=steps,
        maxspan_us=keys.duration("maxspan"),
        until=until,
        keys=keys.names("keys"),
        grain=keys.text("grain"),
    )
    if not _check_sequence(sequence, complaints, keys):
        return None
    having = _having(keys, sequence, complaints)
    return sequence if having is None else _with_having(sequence, having)


def _with_having(sequence: Sequence, having: Having) -> Sequence:
    return Sequence(
        sequence.by, sequence.steps, sequence.maxspan_us, sequence.until, having, sequence.keys, sequence.grain
    )


def _step(item: Located, number: int, complaints: Complaints, compile_filter: CompileFilter) -> Step | None:
    name = f"step{number}"
    if isinstance(item.value, dict) and "name" in item.value and isinstance(item.value["name"].value, str):
        name = item.value["name"].value
    keys = Keys(item, STEP_KEYS, complaints, f"step {name}")
    keys.text("name")
    if not _STEP_NAME.fullmatch(name):
        keys.wrong(f"{name} is not a name", keys.line_of("name"), "letters, digits, _ and -, a letter first")
    compiled = _step_filter(keys, complaints, compile_filter)
    # What is neither true nor false was meant to be said: `within` is no mistake then, too.
    absent = keys.boolean("absent", keys.has("absent"))
    within, maxpause = keys.duration("within"), keys.duration("maxpause")
    if compiled is None:
        return None
    bound = keys.line_of("within") if keys.has("within") else keys.line_of("maxpause")
    return Step(
        name, *compiled, absent=absent, within_us=within, maxpause_us=maxpause, line=keys.line, bound_line=bound
    )


def _step_filter(keys: Keys, complaints: Complaints, compile_filter: CompileFilter) -> tuple[str, RecordFilter] | None:
    if not keys.has("rule"):
        return _filter(keys, "where", complaints, compile_filter)
    if keys.has("where"):
        keys.wrong("where and rule", keys.line_of("rule"), "a step has one of them; put the filter into the rule")
    name = keys.text("rule", required=True)
    return None if name is None else (f"rule: {name}", RuleFilter(name))


def _filter(
    keys: Keys, name: str, complaints: Complaints, compile_filter: CompileFilter
) -> tuple[str, RecordFilter] | None:
    text = keys.text(name, required=True)
    if text is None:
        return None
    try:
        return text, compile_filter(text)
    except (FilterError, RuleError) as error:
        complaints.take(error, keys.line_of(name), f"{keys.context}: {name}")
        return None


def _check_sequence(sequence: Sequence, complaints: Complaints, keys: Keys | None) -> bool:
    """Complain of steps that make no sequence; whether there was nothing to complain of."""
    count = len(complaints.errors)
    line = keys.line if keys is not None else None
    if TRANSACTION in sequence.by and len(sequence.by) > 1:
        by_line = keys.line_of("by") if keys is not None else None
        complaints.add("sequence: by has transaction and others", by_line, mend="write by: [transaction] alone")
    names = [step.name for step in sequence.steps]
    for place, step in enumerate(sequence.steps):
        if step.name in names[:place]:
            complaints.add(f"step {step.name} stands twice", step.line, mend="give it another name")
    happening = [place for place, step in enumerate(sequence.steps) if not step.absent]
    if not happening:
        complaints.add("sequence: every step is absent", line, mend="one step at least must happen")
        return False
    for place, step in enumerate(sequence.steps):
        _check_bounds(sequence, step, place, happening, complaints)
    return len(complaints.errors) == count


def _check_bounds(sequence: Sequence, step: Step, place: int, happening: Several[int], complaints: Complaints) -> None:
    first, last = happening[0], happening[-1]
    line = step.bound_line or step.line
    if step.maxpause_us is not None and (step.absent or place == first):
        why = "an absent step" if step.absent else "the first step"
        complaints.add(f"step {step.name}: maxpause on {why}", line, mend="it belongs to a later step that happens")
    if step.within_us is not None and not step.absent:
        complaints.add(f"step {step.name}: within on a step that happens", line, mend="write maxpause, or absent: true")
    if not step.absent:
        return
    if first < place < last:
        if step.within_us is not None:
            complaints.add(
                f"step {step.name}: within on an absence between two steps",
                line,
                mend="leave it out, the window is from the step before to the step after",
            )
    elif step.within_us is None and sequence.maxspan_us is None:
        complaints.add(f"step {step.name}: an absence without a bound", step.line, mend="add within: or maxspan:")


def _having(keys: Keys, sequence: Sequence, complaints: Complaints) -> Having | None:
    text = keys.text("having")
    if text is None:
        return None
    happens, absent = _step_names(sequence)
    try:
        return compile_having(text, happens, absent)
    except RuleError as error:
        complaints.take(error, keys.line_of("having"))
        return None


def _names(sequence: Sequence | None, transaction: TransactionCondition | None) -> tuple[list[str], list[str]] | None:
    """The steps that values can be named by; None if the rule did not compile."""
    if transaction is not None:
        return [WHOLE_STEP], []
    return None if sequence is None else _step_names(sequence)


def _step_names(sequence: Sequence) -> tuple[list[str], list[str]]:
    return [step.name for step in sequence.positive], [step.name for step in sequence.steps if step.absent]


def _record(keys: Keys, complaints: Complaints, compile_filter: CompileFilter, by: tuple[str, ...]) -> Sequence | None:
    compiled = _filter(keys, "where", complaints, compile_filter)
    if compiled is None:
        return None
    return Sequence(by=by, steps=(Step(RECORD_STEP, *compiled, line=keys.line_of("where")),))


def _transaction(
    entry: Located, complaints: Complaints, compile_transaction: CompileTransactionFilter | None
) -> TransactionCondition | None:
    keys = Keys(entry, TRANSACTION_KEYS, complaints, "transaction")
    where = keys.text("where", required=True)
    if where is None:
        return None
    try:
        compiled = None if compile_transaction is None else compile_transaction(where)
    except FilterError as error:
        complaints.take(error, keys.line_of("where"), "transaction: where")
        return None
    return TransactionCondition(where, compiled, keys.names("keys"), keys.text("grain"), keys.line_of("where"))
