from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from logscope.engine.answers import Bucket
from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.tui.app import LogscopeApp
from logscope.tui.screens.detections import DetectionsScreen
from logscope.tui.screens.draft import DraftScreen
from logscope.tui.screens.editor import EditorScreen
from logscope.tui.screens.page import PageScreen
from logscope.tui.screens.rules import RulesScreen
from logscope.tui.screens.transaction import TransactionScreen
from logscope.tui.widgets.timeline import Timeline
from tests.tui.conftest import Driver, Opened
from tests.tui.fake import FakeInvestigation
from tests.tui.test_engine import settle

RULE = """\
title: A charge
name: a_charge
level: low
record:
  where: |-
    "charge begin"
tests:
  - name: one
    records: ['2026-11-01T10:00:00Z p-1 payments: charge begin id=1']
    expect: [{}]
"""


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_detections_are_judged_and_the_judgement_stays(opened: Opened, size: tuple[int, int]) -> None:
    fake = FakeInvestigation()
    async with opened(fake, size=size) as driver:
        await driver.press("D")
        screen = driver.screen
        assert isinstance(screen, DetectionsScreen)
        first = screen.main_list.detection
        assert first is not None
        assert first.time == max(one.time for one in fake.detections())
        await driver.press("a")
        await driver.press("F")
        await driver.type("a test order")
        await driver.press("enter")
        assert [one.verdict for one in fake.desk.kept.values()] == ["acknowledged", "false positive"]
        await driver.press("k")
        text = driver.text()
        assert "✔" in text
        assert "∅ false positive a test order" in text
        await driver.press("v")
        assert screen.main_list.rows == 2
        await driver.press("v", "g", "U")
        assert len(fake.desk.kept) == 1
        await driver.press("r")
        assert screen.main_list.detection != first
        await driver.press("tab")
        assert "█" in driver.text()
        await driver.press("enter")
        assert "of silent_payment_failure" in driver.text()
        await driver.press("escape", "enter")
        assert isinstance(driver.screen, TransactionScreen)


async def test_an_exclusion_shows_its_effect_before_it_is_written(opened: Opened) -> None:
    fake = FakeInvestigation()
    async with opened(fake, size=(100, 30)) as driver:
        await driver.press("D")
        await driver.press("!")
        assert "order_id:ORD-" in driver.text()
        await driver.type("order_id:(")
        await driver.press("enter")
        assert driver.screen.bar.is_open
        await driver.type("order_id:ORD-4715")
        await driver.press("enter")
        assert "would find 4 instead of 4" in driver.text()
        assert "narrows begin" in driver.text()
        assert "ORD-4715" not in fake.desk.texts["/rules/silent.yml"]
        await driver.press("1")
        assert '"charge begin"\n        not (order_id:ORD-4715)' in fake.desk.texts["/rules/silent.yml"]
        await driver.press("U")
        assert "ORD-4715" not in fake.desk.texts["/rules/silent.yml"]
        await driver.press("U")
        assert "nothing is decided" in driver.text()
        # What somebody else wrote meanwhile is not lost.
        await driver.press("!")
        await driver.type("order_id:ORD-4715")
        await driver.press("enter", "1")
        fake.desk.texts["/rules/silent.yml"] += "# mine\n"
        await driver.press("U")
        assert "was changed since" in driver.text()
        assert "ORD-4715" in fake.desk.texts["/rules/silent.yml"]


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_rules_are_listed_switched_and_have_a_page(opened: Opened, size: tuple[int, int]) -> None:
    fake = FakeInvestigation()
    async with opened(fake, size=size) as driver:
        await driver.press("R")
        assert isinstance(driver.screen, RulesScreen)
        text = driver.text()
        assert "unknown key 'stepz'" in text
        assert "●" in text
        assert "○" in text
        await driver.press("j", "x", "j", "x")
        assert fake.desk.switched == [("silent_payment_failure", False), ("disk_full", True)]
        await driver.press("k", "enter")
        assert isinstance(driver.screen, PageScreen)
        text = driver.text()
        assert "4 found · 1 nearly" in text
        assert "3 waiting" in text
        assert "incomplete: 5 given up" in text
        assert "/rules/silent.yml:1" in text
        await driver.press("tab")
        assert "settled after 29.0 s" in driver.text() or size[0] == 80
        await driver.press("enter")
        assert isinstance(driver.screen, TransactionScreen)
        await driver.press("escape", "r")
        assert "its lines gave no record" in driver.text()
        await driver.press("escape")
        assert "1 of 2 tests fail" in driver.text()


