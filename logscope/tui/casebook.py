"""The case in hand: what is pinned is kept at once, in the state folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from logscope.engine.api import Cancel, Investigation
from logscope.engine.pinned import CaseFile, Pin
from logscope.errors import UsageError
from logscope.tui.viewstate import to_json

if TYPE_CHECKING:
    from logscope.tui.app import LogscopeApp
    from logscope.tui.screens.base import InvestigatorScreen


class Casebook:
    """Pins, and the case that they go to: the last one of the same sources, else a new one.

    Args:
        app: Whose screens pin.
        wanted: The case to begin with; None: see above.
    """

    def __init__(self, app: LogscopeApp, wanted: CaseFile | None = None) -> None:
        """Nothing is read yet."""
        self._app = app
        self.case = wanted
        self._looked = wanted is not None

    @property
    def _investigation(self) -> Investigation:
        return self._app.investigation

    def in_hand(self) -> CaseFile:
        """The case in hand, a new one if there is none; reads files: not on the interface's thread."""
        if not self._looked:
            self._looked = True
            self.case = self._investigation.cases.of_sources(self._app.source_names)
        if self.case is None:
            return self._investigation.new_case("", self._app.source_names)
        return self.case

    def _kept(self, case: CaseFile) -> CaseFile:
        """Keep a case, with the view as it stands."""
        home = self._app.home
        cases = self._investigation.cases
        name = case.name or cases.free_name(self._app.source_names)
        return cases.save(
            replace(case, name=name, state=to_json(home.keeping.state()), place=home.keeping.place or case.place)
        )

    def change(
        self, screen: InvestigatorScreen, make: Callable[[CaseFile, Cancel], CaseFile], then: Callable[[], object]
    ) -> None:
        """Change the case in hand and keep it.

        Args:
            screen: Asks, and tells errors.
            make: Makes the changed case, on a thread.
            then: Runs here when it is kept.
        """

        def arrived(case: CaseFile) -> None:
            self.case = case
            self._app.changes += 1
            then()

        screen.queries.ask(
            "case",
            lambda cancel: self._kept(make(self.in_hand(), cancel)),
            arrived,
            label="keeping the case",
            failed=screen.tell,
        )

    def pin(self, screen: InvestigatorScreen, make: Callable[[Cancel], Pin]) -> None:
        """Pin something, or take its pin away."""
        before = len(self.case.pins) if self.case else 0

        def told() -> None:
            case = self.case
            if case is None:
                return
            keys = self._app.keys
            taken = len(case.pins) < before
            self._app.say(
                f"{'no longer pinned' if taken else 'pinned'}: case {case.name} holds {len(case.pins)}"
                f" · {keys.shown('screen.case')} shows it"
            )

        self.change(screen, lambda case, cancel: case.with_pin(make(cancel)), told)

    def pin_transaction(self, screen: InvestigatorScreen, number: int) -> None:
        """Pin a transaction, or take its pin away."""
        self.pin(screen, lambda _: self._investigation.pin_transaction(number))

    def take(self, screen: InvestigatorScreen, wanted: str, then: Callable[[], object]) -> None:
        """Another case in hand: `new`, `new NAME`, or one that is kept.

        Raises:
            UsageError: It is of other sources, and these cannot be opened from here.
        """
        verb, _, rest = wanted.partition(" ")
        if verb == "new":
            self.case, self._looked = self._investigation.new_case(rest.strip(), self._app.source_names), True
            self._app.say(f"a new case{' ' + rest.strip() if rest.strip() else ''} begins with the next pin")
            then()
            return

        def arrived(case: CaseFile) -> None:
            if set(case.sources) != set(self._app.source_names):
                screen.tell(UsageError(f"case {case.name} is of other logs", mend=f"logscope --case {wanted} opens it"))
                return
            self.case, self._looked = case, True
            then()

        cases = self._investigation.cases
        screen.queries.ask("case", lambda _: cases.load(wanted), arrived, label="reading", failed=screen.tell)
