"""A rule that is being made, part by part."""

from __future__ import annotations

from dataclasses import dataclass

from rich.segment import Segment

from logscope.rules.drafts import Draft
from logscope.text import clean, human_duration
from logscope.tui.painting import fit
from logscope.tui.styles import DETECTION_ROLES, DETECTION_SIGNS
from logscope.tui.widgets.row_list import RowList

NAME = 10
"""Cells of a part's name."""


@dataclass(frozen=True, slots=True)
class Part:
    """One row: a part of the draft, and which of several."""

    kind: str
    """`title`, `level`, `where`, `step`, `until`, `maxspan`, `message`, `field`."""
    place: int = 0


def parts_of(draft: Draft) -> list[Part]:
    """The rows of a draft, in the order one reads a rule."""
    parts = [Part("title"), Part("level")]
    if draft.kind == "sequence":
        parts += [Part("step", place) for place in range(len(draft.steps))]
        parts += [Part("maxspan"), Part("until")]
    else:
        parts.append(Part("where"))
    parts.append(Part("message"))
    gone = {step.name for step in draft.steps if step.absent}
    parts += [Part("field", n) for n, one in enumerate(draft.fields) if one.source.partition(".")[0] not in gone]
    return parts


class DraftTable(RowList):
    """The parts of a draft, to be changed one by one."""

    def __init__(self, *, id: str | None = None) -> None:
        """No draft yet."""
        super().__init__(id=id)
        self._draft: Draft | None = None
        self._parts: list[Part] = []

    @property
    def empty_text(self) -> list[str]:
        """What it shows until there is a draft."""
        return ["Proposing steps …"]

    @property
    def part(self) -> Part | None:
        """The one under the cursor."""
        return self._parts[self.cursor] if self.cursor < len(self._parts) else None

    def show(self, draft: Draft, part: Part | None = None) -> None:
        """Show a draft.

        Args:
            draft: The rule as it is now.
            part: Where to stand; by default where one stood.
        """
        wanted = part or self.part
        self._draft, self._parts = draft, parts_of(draft)
        place = self._parts.index(wanted) if wanted in self._parts else self.cursor
        self.set_rows(len(self._parts), min(place, len(self._parts) - 1))
        self.repaint()

    def row_segments(self, index: int, selected: bool) -> list[Segment]:
        """One part."""
        draft, part = self._draft, self._parts[index]
        assert draft is not None
        styles = self.look_up
        behind = "log-cursor" if selected and self.has_focus else "background"
        name, name_role, text, role, tail = _told(draft, part)
        width = self.scrollable_content_region.width
        tail = f"  {clean(tail)} " if tail else ""
        room = max(8, width - 3 - NAME - len(tail))
        return [
            Segment("▸ " if selected else "  ", styles.style("log-hint", behind, bold=True)),
            Segment(fit(clean(name), NAME) + " ", styles.style(name_role, behind, bold=part.kind == "step")),
            Segment(fit(clean(text, cap=2000)[self.side :], room), styles.style(role, behind)),
            Segment(tail, styles.style("log-time", behind)),
        ]


def _told(draft: Draft, part: Part) -> tuple[str, str, str, str, str]:
    """Name, its role, text, its role, what stands at the right."""
    if part.kind == "step":
        return _step(draft, part.place)
    if part.kind == "field":
        one = draft.fields[part.place]
        sign = "■" if one.chosen else "□"
        role = "foreground" if one.chosen else "log-dim"
        first = next(n for n, each in enumerate(parts_of(draft)) if each.kind == "field")
        name = "emit" if parts_of(draft)[first] == part else ""
        return name, "log-name", f"{sign} {one.name:<14} {one.source}", role, one.example[:24]
    if part.kind == "level":
        sign = DETECTION_SIGNS.get(draft.level, "·")
        return "level", "log-name", f"{sign} {draft.level}", DETECTION_ROLES.get(draft.level, "log-dim"), ""
    if part.kind == "maxspan":
        told = human_duration(draft.maxspan) if draft.maxspan else "no bound"
        return "maxspan", "log-name", told, "foreground", "from the first step to the last"
    text = str(getattr(draft, part.kind))
    return part.kind, "log-name", text or "nothing", "foreground" if text else "log-dim", ""


def _step(draft: Draft, place: int) -> tuple[str, str, str, str, str]:
    step = draft.steps[place]
    happening = [number for number, one in enumerate(draft.steps) if not one.absent]
    if step.absent:
        between = bool(happening) and happening[0] < place < happening[-1]
        bound = (
            "between the two" if between else f"within {human_duration(step.bound)}" if step.bound else "within maxspan"
        )
        return f"✖ {step.name}", "log-detection", step.where, "log-detection", f"absent, {bound}"
    number = happening.index(place) + 1
    first = number == 1
    bound = "" if first else f"pause ≤ {human_duration(step.bound)}" if step.bound else "any pause"
    return f"{number} {step.name}", "log-key", step.where, "foreground", bound
