"""A transaction's records over time, one lane per service instance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from logscope.engine.answers import AbsentStep, Member, TransactionDetail
from logscope.layout.waterfall import Lane, Missing, Point, Waterfall, waterfall
from logscope.records import severity
from logscope.text import clean, human_duration
from logscope.tui.painting import fit, who
from logscope.tui.styles import StyleTable

_ENDINGS = re.compile(r"(\.(log|txt|out|json|jsonl|gz|bz2|xz|zst))+$")

ONE, MANY, ERROR, MISSING = "●", "◉", "▲", "✖"


def lane_names(members: Sequence[Member]) -> list[str]:
    """Per member its lane: the service, with its instance where it has several."""
    instances: dict[str, set[str]] = {}
    for member in members:
        instances.setdefault(who(member.line), set()).add(instance(member))
    return [_lane_name(who(member.line), instance(member), instances) for member in members]


def _lane_name(service: str, instance: str, instances: dict[str, set[str]]) -> str:
    if len(instances[service]) == 1:
        return service
    # `gateway-1` says it all; `app-2` does not.
    return instance if instance.startswith(service) else f"{service} {instance}"


def instance(member: Member) -> str:
    """Which instance of its service wrote a record: its host, else its source's name without endings."""
    source = member.line.source.rsplit("/", 1)[-1]
    return member.line.host or _ENDINGS.sub("", source) or source


def missing_lane(absent: AbsentStep, members: Sequence[Member], lanes: Sequence[str]) -> str:
    """The lane of the last step of the same rule, where the missing one should have been."""
    found = lanes[0]
    for member, lane in zip(members, lanes, strict=True):
        if member.line.time is not None and member.line.time > absent.start:
            break
        if member.step is not None and member.step[0] == absent.rule:
            found = lane
    return found


