"""Every folder of the shared data opened: which formats its files get, and what share no format reads."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import polars as pl

from logscope.formats.assignment import FormatSet
from logscope.formats.detect import detect
from logscope.formats.parser import make_parser
from tests.conformance.format_cases import DATA

_TRUTH = ("-expected.json", "_structured.csv", "_templates.csv", ".yml", ".yaml", ".toml", ".sec", ".sr", ".md")
_BYTES = 4 << 20


_CASES = "cases: a log's line is a member of JSON that has no time of its own"
WHY = {
    "aminer": "times are in arrays",
    "beats": "ActiveMQ, Oracle audit files, JSON whose stack traces go over lines",
    "crowdsec": _CASES,
    "eql": "events without a time, and the queries' text",
    "fail2ban": "comments between the lines, and products without a time",
    "grok": _CASES,
    "lnav": "samples that have no time (plain text, TAI64N, a clock without a date, a month in French)",
    "matomo": "directives of W3C logs, and a month written out in brackets",
    "otrf": "events whose times are in texts",
    "panther": _CASES,
    "plaso": "products that have no format: Ivanti, WinCC",
    "rule-vectors": _CASES,
    "sec": "rules, no log",
    "sekoia": _CASES,
    "sigma": "rules and their cases",
    "syslog": _CASES,
    "syslog-oracle": "results for people, no log",
    "trainticket-faults": "ShiViz text without times; its Zipkin files are read",
    "wazuh-ossec": _CASES,
}
"""Why folders hold free text, or records without a time, beyond some lines."""


def lines_of(path: Path) -> list[str] | None:
    """The lines of a log; None if it is none (truth, rules, binary)."""
    if path.name.endswith(_TRUTH):
        return None
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if b"\0" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    return content[:_BYTES].decode(encoding, "replace").removesuffix("\n").split("\n")


def _records(lines: pl.Series, starts: pl.Series) -> pl.Series:
    """Lines joined to records."""
    frame = pl.DataFrame({"line": lines, "record": starts.cum_sum()})
    return frame.group_by("record", maintain_order=True).agg(pl.col("line").str.join("\n")).get_column("line")


def folders(known: FormatSet, *, wrong: bool) -> None:
    """Print a row per folder; with `wrong` also one per file of which a tenth or more is free text."""
    print("| folder | files | formats | records | free text | without a time | why |")
    print("|---|---|---|---|---|---|---|")
    worst: list[str] = []
    for folder in sorted(path for path in DATA.iterdir() if path.is_dir()):
        formats: Counter[str] = Counter()
        files = records = free = untimed = 0
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            lines = lines_of(path)
            if not lines:
                continue
            files += 1
            raw = pl.Series([line.rstrip("\r") for line in lines])
            assignment = detect(known, [line for line in raw.head(2000) if line], name=path.name)
            parser = make_parser(assignment, zone="UTC", reference_us=1_798_675_200_000_000, source_name=path.name)
            index = parser.index(_records(raw, parser.starts(raw)))
            names = index["format"].replace_strict(dict(enumerate(parser.formats)), return_dtype=pl.String)
            formats.update(names.unique().to_list())
            text = int((names == "text").sum())
            records += index.height
            free += text
            untimed += index["time"].null_count()
            if index.height and text / index.height >= 0.1:
                example = next(iter(raw.filter(raw.str.len_bytes() > 0)), "")[:100]
                worst.append(f"{path.relative_to(DATA)}: {text} of {index.height} free text: {example!r}")
        told = ", ".join(f"{name} {count}" for name, count in formats.most_common())
        share = f"{free / records:.1%} | {untimed / records:.1%}" if records else "- | -"
        why = WHY.get(folder.name, "") if not records or max(free, untimed) > records / 50 else ""
        print(f"| {folder.name} | {files} | {told} | {records} | {share} | {why} |")
    if wrong:
        print("\n".join(worst))
