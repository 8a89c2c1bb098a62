"""What reading rule files gave: good rules, errors, and what waits for other rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logscope.errors import RuleError
    from logscope.rules.model.rule import Rule
    from logscope.rules.sigma.correlation import CorrelationDraft
    from logscope.rules.sigma.filters import FilterDraft


@dataclass(frozen=True, slots=True)
class LoadedRules:
    """What `load_rules` found: the good rules, and every error of the others."""

    rules: tuple[Rule, ...]
    errors: tuple[RuleError, ...]
    drafts: tuple[CorrelationDraft | FilterDraft, ...] = ()
    """Sigma correlations and filters whose rules have not been looked up yet."""
