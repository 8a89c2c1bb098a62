"""The action `file`, through the outbox."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.unit.actions.conftest import Bench, event, until


def test_each_event_becomes_a_line_once_and_in_order(bench: Bench) -> None:
    dispatcher = bench.start(list={"type": "file", "path": "out.jsonl"})
    assert dispatcher.put([("list", event(n)) for n in range(500)]) == 500
    assert dispatcher.put([("list", event(n)) for n in range(490, 510)]) == 10
    assert dispatcher.drain(60, patient=True) == 0
    assert [line["output"]["order_id"] for line in bench.lines("out.jsonl")] == [f"ORD-{n}" for n in range(510)]
    assert stat.S_IMODE((bench.folder / "out.jsonl").stat().st_mode) == 0o600
    assert bench.depth("list").delivered == 510


def test_a_retraction_is_an_event_of_its_own(bench: Bench) -> None:
    dispatcher = bench.start(list={"type": "file", "path": "out.jsonl", "on": ["matched", "retracted"]})
    dispatcher.put([("list", event(1)), ("list", event(1, "retracted")), ("list", event(1))])
    assert dispatcher.drain(60, patient=True) == 0
    assert [line["state"] for line in bench.lines("out.jsonl")] == ["matched", "retracted"]


def test_rotated_torn_and_refilled(bench: Bench) -> None:
    path = bench.folder / "out.jsonl"
    dispatcher = bench.start(list={"type": "file", "path": "out.jsonl"})
    dispatcher.put([("list", event(1))])
    dispatcher.drain(60, patient=True)
    path.rename(path.with_suffix(".1"))
    dispatcher.put([("list", event(2))])
    dispatcher.drain(60, patient=True)
    assert [line["output"]["order_id"] for line in bench.lines("out.jsonl")] == ["ORD-2"]
    path.write_bytes(b'{"torn": ')
    dispatcher.put([("list", event(3))])
    dispatcher.drain(60, patient=True)
    torn, whole = path.read_bytes().splitlines()
    assert torn == b'{"torn": '
    assert b"ORD-3" in whole


def test_a_kill_between_line_and_note_repeats_nothing(bench: Bench) -> None:
    first = bench.start(list={"type": "file", "path": "out.jsonl"})
    first.put([("list", event(1)), ("list", event(2))])
    first.drain(60, patient=True)
    first.stop()
    # As a kill leaves it: written, but not yet noted.
    with bench.outbox._changing() as database:
        database.execute("UPDATE events SET status = 'waiting', body = ? WHERE detection = 'd000002'", (event(2).body,))
    second = bench.start(list={"type": "file", "path": "out.jsonl"})
    second.put([("list", event(3))])
    assert second.drain(60, patient=True) == 0
    assert [line["output"]["order_id"] for line in bench.lines("out.jsonl")] == ["ORD-1", "ORD-2", "ORD-3"]


@pytest.mark.parametrize("kind", ["folder", "link", "fifo", "missing", "full"])
def test_what_cannot_be_written_waits_and_says_why(bench: Bench, kind: str) -> None:
    path = bench.folder / "out.jsonl"
    target = "out.jsonl"
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(bench.folder / "elsewhere")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "full":
        target = "/dev/full"
    else:
        target = "no/such/folder/out.jsonl"
    dispatcher = bench.start(list={"type": "file", "path": target}, other={"type": "file", "path": "other.jsonl"})
    dispatcher.put([("list", event(1)), ("other", event(1))])
    until(lambda: bench.depth("list").failures >= 2)
    assert len(bench.lines("other.jsonl")) == 1
    assert bench.depth("list").waiting == 1
    assert not (bench.folder / "elsewhere").exists()
    words = {
        "folder": "directory", "link": "not followed", "fifo": "regular", "missing": "No such file", "full": "regular",
    }  # fmt: skip
    assert words[kind] in bench.depth("list").reason
    if kind in ("folder", "fifo"):
        path.rmdir() if kind == "folder" else path.unlink()
        assert dispatcher.drain(60, patient=True) == 0
        assert len(bench.lines("out.jsonl")) == 1
        assert any(kind == "works" for kind, *_ in bench.said)


def test_two_dispatchers_of_one_outbox_deliver_once(bench: Bench) -> None:
    tables = {"list": {"type": "file", "path": "out.jsonl"}}
    one, two = bench.start(**tables), bench.start(**tables)
    for number in range(40):
        (one if number % 2 else two).put([("list", event(number))])
    assert one.drain(60, patient=True) == 0
    assert len(bench.lines("out.jsonl")) == 40
    one.stop()
    two.put([("list", event(99))])
    assert two.drain(60, patient=True) == 0, "the other takes over"
    assert len(bench.lines("out.jsonl")) == 41


def test_relative_paths_are_beside_the_file_that_names_them(bench: Bench, tmp_path: Path) -> None:
    action = bench.actions(list={"type": "file", "path": "deep/../out.jsonl"})["list"]
    assert action.sender.target == str(tmp_path / "deep/../out.jsonl")
