"""The receiver process, its spool, and replay: real sockets, real kills."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from logscope.errors import SourceError, UsageError
from logscope.sources.base import SourceSpec
from logscope.sources.listening import ListenerSource
from logscope.sources.opening import open_source
from logscope.sources.receiver import start_receiver
from logscope.sources.replay import replay
from logscope.sources.spool import (
    drop_spool,
    list_spools,
    read_watermark,
    segment_numbers,
    segment_path,
    spool_folder,
    write_watermark,
)
from logscope.sources.urls import parse_address
from tests.unit.sources.conftest import content, until


def listen(url: str = "syslog+tcp://127.0.0.1:0") -> ListenerSource:
    source = open_source(SourceSpec(url, "messages", url=url))
    assert isinstance(source, ListenerSource)
    return source


@contextlib.contextmanager
def connected(source: ListenerSource) -> Iterator[socket.socket]:
    address = parse_address(source.name)
    with socket.create_connection((address.host, address.port)) as connection:
        yield connection


def messages(data: bytes) -> list[bytes]:
    return [line.split(b" ", 3)[3] for line in data.splitlines()]


def adds_up(counters: dict[str, int]) -> bool:
    return counters["received"] == counters["stored"] + counters["dropped"]


def test_tcp_to_the_spool() -> None:
    with listen("syslog+tcp://:0") as source:
        assert source.name.startswith("syslog+tcp://127.0.0.1:")
        assert source.kind == "messages"
        before = time.time_ns() // 1000
        with connected(source) as connection:
            connection.sendall(b"<13>one\n<13>two\r\n\n9 <34>x\ny\\z<13>last")
        until(lambda: content(source).count(b"\n") == 4)
        lines = content(source).splitlines()
        assert [line.split(b" ", 1)[1] for line in lines] == [
            b"127.0.0.1 - <13>one", b"127.0.0.1 - <13>two", b"127.0.0.1 e <34>x\\ny\\\\z", b"127.0.0.1 - <13>last",
        ]  # fmt: skip
        assert all(len(line.split()[0]) == 16 and int(line.split()[0]) >= before for line in lines)
        assert not source.finished()
        assert source.stop()["stored"] == 4
        assert (source.folder / "00000001.log").stat().st_mode & 0o777 == 0o600
        assert source.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("hello", "word"),
    [
        (b"\x16\x03\x01\x02\x00", "TLS"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.5 1 2\r\n<13>x\n", "PROXY"),
    ],
)
def test_other_protocols_are_named_and_make_no_records(hello: bytes, word: str) -> None:
    with listen() as source:
        with connected(source) as connection:
            for at in range(len(hello)):
                with contextlib.suppress(OSError):
                    connection.sendall(hello[at : at + 1])
            connection.settimeout(5)
            with contextlib.suppress(ConnectionError):
                assert connection.recv(1) == b""
        source.stop()
        assert content(source) == b""
        assert f"{word} on a plain syslog port" in source.notices()[0]


def test_stop_stores_what_connections_have_sent() -> None:
    with listen() as source:
        with contextlib.ExitStack() as stack:
            for number in range(20):
                stack.enter_context(connected(source)).sendall(b"<13>%d\n" % number)
            started = time.monotonic()
            counters = source.stop()
        assert time.monotonic() - started < 4
        assert counters["stored"] == 20
        assert sorted(messages(content(source))) == sorted(b"<13>%d" % number for number in range(20))


def test_a_slow_and_a_huge_sender_harm_nobody() -> None:
    with listen() as source, connected(source) as slow:
        slow.sendall(b"<13>sl")
        before = resident(source.receiver.pid) if sys.platform == "linux" else 0
        with connected(source) as huge:
            for _ in range(24):
                huge.sendall(b"<13>" + b"h" * (1 << 20))
            huge.sendall(b"\n<13>after\n")
        until(lambda: content(source).count(b"\n") == 2)
        slow.sendall(b"ow\n")
        until(lambda: content(source).count(b"\n") == 3)
        found = messages(content(source))
        assert [len(message) for message in found] == [64 * 1024, 9, 8]
        assert sys.platform != "linux" or resident(source.receiver.pid) - before < 8 << 20
        assert source.stop()["truncated"] == 1


def test_a_taken_port_is_an_error_and_not_a_listener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"syslog+tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SourceError, match="in use") as caught:
            start_receiver(url)
    assert caught.value.where == url
    assert "another port" in (caught.value.mend or "")
    with pytest.raises(SourceError, match="assign"):
        start_receiver("syslog+udp://192.0.2.1:0")
    assert list_spools() == []


def test_kill_9_and_restart_continue_the_spool() -> None:
    receiver = start_receiver("syslog+tcp://127.0.0.1:0")
    url = receiver.url
    assert replay([(None, b"<13>%d" % number) for number in range(100)], url, speed=None) == 100
    until(lambda: receiver.counters().get("stored") == 100)
    os.kill(receiver.pid, signal.SIGKILL)
    until(lambda: not receiver.alive())
    receiver.stop()
    path = segment_path(receiver.folder, 1)
    with path.open("ab") as segment:
        segment.write(b"1234567890123456 127.0.0.1 - <13>tor")
    with open_source(SourceSpec("s", "messages", url=f"spool://{url}")) as torn:
        assert content(torn).count(b"\n") == 100
        assert content(torn).endswith(b"<13>99\n")
    with listen(url) as source:
        assert source.name == url
        assert source.start_size == source.size() > 0
        replay([(None, b"<13>again")], url, speed=None)
        until(lambda: content(source).count(b"\n") == 101)
        assert source.stop()["torn"] == 1
        assert any("cut off" in notice for notice in source.notices())


PARENT = """
import sys, time
from logscope.sources.receiver import start_receiver
receiver = start_receiver("syslog+udp://127.0.0.1:0")
print(receiver.url, receiver.pid, flush=True)
time.sleep(60)
"""


def test_the_receiver_ends_with_its_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        url, pid = parent.stdout.readline().split()
        assert os.getsid(int(pid)) == int(pid)
        parent.kill()

    def gone() -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(("127.0.0.1", parse_address(url).port))
            return True
        return False

    until(gone)


def test_it_outlives_the_thread_that_started_it() -> None:
    started = []
    thread = threading.Thread(target=lambda: started.append(start_receiver("syslog+tcp://127.0.0.1:0")))
    thread.start()
    thread.join()
    time.sleep(0.3)
    assert started[0].alive()
    started[0].stop()
    assert not started[0].alive()


def test_segments_and_readers(tmp_path: Path) -> None:
    receiver = start_receiver("syslog+tcp://127.0.0.1:0", segment_size=4096)
    with open_source(SourceSpec("s", "messages", url=f"spool://{receiver.url}"), follow=True) as source:
        for part in range(5):
            replay([(None, b"<13>%d %s" % (number, b"x" * 50)) for number in range(part * 100, part * 100 + 100)],
                   receiver.url, speed=None)  # fmt: skip
            until(lambda part=part: receiver.counters().get("stored") == part * 100 + 100)
        assert len(segment_numbers(receiver.folder)) == 5
        with pytest.raises(SourceError, match="in use"):
            drop_spool(receiver.url)
        assert adds_up(receiver.stop())
        data = content(source)
        assert [int(message[4:].split()[0]) for message in messages(data)] == list(range(500))
        assert all(source.pread(300, at) == data[at : at + 300] for at in range(0, len(data), 777))
    write_watermark(receiver.url, 42)
    assert read_watermark(receiver.url) == 42
    (spool,) = list_spools()
    assert (spool.name, spool.bytes, spool.in_use) == (receiver.url, len(data), False)
    with open_source(SourceSpec("s", "messages", url="spool://" + receiver.url.partition("://")[2])) as short:
        assert short.finished()
        assert content(short) == data
    drop_spool(receiver.url)
    assert list_spools() == []
    with pytest.raises(SourceError, match="no such spool"):
        open_source(SourceSpec("s", "messages", url="spool://nothing"))


def test_below_the_floor_of_free_space_messages_are_dropped_and_counted() -> None:
    receiver = start_receiver("syslog+tcp://127.0.0.1:0", free_floor=1 << 60)
    replay([(None, b"<13>x")] * 10, receiver.url, speed=None)
    counters = receiver.stop()
    assert (counters["received"], counters["stored"], counters["dropped"]) == (10, 0, 10)
    assert "dropped" in receiver.notices()[0]
    assert spool_folder(receiver.url).is_dir()


@pytest.mark.parametrize("framing", ["octet", "lf"])
def test_replay_in_bulk_keeps_order_and_loses_nothing(framing: str) -> None:
    with listen() as source:
        count = 30_000
        sent = replay(((None, b"<13>%d a\nb" % number) for number in range(count)), source.name, speed=None,
                      framing=framing)  # fmt: skip
        counters = source.stop()
        assert (sent, counters["stored"], counters["dropped"]) == (count, count, 0)
        inside = b"\\n" if framing == "octet" else b"#012"
        assert messages(content(source)) == [b"<13>%d a%sb" % (number, inside) for number in range(count)]


def test_each_of_several_connections_keeps_its_order() -> None:
    with listen() as source:
        senders = [
            threading.Thread(
                target=replay,
                args=([(None, b"<13>%d %d" % (one, number)) for number in range(3_000)], source.name),
                kwargs={"speed": None, "framing": ("octet", "lf")[one % 2]},
            )
            for one in range(4)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert source.stop()["stored"] == 12_000
        told = [tuple(map(int, message[4:].split())) for message in messages(content(source))]
        for one in range(4):
            assert [number for sender, number in told if sender == one] == list(range(3_000))


def test_replay_keeps_the_gaps_divided_by_speed() -> None:
    with listen() as source:
        start = 1_700_000_000_000_000
        began = time.monotonic()
        replay([(start, b"<13>a"), (start + 4_000_000, b"<13>b"), (None, b"<13>c")], source.name, speed=10)
        assert 0.4 <= time.monotonic() - began < 3
        source.stop()
        first, second, third = (int(line.split()[0]) for line in content(source).splitlines())
        assert second - first > 300_000
        assert third - second < 300_000


def test_replay_ends_early_and_refuses_in_words() -> None:
    stop = threading.Event()
    with listen() as source:
        threading.Timer(0.2, stop.set).start()
        assert replay([(0, b"<13>a"), (10**12, b"<13>b")], source.name, speed=1, stop=stop) == 1
    with pytest.raises(SourceError, match=r"refused.*nothing listens"):
        replay([(None, b"x")], source.name, speed=None)
    with pytest.raises(UsageError, match="framing"):
        replay([], source.name, framing="nul")


def test_the_receiver_imports_the_standard_library_only() -> None:
    code = "import logscope.sources.receiver, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    out = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, check=True, text=True).stdout.split()
    assert set(out) <= {*sys.stdlib_module_names, "__main__", "logscope", "__mp_main__"}


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_a_reset_in_mid_frame_is_counted_and_harms_nobody() -> None:
    with listen() as source, connected(source) as other:
        address = parse_address(source.name)
        lines, counted = (socket.create_connection((address.host, address.port)) for _ in range(2))
        lines.sendall(b"<13>whole\n<13>half a li")
        counted.sendall(b"60 <13>half a counted message")
        until(lambda: b"whole" in content(source))
        time.sleep(0.2)  # so that it has been read: what a reset overtakes is gone
        _reset(lines)
        _reset(counted)
        until(lambda: content(source).count(b"\n") == 3)
        other.sendall(b"<13>unharmed\n")
        until(lambda: content(source).count(b"\n") == 4)
        assert source.stop()["partial"] == 2
        flagged = [line.split(b" ", 3)[2:] for line in content(source).splitlines() if line.split()[2] == b"p"]
        assert sorted(message for _, message in flagged) == [b"<13>half a counted message", b"<13>half a li"]


def test_beyond_the_limit_connections_are_closed_and_the_others_served() -> None:
    with listen() as source, contextlib.ExitStack() as held:
        address = parse_address(source.name)
        idle = [
            held.enter_context(socket.create_connection((address.host, address.port), timeout=10)) for _ in range(515)
        ]
        until(lambda: source.counters().get("refused", 0) == 3)
        for refused in idle[512:]:
            with contextlib.suppress(ConnectionError):
                assert refused.recv(1) == b""
        idle[0].sendall(b"<13>first\n")
        idle[511].sendall(b"<13>last\n")
        until(lambda: content(source).count(b"\n") == 2)
        said = source.notices()
        assert [text for text in said if "512 connections" in text] == said, "one notice a minute"
        idle[0].close()
        time.sleep(0.5)
        with connected(source) as again:
            again.sendall(b"<13>in its place\n")
            until(lambda: content(source).count(b"\n") == 3)
        assert adds_up(source.stop())


def test_a_dripping_sender_and_one_at_full_speed_are_both_served() -> None:
    count = 100_000
    with listen() as source, connected(source) as slow:
        sent = threading.Thread(target=replay, args=(numbered(count), source.name), kwargs={"speed": None})
        sent.start()
        for byte in b"<13>drop by drop\n":
            slow.sendall(bytes([byte]))
            time.sleep(0.01)
        sent.join()
        until(lambda: b"drop by drop" in content(source))
        assert source.stop()["stored"] == count + 1


def numbered(count: int) -> list[tuple[None, bytes]]:
    return [(None, b"<13>number %d" % number) for number in range(count)]


@pytest.mark.skipif(sys.platform != "linux", reason="all of 127.0.0.0/8 is here on Linux alone")
def test_a_stop_while_connections_are_accepted_is_clean() -> None:
    # An address of its own: on 127.0.0.1 another test's listener may get the port while these senders still knock.
    with listen("syslog+tcp://127.0.0.77:0") as source:
        address = parse_address(source.name)
        sent, ended = [], threading.Event()

        def connect(number: int) -> None:
            while not ended.is_set():
                with contextlib.suppress(OSError), socket.create_connection((address.host, address.port)) as one:
                    one.sendall(b"<13>%d\n" % number)
                    one.shutdown(socket.SHUT_WR)
                    if one.recv(1) == b"":  # closed in order: it was read
                        sent.append(number)

        threads = [threading.Thread(target=connect, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        until(lambda: len(sent) > 40)
        counters = source.stop()
        ended.set()
        for thread in threads:
            thread.join()
        assert counters["stored"] == counters["received"] == content(source).count(b"\n") >= len(sent)
        assert counters["dropped"] == 0


def resident(pid: int) -> int:
    """Bytes of a process that are resident."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_what_is_replayed_is_what_is_stored() -> None:
    sent = [b"<13>" + bytes([byte]) * 3 + b"x" for byte in range(1, 256) if byte not in b"\n"]
    sent += [
        b"<34>1 - - - - - - \xef\xbb\xbfbom",
        b"<13>\xff\xfe",
        b"<13>caf\xe9 \xe2\x82",
        b"<13>back\\slash \\n",
        b"<13>" + b"l" * 60_000,
    ]
    with listen() as source:
        replay([(None, message) for message in sent], source.name, speed=None)
        assert source.stop()["stored"] == len(sent)
        assert [line.split(b" ", 3)[3] for line in content(source).split(b"\n")[:-1]] == sent
