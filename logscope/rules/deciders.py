"""Which machine runs a rule: the engine asks here and needs to know none of them."""

from __future__ import annotations

from logscope.rules.detector import Detector
from logscope.rules.model.rule import Rule
from logscope.rules.silences.detector import SilenceDetector
from logscope.rules.stepping import StepDetector
from logscope.rules.windows.detector import WindowDetector


def decider_of(rule: Rule, *, every: bool = False) -> StepDetector:
    """The machine that runs a rule over records or other rules' detections.

    Args:
        rule: Not over whole transactions.
        every: Of a correlation: tell each time at which its condition holds.
    """
    if rule.windows is not None:
        return WindowDetector(rule, every=every)
    if rule.silence is not None:
        return SilenceDetector(rule)
    return Detector(rule)
