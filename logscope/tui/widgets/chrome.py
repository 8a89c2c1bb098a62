"""The lines around the list: title, trail, hints and status. They show facts they are given."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from logscope.engine.answers import Snapshot
from logscope.text import human_count
from logscope.tui.clock import Clock
from logscope.tui.safe import content, line
from logscope.tui.trail import Trail


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


def trail_line(trail: Trail) -> Content:
    """The trail: every step with its count; what no longer narrows is dimmed, what is off has an empty box, and is struck through."""
    effective = {id(step) for step in trail.effective}
    at_start = trail.position == 0
    parts: list[Content | str | tuple[str, str]] = [("all", "bold" if at_start else "$log-dim")]
    if trail.total is not None and at_start:
        parts.append((f" ({trail.total:,})", "$log-dim"))
    for place, step in enumerate(trail.steps):
        ahead = place >= trail.position
        # What lies ahead does not narrow: without colours the sign alone says so.
        way = " ┊ " if ahead else " ❯ "
        sign = way + {"pivot": "* ", "exclude": "− ", "time": "◷ "}.get(step.kind, "")
        if not step.enabled:
            sign += "☐ "
            style = "strike $log-dim"
        elif ahead or id(step) not in effective:
            style = "italic $log-dim"
        else:
            style = "bold $log-key" if step.kind == "pivot" else "bold"
        parts += [(sign, "$log-dim"), content(step.label, style, cap=60)]
        if step.count is not None:
            parts.append((f" ({step.count:,})", "$log-dim"))
    return line(*parts)


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
