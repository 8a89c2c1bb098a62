"""Records of followed files: cut across reads and rotations, partial, never completed; and what a watch keeps of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from logscope.engine.answers import Detection
from logscope.engine.loading import ingest
from logscope.engine.service.ledger import Ledger
from logscope.sources import follow
from tests.unit.sources.conftest import until
from tests.unit.sources.test_appearing import Following, append

TRACE = "2026-11-01T10:00:00Z ERROR boom\n\tat a.B(B.java:1)\n\tat a.B(B.java:2)\n\tat a.B(B.java:3)"


def shown(following: Following) -> list[str]:
    """The records by now, in their order; what may go on is not waited for."""
    session = following.session
    for _ in range(3):
        while session.loading.step():
            pass
    view = session.store.view
    return session.frames.rows(session.store.ordered(view), view, ("raw",)).get_column("raw").to_list()


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(ingest, "_OPEN_SECONDS", 0.1)
    monkeypatch.setattr(follow, "PARTIAL_GRACE", 0.1)


def test_a_stack_trace_cut_across_reads_and_a_rotation_is_one_record(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    whole = TRACE + "\n"
    append(path, whole[:40])
    following = Following(str(path))
    try:
        for start in range(40, 60, 5):
            append(path, whole[start : start + 5])
            shown(following)
        append(path, whole[60 : whole.index("\tat a.B(B.java:3)")])
        shown(following)
        path.rename(tmp_path / "app.log.1")
        append(path, whole[whole.index("\tat a.B(B.java:3)") :] + "2026-11-01T10:00:01Z INFO next\n")
        until(lambda: shown(following) == [TRACE, "2026-11-01T10:00:01Z INFO next"])
    finally:
        following.session.close()


def test_a_partial_line_is_shown_after_a_while_and_completed_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    append(path, "2026-11-01T10:00:00Z INFO half a li")
    following = Following(str(path))
    try:
        assert shown(following) == []
        until(lambda: shown(following) == ["2026-11-01T10:00:00Z INFO half a li"])
        append(path, "ne\n2026-11-01T10:00:01Z INFO never compl")
        until(
            lambda: (
                shown(following) == ["2026-11-01T10:00:00Z INFO half a line", "2026-11-01T10:00:01Z INFO never compl"]
            )
        )
    finally:
        following.session.close()


@pytest.mark.parametrize(
    "damage", ["", "[]\n", "\0\0\0\n", '{"detection": 7}\n', '{"version": 99}\n', "{" * 1000 + "\n"]
)
def test_a_damaged_ledger_tells_again_rather_than_not_at_all(tmp_path: Path, damage: str) -> None:
    told = Detection("d1", "rule", "Rule", "high", 5, 5, 5, None, {}, {}, "", {}, "matched", None, None)
    path = tmp_path / "ledger.ndjson"
    ledger = Ledger(path)
    ledger.note([told])
    ledger.close()
    path.write_text(damage + path.read_text() + '{"detection": "torn')
    again = Ledger(path)
    assert set(again.told) == {"d1"}
    again.note([replace(told, detection="d2")])
    again.close()
    third = Ledger(path)
    assert set(third.told) == {"d1", "d2"}
    third.close()
    path.write_text(damage)
    fresh = Ledger(path)
    assert fresh.told == {}
    fresh.note([told])
    fresh.close()
    last = Ledger(path)
    assert set(last.told) == {"d1"}
    last.close()
