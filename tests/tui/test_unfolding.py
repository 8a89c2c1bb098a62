"""What of a record its row shows, and what stands under it when it is unfolded or wrapped."""

from __future__ import annotations

import json

import pytest
from rich.cells import cell_len

from logscope.engine.answers import Line
from logscope.tui.cellwise import breaks, broken
from logscope.tui.painting import shown_text
from logscope.tui.unfolding import pretty, unfolded
from tests.tui.conftest import Opened
from tests.tui.fake import FakeInvestigation


def record(message: str, raw: str) -> Line:
    return Line(
        row=0, time=0, time_from=0, level=3, source="a.log", line=1, service="a", host="h", message=message, raw=raw
    )


@pytest.mark.parametrize("text", ["", "plain ascii of some length", "日本語 and ✅ wide", "e\u0301" * 30, "日"])
@pytest.mark.parametrize("room", [1, 2, 5, 80])
def test_lines_are_no_wider_than_the_room_and_lose_nothing(text: str, room: int) -> None:
    lines = broken(text, room)
    assert "".join(lines) == text
    assert len(lines) == len(breaks(text, room)) + 1
    assert all(cell_len(one) <= room or len(one) == 1 for one in lines)


def test_a_stack_trace_that_is_no_part_of_the_message_is_counted_in_the_row() -> None:
    assert (
        shown_text(record("charge failed", "10:00 ERROR charge failed\njava.Boom\n\tat a.B\n")) == "charge failed ⏎+2"
    )
    assert shown_text(record("charge failed", "10:00 ERROR charge failed\n")) == "charge failed"
    assert shown_text(record("a\nb", "10:00 a\nb")) == "a ⏎+1"
    assert shown_text(record("", "x\ny\nz")) == "x ⏎+2"


def test_json_as_text_within_json_and_texts_of_several_lines_are_taken_apart() -> None:
    inner = {"msg": "failed", "stack": "Boom\n\tat a.B(B.java:3)\n\tat c.D"}
    assert pretty(json.dumps({"log": json.dumps(inner) + "\n", "stream": "stdout"})) == (
        '{\n  "log": {\n    "msg": "failed",\n    "stack": "Boom\n        at a.B(B.java:3)\n        at c.D"\n  },\n'
        '  "stream": "stdout"\n}'
    )
    assert pretty('{"log": "one line\\n", "n": 1}') == '{\n  "log": "one line",\n  "n": 1\n}'
    kept = {"path": "C:\\new\\things", "half": "{no json", "list": [1, {"deep": True}]}
    assert json.loads(pretty(json.dumps(kept)) or "") == kept


def test_json_that_nests_without_end_is_left_as_it_is() -> None:
    for text in ('{"a":' * 5000 + "1" + "}" * 5000, json.dumps({"a": "[" * 5000})):
        assert unfolded(record("", text), 80)


async def test_wrapping_loses_no_wide_character(opened: Opened) -> None:
    text = "start " + "日本語" * 40 + " END"
    async with opened(FakeInvestigation(3, extra=[text]), size=(80, 24)) as driver:
        await driver.press("vertical_line")
        shown = "\n".join(driver.text().splitlines()[3:-2])
        assert shown.count("本") == shown.count("語") == 40
        assert "END" in shown
