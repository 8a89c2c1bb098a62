"""What a watch has told, so that a restarted one neither forgets nor tells twice.

One JSON line per detection and state, appended after it was told: a kill in between tells it again
(at least once), never not at all.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import msgspec

from logscope.engine.answers import Detection
from logscope.errors import UsageError
from logscope.paths import private_folder, state_folder

SUFFIX = ".checkpoint"
"""Of the file beside a ledger in which it may be written down how far the watch has come."""


def watch_folder() -> Path:
    """Where ledgers are."""
    return private_folder(state_folder() / "watch")


class Ledger:
    """Ids of the detections told about a set of sources.

    Args:
        path: The file; None keeps nothing beyond this run.
    """

    def __init__(self, path: Path | None) -> None:
        """With what an earlier run told; a torn last line is left out.

        Raises:
            UsageError: Another watch keeps it.
        """
        self._path = path
        self.checkpoint = None if path is None else path.with_suffix(SUFFIX)
        """Where it may be written down how far the watch has come."""
        self._held = None if path is None else _hold(path)
        self._unwritten: list[bytes] = []
        self.told: dict[str, Detection] = {}
        """What was told and not taken back, by id."""
        if path is not None and path.exists():
            *lines, torn = path.read_bytes().split(b"\n")
            if torn:
                self._append(path, b"\n")  # else the next line would be read as a part of it
            for line in lines:
                try:
                    self._take(msgspec.json.decode(line, type=Detection))
                except msgspec.DecodeError:
                    continue

    def _take(self, detection: Detection) -> None:
        if detection.state == "retracted":
            self.told.pop(detection.detection, None)
        else:
            self.told[detection.detection] = detection

    def note(self, detections: Sequence[Detection], *, write: bool = True) -> None:
        """These were told, or taken back.

        Args:
            detections: In the order in which they were told.
            write: Now; else with those that come next, so that a kill before tells them again.
        """
        for detection in detections:
            self._take(detection)
        if self._path is None:
            return
        self._unwritten += [msgspec.json.encode(detection) + b"\n" for detection in detections]
        if write and self._unwritten and self._append(self._path, b"".join(self._unwritten)):
            self._unwritten = []

    @staticmethod
    def _append(path: Path, lines: bytes) -> bool:
        """Whether all of it was written; else nothing is (no space)."""
        try:
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            size = os.fstat(fd).st_size
            written = os.write(fd, lines)
            if written < len(lines):
                os.ftruncate(fd, size)
            return written == len(lines)
        except OSError:
            return False
        finally:
            os.close(fd)

    def forget(self, held: Collection[str]) -> None:
        """Know no others any more: nothing finds them again. What is written stays.

        Args:
            held: Ids of those that may still be told of.
        """
        self.told = {name: found for name, found in self.told.items() if name in held}

    def close(self) -> None:
        """Let others have it."""
        if self._held is not None:
            os.close(self._held)
            self._held = None


def _hold(path: Path) -> int:
    """Keep others from the ledger for as long as this process lives."""
    fd = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        other = os.pread(fd, 20, 0).decode("ascii", "replace").strip()
        os.close(fd)
        raise UsageError(
            f"another watch of these sources runs (process {other or 'unknown'})", mend="end it first, or name others"
        ) from error
    os.ftruncate(fd, 0)
    os.pwrite(fd, str(os.getpid()).encode(), 0)
    return fd


def ledger_of(sources: Iterable[tuple[str, str]], rules: Iterable[str]) -> Ledger:
    """The ledger of a set of sources: a listener's is that of its spool, files' one that of the rules too.

    What comes through a pipe cannot be read again, so nothing is kept of it. Files can be watched by many: the
    first watch of the same files and rules has the ledger, another one keeps nothing.

    Args:
        sources: Name and kind of each; a file's name is absolute.
        rules: What tells the rules apart from others.

    Raises:
        UsageError: Another watch of these listeners runs.
    """
    known = sorted(sources)
    names = [name for name, _ in known]
    listens = any(kind == "messages" for _, kind in known)
    if not listens:
        if not known or any(kind == "stream" for _, kind in known):
            return Ledger(None)
        names += ["", *sorted(rules)]
    digest = hashlib.blake2b("\n".join(names).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    path = watch_folder() / f"{digest}.ndjson"
    try:
        return Ledger(path)
    except UsageError:
        if listens:
            raise
        return Ledger(None)
