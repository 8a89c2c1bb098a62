"""The detail pane: a record's fields with the keys they feed, then the whole record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message

from logscope.engine.answers import FieldValue, Line
from logscope.text import clean
from logscope.tui.clock import Clock
from logscope.tui.painting import fit, level_plain
from logscope.tui.styles import LEVEL_WORDS
from logscope.tui.unfolding import pretty, wrapped
from logscope.tui.widgets.row_list import RowList

RAW_CAP = 64 * 1024
"""Characters of a record that the pane shows."""


@dataclass(frozen=True, slots=True)
class DetailRow:
    """One row of the pane."""

    text: str
    role: str = "foreground"
    value: FieldValue | None = None


class DetailPane(RowList):
    """Fields one can move over; `*` pivots on the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next_value(1)", "Next value", id="detail.next", show=False),
        Binding("shift+tab", "next_value(-1)", "Previous value", id="detail.previous", show=False),
        Binding("i,plus", "act('include')", "Keep records with this value", id="detail.include", show=False),
        Binding("minus,exclamation_mark", "act('exclude')", "Drop records with it", id="detail.exclude", show=False),
        Binding("c", "act('column')", "The field as a column, or no longer", id="detail.column", show=False),
    ]

    DEFAULT_CSS = """
    DetailPane { display: none; border-top: solid $log-strip; border-title-color: $log-hint; width: 2fr; }
    DetailPane.open { display: block; }
    """

    class Asked(Message):
        """A key was pressed on a value."""

        def __init__(self, what: str) -> None:
            """`include`, `exclude` or `column`."""
            self.what = what
            super().__init__()

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        """Nothing to show."""
        super().__init__(id=id)
        self._clock = clock
        self._details: list[DetailRow] = []
        self._line: Line | None = None
        self._fields: Sequence[FieldValue] = ()
        self._note = ""
        self._name_width = 8

    @property
    def value(self) -> FieldValue | None:
        """The field under the cursor."""
        return self._details[self.cursor].value if self.cursor < len(self._details) else None

    @property
    def record(self) -> int | None:
        """The row number of the record shown."""
        return self._line.row if self._line else None

    def show(self, record: Line, fields: Sequence[FieldValue], note: str = "") -> None:
        """Show a record.

        Args:
            record: The record.
            fields: Its columns and fields, keys first.
            note: What rules say of it.
        """
        same = self._line is not None and self._line.row == record.row
        self._line, self._fields, self._note = record, fields, note
        self._lay(self.cursor if same else None)

    def on_resize(self) -> None:
        """Wrap again."""
        if self._line:
            self._lay(self.cursor)

    def _lay(self, cursor: int | None) -> None:
        record = self._line
        if record is None:
            return
        self._name_width = min(28, max((len(clean(field.name)) for field in self._fields), default=8))
        place = f"{record.source}:{record.line}"
        head = f"{self._clock.full(record.time)}  {LEVEL_WORDS[record.level].strip()}  {place}"
        rows = [DetailRow(clean(head), "log-time")]
        if self._note:
            rows.append(DetailRow(clean(self._note), "log-detection"))
        first = len(rows)
        rows += [DetailRow("", value=field) for field in self._fields]
        rows.append(DetailRow("── whole record " + "─" * 40, "log-dim"))
        width = self.scrollable_content_region.width - 2
        text = clean(pretty(record.raw) or record.raw, lines=True, cap=RAW_CAP)
        rows += [DetailRow(part, level_plain(record.level)) for part in wrapped(text, width)]
        self._details = rows
        self.border_title = None
        self.set_rows(len(rows), min(first, len(rows) - 1) if cursor is None else cursor)

    def action_act(self, what: str) -> None:
        """Ask the screen to do something with the value."""
        if self.value is not None:
            self.post_message(self.Asked(what))

    def action_next_value(self, step: int) -> None:
        """To the next field, around the ends."""
        places = [place for place, row in enumerate(self._details) if row.value is not None]
        if not places:
            return
        ahead = [place for place in places if (place > self.cursor if step > 0 else place < self.cursor)]
        self.go((ahead[0] if step > 0 else ahead[-1]) if ahead else (places[0] if step > 0 else places[-1]))

    def row_segments(self, index: int, selected: bool) -> list[Segment]:
        """One field, or a line of the record."""
        row = self._details[index]
        styles = self.look_up
        behind = "log-cursor" if selected and self.has_focus else "background"
        lead = Segment("▸ " if selected and self.has_focus else "  ", styles.style("log-hint", behind, bold=True))
        field = row.value
        if field is None:
            return [lead, Segment(row.text[self.side :], styles.style(row.role, behind))]
        width = self.scrollable_content_region.width
        tail = ""
        if field.key:
            # The key's name is worth saying where the field is called otherwise.
            parts = [] if field.key == field.name else [field.key]
            parts.append(f"{field.key_class or 'key'} key")
            if field.records is not None:
                parts.append(f"{field.records:,} rec")
            tail = clean(" · ".join(parts)) + " "
        room = max(4, width - 2 - self._name_width - 2 - len(tail))
        value = clean(field.value, cap=4096)[self.side :]
        strong = field.key_class == "strong"
        segments = [
            lead,
            Segment(fit(clean(field.name), self._name_width) + "  ", styles.style("log-name", behind)),
        ]
        role = "log-key" if field.key else "foreground"
        segments += Segment.adjust_line_length(
            [Segment(value, styles.style(role, behind, bold=strong))], room, style=styles.style("foreground", behind)
        )
        segments.append(Segment(tail, styles.style("log-key" if strong else "log-dim", behind)))
        return segments
