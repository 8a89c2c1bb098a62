"""What a format is, as frozen data: the TOML file's content, checked, without behaviour.

Owns the words of a format definition. Knows nothing of lines, frames or how a format is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = ("regex", "json", "logfmt", "columns", "wrapper", "docker", "rfc5424", "rfc3164", "csv", "text")
"""How a format is read; `regex` is the one that users write."""

COLUMNS = ("time", "level", "host", "service", "pid", "message")
"""Captures with these names become the record's own columns, all others fields."""

FIELD_TYPES = ("string", "int", "float")

KEY_CLASSES = ("strong", "scoped", "weak")


@dataclass(frozen=True, slots=True)
class Sample:
    """A line and what must come out of it."""

    line: str
    """A whole record; lines of a stack trace joined by LF."""
    expect: Mapping[str, str | int | float | bool]
    """Column (`time` as ISO 8601 UTC, `level` by name) or `fields.NAME` to value; `format` if another one takes it."""


@dataclass(frozen=True, slots=True)
class FormatKey:
    """A correlation key that a format declares."""

    name: str
    field: str
    """The field that holds it."""
    key_class: str
    """strong, scoped or weak."""


@dataclass(frozen=True, slots=True)
class Part:
    """Further fields that a field's value holds."""

    field: str
    """Whose value it is."""
    regex: str
    """Finds the groups in the value (Rust)."""
    groups: tuple[str, ...]
    """Names of the further fields."""


@dataclass(frozen=True, slots=True)
class Format:
    """One way in which lines become records."""

    name: str
    kind: str
    """One of `KINDS`."""
    title: str
    """A few words for people: what writes such lines."""
    where: str
    """The file that defines it."""
    order: int = 50
    """Specific formats first: lower wins where two match the same lines."""
    patterns: tuple[str, ...] = ()
    """Rust regexes anchored at the line's start, with named groups; the first that matches a line reads it."""
    quick: str = ""
    """Of a single pattern: a narrower regex that finds the same groups faster (see `patterns.Pattern.quick`)."""
    multiline: bool = False
    """A line that no format of the source matches continues the record before it."""
    joins: bool = False
    """Of a wrapper around what one program writes: lines are joined to records by what they hold, as in its own file."""
    goes_on: str = ""
    """A regex of lines behind which the record goes on, whatever the next line is; what its group captures, if it has
    one, has to stand in the next line too. Heeded where the sample has such a line."""
    alone: bool = False
    """What has lines of it holds nothing else: lines that look like another format's are part of its records."""
    inner_only: bool = False
    """Tried on what a wrapper (syslog, docker) holds, never on a file's own lines."""
    inside: bool = True
    """Tried on what the wrappers of a listener's messages hold, where no sample can tell which formats occur."""
    needs: tuple[str, ...] = ()
    """Texts one of which stands in every line: a sample without any of them needs no regex to be told apart."""
    members: tuple[str, ...] = ()
    """json: members that every object has, by the names as they are written."""
    header: str = ""
    """columns: a regex of the line that names the columns, in a group `names`."""
    separator: str = " "
    """columns: what stands between two values."""
    renames: Mapping[str, str] = field(default_factory=dict)
    """columns: names of the header to names of columns and fields; `date` and `time` together are the time."""
    pairs: str = ""
    """How a record's further pairs are written: a regex with the groups `name` and `value`, or `spaced`, values that
    go on to the next name; empty: `name=value` as `keyvalue` has it."""
    zone: str = ""
    """IANA zone of times that name none, where what writes the lines always uses one; empty: the source's."""
    layouts: tuple[str, ...] = ()
    """strptime layouts of `time` beyond the well-known ones, as Polars reads them."""
    levels: Mapping[str, str] = field(default_factory=dict)
    """Words of `level` beyond the usual ones."""
    service: str | None = None
    """The service of each record that names none itself."""
    status_levels: str | None = None
    """The field that holds an HTTP status: 5xx is error, 4xx warn, else info."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Captured fields that are numbers: `int` or `float`."""
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Column to names of members, pairs or groups it is taken from; the first present one wins."""
    parts: tuple[Part, ...] = ()
    """What the values of fields hold; a field that the record has itself wins, then the first part that gives it."""
    keys: tuple[FormatKey, ...] = ()
    samples: tuple[Sample, ...] = ()
