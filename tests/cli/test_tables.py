"""Tables on the command line: the same records as CSV and as JSON lines give the same."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
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


def test_parquet_gives_the_same_as_json_lines(command: Command, tmp_path: Path) -> None:
    pl.DataFrame(ROWS).write_parquet(tmp_path / "app.parquet", row_group_size=70)
    as_json_lines(tmp_path / "lines.jsonl")
    for arguments in (("query", ""), ("transactions",), ("query", "amount>700 level>=warn")):
        table = command(*arguments, "app.parquet", "--json")
        lines = command(*arguments, "lines.jsonl", "--json")
        assert table.code == lines.code == 0, table.talk
        assert table.objects
        place = {"sources": None, "service": None}
        assert [each | place for each in without_place(table.objects)] == [
            each | place for each in without_place(lines.objects)
        ]
    rows = command("query", "", tmp_path, "--json").objects
    assert [row["line"] for row in rows if row["source"].endswith(".parquet")] == list(range(1, 301))


def test_types_of_parquet(command: Command, tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "Timestamp": [datetime(2026, 11, 1, 10, 0, 0, 123456, tzinfo=UTC), None],
            "Severity": ["warn", None],
            "Log": ["2026-11-01 10:00:00,123 INFO [main] a.B - order_id=ORD-1", "x"],
            "blob": [b"text", b"\xff\x00"],
            "nested": [{"a": {"b": 1}, "c": [1, 2]}, None],
            "id": ["0123", "7"],
            "took": [timedelta(seconds=1), None],
            "deep": [[b"x"], None],
            "share": [float("nan"), 0.5],
        }
    ).with_columns(pl.col("Severity").cast(pl.Categorical))
    frame.write_parquet(tmp_path / "app.parquet")
    first, second = command("query", "", "app.parquet", "--json").objects
    assert (first["time"], first["level"], first["format"]) == ("2026-11-01T10:00:00.123456Z", "warn", "parquet")
    assert "order_id=ORD-1" in first["message"]
    assert first["fields"]["order_id"] == "ORD-1"
    assert (first["fields"]["nested.a.b"], first["fields"]["nested.c"], first["fields"]["id"]) == (1, "[1,2]", "0123")
    assert (second["fields"]["blob"], second["fields"]["share"], second["fields"]["id"]) == ("\ufffd\0", 0.5, "7")
    assert second["time_from"] == "previous"


def test_bad_parquet_is_an_error(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "cut.parquet"
    pl.DataFrame(ROWS).write_parquet(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    result = command("query", "", path, as_json_lines(tmp_path / "good.jsonl"), "--json")
    assert result.code == 1
    assert "cut.parquet: cannot be read as Parquet" in result.talk
    assert len(result.objects) == 300
    path.write_bytes(b"PAR1" + bytes(1000) + whole[1004:])
    assert command("query", "", path, "--json").code in (0, 1)


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
