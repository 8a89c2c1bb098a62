"""How a live source fares: its rates as bars, and what a listener received, kept and lost."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from logscope.engine.answers import Snapshot, SourceStatus
from logscope.text import human_count
from logscope.tui.safe import line

BARS = "▁▂▃▄▅▆▇█"
LISTENED = (("received", "received"), ("stored", "kept"), ("dropped", "dropped"), ("connections", "connections"))
TROUBLES = ("late", "kernel_dropped", "truncated", "partial", "framing_errors", "refused", "torn", "let_go")
"""Counters of a live source that are worth a word once they are not zero."""


def counted(snapshot: Snapshot) -> dict[str, int]:
    """The counters that say something: what was received and kept is told of listeners alone, files are just read."""
    if any(source.counters for source in snapshot.sources):
        return dict(snapshot.counters)
    return {name: value for name, value in snapshot.counters.items() if value and name not in ("received", "stored")}


def sparkline(rates: Sequence[float]) -> str:
    """Rates as bars, the highest of them full; silence is a dot."""
    most = max(rates, default=0.0)
    return "".join("·" if rate <= 0 else BARS[min(7, int(rate / most * 7.999))] for rate in rates)


def health(source: SourceStatus) -> Content:
    """Two lines of a live source; empty for one that does not live."""
    rates: list[Content | str | tuple[str, str]] = []
    if source.rates:
        newest = human_count(round(source.rates[-1]))
        rates = [(sparkline(source.rates), "$success"), (f" {newest}/s", "bold")]
    counters = source.counters | {"late": source.late}
    told: list[Content | str | tuple[str, str]] = []
    if source.counters:
        told.append(" · ".join(f"{shown} {counters.get(name, 0):,}" for name, shown in LISTENED) + "   ")
    bad = [f"{name.replace('_', ' ')} {counters[name]:,}" for name in TROUBLES if counters.get(name)]
    if bad:
        told.append(("⚠ " + " · ".join(bad), "$log-warn"))
    return Content("\n").join([line(*rates), line(*told)]) if rates or told else Content("")
