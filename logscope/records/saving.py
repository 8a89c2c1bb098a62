"""What a part of the engine remembers, as frames by name: to be written down, and taken up by another process."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

Saved = dict[str, pl.DataFrame]
"""Frames by name; parts of a part stand under `PART/NAME`."""


def under(part: str, frames: Mapping[str, pl.DataFrame]) -> Saved:
    """Frames as those of a part of a whole.

    Args:
        part: Its name.
        frames: By the part's own names.
    """
    return {f"{part}/{name}": frame for name, frame in frames.items()}


def below(part: str, frames: Mapping[str, pl.DataFrame]) -> Saved:
    """The frames of one part, by its own names: what `under` was given.

    Args:
        part: Its name.
        frames: Of the whole.
    """
    start = f"{part}/"
    return {name.removeprefix(start): frame for name, frame in frames.items() if name.startswith(start)}


def numbers(**values: int | None) -> pl.DataFrame:
    """Whole numbers by name, as a frame of one row."""
    return pl.DataFrame([values], schema=dict.fromkeys(values, pl.Int64), orient="row")
