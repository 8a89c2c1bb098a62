"""The app: theme, keys, screens. It knows nothing of logs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver

from logscope.engine.answers import Snapshot
from logscope.engine.api import Investigation
from logscope.errors import UsageError
from logscope.text import several
from logscope.tui import pauses, theming
from logscope.tui.bridge import Bridge
from logscope.tui.casebook import Casebook
from logscope.tui.clock import Clock, zone_of
from logscope.tui.commands import InvestigatorCommands
from logscope.tui.guide import Guide
from logscope.tui.keymap import Keys, all_bindings, load_keymap
from logscope.tui.marks import StepMarks
from logscope.tui.messages import SnapshotPublished
from logscope.tui.news import News
from logscope.tui.reopening import Reopen
from logscope.tui.screens.base import InvestigatorScreen
from logscope.tui.screens.records import RecordsScreen
from logscope.tui.sessions import Sessions
from logscope.tui.styles import ROLES, StyleTable
from logscope.tui.telling import Severity, Telling
from logscope.tui.tour import Tour
from logscope.tui.typeahead import TypeAhead

if TYPE_CHECKING:
    from logscope.engine.pinned import CaseFile
    from logscope.engine.rulework.desk import Reloaded

SHEETS = Path(__file__).parent / "screens"
"""Where the style sheets of the screens are."""
RELOAD_SECONDS = 1.0
"""How often the themes of the user are looked at."""
COPY_CAP = 74_000
"""Bytes that terminals commonly take by OSC 52."""


class LogscopeApp(App[int]):
    """The investigator over an open investigation."""

    CSS_PATH = "app.tcss"
    COMMANDS = {InvestigatorCommands}  # noqa: RUF012  (Textual declares it so)
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", "Quit", id="app.quit", show=False, priority=True),
        Binding("ctrl+p", "command_palette", "Commands by name", id="app.palette", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", "Suspend: back to the shell, fg returns", id="app.suspend", show=False),
    ]

    def __init__(
        self,
        investigation: Investigation,
        *,
        theme: str | None = None,
        keymap: str | None = None,
        title: str = "",
        zone: str | None = None,
        driver_class: type[Driver] | None = None,
        sessions: Sessions | None = None,
        sources: Sequence[str] = (),
        session: str = "",
        can_reopen: bool = False,
        tour: Tour | None = None,
        case: CaseFile | None = None,
    ) -> None:
        """The app over `investigation`, which the caller opens, starts and closes.

        Args:
            investigation: The open session.
            theme: A theme's name; by default the dark one.
            keymap: `default`, `less`, `vim` or a file; by default the user's.
            title: What is shown in the title beside the name.
            zone: Time zone of times shown; by default the machine's.
            driver_class: What writes to the terminal; by default Textual's own.
            sessions: Where what was made of a view is kept; None: nowhere.
            sources: What is open, as `logscope` would take it again.
            session: The named session to begin with; empty: the one of these sources.
            case: The case to begin with; None: the last one of these sources, once something is pinned.
            can_reopen: Whether the caller opens other sources when `run` ends with a `Reopen`.
            tour: Lessons to lead through, over the sample logs alone.
        """
        changes, self._keymap_errors = load_keymap(keymap)
        self._themes = theming.load_themes()
        self._style_table: StyleTable | None = None
        super().__init__(driver_class=driver_class)
        self.investigation = investigation
        self.keys = Keys(changes)
        self.clock = Clock(zone_of(zone))
        self.first_zone = self.clock.zone
        self.heading = title
        self.sessions = sessions
        self.source_names = tuple(sources)
        self.first_session = session
        self.first_case = case
        self.casebook = Casebook(self, case)
        self.can_reopen = can_reopen
        self.wanted: Reopen | None = None
        """What to open when this ends."""
        self.animation_level = "none"
        self.snapshot: Snapshot = investigation.snapshot
        self.changes = 0
        """Grows with every change of keys or clocks: lists that are uncovered look anew."""
        self.shifts: dict[str, int] = {}
        """Clocks that are moved: host or source -> microseconds."""
        self.step_marks = StepMarks()
        """Records that are to be steps of a rule."""
        self._home: RecordsScreen | None = None
        self.telling = Telling(self)
        """What was said, and says it."""
        self.ahead = TypeAhead(self)
        """Keys that wait for those before them."""
        self.news = News(self)
        """What is found while sources live."""
        self.guide = Guide(self, tour) if tour is not None else None
        self._bridge: Bridge | None = None
        self._warmed = False
        self._quiet = pauses.Quiet()
        for one in self._themes.themes:
            self.register_theme(one)
        wanted = theme or theming.DEFAULT
        short = f"logscope-{wanted}"
        self._theme_missing = wanted not in self.available_themes and short not in self.available_themes
        if not self._theme_missing:
            self.theme = wanted if wanted in self.available_themes else short
        elif theming.DEFAULT in self.available_themes:
            self.theme = theming.DEFAULT
        if changes:
            self.set_keymap(changes)
        self._wanted_theme = wanted

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our roles, for themes that leave them out."""
        # Textual's own style sheet asks an ANSI theme for these two.
        return {**ROLES, "ansi-background": "ansi_black", "ansi-foreground": "ansi_white"}

    @property
    def style_table(self) -> StyleTable:
        """Styles by role in the present theme."""
        if self._style_table is None:
            self._style_table = StyleTable(self.theme_variables)
        return self._style_table

    @property
    def depth(self) -> int:
        """Investigator screens on the stack."""
        return sum(isinstance(screen, InvestigatorScreen) for screen in self.screen_stack)

    @property
    def home(self) -> RecordsScreen:
        """The records view at the bottom of the stack."""
        return next(screen for screen in self.screen_stack if isinstance(screen, RecordsScreen))

    def on_mount(self) -> None:
        """Show the records; tell what is wrong with files."""
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        self._home = RecordsScreen(self.investigation)
        self.push_screen(self._home)
        self._bridge = Bridge(self, self.investigation)
        self.call_later(self._tell_faults)
        if self.guide is not None:
            self.call_after_refresh(self.guide.start)
        if self.first_case is not None and self.first_case.pins:
            self.call_later(self._home.action_case)
        self.call_later(pauses.settle)
        self.set_interval(pauses.EVERY_SECONDS, self._quiet.collect)
        self._stamp = theming.user_stamp()
        self.set_interval(RELOAD_SECONDS, self._reload_themes)

    def _tell_faults(self) -> None:
        for error in (*self._themes.errors, *self._keymap_errors):
            self.say(str(error), "warning")
        if self._theme_missing:
            self.say(f"no theme {self._wanted_theme!r}; there are {', '.join(sorted(self.own_themes))}", "warning")

    def _reload_themes(self) -> None:
        """The user's themes as they are now; a broken one is told, and the one in use stays."""
        stamp = theming.user_stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        before = {str(error) for error in self._themes.errors}
        self._themes = theming.load_themes()
        for one in self._themes.themes:
            self.register_theme(one)
        for error in self._themes.errors:
            if str(error) not in before:
                self.say(str(error), "warning")
        self._style_table = None
        self.mutate_reactive(App.theme)

    @property
    def own_themes(self) -> list[str]:
        """Names of themes from files."""
        return [one.name for one in self._themes.themes]

    async def on_event(self, event: events.Event) -> None:
        """Note that somebody types."""
        if isinstance(event, events.Key):
            self._quiet.pressed()
            self.telling.pressed()
            if not event.is_forwarded:
                if self.ahead.passes(event):
                    await super().on_event(event)
                    self.ahead.given(event)
                return
        await super().on_event(event)

    def reopen(self, wanted: Reopen) -> None:
        """End, and begin again with other sources or formats.

        Raises:
            UsageError: What is open cannot be read again.
        """
        if not self.can_reopen:
            raise UsageError("what came through a pipe is not read again", mend="start logscope with other sources")
        self.wanted = wanted
        self.keep_session()
        self.exit(0)

    def keep_session(self) -> None:
        """Keep what was made of the records view."""
        if self._home is not None and self.sessions is not None:
            self._home.keeping.save(self.sessions, self.source_names)

    def on_unmount(self) -> None:
        """No more news."""
        if self._bridge is not None:
            self._bridge.close()

    def _theme_changed(self, _: Any) -> None:
        self._style_table = None

    @on(SnapshotPublished)
    def _published(self, _: SnapshotPublished) -> None:
        # The message may have waited: what was asked meanwhile stands in a newer one, which is not to be lost.
        snapshot = self.snapshot = self.investigation.snapshot
        if not (snapshot.loading or self._warmed):
            # What other screens are made of takes longer to import than a key may; nobody waits for it now.
            self._warmed = True
            threading.Thread(target=self._warm, name="logscope-screens", daemon=True).start()
        self.telling.snapshot_changed(snapshot)
        self.news.snapshot_changed(snapshot)
        for screen in self.screen_stack:
            if isinstance(screen, InvestigatorScreen) and screen.lives:
                screen.snapshot_changed(snapshot)

    def _warm(self) -> None:
        all_bindings()
        with contextlib.suppress(RuntimeError):  # it may have ended meanwhile
            self.call_later(self._learn_styles)

    def _learn_styles(self) -> None:
        """Read the style sheets of all screens: each would have all of them parsed again when it is first opened."""
        for path in sorted(SHEETS.glob("*.tcss")):
            if not self.stylesheet.has_source(str(path), ""):
                self.stylesheet.read(path)
        # What is on the screen now is none of theirs: it need not be styled anew.
        self.stylesheet.reparse()

    def rules_changed(self) -> None:
        """Other rules run: what they find is found anew, and lists look again."""
        self.home.viewing.prepare_again()
        self.look_anew()

    def look_anew(self) -> None:
        """What is there is told otherwise now: every screen asks again."""
        self.changes += 1
        self.snapshot = self.investigation.snapshot
        for screen in self.screen_stack:
            if isinstance(screen, InvestigatorScreen) and screen.lives:
                screen.snapshot_changed(self.snapshot)

    def watch_rules(self) -> None:
        """Read rules anew whenever a file changes, from now on."""
        desk = self.investigation.desk
        desk.watch(lambda found: self.call_later(self.rules_reloaded, found))

    def rules_reloaded(self, found: Reloaded | None) -> None:
        """Say what reading the rules anew has changed."""
        if found is None:
            return
        self.rules_changed()
        for told in found.broken:
            self.say(f"{told}; the rule that ran before runs on" if found.kept else told, "warning")
        if not found.broken:
            self.say(f"rules were read anew: {several(found.rules, 'rule')} in force")

    def forget_terminal(self) -> None:
        """The terminal may show anything by now: the next frame is sent whole."""
        forget = getattr(self._driver, "forget", None)
        if forget is not None:
            forget()

    def say(self, text: str, severity: Severity = "information") -> None:
        """Tell the user any text."""
        self.telling.say(text, severity)

    def copy(self, text: str, what: str) -> None:
        """Copy by OSC 52, as much as terminals take."""
        data = text.encode()
        cut = data[:COPY_CAP].decode(errors="ignore")
        self.copy_to_clipboard(cut)
        left = f", the first {COPY_CAP // 1000} KB" if len(data) > COPY_CAP else ""
        self.say(f"copied {what}{left}")
