"""How many files may be open at once: every source that is read holds one."""

from __future__ import annotations

import contextlib
import resource

_RESERVE = 200
"""For everything else: libraries, pipes, databases, the terminal."""
_LEAST = 10_240
"""What macOS gives a process whose hard limit says that there is none."""


def allow(count: int) -> int:
    """Raise the process's own limit of open files, as far as it may, so that so many sources can be read.

    Args:
        count: Sources that are to be open at once; twice as many files are asked for, since a rotated
            file stays open beside its successor.

    Returns:
        How many sources may be open.
    """
    wanted = 2 * count + _RESERVE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        for limit in (most, min(most, _LEAST)):
            with contextlib.suppress(OSError, ValueError):
                if limit > soft:
                    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                break
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        return count
    return max(1, soft - min(_RESERVE, soft // 2))