async def test_a_rule_is_edited_with_names_completed_and_errors_at_their_line(opened: Opened) -> None:
    fake = FakeInvestigation()
    async with opened(fake, size=(100, 30)) as driver:
        await driver.press("R", "j", "e")
        screen = driver.screen
        assert isinstance(screen, EditorScreen)
        screen.text.text = fake.desk.texts["/rules/silent.yml"].replace("where: |-", "were: |-", 1)
        await driver.pilot.pause(0.6)
        await driver.settle()
        assert "were" in driver.text()
        assert "✖ line " in driver.text()
        await driver.press("ctrl+s")
        assert "were" not in fake.desk.texts["/rules/silent.yml"]
        assert screen.text.cursor_location[0] > 0
        screen.text.text = fake.desk.texts["/rules/silent.yml"]
        screen.text.cursor_location = (screen.text.document.line_count - 1, 0)
        await driver.press("d", "e", "s", "c")
        assert "Tab …ription" in driver.text()
        await driver.press("tab", "x")
        await driver.press("escape")
        assert "not saved" in driver.text()
        await driver.press("ctrl+s")
        assert fake.desk.texts["/rules/silent.yml"].endswith("description: x")
        await driver.press("escape")
        assert isinstance(driver.screen, RulesScreen)


async def test_a_file_with_control_characters_is_not_shown_in_the_editor(opened: Opened) -> None:
    fake = FakeInvestigation()
    fake.desk.texts["/rules/silent.yml"] += "# \x1b[2J\n"
    async with opened(fake, size=(100, 30)) as driver:
        await driver.press("R", "j", "e")
        assert isinstance(driver.screen, RulesScreen)
        assert "E opens it in $EDITOR" in driver.text()


async def test_rules_are_by_name_too(opened: Opened) -> None:
    async with opened(size=(100, 30)) as driver:
        await driver.press(":")
        await driver.type("rules")
        await driver.press("enter")
        assert isinstance(driver.screen, RulesScreen)
        await driver.press(":")
        await driver.type('rule seq by transaction maxspan 5m: ["charge begin"] ["psp"]')
        await driver.press("enter")
        assert isinstance(driver.screen, DraftScreen)


def shop(folder: Path) -> Session:
    """A session over two charges."""
    log = folder / "payments-1.log"
    lines = (f"2026-11-01T10:00:0{number}Z p-1 payments[7]: charge begin id=C-{number}\n" for number in range(4))
    log.write_text("".join(lines))
    session = Session(Options(sources=(str(log),)))
    session.open()
    session.read_all()
    session.prepare_transactions(cancel=Cancel())
    return session


