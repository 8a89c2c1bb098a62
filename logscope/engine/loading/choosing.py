"""Which formats a source is read by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logscope.engine.loading.tablefiles import TableSource
from logscope.formats.cutlines import further_part
from logscope.formats.detect import detect, objects_of_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logscope.formats.assignment import Assignment, FormatSet
    from logscope.sources.base import OpenSource


def assignment_of(formats: FormatSet, source: OpenSource, lines: Sequence[str], forced: str | None) -> Assignment:
    """The formats of a source, told from its first lines, and from a part of a line that stands further on.

    Args:
        formats: All that are known.
        source: Open.
        lines: Its first ones; may be none.
        forced: Name of the format that the user gave.

    Raises:
        FormatError: `forced` names no format.
    """
    if source.kind == "messages":
        return formats.for_messages()
    if isinstance(source, TableSource):
        return objects_of_table(formats, source.columns, lines)
    part = further_part(lines[0], source.pread, source.size()) if lines and source.finished() else None
    return detect(formats, [*lines, part] if part else lines, name=source.name, forced=forced)
