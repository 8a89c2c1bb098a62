"""What the engine gives to the search for keys."""

from __future__ import annotations

from pathlib import Path

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
