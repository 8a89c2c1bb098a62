"""`watch`: sources are followed, records linked and rules decided as they come, until a signal.

The plan is found in what is first seen, then frozen, said, and kept beside the spool, so that a scan
of that spool runs by the same plan.
"""

from __future__ import annotations

import threading
import time as clock
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from logscope.engine.answers import Detection
from logscope.engine.detection.detecting import Told
from logscope.engine.loading.spools import retention_of
from logscope.engine.service.checkpoint import Checkpoint
from logscope.engine.service.deciding import Deciding
from logscope.engine.service.ledger import Ledger, ledger_of
from logscope.engine.service.lettinggo import LettingGo
from logscope.engine.service.metrics import Measures
from logscope.engine.service.pacing import rest
from logscope.text import human_duration

if TYPE_CHECKING:
    from logscope.engine.session import Session


_MANY_NOTICES, _FEW_NOTICES = 2_000, 200
"""So many different notices are remembered; beyond that the newest few."""


class Watching:
    """Runs an open session live.

    Args:
        session: Opened, nothing read yet.
        tell: Gets every detection once, retracted ones too.
        say: Gets what people should know.
        dispatch: Gets what `tell` was told, those that are provisional excepted; says whether it is in safety.
        measures: Kept up to date.
    """

    def __init__(
        self,
        session: Session,
        tell: Callable[[list[Detection]], None],
        say: Callable[[str], None],
        dispatch: Callable[[list[Detection]], bool] = lambda detections: True,
        measures: Measures | None = None,
    ) -> None:
        """Ready to run.

        Raises:
            UsageError: Another watch of these sources runs.
        """
        self._session = session
        self._tell = tell
        self._say = say
        self._dispatch = dispatch
        self._measures = measures or Measures()
        self._ledger: Ledger = ledger_of(
            (
                (source.name if source.kind == "messages" else str(Path(source.name).absolute()), source.kind)
                for source in session.loading.sources
            ),
            [*(rule.key for rule in session.detecting.rules), *session.options.rule],
        )
        self._checkpoint = Checkpoint(session, self._ledger.checkpoint, say)
        self._deciding = Deciding(session, say)
        self.letting_go = LettingGo(session, say, self._checkpoint.wait)
        # What could not be opened was said by whoever opened the session.
        self._said: set[str] = set(map(str, session.loading.errors))
        self._early: set[str] = set()
        self._settled: set[str] = set()
        self.told = 0

    def run(self, stop: threading.Event, reload: Callable[[], bool] = lambda: False) -> None:
        """Follow until `stop` or until nothing more can come, then drain and decide what the end decides.

        Args:
            stop: Set to end.
            reload: Asked in each turn; reads the rules anew if that is wanted, and says whether it did.
        """
        for words in beyond_retention(self._session):
            self._say(words)
        if self._checkpoint.restore():
            # Of what was known when it was written all is told, unless the ledger is another since.
            self._pass_on(Told(tuple(self._session.detecting.told.values()), ()))
        caught_up = False
        while not stop.is_set():
            began = clock.monotonic()
            reloaded = reload()
            moved = self._session.loading.step()
            self._say_news()
            self._turn(final=False)
            if reloaded:
                # What other rules had told is not made false by a record.
                self._settled = self._ledger.told.keys() - self._session.detecting.told.keys()
            self._checkpoint.turned()
            if self.letting_go.turned() and caught_up:
                self._ledger.forget(self._session.detecting.told)
            if not moved:
                if not caught_up:
                    caught_up = self._take_back()
                if not self._session.loading.live:
                    break
            stop.wait(rest(clock.monotonic() - began, moved=moved, waiting=self._session.loading.waiting))
        self._session.loading.stop_receiving()
        while self._session.loading.step():
            pass
        self._session.loading.finish()
        self._turn(final=False)
        self._checkpoint.finish()
        self._turn(final=True)
        self._take_back()
        self._say_news()
        self._ledger.close()

    def _turn(self, *, final: bool) -> None:
        began = clock.monotonic()
        told = self._deciding.turn(final=final)
        self._measures.turned(clock.monotonic() - began, self._session.counters, final=final)
        self._measures.evicted = self._session.detecting.evicted()
        self._pass_on(told)

    def _pass_on(self, told: Told) -> None:
        """Tell what this ledger has not, and take back what it has and no longer holds."""
        ledger = self._ledger
        news = [detection for detection in told.raised if detection.detection not in ledger.told]
        news += [detection for detection in told.retracted if detection.detection in ledger.told]
        if news:
            news.sort(key=lambda detection: (detection.time, detection.detection))
            self._tell(news)
            self._measures.detections.update((found.rule, found.state) for found in news)
            # Noted last: a kill in between tells and dispatches them again, and the outbox knows what it has.
            ledger.note(news, write=self._dispatch(news))
            self.told += sum(detection.state == "matched" for detection in news)
        if self._session.options.provisional:
            early = [found for found in self._session.detecting.provisional() if found.detection not in self._early]
            if early:
                self._early.update(found.detection for found in early)
                self._tell(early)

    def _take_back(self) -> bool:
        """Retract what an earlier run told and all that is known by now does not give.

        Returns:
            Whether time has come far enough to say so.
        """
        reached = self._session.detecting.watermark.value
        if reached is None or self._session.correlating.plan is None:
            return not self._ledger.told
        # Nothing that is known tells against what was told of records that have been let go since.
        held = max(self._session.loading.held_since, self._session.store.gone_until + 1)
        running = {rule.name for rule in self._session.detecting.rules}
        gone = [
            replace(detection, state="retracted", reason="a late record made it false", number=None)
            for name, detection in self._ledger.told.items()
            if name not in self._session.detecting.told
            and name not in self._settled
            and detection.rule in running
            and detection.time < reached
            and detection.start >= held
        ]
        if gone:
            self._tell(gone)
            self._measures.detections.update((found.rule, found.state) for found in gone)
            self._ledger.note(gone, write=self._dispatch(gone))
        return True

    def _say_news(self) -> None:
        news = [*map(str, self._session.loading.errors), *self._session.notices()]
        for text in dict.fromkeys(news):
            if text not in self._said:
                self._said.add(text)
                self._say(text)
        if len(self._said) > _MANY_NOTICES:
            del self._session.loading.notices[:-_FEW_NOTICES]
            self._said = {*map(str, self._session.loading.errors), *self._session.notices()}


def beyond_retention(session: Session) -> Iterator[str]:
    """Rules that look further back than a listener's spool keeps messages, in words."""
    retention = retention_of(session.options.retain)
    if retention is None or retention.seconds is None:
        return
    for rule in session.detecting.rules:
        reach = rule.windows.back_us if rule.windows is not None else rule.sequence.reach_us if rule.sequence else None
        if reach is not None and reach > retention.seconds * 1_000_000:
            yield (
                f"rule {rule.name} looks back {human_duration(reach)}, and --retain keeps {session.options.retain}: what is "
                "older is not there to be read again"
            )
