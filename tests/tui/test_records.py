from __future__ import annotations

import time

import pytest

from logscope.tui.screens.records import RecordsScreen
from tests.tui.conftest import Driver, Opened
from tests.tui.fake import FakeInvestigation, TallInvestigation


def records(driver: Driver) -> RecordsScreen:
    screen = driver.screen
    assert isinstance(screen, RecordsScreen)
    return screen


@pytest.mark.parametrize("size", [(80, 24), (160, 50), (40, 12)])
async def test_first_screen_shows_records_and_keys(opened: Opened, size: tuple[int, int]) -> None:
    async with opened(size=size) as driver:
        text = driver.text()
        assert "10:00:00.331" in text
        assert "gateway" in text
        assert "help" in text
        assert "▁" in text or "█" in text


async def test_moving_and_counts(opened: Opened) -> None:
    async with opened() as driver:
        rows = records(driver).main_list
        await driver.press("j", "j", "k")
        assert rows.cursor == 1
        await driver.press("5", "j")
        assert rows.cursor == 6
        await driver.press("1", "0", "0", "G")
        assert rows.cursor == 99
        await driver.press("G")
        assert rows.cursor == rows.rows - 1
        await driver.press("g")
        assert rows.cursor == 0
        page = rows.page
        await driver.press("space")
        assert rows.cursor == page
        await driver.press("ctrl+d")
        assert rows.cursor == page + round(page * 0.5)
        await driver.press("b", "ctrl+u")
        assert rows.cursor == 0


async def test_filter_narrows_as_a_step_and_goes_back_and_forward(opened: Opened) -> None:
    async with opened() as driver:
        screen = records(driver)
        everything = screen.main_list.rows
        await driver.press("&")
        await driver.type("service:payments")
        await driver.press("enter")
        some = screen.main_list.rows
        assert 0 < some < everything
        assert not screen.bar.is_open
        await driver.press("-")
        await driver.type("settled")
        await driver.press("enter")
        fewer = screen.main_list.rows
        assert fewer < some
        assert "service:payments" in driver.text()
        assert f"({fewer})" in driver.text()
        assert screen.trail.filter_text == "(service:payments) not (settled)"
        await driver.press("backspace")
        assert screen.main_list.rows == some
        await driver.press("right_curly_bracket")
        assert screen.main_list.rows == fewer
        await driver.press("~", "1", "escape")
        assert screen.main_list.rows > fewer
        assert screen.trail.filter_text == "not (settled)"


