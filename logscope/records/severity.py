"""Levels: OpenTelemetry's six short names, as numbers that compare.

Sources: OpenTelemetry log data model, "Mapping of SeverityNumber" and appendix B (syslog), RFC 5424
section 6.2.1 (severities 0 to 7).
"""

from __future__ import annotations

LEVELS: tuple[str, ...] = ("trace", "debug", "info", "warn", "error", "fatal")
"""Names in ascending order; the number of a level is its place here plus 1, 0 is "no level"."""

NONE, TRACE, DEBUG, INFO, WARN, ERROR, FATAL = range(7)

SYSLOG: tuple[int, ...] = (FATAL, FATAL, FATAL, ERROR, WARN, INFO, INFO, DEBUG)
"""Level of syslog severity 0 (emerg) to 7 (debug)."""

SYSLOG_NAMES: tuple[str, ...] = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")

NAMES: dict[str, int] = {
    **{name: number for number, name in enumerate(LEVELS, start=1)},
    "verbose": TRACE, "finest": TRACE, "finer": TRACE, "all": TRACE, "trc": TRACE, "vrb": TRACE,
    "fine": DEBUG, "dbg": DEBUG, "config": DEBUG, "debug1": DEBUG, "debug2": DEBUG, "debug3": DEBUG,
    "information": INFO, "inf": INFO, "notice": INFO, "log": INFO, "audit": INFO, "normal": INFO, "ok": INFO,
    "warning": WARN, "wrn": WARN, "caution": WARN,
    "err": ERROR, "eror": ERROR, "severe": ERROR, "failure": ERROR, "fail": ERROR,
    "critical": FATAL, "crit": FATAL, "alert": FATAL, "emerg": FATAL, "emergency": FATAL,
    "panic": FATAL, "ftl": FATAL, "dpanic": FATAL,
    "t": TRACE, "v": TRACE, "d": DEBUG, "i": INFO, "w": WARN, "e": ERROR, "f": FATAL, "c": FATAL,
}  # fmt: skip
"""What is read as a level, in lower case."""


def level_number(name: str) -> int | None:
    """The number of a level by any of its names, letter case ignored; None if it is none."""
    return NAMES.get(name.strip().lower())


def level_name(number: int) -> str | None:
    """The name of a level's number; None for 0."""
    return LEVELS[number - 1] if 1 <= number <= len(LEVELS) else None
