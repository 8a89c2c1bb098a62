"""A Sigma detection document to a filter over records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.exceptions import SigmaError
from sigma.rule import SigmaDetections, SigmaRule
from sigma.types import SigmaFieldReference

from logscope.errors import RuleError
from logscope.rules.sharing import shared_frame
from logscope.rules.sigma.needles import Needles, needles_of
from logscope.rules.sigma.pipelines import Pipeline, pipeline_of, placeholders
from logscope.rules.sigma.policy import POLICY, words_of
from logscope.rules.sigma.predicates import Mask, all_of, any_of, contains_any, none_of, plain_part, predicate
from logscope.rules.sigma.values import SigmaValues
from logscope.rules.sigma.view import PipelineView
from logscope.rules.values import candidates


@dataclass(frozen=True, slots=True)
class SigmaFilter:
    """A Sigma detection, to be asked like any compiled filter."""

    columns: frozenset[str]
    """Columns that the frame must be asked for."""
    pipeline: Pipeline
    condition: Mask
    where: str
    """The condition as written."""
    logsource: str
    """Category, product and service in words."""

    source: tuple[str | None, str | None, str | None]
    """Category, product and service."""
    needles: Needles | None
    """Texts of which a record that matches has one; None: it may have none."""

    @property
    def kind(self) -> object:
        """See `sharing.SharedFilter`: rules of one pipeline read alike."""
        return id(self.pipeline)

    @property
    def gate_columns(self) -> frozenset[str]:
        """See `gates.Gated`: what tells whether a record is of the logsource."""
        return _columns(set(), self.pipeline)

    def admits(self, frame: pl.DataFrame) -> bool:
        """See `gates.Gated`."""
        part = SigmaValues(frame, self.pipeline).takes_part()
        return part is None or bool(part.any())

    def narrowed(self, detections: SigmaDetections) -> SigmaFilter:
        """One that matches only where these detections do too.

        Raises:
            RuleError: Something in them cannot be evaluated.
            SigmaError: Their condition does not parse.
        """
        names: set[str | None] = set()
        more = [_compiled(condition.parsed, names) for condition in detections.parsed_condition]
        columns = self.columns | _columns(names, self.pipeline)
        return replace(self, columns=columns, condition=all_of([self.condition, any_of(more)]))

    def mask(self, frame: pl.DataFrame) -> pl.Series:
        """Which records match: Boolean, never null, of the frame's height."""
        shared = shared_frame(frame)
        if shared is None or self not in shared:
            return PipelineView(frame, self.pipeline, (self,)).mask(self)

        def view() -> PipelineView:
            alike = [each for each in shared.filters if isinstance(each, SigmaFilter) and each.kind == self.kind]
            return PipelineView(frame, self.pipeline, alike)

        return shared.once(self.kind, view).mask(self)


def compile_detection(document: dict[str, Any]) -> SigmaFilter:
    """Compile one Sigma detection rule.

    Args:
        document: The YAML document without lines.

    Raises:
        RuleError: pySigma refuses it, or something in it cannot be evaluated.
    """
    try:
        rule = SigmaRule.from_dict(document, policy=POLICY)
        _put_in_placeholders(rule)
        parsed = [condition.parsed for condition in rule.detection.parsed_condition]
        names: set[str | None] = set()
        masks = [_compiled(tree, names) for tree in parsed]
        needles = needles_of(ConditionOR(parsed))
    except SigmaError as error:
        raise RuleError(f"not a Sigma rule: {words_of(error)}") from None
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        # pySigma looks at some values before it knows what they are; one bad rule stops no other.
        raise RuleError(f"not a Sigma rule: {type(error).__name__}: {error}") from None
    except RecursionError:
        raise RuleError("the condition is nested too deep", mend="write it with fewer parentheses") from None
    source = rule.logsource
    logsource = {"category": source.category, "product": source.product, "service": source.service}
    pipeline = pipeline_of(logsource)
    where = " or ".join(f"({text})" for text in rule.detection.condition) if len(parsed) > 1 else ""
    said = ", ".join(f"{name} {value}" for name, value in logsource.items() if value is not None)
    condition = where or rule.detection.condition[0]
    return SigmaFilter(
        _columns(names, pipeline),
        pipeline,
        any_of(masks),
        condition,
        said or "nothing",
        (source.category, source.product, source.service),
        needles,
    )


def _put_in_placeholders(rule: SigmaRule) -> None:
    """Values for the names that `expand` marks; names without any stay, and are refused where they stand."""
    values = placeholders()
    if not values:
        return
    from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
    from sigma.processing.transformations import ValueListPlaceholderTransformation

    transformation = ValueListPlaceholderTransformation(include=list(values))
    ProcessingPipeline(items=[ProcessingItem(transformation)], vars=dict(values)).apply(rule)


def _compiled(node: object, names: set[str | None]) -> Mask:
    if isinstance(node, ConditionNOT):
        return none_of(_compiled(node.args[0], names))
    if isinstance(node, ConditionAND):
        return all_of([_compiled(arg, names) for arg in node.args])
    if isinstance(node, ConditionOR):
        return _alternatives(node, names)
    if isinstance(node, ConditionFieldEqualsValueExpression):
        names.add(node.field)
        if isinstance(node.value, SigmaFieldReference):
            names.add(node.value.field)
        return predicate(node.field, node.value)
    if isinstance(node, ConditionValueExpression):
        names.add(None)
        return predicate(None, node.value)
    raise RuleError(f"the condition has a part that is not supported: {type(node).__name__}")


def _alternatives(node: ConditionOR, names: set[str | None]) -> Mask:
    """An `or`; the texts that one field may contain are sought together."""
    sought: dict[str, list[str]] = {}
    masks: list[Mask] = []
    for arg in node.args:
        text = plain_part(arg.value) if isinstance(arg, ConditionFieldEqualsValueExpression) else None
        if text is None or not isinstance(arg, ConditionFieldEqualsValueExpression):
            masks.append(_compiled(arg, names))
        else:
            names.add(arg.field)
            sought.setdefault(arg.field, []).append(text)
    return any_of([*(contains_any(name, texts) for name, texts in sought.items()), *masks])


def _columns(names: set[str | None], pipeline: Pipeline) -> frozenset[str]:
    if not pipeline.known:
        return frozenset()
    ours = [*pipeline.present, *(("service",) if pipeline.services else ()), *(("format",) if pipeline.formats else ())]
    for name in names:
        ours += ("raw",) if name is None else pipeline.source(name).names
    return frozenset(column for name in ours for column in candidates(name))
