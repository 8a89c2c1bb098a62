"""What several rules read of one frame of records is read once.

A filter that can share names itself by `SharedFilter`. Whoever applies many rules to a frame does it
within `Sharing.over`; outside of it every filter reads for itself, with the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar, runtime_checkable

import polars as pl

from logscope.rules.model.rule import Rule
from logscope.rules.model.windows import Windows

Made = TypeVar("Made")


@runtime_checkable
class SharedFilter(Protocol):
    """A filter that shares what it reads with others of its kind."""

    @property
    def kind(self) -> object:
        """Equal for filters that read alike."""


@runtime_checkable
class _Seeking(Protocol):
    """See `seeking.Seeking`."""

    @property
    def literals(self) -> frozenset[tuple[str, str]] | None: ...


class SharedFrame:
    """One frame, the filters that are applied to it, and what has been made of it so far."""

    def __init__(self, frame: pl.DataFrame, filters: tuple[object, ...]) -> None:
        """Nothing is made yet."""
        self.frame = frame
        self.filters = filters
        self._known = {id(each) for each in filters}
        self._made: dict[Any, Any] = {}

    def __contains__(self, asked: object) -> bool:
        """Whether a filter is one of those that are applied."""
        return id(asked) in self._known

    def once(self, key: object, make: Callable[[], Made]) -> Made:
        """What `make` gives, made once for a key."""
        if key not in self._made:
            self._made[key] = make()
        found: Made = self._made[key]
        return found


_CURRENT: ContextVar[SharedFrame | None] = ContextVar("shared_frame", default=None)


def shared_frame(frame: pl.DataFrame) -> SharedFrame | None:
    """What is shared of a frame, if it is the one that rules are being applied to."""
    shared = _CURRENT.get()
    return shared if shared is not None and shared.frame is frame else None


class Sharing:
    """The filters of some rules, to be applied together.

    Args:
        rules: The rules.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Collects their filters."""
        found = (each for rule in rules for each in filters_of(rule))
        self._filters = tuple({id(each): each for each in found if isinstance(each, SharedFilter | _Seeking)}.values())

    @contextmanager
    def over(self, frame: pl.DataFrame) -> Iterator[None]:
        """Within it the filters share what they read of `frame`."""
        token = _CURRENT.set(SharedFrame(frame, self._filters))
        try:
            yield
        finally:
            _CURRENT.reset(token)


def filters_of(rule: Rule) -> Iterator[object]:
    """The filters over records by which a rule finds its hits; of one over whole transactions none."""
    if rule.sequence is not None:
        yield from (step.filter for step in rule.sequence.steps)
        if rule.sequence.until is not None:
            yield rule.sequence.until.filter
    if rule.windows is not None:
        yield from _leaves(rule.windows)


def _leaves(node: Windows) -> Iterator[object]:
    for slot in node.slots:
        if isinstance(slot.source, Windows):
            yield from _leaves(slot.source)
        else:
            yield slot.source.filter
