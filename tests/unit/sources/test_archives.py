"""Members of archives as sources: tar of every kind, compressed or not, zip; bad ones and hostile ones."""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import os
import random
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.errors import SourceError
from logscope.sources.archives import open_archive
from logscope.sources.discover import Expansion, expand
from logscope.sources.opening import open_source
from logscope.sources.scratch import CopyLimits
from logscope.sources.tar import Damaged, PieceStream, tar_members
from tests.unit.sources.conftest import read_out

LINES = b"2026-11-01T10:00:00Z INFO one\n2026-11-01T10:00:01Z WARN two\n" * 200
Packed = Callable[[bytes], bytes]
FDS = Path("/proc/self/fd")
PACK: dict[str, Packed] = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tar.xz": lambda data: lzma.compress(data, preset=0),
    "tar.zst": zstd.compress,
    "tgz": gzip.compress,
}


def tar_of(members: Sequence[tuple[str | tarfile.TarInfo, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, data in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(data)
            info.mtime = info.mtime or 1_700_000_000
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def zip_of(members: Sequence[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def put(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def read_all(found: Expansion, encoding: str | None = None) -> tuple[dict[str, bytes], list[str]]:
    """The text of every source by the name behind `!`, and what went wrong."""
    wrong = [str(error) for error in found.errors]
    texts = {}
    sources = [(spec, open_source(spec, encoding=encoding)) for spec in found.specs]
    for spec, source in sources:
        texts[spec.name.split("!", 1)[1]] = read_out(source)
        wrong += map(str, source.failures())
    return texts, wrong


def special(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


@pytest.mark.parametrize("ending", PACK)
def test_members_of_a_tar_are_sources(tmp_path: Path, ending: str) -> None:
    data = tar_of([("var/log/a.log", LINES), ("var/log/b.log.gz", gzip.compress(LINES[:600])), ("c.log", b"")])
    name = put(tmp_path / f"logs.{ending}", PACK[ending](data))
    found = expand([name], stdin_is_pipe=False)
    assert [spec.name for spec in found.specs] == [
        f"{name}!{member}" for member in ("c.log", "var/log/a.log", "var/log/b.log.gz")
    ]
    texts, wrong = read_all(found)
    assert texts == {"var/log/a.log": LINES, "var/log/b.log.gz": LINES[:600], "c.log": b""}
    assert wrong == found.notices == []


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_of_a_zip_are_sources(tmp_path: Path, method: int) -> None:
    data = zip_of([("a.log", LINES), ("d/", b""), ("d/b.log.zst", zstd.compress(LINES))], method)
    texts, wrong = read_all(expand([put(tmp_path / "logs.zip", data)], stdin_is_pipe=False))
    assert texts == {"a.log": LINES, "d/b.log.zst": LINES}
    assert wrong == []


def test_what_an_archive_is_called_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    put(tmp_path / "d/support.bin", gzip.compress(tar_of([("a.log", LINES)])))
    put(tmp_path / "d/bundle", zip_of([("a.log", LINES)]))
    found = expand([str(tmp_path / "d")], stdin_is_pipe=False)
    assert [spec.name.rsplit("/", 1)[1] for spec in found.specs] == ["bundle!a.log", "support.bin!a.log"]
    assert read_all(found)[1] == []


names = st.text(st.characters(codec="utf-8", exclude_characters="\0/."), min_size=1, max_size=150)


@settings(max_examples=60)
@given(
    members=st.lists(st.tuples(names, st.binary(max_size=2000)), max_size=6, unique_by=lambda member: member[0]),
    form=st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    pieces=st.integers(1, 3000),
)
def test_tar_is_read_as_the_standard_library_writes_it(
    members: list[tuple[str, bytes]], form: int, pieces: int
) -> None:
    if form == tarfile.USTAR_FORMAT:
        members = [(name, data) for name, data in members if len(name.encode()) <= 100]
    data = tar_of(members, form)
    stream = PieceStream(data[at : at + pieces] for at in range(0, len(data), pieces))
    got = [(member.name, stream.read(member.size)) for member in tar_members(stream)]
    assert got == members


@settings(max_examples=150)
@given(cut=st.floats(0, 1), junk=st.binary(max_size=20), place=st.floats(0, 1))
def test_a_bad_tar_ends_in_one_word(cut: float, junk: bytes, place: float) -> None:
    data = tar_of([("a" * 120, LINES[:700]), ("b", b"x" * 600)])
    at = int(place * len(data))
    data = (data[:at] + junk + data[at + len(junk) :])[: int(cut * len(data)) + 1]
    stream = PieceStream([data])
    with contextlib.suppress(Damaged):
        for member in tar_members(stream):
            assert len(stream.read(min(member.size, 1 << 20))) <= len(data)


@pytest.mark.parametrize("ending", PACK)
def test_a_cut_tar_gives_what_is_there(tmp_path: Path, ending: str) -> None:
    whole = tar_of([("a.log", LINES), ("b.log", os.urandom(200_000).hex().encode())])
    data = PACK[ending](whole)[: len(PACK[ending](whole)) * 2 // 3]
    found = expand([put(tmp_path / f"x.{ending}", data)], stdin_is_pipe=False)
    texts, wrong = read_all(found)
    assert texts["a.log"] == LINES
    assert 0 < len(texts["b.log"]) < 400_000
    assert any("damaged tar archive: it ends within b.log" in text or "is truncated" in text for text in wrong)


def test_nothing_that_an_archive_names_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w").mkdir()
    monkeypatch.chdir(tmp_path / "w")
    evil = "../evil.log"
    members = [
        (evil, LINES),
        ("/tmp/logscope-evil.log", LINES),
        special("etc", tarfile.SYMTYPE, "/etc"),
        special("etc/shadow", tarfile.LNKTYPE, "/etc/shadow"),
        special("null", tarfile.CHRTYPE),
        special("fifo", tarfile.FIFOTYPE),
    ]
    for name, data in (("x.tar", tar_of(members)), ("x.zip", zip_of([(evil, LINES), ("/abs.log", LINES)]))):
        found = expand([put(tmp_path / "w" / name, data)], stdin_is_pipe=False)
        texts, wrong = read_all(found)
        assert texts[evil] == LINES
        assert wrong == []
        if name == "x.tar":
            assert "skipped 4 special" in found.notices[0]
    assert sorted(path.name for path in tmp_path.rglob("*.log")) == []
    assert not Path("/tmp/logscope-evil.log").exists()


def test_names_that_come_twice_are_two_sources(tmp_path: Path) -> None:
    data = tar_of([("a.log", b"one\n"), ("a.log", b"two\n")])
    found = expand([put(tmp_path / "x.tar", data)], stdin_is_pipe=False)
    assert read_all(found)[0] == {"a.log": b"one\n", "a.log#2": b"two\n"}
    assert "more than once" in found.notices[0]


def test_binary_members_documents_and_archives_are_passed_over(tmp_path: Path) -> None:
    inner = tar_of([("deep.log", LINES)])
    members = [
        ("a.log", LINES), ("prog", b"\x7fELF" + bytes(100)), ("README.md", b"# x\n"), ("in.tar", inner),
        ("in.tar.gz", gzip.compress(inner)), ("in.zip", zip_of([("b.log", LINES)])), (".hidden", LINES),
    ]  # fmt: skip
    for name, data in (
        ("x.tar", tar_of(members)),
        ("x.tar.gz", gzip.compress(tar_of(members))),
        ("x.zip", zip_of(members)),
    ):
        found = expand([put(tmp_path / name, data)], stdin_is_pipe=False)
        assert [spec.member for spec in found.specs] == ["a.log"]
        assert any("skipped 1 binary: prog" in text for text in found.notices)
        assert any("documents" in text for text in found.notices)
        assert any(text.endswith("in.tar, in.tar.gz, in.zip") for text in found.notices)
        read_all(found)


@pytest.mark.parametrize("name", ["x.tar.gz", "x.zip"])
def test_members_can_be_named(tmp_path: Path, name: str) -> None:
    members = [("d/a.log", LINES), ("d/b.log", b"b\n"), ("c.txt", b"c\n"), ("tool.bin", b"\x7fELF" + bytes(50))]
    data = zip_of(members) if name == "x.zip" else gzip.compress(tar_of(members))
    path = put(tmp_path / name, data)

    def found(pattern: str) -> list[str | None]:
        expansion = expand([f"{path}!{pattern}"], stdin_is_pipe=False)
        assert expansion.errors == []
        read_all(expansion)
        return [spec.member for spec in expansion.specs]

    assert found("d/b.log") == ["d/b.log"]
    assert found("b.log") == ["d/b.log"]
    assert found("*.log") == ["d/a.log", "d/b.log"]
    assert found("tool.bin") == ["tool.bin"]
    everything = expand([f"{tmp_path}/x.*!*.txt"], stdin_is_pipe=False)
    assert [spec.member for spec in everything.specs] == ["c.txt"]
    read_all(everything)
    wrong = expand([f"{path}!d/bb.log"], stdin_is_pipe=False)
    assert "no member d/bb.log in this archive; it holds d/b.log, d/a.log" in str(wrong.errors[0])
    same = expand([path, f"{path}!b.log"], stdin_is_pipe=False)
    assert [spec.member for spec in same.specs] == ["c.txt", "d/a.log", "d/b.log"]
    read_all(same)


def test_how_far_the_members_of_a_compressed_tar_are_looked_for_is_told(tmp_path: Path) -> None:
    path = put(tmp_path / "x.tar.gz", gzip.compress(tar_of([("a.log", b"one\n" * 100)])))
    heard: list[tuple[str, int, int]] = []
    expand([path], stdin_is_pipe=False, told=lambda *one: heard.append(one)).close()
    size = (tmp_path / "x.tar.gz").stat().st_size
    assert heard[-1] == (path, size, size)


def test_what_is_no_archive_has_no_members(tmp_path: Path) -> None:
    path = put(tmp_path / "a.log", LINES)
    assert "is no archive; name the file" in str(expand([f"{path}!x"], stdin_is_pipe=False).errors[0])


ENCRYPTED = bytes.fromhex(
    "504b03040a00090000000000210000000000180000000c000000050000006d2e6c6f67" + "00" * 24 + "504b0708" + "00" * 4
    + "180000000c000000"
    + "504b01021e030a00090000000000210000000000180000000c0000000500000000000000010000000000000000006d2e6c6f67"
    + "504b0506000000000100010033000000" + "4b000000" + "0000"
)  # fmt: skip


def test_encrypted_members_are_said(tmp_path: Path) -> None:
    found = expand([put(tmp_path / "x.zip", ENCRYPTED)], stdin_is_pipe=False)
    assert found.specs == []
    assert "1 members are encrypted: m.log; unpack it with its password" in str(found.errors[0])


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: data[:-22]])
def test_a_zip_without_its_end_is_said(tmp_path: Path, damage: Packed) -> None:
    found = expand([put(tmp_path / "x.zip", damage(zip_of([("a.log", LINES)])))], stdin_is_pipe=False)
    assert "is a damaged zip archive" in str(found.errors[0])


def test_a_damaged_member_of_a_zip_gives_its_beginning(tmp_path: Path) -> None:
    text = os.urandom(100_000).hex().encode()
    data = bytearray(zip_of([("a.log", text), ("b.log", LINES)]))
    data[80_000:80_100] = bytes(100)
    texts, wrong = read_all(expand([put(tmp_path / "x.zip", bytes(data))], stdin_is_pipe=False))
    assert texts["b.log"] == LINES
    assert text.startswith(texts["a.log"])
    assert "x.zip!a.log: is damaged" in wrong[0]


def test_members_of_a_zip_without_a_name_are_left_out_and_said(tmp_path: Path) -> None:
    data = zip_of([("x.log", LINES), ("b.log", LINES)]).replace(b"x.log", b"\0.log")
    texts, wrong = read_all(expand([put(tmp_path / "x.zip", data)], stdin_is_pipe=False))
    assert texts == {"b.log": LINES}
    assert "has members without a name (1)" in wrong[0]


def test_a_zip64_is_read(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, archive.open("a.log", "w", force_zip64=True) as member:
        member.write(LINES)
    assert read_all(expand([put(tmp_path / "x.zip", file.getvalue())], stdin_is_pipe=False))[0] == {"a.log": LINES}


@pytest.mark.parametrize("name", ["x.tar.gz", "x.tar.zst", "x.zip"])
def test_bombs_in_archives_are_stopped(tmp_path: Path, name: str) -> None:
    members = [("a.log", LINES), ("bomb.log", LINES[:1000] + b"0" * (48 << 20))]
    data = zip_of(members) if name == "x.zip" else PACK[name[2:]](tar_of(members))
    path = tmp_path / name
    path.write_bytes(data)
    limits = CopyLimits(ratio=100, ratio_from=4 << 20)
    archive = open_archive(path, name, data[:8192], limits)
    assert archive is not None
    wrong = list(archive.errors)
    for source in [open_source(spec) for spec in archive.specs()]:
        text = read_out(source)
        assert len(text) <= 8 << 20
        wrong += source.failures()
    assert "expands more than 100 times" in str(wrong[0])


def test_small_bombs_are_counted_together(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(3 << 20))
    data = tar_of([(f"{number}.log.gz", bomb) for number in range(10)])
    path = tmp_path / "x.tar"
    path.write_bytes(data)
    archive = open_archive(path, "x.tar", data[:8192], CopyLimits(ratio=200, ratio_from=4 << 20))
    assert archive is not None
    sources = [open_source(spec) for spec in archive.specs()]
    assert sum(len(read_out(source)) for source in sources) <= 200 * len(data) + (1 << 20)
    assert "expands more than 200 times" in str(next(each for source in sources for each in source.failures()))


def test_a_search_for_members_can_be_ended(tmp_path: Path) -> None:
    noise = [(f"{number}.log", random.Random(number).randbytes(1 << 20).hex().encode()) for number in range(6)]
    data = PACK["tar.gz"](tar_of(noise))
    path = tmp_path / "x.tar.gz"
    path.write_bytes(data)
    asked: list[int] = []

    def told(name: str, read: int, size: int) -> bool:
        asked.append(read)
        return read < size // 2

    archive = open_archive(path, "x.tar.gz", data[:8192], CopyLimits(told=told))
    assert archive is not None
    assert asked[-1] < len(data)
    names = [spec.name for spec in archive.specs()]
    assert 1 <= len(names) < 6
    assert "was stopped after" in str(archive.errors[0])
    assert read_out(open_source(archive.specs()[0])) == noise[0][1]
    for spec in archive.specs()[1:]:
        open_source(spec).close()


def test_members_are_read_up_to_a_number(tmp_path: Path) -> None:
    members = [(f"{number}.log", b"x\n") for number in range(50)]
    for name, data in (("x.tar", tar_of(members)), ("x.zip", zip_of(members))):
        path = tmp_path / name
        path.write_bytes(data)
        archive = open_archive(path, name, data[:8192], CopyLimits(members=20))
        assert archive is not None
        assert len(archive.specs()) == 20
        assert f"has 20 members and more; those are read; name the ones you want: '{name}!GLOB'" in str(
            archive.errors[0]
        )
        archive.close()


def test_a_thousand_compressed_members_need_no_thousand_files(tmp_path: Path) -> None:
    data = zip_of([(f"{number}.log.gz", gzip.compress(b"line %d\n" % number)) for number in range(1000)])
    before = len(list(FDS.iterdir())) if FDS.exists() else 0
    found = expand([put(tmp_path / "x.zip", data)], stdin_is_pipe=False)
    sources = [open_source(spec) for spec in found.specs]
    if before:
        assert len(list(FDS.iterdir())) <= before + 4
    assert [read_out(source) for source in sources] == [b"line %d\n" % number for number in range(1000)]
    if before:
        assert len(list(FDS.iterdir())) == before


def test_encodings_within_archives(tmp_path: Path) -> None:
    text = "2026-11-01 größe\n" * 20
    for name, data in (
        ("x.zip", zip_of([("a.log", text.encode("utf-16"))])),
        ("x.tar", tar_of([("a.log", text.encode("utf-16"))])),
    ):
        assert read_all(expand([put(tmp_path / name, data)], stdin_is_pipe=False))[0] == {"a.log": text.encode()}
    latin = put(tmp_path / "y.tar", tar_of([("a.log", text.encode("latin-1"))]))
    assert read_all(expand([latin], stdin_is_pipe=False), "latin-1")[0] == {"a.log": text.encode()}


def test_a_header_that_states_a_gigabyte_is_not_read_whole() -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    with pytest.raises(Damaged, match="a name or a header of 1073741824 bytes"):
        list(tar_members(PieceStream([info.tobuf(tarfile.GNU_FORMAT), bytes(1000)])))


def test_an_empty_archive_is_an_error(tmp_path: Path) -> None:
    for name, data in (("x.zip", zip_of([])), ("y.tar", tar_of([special("d", tarfile.DIRTYPE)]))):
        with pytest.raises(SourceError, match="no logs in this archive"):
            raise expand([put(tmp_path / name, data)], stdin_is_pipe=False).errors[0]
