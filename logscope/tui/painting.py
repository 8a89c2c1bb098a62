"""One record to the segments of its row. Every text of the log is cleaned here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment

from logscope.engine.answers import AbsentStep, Line, Mark
from logscope.text import ROW_CAP, clean
from logscope.tui.clock import Clock, distance
from logscope.tui.highlight import Marked, name_spans, split
from logscope.tui.styles import DETECTION_ROLES, DETECTION_SIGNS, LEVEL_WORDS, StyleTable, level_role

DELTA_WIDTH = 11
NOTHING_MARKED = Marked(())


@dataclass(frozen=True, slots=True)
class Look:
    """How rows of a list are painted just now."""

    styles: StyleTable
    clock: Clock
    width: int
    service_width: int = 10
    with_day: bool = False
    delta: str = ""
    """`previous`, `start` or empty: what the right column shows."""
    origin: int | None = None
    """Time of the first record, for `start`."""
    marked: Marked = NOTHING_MARKED
    """Where the patterns of the search and of the pivots in the trail match."""
    side: int = 0
    """Characters the message is scrolled to the left."""
    columns: tuple[int, ...] = ()
    """Widths of the columns that fields are shown in."""


def one_line(text: str) -> str:
    """The first line of a record, cleaned and capped, with a sign for how many follow."""
    head, newline, _ = text[: ROW_CAP * 4].partition("\n")
    return clean(head, cap=ROW_CAP) + _more(text) if newline else clean(text, cap=ROW_CAP)


def _more(text: str) -> str:
    """The sign for lines that follow the first one; empty where none do."""
    count = text[: ROW_CAP * 4].rstrip("\n").count("\n")
    return f" ⏎+{count}" if count else ""


def who(line: Line) -> str:
    """The service of a record, else the last part of its source's name."""
    return line.service or ("stdin" if line.source == "-" else line.source.rsplit("/", 1)[-1])


def fit(text: str, width: int) -> str:
    """Cut or padded to `width` cells."""
    if text.isascii():
        return text.ljust(width) if len(text) <= width else text[: max(0, width - 1)] + "…"
    return (
        text + " " * (width - cell_len(text))
        if cell_len(text) <= width
        else set_cell_size(text, max(0, width - 1)) + "…"
    )


def fit_end(text: str, width: int) -> str:
    """As `fit`, but of what is too long the end is kept: it tells one path from the next."""
    return text.ljust(width) if len(text) <= width else "…" + text[len(text) - width + 1 :]


def level_plain(level: int) -> str:
    """The role of a message: errors and warnings in their own colour, the rest plain."""
    return level_role(level) if level >= 4 or level == 1 else "foreground"


def shown_text(line: Line) -> str:
    """What of a record its row shows, cleaned, before it is scrolled sideways or cut."""
    if not line.message:
        return one_line(line.raw)
    # A stack trace is often no part of the message.
    return one_line(line.message) + ("" if "\n" in line.message else _more(line.raw))


def message_pieces(line: Line, look: Look) -> list[tuple[str, str]]:
    """The message cut into (piece, role), scrolled sideways."""
    text = shown_text(line)
    spans = name_spans(text) + look.marked.spans(text)
    pieces = split(text, spans, level_plain(line.level))
    if not look.side:
        return pieces
    left = look.side
    shifted = []
    for piece, role in pieces:
        if left >= len(piece):
            left -= len(piece)
            continue
        shifted.append((piece[left:], role))
        left = 0
    return shifted


def since(line: Line, previous: Line | None, look: Look) -> str:
    """The text of the right column."""
    if line.time is None:
        return ""
    if look.delta == "start":
        return distance(line.time - look.origin) if look.origin is not None else ""
    if previous is None or previous.time is None:
        return "+0"
    return distance(line.time - previous.time)


def gutter(mark: Mark | None, letter: str, closed: bool) -> tuple[str, str]:
    """Sign and role of a record that is a step of a detection, or marked by hand."""
    if letter:
        return letter, "log-mark"
    if mark is None:
        return " ", "log-dim"
    role = DETECTION_ROLES.get(mark.level, "log-detection")
    if mark.last and not closed:
        return "┗", role
    return ("┃" if DETECTION_SIGNS.get(mark.level) == "✖" else "│"), role


