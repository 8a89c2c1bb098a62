"""The tour of the sample logs: lessons that wait until what they teach has been done.

A lesson is fulfilled by where one stands, not by which key was pressed: it holds for every keymap,
and whoever goes another way to the same place has learned as much.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from logscope.paths import private_folder, state_folder


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one stands, as far as lessons ask."""

    screen: str = "Records"
    """The title that the screen has in its help."""
    cursor: int = 0
    """The row of its list."""
    fields: bool = False
    """Whether the fields of a record are open in the records view."""
    values: bool = False
    """Whether the values of a field are."""
    searched: str = ""
    """What was searched last."""
    steps: tuple[str, ...] = ()
    """Kinds of the steps of the trail."""
    gained: tuple[str, ...] = ()
    """Kinds of those that were taken since the lesson began, behind what was gone back to meanwhile."""
    where: str = ""
    """The filter of the list of transactions."""
    help: bool = False
    """Whether help is open."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One thing to do."""

    title: str
    say: str
    """What one sees, and what it is good for."""
    do: str
    """What to press; `{id}` is the first key of a binding."""
    at: str
    """The screen it is done on."""
    done: Callable[[Standing, Standing], bool]
    """Whether it is fulfilled, given where one stood when it began and where one stands now."""


LESSONS = (
    Lesson(
        "Moving",
        "Six services of a shop wrote these records, in six formats; here they stand in one order of time.",
        "Press {list.down}, or ↓; {list.bottom} goes to the end, {list.top} to the beginning.",
        "Records",
        lambda began, now: now.cursor != began.cursor,
    ),
    Lesson(
        "What is in a record",
        "A line of a log is more than text: its fields were found, whatever the format.",
        "Press {list.choose} to see the fields of this record.",
        "Records",
        lambda _, now: now.fields,
    ),
    Lesson(
        "And closed again",
        "Fields that tie records together are called keys. The pane follows the cursor while it is open.",
        "Press {screen.escape}: it stops what runs, closes what is open, goes back, and never quits.",
        "Records",
        lambda _, now: not now.fields,
    ),
    Lesson(
        "Keep what matters",
        'Words, "phrases", /regexes/, field:value, took>2s: side by side means and.',
        "Press {records.filter}, type  level>=warn  and press Enter.",
        "Records",
        lambda _, now: "filter" in now.gained,
    ),
    Lesson(
        "Which values",
        "The second line is the trail: each step that you took, with the records it left.",
        "Press {records.facet} to count the values of a field, here the service.",
        "Records",
        lambda _, now: now.values,
    ),
    Lesson(
        "The way back",
        "In that pane {facets.include} keeps a value, {facets.exclude} drops it, {facets.field} asks for another field.",
        "Press {screen.escape} to close it, then {records.back}: back in the trail, as in a browser.",
        "Records",
        lambda began, now: not now.values and len(now.steps) < max(1, len(began.steps)),
    ),
    Lesson(
        "Find",
        "All records again. A search narrows nothing, it goes to the next hit.",
        "Press {records.search}, type  charge begin  and press Enter; {records.search-next} goes on to the next.",
        "Records",
        lambda began, now: now.searched not in ("", began.searched),
    ),
    Lesson(
        "One order, in every service",
        "A payment begins here, with an order's id and a request's. Who else wrote of them?",
        "Press {records.pivot} to pivot; where it asks which value, press the number of order_id.",
        "Records",
        lambda _, now: "pivot" in now.gained,
    ),
    Lesson(
        "Seen as a waterfall",
        "Every record with that value, in any service, under any field's name, with the time between them.",
        "Press {records.transaction} for the whole transaction: also what names the order only indirectly.",
        "Records",
        lambda _, now: now.screen == "Transaction",
    ),
    Lesson(
        "Back to the records",
        "A lane for each service, a tick for each record; silences are folded. {list.down} goes through the records.",
        "Press {screen.leave} to go back when you have seen it.",
        "Transaction",
        lambda _, now: now.screen == "Records",
    ),
    Lesson(
        "All transactions",
        "What keys tie together was put together for all records, a row for each order.",
        "Press {records.transactions} for the list.",
        "Records",
        lambda _, now: now.screen == "Transactions",
    ),
    Lesson(
        "The failure that nobody logged",
        "Some payments were begun and never settled, without an error. What is missing can be asked for.",
        "Press {transactions.filter}, then ↓ for the first filter that is offered, and Enter.",
        "Transactions",
        lambda _, now: now.screen == "Transactions" and now.where != "",
    ),
    Lesson(
        "One of them",
        "Eight orders hold a  charge begin  and no  charge settled.",
        "Press {list.choose} to open the first.",
        "Transactions",
        lambda _, now: now.screen == "Transaction",
    ),
    Lesson(
        "Beside a normal one",
        "✖ settled stands where the settlement should have been: the shipped rule says so, too.",
        "Press {transaction.compare} to compare it with the nearest one that went well.",
        "Transaction",
        lambda _, now: now.screen == "Compare",
    ),
    Lesson(
        "What the rules found",
        "− is missing here, + extra, ▲ slower. {compare.save-rule} makes a rule of marked steps, by itself.",
        "Press {screen.leave} twice, back to the list, then {transactions.detections}: detections.",
        "Compare",
        lambda _, now: now.screen == "Detections",
    ),
    Lesson(
        "All keys",
        "Newest first; {list.choose} opens the transaction, {detections.rules} shows them by rule.",
        "Press {screen.help}: it has the keys of the screen you are on, everywhere.",
        "Detections",
        lambda _, now: now.help,
    ),
    Lesson(
        "That was the tour",
        "{app.palette} does everything by name; {screen.leave} goes back, and from the records out. Now your own: logscope FILE...",
        "Press {screen.tour} to end it.  :tour  begins it anew.",
        "",
        lambda _began, _now: False,
    ),
)

