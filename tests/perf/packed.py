"""Compressed files and archives: how much text a second comes out of each, before and with indexing."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import lz4.frame
from backports import zstd

from tests.perf.commands import files_of
from tests.perf.measuring import Figure, Settings, as_bytes, as_seconds, job, logscope, median_of

_MOST = 64 << 20
"""Bytes of text in each file: bzip2 and xz take their time."""
_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, 6),
    "bz2": lambda data: bz2.compress(data, 9),
    "xz": lambda data: lzma.compress(data, preset=1),
    "zst": lambda data: zstd.compress(data, 3),
    "lz4": lz4.frame.compress,
}


def packed(settings: Settings) -> Iterator[Figure]:
    """Each compression by itself, and `stats` on a zip and a compressed tar of the same text."""
    files = files_of(settings)
    largest = max(files.files, key=lambda path: path.stat().st_size)
    with largest.open("rb") as file:
        text = file.read(min(_MOST, settings.size))
    folder = settings.data / "packed"
    folder.mkdir(parents=True, exist_ok=True)
    for kind, pack in _PACKERS.items():
        path = folder / f"shop.log.{kind}"
        path.write_bytes(pack(text))
        _, result = job("unpack", path=str(path))
        yield Figure(
            f"{kind}, {as_bytes(len(text))} of text in {as_bytes(path.stat().st_size)}",
            "logscope sources",
            f"{len(text) / result['unpack'] / 1e6:.0f} MB/s",
            f"{result['unpack_cpu']:.2f} s",
        )
    for path in _archives(folder, text):
        done = median_of(settings.repeat, lambda path=path: logscope("stats", "--json", "--no-cache", str(path)))
        yield Figure(
            f"{path.name}, {as_bytes(len(text))} of text, indexed",
            "logscope stats",
            as_seconds(done.seconds),
            f"{done.cpu:.1f} s",
            as_bytes(done.memory),
            note="" if not done.code else f"ended with {done.code}",
        )


def _archives(folder: Path, text: bytes) -> Iterator[Path]:
    plain = folder / "shop.log"
    plain.write_bytes(text)
    with zipfile.ZipFile(folder / "shop.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(plain, "shop.log")
    with tarfile.open(folder / "shop.tar.gz", "w:gz", compresslevel=6) as tar:
        tar.add(plain, "shop.log")
    yield from (plain, folder / "shop.zip", folder / "shop.tar.gz")
