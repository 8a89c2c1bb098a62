from __future__ import annotations

from logscope.tui.screens.case import CaseScreen
from logscope.tui.screens.dashboard import DashboardScreen
from logscope.tui.screens.records import RecordsScreen
from logscope.tui.screens.transaction import TransactionScreen
from logscope.tui.screens.transactions import TransactionsScreen
from tests.tui.conftest import Opened
from tests.tui.fake import FakeInvestigation


async def test_records_and_transactions_are_pinned_annotated_and_told(opened: Opened) -> None:
    async with opened(size=(120, 30)) as driver:
        await driver.press("P")  # a record
        await driver.press("j", "t")
        assert isinstance(driver.screen, TransactionScreen)
        await driver.press("P", "q")  # its transaction
        await driver.press("I")
        screen = driver.screen
        assert isinstance(screen, CaseScreen)
        assert screen.main_list.rows == 2
        await driver.press("#")
        await driver.type("it began here")
        await driver.press("enter")
        assert "✎ it began here" in driver.text()
        await driver.press("n")
        await driver.type("for the meeting")
        await driver.press("enter")
        (kept,) = driver.fake.cases.kept.values()
        assert [pin.kind for pin in kept.pins] == ["record", "transaction"]
        assert [pin.note for pin in kept.pins] == ["it began here", ""]
        assert kept.notes == "for the meeting"
        assert kept.state is not None
        await driver.press("]")
        (kept,) = driver.fake.cases.kept.values()
        assert [pin.kind for pin in kept.pins] == ["transaction", "record"]
        await driver.press("S", "enter")
        ((path, case, redacted),) = driver.fake.reports
        assert (path.suffix, len(case.pins), redacted) == (".html", 2, True)
        await driver.press("g", "z")
        assert screen.main_list.rows == 1
        await driver.press("U")
        assert screen.main_list.rows == 2
        await driver.press("g", "enter")
        assert isinstance(driver.screen, TransactionScreen)
        await driver.press("q", "j", "enter")
        assert isinstance(driver.screen, RecordsScreen)


async def test_the_same_key_takes_the_pin_away_and_an_empty_case_teaches(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("I")
        assert "Nothing is pinned" in driver.text()
        await driver.press("q", "P", "P", "I")
        screen = driver.screen
        assert isinstance(screen, CaseScreen)
        assert screen.main_list.rows == 0


async def test_another_case_is_begun_and_come_back_to(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("T", "P", "q")
        await driver.press(":")
        await driver.type("case new second")
        await driver.press("enter", "q", "P")
        assert {name: len(case.pins) for name, case in driver.fake.cases.kept.items()} == {"case-1": 1, "second": 1}
        await driver.press(":")
        await driver.type("case case-1")
        await driver.press("enter")
        assert isinstance(driver.screen, CaseScreen)
        assert "case-1" in driver.text()


async def test_a_case_is_there_again_when_the_same_logs_are_opened(opened: Opened) -> None:
    fake = FakeInvestigation()
    async with opened(fake) as driver:
        await driver.press("P")
    async with opened(fake) as driver:
        await driver.press("I")
        assert isinstance(driver.screen, CaseScreen)
        assert driver.screen.main_list.rows == 1


async def test_figures_over_time_are_plotted_and_lead_to_transactions(opened: Opened) -> None:
    async with opened(size=(120, 40)) as driver:
        await driver.press("L")
        screen = driver.screen
        assert isinstance(screen, DashboardScreen)
        text = driver.text()
        assert "payments: records a second, 1 m each" in text
        assert "◆" in text
        assert "20.0%" in text
        await driver.press("m", "m", "m")
        assert "duration, p95" in driver.text()
        assert any("⠀" < sign <= "⣿" for sign in driver.text())
        await driver.press("plus")
        assert "2 m each" in driver.text()
        await driver.press("tab")
        assert "rule" in driver.text().splitlines()[1]
        await driver.press("<", "enter")
        assert isinstance(driver.screen, TransactionsScreen)
        assert driver.screen.where == 'services:"payments"'


async def test_figures_over_time_fit_a_small_screen(opened: Opened) -> None:
    async with opened(size=(80, 24)) as driver:
        await driver.press("L")
        assert isinstance(driver.screen, DashboardScreen)
        assert "payments" in driver.text()
        assert max(map(len, driver.text().splitlines())) == 80
