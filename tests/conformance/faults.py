"""`stats BAD... --against GOOD...` on minutes with an injected, labelled fault (Nezha, Train Ticket).

A minute's CSV holds what all pods logged; it is split into a file per pod as on a Kubernetes node. Told is
which service comes first among those that fail or became slower, and where the labelled one comes.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from logscope.engine.analysis.differences import Differences
from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from tests.conformance.sigma import SHARED

_NORMAL = "nezha/train-ticket/2023-01-29_0850_normal/08_50_log.csv"
_TOLD = ("failing", "slower")


@dataclass(frozen=True)
class Minute:
    """What is said of one minute."""

    fault: str
    service: str
    minute: str
    named: tuple[str, ...]
    """Services that fail or became slower, the first one first, each with what is said of it."""

    @property
    def place(self) -> int | None:
        """The labelled service's place, from 1."""
        services = [text.split(" ")[0] for text in self.named]
        return services.index(self.service) + 1 if self.service in services else None


def split(paths: Sequence[Path], folder: Path) -> list[Path]:
    """The column Log of Nezha's CSV files as a file per pod, in order of time.

    Args:
        paths: `*_log.csv` or `*_log.csv.gz`.
        folder: Where the files go; it is made.
    """
    pods: dict[str, list[tuple[int, str]]] = {}
    for path in paths:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for row in csv.DictReader(io.StringIO(data.decode(), newline="")):
            pods.setdefault(row["PodName"], []).append((int(row["TimeUnixNano"]), row["Log"].rstrip("\n")))
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for pod, logs in sorted(pods.items()):
        target = folder / f"{pod}.log"
        target.write_text("".join(f"{text}\n" for _, text in sorted(logs, key=lambda entry: entry[0])))
        written.append(target)
    return written


def _minutes() -> Iterator[tuple[dict[str, str], Path]]:
    for line in (SHARED / "data/nezha/labels.jsonl").read_text().splitlines():
        label = json.loads(line)
        for minute in label.get("minutes", ()):
            (path,) = (SHARED / "data" / label["folder"]).glob(f"{minute}_log.csv*")
            yield label, path


def told(bad: Sequence[Path], good: Sequence[Path]) -> tuple[str, ...]:
    """What `stats BAD... --against GOOD...` says of services that fail or became slower, in its order."""
    against = [str(path) for path in good]
    session = Session(Options(sources=(*map(str, bad), *against), remember=False))
    try:
        session.open()
        session.read_all()
        found = Differences(session, against, Cancel()).objects()
        return tuple(
            f"{entry['service']} {entry['difference']}"
            for entry in found
            if entry.get("of") == "service" and entry["difference"] in _TOLD
        )
    finally:
        session.close()


def run(arguments: Sequence[str]) -> int:
    """Compare every faulty minute with the normal one; or split files.

    Args:
        arguments: Nothing, or `--split CSV... FOLDER`.

    Returns:
        0; 1 without data, 2 for wrong usage.
    """
    if arguments:
        if arguments[0] != "--split" or len(arguments) < 3:
            print("usage: python -m tests.conformance faults [--split CSV... FOLDER]")
            return 2
        for path in split([Path(name) for name in arguments[1:-1]], Path(arguments[-1])):
            print(path)
        return 0
    if not (SHARED / "data" / _NORMAL).exists():
        print(f"no data at {SHARED}")
        return 1
    minutes = []
    with TemporaryDirectory(prefix="logscope-") as name:
        folder = Path(name)
        good = split([SHARED / "data" / _NORMAL], folder / "good")
        print("| fault | labelled | minute | its place | what comes first |")
        print("|---|---|---|---|---|")
        for number, (label, path) in enumerate(_minutes()):
            bad = split([path], folder / str(number))
            minute = Minute(label["fault"], label["service"], path.name[:5].replace("_", ":"), told(bad, good))
            first = ", ".join(minute.named[:3]) or "nothing"
            print(
                f"| {minute.fault} | {minute.service} | {minute.minute} | {minute.place or '-'} | {first} |", flush=True
            )
            minutes.append(minute)
    for fault in sorted({minute.fault for minute in minutes}):
        of = [minute for minute in minutes if minute.fault == fault]
        print(f"{fault}: first in {sum(minute.place == 1 for minute in of)} of {len(of)} minutes")
    print(f"all: first in {sum(minute.place == 1 for minute in minutes)} of {len(minutes)} minutes")
    return 0
