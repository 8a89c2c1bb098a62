"""Which of the files that nobody named themselves may be logs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from logscope.records.documents import DOCUMENT
from logscope.sources.codecs import codec_of
from logscope.sources.encodings import encoding_of
from logscope.sources.files import is_binary

PARQUET = b"PAR1"
"""What a Parquet file begins with."""
_NAMED_AT_MOST = 5
_DOCUMENTS = frozenset(
    [".py", ".md", ".rst", ".toml", ".yml", ".yaml", ".ini", ".cfg", ".html", ".css", ".js", ".ts", ".sh", ".svg"]
)
"""Endings of what lies beside logs and is none."""


@dataclass(slots=True)
class Sieve:
    """Lets files of a folder, a glob or an archive pass, and remembers the others by what they are."""

    binary: list[str] = field(default_factory=list)
    special: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)

    def lets_pass(self, name: str, head: bytes) -> bool:
        """Whether a file may be a log, by its name and its first bytes."""
        if is_binary(head) and codec_of(head) is None and encoding_of(head) is None and not head.startswith(PARQUET):
            self.binary.append(name)
        elif _is_document(name, head):
            self.documents.append(name)
        else:
            return True
        return False

    def said(self, where: str) -> list[str]:
        """A notice for each kind of file that did not pass."""
        kinds = (
            ("binary", self.binary),
            ("special (pipes, sockets, devices)", self.special),
            ("that are documents, not logs (name them to read them)", self.documents),
        )
        return [f"{where}: skipped {len(names)} {what}: {listed(names)}" for what, names in kinds if names]


def listed(names: list[str]) -> str:
    """The first few of names."""
    return ", ".join(names[:_NAMED_AT_MOST]) + (", ..." if len(names) > _NAMED_AT_MOST else "")


def _is_document(name: str, head: bytes) -> bool:
    """Whether a file that nobody named is source code, prose, or one JSON document rather than lines of JSON.

    Such a file beside the logs (a manifest, a list of expected results) would be read as records, and
    the ids in it would tie transactions together that have nothing to do with each other.
    """
    if PurePosixPath(name).suffix.lower() in _DOCUMENTS:
        return True
    first = next((line.strip() for line in head.splitlines() if line.strip()), b"")
    return first in (b"{", b"[") and not DOCUMENT.match(head)
