"""SQL reads the session's tables and can do nothing else: real attempts."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from logscope.errors import FilterError
from logscope.query.sql import check_sql, run_sql, tables_in

TABLES = {
    "records": pl.LazyFrame({"line": [1, 2, 3], "service": ["a", "b", "b"], "fields.amount": [5.0, 7.0, None]}),
    "transactions": pl.LazyFrame({"transaction": ["t1"], "records": [3]}),
}

GOOD = [
    ("select count(*) as n from records", [(3,)], ("records",)),
    ("SELECT service, count(*) AS n FROM records GROUP BY service ORDER BY n", [("a", 1), ("b", 2)], ("records",)),
    ("with x as (select line from records) select max(line) from x;", [(3,)], ("records",)),
    ("select 'from read_csv(''x'')' as t from records limit 1", [("from read_csv('x')",)], ("records",)),
    ("select line /* from nowhere; drop table records */ from records -- ; delete\n where line = 1", [(1,)], ("records",)),
    ("select r.line from records r join transactions t on r.line = t.records", [(3,)], ("records", "transactions")),
    ("select sum(\"fields.amount\") from records", [(12.0,)], ("records",)),
    ("select line from records where line in (select records from transactions)", [(3,)], ("records", "transactions")),
    ("select replace(service, 'a', 'z') as s from records where line = 1", [("z",)], ("records",)),
    ("select line from records where service is distinct from 'b'", [(1,)], ("records",)),
]  # fmt: skip


@pytest.mark.parametrize(("query", "rows", "tables"), GOOD)
def test_queries_run(query: str, rows: list[tuple[object, ...]], tables: tuple[str, ...]) -> None:
    assert check_sql(query) == tables
    assert set(tables) <= set(tables_in(query))
    assert run_sql(query, TABLES).rows() == rows


BAD = [
    "", ";", "   ", "-- only a comment",
    "select * from read_csv('{file}')",
    "select * from records, read_csv('{file}')",
    "select * from records join read_csv('{file}') on true",
    "select * from (select * from read_csv('{file}')) t",
    "select * from READ_CSV ('{file}')",
    'select * from "read_csv"(\'{file}\')',
    "select * from scan_csv('{file}')",
    "with x as (select * from read_parquet('{file}')) select * from x",
    "select line from records where line in (select q from read_csv('{file}'))",
    "select line from records union all select q from read_csv('{file}')",
    "select '\\' from read_csv('{file}') --'",
    "select E'\\'' , q from read_csv('{file}') --'",
    "select $$ ' $$, q from read_csv('{file}') --'",
    "select ` ' `, q from read_csv('{file}') --'",
    "select /* /* */ q from read_csv('{file}') -- */",
    "select 1 -- '\r, q from read_csv('{file}')",
    "select * from '{file}'", 'select * from "{file}"', "select * from passwd",
    "select 1; select 2", "select 1; drop table records",
    "create table t as select * from records", "drop table records", "delete from records", "truncate table records",
    "insert into records values (1)", "update records set line = 2", "show tables", "explain select * from records",
    "select * into t from records", "copy records to '{file}'", "with x as (select 1) delete from records",
    "values (1)", "table records", "select 'open", 'select "open', "select /* open",
]  # fmt: skip


@pytest.mark.parametrize("query", BAD)
def test_anything_else_is_refused(query: str, tmp_path: Path) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("q\nsecret\n")
    with pytest.raises(FilterError):
        run_sql(query.replace("{file}", str(file)), TABLES)


def test_what_polars_refuses_is_a_filter_error() -> None:
    with pytest.raises(FilterError, match="does not run"):
        run_sql("select nothing from records", TABLES)
    with pytest.raises(FilterError, match="not there"):
        run_sql("select * from detections", TABLES)
