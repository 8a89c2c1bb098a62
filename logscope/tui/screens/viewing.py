"""What the records screen shows: asks the engine for views, windows, bars, and keeps them fresh."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from logscope.engine.answers import AbsentStep, Bucket, Snapshot, View
from logscope.engine.api import Cancel, Investigation
from logscope.errors import LogscopeError
from logscope.text import clean
from logscope.tui.clock import DAY
from logscope.tui.queries import MOVES
from logscope.tui.windows import Window

if TYPE_CHECKING:
    from logscope.tui.screens.records import RecordsScreen

RESTED = 4
"""How many times as long as an answer took the next question of its kind waits."""


ABSENT_MOST = 5_000
"""Records of a view up to which absent steps are rows of their own."""


def absent_in(investigation: Investigation, view: View) -> list[tuple[int, AbsentStep]]:
    """Steps that did not happen, of detections with a step in a view: (position it stands after, step)."""
    places = {row: place for place, row in enumerate(view.rows.to_list())}
    found: list[tuple[int, AbsentStep]] = []
    for one in investigation.detections(pending=False):
        steps = [(step["time"], places[step["row"]]) for step in one.steps.values() if step.get("row") in places]
        if not steps or one.number is None:
            continue
        for absent in investigation.transaction(one.number).absent:
            before = [place for time, place in steps if time <= absent.start]
            if absent.rule == one.rule:
                found.append((max(before) if before else min(place for _, place in steps), absent))
    return list(dict.fromkeys(found))


class Viewing:
    """The present view of a records screen."""

    def __init__(self, screen: RecordsScreen) -> None:
        """Shows in `screen`."""
        self._screen = screen
        self.hits: View | None = None
        """What the trail keeps, without context rows."""
        self._hidden: tuple[str, ...] = ()
        self.seen = 0
        """Records in view when following was left, for `+n new`."""
        self._next_refresh = 0.0
        self._waiting = False
        self._prepared_at = -1
        self._next_prepare = 0.0
        self._findings_shown = -1
        self._next_told = 0.0
        self._telling = False
        self._watches = False

    @property
    def hidden(self) -> tuple[str, ...]:
        """Sources that are switched off."""
        return self._hidden

    @hidden.setter
    def hidden(self, names: Sequence[str]) -> None:
        self._hidden = tuple(names)
        self._screen.investigation.hide_sources(self._hidden)

    def snapshot_changed(self, snapshot: Snapshot) -> None:
        """Ask for what is new, no more often than the engine can answer."""
        self._catch_up()
        if snapshot.findings != self._findings_shown and not snapshot.loading:
            self._findings_shown = snapshot.findings
            self._mark_again()
        self._prepare_if_due(snapshot)

    def _mark_again(self) -> None:
        """Detections have changed: marks at once, absent steps and strip as often as they can be had."""
        screen = self._screen
        screen.main_list.mark_again()
        screen.splitting.mark_again()
        screen.show_status()
        self._retell()

    def _retell(self) -> None:
        screen = self._screen
        if time.monotonic() >= self._next_told:
            self._next_told = time.monotonic() + max(0.5, RESTED * screen.queries.took.get("histogram", 0.0))
            self.ask_absent()
            self.ask_histogram()
        elif not self._telling:
            self._telling = True
            screen.set_timer(0.5, self._tell_again)

    def _tell_again(self) -> None:
        self._telling = False
        self._retell()

    def _catch_up(self) -> None:
        screen = self._screen
        view, snapshot = screen.main_list.view, screen.scope.snapshot
        if view is not None and view.generation >= snapshot.generation:
            return
        if not screen.queries.busy("view") and time.monotonic() >= self._next_refresh:
            self.refresh(grown=True)
        elif not self._waiting:
            self._waiting = True
            screen.set_timer(0.25, self._try_again)

    def _try_again(self) -> None:
        self._waiting = False
        self._catch_up()

    def refresh(
        self, *, grown: bool = False, base: View | None = None, text: str | None = None, anchor: int | None = None
    ) -> None:
        """Ask for the view that the trail stands for.

        Args:
            grown: The same view as now, with what came since.
            base: Narrow within this view only.
            text: The filter within `base`.
            anchor: The record to stand on; by default the present one.
        """
        screen = self._screen
        investigation, whole = screen.investigation, screen.trail.filter_text
        asked = whole if base is None or text is None else text
        record = screen.line
        # Who has not moved from the top stays there, whatever comes before the first record.
        moved = record is not None and not (grown and screen.main_list.place == 0)
        stand = anchor if anchor is not None else record.row if record is not None and moved else None
        stay = screen.main_list.place if grown else None
        pivots = [step.text for step in screen.trail.effective if step.kind in ("pivot", "filter")]

        def partial(growing: View) -> None:
            screen.call_later(self._partial, whole, growing)

        around = screen.looks.context if whole else 0

        def call(cancel: Cancel) -> tuple[View, View, int | None, int | None, tuple[str, ...]]:
            hits = investigation.view(asked, cancel=cancel, base=base, partial=None if grown else partial)
            view = investigation.with_context(hits, around) if around else hits
            position = investigation.position(view, stand) if stand is not None and len(view.rows) else None
            patterns = tuple(pattern for one in pivots for pattern in investigation.highlights(one))
            return hits, view, position if position is not None else stay, investigation.time_at(view, 0), patterns

        screen.queries.ask(
            "view",
            call,
            lambda found: self._arrived(*found, grown=grown),
            label="" if grown else "filtering" if whole else "reading",
            failed=self._failed,
            holds=0.0 if grown else MOVES,
        )

    def _partial(self, whole: str, view: View) -> None:
        screen = self._screen
        if whole == screen.trail.filter_text and screen.queries.busy("view"):
            screen.main_list.show(view, grown=True)
            screen.show_status()

    def _failed(self, error: LogscopeError) -> None:
        # The step that does not compile is taken back; what was typed stays in the bar.
        screen = self._screen
        if screen.bar.is_open:
            screen.trail.drop_last()
        screen.tell(error)

    def _arrived(
        self,
        hits: View,
        view: View,
        position: int | None,
        origin: int | None,
        patterns: tuple[str, ...],
        *,
        grown: bool,
    ) -> None:
        screen = self._screen
        self.hits = hits
        self._next_refresh = time.monotonic() + max(0.2, RESTED * screen.queries.took.get("view", 0.0))
        records, snapshot = screen.main_list, screen.scope.snapshot
        records.origin = origin
        records.pivoted = patterns
        records.delta = screen.delta_now()
        records.with_day = (
            snapshot.start is not None and snapshot.end is not None and snapshot.end - snapshot.start > DAY
        )
        records.restyle()
        if not grown or not self.seen:
            self.seen = len(view.rows)
        screen.trail.counted(len(hits.rows))
        screen.keeping.counted()
        records.show(view, grown=grown, cursor=position)
        records.teach(self._empty())
        if screen.bar.is_open and screen.bar.purpose in ("filter", "exclude") and not grown:
            screen.close_bar()
        screen.show_title()
        screen.show_status()
        self.ask_absent()
        self.ask_histogram()
        screen.view_arrived(grown=grown)
        self._prepare_if_due(snapshot)

    def ask_absent(self) -> None:
        """Of a pivot, the steps that did not happen, after the step before them."""
        screen = self._screen
        view, investigation = screen.main_list.view, screen.investigation
        if view is None or screen.trail.pivot is None or len(view.rows) > ABSENT_MOST:
            return
        screen.queries.ask(
            "absent",
            lambda _: absent_in(investigation, view),
            lambda found: screen.main_list.show_absent(found) if screen.main_list.view is view else None,
        )

    def _empty(self) -> list[str]:
        screen = self._screen
        keys = screen.scope.keys
        if screen.trail.effective:
            return [
                "Nothing matches " + clean(screen.trail.filter_text, cap=200),
                "",
                f"{keys.shown('records.back')} goes a step back, {keys.shown('records.trail')} switches steps off.",
            ]
        if screen.scope.snapshot.loading:
            return ["Reading …"]
        if screen.scope.snapshot.live:
            return ["No records yet: waiting for the first.", "", ":sources shows what is listened to."]
        return ["No records.", "", ":sources shows what was read, and why it holds none."]

    def request(self, start: int, stop: int, version: int) -> None:
        """Fetch a window for the list."""
        screen = self._screen
        view, investigation = screen.main_list.view, screen.investigation
        if view is None:
            return
        columns = screen.main_list.columns
        context = None if view.context is None else view.context.slice(start, stop - start)

        def call(_: Cancel) -> Window:
            lines = list(investigation.lines(view, max(0, start - 1), stop))
            before = lines.pop(0) if start and lines else None
            rows = [one.row for one in lines]
            near = frozenset() if context is None else frozenset(view.rows.slice(start, stop - start).filter(context))
            cells = investigation.cells(rows, columns) if columns else {}
            return Window(start, tuple(lines), before, version, near, cells)

        screen.queries.ask(f"window {start}", call, screen.main_list.received)

    def ask_histogram(self) -> None:
        """Fetch as many bars as fit."""
        screen = self._screen
        view, investigation = self.hits, screen.investigation
        wanted = screen.timeline.wanted
        if view is not None:
            screen.queries.ask("histogram", lambda _: investigation.histogram(view, wanted), self._bars)

    def _bars(self, buckets: Sequence[Bucket]) -> None:
        record = self._screen.line
        self._screen.timeline.show(buckets)
        self._screen.timeline.point(record.time if record else None)

    def prepare_again(self) -> None:
        """Rules have changed: run them, whatever was prepared before."""
        self._prepared_at, self._next_prepare = -1, 0.0
        self._screen.queries.give_up("prepare")
        self._prepare_if_due(self._screen.scope.snapshot)

    def _prepare_if_due(self, snapshot: Snapshot) -> None:
        """Find transactions and detections behind the analyst's back, once everything is read."""
        screen = self._screen
        if snapshot.loading or screen.queries.busy("prepare") or self._prepared_at == snapshot.generation:
            return
        if time.monotonic() < self._next_prepare:
            return
        first, investigation = self._prepared_at < 0, screen.investigation

        def call(cancel: Cancel) -> None:
            investigation.prepare_transactions(cancel=cancel)

        self._prepared_at = snapshot.generation
        screen.queries.ask("prepare", call, self._prepared, label="linking" if first else "")

    def _prepared(self, _: None) -> None:
        screen = self._screen
        self._next_prepare = time.monotonic() + max(1.0, RESTED * screen.queries.took.get("prepare", 0.0))
        screen.scope.snapshot = screen.investigation.snapshot
        self._mark_again()
        if not self._watches:
            self._watches = True
            # Rules are YAML: to load it before the first screen would hold that up.
            screen.queries.ask("watch", lambda _: screen.scope.watch_rules(), lambda _: None)
        screen.show_title()
