"""The dispatcher: a thread for each action takes what waits in the outbox to the receiver.

No action waits for another, and who puts events in waits for none: a receiver that is slow, down or
hanging keeps its own events waiting. Between processes one delivers for an action at a time, who
holds its lock; the others only put in.
"""

from __future__ import annotations

import fcntl
import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from logscope.actions.base import Down, Failed, Refused, Undelivered
from logscope.actions.event import Event
from logscope.actions.outbox import Entry, Outbox, OutboxError
from logscope.actions.settings import Action
from logscope.errors import LogscopeError

Say = Callable[[str, str, str], None]
"""Told of what happens: kind of event, action, words."""

_POLL_SECONDS = 0.5
"""How often the outbox is looked at for what other processes put in."""
_LOCK_SECONDS = 1.0
_PROBE_AFTER = 3
"""Failures of an event after which another is tried in its place."""
_LONGEST_WAIT = 3_600.0
"""Seconds that a receiver may ask to wait."""


class Dispatcher:
    """Delivers what is in an outbox.

    Args:
        outbox: Open; stays so.
        actions: To deliver for.
        say: Told when an action begins to fail, works again, or gives an event up.
    """

    def __init__(self, outbox: Outbox, actions: Iterable[Action], say: Say) -> None:
        """Nothing runs yet."""
        self.outbox = outbox
        self._say = say
        self._workers = {action.name: _Worker(outbox, action, say) for action in actions}

    @property
    def actions(self) -> dict[str, Action]:
        """What it delivers for, by name."""
        return {name: worker.action for name, worker in self._workers.items()}

    def start(self) -> None:
        """Look up secrets and start delivering what waits.

        Raises:
            ConfigError: A secret is not there; nothing was started.
        """
        origin = self.outbox.origin
        for worker in self._workers.values():
            worker.action.sender.open(origin)
        for worker in self._workers.values():
            worker.start()

    def put(self, events: Sequence[tuple[str, Event]]) -> int:
        """Take events into the outbox, each with its action's name; how many are new.

        Raises:
            OutboxError: None was taken in.
        """
        new = self.outbox.put(events)
        self.wake({name for name, _ in events})
        return new

    def wake(self, names: Iterable[str]) -> None:
        """These actions have something to do."""
        for name in names:
            if worker := self._workers.get(name):
                worker.wake()

    def drain(self, seconds: float, *, patient: bool) -> int:
        """Wait until nothing waits any more.

        Args:
            seconds: At most so long.
            patient: Also for receivers that do not take anything just now.

        Returns:
            How many events still wait.
        """
        deadline = time.monotonic() + seconds
        while True:
            busy = [name for name, worker in self._workers.items() if patient or not worker.resting]
            left = self.outbox.left(busy) if busy else 0
            if not left or time.monotonic() >= deadline:
                return self.outbox.left(self._workers)
            time.sleep(0.02)

    def stop(self, seconds: float = 2.0, *, gently: bool = False) -> None:
        """End all threads; what is broken off then may be sent again by the next dispatcher.

        Args:
            seconds: To wait for them at most.
            gently: What is under way is first given this time to end by itself.
        """
        for worker in self._workers.values():
            worker.end(abort=not gently)
        self._join(seconds)
        for worker in self._workers.values():
            worker.end(abort=True)
        self._join(1.0 if gently else 0.0)

    def _join(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for worker in self._workers.values():
            worker.join(max(0.0, deadline - time.monotonic()))


class _Worker:
    """Delivers for one action."""

    def __init__(self, outbox: Outbox, action: Action, say: Say) -> None:
        self.action = action
        self._outbox = outbox
        self._say = say
        self._lock = _Lock(outbox.path.parent / f"{action.name}.lock")
        self._awake = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"logscope-action-{action.name}", daemon=True)
        self._failures = 0
        self._not_before = 0.0
        self._next_call = 0.0
        self._last_delivered = 0.0
        self._singly = 0
        self._stuck: Entry | None = None

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._awake.set()

    @property
    def resting(self) -> bool:
        """Whether it waits to try again what failed."""
        return bool(self._failures) and time.monotonic() < self._not_before

    def end(self, *, abort: bool) -> None:
        self._ended.set()
        self._awake.set()
        if abort:
            self.action.sender.close()

    def join(self, seconds: float) -> None:
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                try:
                    pause = self._turn()
                except LogscopeError as error:
                    self._say("outbox", self.action.name, str(error))
                    pause = _LOCK_SECONDS
                self._awake.wait(pause)
                self._awake.clear()
        finally:
            self._lock.release()

    def _turn(self) -> float:
        """Send once, if there is something and it is time; seconds to wait until the next turn."""
        if not self._lock.take():
            return _LOCK_SECONDS
        now = time.monotonic()
        begin = max(self._not_before, self._next_call)
        if now < begin:
            return begin - now
        entries = self._chosen()
        if not entries:
            return _POLL_SECONDS
        if self.action.pace.rate:
            self._next_call = now + 1 / self.action.pace.rate
        try:
            self.action.sender.send([entry.event for entry in entries])
        except Undelivered as trouble:
            if not self._ended.is_set():
                self._undelivered(entries, trouble)
            return 0.0
        except Exception as error:
            # Whatever a library comes up with must not end this thread; its words may hold a secret.
            self._undelivered(entries, Failed(f"failed inside: {type(error).__name__}"))
            return 0.0
        self._delivered(entries)
        return 0.0

    def _chosen(self) -> list[Entry]:
        """The next events in order; in the place of one that is stuck sometimes the one behind it."""
        limit = 1 if self._singly or self._stuck else self.action.sender.batch
        if self._stuck and self._failures % 2:
            behind = self._outbox.waiting(self.action.name, 1, skip=1)
            if behind:
                return behind
        return self._outbox.waiting(self.action.name, limit)

    def _delivered(self, entries: Sequence[Entry]) -> None:
        self._outbox.delivered(self.action.name, entries)
        self._last_delivered = time.time()
        self._singly = max(0, self._singly - len(entries))
        if self._failures:
            self._say("works", self.action.name, f"delivers again after {self._failures} failures")
        stuck, self._stuck = self._stuck, None
        if stuck is not None and all(entry.id != stuck.id for entry in entries):
            # Others get through: this one lets them pass.
            self._outbox.postponed(stuck, time.time() + self._backoff(stuck.tries))
        self._failures = 0
        self._not_before = 0.0

    def _undelivered(self, entries: Sequence[Entry], trouble: Undelivered) -> None:
        name, pace = self.action.name, self.action.pace
        if isinstance(trouble, Refused):
            if len(entries) > 1:
                # One of them is to blame, and only alone it shows which.
                self._singly = len(entries)
                return
            self._bury(entries, trouble.reason)
            self._singly = max(0, self._singly - 1)
            return
        counts = not isinstance(trouble, Down)
        self._outbox.failed(name, entries, trouble.reason, counts=counts)
        self._failures += 1
        pause = self._backoff(self._failures)
        if trouble.retry_after is not None:
            pause = max(pause, min(trouble.retry_after, _LONGEST_WAIT))
        self._not_before = time.monotonic() + pause
        if self._failures == 1:
            self._say("fails", name, f"{trouble.reason}; tried again")
        for entry in entries:
            tries = entry.tries + counts
            hopeless = tries >= pace.tries and (
                not self.action.sender.patient or (entry.failing is not None and self._last_delivered > entry.failing)
            )
            if hopeless or (entry.failing is not None and time.time() - entry.failing > pace.give_up):
                self._bury([entry], trouble.reason)
        if self._stuck is None and counts and entries[0].tries + 1 >= _PROBE_AFTER:
            self._stuck = entries[0]

    def _bury(self, entries: Sequence[Entry], reason: str) -> None:
        self._outbox.buried(self.action.name, entries, reason)
        if self._stuck is not None and any(entry.id == self._stuck.id for entry in entries):
            self._stuck = None
        for entry in entries:
            self._say("dead", self.action.name, f"{entry.event.key} is a dead letter: {reason}")

    def _backoff(self, failures: int) -> float:
        """Seconds to wait: doubling, with jitter, so that many do not come back at once."""
        pace = self.action.pace
        most = min(pace.most, pace.first * 2.0 ** min(failures - 1, 30))
        return most * random.uniform(0.5, 1.0)


class _Lock:
    """Held by the one process that delivers for an action; gone with it, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def take(self) -> bool:
        """Whether it is held now."""
        if self._fd is not None:
            return True
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise OutboxError(f"cannot be locked: {error.strerror}", str(self._path), mend="mind its rights") from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return False
        self._fd = fd
        return True

    def release(self) -> None:
        """Let another have it."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
