"""From a spec to an open source: looks at what is there, and chooses how it is read."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from logscope.errors import SourceError
from logscope.sources.base import POLL_INTERVAL, OpenSource, SourceSpec, TakesApart
from logscope.sources.codecs import codec_by_name, codec_of, unread_compression
from logscope.sources.copied import CopiedSource
from logscope.sources.encodings import checked_encoding, encoding_of, letters_of_another, newline_of, recoded
from logscope.sources.files import FileSource, is_binary, may_come, open_regular, pieces_of
from logscope.sources.follow import FollowedFile
from logscope.sources.holes import HoledFile, written_head, written_runs
from logscope.sources.plain import plain_text
from logscope.sources.programs import open_program
from logscope.sources.remote import is_remote
from logscope.sources.retention import Retention
from logscope.sources.scratch import CopyLimits
from logscope.sources.streams import inherited_pipe, pipe_chunks, standard_input
from logscope.sources.urls import PROGRAMS, scheme_of

_CHUNK = 1 << 20


def open_source(
    spec: SourceSpec,
    *,
    follow: bool = False,
    encoding: str | None = None,
    limits: CopyLimits | None = None,
    spool_root: Path | None = None,
    retention: Retention | None = None,
    apart: TakesApart | None = None,
) -> OpenSource:
    """Open what a spec names. Returns at once, however large or silent the source is.

    Args:
        spec: From `discover.expand`.
        follow: Go on reading what is appended (`-f`); a missing file is then waited for.
        encoding: The text's encoding, as `--encoding` names it; None: UTF-8, or by byte-order mark.
        limits: What copies of pipes and compressed files may cost.
        spool_root: Where listeners' spools lie, in place of the state folder's.
        retention: How much a listener's spool keeps; None: everything.
        apart: Makes lines of texts that hold many records each.

    Raises:
        SourceError: It cannot be read, or listened on; with the mend.
        UsageError: There is no such encoding.
    """
    if spec.url is not None and scheme_of(spec.url) in PROGRAMS:
        return open_program(spec, follow=follow, limits=limits)
    if spec.url is not None:
        from logscope.sources.listening import open_url

        return open_url(spec, follow=follow, root=spool_root, retention=retention)
    forced = checked_encoding(encoding)
    if spec.archive is not None:
        return spec.archive.open(spec, forced, apart)
    if spec.path is None:
        return _stream(spec, standard_input(spec.name), None, follow, forced, limits, apart)
    inherited = inherited_pipe(spec.path)
    if inherited is not None and not stat.S_ISREG(os.fstat(inherited).st_mode):
        return _stream(spec, inherited, None, follow, forced, limits, apart)
    if inherited is not None:
        os.close(inherited)
    try:
        fd = open_regular(spec.path, spec.name)
    except SourceError as error:
        if not (follow and may_come(error)):
            raise
        if _lies_remote(spec.path.parent):
            return _copied_file(spec, None, follow, forced, b"", 0, limits, apart)
        return FollowedFile(spec)
    try:
        return _opened(spec, spec.path, fd, follow, forced, limits, apart)
    except BaseException:
        os.close(fd)
        raise


def _opened(
    spec: SourceSpec,
    path: Path,
    fd: int,
    follow: bool,
    forced: str | None,
    limits: CopyLimits | None,
    apart: TakesApart | None,
) -> OpenSource:
    about = os.fstat(fd)
    if stat.S_ISFIFO(about.st_mode):
        return _stream(spec, fd, path, follow, forced, limits, apart)
    head = written_head(fd)
    mtime_us = about.st_mtime_ns // 1000
    if codec_of(head) is not None or (head and not about.st_size):  # files of /proc state no size

        def unpacked(source: CopiedSource, stop: threading.Event) -> Iterator[bytes]:
            return _apart(apart, plain_text(source, stop, pieces_of(fd), forced))

        return CopiedSource(spec, unpacked, mtime_us=mtime_us, limits=limits, on_close=lambda: os.close(fd))
    unread = unread_compression(head)
    if unread is not None:
        raise SourceError(f"{unread} is not read", where=spec.name, mend="decompress it first")
    encoding = forced or encoding_of(head)
    # What a server has rotated away may not be readable again, and one that is away would hold up all sources.
    kept = follow and is_remote(about.st_dev)
    if kept or encoding is not None or (apart is not None and apart.begins(head)):
        return _copied_file(spec, fd, follow, encoding, head, mtime_us, limits, apart)
    source: OpenSource = FollowedFile(spec) if follow else _file(spec, fd, about.st_size)
    promised = codec_by_name(path.name)
    if promised is not None and head:
        source.say(f"is not {promised.name} whatever its name says; read as it is")
    elif is_binary(head):
        source.say("looks binary; read as text all the same (UTF-16 without a mark: --encoding utf-16-le)")
    elif letters_of_another(head):
        source.say("holds letters that are no UTF-8; --encoding latin-1, or another, shows them")
    if follow:
        os.close(fd)
    return source


def _file(spec: SourceSpec, fd: int, size: int) -> FileSource:
    """A file as it stands, its holes left out."""
    runs = written_runs(fd, 0, size)
    return FileSource(spec, fd) if sum(run.length for run in runs) == size else HoledFile(spec, fd, runs)


def _stream(
    spec: SourceSpec,
    fd: int,
    path: Path | None,
    follow: bool,
    forced: str | None,
    limits: CopyLimits | None,
    apart: TakesApart | None,
) -> OpenSource:
    spec = SourceSpec(spec.name, "stream", spec.path)

    def chunks(source: CopiedSource, stop: threading.Event) -> Iterator[bytes]:
        return _apart(apart, plain_text(source, stop, pipe_chunks(source, stop, fd, path), forced))

    return CopiedSource(spec, chunks, follow=follow, limits=limits, on_close=lambda: os.close(fd))


def _lies_remote(folder: Path) -> bool:
    try:
        return is_remote(folder.stat().st_dev)
    except OSError:
        return False


def _copied_file(
    spec: SourceSpec,
    fd: int | None,
    follow: bool,
    encoding: str | None,
    head: bytes,
    mtime_us: int,
    limits: CopyLimits | None,
    apart: TakesApart | None,
) -> OpenSource:
    newline = b"\n" if encoding is None else newline_of(encoding, head)
    original = FollowedFile(spec, newline=newline) if follow or fd is None else FileSource(spec, fd)

    def chunks(source: CopiedSource, stop: threading.Event) -> Iterator[bytes]:
        text = _all_of(original, source, stop)
        return _apart(apart, text if encoding is None else recoded(text, encoding))

    copy = CopiedSource(
        spec, chunks, follow=follow, mtime_us=None if follow else mtime_us, limits=limits, on_close=original.close
    )
    if follow and fd is not None:
        os.close(fd)
    return copy


def _apart(apart: TakesApart | None, text: Iterator[bytes]) -> Iterator[bytes]:
    return text if apart is None else apart.lines(text)


def _all_of(original: OpenSource, copy: CopiedSource, stop: threading.Event) -> Iterator[bytes]:
    """A source's bytes as they come, its notices handed on."""
    offset = 0
    while not stop.is_set():
        chunk = original.pread(_CHUNK, offset)
        if chunk:
            offset += len(chunk)
            yield chunk
        elif original.finished():
            return
        else:
            stop.wait(POLL_INTERVAL)
            original.poll()
        for notice in original.notices():
            copy.say(notice.removeprefix(f"{original.name}: "))
