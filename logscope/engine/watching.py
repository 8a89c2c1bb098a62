"""`watch`: sources are followed, records linked and rules decided as they come, until a signal.

The plan is found in what is first seen, then frozen, said, and kept beside the spool, so that a scan
of that spool runs by the same plan.
"""

from __future__ import annotations

import threading
import time as clock
from collections.abc import Callable
from typing import TYPE_CHECKING

from logscope.engine.api import Cancel, Detection
from logscope.engine.detecting import Told
from logscope.engine.ledger import Ledger, ledger_of
from logscope.engine.spools import keep_plan, kept_plan, reach_watermark, reached_watermark

if TYPE_CHECKING:
    from logscope.engine.session import Session

_ENOUGH_RECORDS = 20_000
_FIRST_SECONDS = 10.0
_FEW_RECORDS = 1_000
_FEW_SECONDS = 60.0
_POLL_SECONDS = 0.1


class Watching:
    """Runs an open session live.

    Args:
        session: Opened, nothing read yet.
        tell: Gets every detection once, retracted ones too.
        say: Gets what people should know.
    """

    def __init__(self, session: Session, tell: Callable[[list[Detection]], None], say: Callable[[str], None]) -> None:
        """Ready to run."""
        self._session = session
        self._tell = tell
        self._say = say
        self._ledger: Ledger = ledger_of((source.name, source.kind) for source in session.loading.sources)
        self._first_record: float | None = None
        self._said = 0
        self._caught_up = False
        self.told = 0

    def run(self, stop: threading.Event) -> None:
        """Follow until `stop` or until nothing more can come, then drain and decide what the end decides."""
        while not stop.is_set():
            moved = self._session.loading.step()
            self._say_news()
            self._turn(final=False)
            if not moved:
                self._caught_up = True
                if not self._session.loading.live:
                    break
                stop.wait(_POLL_SECONDS)
        self._session.loading.stop_receiving()
        while self._session.loading.step():
            pass
        self._session.loading.finish()
        self._caught_up = True
        self._turn(final=True)
        self._say_news()

    def _turn(self, *, final: bool) -> None:
        """Link and decide what has come."""
        session = self._session
        if session.correlating.plan is None and not self._freeze(final=final):
            return
        cancel = Cancel()
        delta = session.correlating.update(cancel=cancel)
        spools = session.loading.sources
        least = reached_watermark(spools) if final else None
        told = session.detecting.update(delta, cancel=cancel, final=final, least=least)
        watermark = session.detecting.watermark
        if not final and told.raised and watermark.value is not None and watermark.value > (watermark.newest or 0):
            # Decided by the silence alone: a scan of the spool must know that time had come so far.
            reach_watermark(spools, watermark.value)
        self._pass_on(told)

    def _freeze(self, *, final: bool) -> bool:
        """Find the plan once enough is seen; whether there is one."""
        session = self._session
        records = session.store.view.records
        if not records:
            return False
        now = clock.monotonic()
        self._first_record = self._first_record or now
        waited = now - self._first_record
        kept = kept_plan(session.loading.sources) if session.options.plan is None else None
        enough = records >= _ENOUGH_RECORDS or waited >= (_FIRST_SECONDS if records >= _FEW_RECORDS else _FEW_SECONDS)
        if not (final or kept is not None or session.options.plan or enough):
            return False
        plan = session.correlating.prepare(cancel=Cancel(), plan=kept)
        keep_plan(session.loading.sources, plan)
        names = ", ".join(plan.linking) or "none"
        grain, why = session.correlating.grain()
        self._say(f"plan: keys {names}; grain {grain} ({why})")
        return True

    def _pass_on(self, told: Told) -> None:
        """Tell what this ledger has not, and take back what it has and no longer holds."""
        ledger = self._ledger
        news = [detection for detection in told.raised if detection.detection not in ledger.told]
        news += [detection for detection in told.retracted if detection.detection in ledger.told]
        if not news:
            return
        news.sort(key=lambda detection: (detection.time, detection.detection))
        self._tell(news)
        ledger.note((detection.detection, detection.state, detection.time) for detection in news)
        self.told += sum(detection.state == "matched" for detection in news)

    def _say_news(self) -> None:
        loading, detecting = self._session.loading, self._session.detecting
        news = [*map(str, loading.errors), *loading.notices, *detecting.notices]
        for text in news[self._said :]:
            self._say(text)
        self._said = len(news)