async def test_rules_are_read_anew_when_their_files_change_and_a_broken_one_runs_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "own"))
    rules = tmp_path / "own" / "logscope" / "rules"
    rules.mkdir(parents=True)
    (rules / "mine.yml").write_text(RULE)
    session = shop(tmp_path)
    app = LogscopeApp(session, zone="UTC")
    try:
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            driver = Driver(app, pilot, FakeInvestigation())

            async def until(count: int) -> None:
                await driver.until(lambda: session.snapshot.detections == count and not session.snapshot.loading)

            await settle(pilot, session)
            await until(4)
            await pilot.pause(0.5)  # the watcher has to be there
            (rules / "mine.yml").write_text(RULE.replace('"charge begin"', '"charge begin" id:C-1'))
            await until(1)
            (rules / "mine.yml").write_text(RULE.replace("where:", "wher:"))
            await driver.until(lambda: "wher" in (text := driver.text()) and "mine.yml:5" in text)
            assert session.snapshot.detections == 1
            (rules / "mine.yml").write_text(RULE)
            await until(4)
            # Written in two steps by another program: the half of it is nothing to tell. It finds nothing, and is counted.
            other = RULE.replace("a_charge", "other").replace("charge begin", "nobody writes this")
            (rules / "other.yml").write_text(other[:30])
            await pilot.pause(0.4)
            (rules / "other.yml").write_text(other)
            await driver.until(lambda: "rules 2" in driver.text())
            assert "rules 2" in driver.text()
            assert "other.yml" not in driver.text()
            (rules / "other.yml").unlink()
            await driver.until(lambda: session.snapshot.rules == 1)
            await driver.press("R")
            await driver.press("x")
            await until(0)
            assert "enabled: false" in (rules / "mine.yml").read_text()
    finally:
        session.close()


def test_a_shipped_rule_that_is_taken_over_runs_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "own"))
    session = shop(tmp_path)
    try:
        desk = session.desk
        shipped = next(one for one in session.installed_rules() if one.name == "silent_payment_failure")
        desk.switch(shipped, on=True)
        assert [one.origin for one in session.installed_rules() if one.enabled] == ["shipped"]
        text, part = desk.excluded(shipped, "id:C-1")
        assert part == "begin"
        copied = desk.own_copy(str(shipped.path))
        desk.write(str(copied), text)
        assert [one.origin for one in session.installed_rules() if one.enabled] == ["yours"]
        assert all(result.passed for result in desk.run_tests(shipped))
        began = time.perf_counter()
        assert desk.reload() is None
        assert time.perf_counter() - began < 0.2
    finally:
        session.close()


async def test_what_is_pending_stands_below_what_was_found(opened: Opened) -> None:
    fake = FakeInvestigation()
    found = fake._found
    fake._found = lambda: [*found(), replace(found()[0], detection="later", state="pending", time=2**60)]  # type: ignore[method-assign]
    async with opened(fake) as driver:
        await driver.press("D")
        screen = driver.screen
        assert isinstance(screen, DetectionsScreen)
        assert screen.main_list.detection is not None
        assert screen.main_list.detection.state == "matched"
        await driver.press("G")
        assert screen.main_list.detection.detection == "later"


async def test_marks_that_would_hide_the_bars_have_a_line_of_their_own(opened: Opened) -> None:
    async with opened() as driver:
        timeline = driver.app.screen.query_one(Timeline)
        few = [Bucket(at, at + 1, (0, 0, 1, 0, 0, 0, 0), int(at == 3)) for at in range(40)]
        timeline.show(few)
        await driver.pilot.pause()
        assert timeline.size.height == 1
        timeline.show([replace(one, detections=one.start % 2) for one in few])
        await driver.pilot.pause()
        assert timeline.size.height == 2
        assert "◆" in timeline.render_line(0).text
        assert "◆" not in timeline.render_line(1).text


async def test_enter_leads_to_the_transaction_of_a_rule_that_names_none(opened: Opened) -> None:
    fake = FakeInvestigation()
    one = replace(fake._found()[0], number=None, transaction=None, state="pending")
    fake._found = lambda: [one]  # type: ignore[method-assign]
    async with opened(fake) as driver:
        await driver.press("D", "enter")
        assert isinstance(driver.screen, TransactionScreen)
        await driver.press("q")
        # A correlation counts the records of many transactions: they are what it found.
        fake._found = lambda: [replace(one, detection="counts", rows=(1, 2, 3))]  # type: ignore[method-assign]
        await driver.press("q", "D", "enter")
        assert driver.screen is driver.app.home
