"""Files, compressed and recoded ones, pipes: what is read of good and bad input."""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from logscope.errors import SourceError, UsageError
from logscope.sources.base import SourceSpec
from logscope.sources.opening import open_source
from logscope.sources.scratch import CopyLimits
from tests.unit.sources.conftest import content, read_out, until

TEXT = b"".join(b"line %d of a log that is long enough\n" % number for number in range(20_000))


def spec(path: Path) -> SourceSpec:
    return SourceSpec(path.name, "file", path)


def put(path: Path, data: bytes) -> SourceSpec:
    path.write_bytes(data)
    return spec(path)


def test_a_plain_file(tmp_path: Path) -> None:
    with open_source(put(tmp_path / "a.log", b"\xef\xbb\xbfone\ntwo\n")) as source:
        assert content(source) == b"one\ntwo\n"
        assert source.finished()
        assert source.pread(3, 4) == b"two"
        assert source.pread(10, 8) == b""
        assert source.mtime_us == (tmp_path / "a.log").stat().st_mtime_ns // 1000


def test_a_file_that_shrinks_gives_short_reads_and_a_notice(tmp_path: Path) -> None:
    with open_source(put(tmp_path / "a.log", b"x" * 1000)) as source:
        os.truncate(tmp_path / "a.log", 10)
        assert source.pread(1000, 0) == b"x" * 10
        assert source.poll()
        assert source.size() == 10
        assert "shrank" in source.notices()[0]
        (tmp_path / "a.log").unlink()
        assert source.pread(5, 0) == b"x" * 5


@pytest.mark.parametrize("members", [1, 3])
def test_gzip(tmp_path: Path, members: int) -> None:
    data = b"".join(gzip.compress(TEXT) for _ in range(members)) + b"\0" * 512
    source = open_source(put(tmp_path / "a.log.gz", data))
    assert read_out(source) == TEXT * members
    assert source.notices() == []
    assert source.mtime_us == (tmp_path / "a.log.gz").stat().st_mtime_ns // 1000


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda data: data[: len(data) // 2], "truncated"),
        (lambda data: data[:-3], "truncated"),
        (lambda data: data + b"trailing garbage", "passed over"),
        (lambda data: data[:-8] + b"\1\2\3\4" + data[-4:], "damaged"),
        (lambda data: data[:5000] + b"\xff" * 200 + data[5200:], "damaged"),
    ],
)
def test_gzip_that_is_damaged_gives_what_comes_before(tmp_path: Path, damage: object, word: str) -> None:
    source = open_source(put(tmp_path / "a.log.gz", damage(gzip.compress(TEXT))))  # type: ignore[operator]
    got = read_out(source)
    assert got[:10_000] == TEXT[:10_000]
    (told,) = [*source.notices(), *map(str, source.failures())]
    assert told.startswith("a.log.gz: ")
    assert word in told


def test_a_bomb_is_stopped(tmp_path: Path) -> None:
    source = open_source(
        put(tmp_path / "a.gz", gzip.compress(bytes(40 << 20))), limits=CopyLimits(ratio=100, ratio_from=4 << 20)
    )
    assert len(read_out(source)) <= 6 << 20
    (failure,) = source.failures()
    assert "expands more than 100 times" in str(failure)


