"""What a rule that is not saved would find: run beside the session's own, and forgotten."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.answers import Detection, Preview, StepTiming
from logscope.engine.api import Cancel
from logscope.engine.detection.detecting import Detecting
from logscope.errors import RuleError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logscope.engine.session import Session

_EXAMPLES = 20


def preview(session: Session, rule_text: str, cancel: Cancel, name: str | None = None) -> Preview:
    """Run the rules of a text over what is there.

    Args:
        session: With sources read.
        rule_text: YAML; the last document is the rule, others are those it uses.
        cancel: Looked at between segments.
        name: Of the rule, where it is not the last one.

    Raises:
        RuleError: It does not compile.
    """
    from logscope.engine.detection.ruleset import load_rule_text

    loaded = load_rule_text(rule_text)
    if loaded.errors:
        raise loaded.errors[0]
    if not loaded.rules:
        raise RuleError("there is no rule", mend="write title: and sequence:")
    rule = next((one for one in loaded.rules if one.name == name), loaded.rules[-1])
    session.prepare_transactions(cancel=cancel, asked=True)
    detecting = Detecting(
        session.store, session.frames, session.correlating, session.options, session.source_name, loaded.rules
    )
    detecting.update(None, cancel=cancel, final=True)
    found = sorted(
        (one for one in detecting.told.values() if one.rule == rule.name), key=lambda one: (one.time, one.detection)
    )
    return Preview(
        matches=len(found),
        pending=sum(one.rule == rule.name for one in detecting.pending()),
        examples=tuple(found[:_EXAMPLES]),
        timings=_timings(found),
        seconds=sum(work.seconds for work in detecting.running),
        notices=tuple(detecting.said()),
    )


def _timings(found: Sequence[Detection]) -> tuple[StepTiming, ...]:
    if not found:
        return ()
    names = list(found[0].steps)
    timings = []
    for before, step in itertools.pairwise(names):
        pauses = pl.Series([one.steps[step]["time"] - one.steps[before]["time"] for one in found], dtype=pl.Int64)
        p50, p95 = (int(pauses.quantile(share, "nearest") or 0) for share in (0.5, 0.95))
        timings.append(StepTiming(step, p50, p95, int(pauses.max() or 0)))  # type: ignore[arg-type]  # of Int64
    return tuple(timings)
