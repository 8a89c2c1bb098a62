"""Files with holes: what nobody wrote is left out, whatever it was that left it (case E03)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from logscope.sources import holes
from logscope.sources.base import SourceSpec
from logscope.sources.discover import expand
from logscope.sources.opening import open_source
from tests.unit.sources.conftest import content

GIB = 1 << 30


def put(path: Path, *parts: bytes | int) -> SourceSpec:
    """A file of texts and holes of so many bytes."""
    with path.open("wb") as file:
        for part in parts:
            if isinstance(part, bytes):
                file.write(part)
            else:
                file.seek(part, os.SEEK_CUR)
        file.truncate()
    if path.stat().st_blocks * 512 >= path.stat().st_size:
        pytest.skip("no holes on this file system")
    return SourceSpec(path.name, "file", path)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ((b"one\n", GIB, b"two\n"), b"one\ntwo\n"),
        ((GIB, b"two\n", GIB), b"two\n"),
        ((b"torn", GIB, b"\ntwo\n"), b"torn\n\ntwo\n"),
        ((b"\xef\xbb\xbfone\n", GIB, b"two", GIB, b"three\n"), b"one\ntwo\nthree\n"),
        ((b"a\0b\n", GIB), b"a\0b\n"),
        ((GIB,), b""),
    ],
)
def test_what_nobody_wrote_is_left_out(tmp_path: Path, parts: tuple[bytes | int, ...], text: bytes) -> None:
    with open_source(put(tmp_path / "a.log", *parts)) as source:
        assert source.size() == len(text)
        assert content(source) == text
        assert [source.pread(3, at) for at in range(len(text) + 1)] == [
            text[at : at + 3] for at in range(len(text) + 1)
        ]
        assert any("has holes" in said and "are left out" in said for said in source.notices())
        assert source.identity is None
        os.truncate(tmp_path / "a.log", 2)
        assert source.poll()
        assert content(source) == text[: source.size()]
        assert source.size() <= 2


def test_small_runs_of_nuls_are_text(tmp_path: Path) -> None:
    text = b"a" + bytes(3000) + b"\n"
    (tmp_path / "a.log").write_bytes(text)
    with open_source(SourceSpec("a.log", "file", tmp_path / "a.log")) as source:
        assert content(source) == text


def test_a_writer_that_does_not_append_goes_on_behind_a_hole_when_its_file_is_truncated(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    with path.open("wb", buffering=0) as writer:
        writer.write(b"x" * 99_999 + b"\n")
        with open_source(SourceSpec("a.log", "file", path), follow=True) as source:
            source.poll()
            shutil.copy(path, tmp_path / "a.log.1")
            os.truncate(path, 0)
            writer.write(b"two\n")
            assert path.stat().st_size == 100_004
            assert content(source).endswith(b"x\ntwo\n")
            writer.write(b"three\n")
            assert content(source).endswith(b"x\ntwo\nthree\n")
            assert source.size() == 100_000 + len("two\nthree\n")


def test_space_that_was_allocated_beforehand_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    put(path, b"one\n", GIB)
    with open_source(SourceSpec("a.log", "file", path), follow=True) as source, path.open("r+b", buffering=0) as file:
        assert content(source) == b"one\n"
        file.seek(4)
        file.write(b"two\n")
        assert content(source) == b"one\ntwo\n"
        file.write(b"y" * 10_000 + b"\n")
        assert content(source) == b"one\ntwo\n" + b"y" * 10_000 + b"\n"


def test_a_file_system_that_calls_data_a_hole_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"line\n" * 10_000)
    real = os.lseek
    monkeypatch.setattr(
        holes.os, "lseek", lambda fd, at, how: path.stat().st_size if how == os.SEEK_DATA else real(fd, at, how)
    )
    with open_source(SourceSpec("a.log", "file", path)) as source:
        assert content(source) == b"line\n" * 10_000


def test_a_folder_takes_a_log_that_begins_with_a_hole(tmp_path: Path) -> None:
    put(tmp_path / "a.log", 50_000, b"one\n")
    expansion = expand([str(tmp_path)], stdin_is_pipe=False)
    assert [spec.name for spec in expansion.specs] == [str(tmp_path / "a.log")]
    with open_source(expansion.specs[0]) as source:
        assert content(source) == b"one\n"
        assert not any("binary" in said for said in source.notices())