class WaterfallView(Widget, can_focus=True):
    """Lanes, an axis, and the record under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,right", "step(1)", "Next record", id="waterfall.next", show=False),
        Binding("h,left", "step(-1)", "Previous record", id="waterfall.previous", show=False),
        Binding("j,down", "lane(1)", "Next lane", id="waterfall.lane-next", show=False),
        Binding("k,up", "lane(-1)", "Previous lane", id="waterfall.lane-previous", show=False),
    ]

    DEFAULT_CSS = """
    WaterfallView { height: auto; max-height: 50%; width: 1fr; background: $background; }
    """

    class Picked(Message):
        """A record was chosen in the waterfall."""

        def __init__(self, index: int) -> None:
            """The member at `index`."""
            self.index = index
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:
        """Nothing to show."""
        super().__init__(id=id)
        self._detail: TransactionDetail | None = None
        self._lanes: list[str] = []
        self._critical: list[tuple[int, int]] = []
        """Places of the two records around each wait."""
        self._laid: Waterfall | None = None
        self._width = -1
        self._current = 0

    def show(self, detail: TransactionDetail) -> None:
        """Show a transaction."""
        self._detail = detail
        self._lanes = lane_names(detail.members)
        places = {member.line.row: place for place, member in enumerate(detail.members)}
        self._critical = [
            (places[wait.since], places[wait.row])
            for wait in detail.critical
            if wait.since in places and wait.row in places
        ]
        self._width = -1
        self.styles.height = len(set(self._lanes)) + 2
        self.refresh(layout=True)

    def point(self, index: int) -> None:
        """The cursor is on the member at `index`."""
        if index != self._current:
            self._current = index
            self.refresh()

    @property
    def label_width(self) -> int:
        """Cells of the lane names."""
        most = 22 if self.size.width >= 110 else 14
        return min(most, max((len(clean(lane)) for lane in self._lanes), default=4))

    def laid(self) -> Waterfall | None:
        """The layout at the present width."""
        detail = self._detail
        width = max(10, self.size.width - self.label_width - 4)
        if detail is None or not detail.members:
            return None
        if width != self._width:
            points = [
                Point(detail.start + member.since_start, lane, member.error)
                for member, lane in zip(detail.members, self._lanes, strict=True)
            ]
            missing = [
                Missing(one.start, one.end, missing_lane(one, detail.members, self._lanes), one.step)
                for one in detail.absent
            ]
            self._laid = waterfall(points, width, missing)
            self._width = width
        return self._laid

    # Painting

    def render_line(self, y: int) -> Strip:
        """One line: the axis, then the lanes, then a rule."""
        styles: StyleTable = self.app.style_table  # type: ignore[attr-defined]  # LogscopeApp's, unknown to App
        width = self.size.width
        laid = self.laid()
        base = styles.style("foreground")
        if laid is None:
            return Strip.blank(width, base)
        if y == self.size.height - 1:
            return self._floor(laid, width, styles)
        if y == 0:
            cells = self._axis(laid, styles)
            label = Segment(" " * (self.label_width + 3), base)
        else:
            lanes = self._visible(laid, self.size.height - 2)
            if y > len(lanes):
                return Strip.blank(width, base)
            number = laid.lanes.index(lanes[y - 1])
            cells = self._lane(laid, lanes[y - 1], number, styles)
            label = Segment(f" {fit(clean(lanes[y - 1].name), self.label_width)}  ", styles.lane(number))
        return Strip([label, *_runs(cells)]).adjust_cell_length(width, base)

    def _visible(self, laid: Waterfall, room: int) -> list[Lane]:
        """The lanes that fit, around the one under the cursor."""
        if len(laid.lanes) <= room:
            return list(laid.lanes)
        here = next((place for place, lane in enumerate(laid.lanes) if lane.name == self._lanes[self._current]), 0)
        first = max(0, min(here - room // 2, len(laid.lanes) - room))
        return list(laid.lanes[first : first + room])

    def _axis(self, laid: Waterfall, styles: StyleTable) -> list[tuple[str, Style]]:
        dim = styles.style("log-dim")
        cells = [(" ", dim)] * laid.width
        for tick in laid.ticks:
            for place, sign in enumerate(tick.label):
                cells[tick.column + place] = (sign, styles.style("log-time"))
        for fold in laid.folds:
            for place, sign in enumerate(fold.label[: fold.width]):
                cells[fold.column + place] = (sign, styles.style("log-warn"))
        at = laid.columns[self._current]
        cells[at] = ("▾", styles.style("log-hint", "log-cursor", bold=True))
        return cells

    def _floor(self, laid: Waterfall, width: int, styles: StyleTable) -> Strip:
        """The rule below the lanes, with the length of the shaded gap under it."""
        dim = styles.style("log-dim")
        told = self._gap_length(laid)
        if not told or laid.gap is None:
            return Strip([Segment("─" * width, dim)])
        first, last = (self.label_width + 3 + column for column in laid.gap)
        start = max(0, min((first + last - len(told)) // 2, width - len(told)))
        return Strip(
            [
                Segment("─" * start, dim),
                Segment(told, styles.style("log-warn")),
                Segment("─" * max(0, width - start - len(told)), dim),
            ]
        )

    def _gap_length(self, laid: Waterfall) -> str:
        """How long the shaded gap is, in words; empty if there is none."""
        detail = self._detail
        if laid.gap is None or detail is None:
            return ""
        pairs = zip(detail.members[1:], laid.columns, laid.columns[1:], strict=False)
        first, last = laid.gap
        longest = max((one.since_previous or 0 for one, a, b in pairs if first - 1 <= a and b <= last), default=0)
        return f" {human_duration(longest)} " if longest else ""

    def _waits(self, laid: Waterfall, lane: Lane) -> set[int]:
        """Columns in a lane that its next record was waited for."""
        found: set[int] = set()
        for before, after in self._critical:
            if self._lanes[after] == lane.name:
                found.update(range(laid.columns[before] + 1, laid.columns[after]))
        return found

    def _lane(self, laid: Waterfall, lane: Lane, number: int, styles: StyleTable) -> list[tuple[str, Style]]:
        cells = []
        at = laid.columns[self._current]
        waits = self._waits(laid, lane)
        for column in range(laid.width):
            gap = laid.gap is not None and laid.gap[0] <= column < laid.gap[1]
            behind = "log-cursor" if column == at else "log-gap" if gap else "background"
            line = lane.cells and lane.first < column < lane.last
            if column in waits:
                cells.append(("━", styles.style("log-warn", behind)))
            else:
                cells.append(("─" if line else " ", styles.style("log-dim", behind)))
        for fold in laid.folds:
            middle = fold.column + fold.width // 2 - 1
            for column in range(fold.column, fold.column + fold.width):
                cells[column] = ("╱" if middle <= column <= middle + 1 else " ", styles.style("log-dim"))
        self._shades(laid, lane, styles, cells)
        for column, cell in lane.cells.items():
            here = self._current in cell.records
            sign = ERROR if cell.error else MANY if len(cell.records) > 1 else ONE
            behind = "log-cursor" if column == at else "background"
            style = styles.style(self._role(cell.records, number), behind, bold=True, underline=here)
            cells[column] = (sign, style)
        return cells

    def _role(self, records: Sequence[int], number: int) -> str:
        """Errors and warnings in their colours, the rest in the lane's."""
        detail = self._detail
        level = max((detail.members[place].line.level for place in records), default=0) if detail else 0
        if level >= severity.ERROR:
            return "log-error"
        return "log-warn" if level == severity.WARN else f"lane-{number % 6 + 1}"

    def _shades(self, laid: Waterfall, lane: Lane, styles: StyleTable, cells: list[tuple[str, Style]]) -> None:
        """Windows that stayed empty, with the name of what is missing."""
        style = styles.style("log-detection", bold=True)
        for shade in laid.shades:
            if shade.lane != lane.name:
                continue
            for column in range(shade.column, min(laid.width, shade.column + shade.width)):
                cells[column] = ("░", style)
            text = f"{MISSING} {clean(shade.text)}"
            start = min(shade.column + 2, max(0, laid.width - len(text)))
            for place, sign in enumerate(text[: laid.width]):
                if start + place < laid.width and start + place not in lane.cells:
                    cells[start + place] = (sign, style)

    # Keys

    def action_step(self, delta: int) -> None:
        """Another record."""
        if self._detail and self._detail.members:
            self._pick(max(0, min(len(self._detail.members) - 1, self._current + delta)))

    def action_lane(self, delta: int) -> None:
        """The nearest record of another lane."""
        laid = self.laid()
        if laid is None:
            return
        names = [lane.name for lane in laid.lanes]
        place = names.index(self._lanes[self._current]) + delta
        while 0 <= place < len(names) and not laid.lanes[place].cells:
            place += delta
        if 0 <= place < len(names):
            self._nearest(names[place], laid.columns[self._current])

    def _nearest(self, name: str, column: int) -> None:
        laid = self.laid()
        if laid is None:
            return
        own = [index for index, lane in enumerate(self._lanes) if lane == name]
        if own:
            self._pick(min(own, key=lambda index: abs(laid.columns[index] - column)))

    def _pick(self, index: int) -> None:
        self.point(index)
        self.post_message(self.Picked(index))

    def on_click(self, event: events.Click) -> None:
        """A click picks the nearest record of the lane."""
        laid = self.laid()
        if laid is None:
            return
        lanes = self._visible(laid, self.size.height - 2)
        if 1 <= event.y <= len(lanes):
            self._nearest(lanes[event.y - 1].name, event.x - self.label_width - 3)


def _runs(cells: Sequence[tuple[str, Style]]) -> list[Segment]:
    """Cells of one style as one segment."""
    out: list[Segment] = []
    text, last = "", None
    for sign, style in cells:
        if style is last:
            text += sign
        else:
            if last is not None:
                out.append(Segment(text, last))
            text, last = sign, style
    if last is not None:
        out.append(Segment(text, last))
    return out
