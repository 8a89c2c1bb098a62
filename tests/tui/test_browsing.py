from __future__ import annotations

import pytest

from logscope.tui.screens.picking import PickScreen
from logscope.tui.screens.records import RecordsScreen
from logscope.tui.widgets.record_list import RecordList
from tests.tui.conftest import Driver, Opened
from tests.tui.fake import FakeInvestigation


def home(driver: Driver) -> RecordsScreen:
    screen = driver.app.screen_stack[1]
    assert isinstance(screen, RecordsScreen)
    return screen


async def narrowed(driver: Driver, text: str) -> None:
    await driver.press("&")
    await driver.type(text)
    await driver.press("enter")


# Facets and columns


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_a_facet_counts_and_one_key_keeps_or_drops(opened: Opened, size: tuple[int, int]) -> None:
    async with opened(size=size) as driver:
        screen = home(driver)
        total = screen.main_list.records
        await driver.press("f")
        assert screen.facets.has_focus
        facet = screen.facets.facet
        assert facet is not None
        assert facet.values[0][0] in driver.text()
        value, count = facet.values[0]
        await driver.press("i")
        assert screen.main_list.records == count
        assert screen.trail.filter_text == f"service:{value}"
        # Counted again in the narrower view.
        assert screen.facets.facet is not None
        assert screen.facets.facet.distinct == 1
        await driver.press("u")
        assert screen.main_list.records == total
        await driver.press("minus")
        assert screen.main_list.records == total - count
        await driver.press("escape")
        assert not screen.facets.has_class("open")
        assert screen.main_list.has_focus


async def test_another_field_is_chosen_by_typing_and_numbers_are_told(opened: Opened) -> None:
    async with opened(size=(120, 40)) as driver:
        screen = home(driver)
        await driver.press("f", "f")
        assert isinstance(driver.app.screen, PickScreen)
        await driver.pilot.press(*"cod")
        await driver.press("enter")
        assert screen.facets.field == "code"
        assert "p95 200" in driver.text() or "p95 202" in driver.text()
        await driver.press("greater_than_sign")
        assert screen.facets.field != "code"
        await driver.press("less_than_sign")
        assert screen.facets.field == "code"


async def test_the_fields_pane_keeps_drops_and_makes_columns(opened: Opened) -> None:
    async with opened() as driver:
        screen = home(driver)
        total = screen.main_list.records
        await driver.press("2", "j", "enter", "tab")
        value = screen.detail.value
        assert value is not None
        await driver.press("c")
        assert screen.main_list.columns == (value.name,)
        assert value.name in driver.text().splitlines()[3]
        await driver.press("i")
        assert 0 < screen.main_list.records < total
        await driver.press("u", "u")
        assert screen.main_list.records == total
        assert screen.main_list.columns == ()


async def test_columns_are_ticked_and_stand_before_the_message(opened: Opened) -> None:
    async with opened(size=(120, 30)) as driver:
        screen = home(driver)
        await driver.press("c")
        await driver.pilot.press(*"order", "tab", "enter")
        await driver.settle()
        assert screen.main_list.columns == ("order_id",)
        rows = driver.text().splitlines()
        head = next(row for row in rows if row.strip().startswith("order_id"))
        row = next(row for row in rows if "order created" in row)
        assert row[head.index("order_id") :].startswith("ORD-4711 order created")
        await driver.press("c", "tab", "enter")
        assert screen.main_list.columns == ()


# Context, split, wrap, unfold


async def test_context_rows_stand_round_the_hits(opened: Opened) -> None:
    async with opened() as driver:
        screen = home(driver)
        await narrowed(driver, "timed")
        hits = screen.main_list.records
        await driver.press("2", "r")
        assert screen.main_list.records > hits
        rows = driver.text()
        assert "╎" in rows
        assert f"({hits})" in rows
        # Narrowing goes on from the hits, not from their neighbours.
        await driver.press("minus")
        await driver.type("timed")
        await driver.press("enter")
        assert screen.main_list.records == 0
        await driver.press("backspace", "r")
        assert screen.main_list.records == hits


async def test_split_shows_all_records_and_follows(opened: Opened) -> None:
    async with opened(size=(100, 40)) as driver:
        screen = home(driver)
        await narrowed(driver, "timed")
        await driver.press("s")
        lower = screen.query_one("#all", RecordList)
        assert lower.records == len(driver.fake.records)
        await driver.press("j")
        line, other = screen.line, lower.line()
        assert line is not None
        assert other is not None
        assert line.row == other.row
        await driver.press("tab", "k", "k")
        other = lower.line()
        assert other is not None
        assert other.row == line.row - 2
        await driver.press("enter")
        assert screen.main_list.has_focus
        await driver.press("s")
        assert not lower.has_class("open")


async def test_a_record_is_unfolded_in_place(opened: Opened) -> None:
    async with opened() as driver:
        screen = home(driver)
        await driver.press("e")
        place = screen.main_list.place
        assert "⏎+2" in driver.text()
        await driver.press("p")
        assert "at shop.Mail.send(Mail.java:88)" in driver.text()
        assert screen.main_list.place == place
        await driver.press("j", "j")
        assert screen.main_list.place == place
        assert screen.main_list.rows > screen.main_list.records
        await driver.press("p")
        assert screen.main_list.rows == screen.main_list.records


async def test_json_is_unfolded_with_an_indent(opened: Opened) -> None:
    fake = FakeInvestigation(3, extra=['got {"order": {"id": 7, "lines": [{"sku": "A"}]}} ok'])
    async with opened(fake, size=(120, 40)) as driver:
        await driver.press("e", "p")
        text = driver.text()
        assert '│     "id": 7,' in text
        assert '│         "sku": "A"' in text


