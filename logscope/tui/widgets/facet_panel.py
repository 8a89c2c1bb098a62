"""The facets panel: values of one field in the view, with their counts; each can be kept or dropped by one key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message

from logscope.engine.browsing import Facet
from logscope.text import clean, human_count
from logscope.tui.painting import fit
from logscope.tui.safe import line
from logscope.tui.widgets.row_list import RowList

_BAR = 8
_VALUE = 12
"""Cells that a value has at least before there is a bar."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int) -> str:
    """A share from 0 to 1 as a bar of `width` cells."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(max(1, eighths), 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def number(value: float) -> str:
    """A number in as few signs as tell it."""
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.4g}"


class FacetPanel(RowList):
    """Values of one field."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i,plus", "act('include')", "Keep records with this value", id="facets.include", show=False),
        Binding("minus,exclamation_mark", "act('exclude')", "Drop records with it", id="facets.exclude", show=False),
        Binding("f", "act('field')", "Values of another field", id="facets.field", show=False),
        Binding("greater_than_sign", "act('next')", "The next field", id="facets.next", show=False),
        Binding("less_than_sign", "act('previous')", "The previous field", id="facets.previous", show=False),
        Binding("c", "act('column')", "The field as a column of the records", id="facets.column", show=False),
        Binding("y", "act('copy')", "Copy the value", id="facets.copy", show=False),
    ]

    DEFAULT_CSS = """
    FacetPanel { display: none; border-top: solid $log-strip; border-title-color: $log-hint; width: 1fr; }
    FacetPanel.open { display: block; }
    """

    class Asked(Message):
        """A key was pressed on a value."""

        def __init__(self, what: str) -> None:
            """`include`, `exclude`, `field`, `next`, `previous`, `column` or `copy`."""
            self.what = what
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:
        """No field yet."""
        super().__init__(id=id)
        self.facet: Facet | None = None
        self.field = ""
        self._taught: Sequence[str] = ()

    @property
    def value(self) -> str | None:
        """The value under the cursor."""
        return self.facet.values[self.cursor][0] if self.facet and self.cursor < len(self.facet.values) else None

    @property
    def empty_text(self) -> list[str]:
        """What is said where no record has the field."""
        return list(self._taught)

    def wait(self, field: str) -> None:
        """Another field is being counted."""
        if field != self.field:
            self.facet, self.cursor = None, 0
        self.field = field
        self._taught = ("counting …",)
        self.set_rows(len(self.facet.values) if self.facet else 0)
        self._title()

    def show(self, facet: Facet) -> None:
        """Show what was counted; the cursor keeps its value."""
        # Who has not moved stays at the top, whatever comes first now.
        before = self.value if self.cursor else None
        self.facet = facet
        self._taught = (f"No record in view has {clean(facet.name, cap=60)}.",)
        values = [value for value, _ in facet.values]
        self.set_rows(len(values), values.index(before) if before in values else None)
        self._title()

    def _title(self) -> None:
        told: list[str | tuple[str, str]] = [(f"{clean(self.field, cap=40)}", "bold")]
        facet = self.facet
        if facet is not None:
            told.append(f" · {facet.distinct:,} value{'' if facet.distinct == 1 else 's'}")
            if facet.records > facet.present:
                told.append(f" · {human_count(facet.records - facet.present)} without")
            if facet.numbers is not None:
                spread = facet.numbers
                told.append(
                    f" · {number(spread.least)} … p50 {number(spread.p50)} · p95 {number(spread.p95)} … {number(spread.most)}"
                )
            if not facet.complete:
                told.append(" · counting …")
        self.border_title = line(*told)

    def row_segments(self, index: int, selected: bool) -> list[Segment]:
        """One value: bar, share, count."""
        facet = self.facet
        if facet is None or index >= len(facet.values):
            return []
        value, count = facet.values[index]
        here = selected and self.has_focus
        behind = "log-cursor" if here else "background"
        styles = self.look_up
        most = facet.values[0][1]
        tail = f" {count / max(1, facet.present):>4.0%} {human_count(count):>{len(human_count(most))}} "
        room = self.scrollable_content_region.width - 2 - len(tail)
        if room > _BAR + _VALUE:
            tail, room = f" {bar(count / max(1, most), _BAR)}{tail}", room - _BAR - 1
        room = max(4, room)
        text = clean(value, cap=4096)[self.side :] if value else "(empty)"
        style = styles.style("foreground", behind)
        return [
            Segment("▸ " if here else "  ", styles.style("log-hint", behind, bold=True)),
            *Segment.adjust_line_length([Segment(fit(text, room), style)], room, style=style),
            Segment(tail, styles.style("log-strip" if not here else "foreground", behind)),
        ]

    def action_act(self, what: str) -> None:
        """Ask the screen to do something with the value."""
        self.post_message(self.Asked(what))
