"""Log sets with the truth about them: real ones (shared data), amplified ones, generated ones."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sample_logs import generate
from tests.conformance.sigma import SHARED

DATA = SHARED / "data"
Truth = Callable[[pl.DataFrame], pl.Series]
"""From `source`, `line`, `raw` of all records to the transaction each belongs to (null: none known)."""


@dataclass(frozen=True)
class LogSet:
    """Sources and what is true about them."""

    sources: tuple[str, ...]
    truth: Truth | None
    """None: the log holds nothing that could be told right or wrong."""
    named_only: bool = False
    """The truth is that of a finer or coarser key than the grain: judged by that key named."""
    told: Truth | None = None
    """The part of its transaction that a record's text ties it to, where ids are masked; None: all of it."""


def by_regex(pattern: str) -> Truth:
    """The truth stands in every record's own text."""
    return lambda records: records.get_column("raw").str.extract(pattern, 1)


def _by_lines(places: Mapping[tuple[str, int], str]) -> Truth:
    """The truth is told by file name and line."""
    table = pl.DataFrame(
        [(name, line, truth) for (name, line), truth in places.items()],
        schema={"name": pl.String, "line": pl.UInt64, "truth": pl.String},
        orient="row",
    )

    def found(records: pl.DataFrame) -> pl.Series:
        named = records.select(name=pl.col("source").str.extract(r"([^/]+)$", 1), line=pl.col("line").cast(pl.UInt64))
        return named.join(table, on=["name", "line"], how="left", maintain_order="left").get_column("truth")

    return found


def _beside_csv(csv: Path) -> Truth:
    """Nezha's pods: one file per pod, the truth is the column TraceID of the CSV they were cut from."""
    table = pl.read_csv(csv, columns=["TraceID", "Log"], infer_schema=False)
    table = table.with_columns(pl.col("Log").str.strip_chars()).unique(subset=["Log"], keep="none")

    def found(records: pl.DataFrame) -> pl.Series:
        texts = records.select(Log=pl.col("raw").str.strip_chars())
        return texts.join(table, on="Log", how="left", maintain_order="left").get_column("TraceID")

    return found


