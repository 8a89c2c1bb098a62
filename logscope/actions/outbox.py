"""The outbox: what is to be sent stands in it before it is sent, and remains known after it.

One SQLite file in the state folder, in WAL mode, for all processes of a user. An event stands in it
once per (action, detection, state), so that telling it again sends nothing again.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from logscope.actions.event import MATCHED, RETRACTED, Event
from logscope.errors import LogscopeError
from logscope.paths import private_folder, state_folder

WAITING, DELIVERED, DEAD, DROPPED = "waiting", "delivered", "dead", "dropped"
MOST_WAITING = 1_000_000
"""Events of one action beyond which new ones are refused, and counted."""
REMEMBERED_SECONDS = 90 * 86_400
"""How long an event that was sent is remembered."""

_VERSION = 1
_RECOUNT_SECONDS = 10.0
_SCHEMA = """
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  action TEXT NOT NULL, detection TEXT NOT NULL, state TEXT NOT NULL, rule TEXT NOT NULL,
  body BLOB, status TEXT NOT NULL, added REAL NOT NULL, due REAL NOT NULL, changed REAL NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0, failing REAL, reason TEXT,
  UNIQUE (action, detection, state)
);
CREATE INDEX by_status ON events (status, action, id);
CREATE TABLE counts (action TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (action, name));
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class OutboxError(LogscopeError):
    """The outbox cannot be used: no space, no rights."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """An event on its way."""

    id: int
    event: Event
    tries: int
    failing: float | None
    """Since when it fails, seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Depth:
    """What the outbox holds of an action."""

    action: str
    waiting: int = 0
    delivered: int = 0
    dead: int = 0
    dropped: int = 0
    refused: int = 0
    """Not taken in because there were too many."""
    failures: int = 0
    """Attempts that failed."""
    oldest: float | None = None
    """When the oldest that waits was put in, seconds since 1970."""
    reason: str | None = None
    """Why the newest attempt failed, of what waits or is dead."""


def outbox_path() -> Path:
    """The user's outbox."""
    return state_folder() / "actions" / "outbox.db"


