"""Large inputs, made of the project's own sample logs: repeated day by day, with fresh ids.

Equal arguments give equal bytes. A sample spans less than a day, so a copy's times are another date
in the same text; ids are replaced alike in all files of a copy, so transactions stay whole and no
two copies share one.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sample_logs import generate

SEEDS = (1, 2, 3, 4)
FIRST_DAY = datetime.date(2024, 1, 1)

_SLOT = re.compile(rb"([0-9a-f]{32}|s-[0-9a-f]{12}|PSP[0-9]{8}|ORD-[0-9]+|2026-11-01|01/Nov/2026)")
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_DONE = "complete"


@dataclass(frozen=True, slots=True)
class Input:
    """Files that a benchmark reads."""

    files: tuple[Path, ...]
    size: int
    """Bytes of all of them."""
    lines: int

    @property
    def arguments(self) -> list[str]:
        """The files as a command takes them."""
        return [str(path) for path in self.files]


def given(paths: Sequence[Path]) -> Input:
    """The user's own files."""
    return Input(tuple(paths), sum(path.stat().st_size for path in paths), sum(map(_lines, paths)))


def shop(folder: Path, *, size: int | None = None, lines: int | None = None) -> Input:
    """The sample shop's nine logs until they have so many bytes or lines in all; made once, then reused.

    Args:
        folder: Where inputs are kept.
        size: Bytes at least.
        lines: Lines at least.
    """
    home = folder / (f"shop-{size}B" if size is not None else f"shop-{lines}L")
    if not (home / _DONE).exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        _write(home, size, lines)
    written, count = (home / _DONE).read_text().split()
    return Input(tuple(sorted(home.glob("*.log"))), int(written), int(count))


def _write(home: Path, size: int | None, lines: int | None) -> None:
    templates = [
        {name: _SLOT.split(text.encode()) for name, text in generate.make(seed).logs.items()} for seed in SEEDS
    ]
    outputs = {name: (home / name).open("wb") for name in templates[0]}
    written = count = 0
    try:
        for day in itertools.count():
            if written >= (size or 0) and count >= (lines or 0):
                break
            slots: dict[bytes, bytes] = {}
            for name, pieces in templates[day % len(templates)].items():
                for slot in pieces[1::2]:
                    if slot not in slots:
                        slots[slot] = _fresh(slot, day)
                copy = pieces.copy()
                copy[1::2] = map(slots.__getitem__, pieces[1::2])
                text = b"".join(copy)
                outputs[name].write(text)
                written += len(text)
                count += text.count(b"\n")
    finally:
        for output in outputs.values():
            output.close()
    (home / _DONE).write_text(f"{written} {count}")


def _fresh(slot: bytes, day: int) -> bytes:
    """What stands in a copy where the sample has an id or a date."""
    if slot == b"2026-11-01":
        return (FIRST_DAY + datetime.timedelta(days=day)).isoformat().encode()
    if slot == b"01/Nov/2026":
        when = FIRST_DAY + datetime.timedelta(days=day)
        return b"%02d/%s/%d" % (when.day, _MONTHS[when.month - 1], when.year)
    if slot.startswith((b"PSP", b"ORD-")):
        return b"%s%04d%s" % (slot[:3], day, slot[3:]) if slot.startswith(b"PSP") else b"ORD-%04d%s" % (day, slot[4:])
    digest = hashlib.blake2b(b"%d " % day + slot, digest_size=16).hexdigest().encode()
    return b"s-" + digest[:12] if slot.startswith(b"s-") else digest


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
