"""Followed files of a network's file systems: stale descriptors, servers that are away, paths that keep their number."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from logscope.sources import follow, opening, remote
from logscope.sources.base import OpenSource, SourceSpec
from logscope.sources.copied import CopiedSource
from logscope.sources.follow import FollowedFile
from logscope.sources.opening import open_source
from tests.unit.sources.conftest import content


def append(path: Path, first: int, last: int) -> None:
    with path.open("ab") as file:
        file.write(b"".join(b"line %04d\n" % number for number in range(first, last)))


def lines(last: int) -> bytes:
    return b"".join(b"line %04d\n" % number for number in range(last))


def spoil(source: FollowedFile) -> None:
    """Make the descriptor one that cannot be read, as that of a file which its server no longer knows."""
    assert source._current is not None
    folder = os.open("/", os.O_RDONLY)
    os.dup2(folder, source._current.fd)
    os.close(folder)


@pytest.mark.parametrize("rotated", [False, True])
def test_a_descriptor_that_goes_bad_is_replaced_and_each_line_comes_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rotated: bool
) -> None:
    path = tmp_path / "app.log"
    append(path, 0, 300)
    source = FollowedFile(SourceSpec("app.log", "file", path))
    source.poll()
    spoil(source)
    append(path, 300, 700)
    if rotated:
        path.rename(tmp_path / "app.log.1")
        append(path, 700, 900)
    for _ in range(3):
        source.poll()
    assert source.notices() == ["app.log: cannot be read (Is a directory); waiting for it"]
    monkeypatch.setattr(follow, "ANEW", 0.0)
    source.poll()
    source.poll()
    assert source.notices()[-1] == "app.log: can be read again"
    last = 900 if rotated else 700
    assert source.pread(1 << 20, 0) == lines(last)
    append(path, last, last + 10)
    source.poll()
    assert source.pread(1 << 20, 0) == lines(last + 10)
    source.close()


def test_what_is_not_there_again_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "ANEW", 0.0)
    path = tmp_path / "app.log"
    append(path, 0, 10)
    source = FollowedFile(SourceSpec("app.log", "file", path))
    spoil(source)
    path.rename(tmp_path / "gone")
    for _ in range(5):
        source.poll()
    (tmp_path / "gone").rename(path)
    append(path, 10, 20)
    source.poll()
    source.poll()
    assert source.pread(1 << 20, 0) == lines(20)
    assert [text.partition(": ")[2][:15] for text in source.notices()] == ["cannot be read ", "can be read aga"]
    source.close()


@pytest.mark.parametrize("how", ["rename", "copytruncate"])
def test_what_was_rotated_away_can_still_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    for module in (follow, opening):
        monkeypatch.setattr(module, "is_remote", lambda _device: True)
    monkeypatch.setattr(follow, "ANEW", 0.0)
    path = tmp_path / "app.log"
    append(path, 0, 300)
    with open_source(SourceSpec("app.log", "file", path), follow=True) as source:
        assert isinstance(source, CopiedSource)
        for turn in range(1, 3):
            wait_for(source, turn * 300)
            if how == "rename":
                path.rename(tmp_path / "app.log.1")
            else:
                shutil.copy(path, tmp_path / "app.log.1")
                os.truncate(path, 0)
            append(path, turn * 300, turn * 300 + 300)
        wait_for(source, 900)
        (tmp_path / "app.log.1").unlink()
        assert content(source) == lines(900)


def wait_for(source: OpenSource, last: int) -> None:
    for _ in range(500):
        if source.size() >= len(lines(last)):
            return
        assert not source.finished()
        os.sched_yield()
        source._stop.wait(0.01)  # type: ignore[attr-defined]
    raise AssertionError(source.pread(1 << 20, 0)[-100:])


def test_file_systems_are_told_by_their_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "36 35 98:1 / /home rw,noatime master:1 - ext4 /dev/sda1 rw\n"
        "37 35 0:44 / /srv rw shared:7 - nfs4 server:/srv rw,hard\n"
        "38 35 0:45 / /mnt rw - fuse.sshfs box:/var/log rw\n"
        "39 35 98:2 / /usb rw - fuseblk /dev/sdb1 rw\n"
    )
    monkeypatch.setattr(remote, "_MOUNTS", mounts)
    remote.is_remote.cache_clear()
    found = [remote.is_remote(os.makedev(*number)) for number in ((98, 1), (0, 44), (0, 45), (98, 2), (7, 7))]
    remote.is_remote.cache_clear()
    assert found == [False, True, True, False, False]
