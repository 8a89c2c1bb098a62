"""Messages for the receive benchmarks, and what sends them and receives them: our flood, rsyslog, syslog-ng."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_BEGAN = 1_793_000_000
_LAG = 0.3
"""Seconds of log time between an order's steps."""
LOST = 1000
"""Of so many orders one is never settled."""

_STEPS = (
    "payments 311 - - charge begin order_id=ORD-{0} request_id={0:032x} amount=41.20",
    "payments 311 - - psp response order_id=ORD-{0} psp_ref=PSP{0:010} code=200 in 31 ms",
    "payments 311 - - charge settled order_id=ORD-{0} psp_ref=PSP{0:010} amount=41.20 currency=EUR",
    "mailer 92 - - mail queued order_id=ORD-{0} template=receipt to=customer-{0}@example.com",
)


def messages(folder: Path, count: int, rate: int) -> Path:
    """A file of numbered messages, one a line, every other of them RFC 3164's, 150 bytes on average.

    An order takes four messages; one in a thousand is never settled. `rate` messages make a second of log time.
    """
    path = folder / f"messages-{count}-at-{rate}.log"
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("w", encoding="ascii") as out:
            for begin in range(0, count, 100_000):
                out.write("".join([message(at, rate) for at in range(begin, min(count, begin + 100_000))]))
        part.rename(path)
    return path


def message(at: int, rate: int) -> str:
    """Message number `at` of such a file."""
    cycle, step = divmod(at, 4)
    order = cycle - step * int(_LAG * rate / 4)
    second, part = divmod(at, rate)
    moment = time.gmtime(_BEGAN + second)
    if order < 0:
        text = "payments 311 - - nothing to do"
    elif step == 2 and order % LOST == 7:
        text = f"payments 311 - - waiting order_id=ORD-{order} psp_ref=PSP{order:010} for the provider"
    else:
        text = _STEPS[step].format(order)
    if at % 2:
        service, pid, _, _, words = text.split(" ", 4)
        return f"<14>{time.strftime('%b', moment)} {moment.tm_mday:2} {time.strftime('%H:%M:%S', moment)} pay-1 {service}[{pid}]: {words} seq={at}\n"
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", moment)
    return f"<14>1 {stamp}.{part * 1_000_000 // rate:06}Z pay-1 {text} seq={at}\n"


def compiled(folder: Path) -> Path | None:
    """`flood`, built by the C compiler that is there; None without one."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    source = Path(__file__).with_name("flood.c")
    built = folder / "flood"
    if not built.exists() or built.stat().st_mtime < source.stat().st_mtime:
        subprocess.run([compiler, "-O2", "-o", str(built), str(source)], check=True)
    return built


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port on which nobody listens."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


RSYSLOG = """
module(load="im{transport}" {module})
template(name="raw" type="string" string="%rawmsg%\\n")
ruleset(name="all" queue.type="LinkedList" queue.size="1000000" queue.dequeueBatchSize="1024") {{
  action(type="omfile" file="{out}" template="raw" asyncWriting="on" ioBufferSize="256k")
}}
input(type="im{transport}" address="127.0.0.1" port="{port}" ruleset="all" {settings})
"""
SYSLOG_NG = """@version: 3.38
options {{ threaded(yes); stats-freq(0); log-fifo-size(1000000); }};
source s {{ network(transport({transport}) ip(127.0.0.1) port({port}) flags(no-parse) so-rcvbuf(8388608) {settings}); }};
destination d {{ file("{out}" template("${{MSG}}\\n") flush-lines(1000)); }};
log {{ source(s); destination(d); }};
"""


@contextmanager
def daemon(name: str, transport: str, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    """rsyslogd or syslog-ng, tuned, writing what it receives to a file as it came.

    Args:
        name: `rsyslogd` or `syslog-ng`, which is there.
        transport: `udp` or `tcp`.
        folder: For its files.
    """
    with tempfile.TemporaryDirectory(dir=folder) as home:
        port = free_port(socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
        out, conf = Path(home) / "out.log", Path(home) / "conf"
        if name == "rsyslogd":
            module = 'batchSize="128"' if transport == "udp" else ""
            settings = 'rcvbufSize="8m"' if transport == "udp" else ""
            conf.write_text(RSYSLOG.format(transport=transport, port=port, out=out, module=module, settings=settings))
            argv = ["rsyslogd", "-n", "-i", f"{home}/pid", "-f", str(conf)]
        else:
            settings = "" if transport == "udp" else "log-iw-size(100000)"
            conf.write_text(SYSLOG_NG.format(transport=transport, port=port, out=out, settings=settings))
            argv = ["syslog-ng", "-F", "-f", str(conf), "-R", f"{home}/persist", "-c", f"{home}/ctl", "--no-caps"]
            argv += ["--pidfile", f"{home}/pid"]
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _listens(port, transport)
            yield process, port, out
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(20)
            if process.poll() is None:
                process.kill()
                process.wait()


def _listens(port: int, transport: str) -> None:
    deadline = time.monotonic() + 20
    table = Path(f"/proc/net/{transport}")
    while time.monotonic() < deadline:
        if f":{port:04X} " in table.read_text().partition("\n")[2]:
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on {transport} port {port}")


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a running process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """Its resident bytes now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def children(pid: int) -> list[int]:
    """Its children."""
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
