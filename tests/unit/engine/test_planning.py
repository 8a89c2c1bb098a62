"""What a session finds: again once all is read, the same in a sample, and what is said of the grain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from logscope.engine.answers import PlanChange
from logscope.engine.api import Cancel
from logscope.engine.linking import planning
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.engine.viewing import sampling
from tests.conftest import Shop

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


def _told(session: Session) -> dict[str, list[str]]:
    session.prepare_keys(cancel=NEVER)
    lines: dict[str, list[str]] = {}
    for label, words in session.grain_lines():
        lines.setdefault(label, []).append(words)
    return lines


def test_the_grain_is_told_with_what_is_coarser_and_finer_and_why_not(fresh_shop: Shop) -> None:
    session = Session(Options(sources=tuple(fresh_shop.logs), remember=True))
    session.open()
    session.read_all()
    told = _told(session)
    assert told["grain"] == ["order_id"]
    (up,) = [words for words in told["up"] if words.startswith("session_id: ")]
    longer = re.search(r"over request_id: description (\d+)% longer", up)
    assert longer is not None
    assert int(longer[1]) > 5
    assert any(words.startswith("request_id: ") and "% shorter" in words for words in told["down"])
    assert "request_id" in told["links"][0]
    refused = session.refused_keys()
    assert refused
    session.close()
    again = Session(Options(sources=tuple(fresh_shop.logs), remember=True))
    again.open()
    again.read_all()
    assert _told(again) == told
    assert again.refused_keys() == refused
    assert any("as found in these sources" in text for text in again.notices())
    again.close()


def test_a_sample_leads_to_the_same_grain_as_all(fresh_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for most in (sampling.BYTES, 1 << 20):
        monkeypatch.setattr(planning, "light_sample", partial(sampling.light_sample, most=most))
        session = Session(Options(sources=tuple(fresh_shop.logs)))
        session.open()
        session.read_all()
        session.prepare_keys(cancel=NEVER)
        assert session.correlating.plan is not None
        found.append((session.grain()[0], set(session.correlating.plan.level.links)))
        session.close()
    assert found[0] == found[1]
