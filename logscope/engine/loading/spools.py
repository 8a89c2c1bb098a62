"""What a watch keeps beside a listener's spool: its plan, and how far it has decided.

A scan of the spool takes both up again, so that it gives the very detections that were told.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from logscope.correlation.plan import Plan, from_toml, to_toml
from logscope.errors import LogscopeError, UsageError
from logscope.language.units import parse_duration, parse_size
from logscope.sources.retention import Retention
from logscope.sources.spool import SpoolSource, read_watermark, write_private, write_watermark

if TYPE_CHECKING:
    from logscope.sources.base import OpenSource

_PLAN = "plan.toml"


def _spools(sources: Iterable[OpenSource]) -> list[SpoolSource]:
    return [source for source in sources if isinstance(source, SpoolSource)]


def retention_of(text: str | None) -> Retention | None:
    """`--retain`: a size (`2GiB`) or an age (`7d`); None keeps everything.

    Raises:
        UsageError: It is neither.
    """
    if text is None:
        return None
    for parse, make in ((parse_duration, lambda span: Retention(seconds=span / 1e6)), (parse_size, Retention)):
        try:
            value = parse(text)
        except LogscopeError:
            continue
        if value > 0:
            return make(value)
    raise UsageError(f"neither a size nor an age: {text!r}", "--retain", mend="for example 2GiB, or 7d")


def kept_plan(sources: Iterable[OpenSource]) -> Plan | None:
    """The plan that a watch of these spools ran by; None if there is none, or other sources are among them."""
    known = list(sources)
    spools = _spools(known)
    if not spools or len(spools) < len(known):
        return None
    for spool in spools:
        path = spool.folder / _PLAN
        if path.exists():
            return from_toml(path.read_text(encoding="utf-8"), str(path))
    return None


def keep_plan(sources: Iterable[OpenSource], plan: Plan) -> None:
    """Write the plan beside each spool that has none yet."""
    for spool in _spools(sources):
        path = spool.folder / _PLAN
        if not path.exists():
            write_private(path, to_toml(plan))


def reached_watermark(sources: Iterable[OpenSource]) -> int | None:
    """How far time had come by silence alone, microseconds; None where that never decided anything."""
    reached = [read_watermark(unquote(spool.folder.name)) for spool in _spools(sources)]
    return max((time for time in reached if time is not None), default=None)


def reach_watermark(sources: Iterable[OpenSource], time: int) -> None:
    """Time has come so far without a record, and something was decided by it."""
    for spool in _spools(sources):
        write_watermark(unquote(spool.folder.name), time)
