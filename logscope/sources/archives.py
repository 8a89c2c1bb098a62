"""Archives: their members as sources of their own, `ARCHIVE!MEMBER`, read as streams and never extracted.

A member that lies in the archive as it is (in a tar, in what a compressed tar was unpacked to) is read where it lies.
One that is compressed or in another encoding is copied to a scratch space by a thread, one thread an archive.
"""

from __future__ import annotations

import fnmatch
import os
import threading
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from logscope.errors import LogscopeError, SourceError
from logscope.sources.base import OpenSource, SourceSpec, TakesApart
from logscope.sources.codecs import Codec, codec_of
from logscope.sources.compressed import decompressed
from logscope.sources.encodings import encoding_of
from logscope.sources.files import SAMPLE, open_regular, pieces_of, read_at
from logscope.sources.members import Entry, MemberSource, Unpacking, Window, WindowSource
from logscope.sources.order import natural
from logscope.sources.scratch import CopyLimits, Scratch, check_ratio
from logscope.sources.sifting import PARQUET, Sieve, listed
from logscope.sources.tar import BLOCK, Damaged, FileStream, PieceStream, TarMember, is_header, tar_members
from logscope.sources.zips import ZIP_ERRORS, ZipEntries, is_zip

_PEEK = 2 << 20
"""Compressed bytes that are read at most to see whether they hold a tar."""
_PROGRAMS = frozenset(
    [".jar", ".war", ".ear", ".whl", ".egg", ".apk", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".epub"]
)
"""Endings of zip files that are no archives of logs."""


def open_archive(path: Path, name: str, head: bytes, limits: CopyLimits, pattern: str | None = None) -> Archive | None:
    """The archive that a file is; None if it is none.

    A compressed tar has no list of its members: it is unpacked whole to find them.

    Args:
        path: A regular file.
        name: The source as typed, without `!MEMBER`.
        head: Its first `files.SAMPLE` bytes.
        limits: What unpacking may cost.
        pattern: A member's name or a glob that members' names, or the last parts of these, must fit.

    Raises:
        SourceError: It cannot be read at all.
    """
    codec = codec_of(head)
    if codec is None and not is_header(head) and not (is_zip(head) and path.suffix.lower() not in _PROGRAMS):
        return None
    fd = open_regular(path, name)
    try:
        if codec is not None and not _holds_tar(fd, codec):
            os.close(fd)
            return None
        return Archive(fd, name, path, limits, pattern, codec, zipped=codec is None and is_zip(head))
    except BaseException:
        os.close(fd)
        raise


