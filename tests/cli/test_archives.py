"""Compressed files and archives on the command line: what is read, what is said, and how it ends."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest
from backports import zstd

from tests.cli.conftest import Command
from tests.cli.process import Program

LINES = b"".join(b"2026-11-01T10:00:%02dZ INFO line %d %d\n" % (n // 10, n, n * 7919) for n in range(500))
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd.compress,
    "lz4": lz4.frame.compress,
}


def tar(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archives") / "logs.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for kind, compress in COMPRESS.items():
            file.writestr(f"{kind}/app.log.{kind}", compress(LINES))
        file.writestr("app.log", LINES)
        file.writestr("nested.tar", tar(("a.log", LINES)))
    return path


def test_members_are_sources_in_all_output(command: Command, archive: Path) -> None:
    result = command("stats", archive, "--json")
    assert result.code == 0, result.talk
    assert {source["source"]: source["records"] for source in result.objects} == {
        f"{archive}!{name}": 500 for name in [*(f"{kind}/app.log.{kind}" for kind in COMPRESS), "app.log"]
    }
    assert "archives in archives are not read, unpack it to read them: nested.tar" in result.talk
    one = command("query", "line", f"{archive}!zst/*", "--json", "--tail", "1")
    assert [(record["source"], record["line"]) for record in one.objects] == [(f"{archive}!zst/app.log.zst", 500)]


@pytest.mark.parametrize("kind", COMPRESS)
def test_a_pipe_may_be_compressed(logscope: Program, kind: str) -> None:
    result = logscope("query", "", "-", "--json", stdin=COMPRESS[kind](LINES))
    assert result.code == 0, result.talk
    assert len(result.objects) == 500


def test_a_piped_archive_is_refused(logscope: Program) -> None:
    result = logscope("query", "", "-", "--json", stdin=gzip.compress(tar(("a.log", LINES))))
    assert (result.code, result.out) == (1, b"")
    assert "-: is an archive, whose members cannot be told apart in a stream; name the archive's file" in result.talk


@pytest.mark.parametrize("kind", COMPRESS)
def test_a_truncated_file_is_an_error_and_the_others_are_read(command: Command, tmp_path: Path, kind: str) -> None:
    bad, good = tmp_path / f"bad.log.{kind}", tmp_path / "good.log"
    whole = COMPRESS[kind](LINES)
    bad.write_bytes(whole[:-10])
    good.write_bytes(LINES)
    result = command("query", "", bad, good, "--json")
    assert result.code == 1
    assert f"bad.log.{kind}: is truncated" in result.talk
    sources = [record["source"] for record in result.objects]
    assert sources.count(str(good)) == 500
    assert kind in ("bz2", "zst", "lz4") or sources.count(str(bad)) > 0


def test_a_cold_filter_says_too_what_could_not_be_read(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "cut.log.gz"
    path.write_bytes(gzip.compress(LINES)[:3000])
    result = command("query", '"line 1 7919"', path, "--json")
    assert result.code == 1
    assert len(result.objects) == 1


def test_a_bad_archive_does_not_stop_the_others(command: Command, tmp_path: Path) -> None:
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04" + bytes(100))
    (tmp_path / "good.tar.gz").write_bytes(gzip.compress(tar(("a.log", LINES))))
    result = command("query", "", tmp_path / "cut.zip", tmp_path / "good.tar.gz", "--json", "--limit", "1")
    assert result.code == 1
    assert "cut.zip: is a damaged zip archive: " in result.talk
    assert result.objects[0]["source"].endswith("good.tar.gz!a.log")


def test_nothing_is_left_behind(logscope: Program, archive: Path) -> None:
    assert logscope("query", "", archive, "--json").code == 0
    tmp = logscope.home / "state" / "logscope" / "spool" / "tmp"
    assert not tmp.exists() or list(tmp.iterdir()) == []
