"""Discovery and linking against truth, by the path that the commands take.

Per set: was the key that the truth is made of found, its class and its place in the list; precision,
recall and F1 over pairs of records with that key named as the grain, with plain components, and with
no option at all; what was chosen and why.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.errors import LogscopeError
from tests.conformance.logsets import LARGE, SETS, LogSet, Truth, made_by
from tests.conformance.pairs import Agreement, agreement
from tests.conformance.sigma import SHARED

WANTED = 0.98
"""F1 with no option, as far as ids in the text tell."""


@dataclass(frozen=True)
class Measured:
    """What came out for one set."""

    name: str
    records: int
    key: str
    """The key that holds the truth's values, its class and its rank; `-` if none does."""
    named: Agreement | None
    plain: Agreement | None
    auto: Agreement | None
    told: Agreement | None
    """As `auto`; of the pairs that belong together only those that ids in the text can tell count."""
    grain: str
    why: str
    seconds: float
    """Processor seconds of finding the plan."""
    named_only: bool


def measure(name: str, logs: LogSet) -> Measured:
    """Run a session over a set and compare."""
    session = Session(Options(sources=logs.sources))
    try:
        session.open()
        session.read_all()
        begin = time.process_time()
        session.correlating.prepare(cancel=Cancel())
        seconds = time.process_time() - begin
        session.prepare_keys(cancel=Cancel())
        records = _records(session)
        grain, why = session.grain()
        if logs.truth is None:
            return Measured(name, records.height, "-", None, None, None, None, grain, why, seconds, False)
        truth = _table(records, logs.truth)
        auto = agreement(_members(session), truth)
        told = auto
        if logs.told is not None:
            told = Agreement(auto.precision, agreement(_members(session), _table(records, logs.told)).recall)
        key, words = _true_key(session, truth)
        named = agreement(_members(session, key), truth) if key is not None else None
        plain = agreement(_members(session, "none"), truth)
        return Measured(name, records.height, words, named, plain, auto, told, grain, why, seconds, logs.named_only)
    finally:
        session.close()


def _records(session: Session) -> pl.DataFrame:
    view = session.store.view
    rows = session.store.ordered(view)
    return session.frames.rows_bulk(rows, view, ["source", "line", "raw"])


def _table(records: pl.DataFrame, truth: Truth) -> pl.DataFrame:
    return records.select("row", truth=truth(records)).drop_nulls()


def _members(session: Session, grain: str | None = None) -> pl.DataFrame:
    if grain is not None:
        session.set_grain(grain)
        session.prepare_keys(cancel=Cancel())
    return session.correlating.members()


def _true_key(session: Session, truth: pl.DataFrame) -> tuple[str | None, str]:
    """The key most of whose values say what the truth says, with class and rank."""
    plan = session.correlating.plan
    assert plan is not None
    wanted = truth.select("row", pl.col("truth").str.extract(r"([^:]+)$", 1).alias("value"))
    best, share = None, 0.0
    for key in plan.keys:
        held = session.correlating.key_values(key.name).select("row", "value").unique()
        part = held.join(wanted, on=["row", "value"], how="semi").get_column("row").n_unique() / max(wanted.height, 1)
        if part > share:
            best, share = key, part
    if best is None or share < 0.3:
        return None, "not found"
    rank = [key.name for key in plan.keys if key.links].index(best.name) + 1 if best.links else 0
    return (best.name if best.links else None), f"{best.name} {best.klass} {rank or 'off'}"


def run(arguments: Sequence[str]) -> int:
    """Measure all sets, or those named after `--only`, and print the table.

    Returns:
        0, or 1 if a set with truth falls below `WANTED`.
    """
    if not SHARED.is_dir():
        print(f"no data at {SHARED}")
        return 1
    only = [name for name in arguments if not name.startswith("-")]
    makers = {name: made_by(name) for name in only or [name for name in SETS if name not in LARGE]}
    unknown = [name for name, maker in makers.items() if maker is None]
    if unknown:
        print(f"no set {', '.join(unknown)}; known: {', '.join(SETS)}, and sample-N[-masked] of any seed")
        return 2
    print(
        "| set | records | true key, class, rank | named P R F1 | plain F1 | no option P R F1 | F1 where told | CPU s | grain |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    short = []
    whys = []
    for name, maker in makers.items():
        assert maker is not None
        with TemporaryDirectory(prefix="logscope-") as folder:
            try:
                found = measure(name, maker(Path(folder)))
            except LogscopeError as error:
                print(f"| {name} | {error} |")
                short.append(name)
                continue
        print(_row(found), flush=True)
        whys.append(f"{name}: {found.grain}: {found.why}")
        judged = found.named if found.named_only else found.told
        if judged is not None and judged.f1 < WANTED:
            short.append(name)
    print("\n" + "\n".join(whys))
    if short:
        print(f"\nbelow {WANTED}: {', '.join(short)}")
    return 1 if short else 0


def _row(found: Measured) -> str:
    named, auto = (_three(each) for each in (found.named, found.auto))
    plain, told = (f"{each.f1:.3f}" if each else "-" for each in (found.plain, found.told))
    return (
        f"| {found.name} | {found.records:,} | {found.key} | {named} | {plain} | {auto} | {told} "
        f"| {found.seconds:.1f} | {found.grain} |"
    )


def _three(found: Agreement | None) -> str:
    return f"{found.precision:.3f} {found.recall:.3f} {found.f1:.3f}" if found else "-"
