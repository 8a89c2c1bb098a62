"""The records of one transaction, with the time since the previous and since the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.segment import Segment

from logscope.engine.answers import AbsentStep, Member, TransactionDetail
from logscope.engine.insights import Wait
from logscope.text import clean
from logscope.tui.clock import Clock, distance
from logscope.tui.highlight import name_spans, split
from logscope.tui.painting import fit, level_plain, one_line, who
from logscope.tui.styles import LEVEL_WORDS
from logscope.tui.widgets.row_list import RowList

WIDE = 110
INDENT = "  "
DEEPEST = 6
"""Levels of steps below steps that are shown by indentation; the message must have room."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record, or a step that did not happen."""

    index: int
    """The member's place; of an absent step the one before it."""
    member: Member | None = None
    absent: AbsentStep | None = None


def rows_of(detail: TransactionDetail) -> list[Row]:
    """Members in order, absent steps after the record that began their window."""
    waiting = sorted(detail.absent, key=lambda one: one.start)
    out: list[Row] = []
    for index, member in enumerate(detail.members):
        while waiting and waiting[0].start < detail.start + member.since_start:
            out.append(Row(max(0, index - 1), absent=waiting.pop(0)))
        out.append(Row(index, member=member))
    out += [Row(max(0, len(detail.members) - 1), absent=one) for one in waiting]
    return out


class MemberList(RowList):
    """Rows of a transaction."""

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        """Nothing yet."""
        super().__init__(id=id)
        self._clock = clock
        self._rows: list[Row] = []
        self._waits: dict[int, Wait] = {}
        self._services = 8
        self.marked: Mapping[int, str] = {}
        """Gutter signs of records that are to be steps of a rule, by row."""

    def show(self, detail: TransactionDetail) -> None:
        """Show a transaction."""
        self._rows = rows_of(detail)
        self._waits = {wait.row: wait for wait in detail.critical}
        self._services = min(14, max((len(who(member.line)) for member in detail.members), default=8))
        self.set_rows(len(self._rows), self.cursor)

    @property
    def shown(self) -> list[Row]:
        """All rows."""
        return self._rows

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def row_of(self, *, index: int | None = None, record: int | None = None) -> int | None:
        """Where a member (by place) or a record (by row number) stands in the list."""
        for place, row in enumerate(self._rows):
            if row.member is not None and (row.index == index or row.member.line.row == record):
                return place
        return None

    def heading(self) -> str:
        """The column titles."""
        wide = self.app.size.width >= WIDE
        number = f"{'#':>5}  " if wide else "  "
        return (
            f"  {number}{'time':<12} {'+prev':>10} {'+start':>10} "
            + (f"{'level':<6}" if wide else "")
            + f"{'service':<{self._services}} message"
        )

    def row_segments(self, index: int, selected: bool) -> list[Segment]:
        """One record, or one absent step."""
        row = self._rows[index]
        behind = "log-cursor" if selected else "background"
        styles = self.look_up
        wide = self.app.size.width >= WIDE
        lead = Segment("▸" if selected else " ", styles.style("log-hint", behind, bold=True))
        if row.absent is not None:
            text = f"┗ {'╌' * 8}  ✖ {clean(row.absent.step)}: {clean(row.absent.text)}   {clean(row.absent.rule)}"
            return [lead, Segment(text, styles.style("log-detection", behind, bold=True))]
        member = row.member
        if member is None:
            return [lead]
        line = member.line
        wait = self._waits.get(line.row)
        sign = "┃ " if member.step else "▲ " if member.error else "◷ " if wait else "  "
        sign_role = "log-detection" if member.step else "log-error" if member.error else "log-warn"
        if mark := self.marked.get(line.row):
            sign, sign_role = f"{mark} ", "log-mark"
        out = [lead, Segment(sign, styles.style(sign_role, behind, bold=True))]
        if wide:
            out.append(Segment(f"{row.index + 1:>4}  ", styles.style("log-dim", behind)))
        out += [
            Segment(" " + self._clock.time(line.time), styles.style("log-time", behind)),
            Segment(
                f" {distance(member.since_previous):>10}", styles.style("log-warn" if wait else "foreground", behind)
            ),
            Segment(f" {distance(member.since_start) if row.index else '0':>10} ", styles.style("log-dim", behind)),
        ]
        if wide:
            out.append(Segment(LEVEL_WORDS[line.level] + " ", styles.level(line.level, behind)))
        out.append(Segment(fit(clean(who(line)), self._services) + " ", styles.style("log-service", behind)))
        text = INDENT * min(member.depth, DEEPEST) + one_line(line.message or line.raw)
        left = self.side
        message = []
        for piece, role in split(text, name_spans(text), level_plain(line.level)):
            message.append(Segment(piece[left:], styles.style(role, behind)))
            left = max(0, left - len(piece))
        if not member.step and not wait:
            return out + message
        # What a step is called, or how much was waited for, is not to be cut off by a long message.
        tail, role = (f" ◂ {clean(member.step[1])} ", "log-detection") if member.step else ("", "log-warn")
        if wait is not None:
            tail += f" ◷ {wait.share:.0%} "
        room = self.scrollable_content_region.width - sum(len(piece.text) for piece in out) - len(tail)
        out += Segment.adjust_line_length(message, max(1, room), style=styles.style("foreground", behind), pad=True)
        out.append(Segment(tail, styles.style(role, behind, bold=True)))
        return out
