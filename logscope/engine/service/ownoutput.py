"""Own output that comes back in: recognised before it is sent round again."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from logscope.actions.file import FileSender
from logscope.actions.syslog import SyslogSender
from logscope.errors import LogscopeError, UsageError
from logscope.records import schema
from logscope.sources.urls import LISTENERS, parse_address, scheme_of

if TYPE_CHECKING:
    from logscope.actions.settings import Action
    from logscope.engine.answers import Detection
    from logscope.engine.session import Session

_LOOKED_AT = 64
"""Records of a detection that are looked at."""


class OwnOutput:
    """Knows what the actions of a session write.

    Args:
        session: Reads the sources.
        actions: Write.
        origin: Stands in every message that is forwarded by syslog.
    """

    def __init__(self, session: Session, actions: Iterable[Action], origin: str) -> None:
        """Remember where the actions write to."""
        self._session = session
        senders = [action.sender for action in actions]
        self._files = {sender.path.resolve() for sender in senders if isinstance(sender, FileSender)}
        self._mark = f'origin="{origin}"' if any(isinstance(sender, SyslogSender) for sender in senders) else None
        self._own_source: dict[str, bool] = {}

    def of(self, detections: Sequence[Detection]) -> set[str]:
        """The ids of detections that stand on own output."""
        found = {
            one.detection for one in detections if any(self._is_own(step["source"]) for step in one.steps.values())
        }
        if self._mark is None:
            return found
        rows = {one.detection: self._rows(one) for one in detections}
        wanted = sorted({row for each in rows.values() for row in each})
        lines = self._session.lines_of(pl.Series(schema.ROW, wanted, dtype=pl.UInt32))
        marked = {line.row for line in lines if self._mark in line.raw}
        return found | {name for name, each in rows.items() if not marked.isdisjoint(each)}

    @staticmethod
    def _rows(detection: Detection) -> list[int]:
        stepped = [int(step["row"]) for step in detection.steps.values() if step.get("row") is not None]
        return [*stepped, *detection.rows][:_LOOKED_AT]

    def _is_own(self, source: str) -> bool:
        if source not in self._own_source:
            self._own_source[source] = bool(self._files) and Path(source).resolve() in self._files
        return self._own_source[source]


def refuse_loops(session: Session, actions: Mapping[str, Action]) -> None:
    """Refuse an action that writes where the session reads.

    Raises:
        UsageError: With the action and the source.
    """
    sources = session.loading.sources
    files = {source.spec.path.resolve(): source.name for source in sources if source.spec.path is not None}
    listeners = [source.name for source in sources if scheme_of(source.name) in LISTENERS]
    for action in actions.values():
        sender = action.sender
        if isinstance(sender, FileSender) and (name := files.get(sender.path.resolve())):
            raise _loop(action, name, "let it write elsewhere, or leave that source out")
        if isinstance(sender, SyslogSender):
            for name in listeners:
                if _reaches(sender, name):
                    raise _loop(action, name, "let it send elsewhere")


def _loop(action: Action, source: str, mend: str) -> LogscopeError:
    return UsageError(f"the action {action.name} writes into {source}, which is read here", mend=mend)


def _reaches(sender: SyslogSender, url: str) -> bool:
    address = parse_address(url)
    host, port = sender.address
    datagrams = sender.target.startswith("syslog+udp"), address.transport == "udp"
    if address.transport == "unix" or address.port != port or datagrams[0] != datagrams[1]:
        return False
    return host == address.host or (_is_here(host) and _is_here(address.host))


def _is_here(host: str) -> bool:
    """Whether an address is this machine's for sure: a loopback one, or any."""
    if host in ("localhost", ""):
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    return found.is_loopback or found.is_unspecified
