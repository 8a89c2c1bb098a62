"""What has been made of a records view: undone and done again, kept for the next time, brought back."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from logscope.errors import UsageError
from logscope.text import human_duration
from logscope.tui.reopening import Reopen
from logscope.tui.screens.picking import Choice, PickScreen
from logscope.tui.sessions import Kept, Sessions
from logscope.tui.viewstate import ViewState, from_json

if TYPE_CHECKING:
    from logscope.tui.screens.records import RecordsScreen

MOST = 200
"""Changes that can be undone."""


class Keeping:
    """Watches a records screen; every change of its state can be undone."""

    def __init__(self, screen: RecordsScreen) -> None:
        """Watches `screen`."""
        self._screen = screen
        self._now = ViewState()
        self._undone: list[ViewState] = []
        self._done: list[ViewState] = []
        self._fingerprint = ""
        self._asked = False
        self._kept: Kept | None = None
        self._place: tuple[str, int] | None = None
        """Where one stands: source and line."""

    @property
    def place(self) -> tuple[str, int] | None:
        """Source and line of the record one stands on."""
        return self._place

    def state(self) -> ViewState:
        """What has been made of the view."""
        screen = self._screen
        rows = screen.main_list
        return ViewState(
            steps=tuple(screen.trail.steps),
            position=screen.trail.position,
            columns=rows.columns,
            searches=tuple(screen.searches.named),
            notes=tuple(screen.noting.notes.values()),
            hidden=tuple(screen.viewing.hidden),
            context=screen.looks.context,
            wrap=rows.wrap,
            zone=screen.looks.zone,
            delta=screen.delta_chosen,
        )

    def noticed(self) -> None:
        """Something may have changed: remember what was."""
        now = self.state()
        if now.bare != self._now.bare:
            self._done.append(self._now)
            del self._done[:-MOST]
            self._undone.clear()
            self._now = now

    def counted(self) -> None:
        """A step of the trail has its count: whoever comes back to the view sees it."""
        now = self.state()
        if now.bare == self._now.bare:
            self._now = now

    def undo(self) -> None:
        """Take the last change back."""
        if not self._done:
            self._screen.scope.say("nothing to undo")
            return
        self._undone.append(self._now)
        self.bring(self._done.pop())

    def redo(self) -> None:
        """Do again what was taken back."""
        if not self._undone:
            self._screen.scope.say("nothing to do again")
            return
        self._done.append(self._now)
        self.bring(self._undone.pop())

    def bring(self, state: ViewState, *, anchor: int | None = None) -> None:
        """Show another state; that is no change that can be undone.

        Args:
            state: What to show.
            anchor: The record to stand on; by default the present one.
        """
        screen = self._screen
        rows = screen.main_list
        self._now = state
        screen.trail.steps = list(state.steps)
        screen.trail.position = state.position
        rows.columns, rows.wrap = state.columns, state.wrap
        screen.delta_chosen = state.delta
        screen.looks.context = state.context
        screen.searches.set(state.searches)
        screen.noting.set(state.notes)
        screen.viewing.hidden = state.hidden
        if state.zone != screen.looks.zone:
            screen.looks.set_zone(state.zone, told=False)
        screen.show_columns()
        screen.show_title()
        screen.viewing.refresh(anchor=anchor)

    # Sessions

    @property
    def _sessions(self) -> Sessions | None:
        return self._screen.scope.sessions

    def stands(self) -> None:
        """Remember the record under the cursor."""
        record = self._screen.line
        if record is not None:
            self._place = (record.source, record.line)

    def look(self) -> None:
        """Bring back what was made of these sources the last time, once it is known which they are."""
        screen, investigation = self._screen, self._screen.investigation
        if self._kept is not None and not screen.scope.snapshot.loading:
            self._go_back(self._kept)
        if self._sessions is None or self._fingerprint or self._asked:
            return
        self._asked = True
        sessions, wanted = self._sessions, screen.scope.first_session
        case = screen.scope.first_case

        def arrived(found: tuple[str, Kept | None]) -> None:
            self._fingerprint, kept = found
            self._asked = False
            if kept is not None and not self._done and kept.state.bare != ViewState():
                self.open(kept)
            elif kept is not None:
                self._kept = kept

        def call() -> tuple[str, Kept | None]:
            name = investigation.fingerprint()
            if case is not None and case.state is not None:
                with contextlib.suppress(ValueError):
                    return name, Kept(name, case.sources, from_json(case.state), case.place, case.saved, case.name)
            return name, sessions.named(wanted) if wanted else sessions.load(name) if name else None

        screen.queries.ask("session", lambda _: call(), arrived)

    def open(self, kept: Kept) -> None:
        """Show a session; what was before can be come back to by undo."""
        screen = self._screen
        self._done.append(self._now)
        self._kept = kept
        self.bring(kept.state)
        parts = []
        for count, word in (
            (kept.state.position, "step"),
            (len(kept.state.notes), "mark"),
            (len(kept.state.columns), "column"),
        ):
            parts += [f"{count} {word}{'s' * (count != 1)}"] if count else []
        undo = screen.scope.keys.shown("records.undo")
        screen.scope.say(f"as you left it{': ' + ', '.join(parts) if parts else ''} · {undo} begins anew")
        if not screen.scope.snapshot.loading:
            self._go_back(kept)

    def _go_back(self, kept: Kept) -> None:
        """Stand where one stood, unless one has moved since."""
        screen, investigation = self._screen, self._screen.investigation
        self._kept = None
        place = kept.place
        screen.noting.locate()
        if place is None or screen.main_list.place or screen.main_list.following:
            return

        def found(rows: dict[tuple[str, int], int]) -> None:
            for row in rows.values():
                if screen.queries.busy("view"):
                    screen.viewing.refresh(anchor=row)
                else:
                    screen.jumps.to_row(row)

        screen.queries.ask("place", lambda _: investigation.located([place]), found)

    def save(self, sessions: Sessions, sources: Sequence[str]) -> None:
        """Keep what there is for the next time; called when the screen is gone, too."""
        if self._fingerprint:
            sessions.save(self._fingerprint, sources, self._now, self._place)

    def command(self, name: str, argument: str) -> bool:
        """`:session save NAME`, `:session NAME`, `:session new`, `:sessions`, `:open`; False if it is none."""
        screen = self._screen
        if name not in ("session", "sessions", "open"):
            return False
        if self._sessions is None:
            raise UsageError("sessions are not kept here")
        verb, _, rest = argument.partition(" ")
        if name == "open":
            screen.scope.reopen(Reopen((argument,)) if argument else Reopen(("?",)))
        elif name == "sessions" or not argument:
            self._choose(self._sessions)
        elif verb == "save":
            self._sessions.save_as(rest.strip(), screen.scope.source_names, self._now, self._place)
            screen.scope.say(f"session {rest.strip()} kept: `:session {rest.strip()}` brings it back")
        elif argument == "new":
            self._done.append(self._now)
            self.bring(ViewState(notes=self._now.notes))
        else:
            self._open_named(self._sessions.named(argument), argument)
        return True

    def _open_named(self, kept: Kept | None, name: str) -> None:
        if kept is None:
            raise UsageError(f"no session {name!r}", mend=":sessions lists them, `:session save NAME` keeps one")
        if kept.sources and set(kept.sources) != set(self._screen.scope.source_names):
            self._screen.scope.reopen(Reopen(kept.sources, session=kept.name))
        else:
            self.open(kept)

    def _choose(self, sessions: Sessions) -> None:
        screen = self._screen
        found: dict[str, Kept] = {}
        choices = []
        for one in sessions.recent():
            if "-" in one.sources and one.sources != screen.scope.source_names:
                continue  # what came through a pipe is not there any more
            names = [source.rsplit("/", 1)[-1] for source in one.sources]
            ago = human_duration(round(max(0.0, time.time() - one.saved)) * 1_000_000)
            told = (
                f"{one.name or ', '.join(names[:4])}{f' +{len(names) - 4}' if len(names) > 4 and not one.name else ''}"
            )
            while told in found:
                told += " "
            found[told] = one
            choices.append(
                Choice(
                    told,
                    f"{ago} ago · {one.state.position} step{'s' * (one.state.position != 1)} · {', '.join(names[:3])}",
                )
            )

        def taken(names: list[str] | None) -> None:
            if not names:
                return
            kept = found[names[0]]
            if set(kept.sources) == set(screen.scope.source_names):
                self.open(kept)
            else:
                screen.scope.reopen(Reopen(kept.sources, session=kept.name))

        screen.app.push_screen(PickScreen("Sessions", choices), taken)
