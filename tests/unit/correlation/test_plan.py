from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from logscope.correlation.extract import columns_needed, extract
from logscope.correlation.keys import Key, given_key, is_measure, normalise, snake_case
from logscope.correlation.plan import Level, Plan, from_toml, to_toml
from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.errors import PlanError
from tests.odd_worlds import tickets
from tests.worlds import write


@pytest.mark.parametrize("name", ["X-Request-Id", "requestId", "request_id", "http.request_id"])
def test_spelling_of_a_name_does_not_matter(name: str) -> None:
    assert snake_case(name) == "request_id"
    assert normalise(name).endswith("requestid")


def test_measures_are_no_ids() -> None:
    assert is_measure("took_ms")
    assert is_measure("responseBytes")
    assert not is_measure("request_id")


@pytest.mark.parametrize("text", ["order", "order=", "o=(a", "o=abc", "o=(a)(b)", "1x=(a)"])
def test_a_given_key_needs_a_name_and_one_group(text: str) -> None:
    with pytest.raises(PlanError) as caught:
        given_key(text)
    assert caught.value.mend


def test_a_key_that_matches_everything_is_said() -> None:
    assert given_key(r"o=(ORD-\d+)")[1] is None
    notice = given_key("o=(.*)")[1]
    assert notice is not None
    assert "matches any text" in notice


def test_fields_that_are_an_id_only_together(tmp_path: Path) -> None:
    files, truth = write(tickets(1, count=60), tmp_path)
    plan = tmp_path / "plan.toml"
    plan.write_text('grain = "ticket"\n[[keys]]\nname = "ticket"\nfields = ["office+number"]\n')
    session = Session(Options(sources=tuple(map(str, files)), plan=str(plan)))
    try:
        session.open()
        session.read_all()
        session.prepare_keys(cancel=Cancel())
        found = session.correlating.key_values("ticket")["value"].unique()
        assert set(found) == set(truth.values())
        assert set(session.transactions("", cancel=Cancel())["records"]) == {4}
    finally:
        session.close()


def test_a_plan_survives_its_file() -> None:
    plan = Plan(
        keys=(
            Key("order_id", fields=("order", 'we"ird\n'), pattern=r"\b(ORD-\d+)\b", aliases=("order",), parents=("s",)),
            Key("s", shape=r"^\d+$"),
        ),
        grain="order_id",
        grain_why="85 % shorter",
        levels=(Level("order_id", (), ("s",), "x"), Level(None, ("order_id", "s"))),
        max_gap_us=5,
    )
    assert from_toml(to_toml(plan)) == plan


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("grain = \n", 1),
        ('version = 1\ngrain = "nope"\n', 2),
        ('[[keys]]\nname = "a"\nclass = "great"\n', 3),
        ('[[keys]]\nname = "a"\npattern = "("\n', 3),
        ('[[keys]]\nname = "a"\nshape = "("\n', None),
        ('[[keys]]\nname = "a"\nfields = [1]\n', 3),
        ("idle_us = -1\n", 1),
    ],
)
def test_a_wrong_plan_is_told_with_its_line(text: str, line: int) -> None:
    with pytest.raises(PlanError) as caught:
        from_toml(text, "plan.toml")
    assert caught.value.where == "plan.toml"
    assert caught.value.line == line


def test_grain_must_be_a_linking_key() -> None:
    plan = Plan(keys=(Key("a"), Key("user", "weak")))
    assert plan.with_grain("a").level.links == ()
    for name in ("user", "missing"):
        with pytest.raises(PlanError):
            plan.with_grain(name)


def test_extraction_counts_aliases_lists_and_hits() -> None:
    plan = Plan(
        keys=(
            Key("order_id", fields=("order", "orderId"), pattern=r"(ORD-\d+)"),
            Key("trace_id", fields=("traceparent",)),
            Key("pid", "scoped", fields=("pid",)),
        )
    )
    frame = pl.DataFrame(
        {
            "row": [0, 1, 2],
            "time": [0, 1, 2],
            "raw": ["ORD-1 and ORD-2", "", "x"],
            "fields.order": ["A", '["B","C"]', "null"],
            "fields.orderId": ["D", None, " - "],
            "fields.traceparent": ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", None, None],
            "pid": [None, "7", "7"],
            "host": ["h", "h", None],
            "service": ["s", "s", None],
            "source": ["f", "f", "f"],
        },
        schema_overrides={"row": pl.UInt32, "time": pl.Datetime("us", "UTC")},
    )
    assert {"fields.order", "raw", "pid", "host"} <= columns_needed(plan)
    found = extract(frame, plan).select("row", "key", "value", "scope").rows()
    assert [value for row, key, value, _ in found if key == 0 and row == 0] == ["A", "D", "ORD-1", "ORD-2"]
    assert [value for row, key, value, _ in found if key == 0 and row > 0] == ["B", "C"]
    assert (0, 1, "0af7651916cd43dd8448eb211c80319c", None) in found
    assert [scope for _, key, _, scope in found if key == 2] == ["h/s", "f"]


@pytest.mark.parametrize(
    ("pattern", "raw", "expected"),
    [
        (r"order=(ORD-\d+)", "order=ORD-1 order=ORD-2", ["ORD-1", "ORD-2"]),
        (r"\b(ORD\-\d+)\b", "ORD-1,xORD-2", ["ORD-1"]),
        (r"(?i)Order\[([^\]]+)\]", "order[a1] ORDER[b2]", ["a1", "b2"]),
        (r"(?i)ordér=(\w+)", "ORDÉR=a1", ["a1"]),
        (r"a=(x\d)|b=y\d", "a=x1 b=y2", ["x1"]),
        (r"a=(x\d|y\d)", "a=x1 a=y2", ["x1", "y2"]),
        (r"(?:id|key)=([a-z)(]+\d)", "id=a)1 key=b(2", ["a)1", "b(2"]),
        (r"id=([]a-z]+\d)$", "id=]a1", ["]a1"]),
        (r"id +(\d\d)x", "id   12x", ["12"]),
        (r"id=(a)?b?", "id=b id=a", ["a"]),
    ],
)
def test_what_the_group_holds_is_the_value(pattern: str, raw: str, expected: list[str]) -> None:
    plan = Plan(keys=(Key("k", pattern=pattern),))
    frame = pl.DataFrame(
        {"row": [0], "time": [0], "raw": [raw]}, schema_overrides={"row": pl.UInt32, "time": pl.Datetime("us", "UTC")}
    )
    assert extract(frame, plan)["value"].to_list() == expected
