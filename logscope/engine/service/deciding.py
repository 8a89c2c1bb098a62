"""One turn of a live session: the plan is found once enough is seen, then records are linked and rules decided.

`watch` and the investigator on live sources both run this; what they do with the outcome differs.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from typing import TYPE_CHECKING

from logscope.engine.api import Cancel
from logscope.engine.detection.detecting import Told
from logscope.engine.loading.spools import keep_plan, kept_plan, reach_watermark, reached_watermark

if TYPE_CHECKING:
    from logscope.engine.session import Session

_ENOUGH_RECORDS = 20_000
_FIRST_SECONDS = 10.0
_FEW_RECORDS = 1_000
_FEW_SECONDS = 60.0


class Deciding:
    """Links and decides what has come, turn by turn.

    Args:
        session: Opened.
        say: Told of the plan once it is frozen.
    """

    def __init__(self, session: Session, say: Callable[[str], None]) -> None:
        """Nothing is decided yet."""
        self._session = session
        self._say = say
        self._first_record: float | None = None
        self._waits = False

    def turn(self, *, final: bool) -> Told:
        """Link and decide what has come since the last turn.

        Args:
            final: This is all there will be.
        """
        session = self._session
        frozen = session.correlating.plan is not None and not session.renewing.provisional
        if not (frozen or self._freeze(final=final)) and session.correlating.plan is None:
            return Told((), ())
        cancel = Cancel()
        delta = session.correlating.update(cancel=cancel)
        spools = session.loading.sources
        told = session.detecting.update(
            delta, cancel=cancel, final=final, least=reached_watermark(spools) if final else None
        )
        watermark = session.detecting.watermark
        if told.raised and watermark.value is not None and watermark.value > (watermark.newest or 0):
            # Decided by the silence alone (in the last turn by one before it): a scan of the spool must know
            # that time had come so far.
            reach_watermark(spools, watermark.value)
        return told

    def _freeze(self, *, final: bool) -> bool:
        """Find the plan once enough is seen; whether there is one."""
        session = self._session
        records = session.store.view.records
        if not records:
            return False
        now = clock.monotonic()
        if self._first_record is None:
            self._first_record = now
            self._waits = True
        waited = now - self._first_record
        kept = kept_plan(session.loading.sources) if session.options.plan is None else None
        enough = records >= _ENOUGH_RECORDS or waited >= (_FIRST_SECONDS if records >= _FEW_RECORDS else _FEW_SECONDS)
        if not (final or kept is not None or session.options.plan or enough):
            if self._waits:
                self._waits = False
                self._say(
                    f"looking for the keys in what comes first: {_ENOUGH_RECORDS:,} records, or {_FIRST_SECONDS:.0f} s "
                    f"with {_FEW_RECORDS:,} or more, or {_FEW_SECONDS:.0f} s; nothing is told before (--plan FILE does not wait)"
                )
            return False
        if session.renewing.due():
            session.renewing.renew(Cancel())  # somebody asked for transactions before enough was seen
        plan = session.correlating.prepare(cancel=Cancel(), plan=kept)
        session.renewing.settle()
        keep_plan(session.loading.sources, plan)
        names = ", ".join(plan.linking) or "none"
        grain, why = session.correlating.grain()
        self._say(f"plan: keys {names}; grain {grain}{f' ({why})' if why else ''}")
        return True
