"""What an analyst has made of a view, as one value: it can be undone, kept, and brought back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

from logscope.tui.trail import Step

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NamedSearch:
    """A search that stays painted in a colour of its own."""

    name: str
    text: str
    """In the filter language."""
    color: int
    """Which of the lane colours."""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Note:
    """What is written on a record, which is known by its source and line."""

    source: str
    line: int
    letter: str = ""
    text: str = ""

    @property
    def tags(self) -> tuple[str, ...]:
        """The words of the text that begin with `#`."""
        return tuple(word for word in self.text.split() if len(word) > 1 and word.startswith("#"))


@dataclass(frozen=True, slots=True)
class ViewState:
    """Everything of a records view that undo and sessions bring back."""

    steps: tuple[Step, ...] = ()
    position: int = 0
    columns: tuple[str, ...] = ()
    searches: tuple[NamedSearch, ...] = ()
    notes: tuple[Note, ...] = ()
    hidden: tuple[str, ...] = ()
    """Sources that are switched off."""
    context: int = 0
    wrap: bool = False
    split: bool = False
    zone: str | None = None
    delta: str | None = None

    @property
    def bare(self) -> ViewState:
        """Without what the engine counted: two views that show the same are equal."""
        return replace(self, steps=tuple(replace(step, count=None) for step in self.steps))


def to_json(state: ViewState) -> dict[str, Any]:
    """A state as JSON holds it."""
    return asdict(state.bare)


def _made(kind: type[T], data: Any) -> T:
    if not isinstance(data, dict):
        raise TypeError(f"no {kind.__name__}")
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]  # only dataclasses are given
    return kind(**{name: value for name, value in data.items() if name in known})


def from_json(data: Any) -> ViewState:
    """A state from JSON; names of later versions are passed over.

    Raises:
        ValueError: It is none.
    """
    try:
        state: ViewState = _made(ViewState, data)
        state = replace(
            state,
            steps=tuple(_made(Step, one) for one in state.steps),
            searches=tuple(_made(NamedSearch, one) for one in state.searches),
            notes=tuple(_made(Note, one) for one in state.notes),
            columns=tuple(str(one) for one in state.columns),
            hidden=tuple(str(one) for one in state.hidden),
            position=max(0, min(int(state.position), len(state.steps))),
            context=max(0, min(int(state.context), 1000)),
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError("not a view's state") from error
    texts = [step.text for step in state.steps]
    texts += [one.text for one in state.searches] + [one.text for one in state.notes]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("not a view's state")
    return state
