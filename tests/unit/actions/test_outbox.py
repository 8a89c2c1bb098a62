"""The outbox as a file: rights, damage, limits, commands."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from logscope.actions import outbox as module
from logscope.actions.outbox import Outbox, OutboxError
from tests.unit.actions.conftest import Bench, event


def test_only_its_owner_may_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        outbox = Outbox(tmp_path / "actions" / "outbox.db")
        outbox.put([("a", event(1))])
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "actions").iterdir()}
        assert modes
        assert set(modes.values()) == {0o600}
        assert stat.S_IMODE((tmp_path / "actions").stat().st_mode) == 0o700
        outbox.close()
    finally:
        os.umask(before)


def test_a_damaged_one_is_laid_aside(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(b"no database at all" * 1000)
    outbox = Outbox(path)
    assert outbox.laid_aside is not None
    assert outbox.laid_aside.read_bytes().startswith(b"no database")
    assert outbox.put([("a", event(1))]) == 1
    outbox.close()


def test_one_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    outbox = Outbox(path)
    outbox._database.execute("PRAGMA user_version = 99")
    outbox.close()
    with pytest.raises(OutboxError, match="newer"):
        Outbox(path)
    assert path.exists()


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutboxError):
        Outbox(tmp_path / "file" / "outbox.db")


def test_more_than_it_may_hold_is_refused_and_counted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    assert bench.outbox.put([("a", event(n)) for n in range(15)]) == 10
    assert (bench.depth("a").waiting, bench.depth("a").refused) == (10, 5)
    assert bench.outbox.put([("b", event(1))]) == 1


def test_retry_and_drop_of_one_or_all(bench: Bench) -> None:
    outbox = bench.outbox
    outbox.put([(action, event(n)) for action in ("a", "b") for n in range(3)])
    for action in ("a", "b"):
        outbox.buried(action, outbox.waiting(action, 2), "no use")
    assert (bench.depth("a").waiting, bench.depth("a").dead, bench.depth("a").reason) == (1, 2, "no use")
    assert outbox.retry("a") == 3
    assert bench.depth("b").dead == 2
    assert outbox.drop("a") == 3
    assert outbox.put([("a", event(1))]) == 0, "what was dropped is never sent"
    assert outbox.drop() == 3
    assert [depth.dropped for depth in outbox.depths()] == [3, 3]


def test_what_was_sent_is_forgotten_after_a_while(tmp_path: Path) -> None:
    now = [1e9]
    outbox = Outbox(tmp_path / "outbox.db", clock=lambda: now[0])
    outbox.put([("a", event(1)), ("a", event(2))])
    outbox.delivered("a", outbox.waiting("a", 1))
    outbox.forget()
    assert outbox.knows("a", "d000001")
    now[0] += module.REMEMBERED_SECONDS + 1
    outbox.forget()
    assert not outbox.knows("a", "d000001")
    assert outbox.knows("a", "d000002"), "what waits is not forgotten"
    assert outbox.depths()[0].delivered == 1
    outbox.close()
