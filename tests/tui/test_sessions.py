from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from logscope.errors import UsageError
from logscope.tui.reopening import Reopen
from logscope.tui.screens.records import RecordsScreen
from logscope.tui.screens.sources import SourcesScreen
from logscope.tui.screens.sql import SqlScreen
from logscope.tui.sessions import Sessions
from logscope.tui.start import StartApp
from logscope.tui.trail import Step
from logscope.tui.viewstate import NamedSearch, Note, ViewState, from_json, to_json
from tests.tui.conftest import Driver, Opened
from tests.tui.fake import FakeInvestigation

STATE = ViewState(
    steps=(Step("filter", "service:payments", "service:payments"), Step("exclude", "settled", "settled")),
    position=2,
    columns=("order_id",),
    searches=(NamedSearch("slow", "took>2s", 1),),
    notes=(Note("a.log", 3, "a", "odd #psp"),),
    hidden=("b.log",),
    context=3,
    wrap=True,
    zone="UTC",
    delta="start",
)


def home(driver: Driver) -> RecordsScreen:
    screen = driver.app.screen_stack[1]
    assert isinstance(screen, RecordsScreen)
    return screen


async def command(driver: Driver, text: str) -> None:
    await driver.press(":")
    await driver.type(text)
    await driver.press("enter")


def test_a_state_goes_through_json_whole() -> None:
    assert from_json(json.loads(json.dumps(to_json(STATE)))) == STATE
    assert STATE.notes[0].tags == ("#psp",)


@pytest.mark.parametrize(
    "broken",
    [None, [], {"steps": 3}, {"steps": [{}]}, {"notes": ["x"]}, {"steps": [{"kind": 1, "text": 2, "label": 3}]}],
)
def test_what_is_no_state_is_refused(broken: object) -> None:
    with pytest.raises(ValueError, match="state"):
        from_json(broken)


def test_sessions_are_kept_private_and_broken_ones_are_passed_over(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "sessions")
    sessions.save("0123", ["/a.log"], STATE, ("a.log", 7))
    kept = sessions.load("0123")
    assert kept is not None
    assert (kept.state, kept.place, kept.sources) == (STATE, ("a.log", 7), ("/a.log",))
    assert (tmp_path / "sessions").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "sessions" / "0123.json").stat().st_mode & 0o077 == 0
    (tmp_path / "sessions" / "bad.json").write_text("{")
    (tmp_path / "sessions" / "worse.json").write_text('{"sources": ["x"], "state": {"steps": 1}}')
    assert [one.id for one in sessions.recent()] == ["0123"]
    with pytest.raises(UsageError):
        sessions.save_as("../out", [], STATE, None)


async def test_a_view_comes_back_as_it_was_left(opened: Opened, tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "sessions")
    async with opened(sessions=sessions) as driver:
        await driver.press("&")
        await driver.type("service:payments")
        await driver.press("enter")
        await driver.press("5", "j", "m", "a", "number_sign")
        await driver.type("slow #psp")
        await driver.press("enter")
        home(driver).faceting.set_columns(["order_id"])
        await driver.settle()
        line = home(driver).line
    # As `run` does: once the app is gone.
    await asyncio.get_running_loop().run_in_executor(None, driver.app.keep_session)
    async with opened(sessions=sessions, size=(110, 30)) as driver:
        screen = home(driver)
        await driver.until(lambda: screen.line is not None and screen.main_list.place > 0)
        assert screen.trail.filter_text == "service:payments"
        assert screen.main_list.columns == ("order_id",)
        assert screen.line == line
        assert "✎ slow #psp" in driver.text()
        assert "as you left it: 1 step, 1 mark, 1 column" in driver.text()
        await driver.press("g", "apostrophe", "a")
        assert screen.line == line
        await driver.press("u")
        assert screen.trail.filter_text == ""
        assert screen.main_list.records == len(driver.fake.records)


async def test_named_sessions(opened: Opened, tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "sessions")
    async with opened(sessions=sessions, size=(110, 30), can_reopen=True) as driver:
        screen = home(driver)
        await command(driver, "filter settled")
        await command(driver, "session save payday")
        await command(driver, "session new")
        assert screen.trail.filter_text == ""
        await command(driver, "session payday")
        assert screen.trail.filter_text == "settled"
        await command(driver, "session nowhere")
        assert "no session" in driver.text()
        sessions.save_as("other", ["/elsewhere.log"], ViewState(), None)
        await command(driver, "sessions")
        assert "other" in driver.text()
        await driver.pilot.press(*"other", "enter")
        await driver.pilot.pause()
        assert driver.app.wanted == Reopen(("/elsewhere.log",), session="other")


async def test_without_a_source_recent_sessions_and_files_are_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    sessions = Sessions(tmp_path / "sessions")
    sessions.save("1", ["/var/log/shop.log"], STATE, None)
    logs = tmp_path / "logs"
    (logs / "deep").mkdir(parents=True)
    for name in ("one.log", "two.log", "deep/three.log", "bad\x1b[31m.log"):
        (logs / name).write_text("x\n")
    app = StartApp(sessions, folder=logs)
    async with app.run_test(size=(90, 24)) as pilot:
        await pilot.pause()
        text = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        assert "⟲ shop.log" in text
        assert "one.log" in text
        assert "\x1b" not in text
        await pilot.press(*"deep", "enter")
        await pilot.pause()
        await pilot.press(*"three", "enter")
        await pilot.pause()
    assert app.return_value == Reopen((str(logs / "deep" / "three.log"),))
    app = StartApp(sessions, folder=logs)
    async with app.run_test(size=(90, 24)) as pilot:
        await pilot.pause()
        await pilot.press(*"shop", "enter")
        await pilot.pause()
    assert app.return_value == Reopen(("/var/log/shop.log",))


