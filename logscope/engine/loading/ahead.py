"""Work over segments on a few threads at once, with the results in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from logscope.text import human_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logscope.engine.api import Cancel
    from logscope.records.pieces import Segment

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_WORKERS = 4
"""Parsing is bound by memory beyond that, and each worker holds a segment's columns."""


def ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result, None, None]:
    """Apply `work` to every item, some items ahead of the one that is taken.

    Polars leaves the interpreter free while it works, so threads are enough. Who stops taking (a query
    that was given up) ends it: what has not begun is not done.

    Args:
        work: Called on threads; must be safe to run beside itself.
        items: What to work on, taken one by one as room is made.

    Yields:
        The results in the order of `items`.

    Raises:
        Exception: What `work` raised, at the item's place.
    """
    workers = min(_MOST_WORKERS, os.cpu_count() or 1)
    todo = iter(items)
    begun: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="logscope-ahead")
    try:
        for item in todo:
            begun.append(pool.submit(work, item))
            if len(begun) > workers:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def counted(
    found: Iterable[Result], segments: Sequence[Segment], cancel: Cancel, what: str
) -> Generator[Result, None, None]:
    """What was found in segments, while whoever asked hears how far it is, and can give it up.

    Args:
        found: A result per segment, in their order.
        segments: Of the store.
        cancel: Looked at before each result, and told.
        what: What is done; `{}` stands for how many records it is done to.

    Yields:
        The results.

    Raises:
        Cancelled: It was given up.
    """
    total, done = sum(segment.records for segment in segments), 0
    told = what.format(human_count(total))
    cancel.tell(told, 0.0)
    for segment, result in zip(segments, found, strict=True):
        cancel.check()
        yield result
        done += segment.records
        cancel.tell(told, done / total)
