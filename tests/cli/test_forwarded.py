"""Sample logs replayed to rsyslog, which forwards them to a `watch`: the rule fires for the transactions of the truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import daemons
from tests.certificates import Authority
from tests.cli.conftest import Command
from tests.cli.process import SHIPPED, Program, Watch, stories
from tests.cli.test_watch import outputs
from tests.conftest import Shop
from tests.receivers import free_port


@pytest.mark.skipif(daemons.RSYSLOGD is None, reason="rsyslogd is not installed")
@pytest.mark.parametrize("how", ["udp", "octet", "tls"])
def test_forwarded_by_rsyslog(logscope: Program, command: Command, shop: Shop, tmp_path: Path, how: str) -> None:
    if how == "tls" and not daemons.has_tls():
        pytest.skip("rsyslog's driver for TLS (rsyslog-openssl) is not installed")
    authority = Authority(tmp_path)
    plan = tmp_path / "plan.toml"
    assert command("keys", *shop.logs, "--grain", "order_id", "--save", plan).code == 0
    asked = {
        "udp": "syslog+udp://127.0.0.1:0",
        "octet": "syslog+tcp://127.0.0.1:0",
        "tls": f"syslog+tls://127.0.0.1:0?{authority.issue('localhost')}",
    }[how]
    watch = Watch(logscope, "--rules", SHIPPED, "--plan", plan, asked)
    url = watch.url()
    port = free_port()
    inputs = f'module(load="imtcp")\ninput(type="imtcp" address="127.0.0.1" port="{port}")'
    argv = daemons.rsyslog(
        tmp_path, how, int(url.rpartition(":")[2]), inputs, template="RSYSLOG_SyslogProtocol23Format", ca=authority.file
    )
    with daemons.running(argv):
        daemons.until(lambda: f":{port:04X} " in Path("/proc/net/tcp").read_text())
        # So slowly that no datagram is lost on its way through two processes.
        sent = logscope("replay", *shop.logs, "--to", f"syslog+tcp://127.0.0.1:{port}", "--speed", "1000x")
        assert sent.code == 0, sent.talk
        watch.until(lambda: len(watch.told) >= len(shop.failed) - 1)
    assert watch.end() == 0
    assert watch.counters["received"] == watch.counters["stored"] == shop.truth["records"]
    assert outputs(watch.told) == shop.failed
    spool = logscope("scan", "--json", "--rules", SHIPPED, f"spool://{url}")
    assert stories(spool.objects) == stories(watch.told)
