"""Keys found while records still come are found again once all are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from logscope.engine.answers import PlanChange
from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session

NEVER = Cancel()


def _pages() -> str:
    """Requests only: nothing tells that there are orders."""
    return "".join(
        f"2026-11-01T10:{n // 60:02}:{n % 60:02}Z INFO web page {step} request_id=req-{n * 7919 % 65521:06x}\n"
        for n in range(300)
        for step in ("begin", "end")
    )


def _orders() -> str:
    """Three requests an order, as one another predict."""
    return "".join(
        f"2026-11-01T11:{n // 60 % 60:02}:{n % 60:02}Z INFO shop order {step} {half} order_id=ORD-{1000 + n} "
        f"request_id=req-{(n * 3 + at) * 104729 % 16777213:08x}\n"
        for n in range(400)
        for at, step in enumerate(("placed", "paid", "sent"))
        for half in ("begin", "done")
    )


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """The first of two files is read, and transactions were asked for."""
    (tmp_path / "a.log").write_text(_pages())
    (tmp_path / "b.log").write_text(_orders())
    opened = Session(Options(sources=(str(tmp_path / "a.log"), str(tmp_path / "b.log"))))
    opened.open()
    opened.loading.read(opened.loading.ingests[0])
    opened.prepare_transactions(cancel=NEVER)
    assert opened.grain()[0] == "request_id"
    assert opened.correlating.count == 300
    yield opened
    opened.close()


def keys_of(session: Session) -> Sequence[dict[str, Any]]:
    """Its keys as they are listed."""
    return session.keys()


def test_keys_are_found_again_when_all_is_read_and_it_is_said(session: Session) -> None:
    session.loading.read_all()
    session.prepare_transactions(cancel=NEVER)
    assert session.grain()[0] == "order_id"
    said = [text for text in session.notices() if "found in the first 600 records" in text]
    assert len(said) == 1
    assert "the grain is order_id, no more request_id" in said[0]
    assert "new: order_id" in said[0]
    before = session.correlating.plan
    session.prepare_transactions(cancel=NEVER)
    assert session.correlating.plan is before


def test_what_the_user_chose_is_not_found_again(session: Session) -> None:
    session.apply(PlanChange(grain="none"), cancel=NEVER)
    session.loading.read_all()
    session.prepare_transactions(cancel=NEVER)
    assert session.grain() == ("none", "asked for by the user")
    assert [key["key"] for key in keys_of(session)] == ["request_id"]


def test_auto_after_a_change_is_the_grain_of_what_was_found_last(session: Session) -> None:
    session.loading.read_all()
    session.prepare_transactions(cancel=NEVER)
    session.apply(PlanChange(grain="request_id"), cancel=NEVER)
    session.apply(PlanChange(grain="auto"), cancel=NEVER)
    assert session.grain()[0] == "order_id"


def test_what_was_found_in_a_part_is_not_remembered(session: Session) -> None:
    session.loading.read_all()
    again = Session(session.options)
    again.open()
    again.read_all()
    again.prepare_keys(cancel=NEVER)
    assert again.grain()[0] == "order_id"
    again.close()


def test_keys_are_counted_once_for_what_is_loaded(session: Session) -> None:
    first = {key["key"]: key["records"] for key in keys_of(session)}
    assert first == {"request_id": 600}
    assert session.keys() == session.keys()
    session.loading.read_all()
    session.prepare_transactions(cancel=NEVER)
    assert {key["key"]: key["records"] for key in keys_of(session)} == {"request_id": 3000, "order_id": 2400}
