"""Where a watch of listeners stands, written down now and then: the next run reads on from there.

It holds what was read of the spools, what is linked, and what every rule remembers. It is as good as what
it was made with: another version, plan, format or spool, and it is put aside with a word, and all is read again.
"""

from __future__ import annotations

import contextlib
import threading
import time as clock
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from logscope import __version__
from logscope.correlation.plan import from_toml, to_toml
from logscope.engine.api import Cancel
from logscope.engine.loading.resuming import (
    MismatchError,
    check_sources,
    forget_sources,
    restore_sources,
    resumable,
    saved_sources,
)
from logscope.engine.loading.spools import kept_plan
from logscope.engine.loading.zones import local_zone
from logscope.engine.options import Options
from logscope.engine.service.ledger import SUFFIX, watch_folder
from logscope.errors import LogscopeError
from logscope.records.framefile import DamagedError, read_about, read_frames, write_frames
from logscope.records.saving import Saved, below, under
from logscope.rules.digest import digest_of

if TYPE_CHECKING:
    from logscope.engine.session import Session

_VERSION = 2
_FEWEST = 2_000
"""Records that are worth writing anew,"""
_GROWTH = 10
"""and a tenth of all there are: what is written in all stays a few times what there is in the end."""
_LONGEST = 600.0
"""Seconds after which fewer are worth it too."""
_SHARE = 20
"""At most a twentieth of the time goes into writing."""
_ASIDE = (
    "sources", "follow", "rules", "rule", "strange_rules", "memory", "config", "cache", "remember", "show_tz", "retain",
    "stdin_is_pipe", "shipped_rules", "strict", "provisional", "plan",
)  # fmt: skip
"""Options that decide nothing of what is remembered, or are looked at by themselves."""


