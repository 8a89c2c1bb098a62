"""The part of a session that keeps and tells cases, and how it goes over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from logscope.engine.cases.casefile import kept_options, whole_sources
from logscope.engine.cases.folder import Cases
from logscope.engine.pinned import CaseFile, Pin

if TYPE_CHECKING:
    from logscope.engine.answers import Line
    from logscope.engine.api import Cancel
    from logscope.engine.overtime import Trends
    from logscope.engine.pinned import Found
    from logscope.engine.session import Session


class Casework:
    """Thin answers; the work is done in the modules named (see `Investigation` for each method)."""

    _session: Session

    @cached_property
    def cases(self) -> Cases:
        """The cases that are kept."""
        return Cases()

    def new_case(self, name: str = "", sources: Sequence[str] = ()) -> CaseFile:
        """An empty case of what is open."""
        return CaseFile(name, whole_sources(sources), kept_options(self._session.options))

    def pin_record(self, line: Line) -> Pin:
        """A pin on a record."""
        from logscope.engine.cases.finding import record_pin

        return record_pin(line)

    def pin_transaction(self, number: int) -> Pin:
        """A pin on a transaction."""
        from logscope.engine.cases.finding import transaction_pin

        return transaction_pin(self._session, number)

    def find_pins(self, pins: Sequence[Pin], *, cancel: Cancel) -> Sequence[Found]:
        """What pins stand for now."""
        from logscope.engine.cases.finding import find_pins

        return find_pins(self._session, pins, cancel)

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
        """Write a report of a case, or of some transactions."""
        from logscope.engine.cases.finding import transaction_pin
        from logscope.engine.cases.reporting import export

        pins = [*(case.pins if case else ()), *(transaction_pin(self._session, number) for number in numbers)]
        told = case or replace(self.new_case(sources=self._session.options.sources), notes=notes)
        export(self._session, path, pins, case=replace(told, pins=tuple(pins)), kept=kept, redact=redact, cancel=cancel)

    def trends(
        self, over: str = "all", *, every: int | None = None, most: int = 20, where: str = "", cancel: Cancel
    ) -> Trends:
        """Figures over time."""
        from logscope.engine.analysis.trends import trends

        return trends(self._session, over, every=every, most=most, where=where, cancel=cancel)
