"""Columns of fixed width put into files of our own and mapped: memory that the system can take back.

A file has no name as soon as it is mapped, so nobody can cut it short and nothing stays behind.
"""

from __future__ import annotations

import contextlib
import mmap
import tempfile
import weakref
from pathlib import Path

import nanoarrow as na
import polars as pl

from logscope.paths import private_folder

_ALIGNMENT = 64
_LET_GO = getattr(mmap, "MADV_DONTNEED", None)
_TYPES = {"UInt8": na.uint8, "UInt16": na.uint16, "UInt32": na.uint32, "UInt64": na.uint64, "Int64": na.int64}


class Spill:
    """Where columns go.

    Args:
        folder: On a disk, not in memory; made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is written yet."""
        self._folder = folder
        self._maps: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()

    def mapped(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with its columns in a file; the frame itself where that cannot be written.

        Args:
            frame: Integers and times without nulls.
        """
        if not frame.height:
            return frame
        columns = [column.to_physical().rechunk() for column in frame]
        with contextlib.suppress(OSError):
            private_folder(self._folder)
            with tempfile.TemporaryFile(dir=self._folder) as file:
                places = []
                for column in columns:
                    places.append(file.tell())
                    file.write(next(iter(na.c_array_stream(column))).view().buffer(1))
                    file.write(bytes(-file.tell() % _ALIGNMENT))
                file.flush()
                pages = mmap.mmap(file.fileno(), file.tell(), access=mmap.ACCESS_READ)
            self._maps.add(pages)
            whole = memoryview(pages)
            return pl.DataFrame(
                [
                    _of_bytes(column, whole[place:]).cast(frame.schema[column.name])
                    for column, place in zip(columns, places, strict=True)
                ]
            )
        return frame

    def release(self) -> None:
        """Give the pages in memory back; whoever looks at one again finds it in the file.

        The system would take them itself when it runs short, but until then they count as ours: a query over
        all records leaves every column that it looked at resident.
        """
        if _LET_GO is not None:
            for pages in list(self._maps):
                pages.madvise(_LET_GO)


def _of_bytes(like: pl.Series, data: memoryview) -> pl.Series:
    kind = _TYPES[str(like.dtype)]()
    return pl.Series(na.c_array_from_buffers(kind, len(like), [None, data])).rename(like.name)
