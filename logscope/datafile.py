"""Files that somebody else may have written: small, regular, and TOML that cannot exhaust the parser."""

from __future__ import annotations

import errno
import os
import stat
import tomllib
from pathlib import Path
from typing import Any

MOST_BYTES = 4 << 20
"""What is larger is none of the files that logscope is told by: a format with all its samples has some kilobytes."""


def read_small(path: Path, most: int = MOST_BYTES) -> str:
    """The text of a file, which must not be a device or a folder: `/dev/zero` has no end.

    Args:
        path: A regular file, or a pipe that was typed (`<(...)`).
        most: Bytes that it may have.

    Raises:
        OSError: It cannot be read, is a device, or is too large.
        UnicodeDecodeError: It is not UTF-8.
    """
    told = path.stat()
    mode = told.st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(code, os.strerror(code) if stat.S_ISDIR(mode) else "not a regular file")
    with path.open("rb") as file:
        # Room for all that it may have costs more than what a small file holds.
        data = file.read(told.st_size + 1) if 0 < told.st_size <= most else b""
        if not data or len(data) != told.st_size:
            data += file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"larger than {most >> 20} MiB")
    # As Path.read_text does.
    return data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def parse_toml(text: str) -> dict[str, Any]:
    """A TOML document.

    Raises:
        tomllib.TOMLDecodeError: It is none, or is nested deeper than the parser can follow.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise tomllib.TOMLDecodeError("nested too deeply") from None
