"""Datagrams in floods, oversize, from peers of all kinds: what is lost is counted, to the last one."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from logscope.sources import listen_udp
from logscope.sources.base import SourceSpec
from logscope.sources.opening import open_source
from logscope.sources.receiver import start_receiver
from logscope.sources.replay import replay
from logscope.sources.spool import read_json, spool_folder
from logscope.sources.spool_lines import peer_of
from logscope.sources.urls import parse_address
from tests.cli.process import ROOT
from tests.unit.sources.conftest import content, until
from tests.unit.sources.test_receiver import PARENT, adds_up, listen, messages, resident

ROOTS = sys.platform == "linux" and os.geteuid() == 0
_PR_CAPBSET_DROP, _CAP_NET_BIND_SERVICE = 24, 10
HELD = 20_000 if ROOTS else 8_000
"""Datagrams that fit into the buffer that the kernel gives."""


def test_udp_to_the_spool() -> None:
    with listen("syslog+udp://[::1]:0") as source:
        address = parse_address(source.name)
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
            for message in (b"<13>a\n", b"<13>b\r\n", b"<13>c\0", b"<13>d\n\0", b"<13>e\nf", b"", b" ", b"z" * 65_000):
                sender.sendto(message, (address.host, address.port))
        until(lambda: content(source).count(b"\n") == 7)
        counters = source.stop()
        assert (counters["received"], counters["dropped"]) == (7, 0)
        assert messages(content(source)) == [
            b"<13>a", b"<13>b", b"<13>c", b"<13>d", b"<13>e\\nf", b" ", b"z" * 65_000,
        ]  # fmt: skip
        assert content(source).split()[1] == b"::1"


def test_the_largest_datagram_is_whole_and_a_larger_one_cut(tmp_path: Path) -> None:
    with listen("syslog+udp://127.0.0.1:0") as source:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"y" * 65_507, ("127.0.0.1", parse_address(source.name).port))
        until(lambda: content(source).count(b"\n") == 1)
        assert messages(content(source)) == [b"y" * 65_507]
        assert source.stop()["truncated"] == 0
    path = tmp_path / "log.sock"
    with listen(f"syslog+unix://{path}") as source:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            for message in (b"y" * 65_536, b"z" * 150_000, b"<13>after"):
                sender.sendto(message, str(path))
        until(lambda: content(source).count(b"\n") == 3)
        assert messages(content(source)) == [b"y" * 65_536, b"z" * 65_536, b"<13>after"]
        assert [line.split()[2] for line in content(source).splitlines()] == [b"-", b"t", b"-"]
        assert source.stop()["truncated"] == 1


def test_a_burst_while_the_interface_is_stopped_is_there_to_the_last_datagram() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        try:
            assert parent.stdout is not None
            url, pid = parent.stdout.readline().split()
            parent.send_signal(signal.SIGSTOP)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.connect(("127.0.0.1", parse_address(url).port))
                for number in range(HELD):
                    sender.send(b"<13>%d" % number)
            counters = spool_folder(url) / "counters.json"
            until(lambda: read_json(counters).get("received", 0) == HELD)
            assert read_json(counters)["stored"] == HELD
            assert "T" in Path(f"/proc/{parent.pid}/stat").read_text().split()[2]
        finally:
            parent.kill()
    until(lambda: not Path(f"/proc/{pid}").exists())
    with open_source(SourceSpec("s", "messages", url=f"spool://{url}")) as spool:
        assert messages(content(spool)) == [b"<13>%d" % number for number in range(HELD)]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux counts what it drops")
def test_what_the_kernel_drops_is_counted() -> None:
    receiver = start_receiver("syslog+udp://127.0.0.1:0")
    sent = 100_000
    os.kill(receiver.pid, signal.SIGSTOP)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", parse_address(receiver.url).port))
        for _ in range(sent):
            sender.send(b"<13>short")
    os.kill(receiver.pid, signal.SIGCONT)
    until(lambda: receiver.counters().get("kernel_dropped", 0) > 0)
    counters = receiver.stop()
    assert adds_up(counters)
    assert counters["received"] == sent
    assert counters["dropped"] >= counters["kernel_dropped"] > 0
    assert counters["stored"] > 5_000
    with open_source(SourceSpec("s", "messages", url=f"spool://{receiver.url}")) as spool:
        assert content(spool).count(b"\n") == counters["stored"]


def test_a_buffer_that_is_small_is_said_with_its_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen_udp, "ASKED_BUFFER", 1 << 30)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        given, warning = listen_udp.ask_buffer(sock)
        assert warning is not None
        assert f"a receive buffer of {given >> 10} KiB only" in warning
        assert "sysctl -w net.core.rmem_max=1073741824" in warning


@pytest.mark.skipif(not ROOTS, reason="only root has rights to give up")
def test_a_port_that_needs_rights_is_refused_with_the_mend() -> None:
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 514:
        pytest.skip("port 514 is anybody's here")
    drop = ctypes.CDLL(None).prctl
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-m", "logscope.sources.receiver", "--url", "syslog+udp://127.0.0.1:514"],
        preexec_fn=lambda: drop(_PR_CAPBSET_DROP, _CAP_NET_BIND_SERVICE, 0, 0, 0),
        capture_output=True, stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    said = json.loads(done.stdout)
    assert done.returncode == 1
    assert "Permission denied" in said["error"]
    assert "use one above, such as 5514" in said["mend"]


def test_peers_are_spelled_in_one_way() -> None:
    assert peer_of(("::ffff:192.0.2.1", 5, 0, 0)) == "192.0.2.1"
    assert peer_of(("fe80::1%eth0", 5, 0, 2)) == "fe80::1%eth0"
    assert peer_of(("2001:db8::1", 5, 0, 0)) == "2001:db8::1"


def test_a_killed_receiver_is_started_again_and_its_loss_is_said() -> None:
    with listen("syslog+udp://127.0.0.1:0") as source:
        place = ("127.0.0.1", parse_address(source.name).port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"<13>before", place)
            until(lambda: content(source).count(b"\n") == 1)
            until(lambda: source.counters().get("stored") == 1)
            killed = source.receiver.pid
            os.kill(killed, signal.SIGKILL)
            began = time.monotonic()
            until(lambda: source.poll() or source.receiver.pid != killed)
            assert time.monotonic() - began < 10
            sender.sendto(b"<13>after", place)
        until(lambda: content(source).count(b"\n") == 2)
        assert any("started again; what was in its sockets is lost" in said for said in source.notices())
        counters = source.stop()
        assert adds_up(counters)
        assert counters["stored"] == 2


@pytest.mark.skipif(sys.platform != "linux", reason="all of 127.0.0.0/8 is here on Linux alone")
def test_as_many_peers_as_there_are_cost_no_memory() -> None:
    with listen("syslog+udp://127.0.0.1:0") as source:
        place = ("127.0.0.1", parse_address(source.name).port)

        def send(first: int, last: int) -> None:
            for number in range(first, last):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                    sender.bind((str(IPv4Address(0x7F010000 + number)), 0))
                    sender.sendto(b"<13>%d" % number, place)

        send(0, 5_000)
        until(lambda: source.counters()["received"] == 5_000)
        before = resident(source.receiver.pid)
        send(5_000, 70_000)
        until(lambda: source.counters()["received"] == 70_000)
        assert resident(source.receiver.pid) - before < 6 << 20
        assert source.stop()["dropped"] == 0
        told = [(line.split()[1].decode(), int(line.rpartition(b">")[2])) for line in content(source).splitlines()]
        assert told == [(str(IPv4Address(0x7F010000 + number)), number) for number in range(70_000)]


def test_replay_over_udp_counts_add_up() -> None:
    with listen("syslog+udp://127.0.0.1:0") as source:
        sent = replay(((None, b"<13>%d" % number) for number in range(20_000)), source.name, speed=None)
        counters = source.stop()
        assert adds_up(counters)
        assert counters["received"] == sent
        assert len(messages(content(source))) == counters["stored"]
