"""rsyslogd and syslog-ng as senders, where they are installed: processes of their own with folders of their own."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RSYSLOGD = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin:/sbin:/bin") or shutil.which("rsyslogd")
SYSLOG_NG = shutil.which("syslog-ng") or shutil.which("syslog-ng", path="/usr/sbin:/sbin")
_PATIENCE = 30

_RSYSLOG = """
global(workDirectory="{home}" maxMessageSize="64k" defaultNetstreamDriverCAFile="{ca}")
{input}
action(type="omfwd" target="127.0.0.1" port="{port}" protocol="{protocol}" template="{template}"
  queue.type="linkedList" queue.size="100000" action.resumeRetryCount="-1" action.resumeInterval="1" {settings})
"""
_RSYSLOG_TLS = (
    'StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost"'
)


def has_tls() -> bool:
    """Whether rsyslog's driver for TLS is there."""
    return any(Path("/usr/lib").glob("*/rsyslog/lmnsd_ossl.so"))


@contextmanager
def running(argv: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon, ended in order so that what waits in its queue goes out."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def rsyslog(home: Path, how: str, port: int, given: str, *, template: str, ca: Path | None = None) -> list[str]:
    """Its command line.

    Args:
        home: For its files.
        how: `udp`, `lf`, `octet` or `tls`.
        port: Of the receiver.
        given: Modules and inputs.
        template: Of what it sends.
        ca: For TLS.
    """
    settings = {"octet": 'TCP_Framing="octet-counted"', "tls": _RSYSLOG_TLS}.get(how, "")
    conf = home / f"rsyslog-{how}.conf"
    conf.write_text(
        _RSYSLOG.format(
            home=home, ca=ca or "", input=given, port=port, protocol="udp" if how == "udp" else "tcp",
            template=template, settings=settings,
        ).replace('defaultNetstreamDriverCAFile=""', "")
    )  # fmt: skip
    assert RSYSLOGD is not None
    return [RSYSLOGD, "-n", "-i", str(home / f"rsyslog-{how}.pid"), "-f", str(conf)]


def syslog_ng(home: Path, how: str, port: int, path: Path, ca: Path | None = None) -> list[str]:
    """Its command line, to send a file's lines: `lf` by `network()`, `udp`, `octet` and `tls` by `syslog()`."""
    transport = {"udp": "udp", "lf": "tcp", "octet": "tcp", "tls": "tls"}[how]
    tls = f'tls(ca-file("{ca}") peer-verify(required-trusted))' if how == "tls" else ""
    driver = "network" if how == "lf" else "syslog"
    conf = home / f"syslog-ng-{how}.conf"
    conf.write_text(
        "@version: current\noptions { stats-freq(0); };\n"
        f'source s {{ file("{path}" follow-freq(0.1) flags(no-parse)); }};\n'
        f'destination d {{ {driver}("localhost" ip-protocol(4) transport("{transport}") port({port}) {tls}); }};\n'
        "log { source(s); destination(d); };\n"
    )
    assert SYSLOG_NG is not None
    own = [f"--persist-file={home}/{how}.persist", f"--control={home}/{how}.ctl", f"--pidfile={home}/{how}.pid"]
    return [SYSLOG_NG, "-F", "--no-caps", "-f", str(conf), *own]


def until(condition: object, seconds: float = _PATIENCE) -> None:
    """Wait for something true."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not come in time"
        time.sleep(0.05)