def _amplified(
    folder: Path, preset: str, inputs: list[Path], *, mask: float, size: str = "8M", more: tuple[str, ...] = ()
) -> LogSet:
    """A sample made larger by `amplify.py`, with lost records and clocks that disagree."""
    command = [
        sys.executable, str(SHARED / "tools" / "amplify.py"), "--preset", preset, "--size", size, "--layout", "split",
        "--mask-key", str(mask), "--loss", "0.01", "--skew-ms", "40", "--out", str(folder), *more, *map(str, inputs),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    places: dict[tuple[str, int], str] = {}
    ids: dict[str, list[str]] = {}
    for text in (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(text)
        name = f"{entry['transaction']}:{entry['key']}"
        ids[name] = [value for value in entry["ids"] if len(value) >= 4]
        for file, lines in entry["lines"].items():
            places.update({(Path(file).name.removesuffix(".log") + ".log", line): name for line in lines})
    truth = _by_lines(places)
    table = pl.DataFrame({"truth": list(ids), "id": list(ids.values())}, schema_overrides={"id": pl.List(pl.String)})
    table = table.explode("id", empty_as_null=True).drop_nulls()

    def held(records: pl.DataFrame) -> pl.DataFrame:
        rows = records.select("raw", truth=truth(records)).with_row_index("at")
        pairs = rows.join(table, on="truth").filter(pl.col("raw").str.contains(pl.col("id"), literal=True))
        return pairs.select("at", "truth", "id")

    return LogSet((str(folder / "*.log"),), truth, told=_parts(truth, held))


def _parts(truth: Truth, held: Callable[[pl.DataFrame], pl.DataFrame]) -> Truth:
    """Transactions cut into what shared ids hold together: what is masked beyond recognition is apart.

    Args:
        truth: The transactions.
        held: Of the records, the ids of their transaction that each one's text shows: `at`, `truth`, `id`.
    """

    def found(records: pl.DataFrame) -> pl.Series:
        names = truth(records)
        parent: dict[object, object] = {}

        def root(node: object) -> object:
            while parent.setdefault(node, node) != node:
                parent[node] = parent[parent[node]]
                node = parent[node]
            return node

        for at, name, value in held(records).iter_rows():
            parent[root(at)] = root((name, value))
        parts = [None if name is None else f"{name}|{root(at)}" for at, name in enumerate(names)]
        return pl.Series(parts, dtype=pl.String)

    return found


def _generated(folder: Path, seed: int, *, mask: float = 0.0, loss: float = 0.0) -> LogSet:
    """The sample logs of a seed."""
    generate.write(generate.make(seed, mask=mask, loss=loss), folder)
    told = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["transactions"]
    places = {(place["source"], place["line"]): order for order, found in told.items() for place in found}
    truth = _by_lines(places)

    def held(records: pl.DataFrame) -> pl.DataFrame:
        rows = records.select("raw", truth=truth(records)).with_row_index("at").drop_nulls()
        return (
            rows.select("at", "truth", id=pl.col("raw").str.extract_all(_SAMPLE_IDS))
            .explode("id", empty_as_null=True)
            .drop_nulls()
        )

    return LogSet((str(folder / "*.log"),), truth, told=_parts(truth, held) if mask or loss else None)


def _nezha(*names: str) -> Callable[[Path], LogSet]:
    def made(_: Path) -> LogSet:
        base = DATA / "nezha" / names[0]
        csv = base / names[1]
        return LogSet((str(base / names[2]),), _beside_csv(csv))

    return made


def _files(truth: Truth | None, *globs: str, named_only: bool = False) -> Callable[[Path], LogSet]:
    return lambda _: LogSet(
        tuple(str(path) for glob in globs for path in sorted(DATA.glob(glob)) if path.stat().st_size), truth, named_only
    )


_SAMPLE_IDS = r"\b(?:ORD-\d+|PSP\w+|[0-9a-f]{32})\b"
_TT = "train-ticket/2023-01-29_"
_CSV_TRACE = by_regex(r"^[^,]*,\d+,[^,]*,[^,]*,[^,]*,([0-9a-f]{32}),")
_SKYWALKING = r"\[SW_CTX:\[[^,\]]*,[^,\]]*,([0-9a-f]{32}\.[\d.]+),"
_SEGMENT = r"\[SW_CTX:\[[^,\]]*,[^,\]]*,[^,\]]*,([0-9a-f]{32}\.[\d.]+),"
_INSTANCE = r"(?:\[instance: |servers/)([0-9a-f-]{36})"
_DEEP = ("deeptralog/*/*/*raw_log*",)


def _deep(part: str) -> list[Path]:
    return sorted(DATA.glob(part))


SETS: dict[str, Callable[[Path], LogSet]] = {
    "sample-1": lambda folder: _generated(folder, 1),
    "sample-2": lambda folder: _generated(folder, 2),
    "sample-3": lambda folder: _generated(folder, 3),
    "sample-1-masked": lambda folder: _generated(folder, 1, mask=0.3, loss=0.01),
    "sample-2-masked": lambda folder: _generated(folder, 2, mask=0.3, loss=0.01),
    "sample-3-masked": lambda folder: _generated(folder, 3, mask=0.5, loss=0.02),
    "nezha-boutique": _nezha("online-boutique/2022-08-22_0519", "05_19_log.csv", "05_19_pods/*"),
    "nezha-0850": _nezha(_TT + "0850_normal", "08_50_log.csv", "08_50_pods/*"),
    "nezha-0925": _nezha(_TT + "0925_exception_ts-basic-service", "09_25_log.csv", "09_25_pods/*"),
    "nezha-csv": _files(_CSV_TRACE, "nezha/train-ticket/*/*_log.csv*"),
    "deeptralog": _files(by_regex(_SKYWALKING), *_DEEP),
    "deeptralog-segment": _files(by_regex(_SEGMENT), *_DEEP, named_only=True),
    "deeptralog-F06": _files(by_regex(_SKYWALKING), "deeptralog/F06/*/*raw_log*"),
    "deeptralog-F08": _files(by_regex(_SKYWALKING), "deeptralog/F08/*/*raw_log*"),
    "gaia": _files(None, "gaia/*.log.gz"),
    "zeek": _files(by_regex(r"\t(C[0-9A-Za-z]{14,18})\t"), "zeek/zeek-default/*.log*"),
    "trainticket-faults": _files(by_regex(r"\btraceId=([0-9a-f]{16}),"), "trainticket-faults/*/shiviz/**/*.txt"),
    "openstack-gate": _files(None, "openstack-gate/other/*"),
    "openstack": _files(by_regex(_INSTANCE), "loghub/OpenStack/*_2k.log"),
    "openssh": _files(by_regex(r"sshd\[(\d+)\]"), "loghub/OpenSSH/*_2k.log"),
    "hdfs": _files(None, "loghub/HDFS/*_2k.log"),
    "kafka": _files(None, "kafka-cluster/*/*"),
    "aminer": _files(None, "aminer/aminer.log.gz", "aminer/Security*.log"),
    "amp-nezha": lambda folder: _amplified(
        folder, "nezha", [DATA / "nezha" / (_TT + "0850_normal") / "08_50_log.csv"], mask=0.3
    ),
    "amp-boutique": lambda folder: _amplified(
        folder, "nezha", [DATA / "nezha/online-boutique/2022-08-22_0519/05_19_log.csv"], mask=0.3
    ),
    "amp-deeptralog": lambda folder: _amplified(folder, "skywalking", _deep("deeptralog/F0[58]/*/*raw_log*"), mask=0.3),
    "amp-openstack": lambda folder: _amplified(folder, "openstack", _deep("loghub/OpenStack/*_2k.log"), mask=0.3, more=("--key", _INSTANCE)),
    "amp-openssh": lambda folder: _amplified(folder, "sshd", _deep("loghub/OpenSSH/*_2k.log"), mask=0.0),
    "amp-nezha-100M": lambda folder: _amplified(
        folder, "nezha", _deep("nezha/train-ticket/*/*_log.csv*"), mask=0.3, size="100M"
    ),
}  # fmt: skip
"""How to make each set, by name; given a folder to write into."""

LARGE = frozenset(["amp-nezha-100M"])
"""Measured only when named."""


def made_by(name: str) -> Callable[[Path], LogSet] | None:
    """How to make a set: one of SETS, or `sample-N` and `sample-N-masked` of any seed; None: no such name."""
    found = re.fullmatch(r"sample-(\d+)(-masked)?", name)
    if name in SETS or found is None:
        return SETS.get(name)
    lossy = {"mask": 0.3, "loss": 0.01} if found[2] else {}
    return lambda folder: _generated(folder, int(found[1]), **lossy)
