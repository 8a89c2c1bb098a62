"""Time zones by name: the one asked for, and the machine's."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from logscope.errors import UsageError


def check_zone(name: str) -> None:
    """Refuse a time zone that there is not.

    Raises:
        UsageError: No zone is named so.
    """
    if not _is_zone(name):
        raise UsageError(f"no time zone {name!r}", "--tz", mend="name one as Europe/Berlin or UTC")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def local_zone() -> str:
    """The machine's zone by name, `UTC` if it has none."""
    name = os.environ.get("TZ", "").lstrip(":")
    if name:
        return name if _is_zone(name) else "UTC"
    try:
        target = str(Path("/etc/localtime").resolve())
    except OSError:
        return "UTC"
    _, found, zone = target.partition("zoneinfo/")
    return zone if found else "UTC"
