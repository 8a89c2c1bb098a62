"""Files that come while a folder or a glob is followed: the new are read, the old are not read twice."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.sources import appearing

LONG = "".join(f"2026-11-01T10:00:{number % 60:02}Z INFO one line number={number}\n" for number in range(100))


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appearing, "LOOK_SECONDS", 0.0)


class Following:
    """A session that follows, stepped by hand."""

    def __init__(self, *sources: str) -> None:
        self.session = Session(Options(sources=sources, follow=True, cache=False))
        self.session.open()

    def texts(self) -> list[str]:
        """All whole records by now, in no order."""
        loading = self.session.loading
        for _ in range(3):
            while loading.step():
                pass
        loading.finish()
        view = self.session.store.view
        frame = self.session.frames.rows(self.session.store.ordered(view), view, ("raw",))
        return sorted(frame.get_column("raw").to_list())


@pytest.fixture
def follow(request: pytest.FixtureRequest) -> Callable[..., Following]:
    def start(*sources: str) -> Following:
        following = Following(*sources)
        request.addfinalizer(following.session.close)
        return following

    return start


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_a_file_that_comes_later_is_read_and_followed(tmp_path: Path, follow: Callable[..., Following]) -> None:
    logs = tmp_path / "logs"
    (logs / "deep").mkdir(parents=True)
    following = follow(str(logs), str(tmp_path / "other" / "*.log"))
    assert following.session.loading.live
    assert following.texts() == []
    append(logs / "a.log", "INFO first\n")
    append(logs / "deep" / "b.log", "INFO second\n")
    (logs / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "other").mkdir()
    append(tmp_path / "other" / "c.log", "INFO third\n")
    assert following.texts() == ["INFO first", "INFO second", "INFO third"]
    append(logs / "a.log", "INFO fourth\n")
    assert following.texts() == ["INFO first", "INFO fourth", "INFO second", "INFO third"]
    told = "\n".join(following.session.loading.notices)
    assert f"{logs}/a.log: has appeared" in told
    assert "picture.png" in told


@pytest.mark.parametrize("pattern", ["", "/*", "/app*"])
def test_rotation_in_a_followed_folder_repeats_nothing(
    tmp_path: Path, pattern: str, follow: Callable[..., Following]
) -> None:
    app = tmp_path / "app.log"
    append(app, LONG)
    following = follow(f"{tmp_path}{pattern}")
    expected = LONG.splitlines()
    assert following.texts() == sorted(expected)
    for turn in range(3):
        shutil.copyfile(app, tmp_path / f"app-2026110{turn}.log")  # logrotate's copytruncate with `extension`
        assert following.texts() == sorted(expected)
        os.truncate(app, 0)
        after = LONG.replace("one line", f"turn {turn}")
        append(app, after)
        expected += after.splitlines()
        assert following.texts() == sorted(expected)
    app.rename(tmp_path / "app.log.1")
    append(app, "2026-11-01T11:00:00Z INFO after the rename\n")
    expected.append("2026-11-01T11:00:00Z INFO after the rename")
    assert following.texts() == sorted(expected)
    with gzip.open(tmp_path / "app.log.1.gz", "wb") as packed:
        packed.write((tmp_path / "app.log.1").read_bytes())
    with gzip.open(tmp_path / "app-20261109.log.gz", "wb") as packed:
        packed.write((tmp_path / "app.log.1").read_bytes())
    (tmp_path / "app.log.1").unlink()
    assert following.texts() == sorted(expected)


def test_equal_heads_are_two_files(tmp_path: Path, follow: Callable[..., Following]) -> None:
    banner = "INFO " + "=" * 2000 + "\n"
    append(tmp_path / "a.log", banner + "INFO one\n")
    following = follow(f"{tmp_path}/*.log")
    following.texts()
    append(tmp_path / "b.log", banner + "INFO two\n")
    assert [text[-8:] for text in following.texts()] == ["========"] * 2 + ["INFO one", "INFO two"]