async def test_long_messages_are_wrapped_and_the_cursor_keeps_its_record(opened: Opened) -> None:
    long = "begin " + "0123456789" * 30 + " END"
    async with opened(FakeInvestigation(60, extra=[long]), size=(80, 24)) as driver:
        screen = home(driver)
        row = screen.line
        assert "END" not in driver.text()
        await driver.press("vertical_line")
        assert "END" in driver.text()
        assert screen.line == row
        await driver.press("G")
        assert screen.main_list.place == screen.main_list.records - 1
        await driver.press("g")
        assert screen.main_list.place == 0
        await driver.press(*["j"] * 30)
        await driver.press("vertical_line")
        assert screen.main_list.rows == screen.main_list.records


# Marks, notes, named searches


async def test_notes_stand_under_their_records_and_are_listed(opened: Opened) -> None:
    async with opened(size=(110, 30)) as driver:
        screen = home(driver)
        await driver.press("5", "j", "number_sign")
        await driver.type("psp was slow #psp")
        await driver.press("enter")
        assert "✎ psp was slow #psp" in driver.text()
        assert screen.main_list.place == 5
        await driver.press("9", "j", "m", "b", "g", "right_square_bracket")
        assert screen.main_list.place == 5
        await driver.press("right_square_bracket")
        assert screen.main_list.place == 13  # 9j goes over the note, too
        await driver.press("left_square_bracket", "g", "quotation_mark")
        assert "psp was slow" in driver.text()
        await driver.pilot.press(*"slow")
        await driver.press("enter")
        assert screen.main_list.place == 5
        # It stays with its record, whatever is filtered.
        await narrowed(driver, "psp")
        assert "✎ psp was slow #psp" in driver.text()
        await driver.press("u", "number_sign")
        await driver.type("")
        await driver.press("enter")
        assert "✎" not in driver.text()
        await driver.press("u")
        assert "✎ psp was slow #psp" in driver.text()


async def test_named_searches_are_painted_at_once_in_colours_of_their_own(opened: Opened) -> None:
    async with opened(size=(120, 30)) as driver:
        screen = home(driver)
        for text in ("settling: settled", "ORD-4711"):
            await driver.press("a")
            await driver.type(text)
            await driver.press("enter")
        assert "■ settling" in driver.text()
        assert "■ ORD-4711" in driver.text()
        rows = screen.main_list
        pieces = [piece for y in range(20) for piece in rows.render_line(y)]
        settled = next(piece for piece in pieces if piece.text == "settled")
        order = next(piece for piece in pieces if piece.text == "ORD-4711")
        assert settled.style is not None
        assert order.style is not None
        assert settled.style.underline
        assert settled.style.color != order.style.color
        await driver.press("A")
        await driver.press("tab", "enter")
        assert "■ settling" not in driver.text()
        assert "■ ORD-4711" in driver.text()
        await driver.press("u")
        assert "■ settling" in driver.text()


# Time and place


async def test_steps_in_time_and_percent(opened: Opened) -> None:
    async with opened() as driver:
        screen = home(driver)
        await driver.press("right_parenthesis")
        line = screen.line
        assert line is not None
        assert driver.app.clock.time(line.time) >= "10:01:00"
        await driver.press("left_parenthesis")
        assert screen.main_list.place < 5
        await driver.press("5", "0", "percent_sign")
        assert abs(screen.main_list.place - screen.main_list.records // 2) <= 1
        await driver.press(":")
        await driver.type("step 10s")
        await driver.press("enter", "g", "3", "right_parenthesis")
        line = screen.line
        assert line is not None
        assert "10:00:30" <= driver.app.clock.time(line.time) < "10:00:33"


async def test_zoom_narrows_the_time_round_the_record_and_out_again(opened: Opened) -> None:
    async with opened() as driver:
        screen = home(driver)
        total = screen.main_list.records
        await driver.press("1", "0", "0", "G", "z")
        some, line = screen.main_list.records, screen.line
        assert some < total
        assert line is not None
        assert line.row == 99
        await driver.press("z")
        assert screen.main_list.records < some
        await driver.press("Z")
        assert screen.main_list.records == some
        await narrowed(driver, "service:payments")
        await driver.press("Z")
        assert screen.trail.filter_text == "service:payments"


async def test_another_zone(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press(":")
        await driver.type("zone Asia/Tokyo")
        await driver.press("enter")
        assert "19:00:00.331" in driver.text()
        await driver.press("V")
        assert "10:00:00.331" in driver.text()
        await driver.press(":")
        await driver.type("zone Nowhere/City")
        await driver.press("enter")
        assert "no time zone" in driver.text()


async def test_undo_and_redo_go_through_every_change(opened: Opened) -> None:
    async with opened() as driver:
        screen = home(driver)
        await narrowed(driver, "service:payments")
        for key in ("r", "vertical_line", "v"):
            await driver.press(key)
        states = [screen.keeping.state().bare]
        for _ in range(4):
            await driver.press("u")
            states.append(screen.keeping.state().bare)
        assert states[-1].steps == ()
        assert states[-1].context == 0
        assert len(set(states)) == 5
        for state in states[-2::-1]:
            await driver.press("ctrl+r")
            assert screen.keeping.state().bare == state
        await driver.press("ctrl+r")
        assert "nothing to do again" in driver.text()


async def test_the_footer_shows_the_keys_of_the_pane_that_has_the_focus(opened: Opened) -> None:
    async with opened() as driver:
        assert "filter" in driver.text().splitlines()[-2]
        await driver.press("f")
        assert "another field" in driver.text().splitlines()[-2]
        await driver.press("escape", "enter", "tab")
        assert "drop" in driver.text().splitlines()[-2]
        await driver.press("escape")
        assert "filter" in driver.text().splitlines()[-2]