def test_lines_that_are_too_much_alike_for_gzip_are_a_bomb(tmp_path: Path) -> None:
    limits = CopyLimits(ratio_from=4 << 20)
    source = open_source(
        put(tmp_path / "a.gz", gzip.compress(b"INFO heartbeat of the service is fine\n" * 300_000)), limits=limits
    )
    assert 4 << 20 <= len(read_out(source)) <= 6 << 20
    assert "expands more than 200 times" in str(source.failures()[0])
    ticking = b"".join(b"2026-11-01T10:%02d:%02dZ INFO heartbeat\n" % (n // 60 % 60, n % 60) for n in range(200_000))
    source = open_source(put(tmp_path / "b.gz", gzip.compress(ticking)), limits=limits)
    assert read_out(source) == ticking


def test_no_room_is_said(tmp_path: Path) -> None:
    limits = CopyLimits(free_floor=1 << 60, memory=0)
    source = open_source(put(tmp_path / "a.gz", gzip.compress(TEXT)), limits=limits)
    assert read_out(source) == b""
    (failure,) = source.failures()
    assert "MiB are free" in failure.message


def test_the_copy_is_private_and_has_no_name(tmp_path: Path) -> None:
    with open_source(put(tmp_path / "a.gz", gzip.compress(TEXT)), limits=CopyLimits(memory=100)) as source:
        until(source.finished)
        assert content(source) == TEXT
        folder = tmp_path / "state/logscope/spool/tmp"
        assert list(folder.iterdir()) == []
        assert folder.stat().st_mode & 0o777 == 0o700


def test_gz_by_name_only_and_binary_are_read_with_a_word(tmp_path: Path) -> None:
    with open_source(put(tmp_path / "a.gz", b"no gzip\n")) as source:
        assert content(source) == b"no gzip\n"
        assert "not gzip" in source.notices()[0]
    with open_source(put(tmp_path / "a.bin", bytes(range(256)))) as source:
        assert "binary" in source.notices()[0]
    with pytest.raises(SourceError, match="7z is not read; decompress it first"):
        open_source(put(tmp_path / "a.7z", b"7z\xbc\xaf\x27\x1c..."))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_told_by_its_zeros(tmp_path: Path, encoding: str) -> None:
    text = "2026-11-01T10:00:00Z INFO größe 5 €\n" * 20
    source = open_source(put(tmp_path / "a.log", text.encode(encoding)))
    assert read_out(source).decode() == text
    with open_source(put(tmp_path / "b.log", b"a line\n" + bytes(500))) as holed:
        assert content(holed) == b"a line\n" + bytes(500)


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="needs /proc")
def test_files_that_state_no_size_are_read() -> None:
    with open_source(SourceSpec("/proc/self/status", "file", Path("/proc/self/status"))) as source:
        until(source.finished)
        assert b"Name:" in content(source)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-be", "latin-1"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    path = put(tmp_path / "a.log", "größe 5 €\n".replace("€", "x" if encoding == "latin-1" else "€").encode(encoding))
    forced = None if encoding in ("utf-16", "utf-32") else encoding
    source = open_source(path, encoding=forced)
    assert read_out(source).decode().startswith("größe 5 ")


def test_an_unknown_encoding(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--encoding"):
        open_source(put(tmp_path / "a.log", b""), encoding="klingon")


def test_a_fifo_is_never_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    started = time.monotonic()
    source = open_source(spec(path))
    assert time.monotonic() - started < 1
    assert source.kind == "stream"
    writer = threading.Thread(target=lambda: path.write_bytes(TEXT))
    writer.start()
    assert read_out(source) == TEXT
    writer.join()


def test_a_process_substitution_that_has_already_ended() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    source = open_source(SourceSpec("/dev/fd", "file", Path(f"/dev/fd/{reading}")))
    assert read_out(source) == b""
    os.close(reading)


def test_standard_input(tmp_path: Path) -> None:
    code = (
        "from logscope.sources.discover import expand\nfrom logscope.sources.opening import open_source\n"
        "from logscope.sources.streams import keyboard_from_terminal, stdin_is_pipe\n"
        "spec, = expand([], stdin_is_pipe=stdin_is_pipe()).specs\n"
        "keyboard_from_terminal()\n"
        "s = open_source(spec)\ns.wait()\nprint(s.kind, s.size(), s.name)"
    )
    out = subprocess.run([sys.executable, "-c", code], input=TEXT, capture_output=True, check=True, timeout=30)
    assert out.stdout.split() == [b"stream", b"%d" % len(TEXT), b"-"]


def test_what_is_no_log(tmp_path: Path) -> None:
    address = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        for path, word in ((Path("/dev/zero"), "device"), (address, "socket"), (tmp_path, "folder"),
                           (tmp_path / "missing", "No such file")):  # fmt: skip
            with pytest.raises(SourceError, match=word) as caught:
                open_source(SourceSpec(str(path), "file", path))
            assert caught.value.mend


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_without_permission(tmp_path: Path) -> None:
    path = put(tmp_path / "a.log", b"x")
    (tmp_path / "a.log").chmod(0)
    with pytest.raises(SourceError, match="Permission denied"):
        open_source(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("INFO größe und Straße, Café geöffnet\n".encode("latin-1"), True),
        ("INFO größe und Straße, Café geöffnet\n".encode(), False),
        ("INFO größe und Straße, Café ge".encode() + b"\xc3", False),  # cut within a letter
        (b"INFO one stray \xff byte\n", False),
        (b"INFO plain\n", False),
    ],
)
def test_letters_that_are_no_utf8_are_said_with_the_option_that_shows_them(
    tmp_path: Path, text: bytes, told: bool
) -> None:
    with open_source(put(tmp_path / "a.log", text)) as source:
        assert any("--encoding latin-1" in one for one in source.notices()) == told
