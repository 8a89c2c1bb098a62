"""What the engine gives to the search for keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from logscope.correlation.plan import Plan
from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session


def test_a_file_without_stamps_does_not_stretch_the_life_of_ids(tmp_path: Path) -> None:
    log, notes = tmp_path / "shop.log", tmp_path / "notes.txt"
    log.write_text(
        "".join(
            f"2026-11-01T10:{number // 4 % 60:02}:{number % 4 * 10:02}Z INFO pay {step} order_id=ORD-{1000 + number // 4}\n"
            for number in range(240)
            for step in ("begin", "end")
        )
    )
    notes.write_text("".join(f"remember ORD-{1000 + number}\n" for number in range(60)))
    session = Session(Options(sources=(str(log), str(notes))))
    session.open()
    session.read_all()
    session.prepare_keys(cancel=Cancel())
    classes = {key["key"]: key["class"] for key in session.correlating.key_objects()}
    session.close()
    assert classes["order_id"] == "strong"


def test_keys_found_while_records_came_are_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, step in (("a.log", "begin"), ("b.log", "end")):
        text = (
            f"2026-11-01T10:{n // 60:02}:{n % 60:02}Z INFO pay {step} order_id=ORD-{1000 + n}\n" for n in range(300)
        )
        (tmp_path / name).write_text("".join(text))
    session = Session(Options(sources=(str(tmp_path / "a.log"), str(tmp_path / "b.log")), cache=False))
    session.open()
    session.loading.ingests[0].finish()
    make = session.correlating._planning.make

    def slow(*args: Any, **options: Any) -> Plan:
        plan = make(*args, **options)
        session.read_all()  # the rest comes before the keys of the first half are there
        return plan

    monkeypatch.setattr(session.correlating._planning, "make", slow)
    session.prepare_transactions(cancel=Cancel())
    monkeypatch.undo()
    assert session.renewing.due()
    session.prepare_transactions(cancel=Cancel())
    assert not session.renewing.due()
    assert any("again in 600" in notice for notice in session.notices())
    session.close()


def test_what_is_said_of_a_grain_goes_with_it(tmp_path: Path) -> None:
    text = (
        f"2026-11-01T10:{n // 60:02}:{n % 60:02}Z INFO pay begin request_id=r-{1000 + n // 2}\n" for n in range(300)
    )
    (tmp_path / "a.log").write_text("".join(text))
    session = Session(Options(sources=(str(tmp_path / "a.log"),), shipped_rules=True, cache=False))
    session.open()
    session.read_all()
    for _ in range(2):
        session.prepare_transactions(cancel=Cancel())
        assert sum("at grain" in notice for notice in session.notices()) == 1
        plan = session.correlating.plan
        assert plan is not None
        session.use_plan(plan)
    session.close()
