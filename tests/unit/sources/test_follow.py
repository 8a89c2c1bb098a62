"""Files that grow and are rotated in all the ways there are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from logscope.sources import fileasread, follow
from logscope.sources.base import OpenSource, SourceSpec
from logscope.sources.opening import open_source
from tests.unit.sources.conftest import content, until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "logs/app.log"
    made.parent.mkdir()
    return made


def followed(path: Path) -> OpenSource:
    return open_source(SourceSpec(path.name, "file", path), follow=True)


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_growth(path: Path) -> None:
    append(path, "one\n")
    with followed(path) as source:
        assert content(source) == b"one\n"
        assert not source.poll()
        append(path, "two\nthr")
        assert source.poll()
        assert content(source) == b"one\ntwo\nthr"
        append(path, "ee\n")
        assert content(source) == b"one\ntwo\nthree\n"
        assert not source.finished()


def test_rename_rotation_reads_the_old_to_its_end_and_late_lines_too(path: Path) -> None:
    append(path, "one\n")
    with followed(path) as source:
        with path.open("a") as old:
            path.rename(path.with_name("app.log.1"))
            old.write("two\n")
            old.flush()
            append(path, "four\n")
            assert content(source) == b"one\ntwo\nfour\n"
            old.write("late\npart")
            old.flush()
            assert content(source) == b"one\ntwo\nfour\nlate\n"
            append(path, "five\n")
            assert content(source) == b"one\ntwo\nfour\nlate\nfive\n"
        assert source.pread(9, 4) == b"two\nfour\n"
        assert source.notices() == []


def test_several_rotations_between_two_looks(path: Path) -> None:
    append(path, "0\n")
    with followed(path) as source:
        for number in range(1, 4):
            for old in (3, 2, 1):
                if path.with_name(f"app.log.{old}").exists():
                    path.with_name(f"app.log.{old}").rename(path.with_name(f"app.log.{old + 1}"))
            path.rename(path.with_name("app.log.1"))
            time.sleep(0.01)
            append(path, f"{number}\n")
        assert content(source) == b"0\n1\n2\n3\n"


def test_an_unfinished_line_is_ended_before_the_next_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "PARTIAL_GRACE", 0.05)
    append(path, "half")
    with followed(path) as source:
        path.rename(path.with_name("app.log.1"))
        append(path, "next\n")
        source.poll()
        assert source.pread(100, 0) == b"half"
        time.sleep(0.06)
        assert content(source) == b"half\nnext\n"


def test_copytruncate_keeps_the_text_by_its_copy(path: Path) -> None:
    append(path, "one\ntwo\n")
    with followed(path) as source:
        assert content(source) == b"one\ntwo\n"
        append(path, "three\n")
        shutil.copy(path, path.with_name("app.log.1"))
        os.truncate(path, 0)
        append(path, "four\n")
        assert content(source) == b"one\ntwo\nthree\nfour\n"
        append(path, "five\n")
        assert content(source) == b"one\ntwo\nthree\nfour\nfive\n"
        assert "truncated after it was copied" in source.notices()[0]


@pytest.mark.parametrize("fresh", ["new\n", "new content that is longer than the old\n", "one\nother tail, longer\n"])
def test_truncation_without_a_copy_blanks_what_is_lost(path: Path, fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fileasread, "_KEPT_SECONDS", 0.0)
    append(path, "one\ntwo\n")
    with followed(path) as source:
        content(source)
        assert content(source) == b"one\ntwo\n"
        time.sleep(0.01)
        path.write_text(fresh)
        assert content(source) == b"       \n" + fresh.encode()
        assert "is lost" in source.notices()[0]


@pytest.mark.parametrize("copy", [None, "app.log.old", "elsewhere"])
def test_what_came_just_before_a_truncation_is_there_still(path: Path, copy: str | None) -> None:
    lines = "".join(f"line {number}\n" for number in range(100_000))
    append(path, lines)
    with followed(path) as source:
        source.poll()
        append(path, "the last one\n")
        source.poll()
        if copy:
            shutil.copy(path, path.with_name(copy))
        os.truncate(path, 0)
        append(path, "new\n")
        whole = content(source)
        assert len(whole) == len(lines) + len("the last one\nnew\n")
        assert whole.endswith(b"line 99998\nline 99999\nthe last one\nnew\n")


def test_deleted_and_made_again(path: Path) -> None:
    append(path, "one\n")
    with followed(path) as source:
        path.unlink()
        assert content(source) == b"one\n"
        append(path, "two\n")
        assert content(source) == b"one\ntwo\n"


def test_a_folder_that_goes_and_comes(path: Path) -> None:
    append(path, "one\n")
    with followed(path) as source:
        shutil.rmtree(path.parent)
        assert content(source) == b"one\n"
        path.parent.mkdir()
        append(path, "two\n")
        assert content(source) == b"one\ntwo\n"


def test_absent_at_start(path: Path) -> None:
    with followed(path) as source:
        assert source.size() == 0
        assert "waiting" in source.notices()[0]
        append(path, "\ufeffone\n")
        assert content(source) == b"one\n"


def test_a_link_that_is_switched(path: Path) -> None:
    first, second = path.with_name("0.log"), path.with_name("1.log")
    append(first, "one\n")
    append(second, "two\n")
    path.symlink_to(first.name)
    with followed(path) as source:
        path.unlink()
        path.symlink_to(second.name)
        assert content(source) == b"one\ntwo\n"


def test_a_glob_that_names_the_rotated_file_too_reads_nothing_twice(path: Path) -> None:
    rotated = path.with_name("app.log.1")
    append(rotated, "old\n")
    append(path, "one\n")
    with followed(path) as source, followed(rotated) as other:
        rotated.unlink()
        path.rename(rotated)
        append(path, "two\n")
        assert content(other) == b"old\n"
        assert content(source) == b"one\ntwo\n"
        assert content(other) == b"old\n"


def test_utf16_that_grows(path: Path) -> None:
    path.write_bytes("one\n".encode("utf-16"))
    with followed(path) as source:
        until(lambda: content(source) == b"one\n")
        with path.open("ab") as file:
            file.write("zwei €\n".encode("utf-16-le"))
        until(lambda: content(source) == "one\nzwei €\n".encode())


WRITER = """
import os, sys, time
path = sys.argv[1]
number = 0
for turn in range(6):
    file = open(path, "a", buffering=1)
    for _ in range(500):
        file.write("%d\\n" % number)
        number += 1
        if number % 50 == 0:
            time.sleep(0.01)
    for old in range(8, 0, -1):
        if os.path.exists(f"{path}.{old}"):
            os.rename(f"{path}.{old}", f"{path}.{old + 1}")
    if turn < 5:
        os.rename(path, f"{path}.1")
"""


def test_a_writer_that_rotates_under_way_loses_and_repeats_nothing(path: Path) -> None:
    append(path, "")
    with followed(path) as source, subprocess.Popen([sys.executable, "-c", WRITER, str(path)]) as writer:
        while writer.poll() is None:
            source.poll()
            time.sleep(0.02)
        assert content(source).split() == [b"%d" % number for number in range(3000)]
