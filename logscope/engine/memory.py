"""How much memory a session may keep for text and columns."""

from __future__ import annotations

import os

_SHARE = 4
_LEAST = 64 << 20


def budget(asked: int | None) -> int:
    """Bytes for the block and column cache.

    Args:
        asked: `--memory`; a quarter of the machine's memory by default.
    """
    if asked is None:
        try:
            asked = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _SHARE
        except (ValueError, OSError):
            asked = 1 << 30
    # Half of it: the index, the linker and what a running query needs come out of the same sum.
    return max(_LEAST, asked // 2)
