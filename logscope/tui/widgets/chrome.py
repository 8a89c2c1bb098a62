"""The lines around the list: title, trail, hints and status. They show facts they are given."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from logscope.engine.answers import Snapshot
from logscope.text import human_count, several
from logscope.tui.clock import Clock
from logscope.tui.safe import content, line
from logscope.tui.trail import Step, Trail


class Chrome(Static):
    """One line of text that never wraps."""

    DEFAULT_CSS = """
    Chrome { height: 1; width: 1fr; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def show(self, left: Content, right: Content | None = None) -> None:
        """Show `left`, and `right` at the end of the line if both fit."""
        self._sides = (left, right)
        self._lay()

    def on_resize(self) -> None:
        """Lay out again."""
        self._lay()

    def _lay(self) -> None:
        # The line's size is fixed: a layout of the whole screen per key would double a frame.
        left, right = getattr(self, "_sides", (Content(""), None))
        room = self.size.width - 2
        if right is None or room <= 0:
            self.update(left, layout=False)
            return
        space = room - left.cell_length - right.cell_length
        if space < 1:
            left = left.truncate(max(8, room - right.cell_length - 1), ellipsis=True)
            space = max(1, room - left.cell_length - right.cell_length)
        self.update(Content("").join([left, Content(" " * space), right]), layout=False)


def title_line(snapshot: Snapshot, clock: Clock, title: str) -> tuple[Content, Content]:
    """The title: what is open, how much, over which time, whether it lives."""
    parts: list[Content | str | tuple[str, str]] = [("logscope", "bold $primary"), "  "]
    if title:
        parts += [(title, "$log-dim"), "  "]
    sources = len(snapshot.sources)
    parts.append(f"{sources} source{'' if sources == 1 else 's'}")
    parts.append((f" · {snapshot.records:,} record{'' if snapshot.records == 1 else 's'}", ""))
    if snapshot.loading:
        done = round(max(0.0, min(1.0, snapshot.progress)) * 8)
        parts.append((f" · reading {'█' * done}{'░' * (8 - done)} {snapshot.progress:.0%}", "$warning"))
    if snapshot.held_back:
        parts.append((" · ✖ --memory used up", "bold $log-error"))
    elif snapshot.live:
        parts.append((f" · ● live {human_count(round(snapshot.rate))}/s", "bold $success"))
    if span := clock.span(snapshot.start, snapshot.end):
        parts.append((f" · {span}", "$log-time"))
    right: list[Content | str | tuple[str, str]] = []
    if snapshot.rules:
        right.append((f"rules {snapshot.rules}", "$log-dim"))
        if snapshot.detections:
            right.append((f"  ✖ {human_count(snapshot.detections)}", "bold $log-detection"))
    return line(*parts), line(*right)


def trail_line(trail: Trail, off: int = 0, width: int = 0) -> Content:
    """The trail: every step with its count; what no longer narrows is dimmed, what is off has an empty box, and is struck through.

    Args:
        trail: The steps.
        off: How many sources are switched off.
        width: Cells there are, 0: any. Where they do not do, steps between the first and the present one are left out.
    """
    at_start = trail.position == 0
    head: list[Content | str | tuple[str, str]] = [("all", "bold" if at_start else "$log-dim")]
    if off:
        head.append((f" but {several(off, 'source')}", "$log-warn"))
    if trail.total is not None and at_start:
        head.append((f" ({trail.total:,})", "$log-dim"))
    effective = {id(step) for step in trail.effective}
    steps = [
        _trail_step(step, ahead=place >= trail.position, narrows=id(step) in effective)
        for place, step in enumerate(trail.steps)
    ]
    begin, gap = 0, Content("")
    room = width - line(*head).cell_length - 2
    while begin + 1 < trail.position and width and _cells(gap, *steps[begin : trail.position]) > room:
        begin += 1
        gap = line((f" ❯ … {begin}", "$log-dim"))
    return line(*head, gap, *steps[begin:])


def _cells(*parts: Content) -> int:
    return sum(part.cell_length for part in parts)


def _trail_step(step: Step, *, ahead: bool, narrows: bool) -> Content:
    # What lies ahead does not narrow: without colours the sign alone says so.
    way = " ┊ " if ahead else " ❯ "
    sign = way + {"pivot": "* ", "exclude": "− ", "time": "◷ "}.get(step.kind, "")
    if not step.enabled:
        sign += "☐ "
        style = "strike $log-dim"
    elif ahead or not narrows:
        style = "italic $log-dim"
    else:
        style = "bold $log-key" if step.kind == "pivot" else "bold"
    count = (f" ({step.count:,})", "$log-dim") if step.count is not None else ""
    return line((sign, "$log-dim"), content(step.label, style, cap=60), count)


def hint_line(hints: Sequence[tuple[str, str]]) -> Content:
    """Keys and what they do, for the footer."""
    parts: list[Content | str | tuple[str, str]] = []
    for key, label in hints:
        parts += [(key, "bold $log-hint"), f" {label}   "]
    return line(*parts)


class Footer(Widget):
    """The two lines at the bottom: keys that matter now, and where one stands."""

    DEFAULT_CSS = """
    Footer { height: 2; layout: vertical; background: $panel; }
    Footer #hints { background: $panel; }
    Footer #status { background: $surface; color: $log-time; }
    """

    def compose(self) -> list[Widget]:
        """Hints above status."""
        return [Chrome(id="hints"), Chrome(id="status")]

    def hints(self, hints: Sequence[tuple[str, str]], right: Sequence[tuple[str, str]] = ()) -> None:
        """Show these keys, as many as fit; `right` always fits."""
        room = self.size.width or self.app.size.width
        tail = hint_line(right)
        fitting: list[tuple[str, str]] = []
        used = tail.cell_length + 2
        for key, label in hints:
            used += len(key) + len(label) + 4
            if used > room:
                break
            fitting.append((key, label))
        self.query_one("#hints", Chrome).show(hint_line(fitting), tail.rstrip())

    def status(self, left: Content, right: Content | None = None) -> None:
        """Show where one stands."""
        self.query_one("#status", Chrome).show(left, right)
