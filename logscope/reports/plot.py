"""Figures over time as SVG bars."""

from __future__ import annotations

from html import escape

from logscope.reports.case import CaseSeries
from logscope.reports.wording import stamp
from logscope.text import clean, human_count, human_duration

_WIDTH, _HEIGHT, _TOP, _LEFT = 970, 110, 22, 2


def plot(series: CaseSeries) -> str:
    """An `<svg>` element: a bar per stretch of time, the greatest value named, detections marked.

    Args:
        series: What is told.
    """
    values = series.values
    highest = max((value for value in values if value is not None), default=0.0)
    step = _WIDTH / max(1, len(values))
    floor = _TOP + _HEIGHT
    title = _text(f"{series.title}: at most {amount(highest, series.unit)}", 200)
    parts = [
        (
            f'<svg viewBox="0 0 {_WIDTH + 4} {floor + 26}" width="{_WIDTH + 4}" height="{floor + 26}" role="img" '
            f'aria-label="{title}">'
        ),
        f'<text x="{_LEFT}" y="14">{title}</text>',
        f'<rect class="frame" x="{_LEFT}" y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}"/>',
    ]
    for place, value in enumerate(values):
        if value is not None and value > 0 and highest > 0:
            high = max(1.0, value / highest * _HEIGHT)
            parts.append(
                f'<rect class="bar" x="{_LEFT + place * step:.1f}" y="{floor - high:.1f}" '
                f'width="{max(0.5, step - 1):.1f}" height="{high:.1f}"/>'
            )
    span = max(1, series.end - series.start)
    for time in series.marks:
        if series.start <= time < series.end:
            x = _LEFT + (time - series.start) / span * _WIDTH
            parts.append(f'<path class="mark" d="M{x:.1f} {floor + 2}l4 8h-8z"/>')
    parts.append(f'<text class="tick" x="{_LEFT}" y="{floor + 22}">{stamp(series.start)[:19]}</text>')
    parts.append(
        f'<text class="tick" x="{_WIDTH}" y="{floor + 22}" text-anchor="end">{stamp(series.end)[:19]} UTC</text></svg>'
    )
    return "".join(parts)


def amount(value: float, unit: str) -> str:
    """A figure with its unit.

    Args:
        value: In `unit`.
        unit: `us`, `share`, `/s`, or empty.
    """
    if unit == "us":
        return human_duration(round(value))
    if unit == "share":
        return f"{value:.1%}"
    return f"{human_count(round(value)) if value >= 1000 else f'{value:.3g}'}{unit}"


def _text(text: str, cap: int) -> str:
    return escape(clean(text, cap=cap))
