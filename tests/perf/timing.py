"""What a job notes of itself: seconds, processor seconds, peak memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Result = dict[str, Any]


@contextmanager
def timed(result: Result, name: str) -> Iterator[None]:
    """Notes wall clock and processor seconds as `name` and `name_cpu`."""
    cpu, wall = _cpu(), time.perf_counter()
    yield
    result[name], result[name + "_cpu"] = time.perf_counter() - wall, _cpu() - cpu


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak() -> int:
    """Peak resident memory so far, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
