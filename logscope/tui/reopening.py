"""What the investigator ends with when it is to begin again over other sources, or the same read otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reopen:
    """Open again."""

    sources: tuple[str, ...] = ()
    """Other sources; empty: the same."""
    formats: tuple[str, ...] = ()
    """`GLOB=NAME` each, beside what was asked for."""
    session: str = ""
    """The named session to begin with."""
