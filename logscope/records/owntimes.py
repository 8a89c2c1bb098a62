"""Records whose time is only their file's, which has none of its own.

That file may have been written, copied or unpacked years after what it tells of. Among records that have times, such a
one has its place in the list and is searched, but where time is measured it is left out.
"""

from __future__ import annotations

import polars as pl

from logscope.records.schema import FROM_FILE


def own_times(index: pl.DataFrame) -> pl.Series | None:
    """Which records have a time of the log's own; None where it is all of them, or none.

    Args:
        index: Records with `time_from`.

    Returns:
        Booleans, as high as the index.
    """
    own = index.get_column("time_from") != FROM_FILE
    return None if own.all() or not own.any() else own


def with_own_times(index: pl.DataFrame) -> pl.DataFrame:
    """The records that have a time of the log's own; all where none has.

    Args:
        index: Records with `time_from`.
    """
    own = own_times(index)
    return index if own is None else index.filter(own)
