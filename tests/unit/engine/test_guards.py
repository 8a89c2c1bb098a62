"""Linking as a session shows it: former ids, what bridges, evidence, and corrections of the plan."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from logscope.correlation.explain import chain
from logscope.engine.answers import PlanChange
from logscope.engine.api import Cancel
from logscope.engine.linking import replanning
from logscope.engine.options import Options
from logscope.engine.rendering import transactions_json
from logscope.engine.session import Session
from logscope.errors import LogscopeError
from tests.conftest import Shop

NEVER = Cancel()
KEYS = (r"order=ord:(\w+)", r"request=req:(\w+)")


@pytest.fixture
def session(shop: Shop) -> Iterator[Session]:
    opened = Session(Options(sources=tuple(shop.logs)))
    opened.open()
    opened.read_all()
    yield opened
    opened.close()


def _given(tmp_path: Path, *, grain: str = "none", **logs: list[str]) -> Session:
    """Not read yet."""
    for name, lines in logs.items():
        (tmp_path / f"{name}.log").write_text("".join(f"2026-11-01T{line}\n" for line in lines))
    sources = tuple(str(tmp_path / f"{name}.log") for name in logs)
    session = Session(Options(sources=sources, key=KEYS, auto_keys=False, grain=grain))
    session.open()
    return session


def _objects(session: Session) -> list[dict[str, object]]:
    return list(transactions_json(session.transactions(cancel=NEVER)))


def test_a_late_record_that_joins_two_transactions_leaves_their_ids_in_was(tmp_path: Path) -> None:
    session = _given(
        tmp_path,
        early=["10:00:01Z INFO paid ord:A1", "10:00:02Z INFO asked req:R7", "10:00:03Z INFO other req:R8"],
        late=["10:00:00Z INFO began ord:A1 req:R7"],
    )
    session.loading.read(session.loading.ingests[0])
    first = _objects(session)
    assert [one["records"] for one in first] == [1, 1, 1]
    assert not any("was" in one for one in first)
    session.loading.read_all()
    joined, other = _objects(session)
    assert joined["records"] == 3
    assert set(joined["was"]) | {joined["transaction"]} >= {one["transaction"] for one in first[:2]}  # type: ignore[call-overload]
    assert other == first[2]
    session.close()


def test_a_transaction_that_outgrows_the_span_is_marked_with_what_bridges_it(tmp_path: Path) -> None:
    lines = [f"{hour:02}:00:0{part}Z INFO step ord:A1 req:R{hour}" for hour in range(8, 12) for part in range(3)]
    session = _given(tmp_path, app=[*lines, "12:00:00Z INFO step ord:B2 req:R99"])
    session.read_all()
    long, short = _objects(session)
    assert long["records"] == 12
    assert str(long["oversize"]).startswith("order=A1 spans 3 h")
    assert "oversize" not in short
    session.close()


def test_any_two_records_of_a_transaction_are_explained(session: Session) -> None:
    session.prepare_transactions(cancel=NEVER)
    linker, plan = session.correlating._linker, session.correlating.plan
    assert linker is not None
    assert plan is not None
    rng = random.Random(7)
    for number in rng.sample(session.transactions(cancel=NEVER).get_column("number").to_list(), 12):
        rows = session.correlating.members_of([number]).get_column("row").to_list()
        evidence = linker.evidence(number)
        held = set(evidence.select("row", "key", "value").rows())
        names = [key.name for key in plan.keys]
        for _ in range(3):
            one, other = rng.choice(rows), rng.choice(rows)
            links = chain(evidence, plan, one, other)
            if one == other:
                assert not links
                continue
            assert links[0][0] == one
            assert links[-1][3] == other
            assert all(before[3] == after[0] for before, after in pairwise(links))
            for first, key, value, second in links:
                assert {(first, names.index(key), value), (second, names.index(key), value)} <= held
            assert "nothing ties" not in session.explain(one, other)[0]


def test_records_of_two_transactions_have_no_chain(session: Session) -> None:
    numbers = session.transactions("has(order_id:*)", cancel=NEVER).get_column("number").to_list()
    apart = [
        (one, other)
        for one in session.correlating.members_of(numbers[:1]).get_column("row").to_list()[:5]
        for other in session.correlating.members_of(numbers[-1:]).get_column("row").to_list()[:5]
        if not set(session.transactions_of(one)) & set(session.transactions_of(other))
    ]
    assert apart
    assert all(session.explain(*pair) == ["nothing ties these two records together"] for pair in apart)


def test_two_keys_with_patterns_are_joined_and_split_again(tmp_path: Path) -> None:
    lines = [f"10:00:{n:02}Z INFO step {'ord' if n % 2 else 'req'}:V{n // 2}" for n in range(40)]
    session = _given(tmp_path, app=lines)
    session.read_all()
    before = session.transactions(cancel=NEVER)
    assert before.height == 40
    change = PlanChange(join=(("order", "request"),))
    effect = session.effect(change, cancel=NEVER)
    assert (effect.before, effect.transactions) == (40, 20)
    assert any("become one" in text for text in effect.examples)
    session.apply(change, cancel=NEVER)
    assert session.transactions(cancel=NEVER).height == 20
    assert [key["key"] for key in session.keys()] == ["order"]  # noqa: SIM118  # not a dict's
    again = PlanChange(split=(("order", r"req:(\w+)"),))
    assert session.effect(again, cancel=NEVER).transactions == 40
    session.apply(again, cancel=NEVER)
    assert session.transactions(cancel=NEVER).height == 40
    assert session.undo_change()
    assert session.undo_change()
    assert session.transactions(cancel=NEVER).drop("number").equals(before.drop("number"))
    with pytest.raises(LogscopeError, match="is all that order has"):
        session.apply(PlanChange(split=(("order", r"ord:(\w+)"),)), cancel=NEVER)
    with pytest.raises(LogscopeError, match="no field 'nowhere'"):
        session.apply(PlanChange(split=(("order", "nowhere"),)), cancel=NEVER)
    session.close()


def test_an_alias_split_off_is_a_key_of_its_own_and_joins_again(session: Session) -> None:
    session.prepare_keys(cancel=NEVER)
    plan = session.correlating.plan
    assert plan is not None
    key = next(key for key in plan.keys if key.links and len(key.fields) > 1)
    before = session.transactions(cancel=NEVER)
    field = key.fields[-1]
    change = PlanChange(split=((key.name, field),))
    effect = session.effect(change, cancel=NEVER)
    session.apply(change, cancel=NEVER)
    assert session.transactions(cancel=NEVER).height == effect.transactions
    now = session.correlating.plan
    assert now is not None
    (new,) = [each for each in now.keys if each.name not in {one.name for one in plan.keys}]
    assert new.fields == (field,)
    assert field not in now.key(key.name).fields
    session.apply(PlanChange(join=((key.name, new.name),)), cancel=NEVER)
    assert session.transactions(cancel=NEVER).height == before.height


def test_the_grain_goes_back_to_what_was_found(session: Session) -> None:
    found = (session.prepare_keys(cancel=NEVER), session.grain())[1]
    count = session.transactions(cancel=NEVER).height
    session.apply(PlanChange(grain="none"), cancel=NEVER)
    effect = session.effect(PlanChange(grain="auto"), cancel=NEVER)
    assert effect.transactions == count
    session.apply(PlanChange(grain="auto"), cancel=NEVER)
    assert session.grain() == found
    assert session.transactions(cancel=NEVER).height == count


def test_the_effect_of_a_change_is_foretold_from_a_sample(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    change = PlanChange(grain="request_id")
    session.transactions(cancel=NEVER)
    whole = session.effect(change, cancel=NEVER)
    assert not whole.sampled
    monkeypatch.setattr(replanning, "_SAMPLE", session.snapshot.records // 3)
    part = session.effect(change, cancel=NEVER)
    assert part.sampled
    assert part.before == whole.before
    assert part.transactions == pytest.approx(whole.transactions, rel=0.25)
