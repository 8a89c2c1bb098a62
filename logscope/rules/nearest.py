"""A word for a name that does not exist: which one was probably meant."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches


def nearest(name: str, known: Collection[str], intro: str = "known are") -> str:
    """`did you mean X?`, else the list of what there is.

    Args:
        name: What was written.
        known: What might have been.
        intro: Begins the list when nothing is near.
    """
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"{intro} {', '.join(known)}"
