"""Questions to the engine, asked on threads of their own: at most one per topic, the newest wins.

Polars frees the GIL, so a thread is enough; a pool would let a seventh short question wait behind
six long ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from textual.message_pump import MessagePump

from logscope.engine.api import Cancel, Cancelled
from logscope.errors import LogscopeError

if TYPE_CHECKING:
    from logscope.tui.app import LogscopeApp

T = TypeVar("T")

SHOWN_AFTER = 0.15
"""Seconds after which a question under way is worth showing."""
OPENS = 30.0
"""Seconds that keys wait for a screen or list that is to open: they are meant for it. Esc gives it up."""
MOVES = 0.7
"""Seconds that keys wait for a place that is gone to, or records that are filtered: longer would hold up who moves on."""


@dataclass(slots=True)
class Question:
    """One question under way."""

    label: str
    """What the user is told is being done; empty: not worth telling, and Esc passes it by."""
    cancel: Cancel
    since: float
    share: float | None = None
    holds: float = 0.0
    """Seconds for which keys wait for its answer."""


class Queries:
    """The questions that one screen has under way."""

    def __init__(self, owner: MessagePump, changed: Callable[[], None]) -> None:
        """Answers are delivered to `owner`; `changed` is called when what is under way changes."""
        self._owner = owner
        self._changed = changed
        self._running: dict[str, Question] = {}
        self.took: dict[str, float] = {}
        """Seconds the last answer of each topic took."""

    def ask(
        self,
        topic: str,
        call: Callable[[Cancel], T],
        then: Callable[[T], object],
        *,
        label: str = "",
        failed: Callable[[LogscopeError], None] | None = None,
        holds: float = 0.0,
        heard: Callable[[float | None], None] | None = None,
    ) -> Question:
        """Ask; a question of the same topic under way is given up.

        Args:
            topic: What it is about.
            call: Runs on a thread; looks at the Cancel it is given.
            then: Runs on the owner with the answer.
            label: What the user is told meanwhile.
            failed: Runs on the owner with the error; without it errors are shown by the app.
            holds: Seconds for which keys that are typed meanwhile are meant for what the answer brings.
            heard: Runs on the owner with how far it is; without a label nothing else says so.
        """
        if topic in self._running:
            self._running[topic].cancel.set()

        def hear(what: str, share: float | None) -> None:
            if label or heard:
                self._owner.call_later(self._progressed, topic, question, what, share, heard)

        question = Question(label, Cancel(hear), time.monotonic(), holds=holds)
        self._running[topic] = question

        def work() -> None:
            try:
                answer = call(question.cancel)
            except Cancelled:
                self._owner.call_later(self._ended, topic, question)
            except LogscopeError as error:
                self._owner.call_later(self._fail, topic, question, failed, error)
            except Exception as error:  # the screen must survive a fault of the engine, and say it
                told = LogscopeError(f"{type(error).__name__}: {error}", where=label or topic)
                self._owner.call_later(self._fail, topic, question, failed, told)
            else:
                self._owner.call_later(self._deliver, topic, question, then, answer)

        threading.Thread(target=work, name=f"query-{topic}", daemon=True).start()
        if label:
            self._changed()
        return question

    @property
    def holding(self) -> bool:
        """Whether keys are to wait for an answer."""
        now = time.monotonic()
        return any(now - one.since < one.holds for one in self._running.values())

    @property
    def running(self) -> int:
        """How many questions are under way."""
        return len(self._running)

    def busy(self, topic: str) -> bool:
        """Whether a question of this topic is under way."""
        return topic in self._running

    def shown(self) -> tuple[str, float | None] | None:
        """The question worth showing: the one under way for longest."""
        now = time.monotonic()
        told = [one for one in self._running.values() if one.label and now - one.since >= SHOWN_AFTER]
        if not told:
            return None
        oldest = min(told, key=lambda one: one.since)
        return oldest.label, oldest.share

    def cancel(self) -> bool:
        """Give up all that the user was told of, and wait with no key for the rest; whether there was any."""
        told = [topic for topic, one in self._running.items() if one.label]
        for topic in told:
            self._running.pop(topic).cancel.set()
        for question in self._running.values():
            question.holds = 0.0
        if told:
            self._changed()
        return bool(told)

    def hold(self, topic: str, seconds: float) -> None:
        """From now on keys wait for the answer of a topic that is under way."""
        if (question := self._running.get(topic)) is not None:
            question.holds = time.monotonic() - question.since + seconds

    def give_up(self, topic: str) -> None:
        """Give up the question of a topic, if there is one under way."""
        if (question := self._running.pop(topic, None)) is not None:
            question.cancel.set()
            self._changed()

    def close(self) -> None:
        """Give up everything."""
        for question in self._running.values():
            question.cancel.set()
        self._running.clear()

    def _progressed(
        self,
        topic: str,
        question: Question,
        label: str,
        share: float | None,
        heard: Callable[[float | None], None] | None,
    ) -> None:
        if self._running.get(topic) is not question:
            return
        question.share = share
        if heard is not None:
            heard(share)
        if question.label:
            question.label = label
            self._changed()

    def _ended(self, topic: str, question: Question) -> bool:
        # After `close` nothing is under way: the screen has no widgets to show an answer in.
        if self._running.get(topic) is not question:
            return False
        del self._running[topic]
        self.took[topic] = time.monotonic() - question.since
        if question.label:
            self._changed()
        return True

    def _deliver(self, topic: str, question: Question, then: Callable[[T], object], answer: T) -> None:
        if self._ended(topic, question):
            then(answer)

    def _fail(
        self, topic: str, question: Question, failed: Callable[[LogscopeError], None] | None, error: LogscopeError
    ) -> None:
        if not self._ended(topic, question):
            return
        if failed is not None:
            failed(error)
        else:
            cast("LogscopeApp", self._owner.app).say(str(error), "error")
