"""Everything a session can be told, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """Options of every command that reads (interface section 1); defaults as there."""

    sources: tuple[str, ...] = ()
    follow: bool = False
    format: tuple[str, ...] = ()
    """`[GLOB=]NAME` each."""
    formats: tuple[str, ...] = ()
    """Files or folders with format definitions."""
    since: str | None = None
    until: str | None = None
    tz: tuple[str, ...] = ()
    """`[GLOB=]ZONE` each."""
    offset: tuple[str, ...] = ()
    """`GLOB=±D` each."""
    encoding: tuple[str, ...] = ()
    """`[GLOB=]NAME` each."""
    show_tz: str | None = None
    rules: tuple[str, ...] = ()
    rule: tuple[str, ...] = ()
    """Sequences in one line."""
    strange_rules: tuple[str, ...] = ()
    """Of `rules` those that a project's file names: their `actions` do not count."""
    memory: int | None = None
    """Bytes."""
    config: str | None = None
    cache: bool = True
    """Keep the index of files on disk, and use what is kept."""
    key: tuple[str, ...] = ()
    """`NAME=REGEX` each."""
    keys: tuple[str, ...] = ()
    auto_keys: bool = True
    grain: str = "auto"
    max_gap: int | None = None
    """Microseconds, as all spans here."""
    max_span: int = 3_600_000_000
    idle: int = 300_000_000
    plan: str | None = None
    remember: bool = False
    """Use the plan found for the same sources before, and keep the one found now."""
    lateness: int = 2_000_000
    max_skew: int = 3_600_000_000
    source_idle: int = 10_000_000
    retain: str | None = None
    """`SIZE` or `AGE` of what listeners' spools keep."""
    stdin_is_pipe: bool = False
    shipped_rules: bool = False
    """Run the shipped rules too (`demo`)."""
    strict: bool = False
    provisional: bool = False
    every: bool = False
    """Correlations tell each time at which their condition holds."""
