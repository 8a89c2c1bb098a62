"""What an analyst pins: cases as a face gets and keeps them, and what it may ask about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from logscope.engine.answers import Line
    from logscope.engine.api import Cancel
    from logscope.engine.overtime import Trends


@dataclass(frozen=True, slots=True)
class Pin:
    """One record or transaction that was pinned."""

    kind: str
    """`record` or `transaction`."""
    source: str
    line: int
    """The record; of a transaction its first one."""
    note: str = ""
    title: str = ""
    """What it was called when it was pinned: what is shown where it is not found."""
    transaction: str = ""
    """The transaction's id; empty of a record."""
    keys: tuple[tuple[str, str], ...] = ()
    """Key values that find the transaction again where neither id nor record does, the surest first."""

    @property
    def place(self) -> tuple[str, str, int, str]:
        """What tells it from other pins."""
        return (self.kind, self.source, self.line, self.transaction or self.title)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case."""

    name: str
    sources: tuple[str, ...] = ()
    """As `logscope` takes them, paths absolute."""
    options: tuple[tuple[str, Any], ...] = ()
    """Options of reading and linking that are not their defaults, by name."""
    notes: str = ""
    pins: tuple[Pin, ...] = ()
    state: Any = None
    """The records view as the investigator keeps it in sessions; None: as it opens."""
    place: tuple[str, int] | None = None
    """Source and line of the record one stood on."""
    saved: float = 0.0
    """When, seconds since 1970 UTC."""

    def with_pin(self, pin: Pin) -> CaseFile:
        """The case with a pin more, or without it if it has it."""
        rest = tuple(one for one in self.pins if one.place != pin.place)
        return replace(self, pins=rest if len(rest) < len(self.pins) else (*self.pins, pin))

    def with_note(self, place: int, note: str) -> CaseFile:
        """The case with another note on its pin number `place` (from 0)."""
        pins = list(self.pins)
        pins[place] = replace(pins[place], note=note)
        return replace(self, pins=tuple(pins))


@dataclass(frozen=True, slots=True)
class Found:
    """A pin with what it stands for now."""

    pin: Pin
    row: int | None = None
    """The record; of a transaction its first."""
    number: int | None = None
    """The transaction."""

    @property
    def missing(self) -> bool:
        """It is not there any more, or not yet."""
        return self.number is None if self.pin.kind == "transaction" else self.row is None


class CaseFolder(Protocol):
    """Where cases are kept."""

    def load(self, wanted: str) -> CaseFile:
        """A case by name or from a file.

        Raises:
            UsageError: There is none, or it cannot be read.
        """

    def save(self, case: CaseFile) -> CaseFile:
        """Keep a case; returns it as kept.

        Raises:
            UsageError: It cannot be written.
        """

    def all(self) -> Sequence[CaseFile]:
        """All, the last one first."""

    def of_sources(self, sources: Sequence[str]) -> CaseFile | None:
        """The last case that was made of just these sources."""

    def free_name(self, sources: Sequence[str]) -> str:
        """A name for a new case."""


class Casing(Protocol):
    """The part of an `Investigation` that keeps and tells cases, and how it goes over time."""

    @property
    def cases(self) -> CaseFolder:
        """The cases that are kept."""

    def new_case(self, name: str = "", sources: Sequence[str] = ()) -> CaseFile:
        """An empty case of what is open."""

    def pin_record(self, line: Line) -> Pin:
        """A pin on a record."""

    def pin_transaction(self, number: int) -> Pin:
        """A pin on a transaction."""

    def find_pins(self, pins: Sequence[Pin], *, cancel: Cancel) -> Sequence[Found]:
        """What pins stand for now."""

    def export(
        self,
        path: Path,
        numbers: Sequence[int] = (),
        *,
        case: CaseFile | None = None,
        kept: str = "",
        notes: str = "",
        redact: bool = False,
        cancel: Cancel,
    ) -> None:
        """Write a report of a case, or of some transactions, by the file's ending `.md`, `.html` or `.json`.

        Args:
            path: The file.
            numbers: Transactions, after those of the case.
            case: What is pinned.
            kept: How `--case` names the case; empty: it is not kept.
            notes: Words of the user's own, where there is no case.
            redact: Mask ids, addresses and names.
            cancel: Looked at between transactions.

        Raises:
            UsageError: Another ending, or it cannot be written.
        """

    def trends(
        self, over: str = "all", *, every: int | None = None, most: int = 20, where: str = "", cancel: Cancel
    ) -> Trends:
        """Figures over time by `all`, `service`, `rule`, `shape`, `source`, `level` or a key.

        Args:
            over: Which.
            every: Length of a stretch of time, microseconds; None: sixty stretches at most.
            most: Values at most.
            where: Only these transactions.
            cancel: Looked at between segments.

        Raises:
            UsageError: There is no such kind or key.
            FilterError: `where` does not compile.
        """
