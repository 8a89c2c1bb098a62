"""Sources of a session: opened, bound to their formats, read into the store, followed.

One thread reads all sources in turn (`run`); a command that wants everything first calls
`read_all`. Listeners are processes of their own whose spool is followed like any growing file.
"""

from __future__ import annotations

import contextlib
import fnmatch
import threading
import time as clock
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from logscope.engine.answers import SourceStatus
from logscope.engine.loading.ahead import ahead
from logscope.engine.loading.bulk import Block, blocks_of, parsed
from logscope.engine.loading.choosing import assignment_of
from logscope.engine.loading.courtesy import Courtesy
from logscope.engine.loading.indexcache import IndexCache
from logscope.engine.loading.ingest import Ingest
from logscope.engine.loading.material import Bytes, Foreseen, Nothing
from logscope.engine.loading.memory import Room
from logscope.engine.loading.spools import retention_of
from logscope.engine.loading.tablefiles import table_source
from logscope.engine.loading.zones import check_zone, local_zone
from logscope.errors import LogscopeError, SourceError
from logscope.formats.assignment import FormatSet
from logscope.formats.documents import Documents
from logscope.formats.loader import load_formats
from logscope.formats.parser import make_parser
from logscope.language.units import parse_duration
from logscope.paths import config_folder
from logscope.records.model import SourceRef
from logscope.records.pieces import Binding
from logscope.records.store import Store
from logscope.sources.appearing import Appearing
from logscope.sources.base import OpenSource, SourceSpec
from logscope.sources.descriptors import allow
from logscope.sources.discover import expand
from logscope.sources.listening import ListenerSource
from logscope.sources.opening import open_source
from logscope.sources.scratch import Listing
from logscope.sources.spool import SpoolSource
from logscope.sources.urls import LISTENERS, scheme_of

if TYPE_CHECKING:
    from logscope.engine.options import Options

_POLL_SECONDS = 0.1


def by_glob(settings: tuple[str, ...], name: str) -> str | None:
    """The value of the last `[GLOB=]VALUE` that fits a source's name.

    Args:
        settings: As typed.
        name: The source.
    """
    found = None
    for setting in settings:
        glob, equals, value = setting.rpartition("=")
        if not equals or fnmatch.fnmatch(name, glob) or fnmatch.fnmatch(Path(name).name, glob):
            found = value
    return found


