r"""The spool: what listeners received, on disk before anything else happens to it.

One folder per listener under `spool/` in the state folder, named by its URL (quoted):

    meta.json  counters.json  letgo.json  watermark  plan.toml  lock  readers  00000001.log  00000002.log ...

A line of a segment is `<receipt, microseconds, 16 digits> <peer> <flags> <message>`; flags are `-`
or letters: `e` escaped (LF as `\n`, backslash as `\\`), `t` cut at the limit, `p` cut by the
connection's end. This module owns the layout and the read side; see spool_writer.py for the other.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import threading
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from logscope.errors import SourceError
from logscope.paths import private_folder, state_folder
from logscope.sources.base import OpenSource, SourceSpec
from logscope.sources.files import read_at
from logscope.sources.trouble import source_error

VERSION = 1
_OPEN_SEGMENTS = 256
_TAIL = 64 << 10


@dataclass(frozen=True, slots=True)
class SpoolInfo:
    """One spool, as `logscope spool list` shows it."""

    name: str
    bytes: int
    created: str
    """ISO 8601, UTC."""
    in_use: bool


def spool_root(root: Path | None = None) -> Path:
    """The folder of all spools, `root` if given."""
    return root if root is not None else state_folder() / "spool"


def spool_folder(name: str, root: Path | None = None) -> Path:
    """The folder of the spool called `name` (a listener's URL), whether it exists or not."""
    return spool_root(root) / quote(name, safe="")


def segment_path(folder: Path, number: int) -> Path:
    """Segment `number` (from 1) of a spool."""
    return folder / f"{number:08d}.log"


def segment_numbers(folder: Path) -> list[int]:
    """The segments there are, ascending."""
    try:
        names = [name for name in os.listdir(folder) if name.endswith(".log") and name[:-4].isdigit()]  # noqa: PTH208
    except OSError:
        return []
    return sorted(int(name[:-4]) for name in names)


def write_private(path: Path, text: str) -> None:
    """Replace a small file at once (0600): a reader sees the old text or the new one."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
    fresh.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; empty if there is none or it is damaged."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def take_lock(path: Path, *, shared: bool = False) -> int | None:
    """Lock a file for as long as the returned descriptor is open; None if another holds it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd


@dataclass(frozen=True, slots=True)
class LetGo:
    """What a spool no longer holds."""

    first: int = 1
    """The first segment that counts."""
    lines: int = 0
    bytes: int = 0


def let_go(folder: Path) -> LetGo:
    """What has been let go of a spool, nothing if nothing was."""
    state = read_json(folder / "letgo.json")
    parts = [state.get(name) for name in ("first", "lines", "bytes")]
    return LetGo(*parts) if all(type(part) is int for part in parts) else LetGo()  # type: ignore[arg-type]


def write_let_go(folder: Path, gone: LetGo) -> None:
    """Keep what has been let go; before it is removed."""
    write_private(folder / "letgo.json", json.dumps(asdict(gone)) + "\n")


def _in_use(folder: Path) -> bool:
    for lock in ("lock", "readers"):
        fd = take_lock(folder / lock)
        if fd is None:
            return True
        os.close(fd)
    return False


def list_spools(root: Path | None = None) -> list[SpoolInfo]:
    """All spools by name."""
    try:
        folders = [folder for folder in spool_root(root).iterdir() if (folder / "meta.json").is_file()]
    except OSError:
        return []
    spools = []
    for folder in folders:
        size = sum(segment_path(folder, number).stat().st_size for number in segment_numbers(folder))
        meta = read_json(folder / "meta.json")
        name = str(meta.get("url") or unquote(folder.name))
        spools.append(SpoolInfo(name, size, str(meta.get("created", "")), _in_use(folder)))
    return sorted(spools, key=lambda spool: spool.name)


def find_spool(name: str, root: Path | None = None) -> SpoolInfo:
    """The spool called `name`: exactly, or without its scheme if only one fits.

    Raises:
        SourceError: There is none, or several.
    """
    spools = list_spools(root)
    name = name.removeprefix("spool://")
    fitting = [spool for spool in spools if spool.name == name]
    fitting = fitting or [spool for spool in spools if spool.name.partition("://")[2] == name]
    if len(fitting) == 1:
        return fitting[0]
    there = ", ".join(spool.name for spool in fitting or spools[:5]) or "none at all"
    what = "fits several spools" if fitting else "no such spool"
    raise SourceError(what, where=f"spool://{name}", mend=f"`logscope spool list` shows them ({there})")


def drop_spool(name: str, root: Path | None = None) -> str:
    """Delete a spool and all that was received in it.

    Returns:
        Its exact name.

    Raises:
        SourceError: There is none, or it is written or read right now.
    """
    spool = find_spool(name, root)
    folder = spool_folder(spool.name, root)
    if spool.in_use:
        raise SourceError("is in use", where=f"spool://{spool.name}", mend="stop the watch or session that has it open")
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise source_error(error, f"spool://{spool.name}") from error
    return spool.name


def write_watermark(name: str, us: int, root: Path | None = None) -> None:
    """Keep how far a spool has been decided.

    Args:
        name: The spool's exact name.
        us: Microseconds since 1970 UTC.
        root: Folder of all spools, if not the state folder's.
    """
    write_private(private_folder(spool_folder(name, root)) / "watermark", f"{us}\n")


def read_watermark(name: str, root: Path | None = None) -> int | None:
    """What `write_watermark` kept last; None if nothing (or nothing that can be read)."""
    try:
        return int((spool_folder(name, root) / "watermark").read_text())
    except (OSError, ValueError):
        return None


class SpoolSource(OpenSource):
    """A spool's segments as one byte space of whole lines, while it is written and after."""

    def __init__(self, spec: SourceSpec, folder: Path, *, follow: bool) -> None:
        """Open a spool that exists.

        Args:
            spec: Its name (the listener's URL with the bound port for a listener).
            folder: Where it lies.
            follow: Go on as it grows; else what is there now is all.
        """
        super().__init__(spec, follow=follow)
        self.folder = folder
        self._readers = take_lock(folder / "readers", shared=True)
        self._lock = threading.Lock()
        self._numbers: list[int] = []
        self._starts: list[int] = []
        self._sizes: list[int] = []
        self._fds: dict[int, int] = {}
        self._released = 0
        self._closed = False
        self._start()
        self.start_size = self.size()
        """Bytes that were there when it was opened: what earlier runs received."""

    def _start(self) -> None:
        """Look for the first time; again if segments were let go meanwhile, so that lines are counted right."""
        while True:
            gone = let_go(self.folder)
            self._numbers, self._starts, self._sizes = [], [], []
            self._look()
            if let_go(self.folder) == gone:
                break
        self.first_line = gone.lines + 1
        if gone.lines:
            self.say(
                f"{gone.lines} messages ({gone.bytes >> 20} MiB) before line {self.first_line} were let go of earlier"
            )

    def release(self, position: int) -> None:
        """Everything before a place has been taken: of segments let go there, the disk's space is given back.

        Until then what is let go can still be read, however far behind the reader is.
        """
        with self._lock:
            self._released = position
            first = let_go(self.folder).first if self._numbers and self._numbers[0] in self._fds else 0
            for place, number in enumerate(self._numbers):
                if number >= first or self._starts[place] + self._sizes[place] > position:
                    break
                fd = self._fds.pop(number, None)
                if fd is not None:
                    os.close(fd)

    def pread(self, size: int, offset: int) -> bytes:
        """Whole or part lines from any place; what was let go reads as empty lines, so that what is behind stays there."""
        parts: list[bytes] = []
        with self._lock:
            gone = min(size, self._starts[0] - offset) if self._starts else 0
            if gone > 0:
                parts.append(b"\n" * gone)
                size, offset = size - gone, offset + gone
            place = bisect_right(self._starts, offset) - 1
            while size > 0 and 0 <= place < len(self._numbers) and not self._closed:
                within = offset - self._starts[place]
                wanted = min(size, self._sizes[place] - within)
                if wanted > 0:
                    number = self._numbers[place]
                    fd = self._fd(number)
                    let_go_of = fd < 0 and number < let_go(self.folder).first
                    part = b"\n" * wanted if let_go_of else read_at(fd, wanted, within)
                    parts.append(part)
                    if len(part) < wanted:
                        break
                    size, offset = size - wanted, offset + wanted
                place += 1
        return b"".join(parts)

    def _fd(self, number: int) -> int:
        fd = self._fds.pop(number, None)
        if fd is None:
            try:
                fd = os.open(segment_path(self.folder, number), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            except OSError:
                return -1
            if len(self._fds) >= _OPEN_SEGMENTS:
                os.close(self._fds.pop(self._least_wanted()))
        self._fds[number] = fd
        return fd

    def _least_wanted(self) -> int:
        """A segment to close: one that was taken, so that one let go unread can still be read."""
        taken = bisect_right(self._starts, self._released) - 1
        unread = self._numbers[max(taken, 0)] if self._numbers else 0
        return next((number for number in self._fds if number < unread), next(iter(self._fds)))

    @property
    def begins(self) -> dict[int, int]:
        """Where in the byte space each segment begins that is held, by number."""
        return dict(zip(self._numbers, self._starts, strict=True))

    def rebase(self, begins: Mapping[int, int]) -> bool:
        """Count bytes as another source of this spool did, of which segments may have been let go since.

        Args:
            begins: That one's.

        Returns:
            Whether a segment of it is still held: else nothing has changed.
        """
        with self._lock:
            shifts = {begins[number] - start for number, start in self.begins.items() if number in begins}
            if len(shifts) != 1:
                return False
            shift = shifts.pop()
            self._starts = [start + shift for start in self._starts]
            return True

    def size(self) -> int:
        """Bytes of whole lines, as of the last `poll`."""
        return self._starts[-1] + self._sizes[-1] if self._numbers else 0

    def finished(self) -> bool:
        """True unless it is followed."""
        return not self.follow

    def poll(self) -> bool:
        """Take what has been received since; nothing new without `follow`."""
        if not self.follow or self._closed:
            return False
        before = self.size()
        self._look()
        return self.size() != before

    def _look(self) -> None:
        with self._lock:
            if not self._numbers:
                first = let_go(self.folder).first
                self._extend([number for number in segment_numbers(self.folder) if number >= first])
            while self._numbers:
                # Whether there is a next one must be asked first: what is then read of this one is final.
                following = segment_path(self.folder, self._numbers[-1] + 1).exists()
                self._sizes[-1] = self._whole(self._numbers[-1], self._sizes[-1])
                if not following:
                    return
                self._extend([self._numbers[-1] + 1])

    def _extend(self, numbers: list[int]) -> None:
        for number in numbers:
            start = self._starts[-1] + self._sizes[-1] if self._numbers else 0
            self._numbers.append(number)
            self._starts.append(start)
            self._sizes.append(self._whole(number, 0))

    def _whole(self, number: int, known: int) -> int:
        """Bytes of a segment up to its last line end; `known` are whole already."""
        fd = self._fd(number)
        try:
            size = os.fstat(fd).st_size
        except OSError:
            return known
        end = size
        while end > known:
            start = max(known, end - _TAIL)
            found = read_at(fd, end - start, start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
        return known

    @property
    def mtime_us(self) -> int:
        """When the last segment was written, microseconds since 1970 UTC; now if it is followed."""
        if self.follow or not self._numbers:
            return super().mtime_us
        try:
            return segment_path(self.folder, self._numbers[-1]).stat().st_mtime_ns // 1000
        except OSError:
            return super().mtime_us

    def counters(self) -> dict[str, int]:
        """What the receiver last wrote: received, stored, dropped and their parts."""
        state = read_json(self.folder / "counters.json").items()
        return {name: value for name, value in state if type(value) is int and name != "noticed"}

    def close(self) -> None:
        """Give all descriptors and the reader's lock back."""
        with self._lock:
            self._closed = True
            for fd in self._fds.values():
                os.close(fd)
            self._fds.clear()
            if self._readers is not None:
                os.close(self._readers)
                self._readers = None
