"""What the words on the command line stand for: files, globs, folders, pipes, URLs."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from logscope.errors import SourceError
from logscope.sources.archives import Archive, open_archive
from logscope.sources.base import SourceSpec
from logscope.sources.files import SAMPLE
from logscope.sources.holes import written_head
from logscope.sources.order import natural
from logscope.sources.programs import program_of
from logscope.sources.scratch import CopyLimits, Listing
from logscope.sources.sifting import Sieve
from logscope.sources.trouble import source_error
from logscope.sources.urls import LISTENERS, PROGRAMS, parse_address, scheme_of, unknown_scheme

DEPTH = 3
"""How deep a folder is walked: its files, its folders' files and theirs."""
_TABLE = "_structured.csv"
"""What LogHub adds to the name of a log for the table that was made of it."""


@dataclass(slots=True)
class Expansion:
    """What arguments came to; the order of `specs` is the sources' order."""

    specs: list[SourceSpec] = field(default_factory=list)
    errors: list[SourceError] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    limits: CopyLimits = field(default_factory=CopyLimits)
    """What unpacking archives may cost."""
    archives: list[Archive] = field(default_factory=list)
    """Those that were opened to see what they hold."""

    def forget_unused(self) -> None:
        """Give back archives of which no member is a source, since all were named before."""
        used = {id(spec.archive) for spec in self.specs}
        for archive in self.archives:
            if id(archive) not in used:
                archive.close()

    def close(self) -> None:
        """Give back what archives hold; for who opens none of the sources."""
        for archive in self.archives:
            archive.close()


def expand(
    arguments: Sequence[str], *, stdin_is_pipe: bool, follow: bool = False, told: Listing | None = None
) -> Expansion:
    """The sources that arguments name, in their order, each file once.

    Args:
        arguments: Paths, globs, folders, `-` and URLs, as typed.
        stdin_is_pipe: Whether standard input holds a log: it is read when nothing is named.
        follow: Whether a missing file is waited for rather than an error.
        told: Gets how far it is while the members of a compressed tar are looked for.

    Returns:
        Specs of what can be tried, errors for what cannot, and what was passed over.
    """
    expansion = Expansion(limits=CopyLimits(told=told))
    seen: dict[tuple[int, int, str | None], str] = {}
    for argument in arguments or (("-",) if stdin_is_pipe else ()):
        try:
            for spec in _expanded(argument, follow, expansion):
                _add(expansion, spec, seen)
        except SourceError as error:
            expansion.errors.append(error)
    expansion.forget_unused()
    _say_of_tables(expansion)
    return expansion


def _say_of_tables(expansion: Expansion) -> None:
    """Tell of tables that hold the records of a log beside them: both are read, and counted."""
    paths = {spec.path for spec in expansion.specs if spec.member is None}
    twice = [
        (spec.name, log.name)
        for spec in expansion.specs
        if spec.path is not None and spec.path.name.endswith(_TABLE)
        if (log := spec.path.with_name(spec.path.name.removesuffix(_TABLE))) in paths
    ]
    if twice:
        # In one notice: a folder of such pairs would cover the screen with them.
        table, log_name = twice[0]
        more = f", and {len(twice) - 1} more like it" if len(twice) > 1 else ""
        expansion.notices.append(
            f"{table}: seems to hold the records of {log_name} again, as a table{more}; name one of them alone"
        )


