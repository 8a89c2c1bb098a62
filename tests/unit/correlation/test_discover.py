"""Discovery on small logs made here; no name is special to the code."""

from __future__ import annotations

import random

import polars as pl
import pytest

from logscope.correlation.discover import find_plan
from logscope.correlation.extract import extract
from logscope.correlation.grain import LEAVES, STAYS, Climb
from logscope.correlation.keys import given_key
from logscope.correlation.linker import Linker
from logscope.correlation.plan import Plan

Entry = tuple[float, str, str, dict[str, str]]


def shop(
    seed: int,
    orders: int = 150,
    names: tuple[str, str, str, str] = ("req", "request_id", "order", "orderId"),
    polls: bool = True,
) -> list[Entry]:
    """Checkout request, payment, webhook by reference, and pages of a session that place no order."""
    rng = random.Random(seed)
    gate, inner, order_a, order_b = names
    log: list[Entry] = []
    session = ""

    def hexes() -> str:
        return f"{rng.getrandbits(128):032x}"

    for number in range(orders):
        at = number * 20.0 + rng.random() * 5
        order, ref, checkout, hook = f"ORD-{5000 + number}", f"PSP{rng.randrange(10**7, 10**8)}", hexes(), hexes()
        session = f"s-{rng.getrandbits(48):012x}" if number % 3 == 0 else session
        user = f"u-{rng.randrange(30)}"
        for page in range(rng.randrange(1, 6)):
            request = hexes()
            step = at - 15 + page
            word = rng.choice(["search", "product page", "cart updated", "account"])
            log += [(step, "gate", "page served", {gate: request, "user": user})]
            log += [(step + 0.1, "orders", word, {inner: request, "session": session, "user": user})]
        log += [
            (at, "gate", "page served", {gate: checkout, "user": user}),
            (at + 0.1, "orders", "order created", {inner: checkout, "session": session, order_b: order}),
            (at + 0.2, "pay", "charge begin", {inner: checkout, order_a: order}),
            (at + 0.3, "pay", "psp response", {order_a: order, "ref": ref}),
            (at + 3.0, "gate", f"POST /hook?ref={ref}", {gate: hook}),
            (at + 3.1, "pay", "charge settled", {"reference": ref, inner: hook}),
            (at + 3.2, "orders", "state change", {order_b: order}),
        ]
        if polls:
            log += [(at + 4.0, "orders", "order status", {inner: hexes(), order_b: order})]
    return sorted(log, key=lambda entry: entry[0])


def frames(log: list[Entry]) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = [
        (
            row,
            int(at * 1e6) + 10**15,
            0,
            row,
            service,
            service,
            text,
            f"{text} " + " ".join(f"{k}={v}" for k, v in fields.items()),
        )
        for row, (at, service, text, fields) in enumerate(log)
    ]
    sample = pl.DataFrame(
        rows,
        schema={
            "row": pl.UInt32, "time": pl.Int64, "source_id": pl.UInt16, "line": pl.UInt64,
            "source": pl.String, "service": pl.String, "message": pl.String, "raw": pl.String,
        },
        orient="row",
    ).with_columns(pl.from_epoch("time", "us").dt.replace_time_zone("UTC"))  # fmt: skip
    pairs = pl.DataFrame(
        [(row, name, value, 0) for row, (_, _, _, fields) in enumerate(log) for name, value in fields.items()],
        schema={"row": pl.UInt32, "name": pl.String, "value": pl.String, "kind": pl.UInt8},
        orient="row",
    )
    return sample, pairs


