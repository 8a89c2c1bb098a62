"""The investigator on a real listener: everything grows, and where one stands holds."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.tui.app import LogscopeApp
from logscope.tui.health import sparkline
from logscope.tui.screens.records import RecordsScreen
from logscope.tui.screens.sources import SourcesScreen
from logscope.tui.screens.transaction import TransactionScreen
from logscope.tui.screens.transactions import TransactionsScreen

BY_KEY = """\
title: By a key
name: by_key
sequence:
  by: [order_id]
  maxspan: 2h
  steps:
    - {name: begin, where: '"charge begin"'}
    - {name: psp, where: '"psp response"'}
    - {name: settled, where: '"charge settled"', absent: true, within: 1h}
"""
"""Pending for longer than the test's hour."""
BY_RECORD = """\
title: Refused
name: refused
level: high
record: {where: '"card refused"'}
"""
RULES = Path(__file__).parents[2] / "logscope" / "rules" / "builtin" / "silent_payment_failure.yml"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    from logscope.correlation.keys import Key
    from logscope.correlation.plan import Plan, to_toml

    keys = (Key("order_id", fields=("order_id",)), Key("psp_ref", fields=("psp_ref",), parents=("order_id",)))
    plan = tmp_path / "plan.toml"
    plan.write_text(to_toml(Plan(keys, grain="order_id")))
    by_key = tmp_path / "by_key.yml"
    by_key.write_text(f"{BY_KEY}---\n{BY_RECORD}")
    rules = (str(RULES), str(by_key))
    session = Session(Options(sources=("syslog+tcp://127.0.0.1:0",), rules=rules, plan=str(plan)))
    session.open()
    session.start()
    yield session
    session.close()


def send(session: Session, *texts: str) -> None:
    host, port = session.loading.sources[0].name.rpartition("/")[2].split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall("".join(f"<14>1 {text}\n" for text in texts).encode())
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)


def payment(number: int, clock: str, what: str = "charge begin") -> str:
    return f"2026-11-01T{clock}Z h payments 1 - - {what} order_id=ORD-{number} psp_ref=PSP-A{number} amount=5"


async def until(pilot: Pilot[int], true: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "did not come in time"
        await pilot.pause(0.05)


def status(app: LogscopeApp) -> str:
    left, right = app.screen.status_parts()  # type: ignore[attr-defined]
    return f"{left.plain} {right.plain}"


async def test_live(session: Session) -> None:
    app = LogscopeApp(session, zone="UTC")
    rung: list[bool] = []
    app.bell = lambda: rung.append(True)  # type: ignore[method-assign]
    async with app.run_test(size=(120, 40)) as pilot:
        home = app.home
        await until(pilot, lambda: "received 0 · kept 0 · late 0 · dropped 0" in status(app))
        send(session, *[payment(number, f"10:00:{number:02}") for number in range(20)])
        await until(pilot, lambda: home.main_list.records == 20)
        assert "received 20 · kept 20 · late 0 · dropped 0" in status(app)

        # Paused on a record with a filter: what comes is counted, the record under the cursor stays.
        await pilot.press("ampersand", *"ORD", "enter")
        await until(pilot, lambda: home.trail.filter_text and not home.queries.running)
        await pilot.press("j", "j", "j")
        before = home.line
        send(
            session,
            *[payment(number, f"10:01:{number:02}") for number in range(20, 30)],
            "2026-11-01T10:01:30Z h x - - - other",
        )
        await until(pilot, lambda: "+10 new" in status(app))
        assert before is not None
        assert home.line is not None
        assert home.line.row == before.row

        # An open transaction grows in the list and in its waterfall, and its absence counts down.
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, TransactionsScreen) and app.screen.main_list.rows == 30)
        table = app.screen.main_list  # type: ignore[attr-defined]
        (duration,) = (column for column in table.columns() if column.title == "duration")
        await until(pilot, lambda: "…" in str(table.cell(0, duration, 30)[0]))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TransactionScreen) and app.screen.main_list.rows == 1)
        number = int(app.screen._detail.title.removeprefix("ORD-"))  # type: ignore[attr-defined]
        send(session, payment(number, "10:01:31", "psp response"), payment(80, "10:01:40"))
        await until(pilot, lambda: app.screen.main_list.rows >= 2)  # type: ignore[attr-defined]
        await until(pilot, lambda: "silent_payment_failure in" in status(app))
        assert "begun" in status(app)
        await until(pilot, lambda: "by_key in" in status(app))

        # The window passes: the detection is told with a bell, and shown.
        app.news.turn_bell()
        send(session, payment(90, "10:09:00"), payment(91, "10:09:10"))
        await until(pilot, lambda: rung)
        await until(pilot, lambda: session.snapshot.detections == 1)
        await until(pilot, lambda: any(row.absent for row in app.screen.main_list.shown))  # type: ignore[attr-defined]
        # It is closed by then, and has no age that goes on.
        await until(pilot, lambda: "begun" not in status(app))

        await pilot.press("q", "q")
        await until(pilot, lambda: isinstance(app.screen, RecordsScreen))
        await pilot.press("colon", *"sources", "enter")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen) and app.screen.main_list.rows)
        told = "received 35 · kept 35 · dropped 0"
        await until(pilot, lambda: told in str(app.screen.query_one("#output", Static).render()))
        assert "/s" in str(app.screen.query_one("#output", Static).render())


async def test_a_match_is_marked_on_arrival_and_in_its_transaction(session: Session) -> None:
    app = LogscopeApp(session, zone="UTC")
    async with app.run_test(size=(120, 40)) as pilot:
        home = app.home
        await until(pilot, lambda: "received 0" in status(app))
        send(session, payment(1, "10:00:01"), payment(2, "10:00:02", "card refused"))
        await until(pilot, lambda: home.main_list.records == 2)

        # Nothing later has come, so the watermark has not passed it.
        await until(pilot, lambda: home.main_list.mark(1))
        assert home.main_list.mark(1) == ("refused", "record", "high", "provisional", True)
        assert home.main_list.mark(0) is None
        await pilot.press("j")
        assert "✖ refused · record · provisional" in status(app)
        send(session, payment(3, "10:00:09"))
        await until(pilot, lambda: home.main_list.mark(1) == ("refused", "record", "high", "matched", True))

        # The rule knows no transaction; the record that it matched stands in one.
        transactions = session.transactions(cancel=Cancel())
        assert transactions["rules"].to_list()[:2] == [[], ["refused"]]
        number = transactions["number"][1]
        assert session.transaction(number).rules == ("refused",)


def test_sparklines() -> None:
    assert sparkline([0, 1, 8, 4, 0]) == "·▁█▄·"
    assert sparkline([]) == ""
