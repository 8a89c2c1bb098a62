"""What a watch has told, so that a restarted one neither forgets nor tells twice.

One JSON line per detection and state, appended after it was told: a kill in between tells it again
(at least once), never not at all.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from logscope.paths import private_folder, state_folder


class Ledger:
    """Ids of the detections told about a set of sources.

    Args:
        path: The file; None keeps nothing beyond this run.
    """

    def __init__(self, path: Path | None) -> None:
        """With what an earlier run told; a torn last line is left out."""
        self._path = path
        self.told: dict[str, int] = {}
        """Id -> when it was decided, microseconds."""
        if path is not None and path.exists():
            for line in path.read_bytes().split(b"\n")[:-1]:
                try:
                    entry = msgspec.json.decode(line)
                except msgspec.DecodeError:
                    continue
                if entry["state"] == "retracted":
                    self.told.pop(entry["detection"], None)
                else:
                    self.told[entry["detection"]] = entry["time"]

    def note(self, entries: Iterable[tuple[str, str, int]]) -> None:
        """These were told.

        Args:
            entries: Id, state, and time of decision.
        """
        lines = []
        for detection, state, time in entries:
            if state == "retracted":
                self.told.pop(detection, None)
            else:
                self.told[detection] = time
            lines.append(msgspec.json.encode({"detection": detection, "state": state, "time": time}) + b"\n")
        if self._path is None or not lines:
            return
        fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(fd, b"".join(lines))
        finally:
            os.close(fd)


def ledger_of(sources: Iterable[tuple[str, str]]) -> Ledger:
    """The ledger of a set of sources: kept where any of them is a listener, since its spool is.

    Args:
        sources: Name and kind of each.
    """
    known = sorted(sources)
    if not any(kind == "messages" for _, kind in known):
        return Ledger(None)
    digest = hashlib.blake2b("\n".join(name for name, _ in known).encode(), digest_size=8).hexdigest()
    return Ledger(private_folder(state_folder() / "watch") / f"{digest}.ndjson")
