"""How the records are looked at: context rows, wrapping, unfolding, the zone, stretches of time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from logscope.errors import LogscopeError, UsageError
from logscope.text import several
from logscope.tui.clock import distance, zone_of
from logscope.tui.unfolding import unfolded
from logscope.tui.widgets.extras import ExtraText

if TYPE_CHECKING:
    from logscope.tui.screens.records import RecordsScreen

CONTEXT = 3
"""Records before and after a hit, unless a number was typed."""
STEP = 60_000_000
"""Microseconds of a step in time, until `:step` says otherwise."""
_SPAN = re.compile(r"(\d+)\s*(ms|s|m|h|d)")
_UNITS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}


def span_of(text: str) -> int:
    """Microseconds of `30s`, `5m`, `1h`, `1d`.

    Raises:
        UsageError: It is no span.
    """
    match = _SPAN.fullmatch(text.strip())
    if match is None or not int(match[1]):
        raise UsageError(f"{text!r} is no span of time", mend="try 10s, 1m, 1h or 1d")
    return int(match[1]) * _UNITS[match[2]]


class Looks:
    """Changes how the records are shown, not which ones the trail keeps."""

    def __init__(self, screen: RecordsScreen) -> None:
        """Changes `screen`."""
        self._screen = screen
        self.context = 0
        self.zone: str | None = None
        self.step = STEP

    # Context rows

    def toggle_context(self) -> None:
        """Records round those that match; a number before the key says how many."""
        typed = self._screen.main_list.take_count(0)
        self.set_context(typed if typed else 0 if self.context else CONTEXT)

    def set_context(self, around: int) -> None:
        """So many records round each that matches; 0: none."""
        self.context = max(0, min(around, 1000))
        self._screen.viewing.refresh()
        told = f"{several(self.context, 'record')} before and after each" if self.context else "only what matches"
        self._screen.scope.say(told)

    # Long and folded text

    def toggle_wrap(self) -> None:
        """Long messages on several lines, or cut."""
        rows = self._screen.main_list
        rows.wrap = not rows.wrap
        rows.shift(0)
        rows.relay()
        self._screen.keeping.noticed()

    def unfold(self) -> None:
        """All lines of the record under it, JSON with an indent; again: folded."""
        rows, record = self._screen.main_list, self._screen.record_here
        if record is None:
            return
        place = rows.place
        if rows.is_unfolded(place):
            rows.fold(place, ())
            return
        width = max(20, rows.scrollable_content_region.width - 8)
        rows.fold(place, [ExtraText(text) for text in unfolded(record, width)])

    # Zone

    def next_zone(self) -> None:
        """The machine's zone, or UTC."""
        self.set_zone(None if self.zone == "UTC" else "UTC")

    def set_zone(self, name: str | None, *, told: bool = True) -> None:
        """Show times in another zone; None: as at start.

        Raises:
            UsageError: There is no such zone.
        """
        screen = self._screen
        screen.scope.clock.zone = zone_of(name) if name else screen.scope.first_zone
        self.zone = name
        screen.main_list.restyle()
        screen.timeline.refresh()
        screen.show_title()
        if screen.line is not None and screen.detail.has_class("open"):
            screen.show_fields(screen.line)
        screen.keeping.noticed()
        if told:
            screen.scope.say(f"times in {name or 'the zone of the start'}")

    # Time

    def later(self, direction: int) -> None:
        """A step in time; a number before the key makes it so many."""
        screen = self._screen
        steps, record = screen.main_list.take_count(1), screen.record_here
        if record is not None and record.time is not None:
            screen.jumps.to_time(record.time + direction * steps * self.step)

    def set_step(self, text: str) -> None:
        """How far a step in time goes.

        Raises:
            UsageError: It is no span.
        """
        self.step = span_of(text)
        keys = self._screen.scope.keys
        later, earlier = keys.shown("records.later"), keys.shown("records.earlier")
        self._screen.scope.say(f"{later} goes {text.strip()} later, {earlier} earlier")

    def percent(self) -> None:
        """So many percent of the way through the view, of the number typed; without one: half."""
        rows = self._screen.main_list
        share = min(100, rows.take_count(50))
        rows.follow(False)
        rows.go_to(round((rows.records - 1) * share / 100), center=True)

    def zoom_in(self) -> None:
        """The half of the time shown that stands round the cursor."""
        screen = self._screen
        buckets, record = screen.timeline.buckets, screen.record_here
        if not buckets or record is None or record.time is None:
            return
        first, last = buckets[0].start, buckets[-1].end
        quarter = (last - first) // 4
        if quarter < 1:
            screen.scope.say("no closer: this is one moment")
            return
        start = max(first, min(record.time - quarter, last - 2 * quarter))
        screen.jumps.narrow_time(start, start + 2 * quarter)

    def zoom_out(self) -> None:
        """Back from the last zoom, brush, or `:since`."""
        screen, present = self._screen, self._screen.trail.present
        place = next((place for place in reversed(range(len(present))) if present[place].kind == "time"), None)
        if place is None:
            screen.scope.say("all the time there is")
            return
        if place == len(present) - 1:
            screen.action_back()
            return
        # Something was narrowed since: only the stretch of time is given up.
        del screen.trail.steps[place]
        screen.trail.position -= 1
        screen.viewing.refresh()

    # Commands

    def command(self, name: str, argument: str) -> bool:
        """Commands of this part; False if it is none."""
        screen = self._screen
        if name == "context":
            self.set_context(int(argument) if argument.isdigit() else 0 if self.context else CONTEXT)
        elif name == "wrap":
            self.toggle_wrap()
        elif name == "unfold":
            self.unfold()
        elif name == "zone":
            self.set_zone(argument or None)
        elif name == "step":
            self.set_step(argument)
        elif name == "offset":
            self._offset(argument)
        elif name == "zoom":
            self.zoom_out() if argument == "out" else self.zoom_in()
        elif name == "columns":
            names = [one for one in re.split(r"[,\s]+", argument) if one]
            screen.faceting.set_columns(names) if names else screen.faceting.choose_columns()
        elif name == "facet":
            screen.facets.add_class("open")
            screen.lay_panes()
            screen.faceting.count(argument) if argument else screen.faceting.choose()
        else:
            return False
        return True

    def _offset(self, argument: str) -> None:
        """`:offset NAME ±D`: the clock of a source or host set right."""
        screen = self._screen
        name, _, span = argument.rpartition(" ")
        sign = -1 if span.startswith("-") else 1
        microseconds = sign * span_of(span.lstrip("+-"))
        record = screen.line
        name = name.strip() or (record.source if record else "")
        self.shift(name, microseconds)

    def shift(self, name: str, microseconds: int) -> None:
        """Move the times of a source or host."""
        screen, investigation = self._screen, self._screen.investigation

        def failed(error: LogscopeError) -> None:
            screen.tell(error)

        def shifted(_: None) -> None:
            scope = screen.scope
            whole = scope.shifts.pop(name, 0) + microseconds
            if whole:
                scope.shifts[name] = whole
            scope.say(f"{name}: {distance(whole)}" if whole else f"{name} as it was")
            scope.look_anew()
            screen.viewing.refresh()

        screen.queries.ask(
            "offset",
            lambda _: investigation.shift(name, microseconds),
            shifted,
            label="shifting",
            failed=failed,
        )
