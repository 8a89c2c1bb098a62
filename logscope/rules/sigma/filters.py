"""Sigma filter documents: one more condition for rules that stand elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sigma.exceptions import SigmaError
from sigma.filters import SigmaFilter as ParsedFilter

from logscope.errors import RuleError
from logscope.rules.digest import digest_of
from logscope.rules.documents import Located
from logscope.rules.model.rule import Rule
from logscope.rules.nearest import nearest
from logscope.rules.sigma.detection import SigmaFilter
from logscope.rules.sigma.policy import POLICY, words_of


@dataclass(frozen=True, slots=True)
class FilterDraft:
    """A filter whose rules are not looked up yet."""

    parsed: ParsedFilter
    path: str
    line: int
    digest: str
    """Of the document."""

    def applies(self, rule: Rule, found: SigmaFilter) -> bool:
        """Whether it is for a rule: named, and of the logsource that it is written for."""
        wanted = self.parsed.logsource
        if any(
            part is not None and part != said
            for part, said in zip((wanted.category, wanted.product, wanted.service), found.source, strict=True)
        ):
            return False
        return not self.names() or bool({rule.name, rule.id} & set(self.names()))

    def names(self) -> list[str]:
        """Names and ids of its rules; none: any."""
        rules = self.parsed.filter.rules
        return [] if isinstance(rules, str) else [rule.reference for rule in rules]


def read_filter(document: Located, path: str) -> FilterDraft:
    """Parse a filter document.

    Args:
        document: A mapping with `filter`.
        path: The file's name.

    Raises:
        RuleError: pySigma refuses it.
    """
    entries = document.plain()
    try:
        parsed = ParsedFilter.from_dict(entries, policy=POLICY)
    except SigmaError as error:
        raise RuleError(f"not a Sigma filter: {words_of(error)}") from None
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise RuleError(f"not a Sigma filter: {type(error).__name__}: {error}") from None
    return FilterDraft(parsed, path, document.value["filter"].line, digest_of(entries))


def filtered(rules: Sequence[Rule], drafts: Iterable[FilterDraft]) -> tuple[tuple[Rule, ...], tuple[RuleError, ...]]:
    """Rules with the conditions that filters add.

    Args:
        rules: The rules there are.
        drafts: The filters there are.

    Returns:
        (all rules, errors of the filters that cannot be applied).
    """
    found = list(rules)
    errors: list[RuleError] = []
    known = {name for rule in rules if rule.sigma for name in (rule.name, rule.id) if name is not None}
    for draft in drafts:
        missing = [name for name in draft.names() if name not in known]
        try:
            if missing:
                mend = nearest(missing[0], sorted(known), "Sigma rules are")
                raise RuleError(f"filter: there is no Sigma rule {missing[0]}", draft.path, draft.line, mend=mend)
            found = [_with(rule, draft) for rule in found]
        except SigmaError as error:
            errors.append(RuleError(f"not a Sigma filter: {words_of(error)}", draft.path, draft.line))
        except RuleError as error:
            errors.append(RuleError(error.message, draft.path, draft.line, mend=error.mend))
    return tuple(found), tuple(errors)


def _with(rule: Rule, draft: FilterDraft) -> Rule:
    if rule.sequence is None or not isinstance(condition := rule.sequence.steps[0].filter, SigmaFilter):
        return rule
    if not draft.applies(rule, condition):
        return rule
    step = replace(rule.sequence.steps[0], filter=condition.narrowed(draft.parsed.filter))
    sequence = replace(rule.sequence, steps=(step,))
    return replace(rule, sequence=sequence, digest=digest_of(rule.digest, draft.digest))
