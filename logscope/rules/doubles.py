"""Rules that would be one to whatever goes by names and ids: told apart, or refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from logscope.errors import RuleError
from logscope.rules.model.rule import Rule
from logscope.rules.sigma.reading import slug


def free_name(wanted: str, rules: Iterable[Rule]) -> str:
    """A name that none of some rules has: the wanted one, else `WANTED2` and so on."""
    taken = {rule.name for rule in rules}
    return next(
        name for name in (wanted, *(f"{wanted}{number}" for number in range(2, len(taken) + 3))) if name not in taken
    )


def distinct(rules: Iterable[Rule]) -> tuple[list[Rule], list[RuleError]]:
    """Rules of which no two have one name or id.

    A name that is only the title's gives way to another where the ids tell the rules apart, as in collections of Sigma
    rules; else the second of two is an error, and the first runs.

    Args:
        rules: In their order.

    Returns:
        (those that can run together, errors of the others).
    """
    found: list[Rule] = []
    errors: list[RuleError] = []
    ids: dict[str, Rule] = {}
    names: dict[str, Rule] = {}
    for rule in rules:
        what, first = ("id", ids.get(rule.id)) if rule.id in ids else ("name", names.get(rule.name))
        if first is not None and what == "name" and rule.id is not None and rule.name == slug(rule.title):
            rule, first = replace(rule, name=free_name(rule.name, found)), None
        if first is not None:
            said = f"{what} {getattr(rule, what)} stands twice, first at {first.path}:{first.line}"
            errors.append(RuleError(said, rule.path, rule.line, mend="give it another"))
            continue
        found.append(rule)
        names[rule.name] = rule
        if rule.id is not None:
            ids[rule.id] = rule
    return found, errors
