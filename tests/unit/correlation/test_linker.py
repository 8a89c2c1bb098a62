from __future__ import annotations

import polars as pl

from logscope.correlation.explain import chain
from logscope.correlation.keys import Key
from logscope.correlation.linker import Linker
from logscope.correlation.plan import Level, Plan
from logscope.correlation.runs import Runs
from logscope.correlation.transactions import figures, key_values, named, oversize
from logscope.correlation.vocabulary import Vocabulary
from logscope.records.renumbering import Kept
from logscope.records.schema import FROM_RECORD

KEYS = (Key("order_id"), Key("request_id"), Key("session_id"), Key("pid", "scoped"))
LEVELS = (
    Level("order_id", ("request_id",), ("session_id",)),
    Level("request_id", ("pid",)),
    Level(None, ("order_id", "request_id", "session_id")),
)
ORDER = Plan(keys=KEYS, grain="order_id", levels=LEVELS)
PLAIN = Plan(keys=KEYS, levels=LEVELS)
SECOND = 1_000_000


def log(*records: tuple[int, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records as (second, "o1 r2"): the first letter tells the key."""
    rows = [(row, at * SECOND, words.split()) for row, (at, words) in enumerate(records)]
    return frames(rows)


def frames(rows: list[tuple[int, int, list[str]]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    utc = pl.from_epoch("time", "us").dt.replace_time_zone("UTC")
    values = pl.DataFrame(
        [
            (row, at, "orsp".index(word[0]), word, "h" if word[0] == "p" else None)
            for row, at, words in rows
            for word in words
        ],
        schema={"row": pl.UInt32, "time": pl.Int64, "key": pl.UInt16, "value": pl.String, "scope": pl.String},
        orient="row",
    )
    index = pl.DataFrame(
        [(row, at, 0, row, 5 if row == 1 else 3, "svc", "f") for row, at, _ in rows],
        schema={
            "row": pl.UInt32, "time": pl.Int64, "source_id": pl.UInt16, "line": pl.UInt64,
            "level": pl.UInt8, "service": pl.String, "source": pl.String,
        },
        orient="row",
    )  # fmt: skip
    return values.with_columns(utc), index.with_columns(utc)


def groups(linker: Linker) -> list[list[int]]:
    return sorted(sorted(rows) for rows in linker.members().group_by("transaction").agg("row")["row"].to_list())


def linked(plan: Plan, *records: tuple[int, str]) -> list[list[int]]:
    linker = Linker(plan)
    linker.add(*log(*records))
    return groups(linker)


def test_a_record_with_two_ids_joins_them() -> None:
    assert linked(PLAIN, (0, "r1"), (1, "r1 o1"), (2, "o1"), (3, "r2"), (4, "")) == [[0, 1, 2], [3]]


def test_each_order_of_a_list_query_keeps_to_itself() -> None:
    records = [(0, "r1 o1"), (1, "r2 o2"), (2, "r9"), (3, "r9 o1"), (4, "r9 o2")]
    assert linked(ORDER, *records) == [[0, 3], [1, 4], [2]]


def test_a_request_in_which_both_orders_were_born_belongs_to_both() -> None:
    assert linked(ORDER, (0, "r1"), (1, "r1 o1"), (2, "r1 o2")) == [[0, 1], [0, 2]]


def test_a_login_stands_in_each_order_of_its_session() -> None:
    assert linked(ORDER, (0, "s1"), (1, "s1 o1"), (2, "s1 o2"), (3, "s2")) == [[0, 1], [0, 2]]


def test_a_reused_pid_starts_anew_after_a_gap_and_a_late_record_closes_it() -> None:
    plan = PLAIN.with_grain("request_id")
    linker = Linker(plan)
    linker.add(*frames([(0, 0, ["p1"]), (1, 1200 * SECOND, ["p1"])]))
    assert groups(linker) == [[0], [1]]
    ids = linker.identities()["id"].to_list()
    delta = linker.add(*frames([(2, 600 * SECOND, ["p1"])]))
    assert groups(linker) == [[0, 1, 2]]
    assert len(delta.removed) == 1
    (was,) = delta.was.values()
    assert set(was) <= set(ids)


def test_a_late_record_that_merges_tells_the_old_ids() -> None:
    linker = Linker(PLAIN)
    linker.add(*frames([(0, 5, ["r1"]), (1, 6, ["r2"])]))
    old = dict(linker.identities().select("transaction", "id").iter_rows())
    delta = linker.add(*frames([(2, 7, ["r1", "r2"])]))
    (gone,) = delta.removed
    (number,) = delta.transactions
    (name,) = linker.identities(pl.Series([number], dtype=pl.UInt32))["id"]
    assert delta.was == {name: (old[gone],)}
    assert linker.identities()["was"].to_list() == [[old[gone]]]
    assert delta.rows.to_list() == [1, 2]


def keep_only(linker: Linker, rows: list[int], total: int) -> None:
    """Let go of all records but some."""
    kept = Kept(pl.Series(rows, dtype=pl.UInt32), total)
    nodes = linker.needed(kept)
    codes = Kept.among([linker.codes_of(nodes)], len(linker._vocabulary))
    linker.keep_only(kept, nodes, codes)
    linker._vocabulary.keep_only(codes)


def test_what_stays_is_linked_and_named_as_before() -> None:
    linker = Linker(ORDER)
    linker.add(*log((0, "r1 o1"), (1, "r2 o2"), (2, "r1"), (3, "r8 o2"), (4, "r3 o3"), (5, "r8")))
    before = dict(linker.identities().select("id", "transaction").iter_rows())
    rows = linker.together(pl.Series([5], dtype=pl.UInt32), None)
    assert rows is not None
    assert rows.sort().to_list() == [1, 3, 5]
    keep_only(linker, [1, 3, 5], 6)
    assert groups(linker) == [[0, 1, 2]]
    assert set(linker.identities()["id"]) < set(before)
    linker.add(*frames([(3, 6 * SECOND, ["r2"]), (4, 7 * SECOND, ["o1"])]))
    assert groups(linker) == [[0, 1, 2, 3], [4]]
    assert set(linker.identities()["id"]) < set(before)


def test_a_hub_stays_one_when_what_it_tied_is_let_go() -> None:
    linker = Linker(PLAIN)
    linker.add(*log(*[(at, f"r{at} s{at}") for at in range(200)], *[(300 + at, f"r{at} s999") for at in range(60)]))
    assert linker.hubs()["value"].to_list() == ["s999"]
    keep_only(linker, [258, 259], 260)
    assert linker.hubs()["value"].to_list() == ["s999"]
    linker.add(*frames([(2, 2000 * SECOND, ["r2000", "s999"])]))
    assert linker.hubs()["value"].to_list() == ["s999"]
    assert groups(linker) == [[0], [1], [2]]


def test_a_value_that_ties_too_much_is_a_hub() -> None:
    records = [(at, f"r{at} s{at}") for at in range(200)] + [(300 + at, f"r{at} s999") for at in range(60)]
    linker = Linker(PLAIN)
    linker.add(*log(*records))
    assert linker.hubs()["value"].to_list() == ["s999"]
    assert len(groups(linker)) == 200


def test_an_amended_record_is_replaced() -> None:
    linker = Linker(PLAIN)
    linker.add(*frames([(0, 0, ["r1"]), (1, 1, ["r2"])]))
    linker.add(*frames([(1, 1, ["r2", "r1"])]))
    assert groups(linker) == [[0, 1]]
    linker.add(*frames([(1, 1, ["r3"])]))
    assert groups(linker) == [[0], [1]]


def test_a_value_of_100_000_records_costs_no_quadratic_step() -> None:
    linker = Linker(PLAIN)
    linker.add(*frames([(row, row, ["o1", f"r{row}"] if row % 100 == 0 else ["o1"]) for row in range(100_000)]))
    assert linker.members().height + linker.hubs().height >= 1_000


def test_the_chain_explains_two_records() -> None:
    linker = Linker(PLAIN)
    linker.add(*log((0, "s1"), (1, "s1 r1"), (2, "r1 o1"), (3, "o1")))
    (number,) = linker.members()["transaction"].unique()
    evidence = linker.evidence(number)
    expected = [(0, "session_id", "s1", 1), (1, "request_id", "r1", 2), (2, "order_id", "o1", 3)]
    assert chain(evidence, PLAIN, 0, 3) == expected
    assert chain(evidence, PLAIN, 3, 3) == []


def test_the_summary_tells_keys_errors_and_what_bridges() -> None:
    values, records = log((0, "r1"), (1, "r1 o1"), (9000, "o1"), (9001, "r7"))
    vocabulary = Vocabulary(PLAIN.keys)
    coded = values.select("row", "key", vocabulary.encode(values))
    linker = Linker(PLAIN, vocabulary)
    linker.add(coded, records)
    runs = Runs.of(linker.members(), records["row"])
    stamped = records.with_columns(time_from=pl.lit(FROM_RECORD, pl.UInt8))
    table = figures(runs, stamped, PLAIN, now_us=9001 * SECOND)
    assert table["errors"].to_list() == [1, 0]
    assert table["level"].to_list() == [5, 3]
    assert table["records"].to_list() == [3, 1]
    assert table["state"].to_list() == ["open", "open"]
    assert figures(runs, stamped, PLAIN, now_us=10**13)["state"].to_list() == ["closed", "closed"]
    words = oversize(table, runs, stamped, coded, vocabulary, PLAIN)
    assert words["number"].to_list() == [table["number"][0]]
    assert "order_id=o1 spans" in words["oversize"][0]
    held = key_values(runs.members(), coded.filter(pl.col("key") == 1).select("row", "code"), vocabulary, "request_id")
    assert held["keys.request_id"].to_list() == [["r1"], ["r7"]]
    names, path = named(runs.members(), pl.Series(["a", "b", "a", None]))
    assert (names["names"].to_list(), path["path"].to_list()) == ([["a", "b"]], [["a", "b", "a"]])
    assert runs.only(pl.Series([table["number"][1]], dtype=pl.UInt32)).rows.to_list() == [3]
