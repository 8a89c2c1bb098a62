"""Reports in a real browser: shown, printed, and nothing in them runs or asks the network."""

from __future__ import annotations

import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.conftest import Shop

_BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
pytestmark = pytest.mark.skipif(_BROWSER is None, reason="no Chromium here")

_LOG = """\
2026-11-01T10:00:00Z INFO begin order_id=ORD-4001 <script>document.title="ran"</script>
2026-11-01T10:00:01Z INFO next order_id=ORD-4001 <img src=http://attacker.example/a.png onerror="document.title='ran'">
2026-11-01T10:00:02Z WARN more order_id=ORD-4001 <style>@import url(http://attacker.example/b.css);</style>
2026-11-01T10:00:03Z INFO end order_id=ORD-4001 <iframe src="http://attacker.example/c"></iframe>
"""


class _Proxy(socketserver.ThreadingTCPServer):
    """Notes what is asked for, and answers nothing."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Asked)


class _Asked(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _Proxy)
        server.asked.append(self.rfile.readline())


@pytest.fixture
def proxy() -> Iterator[_Proxy]:
    with _Proxy() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def browse(page: Path, proxy: _Proxy, *options: str) -> str:
    """Open a page headless; what the browser prints."""
    assert _BROWSER is not None
    done = subprocess.run(
        [
            _BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update", "--no-first-run",
            f"--user-data-dir={page.parent / 'browser'}", f"--proxy-server=http://127.0.0.1:{proxy.server_address[1]}",
            "--virtual-time-budget=3000", *options, page.as_uri(),
        ],
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_report_is_shown_whole_and_prints(command: Command, shop: Shop, tmp_path: Path, proxy: _Proxy) -> None:
    order, _, reference = shop.failed[0]
    case = tmp_path / "case.html"
    assert command("export", case, *shop.logs, "--id", f"order_id={order}").code == 0
    shown = browse(case, proxy, "--dump-dom")
    for part in (order, reference, "<svg", "<circle", "<table"):
        assert part in shown
    printed = tmp_path / "case.pdf"
    browse(case, proxy, f"--print-to-pdf={printed}")
    assert printed.read_bytes().startswith(b"%PDF")
    assert printed.stat().st_size > 10_000


def test_what_a_log_says_neither_runs_nor_reaches_the_network(command: Command, tmp_path: Path, proxy: _Proxy) -> None:
    log, case = tmp_path / "a.log", tmp_path / "case.html"
    log.write_text(
        "".join(
            _LOG.replace("ORD-4001", f"ORD-{4001 + minute}").replace("10:00", f"10:{minute:02}") for minute in range(20)
        )
    )
    assert command("export", case, log, "--id", "order_id=ORD-4001", "--notes", _LOG).code == 0
    shown = browse(case, proxy, "--dump-dom")
    assert "<title>ran</title>" not in shown
    assert "&lt;script&gt;" in shown
    assert not any(b"attacker.example" in line for line in proxy.asked)


def test_the_browser_would_have_shown_it(tmp_path: Path, proxy: _Proxy) -> None:
    page = tmp_path / "bare.html"
    page.write_text(f"<!DOCTYPE html><title>x</title><body>{_LOG}")
    shown = browse(page, proxy, "--dump-dom")
    assert "<title>ran</title>" in shown
    assert any(b"attacker.example" in line for line in proxy.asked)
