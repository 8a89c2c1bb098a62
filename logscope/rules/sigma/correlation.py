"""Sigma correlation documents to correlations over windows, once the rules that they name are known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionItem,
    CorrelationConditionNOT,
    SigmaCorrelationCondition,
    SigmaCorrelationRule,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)
from sigma.exceptions import SigmaError

from logscope.errors import RuleError
from logscope.rules.digest import digest_of
from logscope.rules.documents import Located
from logscope.rules.model.rule import LEVELS, STATUSES, Expectation, Note, Rule
from logscope.rules.model.windows import (
    NUMERIC,
    TEMPORAL_ORDERED,
    VALUE_PERCENTILE,
    Clause,
    Leaf,
    OwnFields,
    Slot,
    Threshold,
    Windows,
)
from logscope.rules.nearest import nearest
from logscope.rules.reading import Complaints, Keys
from logscope.rules.sections import read_tests
from logscope.rules.sigma.detection import SigmaFilter
from logscope.rules.sigma.policy import POLICY, words_of
from logscope.rules.sigma.values import SigmaFields

_FIELD = "write field: under condition:, beside gte:"
_RANGE = "of a range write two correlations, one for each bound"
MOST_CLAUSES = 64
"""Alternatives that a condition may come to."""

_Literals = tuple[frozenset[str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """Keys of logscope's that a correlation carries."""

    enabled: bool = True
    actions: tuple[str, ...] = ()
    tests: tuple[Expectation, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class CorrelationDraft:
    """A correlation whose rules are not looked up yet."""

    name: str
    parsed: SigmaCorrelationRule
    entries: Mapping[str, object]
    path: str
    line: int
    lines: Mapping[str, int] = field(default_factory=dict)
    """Where the keys under `correlation` stand."""
    own: OwnKeys = field(default_factory=lambda: OwnKeys())

    @property
    def id(self) -> str | None:
        """Its `id`, if it has one."""
        return None if self.parsed.id is None else str(self.parsed.id)

    def references(self) -> list[str]:
        """Names and ids of its rules, in order."""
        condition = self.parsed.condition
        if self.parsed.rules is not None:
            found = [rule.reference for rule in self.parsed.rules]
        elif isinstance(condition, SigmaExtendedCorrelationCondition):
            found = condition.get_referenced_rules()
        else:
            found = []
        return list(dict.fromkeys(found))

    def error(self, message: str, key: str, mend: str | None = None) -> RuleError:
        """What is wrong with it, at one of its keys."""
        return RuleError(f"correlation: {message}", self.path, self.lines.get(key, self.line), mend=mend)


def read_correlation(document: Located, name: str, path: str, complaints: Complaints) -> CorrelationDraft:
    """Parse a correlation document.

    Args:
        document: A mapping with `correlation`.
        name: Its name.
        path: The file's name.
        complaints: Where errors of logscope's own keys go.

    Raises:
        RuleError: pySigma refuses it.
    """
    entries = document.plain()
    body = document.value["correlation"]
    lines = {key: value.line for key, value in body.value.items()} if isinstance(body.value, dict) else {}
    try:
        parsed = SigmaCorrelationRule.from_dict(entries, policy=POLICY)
    except SigmaError as error:
        words = words_of(error)
        mend = _RANGE if "exactly one condition" in str(error) else _FIELD if "without field" in words else None
        raise RuleError(f"not a Sigma correlation: {words}", mend=mend) from None
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise RuleError(f"not a Sigma correlation: {type(error).__name__}: {error}") from None
    except RecursionError:
        raise RuleError("the condition is nested too deep", mend="write it with fewer parentheses") from None
    keys = Keys(document, document.value, complaints)
    notes: tuple[Note, ...] = ()
    if keys.has("emit"):
        told = "emit of a correlation is not read, its output is the group and the number"
        notes = (Note(told, "leave it out", keys.line_of("emit")),)
    own = OwnKeys(keys.boolean("enabled", True), keys.names("actions"), read_tests(keys, complaints), notes)
    return CorrelationDraft(name, parsed, entries, path, body.line, lines, own)


class Linker:
    """Looks up what correlations name.

    Args:
        rules: The rules there are.
        drafts: The correlations there are.
    """

    def __init__(self, rules: Sequence[Rule], drafts: Sequence[CorrelationDraft]) -> None:
        """Nothing is looked up yet."""
        self._rules = {key: rule for rule in reversed(rules) for key in (rule.name, rule.id) if key}
        self._drafts = {key: draft for draft in reversed(drafts) for key in (draft.name, draft.id) if key}
        self._made: dict[int, Windows] = {}
        self._active: list[CorrelationDraft] = []
        self.quiet: set[str] = set()
        """Keys of the rules that a correlation names without `generate`."""
        self.told: set[str] = set()
        """Keys of those that one names with it."""

    def windows(self, draft: CorrelationDraft) -> Windows:
        """The correlation of a draft.

        Raises:
            RuleError: A rule is not there or cannot stand in one, the condition or its fields make no sense.
        """
        if id(draft) in self._made:
            return self._made[id(draft)]
        if draft in self._active:
            names = " -> ".join(each.name for each in [*self._active, draft])
            raise draft.error(f"it names itself: {names}", "rules", "take one of them out of rules:")
        self._active.append(draft)
        try:
            found = self._windows(draft)
        finally:
            self._active.pop()
        self._made[id(draft)] = found
        return found

    def _windows(self, draft: CorrelationDraft) -> Windows:
        parsed = draft.parsed
        references = draft.references()
        if not references:
            raise draft.error("rules is empty", "rules", "name the rules whose matches count")
        slots = tuple(self._slot(draft, reference) for reference in references)
        known = {*references, *(slot.name for slot in slots), *(self._id_of(name) for name in references)}
        for alias in parsed.aliases:
            for target in alias.mapping:
                if target.reference not in known:
                    raise draft.error(
                        f"alias {alias.alias} is for {target.reference}, which is none of its rules",
                        "aliases",
                        nearest(target.reference, references, "rules are"),
                    )
        kind = parsed.type.name.lower()
        threshold: Threshold | None = None
        clauses: tuple[Clause, ...] = (Clause(()),)
        places = {name: place for place, name in enumerate(references)}
        if isinstance(parsed.condition, SigmaExtendedCorrelationCondition):
            clauses = _clauses(draft, parsed.condition, places)
        else:
            threshold = _threshold(draft, parsed.condition, kind)
            if kind == TEMPORAL_ORDERED and threshold.operator in ("gt", "gte"):
                clauses = _chains(draft, threshold, len(slots))
        return Windows(
            draft.name,
            kind,
            slots,
            parsed.timespan.seconds * 1_000_000,
            tuple(parsed.group_by or ()),
            threshold,
            clauses,
            _least(draft, kind),
        )

    def _id_of(self, reference: str) -> str | None:
        if reference in self._drafts:
            return self._drafts[reference].id
        return self._rules[reference].id

    def digest(self, draft: CorrelationDraft) -> str:
        """Of a correlation together with all that it names; after `windows`."""
        named = [
            self.digest(self._drafts[name]) if name in self._drafts else self._rules[name].digest
            for name in draft.references()
        ]
        return digest_of(draft.entries, *named)

    def _slot(self, draft: CorrelationDraft, reference: str) -> Slot:
        quiet = self.told if draft.parsed.generate else self.quiet
        if reference in self._drafts:
            other = self._drafts[reference]
            slot = Slot(other.name, self.windows(other), _aliases(draft, (reference, other.name, other.id)))
            quiet.add(other.name)
            return slot
        rule = self._rules.get(reference)
        if rule is None:
            known = sorted({each.name for each in self._rules.values()} | {each.name for each in self._drafts.values()})
            raise draft.error(f"there is no rule {reference}", "rules", nearest(reference, known, "rules are"))
        if rule.kind != "record" or rule.sequence is None:
            raise draft.error(
                f"rule {reference} is a {rule.kind}, not a rule over single records",
                "rules",
                "name a Sigma rule or one with record:",
            )
        found = rule.sequence.steps[0].filter
        fields = SigmaFields(found.pipeline) if isinstance(found, SigmaFilter) else OwnFields()
        quiet.add(rule.name)
        return Slot(rule.name, Leaf(rule.name, found, fields), _aliases(draft, (reference, rule.name, rule.id)))


def link(rules: Sequence[Rule], drafts: Sequence[CorrelationDraft]) -> tuple[tuple[Rule, ...], tuple[RuleError, ...]]:
    """The rules together with the correlations over them.

    Args:
        rules: The rules there are.
        drafts: The correlations there are.

    Returns:
        (all rules, errors of the correlations that cannot be made).
    """
    linker = Linker(rules, drafts)
    made: list[Rule] = []
    errors: list[RuleError] = []
    for draft in drafts:
        try:
            windows = linker.windows(draft)
            made.append(_rule(draft, windows, linker.digest(draft)))
        except RuleError as error:
            if error not in errors and str(error) not in map(str, errors):
                errors.append(error)
    quiet = linker.quiet - linker.told
    return tuple(replace(rule, quiet=rule.name in quiet) for rule in [*rules, *made]), tuple(errors)


def _rule(draft: CorrelationDraft, windows: Windows, digest: str) -> Rule:
    entries = draft.entries
    level, status = entries.get("level"), entries.get("status")
    return Rule(
        name=draft.name,
        title=str(entries["title"]),
        level=str(level) if level in LEVELS else "medium",
        kind="correlation",
        sequence=None,
        windows=windows,
        id=draft.id,
        status=str(status) if status in STATUSES else "experimental",
        description=str(entries.get("description") or ""),
        enabled=draft.own.enabled,
        actions=draft.own.actions,
        tests=draft.own.tests,
        path=draft.path,
        line=draft.line,
        sigma=True,
        notes=draft.own.notes + _notes(draft, windows),
        unmapped=_unmapped(windows),
        digest=digest,
    )


def _unmapped(windows: Windows) -> str | None:
    """The first rule's logsource if no pipeline maps that of any rule."""
    found = None
    for slot in windows.slots:
        if isinstance(slot.source, Windows):
            words = _unmapped(slot.source)
        elif isinstance(condition := slot.source.filter, SigmaFilter) and not condition.pipeline.known:
            words = condition.logsource
        else:
            return None
        if words is None:
            return None
        found = found or words
    return found


def _notes(draft: CorrelationDraft, windows: Windows) -> tuple[Note, ...]:
    threshold = windows.threshold
    if threshold is None or threshold.operator in ("gt", "gte"):
        return ()
    told = f"{threshold.operator} is looked at only when one of the rules matches, not while time passes"
    return (Note(told, "for what must not happen write a condition such as a and not b", draft.lines.get("condition")),)


def _aliases(draft: CorrelationDraft, names: tuple[str | None, ...]) -> dict[str, str]:
    return {
        alias.alias: field
        for alias in draft.parsed.aliases
        for target, field in alias.mapping.items()
        if target.reference in names
    }


def _threshold(draft: CorrelationDraft, condition: SigmaCorrelationCondition, kind: str) -> Threshold:
    if isinstance(condition.fieldref, list):
        raise draft.error("a condition over several fields is not supported", "condition", "name one field")
    percent = 50.0
    if kind == VALUE_PERCENTILE:
        if condition.percentile is None or not 0 <= condition.percentile <= 100:
            raise draft.error("percentile is missing", "condition", "add percentile: with 0 to 100")
        percent = float(condition.percentile)
    return Threshold(condition.op.name.lower(), float(condition.count), condition.fieldref, percent)


def _least(draft: CorrelationDraft, kind: str) -> int:
    """`least`, a key of logscope's own: two responses say nothing of a share."""
    body = draft.entries["correlation"]
    asked = body.get("least") if isinstance(body, Mapping) else None
    if asked is None:
        return 0
    if kind not in NUMERIC:
        raise draft.error(f"least has no meaning for {kind}", "least", f"it is for {', '.join(NUMERIC)}")
    if isinstance(asked, bool) or not isinstance(asked, int) or asked < 1:
        raise draft.error("least is not a whole number above 0", "least", "write least: 20")
    return asked


def _chains(draft: CorrelationDraft, threshold: Threshold, count: int) -> tuple[Clause, ...]:
    """Of a count of ordered rules every choice of as many, in order."""
    least = math.floor(threshold.bound) + 1 if threshold.operator == "gt" else math.ceil(threshold.bound)
    if least > count or least < 1:
        raise draft.error(f"the condition asks for {least} of {count} rules", "condition", f"ask for 1 to {count}")
    if math.comb(count, least) > MOST_CLAUSES:
        raise _too_many(draft)
    return tuple(Clause(chosen) for chosen in itertools.combinations(range(count), least))


def _clauses(
    draft: CorrelationDraft, condition: SigmaExtendedCorrelationCondition, places: Mapping[str, int]
) -> tuple[Clause, ...]:
    found = []
    for present, absent in dict.fromkeys(_terms(draft, condition.parsed, negative=False)):
        if not present:
            raise draft.error(
                f"the condition {condition.expression!r} can hold without any match",
                "condition",
                "let each alternative name a rule that must match",
            )
        found.append(Clause(*(tuple(sorted(places[name] for name in names)) for names in (present, absent))))
    if not found:
        raise draft.error(f"the condition {condition.expression!r} can never hold", "condition")
    return tuple(found)


def _terms(
    draft: CorrelationDraft, node: CorrelationConditionItem | SigmaRuleReference, *, negative: bool
) -> list[_Literals]:
    """The condition as alternatives of names that must and must not match."""
    nothing = frozenset[str]()
    if isinstance(node, SigmaRuleReference):
        name = frozenset([node.reference])
        return [(nothing, name) if negative else (name, nothing)]
    if isinstance(node, CorrelationConditionNOT):
        return _terms(draft, node.args[0], negative=not negative)
    parts = [_terms(draft, arg, negative=negative) for arg in node.args]
    if isinstance(node, CorrelationConditionAND) == negative:
        return list(itertools.chain.from_iterable(parts))
    found: list[_Literals] = [(nothing, nothing)]
    for part in parts:
        found = [(a | c, b | d) for a, b in found for c, d in part if not ((a | c) & (b | d))]
        if len(found) > MOST_CLAUSES:
            raise _too_many(draft)
    return found


def _too_many(draft: CorrelationDraft) -> RuleError:
    return draft.error(
        f"the condition comes to more than {MOST_CLAUSES} alternatives", "condition", "split it into several rules"
    )
