"""Bytes that are written once and read anywhere: in memory while they are few, else in a file without a name."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from logscope.errors import SourceError
from logscope.paths import private_folder, state_folder
from logscope.sources.files import read_at
from logscope.sources.trouble import source_error

_CHECK_EVERY = 16 << 20


Listing = Callable[[str, int, int], bool]
"""Takes the name of an archive, the bytes that were read of it, and how many it has; says whether to go on."""


@dataclass(frozen=True, slots=True)
class CopyLimits:
    """What copies of pipes and of compressed and recoded files may cost."""

    free_floor: int = 256 << 20
    """Bytes that stay free on the disk of the spool."""
    quota: int = 256 << 30
    """Bytes that all copies of this process may take on that disk."""
    memory: int = 32 << 20
    """Bytes that all copies of this process may take in memory; what is more goes to the disk."""
    ratio: int = 1000
    """Expansion beyond which compressed input is taken for a bomb ..."""
    ratio_from: int = 64 << 20
    """... once it has come to so many bytes."""
    members: int = 10_000
    """Members of one archive that are read."""
    told: Listing | None = field(default=None, compare=False)
    """Gets how far it is while the members of a compressed tar are looked for, and may end that."""


class _Shared:
    """What all copies of this process take together."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.memory = 0
        self.disk = 0

    def take_memory(self, size: int, limit: int) -> bool:
        with self.lock:
            if self.memory + size > limit:
                return False
            self.memory += size
            return True

    def give_memory(self, size: int) -> None:
        with self.lock:
            self.memory -= size

    def add_disk(self, size: int) -> int:
        with self.lock:
            self.disk += size
            return self.disk


_shared = _Shared()


def free_bytes(fd: int) -> int:
    """Bytes that may still be written where `fd` lies; plenty if the system does not say."""
    try:
        about = os.fstatvfs(fd)
    except OSError:
        return 1 << 62
    return about.f_bavail * about.f_frsize


class Scratch:
    """A private byte space that grows at its end. One thread writes, any may read."""

    def __init__(self, name: str, limits: CopyLimits) -> None:
        """Empty; nothing is taken yet.

        Args:
            name: The source it is for, in errors.
            limits: What it may take, with the others of this process.
        """
        self._name = name
        self._limits = limits
        self._lock = threading.Lock()
        self._memory: bytearray | None = bytearray()
        self._file: IO[bytes] | None = None
        self._unchecked = 0
        self._on_disk = 0
        self._closed = False
        self.size = 0

    def append(self, data: bytes) -> None:
        """Write at the end.

        Raises:
            SourceError: There is no room, or no folder to write to.
        """
        if not data:
            return
        with self._lock:
            if self._memory is not None:
                if _shared.take_memory(len(data), self._limits.memory):
                    self._memory += data
                    self.size += len(data)
                    return
                self._to_disk()
            self._write(data)
            self.size += len(data)

    def _to_disk(self) -> None:
        assert self._memory is not None
        file = self._made()
        self._file, kept, self._memory = file, self._memory, None
        _shared.give_memory(len(kept))
        self._write(kept)

    def _made(self) -> IO[bytes]:
        try:
            folder = private_folder(private_folder(state_folder() / "spool") / "tmp")
            # Has no name in the folder: nothing is left behind however this process ends.
            file: IO[bytes] = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        except OSError as error:
            raise SourceError(
                f"cannot be copied to {state_folder() / 'spool'}: {error.strerror}",
                where=self._name,
                mend="point XDG_STATE_HOME at a folder that can be written",
            ) from error
        try:
            self._check_room(file.fileno())
        except SourceError:
            file.close()
            raise
        return file

    def _write(self, data: bytes | bytearray) -> None:
        assert self._file is not None
        fd = self._file.fileno()
        self._unchecked += len(data)
        if self._unchecked >= _CHECK_EVERY:
            self._unchecked = 0
            self._check_room(fd)
        self._on_disk += len(data)
        if _shared.add_disk(len(data)) > self._limits.quota:
            raise SourceError(
                f"copies would take more than {self._limits.quota >> 20} MiB of disk",
                where=self._name,
                mend="read fewer sources at once",
            )
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(fd, view) :]
        except OSError as error:
            raise source_error(error, self._name) from error
        finally:
            view.release()

    def _check_room(self, fd: int) -> None:
        free = free_bytes(fd)
        if free < self._limits.free_floor:
            raise SourceError(
                f"only {free >> 20} MiB are free where it is copied to ({state_folder() / 'spool'})",
                where=self._name,
                mend="free some space, or point XDG_STATE_HOME at a roomier disk",
            )

    def pread(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes from `offset`; nothing once it is closed."""
        with self._lock:
            wanted = min(size, self.size - offset)
            if wanted <= 0 or self._closed:
                return b""
            if self._memory is not None:
                return bytes(self._memory[offset : offset + wanted])
            assert self._file is not None
            return read_at(self._file.fileno(), wanted, offset)

    def close(self) -> None:
        """Give the space back; calling it twice is fine."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._memory is not None:
                _shared.give_memory(len(self._memory))
                self._memory = None
            elif self._file is not None:
                _shared.add_disk(-self._on_disk)
                self._file.close()


def check_ratio(limits: CopyLimits, made: int, taken: int, most: int | None = None) -> None:
    """Stop what expands too much.

    Args:
        limits: How much is too much.
        made: Bytes that came out so far.
        taken: Compressed bytes that went in.
        most: The times that are too many, where fewer than `limits` has.

    Raises:
        SourceError: It must be a bomb.
    """
    ratio = limits.ratio if most is None else min(limits.ratio, most)
    if made >= limits.ratio_from and made > ratio * taken:
        raise SourceError(
            f"expands more than {ratio} times (stopped at {made >> 20} MiB)",
            mend="decompress it yourself if it is no bomb",
        )
