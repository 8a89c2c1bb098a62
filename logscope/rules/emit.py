"""What a rule says of a match: a message and output fields, both from names `STEP.FIELD`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from logscope.errors import RuleError
from logscope.rules.nearest import nearest
from logscope.rules.values import Value
from logscope.templating import Template

RECORD_STEP = "record"
"""The name of the one step of a rule over single records."""

WHOLE_STEP = "transaction"
"""What stands for the whole in a rule over transactions."""


@dataclass(frozen=True, slots=True)
class StepField:
    """`STEP.FIELD`: a value of the record that a step matched."""

    step: str
    field: str

    def __str__(self) -> str:
        """As written."""
        return f"{self.step}.{self.field}"


@dataclass(frozen=True, slots=True)
class Emit:
    """The `emit` part of a rule."""

    message: Template | None = None
    fields: Mapping[str, StepField] = field(default_factory=dict)
    """Output name to where its value comes from."""
    suppress_us: int | None = None
    """Dispatch at most once per key in this time; detection does not heed it."""
    lookups: Mapping[str, StepField] = field(default_factory=dict)
    """Each name in the message to where its value comes from."""

    @property
    def needs(self) -> frozenset[StepField]:
        """All the values it reads."""
        return frozenset(self.fields.values()) | frozenset(self.lookups.values())

    def render(self, values: Mapping[StepField, Value | None], fallback: str) -> tuple[str, dict[str, Value]]:
        """The message and the output of one match.

        Args:
            values: By what `needs` names.
            fallback: The message of a rule without one.

        Returns:
            (message, output): a missing value is empty in the message and no key in the output.
        """
        output = {name: value for name, source in self.fields.items() if (value := values.get(source)) is not None}
        if self.message is None:
            return fallback, output
        return self.message.render(lambda name: _text(values.get(self.lookups[name]))), output


def step_field(name: str, steps: Collection[str], absent: Collection[str] = ()) -> StepField:
    """Read `STEP.FIELD`.

    Args:
        name: As written; in a rule over single records or whole transactions FIELD alone will do.
        steps: Names of the positive steps.
        absent: Names of the absent ones, for a better word.

    Raises:
        RuleError: No such step, an absent one, or no field.
    """
    step, dot, rest = name.partition(".")
    if dot and rest and step in steps:
        return StepField(step, rest)
    if list(steps) in ([RECORD_STEP], [WHOLE_STEP]) and (step not in steps or not dot):
        return StepField(next(iter(steps)), name)
    if step in absent:
        raise RuleError(f"{name}: step {step} is absent and has no values", mend="name a step that happens")
    if step in steps:
        raise RuleError(f"{name} names a step but no field", mend=f"write {step}.FIELD")
    raise RuleError(f"{name}: there is no step {step}", mend=nearest(step, steps, "steps are"))


def _text(value: Value | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
