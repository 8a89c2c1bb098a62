"""Frames by name in one file of our own: checksummed, replaced at once, and if that is wanted on the disk then."""

from __future__ import annotations

import contextlib
import io
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from logscope.records.saving import Saved

_MAGIC = b"logscope frames 1\n"


class DamagedError(ValueError):
    """A file that is none of ours, or torn."""


def write_frames(path: Path, about: Mapping[str, Any], frames: Saved, *, durable: bool = True) -> None:
    """Replace a file: a reader sees the old one whole or the new one.

    Args:
        path: In a folder that exists; `PATH.part` beside it is taken for writing.
        about: What can be written as JSON.
        frames: By name.
        durable: Whether that shall hold after the power failed, too; without it a torn one is told by its checksums.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    part = path.with_name(f"{path.name}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(part, flags, 0o600), "wb") as file:
            file.write(_MAGIC)
            places = []
            for name, frame in frames.items():
                blob = io.BytesIO()
                frame.rechunk().write_ipc(blob, compression="lz4")
                places.append([name, blob.tell(), zlib.crc32(blob.getbuffer())])
                file.write(blob.getbuffer())
            tail = json.dumps({"about": about, "frames": places}).encode()
            file.write(tail + zlib.crc32(tail).to_bytes(4, "big") + len(tail).to_bytes(4, "big"))
            if durable:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
        if durable:
            _settle(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def _settle(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def read_frames(path: Path) -> tuple[dict[str, Any], Saved]:
    """What `write_frames` has written.

    Raises:
        FileNotFoundError: There is none.
        DamagedError: It is not whole, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise DamagedError(f"{type(error).__name__}: {error}") from error


def read_about(path: Path) -> dict[str, Any]:
    """What `write_frames` was given beside the frames; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            about: dict[str, Any] = _tail(file)["about"]
            return about
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _tail(file: io.BufferedReader) -> Any:
    """What stands at the end: `about`, and where the frames are."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise DamagedError("not written by this version")
    file.seek(-8, os.SEEK_END)
    check, length = (int.from_bytes(file.read(4), "big") for _ in range(2))
    file.seek(-8 - length, os.SEEK_END)
    tail = file.read(length)
    if zlib.crc32(tail) != check:
        raise DamagedError("its end is not what was written")
    return json.loads(tail)


def _read(file: io.BufferedReader) -> tuple[dict[str, Any], Saved]:
    told = _tail(file)
    file.seek(len(_MAGIC))
    frames: Saved = {}
    for name, size, crc in told["frames"]:
        blob = file.read(size)
        if zlib.crc32(blob) != crc:
            raise DamagedError(f"{name} is not what was written")
        frames[name] = pl.read_ipc(blob)
    return told["about"], frames
