"""Rules that name others: correlations, and steps that are other rules' detections: looked up once all rules are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from logscope.errors import RuleError
from logscope.rules.digest import digest_of
from logscope.rules.loaded import LoadedRules
from logscope.rules.model.filters import RuleFilter
from logscope.rules.model.rule import Rule, Step
from logscope.rules.nearest import nearest


def resolved(loaded: LoadedRules) -> LoadedRules:
    """Look up the rules that correlations and steps name.

    A rule over single records is put in the step's place: its detections are records that match its
    filter. Of the others the detections are waited for.

    Args:
        loaded: All rules that are read together.

    Returns:
        The same; those that name one which is not there or, over others, themselves, are errors.
    """
    if loaded.drafts:
        # pySigma has been imported for them already.
        from logscope.rules.sigma.correlation import CorrelationDraft, link
        from logscope.rules.sigma.filters import FilterDraft, filtered

        rules, wrong = filtered(loaded.rules, [each for each in loaded.drafts if isinstance(each, FilterDraft)])
        rules, more = link(rules, [each for each in loaded.drafts if isinstance(each, CorrelationDraft)])
        loaded = LoadedRules(rules, (*loaded.errors, *wrong, *more))
    known = {name: rule for rule in loaded.rules for name in (rule.id, rule.name) if name is not None}
    errors = list(loaded.errors)
    good: list[Rule] = []
    for rule in loaded.rules:
        try:
            good.append(_resolve(rule, known))
        except RuleError as error:
            errors.append(error)
    return LoadedRules(tuple(good), tuple(errors))


def in_order_of_use(rules: Iterable[Rule]) -> list[Rule]:
    """Rules, each after those it uses; else in their order."""
    waiting, placed = list(rules), list[Rule]()
    while waiting:
        left = {rule.name for rule in waiting}
        ready = [rule for rule in waiting if not left.intersection(rule.uses)]
        placed += ready or waiting
        waiting = [rule for rule in waiting if rule not in ready] if ready else []
    return placed


def _resolve(rule: Rule, known: Mapping[str, Rule]) -> Rule:
    if not rule.uses or rule.sequence is None:
        return rule
    _refuse_cycle(rule, known)
    steps = tuple(_step(rule, step, known) for step in rule.sequence.steps)
    digest = digest_of(rule.digest, *(known[name].digest for name in rule.uses))
    return replace(rule, sequence=replace(rule.sequence, steps=steps), digest=digest)


def _step(rule: Rule, step: Step, known: Mapping[str, Rule]) -> Step:
    if not isinstance(step.filter, RuleFilter):
        return step
    named = known[step.filter.rule]
    if named.kind == "record" and named.sequence is not None:
        return replace(step, filter=named.sequence.steps[0].filter)
    return replace(step, filter=RuleFilter(named.name))


def _refuse_cycle(rule: Rule, known: Mapping[str, Rule]) -> None:
    """Raise if the rule uses one that is not there, or over others itself."""

    def walk(current: Rule, path: tuple[str, ...]) -> None:
        for name in current.uses:
            line = _line_of(current, name)
            if name not in known:
                raise RuleError(f"rule {current.name} has a step that names rule {name}, which is not there",
                                rule.path, line, mend=nearest(name, known, "rules are"))  # fmt: skip
            following = known[name]
            if following.name in path:
                chain = " → ".join((*path[path.index(following.name) :], following.name))
                raise RuleError(f"rules use one another: {chain}", rule.path, line, mend="let one of them name filters")
            walk(following, (*path, following.name))

    walk(rule, (rule.name,))


def _line_of(rule: Rule, name: str) -> int | None:
    steps = rule.sequence.steps if rule.sequence is not None else ()
    return next((s.line for s in steps if isinstance(s.filter, RuleFilter) and s.filter.rule == name), rule.line)