def _add(expansion: Expansion, spec: SourceSpec, seen: dict[tuple[int, int, str | None], str]) -> None:
    # A file's name may be no text; what names the source in columns and JSON must be.
    spec = replace(spec, name=spec.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    identity = None
    if spec.path is not None:
        try:
            about = spec.path.stat()
            identity = (about.st_dev, about.st_ino, spec.member) if stat.S_ISREG(about.st_mode) else None
        except OSError:
            identity = None
    elif any(other.name == spec.name for other in expansion.specs):
        return
    if identity is not None and identity in seen:
        if seen[identity] != spec.name:
            expansion.notices.append(f"{spec.name}: is the same file as {seen[identity]}; read once")
        return
    if identity is not None:
        seen[identity] = spec.name
    expansion.specs.append(spec)


def _expanded(argument: str, follow: bool, expansion: Expansion) -> Iterator[SourceSpec]:
    path = Path(argument)
    if argument in ("-", "/dev/stdin"):
        yield SourceSpec(argument, "stream")
        return
    scheme = scheme_of(argument)
    if scheme is not None and not os.path.lexists(path):
        yield _url(argument, scheme)
        return
    if "\0" in argument or not argument:
        raise SourceError("is no path", where=argument.replace("\0", "\\0"), mend="name a file")
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        if not os.path.lexists(path) and (members := _archived(argument, expansion)) is not None:
            yield from members
        elif is_pattern(argument):
            yield from _globbed(argument, follow, expansion)
        elif follow:
            yield SourceSpec(argument, "file", path)
        else:
            raise source_error(error, argument) from error
        return
    except OSError as error:
        raise source_error(error, argument) from error
    if stat.S_ISDIR(mode):
        yield from _folder(argument, follow, expansion)
    elif stat.S_ISREG(mode) and (archive := _archive_at(path, argument, expansion)) is not None:
        yield from _members(archive, expansion)
    else:
        yield SourceSpec(argument, "stream" if stat.S_ISFIFO(mode) else "file", path)


def _archive_at(path: Path, name: str, expansion: Expansion) -> Archive | None:
    """The archive that a file is; None if it is none, or cannot be read: opening it says why."""
    try:
        with path.open("rb") as file:
            head = file.read(SAMPLE)
    except OSError:
        return None
    return open_archive(path, name, head, expansion.limits)


def _url(argument: str, scheme: str) -> SourceSpec:
    if scheme in LISTENERS:
        parse_address(argument)
        return SourceSpec(argument, "messages", url=argument)
    if scheme == "spool":
        return SourceSpec(argument, "messages", url=argument)
    if scheme in PROGRAMS:
        program_of(argument)
        return SourceSpec(argument, "stream", url=argument)
    raise unknown_scheme(argument)


def is_pattern(argument: str) -> bool:
    """Whether an argument stands for files that may come and go: a folder, or a glob that is no file's name."""
    if not argument or "\0" in argument:
        return False
    if os.path.isdir(argument):  # noqa: PTH112
        return True
    return glob.has_magic(argument) and scheme_of(argument) is None and not os.path.lexists(argument)


def names_of(pattern: str) -> list[str]:
    """The files that a folder or a glob stands for now, in natural order; what cannot be read is left out."""
    if not os.path.isdir(pattern):  # noqa: PTH112
        return [name for name in sorted(glob.glob(pattern, recursive=True), key=natural) if not Path(name).is_dir()]  # noqa: PTH207
    return _walked(pattern, lambda _error: None)


def _globbed(pattern: str, follow: bool, expansion: Expansion) -> Iterator[SourceSpec]:
    names = names_of(pattern)
    if not names:
        if follow:
            expansion.notices.append(f"{pattern}: matches no file yet; waiting for one")
            return
        raise SourceError("matches no file", where=pattern, mend="check the pattern")
    yield from texts(pattern, names, expansion)


def _folder(folder: str, follow: bool, expansion: Expansion) -> Iterator[SourceSpec]:
    before = len(expansion.errors)

    def unreadable(error: OSError) -> None:
        expansion.errors.append(source_error(error, str(error.filename or folder)))

    specs = list(texts(folder, _walked(folder, unreadable), expansion))
    if not specs and len(expansion.errors) == before:
        if not follow:
            raise SourceError(
                "no logs in this folder", where=folder, mend=f"name the files (it is walked {DEPTH} deep)"
            )
        expansion.notices.append(f"{folder}: no logs in this folder yet; waiting for one")
    yield from specs


def _walked(folder: str, unreadable: Callable[[OSError], None]) -> list[str]:
    found: list[str] = []
    top = folder.rstrip("/") or "/"
    for here, folders, files in os.walk(top, onerror=unreadable):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural)
        if here.removeprefix(top).count("/") >= DEPTH - 1:
            folders.clear()
        found += [str(Path(here) / name) for name in files if not name.startswith(".")]
    prefix = "./" if top == "." and folder.startswith("./") else ""
    return [prefix + name for name in sorted(found, key=natural)]


def texts(where: str, names: Sequence[str], expansion: Expansion) -> Iterator[SourceSpec]:
    """Those that hold text, compressed or in archives or not, and may be logs; the others are said in one line."""
    sieve = Sieve()
    for name in names:
        path = Path(name)
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                sieve.special.append(name)
                continue
            with path.open("rb") as file:
                head = written_head(file.fileno())
        except OSError as error:
            expansion.errors.append(source_error(error, name))
            continue
        try:
            archive = open_archive(path, name, head, expansion.limits)
        except SourceError as error:
            expansion.errors.append(error)
            continue
        if archive is not None:
            yield from _members(archive, expansion)
        elif sieve.lets_pass(name, head):
            yield SourceSpec(name, "file", path)
    expansion.notices += sieve.said(where)


def _members(archive: Archive, expansion: Expansion) -> Iterator[SourceSpec]:
    """The members of an archive that are asked for, or all that may be logs."""
    specs = archive.specs()
    expansion.archives.append(archive)
    expansion.notices += archive.notices
    expansion.errors += archive.errors
    if not specs and not archive.errors:
        what = "no logs in this archive" if archive.pattern is None else f"no member {archive.pattern} in this archive"
        raise SourceError(what, where=archive.name, mend=archive.suggestion())
    yield from specs


def _archived(argument: str, expansion: Expansion) -> list[SourceSpec] | None:
    """What `ARCHIVE!MEMBER` or `ARCHIVE!GLOB` names; None if it is nothing of the kind."""
    for place in [at for at, sign in enumerate(argument) if sign == "!" and at]:
        name, pattern = argument[:place], argument[place + 1 :]
        names = [name] if Path(name).is_file() else names_of(name) if is_pattern(name) else []
        specs: list[SourceSpec] = []
        for each in names:
            with Path(each).open("rb") as file:
                archive = open_archive(Path(each), each, file.read(SAMPLE), expansion.limits, pattern)
            if archive is not None:
                specs += _members(archive, expansion)
            elif each == name:
                raise SourceError("is no archive", where=name, mend="name the file without !MEMBER")
        if specs:
            return specs
    return None
