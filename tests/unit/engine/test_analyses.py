"""What is told about transactions as a whole, on a sample shop with the truth beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from logscope.engine.answers import PlanChange
from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.errors import LogscopeError
from sample_logs import generate, traffic
from tests.conftest import Shop

NEVER = Cancel()


@pytest.fixture(scope="module")
def session(shop: Shop) -> Iterator[Session]:
    opened = Session(Options(sources=tuple(shop.logs)))
    opened.open()
    opened.read_all()
    yield opened
    opened.close()


def test_every_transaction_has_a_shape_and_shapes_count_them(session: Session) -> None:
    shapes = session.shapes(cancel=NEVER)
    table = session.transactions(sort="shape", cancel=NEVER)
    assert table.get_column("shape").null_count() == 0
    assert sum(shape.transactions for shape in shapes) == table.height
    assert [shape.transactions for shape in shapes] == sorted((s.transactions for s in shapes), reverse=True)
    for shape in shapes[:5]:
        assert session.transactions(f"shape={shape.number}", cancel=NEVER).height == shape.transactions
        assert shape.example in session.transactions(f"shape={shape.number}", cancel=NEVER).get_column("number")


def test_a_transaction_beside_itself_has_no_differences(session: Session) -> None:
    for number in session.transactions(cancel=NEVER).get_column("number").head(20):
        compared = session.compare(number, number, cancel=NEVER)
        assert {step.kind for step in compared.steps} == {"same"}


def test_what_never_happened_is_missing_beside_the_normal_peer(session: Session, shop: Shop) -> None:
    for order, _, _ in shop.failed:
        number = session.transactions(f"order_id={order}", cancel=NEVER).item(0, "number")
        compared = session.compare(number, cancel=NEVER)
        missing = [step.template for step in compared.steps if step.kind == "missing"]
        assert any("charge settled" in template for template in missing), (order, compared.why)


def test_linking_and_templates_tell_how_far_they_are(shop: Shop) -> None:
    told: list[tuple[str, float | None]] = []
    opened = Session(Options(sources=tuple(shop.logs[:2])))
    opened.open()
    opened.read_all()
    opened.shapes(cancel=Cancel(lambda what, share: told.append((what, share))))
    opened.close()
    words = list(dict.fromkeys(what for what, _ in told))
    assert words[0] == "finding keys"
    for begin in ("linking", "templates of"):
        (what,) = (one for one in words if one.startswith(begin))
        shares = [share for one, share in told if one == what]
        assert shares[0] == 0.0
        assert shares[-1] == 1.0
        assert shares == sorted(shares, key=lambda share: share or 0)


def test_where_all_of_its_kind_failed_the_peer_is_one_of_its_own_way(tmp_path: Path) -> None:
    well = ["begin", "reserve seat", "charge card", "done"]
    ill = ["open ticket", "look for food", "no food for you"]
    lines = []
    for number in range(30):
        words, level = (ill, "ERROR") if number % 6 == 0 else (well, "INFO")
        for place, word in enumerate(words):
            last = place == len(words) - 1
            lines.append(
                f"2026-01-05T10:{number:02}:0{place}Z {level if last else 'INFO'} {word} trace_id={number:032x}"
            )
    (tmp_path / "app.log").write_text("\n".join(lines) + "\n")
    opened = Session(Options(sources=(str(tmp_path / "app.log"),), key=(r"trace_id=trace_id=(\w+)",), auto_keys=False))
    opened.open()
    opened.read_all()
    failed = opened.transactions("errors>0", cancel=NEVER)
    compared = opened.compare(failed.item(0, "number"), cancel=NEVER)
    assert compared.peer in failed.get_column("number").to_list()
    assert {step.kind for step in compared.steps} == {"same"}
    assert "none without errors" in compared.why
    opened.close()


def test_one_of_a_rare_way_stands_beside_one_of_the_common_way(tmp_path: Path) -> None:
    """Three went another way, and all of them were slow: beside one another they would be the same."""
    lines = []
    for number in range(60):
        rare = number % 20 == 7
        words = ["begin", "look up", "reserve seat", "charge card", "done"]
        for place, word in enumerate([words[i] for i in ((0, 2, 1, 3, 4) if rare else range(5))]):
            second = place * (9 if rare else 1)
            lines.append(f"2026-01-05T10:{number:02}:{second:02}Z INFO {word} trace_id={number:032x}")
    (tmp_path / "app.log").write_text("\n".join(lines) + "\n")
    opened = Session(Options(sources=(str(tmp_path / "app.log"),), key=(r"trace_id=trace_id=(\w+)",), auto_keys=False))
    opened.open()
    opened.read_all()
    slow = opened.transactions("duration>30s", cancel=NEVER)
    compared = opened.compare(slow.item(0, "number"), cancel=NEVER)
    opened.close()
    assert slow.height == 3
    assert compared.peer not in slow.get_column("number").to_list()
    assert compared.slower


def test_a_state_that_only_a_field_tells_is_part_of_the_step(session: Session) -> None:
    """The orders write JSON: their message is `state change`, whatever it was changed to."""
    templates = set(session.templates(cancel=NEVER).get_column("template"))
    assert {one for one in templates if one.startswith("state change")} >= {
        "state change from=NEW to=PAYMENT_PENDING",
        "state change from=PAYMENT_PENDING to=PAID",
    }
    ways = [template for shape in session.shapes(cancel=NEVER) for _, template in shape.templates]
    assert "state change from=PAYMENT_PENDING to=PAID" in ways


def test_the_service_map_leads_from_the_shop_to_payments(session: Session) -> None:
    told = session.service_map(cancel=NEVER)
    assert any(hop.caller == "orders" and hop.callee == "payments" for hop in told.hops)
    assert all(hop.p50 <= hop.p95 for hop in told.hops)
    assert {load.service for load in told.services} >= {"gateway", "orders", "payments", "inventory"}


def test_a_clock_that_is_off_is_found_set_right_and_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "_VISITS", 305)
    made = generate.make(1)
    for name, text in made.logs.items():
        (tmp_path / name).write_text(text)
    session = Session(Options(sources=(str(tmp_path),)))
    session.open()
    session.read_all()
    off = [skew for skew in session.skews(cancel=NEVER) if skew.offset]
    (skewed,) = json.loads(made.truth)["skew"].values()
    assert [skew.source for skew in off] == [skewed["host"]]
    skew = off[0]
    assert abs(-skew.offset - skewed["ahead_ms"] * 1000) <= skew.spread
    before = session.transactions(cancel=NEVER)
    session.shift(skew.source, skew.offset)
    assert all(not each.offset for each in session.skews(cancel=NEVER))
    session.shift(skew.source, -skew.offset)
    assert session.transactions(cancel=NEVER).drop("number").equals(before.drop("number"))
    first = session.snapshot.sources[0]
    assert first.start is not None
    session.shift(first.name, -86_400_000_000)
    assert session.snapshot.sources[0].start == first.start - 86_400_000_000
    assert session.snapshot.start == first.start - 86_400_000_000
    with pytest.raises(LogscopeError, match="no source or host"):
        session.shift("nowhere", 1)
    session.close()


def test_a_change_of_the_plan_is_foretold_applied_and_taken_back(session: Session) -> None:
    before = session.transactions(cancel=NEVER)
    for change in (
        PlanChange(grain="none"),
        PlanChange(grain="request_id"),
        PlanChange(active=(("psp_ref", False),)),
        PlanChange(classes=(("session_id", "weak"),)),
    ):
        effect = session.effect(change, cancel=NEVER)
        assert not effect.sampled
        assert effect.before == before.height
        assert session.transactions(cancel=NEVER).height == before.height
        session.apply(change, cancel=NEVER)
        assert session.transactions(cancel=NEVER).height == effect.transactions
        assert session.plan_changes() == (change,)
        assert session.undo_change()
    assert not session.undo_change()
    assert (
        session.transactions(cancel=NEVER)
        .select("number", "transaction")
        .equals(before.select("number", "transaction"))
    )


def test_a_value_that_is_said_to_be_a_hub_does_not_link(session: Session, tmp_path: Path) -> None:
    table = session.transactions(cancel=NEVER).filter(pl.col("keys.order_id").list.len() > 0)
    order = table.item(0, "keys.order_id")[0]
    session.apply(PlanChange(hubs=(("order_id", order),)), cancel=NEVER)
    try:
        assert session.transactions(f"order_id={order}", cancel=NEVER).is_empty()
        session.save_plan(tmp_path / "plan.toml")
    finally:
        session.undo_change()
    again = Session(Options(sources=session.options.sources, plan=str(tmp_path / "plan.toml")))
    again.open()
    again.read_all()
    assert again.transactions(f"order_id={order}", cancel=NEVER).is_empty()
    again.close()


def test_the_end_of_a_transaction_waited_for_its_longest_pauses(session: Session) -> None:
    number = session.transactions(sort="duration", descending=True, cancel=NEVER).item(0, "number")
    detail = session.transaction(number)
    assert detail.critical
    spans = [wait.duration for wait in detail.critical]
    assert spans == sorted(spans, reverse=True)
    assert sum(spans) <= detail.end - detail.start


def test_templates_count_every_record_once(session: Session) -> None:
    told = session.templates(cancel=NEVER)
    assert told.get_column("count").sum() == session.snapshot.records
    narrowed = session.templates("service:payments", cancel=NEVER)
    assert set(narrowed.get_column("service")) == {"payments"}


@pytest.mark.parametrize("ending", ["html", "md", "json"])
def test_a_case_is_written_by_its_ending(session: Session, shop: Shop, tmp_path: Path, ending: str) -> None:
    order, _, reference = shop.failed[0]
    number = session.transactions(f"order_id={order}", cancel=NEVER).item(0, "number")
    path = tmp_path / f"case.{ending}"
    session.export(path, [number], notes="look at this", cancel=NEVER)
    text = path.read_text()
    assert order in text
    assert "look at this" in text
    assert f"order_id={order}" in text
    session.export(path, [number], redact=True, cancel=NEVER)
    assert order not in path.read_text()
    assert "payments" in path.read_text()
    assert reference not in path.read_text()
