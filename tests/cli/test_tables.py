"""Tables on the command line: the same records as CSV and as JSON lines give the same."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command

ROWS: list[dict[str, Any]] = [
    {
        "time": f"2026-11-01T10:{number // 60:02d}:{number % 60:02d}.000000Z",
        "level": ("info", "warn", "error")[number % 3],
        "service": ("orders", "payments")[number % 2],
        "message": ("charge begin", "psp response,\nin two lines", 'charge "settled"')[number % 3],
        "order_id": f"ORD-{number // 3}",
        "amount": number * 5,
    }
    for number in range(300)
]


def as_csv(path: Path, rows: list[dict[str, Any]] = ROWS, **how: str) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n", **how)  # type: ignore[arg-type]
        writer.writeheader()
        writer.writerows(rows)
    return path


def as_json_lines(path: Path) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def without_place(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in each.items() if name not in ("source", "line", "raw", "format")}
        for each in objects
    ]


@pytest.mark.parametrize(
    "arguments",
    [("query", ""), ("query", "amount>700 level>=warn"), ("query", "settled"), ("transactions",), ("keys",)],
)
def test_the_same_records_give_the_same(command: Command, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    table = command(*arguments, as_csv(tmp_path / "app.csv"), "--json")
    lines = command(*arguments, as_json_lines(tmp_path / "app.jsonl"), "--json")
    assert table.code == lines.code == 0
    assert table.objects
    assert [
        {name: value for name, value in each.items() if name != "sources"} for each in without_place(table.objects)
    ] == [{name: value for name, value in each.items() if name != "sources"} for each in without_place(lines.objects)]


def test_lines_are_those_of_the_file(command: Command, tmp_path: Path) -> None:
    path = as_csv(tmp_path / "app.csv")
    text = path.read_text().split("\n")
    result = command("query", "", path, "--json")
    for record in result.objects:
        assert record["raw"].split("\n")[0] == text[record["line"] - 1]
    assert [record["line"] for record in result.objects[:4]] == [2, 3, 5, 6]


def test_tables_in_archives_and_compressed(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "app.tsv.gz"
    path.write_bytes(gzip.compress(as_csv(tmp_path / "x", delimiter="\t").read_bytes()))
    result = command("stats", path, "--json")
    assert [(source["records"], source["format"]) for source in result.objects] == [(300, "csv")]


def test_a_header_alone_is_no_record(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("time,level,message\n")
    result = command("query", "", path, "--json")
    assert (result.code, result.objects) == (0, [])


def test_a_large_table_is_read_in_blocks(command: Command, tmp_path: Path) -> None:
    rows = [ROWS[number % 300] | {"n": number} for number in range(30_000)]
    path = as_csv(tmp_path / "a.csv", rows)
    assert path.stat().st_size > 2 << 20
    result = command(
        "sql", 'select count(*) as n, count(distinct "fields.n") as d, max(line) as l from records', path, "--json"
    )
    assert result.objects == [{"n": 30_000, "d": 30_000, "l": 40_001}]
