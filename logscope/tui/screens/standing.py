"""Where one stands in the records view, for its status line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from logscope.engine.answers import Mark
from logscope.tui.health import counted
from logscope.tui.safe import line

if TYPE_CHECKING:
    from logscope.tui.screens.records import RecordsScreen


TOLD = (("received", "received"), ("stored", "kept"), ("late", "late"), ("dropped", "dropped"))


def for_now(mark: Mark) -> str:
    """Said of a mark that may yet go."""
    return f" · {mark.state}" if mark.state == "provisional" else ""


def records_status(screen: RecordsScreen) -> tuple[Content, Content]:
    """Left: which record of how many; right: how live sources fare, and how long the filter took."""
    records, record = screen.main_list, screen.line
    parts: list[Content | str | tuple[str, str]] = []
    if record is not None:
        place = line((f"{record.source.rsplit('/', 1)[-1]}:{record.line}", "$log-service"))
        # What follows stands still while one moves between sources.
        screen.widest_place = max(screen.widest_place, min(place.cell_length, screen.size.width // 3))
        parts += [place, " " * max(0, screen.widest_place - place.cell_length)]
    if total := records.records:
        share = round(100 * (records.place + 1) / total)
        parts.append((f"   row {records.place + 1:,} of {total:,} ({share} %)", ""))
    if records.following:
        parts.append(("   ▼ follow", "bold $success"))
    elif screen.scope.snapshot.live and records.records > screen.viewing.seen > 0:
        parts.append((f"   +{records.records - screen.viewing.seen:,} new", "bold $success"))
    if screen.pending:
        parts.append((f"   {screen.pending}: a letter", "bold $log-hint"))
    if records.count_typed:
        parts.append((f"   {records.count_typed}", "bold $log-hint"))
    if mark := records.mark():
        parts.append((f"   ✖ {mark.rule} · {mark.step}{for_now(mark)}", "bold $log-detection"))
    right: list[Content | str | tuple[str, str]] = []
    counters = counted(screen.scope.snapshot)
    if screen.size.width < 100:
        # What may be lost is worth more room than what came.
        counters = {name: counters[name] for name in ("late", "dropped") if name in counters}
    told = [f"{shown} {counters[name]:,}" for name, shown in TOLD if name in counters]
    if screen.timeline.brush is not None:
        return line(*parts), line(("← → move · S-→ wider · S-← less · ⏎ narrows to it · Esc", "bold $log-hint"))
    if told:
        right.append((" · ".join(told) + "   ", "$log-dim"))
    if screen.trail.effective and (took := screen.queries.took.get("view")) is not None:
        right.append((f"filter {took:.2f} s", "$log-dim"))
    return line(*parts), line(*right)