def linked(sample: pl.DataFrame, pairs: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    wide = sample
    for name in pairs["name"].unique():
        part = pairs.filter(pl.col("name") == name).select("row", pl.col("value").alias(f"fields.{name}"))
        wide = wide.join(part, on="row", how="left")
    linker = Linker(plan)
    linker.add(extract(wide, plan, plan.linking), sample)
    return linker.members()


@pytest.mark.parametrize("names", [("req", "request_id", "order", "orderId"), ("a1", "b2", "c3", "d4")])
def test_the_order_is_found_to_be_the_grain_under_any_name(names: tuple[str, str, str, str]) -> None:
    log = shop(1, names=names)
    sample, pairs = frames(log)
    plan = find_plan(sample, pairs)
    assert plan.grain is not None
    grain = plan.key(plan.grain)
    assert {names[2], names[3]} <= set(grain.fields)
    assert "shorter" in plan.grain_why
    assert plan.key("user").klass == "weak"
    sizes = linked(sample, pairs, plan).group_by("transaction").len()["len"]
    assert (sizes == 8).sum() == 150


def test_aliases_and_names() -> None:
    plan = find_plan(*frames(shop(2)))
    assert set(plan.key("order_id").aliases) >= {"order", "orderId"}
    assert {"ref", "reference"} <= set(plan.key("reference").fields)
    assert plan.key("session_id").klass == "strong"
    assert "session_id" in plan.with_grain("order_id").level.coarser


def test_the_user_decides() -> None:
    sample, pairs = frames(shop(3, orders=40))
    key, _ = given_key(r"hook=ref=(PSP\d+)")
    plan = find_plan(sample, pairs, given=[key], grain="none", auto=False)
    assert [k.name for k in plan.keys] == ["hook"]
    assert plan.grain is None
    assert find_plan(sample, pairs, grain="session").grain == "session_id"
    only = find_plan(sample, pairs, only=["request_id"])
    assert only.linking == ("request_id",)


def test_nothing_to_find_is_said() -> None:
    plan = find_plan(*frames([(float(at), "app", "tick", {}) for at in range(20)]))
    assert plan.grain is None
    assert "no key" in plan.grain_why


@pytest.mark.parametrize("names", [("req", "request_id", "order", "orderId"), ("a1", "b2", "c3", "d4")])
def test_an_order_with_one_request_beside_it_is_still_the_grain(names: tuple[str, str, str, str]) -> None:
    sample, pairs = frames(shop(4, names=names, polls=False))
    plan = find_plan(sample, pairs)
    assert plan.grain is not None
    assert names[2] in plan.key(plan.grain).fields
    assert plan.key(plan.grain).name in plan.key(names[0]).parents
    sizes = linked(sample, pairs, plan).group_by("transaction").len()["len"]
    assert (sizes == 7).sum() == 150


def test_a_key_that_would_glue_is_refused_and_named() -> None:
    log = shop(5)
    ordering = {fields.get("request_id") for _, _, _, fields in log if "order" in fields or "orderId" in fields}
    for number, (_, _, text, fields) in enumerate(log):
        # A batch id beside the requests of pages, never of orders: it ties no two orders, but all pages.
        if text == "page served" and fields["req"] not in ordering:
            fields["batch"] = f"batch-{number // 120:06x}a1"
    sample, pairs = frames(log)
    plan = find_plan(sample, pairs)
    assert plan.grain == "order_id"
    assert "batch" not in plan.linking
    (notice,) = [text for text in plan.notices if "batch" in text]
    assert "would grow" in notice
    assert "batch=batch-" in notice
    assert "does not link: the largest" in plan.key("batch").why


def test_a_value_that_ties_too_much_is_told() -> None:
    log = shop(6)
    for number, (_, service, text, fields) in enumerate(log):
        if service == "pay" and text == "psp response" and number % 2:
            fields["rid"] = "deadbeefdeadbeefdeadbeefdeadbeef"
        elif service == "pay" and text == "charge begin":
            fields["rid"] = fields.pop("request_id")
    plan = find_plan(*frames(log))
    assert "deadbeefdeadbeefdeadbeefdeadbeef" in plan.key("rid").why
    assert any("hubs" in text for text in plan.notices)


def test_strays_in_a_column_of_ids_do_not_link() -> None:
    log = shop(7)
    for number, (_, _, _, fields) in enumerate(log):
        if "request_id" in fields and "orderId" not in fields and "order" not in fields and number % 9 == 0:
            fields["request_id"] = ("guest", "anonymous", "200")[number // 9 % 3]
    sample, pairs = frames(log)
    plan = find_plan(sample, pairs)
    assert "another shape" in plan.key("request_id").why
    members = linked(sample, pairs, plan)
    strays = [row for row, entry in enumerate(log) if entry[3].get("request_id") in ("guest", "anonymous", "200")]
    assert len(strays) > 20
    assert members.filter(pl.col("row").is_in(strays)).group_by("transaction").len()["len"].max() <= 10


def test_a_grain_that_was_shown_is_left_for_what_is_clearly_better_only() -> None:
    assert Climb("order_id", "request_id", 0.95, "").better
    leaving = Climb("order_id", "request_id", 0.95, "", LEAVES)
    assert not leaving.better
    assert "too little to leave what was shown" in leaving.words()
    assert Climb("order_id", "request_id", 0.85, "", LEAVES).better
    assert not Climb("order_id", "request_id", 1.05, "").better
    staying = Climb("order_id", "request_id", 1.05, "", STAYS)
    assert staying.better
    assert "too little to leave what was shown" in staying.words()
    assert "too little" not in Climb("order_id", "request_id", 1.3, "", STAYS).words()


@pytest.mark.parametrize("text", ["order {} {}", "ORD-{} {}", "ctx[shop,{},1] {}"])
def test_numbers_that_grow_longer_after_the_sample_are_found(text: str) -> None:
    def told(first: int, count: int) -> pl.DataFrame:
        lines = [
            text.format(first + number, f"{step} in {service}")
            for number in range(count)
            for step, service in (("placed", "shop"), ("paid", "pay"), ("sent", "store"))
        ]
        rows = pl.int_range(len(lines), dtype=pl.UInt32, eager=True)
        times = pl.datetime(2026, 11, 1) + pl.duration(seconds=pl.col("row"))
        return pl.DataFrame({"row": rows, "raw": lines}).with_columns(
            time=times.dt.replace_time_zone("UTC").dt.cast_time_unit("us"),
            service=pl.col("raw").str.extract(r"in (\w+)", 1),
        )

    plan = find_plan(told(999_900, 90), pl.DataFrame(schema={"row": pl.UInt32, "name": pl.String, "value": pl.String}))
    assert plan.grain is not None
    later = extract(told(999_990, 20), plan, [plan.grain])
    assert later["row"].n_unique() == 60
    assert later["value"].n_unique() == 20