class Checkpoint:
    """What is written down of one session.

    Args:
        session: Opened, nothing read.
        path: The file; None: nothing is kept.
        say: Gets what people should know.
    """

    def __init__(self, session: Session, path: Path | None, say: Callable[[str], None]) -> None:
        """Nothing is read or written."""
        self._session = session
        self._path = path if path is not None and resumable(session.loading) else None
        self._say = say
        self._writing: threading.Thread | None = None
        self._saved_records = 0
        self._saved_at = clock.monotonic()
        self._took = 0.0
        self._trouble = ""

    # --- going on

    def restore(self) -> bool:
        """Put the session where an earlier run stood; whether it did. Else everything is as it was."""
        if self._path is None:
            return False
        session = self._session
        try:
            about, frames = read_frames(self._path)
            self._check(about)
        except FileNotFoundError:
            return False
        except DamagedError:
            return self._aside("it is damaged")
        except MismatchError as error:
            return self._aside(str(error))
        try:
            kept = self._put(about, frames)
        except MismatchError as error:
            return self._aside(str(error))
        except (LogscopeError, ValueError, KeyError, TypeError, IndexError, pl.exceptions.PolarsError) as error:
            return self._aside(f"it cannot be taken up ({type(error).__name__}: {error})")
        records = session.store.ever
        self._saved_records, self._saved_at = records, clock.monotonic()
        anew = sorted({rule.name for rule in session.detecting.rules} - kept)
        words = f"; asked anew, for they are new or changed: {', '.join(anew)}" if anew else ""
        self._say(f"goes on after {records:,} records that are known from the run before{words}")
        return True

    def _check(self, about: dict[str, Any]) -> None:
        """Raise if it was made in another way than this run would make it."""
        if about.get("version") != _VERSION:
            raise MismatchError("another version of logscope wrote it")
        for what, digest in _way(self._session).items():
            if about["way"].get(what) != digest:
                raise MismatchError(f"{what} changed since")

    def _put(self, about: dict[str, Any], frames: Saved) -> set[str]:
        session = self._session
        cancel = Cancel()
        plan = from_toml(about["plan"], "checkpoint")
        check_sources(session.loading, about["sources"])
        restore_sources(session.loading, session.store, about["sources"], below("records", frames))
        session.correlating.extracted.restore(below("values", frames), plan)
        session.correlating.restore(below("linked", frames), plan)
        now = clock.monotonic_ns() // 1000
        return session.detecting.restore(below("detecting", frames), about["rules"], now, cancel)

    def _aside(self, why: str) -> bool:
        session = self._session
        forget_sources(session.loading, session.store)
        session.correlating.forget()
        session.detecting.forget()
        with contextlib.suppress(OSError):
            assert self._path is not None
            self._path.unlink()
        self._say(f"the checkpoint of the run before is not used, {why}: everything is read again")
        return False

    # --- writing down

    def turned(self) -> None:
        """After a turn: write, on a thread, if there is enough that is new."""
        if self._path is None or (self._writing is not None and self._writing.is_alive()):
            return
        records = self._session.store.ever
        waited = clock.monotonic() - self._saved_at
        fresh = records - self._saved_records
        held = self._session.store.view.records
        enough = fresh >= max(_FEWEST, held // _GROWTH) or (fresh > 0 and waited > _LONGEST)
        if enough and waited >= _SHARE * self._took and self._settled():
            self._begin(records)

    def finish(self) -> None:
        """Write before the end decides what it decides, and wait for it."""
        if self._path is None:
            return
        self._join()
        if self._settled():
            self._begin(self._session.store.ever)
            self._join()

    def wait(self) -> None:
        """Until nothing is held for writing."""
        self._join()

    def _join(self) -> None:
        if self._writing is not None:
            self._writing.join()
            self._writing = None

    def _settled(self) -> bool:
        session = self._session
        plan = session.correlating.plan
        return plan is not None and session.detecting.settled and resumable(session.loading)

    def _begin(self, records: int) -> None:
        """Take hold of everything, which nothing changes any more, and write it on a thread."""
        began = clock.monotonic()
        about, frames = self._taken()
        self._saved_records = records
        self._writing = threading.Thread(
            target=self._write, args=(about, frames, began), name="logscope-checkpoint", daemon=True
        )
        self._writing.start()

    def _taken(self) -> tuple[dict[str, Any], Saved]:
        session = self._session
        plan = session.correlating.plan
        assert plan is not None
        sources, records = saved_sources(session.loading, session.store)
        about = {
            "version": _VERSION,
            "way": _way(session),
            "plan": to_toml(plan),
            "sources": sources,
            "rules": {rule.name: rule.digest for rule in session.detecting.rules},
        }
        frames = {
            **under("records", records),
            **under("values", session.correlating.extracted.saved()),
            **under("linked", session.correlating.saved()),
            **under("detecting", session.detecting.saved()),
        }
        return about, frames

    def _write(self, about: dict[str, Any], frames: Saved, began: float) -> None:
        assert self._path is not None
        try:
            write_frames(self._path, about, frames)
        except OSError as error:
            trouble = f"the checkpoint cannot be written: {error.strerror or error}"
            if trouble != self._trouble:
                self._say(trouble)
            self._trouble = trouble
        else:
            self._trouble = ""
        self._saved_at = clock.monotonic()
        self._took = self._saved_at - began


def forget_spool(name: str) -> None:
    """Remove what was written down of watches of a spool that is no more.

    Args:
        name: Its exact name.
    """
    for path in watch_folder().glob(f"*{SUFFIX}"):
        sources = read_about(path).get("sources", ())
        if name in {str(one.get("name", "")).removeprefix("spool://") for one in sources}:
            with contextlib.suppress(OSError):
                path.unlink()


def _way(session: Session) -> dict[str, str]:
    """What decides what is remembered, beside the rules: digests by what they are of, in words."""
    options = session.options
    plain = Options()
    told = replace(options, **{name: getattr(plain, name) for name in _ASIDE})
    plan = options.plan
    if plan is not None:
        with contextlib.suppress(OSError):
            plan = Path(plan).read_text(encoding="utf-8", errors="replace")
    else:
        kept = kept_plan(session.loading.sources)
        plan = None if kept is None else to_toml(kept)
    return {
        "logscope": digest_of(__version__, pl.__version__),
        "an option": digest_of(told, local_zone()),
        "a format": digest_of(session.loading.formats.formats),
        "the plan": digest_of(plan),
    }