def record_row(
    line: Line,
    previous: Line | None,
    look: Look,
    *,
    selected: bool,
    mark: Mark | None = None,
    letter: str = "",
    closed: bool = False,
    context: bool = False,
    cells: Sequence[str] = (),
) -> list[Segment]:
    """The segments of one record.

    Args:
        line: The record.
        previous: The one before it in the view.
        look: How to paint.
        selected: The cursor is on it.
        mark: What it is to a rule, if it is a step of a detection.
        letter: The mark set by hand.
        closed: A step that did not happen stands below it, and ends what it is a step of.
        context: It only stands near what the filter keeps.
        cells: Values of the fields that have columns.

    Returns:
        Segments that may be longer than the row; the list cuts them.
    """
    behind = "log-cursor" if selected else "background"
    styles = look.styles
    sign, sign_role = ("╎", "log-dim") if context and not letter and mark is None else gutter(mark, letter, closed)
    out = [
        Segment("▸" if selected else " ", styles.style("log-hint", behind, bold=True)),
        Segment(sign + " ", styles.style(sign_role, behind, bold=True)),
    ]
    if look.with_day:
        out.append(Segment(look.clock.day(line.time) + " ", styles.style("log-dim", behind)))
    # A time that is not the record's own is dimmed and marked.
    own = line.time_from == 0
    out += [
        Segment(look.clock.time(line.time), styles.style("log-time" if own else "log-dim", behind)),
        Segment(" " if own else "~", styles.style("log-dim", behind)),
        Segment(LEVEL_WORDS[line.level] + " ", styles.level(line.level, behind)),
        Segment(fit(clean(who(line)), look.service_width) + " ", styles.style("log-service", behind)),
    ]
    for cell, width in zip(cells, look.columns, strict=False):
        style = styles.style("log-key", behind)
        out += Segment.adjust_line_length([Segment(one_line(cell)[:width], style)], width, style=style)
        out.append(Segment(" ", style))
    used = sum(piece.cell_length for piece in out)
    tail = ""
    if look.delta:
        tail = since(line, previous, look).rjust(DELTA_WIDTH) + " "
    room = max(1, look.width - used - len(tail))
    out += _message(line, look, behind, room, dim=context)
    if tail:
        out.append(Segment(tail, styles.style("log-time", behind)))
    return out


def absent_row(absent: AbsentStep, styles: StyleTable, *, selected: bool) -> list[Segment]:
    """The segments of a step that did not happen."""
    behind = "log-cursor" if selected else "background"
    lead = Segment("▸" if selected else " ", styles.style("log-hint", behind, bold=True))
    told = f"✖ {clean(absent.step)}: {clean(absent.text)}"
    return [
        lead,
        Segment("┗ " + "╌" * 12 + " ", styles.style("log-detection", behind)),
        Segment(told, styles.style("log-detection", behind, bold=True)),
        Segment(f"   {clean(absent.rule)}", styles.style("log-dim", behind)),
    ]


def lead_width(look: Look) -> int:
    """Cells of a row before its message."""
    return 2 + 1 + (6 if look.with_day else 0) + 13 + 6 + look.service_width + 1 + sum(look.columns) + len(look.columns)


def message_room(look: Look) -> int:
    """Cells of a row's message."""
    return max(1, look.width - lead_width(look) - (DELTA_WIDTH + 1 if look.delta else 0))


def wrap_row(line: Line, look: Look, side: int, *, selected: bool) -> list[Segment]:
    """A further line of a message, under its first one."""
    behind = "log-cursor" if selected else "background"
    style = look.styles.style("log-dim", behind)
    moved = replace(look, side=look.side + side)
    lead = fit("   ↪", lead_width(look))
    return [Segment(lead, style), *_message(line, moved, behind, message_room(look), dim=False)]


def extra_row(text: str, role: str, lead: str, look: Look, *, selected: bool) -> list[Segment]:
    """A line of cleaned text under a record."""
    behind = "log-cursor" if selected else "background"
    return [
        Segment(("▸" if selected else " ") + "    " + lead, look.styles.style("log-hint", behind)),
        Segment(text[look.side :], look.styles.style(role, behind)),
    ]


def _message(line: Line, look: Look, behind: str, room: int, *, dim: bool) -> list[Segment]:
    """The message in exactly `room` cells."""
    styles = look.styles
    segments = []
    for piece, told in message_pieces(line, look):
        role = "log-dim" if dim and told == "foreground" else told
        if role == "log-match-text":
            segments.append(Segment(piece, styles.style(role, "log-match", bold=True)))
        elif role.startswith("lane-"):
            segments.append(Segment(piece, styles.style(role, behind, bold=True, underline=True)))
        else:
            segments.append(Segment(piece, styles.style(role, behind, bold=role == "log-key")))
    return Segment.adjust_line_length(segments, room, style=styles.style("foreground", behind), pad=True)