class Archive:
    """An open archive. Its members are found when it is opened."""

    def __init__(
        self,
        fd: int,
        name: str,
        path: Path,
        limits: CopyLimits,
        pattern: str | None,
        codec: Codec | None,
        *,
        zipped: bool,
    ) -> None:
        """See `open_archive`; `fd` is the archive's from now on."""
        self.name = name
        self.pattern = pattern
        self.notices: list[str] = []
        self.errors: list[SourceError] = []
        self._fd = fd
        self._path = path
        self._limits = limits
        about = os.fstat(fd)
        self._size, self._mtime_us = about.st_size, about.st_mtime_ns // 1000
        self._entries: dict[str, Entry] = {}
        self._names: list[str] = []
        self._sieve = Sieve()
        self._nested: list[str] = []
        self._full = False
        self._zip: ZipEntries | None = None
        self._scratch = Scratch(name, limits)
        self._unpacking = Unpacking()
        self._users = 0
        if zipped:
            self._list_zip()
        else:
            self._list_tar(codec)
        self.notices += self._sieve.said(name)
        if self._nested:
            nested = listed(self._nested)
            self.notices.append(f"{name}: archives in archives are not read, unpack it to read them: {nested}")

    def specs(self) -> list[SourceSpec]:
        """What its members are to the command line."""
        return [
            SourceSpec(f"{self.name}!{member}", "file", self._path, None, member, self)
            for member in sorted(self._entries, key=natural)
        ]

    def suggestion(self) -> str:
        """What to do where nothing fits."""
        if self.pattern is None:
            return f"name the member: {self.name}!MEMBER"
        near = get_close_matches(self.pattern, self._names, 2) or self._names[:2]
        return f"it holds {', '.join(near)}" if near else "it is empty"

    def open(self, spec: SourceSpec, forced: str | None, apart: TakesApart | None = None) -> OpenSource:
        """Open a member, its text in the encoding `forced` or by its mark, taken apart."""
        entry = self._entries[spec.member or ""]
        self._users += 1
        if entry.window is not None:
            head = entry.window.pread(SAMPLE, 0)
            whole = apart is None or not apart.begins(head)
            if whole and codec_of(head) is None and not forced and encoding_of(head) is None:
                return WindowSource(spec, entry.window, entry.mtime_us, self._released)
        source = MemberSource(spec, self._scratch, entry.mtime_us, self._limits, self._released, self._size, apart)
        self._unpacking.add(source, entry, forced)
        return source

    def say(self, text: str) -> None:
        """Take a notice about the archive as a whole."""
        self.notices.append(f"{self.name}: {text}")

    def fail(self, text: str, mend: str | None = None) -> None:
        """Take the reason why not all of it can be read."""
        self.errors.append(SourceError(text, where=self.name, mend=mend))

    def check_ratio(self, made: int, taken: int, most: int | None = None) -> None:
        """See `scratch.check_ratio`."""
        check_ratio(self._limits, made, taken, most)

    def _wanted(self, name: str) -> bool:
        self._names.append(name)
        if self.pattern is not None:
            return name == self.pattern or any(
                fnmatch.fnmatchcase(text, self.pattern) for text in (name, PurePosixPath(name).name)
            )
        return not PurePosixPath(name).name.startswith(".")

    def _passes(self, name: str, head: bytes) -> bool:
        """Whether a member is read, by its name and its first bytes."""
        if is_zip(head) or is_header(head) or ((codec := codec_of(head)) and is_header(_begin([head], codec))):
            self._nested.append(name)
            return False
        if head.startswith(PARQUET):
            self.say(f"{name} is a Parquet table; unpack it to read it")
            return False
        return name == self.pattern or self._sieve.lets_pass(name, head)

    def _keep(self, entry: Entry) -> None:
        """Make a member a source; one of the name of another gets a number."""
        name, number = entry.name, 2
        while name in self._entries:
            name, number = f"{entry.name}#{number}", number + 1
        if name != entry.name:
            self.say(f"holds {entry.name} more than once; this one is {name}")
        self._entries[name] = entry
        if len(self._entries) >= self._limits.members:
            self._full = True
            self.fail(
                f"has {self._limits.members} members and more; those are read",
                f"name the ones you want: '{self.name}!GLOB'",
            )

    def _list_tar(self, codec: Codec | None) -> None:
        if codec is None:
            stream: FileStream | PieceStream = FileStream(self._fd, self._size)
        else:
            stream = PieceStream(decompressed(self, threading.Event(), self._read(), codec))
        try:
            for member in tar_members(stream):
                if self._full:
                    return
                if member.kind in ("link", "device", "sparse", "other"):
                    self._sieve.special.append(member.name)
                elif member.kind == "file" and self._wanted(member.name):
                    self._take_tar(member, stream)
        except Damaged as error:
            self.fail(f"is a damaged tar archive: {error}; what comes before is read")
        except LogscopeError as error:
            self.fail(f"{error.message}; what was read stays", error.mend)

    def _read(self) -> Iterator[bytes]:
        """The archive's bytes; how far they are read is told."""
        read = 0
        for piece in pieces_of(self._fd):
            read += len(piece)
            if self._limits.told is not None and not self._limits.told(self.name, read, self._size):
                raise SourceError(
                    f"was stopped after {read * 100 // max(1, self._size)} %, before all its members were found",
                    mend="open it again, or unpack it",
                )
            yield piece

    def _take_tar(self, member: TarMember, stream: FileStream | PieceStream) -> None:
        if isinstance(stream, FileStream):
            size = max(0, min(member.size, self._size - stream.position))
            window = Window(lambda size, offset: read_at(self._fd, size, offset), stream.position, size)
            if self._passes(member.name, window.pread(SAMPLE, 0)):
                self._keep(Entry(member.name, member.mtime_us, window.pieces, window))
            return
        head = stream.read(min(SAMPLE, member.size))
        if not self._passes(member.name, head):
            return
        base = self._scratch.size
        window = Window(self._scratch.pread, base, 0)
        self._keep(Entry(member.name, member.mtime_us, window.pieces, window))
        self._scratch.append(head)
        window.size = len(head)
        for part in stream.pieces(member.size - len(head)):
            self._scratch.append(bytes(part))
            window.size = self._scratch.size - base

    def _list_zip(self) -> None:
        self._zip = ZipEntries(self._fd, self.name, self._limits)
        encrypted: list[str] = []
        for member in self._zip.members():
            if self._full:
                break
            if member.special:
                self._sieve.special.append(member.name)
            elif member.encrypted:
                encrypted.append(member.name)
            elif self._wanted(member.name):
                try:
                    head = self._zip.head(member)
                except ZIP_ERRORS as error:
                    where = f"{self.name}!{member.name}"
                    self.errors.append(SourceError(f"cannot be read: {error}", where=where, mend="unpack it yourself"))
                    continue
                if self._passes(member.name, head):
                    mtime_us = member.mtime_us or self._mtime_us
                    self._keep(Entry(member.name, mtime_us, self._zip.reader(member), None))
        if self._zip.nameless:
            self.fail(f"has members without a name ({self._zip.nameless}), which are left out", "pack it anew")
        if encrypted:
            self.fail(f"{len(encrypted)} members are encrypted: {listed(encrypted)}", "unpack it with its password")

    def _released(self) -> None:
        self._users -= 1
        if not self._users:
            self.close()

    def close(self) -> None:
        """Give everything back; calling it twice is fine."""
        self._unpacking.close()
        self._scratch.close()
        if self._zip is not None:
            self._zip.close()
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class _Deaf:
    """Does not mind what is wrong: another reads it again."""

    def say(self, text: str) -> None:
        pass

    def fail(self, text: str, mend: str | None = None) -> None:
        pass

    def check_ratio(self, made: int, taken: int, most: int | None = None) -> None:
        pass


def _begin(pieces: list[bytes] | Iterator[bytes], codec: Codec) -> bytes:
    """The first bytes inside a compressed file, enough for a tar header; fewer where it is damaged."""
    head = b""
    try:
        for chunk in decompressed(_Deaf(), threading.Event(), pieces, codec):
            head += chunk
            if len(head) >= BLOCK:
                break
    except SourceError:
        return b""
    return head


def _holds_tar(fd: int, codec: Codec) -> bool:
    return is_header(_begin((piece for piece, _ in zip(pieces_of(fd), range(_PEEK >> 20), strict=False)), codec))
