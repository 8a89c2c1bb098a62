"""Files that appear in a folder or match a glob while it is followed.

A file that was rotated away, copied or compressed bears a new name and old text: it is told from a
new one by its inode, its bytes and its name, and not read again.
"""

from __future__ import annotations

import gzip
import os
import time
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from logscope.sources.base import SourceSpec
from logscope.sources.discover import Expansion, is_pattern, names_of, texts
from logscope.sources.fileasread import HEAD, files_as_read, is_read, is_rotated_name

LOOK_SECONDS = 1.0


class Appearing:
    """Looks for new files now and then.

    Args:
        arguments: As typed; only folders and globs among them are looked into.
        known: The sources there are already.
    """

    def __init__(self, arguments: Sequence[str], known: Iterable[SourceSpec]) -> None:
        """Nothing has appeared yet."""
        self._patterns = [argument for argument in arguments if is_pattern(argument)]
        self._seen = {str(spec.path) for spec in known if spec.path is not None}
        for pattern in self._patterns:
            # What was passed over at the start (binary, documents) was said then.
            self._seen.update(names_of(pattern))
        self._followed = [spec.path for spec in known if spec.path is not None]
        self._looked = time.monotonic()

    def __bool__(self) -> bool:
        """Whether anything can appear."""
        return bool(self._patterns)

    def look(self) -> Expansion:
        """What has appeared since the last look; at most one look a second."""
        expansion = Expansion()
        now = time.monotonic()
        if not self._patterns or now - self._looked < LOOK_SECONDS:
            return expansion
        self._looked = now
        for pattern in self._patterns:
            fresh = [name for name in names_of(pattern) if name not in self._seen]
            news = [name for name in fresh if self._is_new(name, expansion)]
            self._seen.update(news)
            for spec in texts(pattern, news, expansion):
                expansion.specs.append(spec)
                if spec.path is not None:
                    self._followed.append(spec.path)
        return expansion

    def _is_new(self, name: str, expansion: Expansion) -> bool:
        """Whether a file holds other text than what is read already."""
        path = Path(name)
        try:
            about = path.stat()
        except OSError:
            return False
        if is_read((about.st_dev, about.st_ino)):
            return False
        if any(is_rotated_name(path, followed) for followed in self._followed):
            # Its text was read under the name that it had; what is beside it is for that source to find.
            self._seen.add(name)
            return False
        if self._is_copy(path, about.st_size):
            self._seen.add(name)
            expansion.notices.append(f"{name}: holds what was read already; not read again")
            return False
        return True

    @staticmethod
    def _is_copy(path: Path, size: int) -> bool:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return False
        with os.fdopen(fd, "rb") as file:
            head = file.read(2)
            if head != b"\x1f\x8b":
                return any(known.is_copied_in(fd, size) for known in files_as_read())
            file.seek(0)
            try:
                with gzip.GzipFile(fileobj=file) as unpacked:
                    begin = unpacked.read(HEAD)
            except (OSError, EOFError, zlib.error):
                return False
        return len(begin) == HEAD and any(known.head == begin for known in files_as_read())
