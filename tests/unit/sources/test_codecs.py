"""Every compression as a stream: whole, in several members, cut, damaged, expanding without end."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.errors import SourceError
from logscope.sources.base import SourceSpec
from logscope.sources.codecs import codec_of
from logscope.sources.compressed import decompressed
from logscope.sources.opening import open_source
from logscope.sources.scratch import CopyLimits, check_ratio
from tests.unit.sources.conftest import read_out

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, 1),
    "bz2": lambda data: bz2.compress(data, 1),
    "xz": lambda data: lzma.compress(data, preset=0),
    "zst": zstd.compress,
    "lz4": lz4.frame.compress,
}
NAMES = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd", "lz4": "lz4"}
TEXT = b"".join(b"2026-11-01T10:00:00Z INFO line %d %s\n" % (n, os.urandom(8).hex().encode()) for n in range(40_000))
SKIPPABLE = b"\x50\x2a\x4d\x18" + (20).to_bytes(4, "little") + bytes(20)


class Ear:
    """Hears what is wrong."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.failed: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def fail(self, text: str, mend: str | None = None) -> None:
        self.failed.append(text)

    def check_ratio(self, made: int, taken: int, most: int | None = None) -> None:
        check_ratio(CopyLimits(ratio=100, ratio_from=4 << 20), made, taken, most)


def read(data: bytes, pieces: int = 1 << 16) -> tuple[bytes, Ear]:
    ear = Ear()
    codec = codec_of(data)
    assert codec is not None
    cut = [data[at : at + pieces] for at in range(0, len(data), pieces)]
    return b"".join(decompressed(ear, threading.Event(), cut, codec)), ear


@settings(max_examples=40)
@given(
    kind=st.sampled_from(sorted(COMPRESS)),
    members=st.lists(st.binary(max_size=3000), min_size=1, max_size=4),
    pieces=st.integers(1, 500),
    padding=st.integers(0, 9),
)
def test_what_was_compressed_comes_out_however_it_is_cut(
    kind: str, members: list[bytes], pieces: int, padding: int
) -> None:
    data = b"".join(COMPRESS[kind](member) + bytes(4 * padding) for member in members)
    text, ear = read(data, pieces)
    assert text == b"".join(members)
    assert ear.said == ear.failed == []


@settings(max_examples=40)
@given(kind=st.sampled_from(sorted(COMPRESS)), share=st.floats(0, 1), pieces=st.integers(100, 100_000))
def test_what_is_cut_gives_its_beginning_and_says_so(kind: str, share: float, pieces: int) -> None:
    whole = COMPRESS[kind](TEXT[:200_000])
    data = whole[: max(16, int(share * (len(whole) - 1)))]
    text, ear = read(data, pieces)
    assert TEXT.startswith(text)
    (failure,) = ear.failed
    assert f"is truncated: its {NAMES[kind]} data ends after {len(data)} bytes" in failure


@pytest.mark.parametrize("kind", COMPRESS)
def test_half_a_file_gives_a_third_of_its_text_at_least(kind: str) -> None:
    whole = COMPRESS[kind](TEXT)
    assert len(read(whole[: len(whole) // 2])[0]) > len(TEXT) // 3


@settings(max_examples=60)
@given(kind=st.sampled_from(sorted(COMPRESS)), place=st.floats(0.01, 0.999), junk=st.binary(min_size=1, max_size=40))
def test_damage_never_raises_and_is_said(kind: str, place: float, junk: bytes) -> None:
    whole = COMPRESS[kind](TEXT[:300_000])
    at = int(place * len(whole))
    data = whole[:at] + junk + whole[at + len(junk) :]
    text, ear = read(data)
    # Not all formats check what they hold; what is wrong without being found out is text of the same length.
    assert ear.failed or ear.said or len(text) == 300_000


@pytest.mark.parametrize("kind", COMPRESS)
def test_what_follows_the_last_member_is_passed_over(kind: str) -> None:
    text, ear = read(COMPRESS[kind](TEXT) + b"no compressed data, this")
    assert text == TEXT
    assert "passed over" in ear.said[0]
    assert ear.failed == []


@pytest.mark.parametrize("kind", ["zst", "lz4"])
def test_frames_that_hold_nothing_are_skipped(kind: str) -> None:
    packed = COMPRESS[kind](TEXT)
    for data in (SKIPPABLE + packed + SKIPPABLE + packed, SKIPPABLE * 2 + packed * 2):
        text, ear = read(data, 7777)
        assert text == TEXT * 2
        assert ear.said == ear.failed == []


@pytest.mark.parametrize("kind", COMPRESS)
def test_bombs_are_stopped_before_they_fill_anything(kind: str) -> None:
    data = COMPRESS[kind](bytes(64 << 20))
    codec = codec_of(data)
    assert codec is not None
    stream = decompressed(Ear(), threading.Event(), [data], codec)
    made = 0

    def taken() -> None:
        nonlocal made
        for chunk in stream:
            made += len(chunk)

    with pytest.raises(SourceError, match="expands more than 100 times"):
        taken()
    assert made <= 8 << 20


@pytest.mark.parametrize("kind", COMPRESS)
@pytest.mark.parametrize("name", ["app.log.1", "app.log.{kind}", "app.log.gz"])
def test_files_are_told_by_what_they_hold(tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / name.format(kind=kind)
    path.write_bytes(COMPRESS[kind](TEXT))
    with open_source(SourceSpec(path.name, "file", path)) as source:
        assert read_out(source) == TEXT
        assert source.notices() == source.failures() == []


def test_text_that_begins_like_bzip2_is_text() -> None:
    assert codec_of(b"BZh9 is what bzip2 files begin with\n") is None


@pytest.mark.parametrize("kind", COMPRESS)
def test_what_is_piped_in_may_be_compressed(tmp_path: Path, kind: str) -> None:
    code = (
        "import sys, time\n"
        "from logscope.sources.base import SourceSpec\n"
        "from logscope.sources.opening import open_source\n"
        "source = open_source(SourceSpec('-', 'stream'))\n"
        "while not source.finished(): time.sleep(0.01)\n"
        "sys.stdout.buffer.write(source.pread(source.size(), 0))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=COMPRESS[kind](TEXT), capture_output=True, check=True)
    assert done.stdout == TEXT


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "shift_jis", "gb18030"])
def test_text_in_other_encodings_may_be_compressed(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.log.zst"
    text = "2026-11-01 10:00:00 開始 order=7\n" * 50
    path.write_bytes(zstd.compress(text.encode(encoding)))
    forced = encoding if encoding in ("shift_jis", "gb18030") else None
    with open_source(SourceSpec("a.log.zst", "file", path), encoding=forced) as source:
        assert read_out(source).decode() == text


def test_copies_share_a_quota(tmp_path: Path) -> None:
    path = tmp_path / "a.log.gz"
    path.write_bytes(gzip.compress(TEXT))
    with open_source(SourceSpec("a.log.gz", "file", path), limits=CopyLimits(memory=0, quota=1 << 20)) as source:
        read_out(source)
        (failure,) = source.failures()
        assert "copies would take more than 1 MiB of disk; what was read stays; read fewer sources" in str(failure)