class Loading:
    """Opens and reads the sources of a session.

    Args:
        options: What the user asked for.
        store: Where the records go.
        changed: Called after records were added (on the reading thread).
        foreseen: Columns that are found as growing sources are read.
    """

    def __init__(
        self, options: Options, store: Store, changed: Callable[[], None], foreseen: Foreseen | None = None
    ) -> None:
        """Nothing is opened yet."""
        self._options = options
        self._store = store
        self._changed = changed
        self._foreseen = foreseen or Nothing()
        self._formats: FormatSet | None = None
        self._appearing = Appearing((), ())
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self.courtesy = Courtesy()
        """Taken by who reads records for a screen: blocks wait for it."""
        self.room = Room(options.memory)
        self.sources: list[OpenSource] = []
        self.ingests: list[Ingest] = []
        self.errors: list[LogscopeError] = []
        self.notices: list[str] = []
        self.loaded = False
        """Whether everything that was there at the start is in the store."""

    @cached_property
    def cache(self) -> IndexCache | None:
        """Where indexes are kept between runs; None if they are not."""
        return IndexCache(repr(self.formats.formats)) if self._options.cache else None

    @property
    def formats(self) -> FormatSet:
        """The format definitions in force."""
        if self._formats is None:
            extra = [Path(path) for path in self._options.formats]
            own = config_folder() / "formats"
            self._formats = load_formats([*([own] if own.is_dir() else []), *extra], self.errors)
        return self._formats

    def open(self, told: Listing | None = None) -> None:
        """Open all sources; those that cannot be opened are in `errors`. What takes long is `told`.

        Raises:
            LogscopeError: A setting that cannot be used.
        """
        formats = self.formats
        for setting in self._options.tz:
            check_zone(setting.rpartition("=")[2])
        for setting in self._options.format:
            formats.get(setting.rpartition("=")[2])
        piped, follow = self._options.stdin_is_pipe, self._options.follow
        expansion = expand(self._options.sources, stdin_is_pipe=piped, follow=follow, told=told)
        self.errors.extend(expansion.errors)
        self.notices.extend(expansion.notices)
        self._open_all(expansion.specs)
        if self._options.follow:
            self._appearing = Appearing(self._options.sources, expansion.specs)

    def _take_up(self) -> None:
        """Open what has appeared in followed folders and globs."""
        expansion = self._appearing.look()
        self.notices.extend(expansion.notices)
        for spec in expansion.specs:
            self.notices.append(f"{spec.name}: has appeared; it is read from its beginning")
        self._open_all(expansion.specs)

    def _open_all(self, specs: Sequence[SourceSpec]) -> None:
        """Open what the system allows to be open, and say what is left out."""
        room = allow(len(self.sources) + len(specs)) - len(self.sources)
        for spec in specs[: max(0, room)]:
            self._open(spec)
        left = specs[max(0, room) :]
        if left:
            self.errors.append(
                SourceError(
                    f"not read, nor are {len(left) - 1} more: too many files would be open at once",
                    where=left[0].name,
                    mend=f"ulimit -n {len(self.sources) + len(left) + 1000}",
                )
            )

    def _open(self, spec: SourceSpec) -> None:
        listening = spec.url is not None and scheme_of(spec.url) in LISTENERS
        try:
            encoding = by_glob(self._options.encoding, spec.name)
            source = table_source(spec) or open_source(
                spec,
                follow=self._options.follow or listening,
                encoding=encoding,
                retention=retention_of(self._options.retain),
                apart=Documents(),
            )
        except SourceError as error:
            self.errors.append(error)
            return
        place = len(self.sources)
        self.sources.append(source)
        shift = self._shift(spec.name)
        ingest = Ingest(source, self._store, lambda lines: self._bind(place, source, lines), shift, self._foreseen)
        ingest.line = source.first_line
        self.ingests.append(ingest)

    def _shift(self, name: str) -> int:
        value = by_glob(self._options.offset, name)
        if value is None:
            return 0
        return (-1 if value.startswith("-") else 1) * parse_duration(value.lstrip("+-"))

    def _bind(self, place: int, source: OpenSource, lines: list[str]) -> Binding:
        assignment = assignment_of(self.formats, source, lines, by_glob(self._options.format, source.name))
        zone = by_glob(self._options.tz, source.name) or local_zone()
        parser = make_parser(assignment, zone=zone, reference_us=source.mtime_us, source_name=source.name)
        ref = SourceRef(place, source.name, source.kind)
        return Binding(ref, source, parser, tuple(parser.formats), parser.head_lines, parser.cuts)

    def read_all(self, progress: Callable[[float], None] | None = None) -> None:
        """Read everything there is (streams to their end); blocks of files are parsed on further threads."""
        for ingest, base, whole in ahead(parsed, self._blocks()):
            if whole is None:
                self.read(ingest, progress)  # what could not be parsed ahead
            elif base == ingest.position and not self._stop.is_set():
                with self._lock:
                    ingest.keep(base, whole)
                if progress:
                    progress(self.progress)
        self.keep_indexes()
        self.loaded = True

    def _blocks(self) -> Iterator[Block]:
        """What there is to read, in order; of each source a block without bytes at last."""
        for ingest in self.ingests:
            if ingest.source.kind == "file" and not ingest.source.follow and not self._stop.is_set():
                with self._lock:
                    restored = self._restored(ingest)
                with contextlib.suppress(SourceError):  # who reads in order is told
                    yield from () if restored else blocks_of(ingest)
            yield ingest, 0, 0

    def read(self, ingest: Ingest, progress: Callable[[float], None] | None = None) -> None:
        """Read what there is of one source, in this thread."""
        ingest.wide = True
        while not self._stop.is_set():
            with self._lock:
                moved = self._step(ingest)
            if moved:
                if progress:
                    progress(self.progress)
            elif ingest.done or (ingest.source.kind == "messages" and not moved) or self._at_rest(ingest):
                break
            else:
                clock.sleep(0.01)
        self.heed(ingest.source)  # what it said while its last block was read

    def _restored(self, ingest: Ingest) -> bool:
        """Whether the index of an earlier reading took the place of reading the source from its beginning."""
        untouched = ingest.binding is None and ingest.position == 0
        return untouched and self.cache is not None and self.cache.restore(ingest, self._how(ingest))

    def keep_indexes(self) -> None:
        """Keep the indexes of files that were read to their ends for the next time."""
        for ingest in self.ingests:
            if self.cache is not None and not self._stop.is_set():
                self.cache.save(ingest, self._how(ingest))

    def _how(self, ingest: Ingest) -> tuple[object, ...]:
        """What decides what a source's index is, beside the source and the formats."""
        name = ingest.source.name
        return (by_glob(self._options.tz, name) or local_zone(), ingest.shift, by_glob(self._options.format, name))

    def _at_rest(self, ingest: Ingest) -> bool:
        """A followed file that was read to its end by a command that does not follow."""
        return ingest.source.follow and ingest.position >= ingest.source.size()

    def _step(self, ingest: Ingest) -> bool:
        """One block of one source; what it says is noted, and nothing it does stops the others."""
        try:
            ingest.source.poll()
            moved = self._restored(ingest) or ingest.step()
            if moved and isinstance(ingest.source, SpoolSource):
                ingest.source.release(ingest.position)
        except SourceError as error:
            if error not in self.errors:
                self.errors.append(error)
            moved = False
        self.heed(ingest.source)
        return moved

    def heed(self, source: Bytes) -> None:
        """Note what a source has to say, and why not everything of it could be read."""
        self.notices.extend(source.notices())
        self.errors.extend(source.failures())

    def step(self) -> bool:
        """One round: a block of every source that has one; whether anything was added."""
        moved = False
        if self._appearing:
            self._take_up()
        with self._lock:
            for ingest in self.ingests:
                if self._stop.is_set():
                    return moved
                self.courtesy.give_way()
                if self._step(ingest):
                    moved = True
                    if not self.loaded:
                        self._changed()  # the first screen does not wait for the other sources
        if moved:
            self._changed()
        elif not self.loaded and all(
            ingest.done or ingest.source.follow or ingest.source.kind != "stream" for ingest in self.ingests
        ):
            self.loaded = True
            self._changed()
            self.keep_indexes()
        return moved

    def start(self) -> None:
        """Read and follow on a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="logscope-reading", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            moved = not (self.loaded and self.room.full()) and self.step()
            if not moved:
                if not self._appearing and all(ingest.done for ingest in self.ingests):
                    for source in self.sources:
                        self.heed(source)
                    self.keep_indexes()
                    break
                self._stop.wait(_POLL_SECONDS)

    @property
    def progress(self) -> float:
        """Share of known bytes that is in the store."""
        total = sum(source.size() for source in self.sources)
        return sum(ingest.position for ingest in self.ingests) / total if total else 1.0

    @property
    def waiting(self) -> int:
        """Known bytes that are not in the store yet."""
        return sum(source.size() for source in self.sources) - sum(ingest.position for ingest in self.ingests)

    @property
    def live(self) -> bool:
        """Whether more may come."""
        return bool(self._appearing) or any(not source.finished() for source in self.sources)

    def status(self) -> tuple[SourceStatus, ...]:
        """Every source as it is now, those that could not be opened too."""
        wrong = {error.where: str(error) for error in self.errors if isinstance(error, SourceError)}
        known = tuple(
            SourceStatus(
                name=ingest.source.name,
                format=self.format_names(ingest),
                records=ingest.records,
                unparsed=ingest.unparsed,
                size=ingest.source.size(),
                read=ingest.position,
                start=ingest.start,
                end=ingest.end,
                live=not ingest.source.finished(),
                error=wrong.pop(ingest.source.name, None),
                counters=ingest.source.counters() if isinstance(ingest.source, ListenerSource) else {},
            )
            for ingest in self.ingests
        )
        failed = tuple(
            SourceStatus(name or "?", "", 0, 0, 0, 0, None, None, live=False, error=error)
            for name, error in wrong.items()
        )
        return known + failed

    def format_names(self, ingest: Ingest) -> str:
        """Formats that records of a source have, most frequent first, joined by `+`."""
        if ingest.binding is None:
            return ""
        counts = sorted(ingest.by_format.items(), key=lambda one: (-one[1], one[0]))
        return "+".join(ingest.binding.formats[code] for code, _ in counts)

    @property
    def held_since(self) -> int:
        """From when on everything that was ever received is there.

        Later than 0 where a spool let go of messages, and of files, which may have been rotated since.
        """
        begun = [
            ingest.start
            for source, ingest in zip(self.sources, self.ingests, strict=False)
            if source.first_line > 1 or source.kind != "messages"
        ]
        return max((start for start in begun if start is not None), default=0)

    def received(self, source: OpenSource) -> dict[str, int]:
        """What a listener has received, stored and dropped in this run; nothing for other sources."""
        return source.counters() if isinstance(source, ListenerSource) else {}

    def stop_receiving(self) -> None:
        """Listeners take what is in their sockets, then end; what they stored can still be read."""
        for source in self.sources:
            if isinstance(source, ListenerSource):
                source.stop()

    def finish(self) -> None:
        """What is read is all: records that were held back because they might grow are whole now."""
        with self._lock:
            for ingest in self.ingests:
                ingest.finish()

    def close(self) -> None:
        """Stop reading and close everything."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)
        for source in self.sources:
            source.close()