async def test_a_broken_filter_points_at_its_column_and_can_be_mended(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("&")
        await driver.type('pay ("oops')
        await driver.press("enter")
        screen = records(driver)
        assert screen.bar.is_open
        lines = driver.text().splitlines()
        prompt = next(line for line in lines if "& keep" in line)
        below = lines[lines.index(prompt) + 1]
        assert below.index("^") == prompt.index('"oops')
        assert "never closed" in below
        assert not screen.trail.steps
        await driver.press("escape")
        assert not screen.bar.is_open


async def test_search_goes_to_hits_and_paints_them(opened: Opened) -> None:
    async with opened() as driver:
        rows = records(driver).main_list
        await driver.press("/")
        await driver.type("settled")
        await driver.press("enter")
        first = rows.cursor
        assert "settled" in rows.render_line(first).text
        hit = next(one for one in rows.render_line(first) if one.text == "settled")
        plain = next(one for one in rows.render_line(first) if "charge" in one.text)
        assert hit.style != plain.style
        await driver.press("n")
        assert rows.cursor > first
        await driver.press("N")
        assert rows.cursor == first


async def test_pivot_finds_the_value_in_every_service_and_shows_the_time_between(opened: Opened) -> None:
    async with opened() as driver:
        screen = records(driver)
        await driver.press("&")
        await driver.type("service:payments")
        await driver.press("enter")
        await driver.press("*")
        assert screen.trail.pivot is not None
        text = driver.text()
        assert "inventory" in text
        assert "+632 ms" in text
        assert "order_id ORD-4711" in text


async def test_a_step_that_did_not_happen_is_a_row_of_a_pivot(opened: Opened) -> None:
    async with opened(size=(110, 30)) as driver:
        records = driver.screen.main_list
        await driver.until(lambda: "┗" in driver.text())
        await driver.press("x")
        await driver.press("*")
        await driver.until(lambda: records.rows > records.records)
        rows = driver.text().split("\n")
        place = next(place for place, row in enumerate(rows) if "✖ settled: expected within 30 s" in row)
        assert "psp response" in rows[place - 1]
        assert "┗" in rows[place]
        total = records.records
        assert records.rows == total + 1
        await driver.press("G")
        assert f"row {total} of {total} (100 %)" in driver.text()
        await driver.press("backspace")
        assert driver.screen.main_list.rows == driver.screen.main_list.records


async def test_several_strong_keys_ask(opened: Opened) -> None:
    async with opened() as driver:
        screen = records(driver)
        await driver.press("2", "j", "*")
        assert "Pivot on which key?" in driver.text()
        await driver.press("2")
        assert screen.trail.pivot is not None
        assert driver.app.screen is screen


async def test_fields_pane_pivots_on_the_selected_value(opened: Opened) -> None:
    async with opened() as driver:
        screen = records(driver)
        await driver.press("2", "j", "enter")
        assert "strong key" in driver.text()
        await driver.press("tab", "j", "j")
        value = screen.detail.value
        assert value is not None
        await driver.press("*")
        assert screen.trail.pivot is not None
        assert screen.trail.pivot.label == f"{value.key or value.name} {value.value}"
        await driver.press("escape")
        assert not screen.detail.has_class("open")


async def test_jumps_by_level_detection_and_transaction(opened: Opened) -> None:
    async with opened() as driver:
        rows = records(driver).main_list
        await driver.press("e")
        line = rows.line()
        assert line is not None
        assert line.level == 5
        await driver.press("g", "x")
        assert (mark := rows.mark()) is not None
        assert mark[:3] == ("silent_payment_failure", "begin", "high")
        assert "┃" in rows.render_line(rows.cursor - rows.scroll_offset.y).text
        await driver.press("x")
        assert "┗" in rows.render_line(rows.cursor - rows.scroll_offset.y).text
        number = driver.fake.records[rows.cursor]["number"]
        await driver.press("o")
        assert driver.fake.records[rows.cursor]["number"] == number
        await driver.press("O", "O")
        assert driver.fake.records[rows.cursor]["number"] == number


async def test_marks(opened: Opened) -> None:
    async with opened() as driver:
        rows = records(driver).main_list
        await driver.press("7", "j", "m", "a", "G", "apostrophe", "a")
        assert rows.cursor == 7
        assert "▸a" in rows.render_line(rows.cursor - rows.scroll_offset.y).text


async def test_follow_stays_at_the_end_until_one_scrolls_up(opened: Opened) -> None:
    fake = FakeInvestigation(live=True)
    async with opened(fake) as driver:
        rows = records(driver).main_list
        await driver.press("F")
        assert rows.cursor == rows.rows - 1
        fake.append("late order order_id=ORD-9")
        fake.publish()
        await driver.pilot.pause(0.5)
        await driver.settle()
        assert rows.cursor == rows.rows - 1 == len(fake.records) - 1
        assert "▼ follow" in driver.text()
        await driver.press("k")
        assert not rows.following
        fake.append("one more")
        fake.publish()
        await driver.pilot.pause(0.5)
        await driver.settle()
        assert "+1 new" in driver.text()
        assert rows.cursor == len(fake.records) - 3


async def test_escape_stops_a_query_that_takes_long(opened: Opened) -> None:
    fake = FakeInvestigation()
    async with opened(fake) as driver:
        screen = records(driver)
        before = screen.main_list.rows
        fake.delay = 20
        await driver.pilot.press("ampersand", *"charge", "enter")
        await driver.pilot.pause(0.4)
        assert screen.queries.busy("view")
        began = time.monotonic()
        await driver.press("escape", "escape")
        assert time.monotonic() - began < 5
        assert not screen.queries.busy("view")
        fake.delay = 0
        await driver.press("backspace")
        assert screen.main_list.rows == before


async def test_nothing_found_teaches(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("&")
        await driver.type("nowhere")
        await driver.press("enter")
        assert "Nothing matches nowhere" in driver.text()
        assert "goes a step back" in driver.text()


async def test_no_records_at_all(opened: Opened) -> None:
    async with opened(FakeInvestigation(0)) as driver:
        assert "No records." in driver.text()
        await driver.press("j", "enter", "*", "t", "x", "e", "n", "G")
        assert "No records." in driver.text()


async def test_command_line(opened: Opened) -> None:
    async with opened() as driver:
        rows = records(driver).main_list
        await driver.press(":")
        await driver.type("goto 10:00:20")
        await driver.press("enter")
        line = rows.line()
        assert line is not None
        assert driver.app.clock.time(line.time) >= "10:00:20"
        await driver.press(":")
        await driver.type("12")
        await driver.press("enter")
        assert rows.cursor == 11
        await driver.press(":")
        await driver.type("theme light")
        await driver.press("enter")
        assert driver.app.theme == "logscope-light"
        await driver.press(":")
        await driver.type("nonsense")
        await driver.press("enter")
        assert rows.cursor == 11


async def test_brush_narrows_the_time(opened: Opened) -> None:
    async with opened() as driver:
        screen = records(driver)
        before = screen.main_list.rows
        await driver.press("2", "0", "j", "B", "shift+right", "shift+right", "enter")
        assert screen.trail.steps[0].kind == "time"
        assert 0 < screen.main_list.rows < before


async def test_frames_do_not_depend_on_height(opened: Opened) -> None:
    async with opened(TallInvestigation(10_000_000), size=(120, 40)) as driver:
        rows = records(driver).main_list
        await driver.press("G")
        assert rows.cursor == 9_999_999
        assert "of 10,000,000" in driver.text()
        await driver.press("5", "0", "0", "0", "0", "0", "0", "G")
        assert rows.cursor == 4_999_999
        line = rows.line()
        assert line is not None
        assert line.row == 4_999_999


async def test_quit(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("escape")
        assert driver.app.is_running
        await driver.pilot.press("q")
        await driver.pilot.pause()
        assert driver.app.return_code == 0


async def test_a_long_trail_shows_where_one_stands(opened: Opened) -> None:
    async with opened(size=(60, 24)) as driver:
        for text in ("order_id:*", "service:payments", "-nothing-like-this", "charge begin"):
            await driver.press("&")
            await driver.type(text)
            await driver.press("enter")
        shown = driver.text().splitlines()[1]
        assert shown.startswith(" all ❯ … ")
        assert "❯ charge begin (" in shown


async def test_a_jump_to_what_is_not_read_yet_is_taken_as_it_comes(opened: Opened) -> None:
    fake = FakeInvestigation(loading=True)
    async with opened(fake) as driver:
        screen = driver.screen
        assert isinstance(screen, RecordsScreen)
        await driver.press(":")
        await driver.type("goto 9999")
        await driver.press("enter")
        assert "still reading" in driver.text()
        before = screen.main_list.place
        fake.append("a later record")
        driver.app.snapshot = fake.snapshot
        screen.viewing.refresh(grown=True)
        await driver.settle()
        assert screen.main_list.place == before + 1
        await driver.press("k")
        fake.append("another")
        screen.viewing.refresh(grown=True)
        await driver.settle()
        assert screen.main_list.place == before