WAYS = {
    "Records": "{screen.leave} goes back to the records",
    "Transactions": "{screen.leave} goes back, {records.transactions} in the records opens the list",
    "Transaction": "{list.choose} in the list opens a transaction",
    "Compare": "{transaction.compare} in a transaction compares it",
    "Detections": "{records.detections} in the records or in a list opens the detections",
}
"""How to come to a screen again on which a lesson is done."""

_ID = re.compile(r"\{([\w.-]+)\}")


class Tour:
    """Which lesson is on, kept in the state folder so that it can be left and taken up again.

    Args:
        path: Where that is kept; by default `tour.json` in the user's state folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        """As it was left."""
        self._path = path if path is not None else state_folder() / "tour.json"
        self.place = 0
        self.on = True
        """Whether it is shown now."""
        self._began: Standing | None = None
        self._fewest = 0
        """How short the trail was since the lesson began."""
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            self.place = max(0, min(len(LESSONS), int(kept.get("lesson", 0))))
            self.on = False

    @property
    def lesson(self) -> Lesson:
        """The lesson that is on."""
        return LESSONS[min(self.place, len(LESSONS) - 1)]

    @property
    def finished(self) -> bool:
        """Whether all of it was seen."""
        return self.place >= len(LESSONS) - 1

    def begin(self) -> None:
        """Go on where it was left, or anew where it was finished."""
        if self.finished:
            self.place = 0
        self.on, self._began = True, None
        self._keep()

    def leave(self) -> None:
        """Hide it, for another time."""
        self.on = False
        self._keep()

    def skip(self) -> None:
        """The next lesson, done or not; behind the last one it ends."""
        if self.place >= len(LESSONS) - 1:
            self.leave()
            return
        self.place += 1
        self._began = None
        self._keep()

    def stands(self, now: Standing) -> bool:
        """Whether what the lesson asks for has been done; the next one is on then."""
        if self._began is None:
            self._begun(now)
            return False
        self._fewest = min(self._fewest, len(now.steps))
        if not self.lesson.done(self._began, replace(now, gained=now.steps[self._fewest :])):
            return False
        self.skip()
        self._begun(now)
        return True

    def _begun(self, now: Standing) -> None:
        self._began, self._fewest = now, len(now.steps)

    def _keep(self) -> None:
        # That it cannot be kept is no matter: it begins anew then.
        with contextlib.suppress(OSError):
            private_folder(self._path.parent)
            self._path.write_text(json.dumps({"lesson": self.place}), encoding="utf-8")


def told(text: str, shown: Callable[[str], str]) -> str:
    """A text of a lesson with its keys as they are mapped.

    Args:
        text: With `{id}` for keys.
        shown: The key of an id, as people write it.
    """
    return _ID.sub(lambda found: shown(found.group(1)), text)
