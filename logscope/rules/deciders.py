"""Which machine runs a rule: the engine asks here and needs to know none of them."""

from __future__ import annotations

from logscope.rules.detector import Detector
from logscope.rules.model import Rule
from logscope.rules.stepping import StepDetector


def decider_of(rule: Rule) -> StepDetector:
    """The machine that runs a rule over records or other rules' detections.

    Args:
        rule: Not over whole transactions.
    """
    return Detector(rule)
