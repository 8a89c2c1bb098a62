"""Listening by TLS and Unix sockets, and sending to each: real handshakes, real files."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from logscope.errors import SourceError
from logscope.sources.base import SourceSpec
from logscope.sources.listening import ListenerSource
from logscope.sources.opening import open_source
from logscope.sources.receiver import start_receiver
from logscope.sources.replay import replay
from logscope.sources.urls import parse_address
from tests.certificates import Authority
from tests.unit.sources.conftest import content, until
from tests.unit.sources.test_receiver import messages


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def listen(url: str) -> ListenerSource:
    source = open_source(SourceSpec(url, "messages", url=url))
    assert isinstance(source, ListenerSource)
    return source


def numbered(count: int) -> list[tuple[None, bytes]]:
    return [(None, b"<13>number %d" % number) for number in range(count)]


@pytest.mark.parametrize("framing", ["octet", "lf"])
def test_tls_keeps_order_and_loses_nothing(authority: Authority, framing: str) -> None:
    with listen(f"syslog+tls://127.0.0.1:0?{authority.issue('127.0.0.1')}") as source:
        assert source.name == f"syslog+tls://127.0.0.1:{parse_address(source.name).port}"
        assert replay(numbered(20_000), f"{source.name}?ca={authority.file}", speed=None, framing=framing) == 20_000
        counters = source.stop()
        assert (counters["stored"], counters["dropped"]) == (20_000, 0)
        lines = content(source).splitlines()
        assert [line.split(b" ", 3)[3] for line in lines] == [message for _, message in numbered(20_000)]
        assert {line.split()[1] for line in lines} == {b"127.0.0.1"}


def test_a_receiver_that_is_not_trusted_gets_nothing(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "two")
    with listen(f"syslog+tls://127.0.0.1:0?{authority.issue('other.example')}") as source:
        for trusted in (f"?ca={stranger.file}", ""):
            with pytest.raises(SourceError, match="not trusted") as caught:
                replay(numbered(1), source.name + trusted)
            assert "?ca=" in (caught.value.mend or "")
        with pytest.raises(SourceError, match="not trusted"):
            replay(numbered(1), f"{source.name}?ca={authority.file}")  # signed well, but for another name
        pinned = authority.issue("other.example")  # a fresh one of the same name is another certificate
        with pytest.raises(SourceError, match="not trusted"):
            replay(numbered(1), f"{source.name}?{pinned}")
        assert source.stop()["stored"] == 0
        until(lambda: any("certificate" in notice or "closed" in notice for notice in source.notices()))


def test_a_certificate_that_is_named_itself_is_pinned(authority: Authority) -> None:
    files = authority.issue("other.example")
    with listen(f"syslog+tls://127.0.0.1:0?{files}") as source:
        assert replay(numbered(3), f"{source.name}?{files}", speed=None) == 3
        assert source.stop()["stored"] == 3


def test_with_an_authority_clients_must_present_a_certificate(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "two")
    with listen(f"syslog+tls://127.0.0.1:0?{authority.issue('127.0.0.1')}&ca={authority.file}") as source:
        told = []
        for own in ("", f"&{stranger.issue('sender')}"):
            with pytest.raises(SourceError):
                replay(numbered(1), f"{source.name}?ca={authority.file}{own}", speed=None)
        own = authority.issue("sender")
        assert replay(numbered(5), f"{source.name}?ca={authority.file}&{own}", speed=None) == 5
        counters = source.stop()
        assert counters["stored"] == 5
        assert counters["refused"] >= 2
        told = source.notices()
        assert any("presented no certificate" in notice for notice in told)


def test_silent_and_plain_clients_hold_nobody_up(authority: Authority) -> None:
    with listen(f"syslog+tls://127.0.0.1:0?{authority.issue('127.0.0.1')}") as source, contextlib.ExitStack() as held:
        place = ("127.0.0.1", parse_address(source.name).port)
        for _ in range(50):
            held.enter_context(socket.create_connection(place))
        began = time.monotonic()
        assert replay(numbered(10), f"{source.name}?ca={authority.file}", speed=None) == 10
        assert time.monotonic() - began < 3
        with socket.create_connection(place) as plain:
            plain.sendall(b"<13>in plain text\n")
            plain.settimeout(5)
            with contextlib.suppress(ConnectionError):
                while plain.recv(100):
                    pass
        counters = source.stop()
        assert counters["stored"] == 10
        assert any("plain text" in notice for notice in source.notices())


def test_old_versions_of_tls_are_refused(authority: Authority) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        listen(f"syslog+tls://127.0.0.1:0?{authority.issue('127.0.0.1')}") as source,
        socket.create_connection(("127.0.0.1", parse_address(source.name).port)) as connection,
        pytest.raises(OSError, match=r".*"),
    ):
        context.wrap_socket(connection)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ("", "needs a certificate"),
        ("?cert=/nowhere.pem&key=/nowhere.key", "no file /nowhere.pem"),
        ("?cert={ca}&key={ca}", "cannot be used"),
        ("?{own}&ca=/nowhere.pem", "/nowhere.pem cannot be used"),
        ("?{own}&colour=red", "no setting 'colour'"),
    ],
)
def test_what_a_tls_listener_cannot_use(authority: Authority, settings: str, word: str) -> None:
    url = "syslog+tls://127.0.0.1:0" + settings.format(ca=authority.file, own=authority.issue("127.0.0.1"))
    with pytest.raises(SourceError, match=word):
        start_receiver(url)


def test_a_key_that_others_can_read_is_said(authority: Authority) -> None:
    files = authority.issue("127.0.0.1")
    Path(files.rpartition("=")[2]).chmod(0o644)
    with listen(f"syslog+tls://127.0.0.1:0?{files}") as source:
        until(lambda: any("chmod 600" in notice for notice in source.notices()))


@pytest.mark.parametrize("kind", ["dgram", "stream"])
def test_unix_sockets(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "log.sock"
    url = f"syslog+unix://{path}?type={kind}"
    with listen(url) as source:
        assert path.stat().st_mode & 0o777 == 0o600
        assert replay([*numbered(1000), (None, b"<13>two\nlines")], url, speed=None) == 1001
        until(lambda: content(source).count(b"\n") == 1001)
        counters = source.stop()
        assert (counters["stored"], counters["dropped"]) == (1001, 0)
        assert messages(content(source))[-1] == b"<13>two\\nlines"
        assert {line.split()[1] for line in content(source).splitlines()} == {b"local"}
        assert not path.exists()


def test_a_unix_sockets_file_is_replaced_only_if_nobody_answers(tmp_path: Path) -> None:
    path = tmp_path / "log.sock"
    path.write_text("a letter")
    with pytest.raises(SourceError, match="no socket"):
        start_receiver(f"syslog+unix://{path}")
    assert path.read_text() == "a letter"
    path.unlink()
    with pytest.raises(SourceError, match="No such file"):
        start_receiver(f"syslog+unix://{tmp_path}/no/folder.sock")
    first = start_receiver(f"syslog+unix://{path}?mode=0666")
    assert path.stat().st_mode & 0o777 == 0o666
    for kind in ("dgram", "stream"):
        with pytest.raises(SourceError, match="in use"):
            start_receiver(f"syslog+unix://{path}?type={kind}")
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: not first.alive())
    first.stop()
    assert path.exists()
    second = first.again()
    replay(numbered(1), f"syslog+unix://{path}", speed=None)
    until(lambda: second.counters().get("stored") == 1)
    path.unlink()
    path.write_text("another's")
    second.stop()
    assert path.read_text() == "another's"


@pytest.mark.skipif(shutil.which("logger") is None, reason="no logger(1)")
@pytest.mark.parametrize("how", ["udp", "tcp", "octet", "unix", "stream"])
def test_logger_of_util_linux(tmp_path: Path, how: str) -> None:
    path = tmp_path / "log.sock"
    unix = f"syslog+unix://{path}?type={'stream' if how == 'stream' else 'dgram'}"
    url = unix if how in ("unix", "stream") else f"syslog+{'udp' if how == 'udp' else 'tcp'}://127.0.0.1:0"
    with listen(url) as source:
        if how in ("unix", "stream"):
            where = ["-u", str(path)]
        else:
            where = ["-n", "127.0.0.1", "-P", str(parse_address(source.name).port), "-d" if how == "udp" else "-T"]
            where += ["--octet-count"] if how == "octet" else []
        subprocess.run(["logger", *where, "-t", "shop", "-p", "user.warning", "--rfc5424", "order made"], check=True)
        until(lambda: content(source).count(b"\n") == 1)
        assert messages(content(source))[0].startswith(b"<12>1 ")
        assert messages(content(source))[0].endswith(b"order made")


@pytest.mark.parametrize("how", ["udp", "tcp", "unix"])
def test_pythons_own_handler(tmp_path: Path, how: str) -> None:
    path = tmp_path / "log.sock"
    with listen(f"syslog+unix://{path}" if how == "unix" else f"syslog+{how}://127.0.0.1:0") as source:
        place = str(path) if how == "unix" else ("127.0.0.1", parse_address(source.name).port)
        kind = socket.SOCK_STREAM if how == "tcp" else socket.SOCK_DGRAM
        handler = logging.handlers.SysLogHandler(place, socktype=kind)
        try:
            for text in ("first", "second"):
                handler.handle(logging.LogRecord("shop", logging.WARNING, "", 0, text, None, None))
        finally:
            handler.close()
        until(lambda: content(source).count(b"\n") == 2)
        assert messages(content(source)) == [b"<12>first", b"<12>second"]