# SQL


async def test_sql_shows_a_grid_and_leads_back_to_records(opened: Opened) -> None:
    async with opened(size=(100, 30)) as driver:
        screen = home(driver)
        await driver.press("semicolon")
        await driver.type("SELECT service, COUNT(*) AS n FROM records GROUP BY service ORDER BY n DESC, service")
        await driver.press("enter")
        sql = driver.screen
        assert isinstance(sql, SqlScreen)
        service, count = sql.main_list.frame.row(0)
        assert service in driver.text()
        await driver.press("l")
        assert sql.main_list.column == 1
        await driver.press("enter")
        assert driver.screen is screen
        assert screen.main_list.records == count
        assert screen.trail.filter_text == f"service:{service}"
        await driver.press("u")
        await command(driver, "sql SELECT source, line, message FROM records WHERE level = 'error'")
        sql = driver.screen
        assert isinstance(sql, SqlScreen)
        source, line = sql.main_list.frame.select("source", "line").row(1)
        await driver.press("j", "enter")
        assert screen.line is not None
        assert (screen.line.source, screen.line.line) == (source, line)


async def test_a_wrong_query_is_told_under_the_prompt(opened: Opened) -> None:
    async with opened(size=(100, 30)) as driver:
        await driver.press("semicolon")
        await driver.type("DELETE FROM records")
        await driver.press("enter")
        assert "begins with SELECT" in driver.text()
        assert driver.screen.bar.is_open
        await driver.press("escape", "q")
        assert driver.screen is home(driver)


# Sources


async def test_sources_are_switched_off_and_their_clocks_set_right(opened: Opened) -> None:
    async with opened(size=(120, 30), can_reopen=True) as driver:
        screen = home(driver)
        total = screen.main_list.records
        await driver.press("at")
        panel = driver.screen
        assert isinstance(panel, SourcesScreen)
        name = panel.main_list.sources[0].name
        await driver.press("x")
        assert "☐" in driver.text()
        assert screen.main_list.records < total
        await driver.press("x", "s")
        await driver.type("-2s")
        await driver.press("enter")
        assert driver.app.shifts == {name: -2_000_000}
        await driver.press("o")
        assert 0 < screen.main_list.records < total
        await driver.press("escape")
        assert "all but " in driver.text().splitlines()[1]
        await driver.press("at", "o", "enter")
        assert driver.screen is screen
        assert "all but " not in driver.text()
        assert screen.trail.steps[0].label.startswith("source:")
        await driver.press("u", "at", "c")
        await driver.pilot.press(*"plain", "enter")
        await driver.pilot.pause()
        assert driver.app.wanted == Reopen(formats=(f"{name}=plain",))


async def test_what_came_through_a_pipe_is_not_read_again(opened: Opened) -> None:
    async with opened(size=(120, 30)) as driver:
        await driver.press("at", "c")
        assert "not read again" in driver.text()


async def test_what_is_wrong_with_a_source_is_told_in_full_and_its_records_are_counted(opened: Opened) -> None:
    async with opened(size=(80, 24), can_reopen=True) as driver:
        known = driver.app.snapshot
        damage = "is truncated: its gzip data ends after 1033 bytes; what comes before is read"
        first, second, *more = known.sources
        broken = (
            replace(first, error=f"{first.name}: {damage}"),
            replace(second, error=f"{second.name}: is no log", records=0),
        )
        driver.app.snapshot = replace(known, sources=(*broken, *more))
        await driver.press("at")
        rows = driver.text().splitlines()
        assert f" {first.format} " in rows[2]
        assert f"{first.records:,}" in rows[2]
        assert "✖" in rows[2]
        assert "is no log" in rows[3]
        assert damage[:70] in driver.text()


# The mouse


async def test_the_mouse_on_rows_wheel_and_strip(opened: Opened) -> None:
    async with opened(size=(100, 30)) as driver:
        screen = home(driver)
        await driver.pilot.click("#records", offset=(20, 5))
        await driver.settle()
        assert screen.main_list.cursor == 5
        await driver.pilot.click("#records", offset=(20, 5), times=2)
        await driver.settle()
        assert screen.detail.has_class("open")
        await driver.press("escape")
        for _ in range(4):
            screen.main_list._wheel(3)
        await driver.settle()
        assert screen.main_list.scroll_offset.y == 12
        assert screen.main_list.cursor == 12
        await driver.pilot.click("#timeline", offset=(40, 0))
        await driver.settle()
        assert screen.main_list.place > 100
        total = screen.main_list.records
        await driver.pilot.mouse_down("#timeline", offset=(10, 0))
        await driver.pilot.hover("#timeline", offset=(20, 0))
        await driver.pilot.mouse_up("#timeline", offset=(20, 0))
        await driver.settle()
        assert 0 < screen.main_list.records < total
        assert screen.trail.steps[0].kind == "time"


async def test_hostile_sources_and_sessions_are_shown_as_signs(opened: Opened, tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "sessions")
    sessions.save_as("odd", ["/x/\x1b]0;own\x07[/red].log"], ViewState(), None)
    fake = FakeInvestigation(3, extra=["\x1b[2J [/red]"])
    async with opened(fake, sessions=sessions, size=(120, 40)) as driver:
        for keys in (("at",), ("q",), ("f", "f"), ("escape", "escape"), ("c",), ("escape",)):
            await driver.press(*keys)
            assert "\x1b" not in driver.text()
        await command(driver, "sessions")
        assert "\x1b" not in driver.text()
