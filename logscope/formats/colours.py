"""Terminal colours within texts: what programs write for a terminal, and what no reader of a log wants to see."""

from __future__ import annotations

import polars as pl

COLOUR_BEGIN = "\x1b["
_COLOUR = r"\x1b\[[0-9;:]*[mK]"


def without_colours(lines: pl.Series) -> pl.Series:
    """Texts without what sets a terminal's colours (ECMA-48 8.3.117, SGR) and erases lines (EL)."""
    if not lines.str.contains(COLOUR_BEGIN, literal=True).any():
        return lines
    return lines.str.replace_all(_COLOUR, "")
