"""Indexes kept on disk: what they give is what reading gives, or they are not used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from logscope.engine.api import Cancel
from logscope.engine.loading import indexcache
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.sources.files import FileSource

LINES = [
    f"2026-11-01T10:{n // 60 % 60:02}:{n % 60:02}.{n % 1000:03}Z {('INFO', 'WARN')[n % 2]} [main] a.B - order {n}"
    + ("\n\tat a.B.c(B.java:1)" if n % 7 == 0 else "")
    for n in range(2000)
]


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries for small files too, in a folder of the test's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(indexcache, "LEAST", 100)
    monkeypatch.setattr(indexcache, "_GROWTH", 1)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_text("\n".join(LINES))
    os.utime(path, (1_793_530_000, 1_793_530_000))
    return path


def read(path: Path, monkeypatch: pytest.MonkeyPatch | None = None, **options: object) -> tuple[pl.DataFrame, int]:
    """All records of a file, and how many bytes of it were read for the index."""
    taken = 0
    pread = FileSource.pread

    def counted(self: FileSource, size: int, offset: int) -> bytes:
        nonlocal taken
        found = pread(self, size, offset)
        taken += len(found)
        return found

    session = Session(Options(sources=(str(path),), **options))  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FileSource, "pread", counted)
        session.open()
        session.read_all()
    rows = session.view("", cancel=Cancel()).rows
    names = ["time", "time_from", "level", "line", "format", "raw"]
    frame = session.frames.rows(rows, session.store.view, names)
    (status,) = session.loading.status()
    assert (status.records, status.read) == (frame.height, path.stat().st_size)
    assert status.start == frame["time"].to_physical().min()
    session.close()
    return frame.drop("row"), taken


def fresh(path: Path, **options: object) -> pl.DataFrame:
    return read(path, cache=False, **options)[0]


def entries(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").rglob("*.index"))


def test_a_second_opening_gives_the_same_and_reads_no_more_than_samples(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexcache, "_EDGE", 1000)
    monkeypatch.setattr(indexcache, "_SAMPLE", 100)
    monkeypatch.setattr("logscope.engine.loading.ingest.FIRST_BLOCK", 5000)
    first, all_read = read(log)
    again, some_read = read(log)
    assert first.equals(again)
    assert first.equals(fresh(log))
    assert some_read < all_read / 4
    assert len(entries(tmp_path)) == 1
    assert entries(tmp_path)[0].parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("more", ["\n", "\tat more\n", "\n\tat more\n2026-11-01T11:00:00Z ERROR [m] a.B - new\n", "x"])
def test_a_grown_file_costs_its_growth(log: Path, more: str) -> None:
    read(log)
    with log.open("a") as file:
        file.write(more)
    assert read(log)[0].equals(fresh(log))
    assert read(log)[0].equals(fresh(log))


def test_a_followed_file_begins_where_the_last_reading_ended(log: Path, tmp_path: Path) -> None:
    caught_up = followed(log)
    assert caught_up.equals(fresh(log).head(1998))  # the last two may still grow
    assert len(entries(tmp_path)) == 1
    with log.open("a") as file:
        file.write("\n\tat more\n2026-11-01T11:00:00Z ERROR [m] a.B - new")
    assert read(log)[0].equals(fresh(log))
    whole = followed(log, "2026-11-01T11:00:01Z ERROR [m] a.B - newer\n")
    assert whole.equals(fresh(log).head(2001))


def followed(path: Path, *more: str) -> pl.DataFrame:
    """All records of a file that is followed, and grows once it was read."""
    session = Session(Options(sources=(str(path),), follow=True))
    session.open()
    while not session.loading.loaded:
        session.loading.step()
    for text in more:
        with path.open("a") as file:
            file.write("\n" + text)
        while session.loading.step():
            pass
    rows = session.view("", cancel=Cancel()).rows
    frame = session.frames.rows(rows, session.store.view, ["time", "time_from", "level", "line", "format", "raw"])
    session.close()
    return frame.drop("row")


def _rewritten(path: Path) -> None:
    path.write_text("\n".join(LINES).replace("INFO", "WARN"))


def _other_head_and_longer(path: Path) -> None:
    path.write_text("\n".join(["2026-10-01T10:00:00Z INFO [main] a.B - first", *LINES]))


def _shorter(path: Path) -> None:
    path.write_text("\n".join(LINES[:1500]))


@pytest.mark.parametrize("change", [_rewritten, _other_head_and_longer, _shorter])
def test_a_changed_file_is_read_anew(log: Path, change: object) -> None:
    read(log)
    change(log)  # type: ignore[operator]
    assert read(log)[0].equals(fresh(log))


@pytest.mark.parametrize("options", [{"tz": ("Asia/Tokyo",)}, {"offset": ("*=5s",)}, {"format": ("iso_text",)}])
def test_what_decides_the_index_has_an_entry_of_its_own(log: Path, tmp_path: Path, options: dict[str, object]) -> None:
    read(log)
    assert read(log, **options)[0].equals(fresh(log, **options))
    assert read(log, **options)[0].equals(fresh(log, **options))
    assert len(entries(tmp_path)) == 2


def _damages(whole: bytes) -> Iterator[bytes]:
    yield b""
    yield b"something else"
    yield whole[:-1]
    yield whole[: len(whole) // 2]
    for place in range(0, len(whole), max(1, len(whole) // 40)):
        yield whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]


def test_a_damaged_entry_is_as_good_as_none(log: Path, tmp_path: Path) -> None:
    expected, _ = read(log)
    (entry,) = entries(tmp_path)
    for damaged in _damages(entry.read_bytes()):
        entry.write_bytes(damaged)
        assert read(log)[0].equals(expected)


def test_years_left_out_follow_the_file(tmp_path: Path) -> None:
    path = tmp_path / "syslog"
    path.write_text("".join(f"Nov {n % 28 + 1:2} 10:00:00 host app[1]: message {n}\n" for n in range(500)))
    os.utime(path, (1_793_530_000, 1_793_530_000))
    read(path)
    with path.open("a") as file:
        file.write("Nov  5 10:00:00 host app[1]: message\n" * 3)
    os.utime(path, (1_795_000_000, 1_795_000_000))
    assert read(path)[0].equals(fresh(path))


def test_the_oldest_entries_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        path = tmp_path / f"app-{number}.log"
        path.write_text("\n".join(LINES[number:]))
        read(path)
        if number == 0:
            monkeypatch.setattr(indexcache, "MOST", int(entries(tmp_path)[0].stat().st_size * 2.5))
        for age, entry in enumerate(sorted(entries(tmp_path), key=lambda one: one.stat().st_mtime, reverse=True)):
            os.utime(entry, (2_000_000_000 - age, 2_000_000_000 - age)) if number < 3 else None
        assert len(entries(tmp_path)) <= 2


def test_nothing_is_kept_where_it_is_not_wanted(log: Path, tmp_path: Path) -> None:
    read(log, cache=False)
    assert not entries(tmp_path)
