"""`stats BAD... --against GOOD...` on minutes with an injected, labelled fault (Nezha, Train Ticket).

Beside what is told stands what the labelled service's own records show: its transactions, those with an error of
its own, and how long it is busy in them, so that one can see where nothing could be told.

A minute's CSV holds what all pods logged; it is split into a file per pod as on a Kubernetes node. Told is
which service comes first among those that fail, leave a step out or became slower, and where the labelled one comes.
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

import polars as pl

from logscope.engine.analysis.differences import Differences
from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from tests.conformance.sigma import SHARED

_NORMAL = "nezha/train-ticket/2023-01-29_0850_normal/08_50_log.csv"
_TOLD = ("failing", "incomplete", "slower")


@dataclass(frozen=True)
class Minute:
    """What is said of one minute."""

    fault: str
    service: str
    minute: str
    named: tuple[str, ...]
    """Services that fail, leave a step out or became slower, the first one first, each with what is said of it."""
    own: str
    """What the labelled service's own records show, and in the normal minute."""

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


def told(bad: Sequence[Path], good: Sequence[Path], labelled: str = "") -> tuple[tuple[str, ...], str]:
    """What `stats BAD... --against GOOD...` says of services, in its order, and what the labelled one's records show."""
    against = [str(path) for path in good]
    session = Session(Options(sources=(*map(str, bad), *against), remember=False))
    try:
        session.open()
        session.read_all()
        differences = Differences(session, against, Cancel())
        said = tuple(
            f"{entry['service']} {entry['difference']}"
            for entry in differences.objects()
            if entry.get("of") == "service" and entry["difference"] in _TOLD
        )
        return said, _own(differences.placed, labelled)
    finally:
        session.close()


def _own(placed: pl.DataFrame, service: str) -> str:
    """Transactions, those with an error, median and 95 % of the time that a service is busy: here, then normally."""
    each = (
        placed.filter(pl.col("service") == service)
        .group_by("number", "mine")
        .agg(error=pl.col("error").any(), span=(pl.col("at").max() - pl.col("at").min()) / 1000)
    )
    sides = []
    for mine in (True, False):
        part = each.filter(pl.col("mine") == mine)
        spans = [part["span"].quantile(share, "nearest") or 0.0 for share in (0.5, 0.95)]
        sides.append(f"{part.height}, {part['error'].sum()} err, {spans[0]:.0f}/{spans[1]:.0f} ms")
    return " (".join(sides) + ")"


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
        print("| fault | from | labelled | minute | its place | what comes first | its own records (normally) |")
        print("|---|---|---|---|---|---|---|")
        for number, (label, path) in enumerate(_minutes()):
            bad = split([path], folder / str(number))
            named, own = told(bad, good, label["service"])
            minute = Minute(label["fault"], label["service"], path.name[:5].replace("_", ":"), named, own)
            first = ", ".join(minute.named[:3]) or "nothing"
            print(
                f"| {minute.fault} | {label['injected_at'][11:19]} | {minute.service} | {minute.minute} "
                f"| {minute.place or '-'} | {first} | {minute.own} |",
                flush=True,
            )
            minutes.append(minute)
    for fault in sorted({minute.fault for minute in minutes}):
        of = [minute for minute in minutes if minute.fault == fault]
        print(f"{fault}: first in {sum(minute.place == 1 for minute in of)} of {len(of)} minutes")
    print(f"all: first in {sum(minute.place == 1 for minute in minutes)} of {len(minutes)} minutes")
    return 0
