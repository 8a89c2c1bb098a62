"""Following through hundreds of turns, shrinking at random moments, permissions that come and go."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from logscope.sources.base import OpenSource, SourceSpec
from logscope.sources.opening import open_source
from logscope.sources.retention import Retention
from logscope.sources.spool import segment_numbers, segment_path
from logscope.sources.spool_lines import spool_line, stamp
from logscope.sources.spool_writer import SpoolWriter
from tests.unit.sources.conftest import content


def followed(path: Path) -> OpenSource:
    return open_source(SourceSpec(path.name, "file", path), follow=True)


def append(path: Path, lines: list[bytes]) -> None:
    with path.open("ab") as file:
        file.write(b"".join(line + b"\n" for line in lines))


@pytest.mark.parametrize("how", ["rename", "copytruncate"])
def test_twenty_rotations_give_each_line_once(tmp_path: Path, how: str) -> None:
    path, dice = tmp_path / "app.log", random.Random(7)
    path.write_bytes(b"")
    number = 0
    with followed(path) as source:
        for _ in range(20):
            for _ in range(dice.randrange(1, 6)):
                lines = [b"line %06d" % at for at in range(number, number + dice.randrange(1, 200))]
                number += len(lines)
                append(path, lines)
                if dice.random() < 0.7:
                    source.poll()
            for old in range(8, 0, -1):
                if (tmp_path / f"app.log.{old}").exists():
                    (tmp_path / f"app.log.{old}").rename(tmp_path / f"app.log.{old + 1}")
            if how == "rename":
                path.rename(tmp_path / "app.log.1")
            else:
                shutil.copy(path, tmp_path / "app.log.1")
                os.truncate(path, 0)
        append(path, [b"line %06d" % number])
        assert content(source).split(b"\n")[:-1] == [b"line %06d" % at for at in range(number + 1)]


@pytest.mark.parametrize("follow", [False, True])
def test_shrinking_at_two_hundred_random_moments_gives_true_bytes_or_none(tmp_path: Path, follow: bool) -> None:
    path, dice = tmp_path / "app.log", random.Random(11)
    text = b"".join(b"line %06d of it\n" % number for number in range(2_000))
    for _ in range(200):
        path.write_bytes(text)
        with open_source(SourceSpec("app.log", "file", path), follow=follow) as source:
            place, moment, size = 0, dice.randrange(20), dice.randrange(len(text))
            for turn in range(20):
                if turn == moment:
                    os.truncate(path, size)
                piece = source.pread(2_000, place)
                source.poll()
                if follow:  # where the text is gone, blanks and a line end stand for it
                    same = zip(piece, text[place:], strict=False)
                    assert turn >= moment or all(ours == its for ours, its in same)
                else:
                    assert piece == text[place : place + len(piece)]
                place += len(piece)
            assert source.size() <= len(text) + size + 1


@contextmanager
def _as_nobody() -> Iterator[None]:
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can become another")
def test_a_permission_that_comes_later_is_waited_for() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            with _as_nobody():
                folder.stat()
        except PermissionError:
            pytest.skip("others may not come here")
        path = folder / "app.log"
        append(path, [b"one"])
        path.chmod(0o644)
        path.chmod(0)
        with _as_nobody(), followed(path) as source:
            assert [said.partition(": ")[2] for said in source.notices()] == ["Permission denied; waiting for it"]
            assert content(source) == b""
            with _as_root():
                path.chmod(0o644)
            assert content(source) == b"one\n"
            with _as_root():
                path.rename(folder / "app.log.1")
                append(path, [b"two"])
                path.chmod(0o600)
            assert content(source) == b"one\n"
            assert content(source) == b"one\n"
            told = source.notices()
            assert [said for said in told if "Permission denied; waiting for it" in said] == told
            assert len(told) == 1
            with _as_root():
                path.chmod(0o644)
            assert content(source) == b"one\ntwo\n"


@contextmanager
def _as_root() -> Iterator[None]:
    os.seteuid(0)
    try:
        yield
    finally:
        os.seteuid(65534)


def test_a_clock_that_is_set_back_loses_and_repeats_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "app.log"
    append(path, [b"one"])
    writer = SpoolWriter("syslog+tcp://127.0.0.1:5514", retention=Retention(seconds=600))
    with followed(path) as source:
        assert content(source) == b"one\n"
        writer.add(spool_line(stamp("127.0.0.1"), b"<13>one", ""), 1)
        writer.flush()
        real, real_ns = time.time, time.time_ns
        monkeypatch.setattr(time, "time", lambda: real() - 3600)
        monkeypatch.setattr(time, "time_ns", lambda: real_ns() - 3600 * 10**9)
        append(path, [b"two"])
        os.utime(path, (time.time(), time.time()))
        writer.add(spool_line(stamp("127.0.0.1"), b"<13>two", ""), 1)
        writer.flush()
        assert content(source) == b"one\ntwo\n"
    writer.close()
    lines = [segment_path(writer.folder, number).read_bytes() for number in segment_numbers(writer.folder)]
    first, second = b"".join(lines).splitlines()
    assert (first.rpartition(b">")[2], second.rpartition(b">")[2]) == (b"one", b"two")
    assert int(first.split()[0]) - int(second.split()[0]) > 3_500_000_000
    assert writer.counters()["received"] == writer.counters()["stored"] == 2