class Outbox:
    """An open outbox; may be used by several threads.

    Args:
        path: Of the database; made, with its folder, if there is none.
        clock: Seconds since 1970.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        """Open it; one that is damaged is laid aside and a new one begun.

        Raises:
            OutboxError: It cannot be opened.
        """
        self.path = path or outbox_path()
        self.laid_aside: Path | None = None
        """Where a damaged one was put."""
        self._clock = clock
        self._lock = threading.RLock()
        self._backlog: dict[str, tuple[float, int]] = {}
        try:
            private_folder(self.path.parent)
            self._database = self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise self._trouble(error) from error
            self.laid_aside = self.path.with_suffix(f".damaged-{int(clock())}")
            self.path.rename(self.laid_aside)
            for ending in ("-wal", "-shm"):
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
            self._database = self._open()
        except OSError as error:
            raise OutboxError(f"cannot be opened: {error.strerror}", str(self.path), mend="mind its rights") from error

    def _open(self) -> sqlite3.Connection:
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        self.path.chmod(0o600)
        database = sqlite3.connect(self.path, timeout=10.0, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("BEGIN IMMEDIATE")
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            for statement in _SCHEMA.split(";"):
                database.execute(statement)
            database.execute("INSERT INTO meta VALUES ('origin', ?)", (secrets.token_hex(8),))
            database.execute(f"PRAGMA user_version = {_VERSION}")
        database.execute("COMMIT")
        if version > _VERSION:
            database.close()
            raise OutboxError(
                f"is of a newer logscope (version {version})",
                str(self.path),
                mend="use that one, or move the file away",
            )
        return database

    def _trouble(self, error: sqlite3.Error) -> OutboxError:
        return OutboxError(f"cannot be used: {error}", str(self.path), mend="mind free space and rights")

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; all of it holds, or nothing."""
        with self._lock:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                try:
                    yield self._database
                except BaseException:
                    self._database.execute("ROLLBACK")
                    raise
                self._database.execute("COMMIT")
            except sqlite3.Error as error:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise self._trouble(error) from error

    def _asked(self, query: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        with self._lock:
            try:
                return self._database.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise self._trouble(error) from error

    @property
    def origin(self) -> str:
        """A name of this outbox that no log can guess, to tell own output by."""
        return str(self._asked("SELECT value FROM meta WHERE name = 'origin'")[0][0])

    # --- in

    def put(self, events: Iterable[tuple[str, Event]], *, due: float = 0.0) -> int:
        """Take in events, each with the name of its action; all are on disk when this returns.

        Args:
            events: Those already known are passed over, and so is a retraction of what was never sent.
            due: When they may be sent, seconds since 1970.

        Returns:
            How many are new.

        Raises:
            OutboxError: None was taken in.
        """
        now = self._clock()
        new = 0
        with self._changing() as database:
            for action, event in events:
                if self._room(action) <= 0:
                    self._count(action, "refused", 1)
                    continue
                added = database.execute(
                    "INSERT INTO events (action, detection, state, rule, body, status, added, due, changed)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (action, event.detection, event.state, event.rule, event.body, WAITING, now, due, now),
                ).rowcount
                new += added
                at, backlog = self._backlog[action]
                self._backlog[action] = (at, backlog + added)
        return new

    def replace(self, action: str, event: Event, due: float) -> None:
        """Take in an event, or write it anew if it is there and still waits."""
        now = self._clock()
        with self._changing() as database:
            database.execute(
                "INSERT INTO events (action, detection, state, rule, body, status, added, due, changed)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body,"
                " due = excluded.due WHERE status = 'waiting'",
                (action, event.detection, event.state, event.rule, event.body, WAITING, now, due, now),
            )

    def _room(self, action: str) -> int:
        now = time.monotonic()
        at, backlog = self._backlog.get(action, (-_RECOUNT_SECONDS, 0))
        if now - at >= _RECOUNT_SECONDS:
            found = self._database.execute(
                "SELECT COUNT(*) FROM events WHERE action = ? AND status = ?", (action, WAITING)
            ).fetchone()
            backlog = int(found[0])
            self._backlog[action] = (now, backlog)
        return MOST_WAITING - backlog

    def knows(self, action: str, detection: str, state: str = MATCHED) -> bool:
        """Whether an event was ever put in."""
        return bool(
            self._asked(
                "SELECT 1 FROM events WHERE action = ? AND detection = ? AND state = ?", (action, detection, state)
            )
        )

    # --- out

    def waiting(self, action: str, limit: int, skip: int = 0) -> list[Entry]:
        """What may be sent now, in the order in which it came."""
        rows = self._asked(
            "SELECT id, detection, state, rule, body, tries, failing FROM events"
            " WHERE action = ? AND status = ? AND due <= ? ORDER BY id LIMIT ? OFFSET ?",
            (action, WAITING, self._clock(), limit, skip),
        )
        return [
            Entry(int(str(number)), Event(str(detection), str(state), str(rule), bytes(body)), int(str(tries)),
                  None if failing is None else float(str(failing)))
            for number, detection, state, rule, body, tries, failing in rows
            if isinstance(body, bytes)
        ]  # fmt: skip

    def delivered(self, action: str, entries: Sequence[Entry]) -> None:
        """The receiver has taken them; their text is forgotten, that they were sent is not."""
        now = self._clock()
        with self._changing() as database:
            database.executemany(
                "UPDATE events SET status = ?, body = NULL, reason = NULL, failing = NULL, changed = ? WHERE id = ?",
                [(DELIVERED, now, entry.id) for entry in entries],
            )
            self._count(action, DELIVERED, len(entries))

    def failed(self, action: str, entries: Sequence[Entry], reason: str, *, counts: bool) -> None:
        """An attempt failed.

        Args:
            action: Whose.
            entries: That it was made with; they go on waiting.
            reason: Why.
            counts: Whether it may be the events' fault.
        """
        now = self._clock()
        with self._changing() as database:
            database.executemany(
                "UPDATE events SET tries = tries + ?, failing = COALESCE(failing, ?), reason = ?, changed = ? WHERE id = ?",
                [(int(counts), now, reason, now, entry.id) for entry in entries],
            )
            self._count(action, "failures", 1)

    def postponed(self, entry: Entry, due: float) -> None:
        """Others go before it until `due` (seconds since 1970)."""
        with self._changing() as database:
            database.execute("UPDATE events SET due = ? WHERE id = ?", (due, entry.id))

    def buried(self, action: str, entries: Sequence[Entry], reason: str) -> None:
        """They are dead letters."""
        now = self._clock()
        with self._changing() as database:
            database.executemany(
                "UPDATE events SET status = ?, reason = ?, changed = ? WHERE id = ?",
                [(DEAD, reason, now, entry.id) for entry in entries],
            )
            self._count(action, "buried", len(entries))

    def _count(self, action: str, name: str, value: int) -> None:
        self._database.execute(
            "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
            (action, name, value),
        )

    # --- by command

    def retry(self, action: str | None = None) -> int:
        """Dead letters wait again, and what was postponed may be sent now; how many wait.

        Args:
            action: Of this one only.
        """
        with self._changing() as database:
            database.execute(
                "UPDATE events SET status = ?, due = 0, tries = 0, failing = NULL"
                " WHERE status IN (?, ?) AND (? IS NULL OR action = ?)",
                (WAITING, WAITING, DEAD, action, action),
            )
            found = database.execute(
                "SELECT COUNT(*) FROM events WHERE status = ? AND (? IS NULL OR action = ?)", (WAITING, action, action)
            ).fetchone()
        return int(found[0])

    def drop(self, action: str | None = None) -> int:
        """Give up what waits and what is dead; it is never sent. How many that was."""
        with self._changing() as database:
            return database.execute(
                "UPDATE events SET status = ?, body = NULL, reason = NULL, changed = ?"
                " WHERE status IN (?, ?) AND (? IS NULL OR action = ?)",
                (DROPPED, self._clock(), WAITING, DEAD, action, action),
            ).rowcount

    def depths(self) -> list[Depth]:
        """What it holds of each action that it ever saw, by name."""
        found: dict[str, dict[str, int]] = {}
        oldest: dict[str, float] = {}
        reasons: dict[str, str] = {}
        for action, status, number, first in self._asked(
            "SELECT action, status, COUNT(*), MIN(added) FROM events WHERE status IN (?, ?, ?) GROUP BY status, action",
            (WAITING, DEAD, DROPPED),
        ):
            found.setdefault(str(action), {})[str(status)] = int(str(number))
            if status == WAITING:
                oldest[str(action)] = float(str(first))
        for action, name, value in self._asked("SELECT action, name, value FROM counts"):
            if name in (DELIVERED, "refused", "failures"):
                found.setdefault(str(action), {})[str(name)] = int(str(value))
        for action, reason, _ in self._asked(
            "SELECT action, reason, MAX(changed) FROM events WHERE status IN (?, ?) AND reason IS NOT NULL GROUP BY action",
            (WAITING, DEAD),
        ):
            reasons[str(action)] = str(reason)
        return [
            Depth(action, oldest=oldest.get(action), reason=reasons.get(action), **counts)
            for action, counts in sorted(found.items())
        ]

    def left(self, actions: Iterable[str]) -> int:
        """How many events of these actions wait."""
        names = list(actions)
        marks = ",".join("?" * len(names))
        return int(
            str(
                self._asked(f"SELECT COUNT(*) FROM events WHERE status = ? AND action IN ({marks})", [WAITING, *names])[
                    0
                ][0]
            )
        )

    def forget(self) -> None:
        """Forget what was sent or dropped long ago."""
        with self._changing() as database:
            database.execute(
                "DELETE FROM events WHERE status IN (?, ?) AND changed < ?",
                (DELIVERED, DROPPED, self._clock() - REMEMBERED_SECONDS),
            )

    def close(self) -> None:
        """Close it."""
        with self._lock:
            self._database.close()


def read_depths(path: Path | None = None) -> tuple[Depth, ...]:
    """What the outbox holds of each action, by a connection of its own; nothing if there is no outbox.

    Args:
        path: Of the database.

    Raises:
        OutboxError: It cannot be read.
    """
    if not (path or outbox_path()).exists():
        return ()
    outbox = Outbox(path)
    try:
        return tuple(outbox.depths())
    finally:
        outbox.close()


def retraction_of_nothing(outbox: Outbox, action: str, event: Event, on: Sequence[str]) -> bool:
    """Whether an event takes back what the action was never given."""
    return event.state == RETRACTED and MATCHED in on and not outbox.knows(action, event.detection)
