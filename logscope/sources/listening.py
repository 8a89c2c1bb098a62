"""Listeners and their spools as sources."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from logscope.errors import SourceError
from logscope.sources.base import OpenSource, SourceSpec
from logscope.sources.receiver import Receiver, start_receiver
from logscope.sources.retention import Retention
from logscope.sources.spool import SpoolSource, find_spool, spool_folder
from logscope.sources.urls import LISTENERS, scheme_of, unknown_scheme

_AGAIN_SECONDS = 2.0
_ADDED_UP = ("received", "stored", "dropped", "kernel_dropped", "truncated", "partial", "framing_errors", "let_go")


class ListenerSource(SpoolSource):
    """A listener: its receiver's spool, followed from the first message that was ever received there.

    `start_size` tells what earlier runs received; lines are counted from the spool's first.
    """

    def __init__(self, spec: SourceSpec, receiver: Receiver) -> None:
        """A receiver that listens, which is now the source's.

        Args:
            spec: Named by the bound URL.
            receiver: Is stopped on `close`.
        """
        super().__init__(spec, receiver.folder, follow=True)
        self.receiver = receiver
        self._stopped = False
        self._again_at = 0.0
        self._before: dict[str, int] = {}

    def poll(self) -> bool:
        """Look for growth; a receiver that died is started again and goes on with the same spool."""
        if not self._stopped and time.monotonic() >= self._again_at and not self.receiver.alive():
            self._restart()
        return super().poll()

    def _restart(self) -> None:
        before = self.receiver.counters()
        try:
            fresh = self.receiver.again()
        except SourceError as error:
            self._again_at = time.monotonic() + _AGAIN_SECONDS
            self.say(f"the receiver ended unexpectedly and cannot be started again ({error.message}); trying on")
            return
        self.say("the receiver ended unexpectedly and was started again; what was in its sockets is lost")
        self.receiver.stop()  # gives back its pipes
        self.receiver = fresh
        for name in _ADDED_UP:
            self._before[name] = self._before.get(name, 0) + before.get(name, 0)

    def counters(self) -> dict[str, int]:
        """The receivers', of this run."""
        now = self.receiver.counters()
        return now | {name: now.get(name, 0) + count for name, count in self._before.items()}

    def notices(self) -> list[str]:
        """Its own and the receiver's."""
        for text in self.receiver.notices():
            self.say(text)
        return super().notices()

    def stop(self) -> dict[str, int]:
        """Stop listening, with all that was received on the spool and in `size()`; final counters."""
        self._stopped = True
        self.receiver.stop()
        self.poll()
        return self.counters()

    def close(self) -> None:
        """Stop listening and give everything back."""
        self._stopped = True
        self.receiver.stop()
        super().close()


def open_url(spec: SourceSpec, *, follow: bool, root: Path | None, retention: Retention | None = None) -> OpenSource:
    """Listen on a URL, or open a spool.

    Args:
        spec: With `url`.
        follow: For a spool: go on as it grows. A listener always does.
        root: Folder of all spools, if not the state folder's.
        retention: How much a listener's spool keeps; None: everything.

    Raises:
        SourceError: It cannot be listened on, or there is no such spool.
    """
    url = spec.url or spec.name
    scheme = scheme_of(url)
    if scheme == "spool":
        found = find_spool(url, root)
        return SpoolSource(spec, spool_folder(found.name, root), follow=follow)
    if scheme in LISTENERS:
        receiver = start_receiver(url, root, retention=retention)
        return ListenerSource(replace(spec, name=receiver.url, url=receiver.url), receiver)
    raise unknown_scheme(url)
