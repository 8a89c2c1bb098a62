"""More files than may be open, files beyond 2 GiB, full disks: real limits, a real small disk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from logscope.actions.event import Event
from logscope.actions.outbox import Outbox, OutboxError
from logscope.sources import holes
from logscope.sources.base import SourceSpec
from logscope.sources.fileasread import HEAD, FileAsRead, files_as_read, is_read, is_rotated_name
from logscope.sources.opening import open_source
from logscope.sources.receiver import start_receiver
from logscope.sources.replay import replay
from tests.cli.process import ROOT, Program
from tests.unit.sources.conftest import until


def _limited(program: Program, soft: int, hard: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])));"
    code += "import os; os.execv(sys.executable, [sys.executable, *sys.argv[3:]])"
    return subprocess.run(
        [sys.executable, "-c", code, str(soft), str(hard), *arguments],
        capture_output=True, text=True, check=False, cwd=ROOT, env=program.environment, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="limits are another thing elsewhere")
def test_more_files_than_may_be_open(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for number in range(70):
        (logs / f"{number}.log").write_text(f"2026-11-01T10:00:00Z INFO start {number}\n")
    # Where the limit may not be raised, what can be open is read, and the rest is said with its mend.
    done = _limited(Program(tmp_path), 128, 128, "-m", "logscope", "query", "start", "--json", str(logs))
    assert done.returncode == 1
    assert done.stdout.count("\n") == 64
    assert "nor are 5 more: too many files would be open at once; ulimit -n" in done.stderr
    assert done.stderr.count("\n") == 1
    # Where it may, it is.
    code = "from logscope.sources.descriptors import allow; import resource as r;"
    code += "print(allow(500) >= 500, r.getrlimit(r.RLIMIT_NOFILE)[0])"
    assert _limited(Program(tmp_path), 256, 4096, "-c", code).stdout == "True 1200\n"


def _sparse(path: Path, hole: int, first: bytes, last: bytes) -> None:
    with path.open("wb") as file:
        file.write(first)
        file.seek(hole)
        file.write(last)


@pytest.mark.parametrize("folder", ["disk", "tmpfs"])
def test_places_beyond_four_gigabytes(tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holes, "LEAST", 1 << 62)  # so that the hole stands for text
    home = tmp_path if folder == "disk" else Path("/dev/shm")
    if not home.is_dir():
        pytest.skip("no /dev/shm")
    path = home / f"large-{os.getpid()}.log"
    hole = 5 << 30
    first = b"2026-11-01T10:00:00Z INFO first\n"
    try:
        _sparse(path, hole, first, b"\nlast but one\n")
        with open_source(SourceSpec(str(path), "file", path), follow=True) as source:
            assert source.size() == hole + 14
            assert source.pread(len(first), 0) == first
            assert source.pread(100, hole) == b"\nlast but one\n"
            with path.open("ab") as file:
                file.write(b"last\n")
            until(lambda: source.poll() or source.size() == hole + 19)
            assert source.pread(100, hole + 14) == b"last\n"
            path.rename(path.with_suffix(".log.1"))
            path.write_bytes(b"new\n")
            until(lambda: source.poll() or source.size() == hole + 23)
            assert source.pread(100, hole + 14) == b"last\nnew\n"
    finally:
        path.unlink(missing_ok=True)
        path.with_suffix(".log.1").unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = sys.platform == "linux" and os.geteuid() == 0
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)]
    if not mounted or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system may be mounted")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_spool_on_a_full_disk(disk: Path) -> None:
    receiver = start_receiver("syslog+tcp://127.0.0.1:0", disk, free_floor=0)
    lines = [(None, b"<13>%04d " % number + b"x" * 1000) for number in range(8_000)]
    replay(lines, receiver.url, speed=None)
    until(lambda: receiver.counters()["received"] == 8_000)
    counters = receiver.counters()
    assert counters["stored"] + counters["dropped"] == 8_000
    assert counters["stored"] > 1000
    assert counters["dropped"] > 1000
    assert any("No space left on device" in text and "dropped and counted" in text for text in receiver.notices())
    held = sorted((receiver.folder).glob("*.log"))
    text = b"".join(path.read_bytes() for path in held)
    assert text.count(b"\n") == counters["stored"], "whole lines alone"
    held[0].write_bytes(b"")  # somebody makes room
    replay([(None, b"<13>again")], receiver.url, speed=None)
    until(lambda: receiver.counters()["stored"] == counters["stored"] + 1)
    receiver.stop()


def test_an_outbox_on_a_full_disk(disk: Path) -> None:
    outbox = Outbox(disk / "outbox.db")
    body = b'{"text": "%s"}' % (b"x" * 100_000)
    put = 0
    with pytest.raises(OutboxError, match="full") as caught:  # noqa: PT012 - which of them fails is the disk's
        for number in range(100):
            outbox.put([("page", Event(f"d{number}", "matched", "rule", body))])
            put += 1
    assert caught.value.mend == "mind free space and rights"
    assert put > 5
    assert outbox.depths()[0].waiting == put, "what was put before is safe"
    outbox.close()


def test_what_was_read_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    text = b"".join(b"line %d\n" % number for number in range(400))
    path.write_bytes(text)
    file = FileAsRead(os.open(path, os.O_RDONLY))
    try:
        assert is_read(file.identity)
        assert file in files_as_read()
        file.remember(len(text))
        assert (file.head, file.tail, file.kept) == (text[:HEAD], text[-64:], text)
        assert not file.restarted(len(text))
        assert file.restarted(len(text) - 1), "it is shorter"
        copy = tmp_path / "app.log.1"
        copy.write_bytes(text + b"more")
        with copy.open("rb") as other:
            assert file.is_copied_in(other.fileno(), len(text) + 4)
        copy.write_bytes(b"X" + text)
        with copy.open("rb") as other:
            assert not file.is_copied_in(other.fileno(), len(text) + 1)
        path.write_bytes(text[:-2] + b"X\n")
        assert file.restarted(len(text)), "its last bytes are others"
        copy.write_bytes(text)
        file.move_to(os.open(copy, os.O_RDONLY))
        assert file.identity == (copy.stat().st_dev, copy.stat().st_ino)
        assert not file.restarted(len(text))
        assert not is_read((path.stat().st_dev, path.stat().st_ino))
    finally:
        file.close()
    assert not is_read(file.identity)


@pytest.mark.parametrize(
    ("name", "rotated"),
    [
        ("app.log.1", True), ("app.log-20261101.gz", True), ("app.log.gz", True), ("app.log", False),
        ("app.log.old", False), ("app.logger.1", False),
    ],
)  # fmt: skip
def test_rotated_names(tmp_path: Path, name: str, rotated: bool) -> None:
    assert is_rotated_name(tmp_path / name, tmp_path / "app.log") is rotated
    assert not is_rotated_name(tmp_path / "other" / name, tmp_path / "app.log")
