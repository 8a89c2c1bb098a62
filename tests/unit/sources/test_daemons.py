"""rsyslog and syslog-ng send what is in a file; nothing is lost, and the order holds."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from logscope.sources.listening import ListenerSource
from logscope.sources.urls import parse_address
from tests import daemons
from tests.certificates import Authority
from tests.receivers import free_port
from tests.unit.sources.conftest import content, until
from tests.unit.sources.test_transports import listen

_COUNT = 500
_HOW = ("udp", "lf", "octet", "tls")


def _listener(how: str, authority: Authority) -> ListenerSource:
    if how == "tls":
        return listen(f"syslog+tls://127.0.0.1:0?{authority.issue('localhost')}")
    return listen(f"syslog+{'udp' if how == 'udp' else 'tcp'}://127.0.0.1:0")


def _numbers(source: ListenerSource) -> list[int]:
    return [int(number) for number in re.findall(rb"number=(\d+)", content(source))]


@pytest.mark.skipif(daemons.RSYSLOGD is None, reason="rsyslogd is not installed")
@pytest.mark.parametrize("how", _HOW)
def test_rsyslog(tmp_path: Path, how: str) -> None:
    if how == "tls" and not daemons.has_tls():
        pytest.skip("rsyslog's driver for TLS (rsyslog-openssl) is not installed")
    authority = Authority(tmp_path)
    port = free_port()
    inputs = f'module(load="imtcp")\ninput(type="imtcp" address="127.0.0.1" port="{port}")'
    with _listener(how, authority) as source:
        argv = daemons.rsyslog(
            tmp_path, how, parse_address(source.name).port, inputs, template="RSYSLOG_SyslogProtocol23Format",
            ca=authority.file,
        )  # fmt: skip
        with daemons.running(argv):
            until(lambda: f":{port:04X} " in Path("/proc/net/tcp").read_text())
            with socket.create_connection(("127.0.0.1", port)) as sender:
                for number in range(_COUNT):
                    sender.sendall(b"<13>Nov  1 10:00:00 h app[7]: number=%d\n" % number)
            until(lambda: len(_numbers(source)) == _COUNT, 30)
        assert _numbers(source) == list(range(_COUNT))
        counters = source.stop()
        assert (counters["stored"], counters["dropped"], counters["framing_errors"]) == (_COUNT, 0, 0)


@pytest.mark.skipif(daemons.SYSLOG_NG is None, reason="syslog-ng is not installed")
@pytest.mark.parametrize("how", _HOW)
def test_syslog_ng(tmp_path: Path, how: str) -> None:
    authority = Authority(tmp_path)
    path = tmp_path / "app.log"
    path.write_text("".join(f"number={number}\n" for number in range(_COUNT)))
    with _listener(how, authority) as source:
        argv = daemons.syslog_ng(tmp_path, how, parse_address(source.name).port, path, authority.file)
        with daemons.running(argv):
            until(lambda: len(_numbers(source)) == _COUNT, 30)
        assert _numbers(source) == list(range(_COUNT))
        counters = source.stop()
        assert (counters["stored"], counters["dropped"], counters["framing_errors"]) == (_COUNT, 0, 0)
