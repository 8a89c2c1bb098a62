"""The command: `python -m sample_logs.generate --seed N [--mask SHARE] [--loss SHARE] --out DIR`."""

from __future__ import annotations

import argparse
import gzip
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sample_logs import checkout, traffic
from sample_logs.model import Order, Outcome, Visit
from sample_logs.shop import LENGTH, SOURCES, START, Shop
from sample_logs.truth import Written, to_json, truth
from sample_logs.wear import Wear
from sample_logs.writers import render

_SHARES = (
    (Outcome.SLOW, 0.03),
    (Outcome.RETRIED, 0.05),
    (Outcome.DECLINED, 0.03),
    (Outcome.CANCELLED, 0.02),
)
_SILENT_SHARE, _SILENT_LEAST = 0.015, 5


@dataclass(frozen=True, slots=True)
class Sample:
    """A finished sample, in memory."""

    logs: dict[str, str]
    """Text of each log by its file name."""
    truth: str
    """Text of `truth.json`."""


def make(seed: int, *, mask: float = 0.0, loss: float = 0.0, ending: str = ".log") -> Sample:
    """Make a sample.

    Args:
        seed: Equal seeds give equal samples, byte for byte.
        mask: Share of the records with two or more ids that keep only one, 0 to 1.
        loss: Share of all records that are not written, 0 to 1.
        ending: Of the logs' file names.
    """
    shop = Shop(seed)
    orders = _orders(shop, traffic.visits(shop))
    for order in orders:
        checkout.tell(shop, order)
    traffic.attack(shop)
    traffic.background(shop)
    # What is under way when the hour is over is not written; no order is.
    entries = [e for e in shop.entries if e.order is not None or e.time < START + LENGTH]
    entries.sort(key=lambda entry: entry.time)
    wear = Wear(seed, mask, loss)
    lines: dict[str, list[str]] = {source: [] for source in SOURCES}
    written: list[Written] = []
    for entry in entries:
        text = wear.masked(render(entry))
        if wear.loses():
            continue
        log = lines[entry.source]
        written.append(Written(entry, entry.source + ending, len(log) + 1))
        log.extend(text.split("\n"))
    logs = {source + ending: "".join(f"{line}\n" for line in log) for source, log in lines.items()}
    return Sample(logs, to_json(truth(seed, mask, loss, orders, written)))


def write(sample: Sample, folder: Path) -> None:
    """Write a sample into a folder, which is made if need be; logs named `.gz` are compressed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in sample.logs.items():
        content = text.encode()
        # A time in the header would make equal samples differ.
        (folder / name).write_bytes(gzip.compress(content, 9, mtime=0) if name.endswith(".gz") else content)
    (folder / "truth.json").write_text(sample.truth, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What is typed after its name; by default the process's own.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m sample_logs.generate", description=__doc__)
    parser.add_argument("--seed", type=int, required=True, help="equal seeds give equal logs")
    parser.add_argument(
        "--mask", type=_share, default=0.0, metavar="SHARE", help="of records that lose all ids but one"
    )
    parser.add_argument("--loss", type=_share, default=0.0, metavar="SHARE", help="of records that are not written")
    parser.add_argument("--gzip", action="store_true", help="write NAME.log.gz, as shipped")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the logs and truth.json go")
    given = parser.parse_args(arguments)
    sample = make(given.seed, mask=given.mask, loss=given.loss, ending=".log.gz" if given.gzip else ".log")
    try:
        write(sample, given.out)
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return 1
    return 0


def _orders(shop: Shop, checkouts: Sequence[tuple[int, Visit]]) -> list[Order]:
    """The orders to be told, in the order of their start, with their outcomes dealt out."""
    orders = [Order(shop.new_order(), visit, start, Outcome.SETTLED) for start, visit in checkouts]
    deck = list(orders)
    shop.chance.shuffle(deck)
    for outcome, share in _SHARES:
        for _ in range(round(share * len(orders))):
            deck.pop().outcome = outcome
    begun = sum(order.outcome not in {Outcome.DECLINED, Outcome.CANCELLED} for order in orders)
    for _ in range(max(_SILENT_LEAST, round(_SILENT_SHARE * begun))):
        deck.pop().outcome = Outcome.SILENT
    return orders


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share: give a number from 0 to 1")
    return share


if __name__ == "__main__":
    sys.exit(main())
