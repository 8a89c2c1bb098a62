"""What is sent shows the same as what Textual wrote, cell for cell, and is less."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.tui.terminal.screen import SYNC_END, SYNC_START, TerminalScreen
from tests.tui.terminal.emulator import Terminal

WIDTH, HEIGHT = 24, 9
STYLES = (
    *("", "1", "38;2;1;2;3", "48;2;9;9;9", "1;31;48;2;9;9;9", "4;38;5;7", "7", "3;92;107", "38;2;1;2;3;48;2;9;9;9"),
    *("1;3;38;2;1;2;3;48;2;9;9;9", "7;38;2;1;2;3;48;2;9;9;9", "4;9;31;44", "38;2;1;2;3;44"),
)
WIDE = ("界世", "🚀", "e\u0301", "👩\u200d👩\u200d👧", "❤\ufe0f", "한")


def painted(style: str, text: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if style else text


def frame(*chunks: tuple[int, int, str], cursor: tuple[int, int] = (0, 0)) -> str:
    """A frame as Textual writes it."""
    text, last = "", None
    for y, x, body in sorted(chunks, key=lambda one: one[0]):
        text += "\n" * (last not in (None, y)) + f"\x1b[{y + 1};{x + 1}H{body}"
        last = y
    return text + f"\x1b[{cursor[0] + 1};{cursor[1] + 1}H"


def full(rows: Sequence[str], style: str = "48;2;9;9;9") -> str:
    return frame(*((y, 0, painted(style, row[:WIDTH].ljust(WIDTH))) for y, row in enumerate(rows)))


def screen(*, erases: bool = False) -> TerminalScreen:
    return TerminalScreen(lambda: (WIDTH, HEIGHT), erases=erases)


class Pair:
    """Textual's own output in one terminal, ours in the other."""

    def __init__(self, *, erases: bool = False) -> None:
        self.stock, self.ours = Terminal(WIDTH, HEIGHT), Terminal(WIDTH, HEIGHT)
        self.screen = screen(erases=erases)

    def write(self, *texts: str) -> str:
        for text in texts:
            self.stock.feed(text)
            self.screen.take(text)
        sent = self.screen.render()
        self.ours.feed(sent)
        assert self.ours.cells() == self.stock.cells()
        assert self.ours.cursor == self.stock.cursor
        return sent


segments = st.lists(
    st.tuples(
        st.sampled_from(STYLES), st.sampled_from(["a", "bb", " ", " " * 7, " " * 12, "x=1", "─", "│▸", "ä", "12:30:01"])
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def chunks(draw: st.DrawFn) -> tuple[int, int, str]:
    """Somewhere on the screen, within a row."""
    y, x = draw(st.integers(0, HEIGHT - 1)), draw(st.integers(0, WIDTH - 14))
    if draw(st.integers(0, 5)) == 0:
        wide = draw(st.sampled_from(WIDE))
        return y, x, painted(draw(st.sampled_from(STYLES)), "z" + wide + "z")
    body, left = "", WIDTH - x
    for style, text in draw(segments):
        body += painted(style, text[:left])
        left -= len(text[:left])
    return y, x, body


@st.composite
def frames(draw: st.DrawFn) -> str:
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return frame(*draw(st.lists(chunks(), min_size=1, max_size=5)), cursor=(draw(st.integers(0, HEIGHT - 1)), 3))
    # A list of numbered rows somewhere: what scrolls.
    top = draw(st.integers(0, 30))
    lines = [f"row {number} {'世界' if number % 7 == 3 else 'of many'}" for number in range(top, top + HEIGHT)]
    first = 0 if kind == 1 else 2
    return frame(
        *(
            (y, 0, painted("48;2;9;9;9", line + " " * (WIDTH - len(line) - line.count("世") - line.count("界"))))
            for y, line in enumerate(lines)
            if y >= first
        )
    )


@settings(max_examples=150)
@given(st.lists(st.lists(frames(), min_size=1, max_size=3), min_size=1, max_size=6), st.booleans())
def test_equals_stock_cell_for_cell(turns: list[list[str]], erases: bool) -> None:
    pair = Pair(erases=erases)
    for turn in turns:
        pair.write(*turn)


def rows(top: int, cursor: int = -1) -> str:
    return frame(
        *(
            (y, 0, painted("1;48;2;0;0;99" if y == cursor else "48;2;9;9;9", f"record {top + y}".ljust(WIDTH)))
            for y in range(HEIGHT)
        )
    )


def test_a_scrolled_list_is_scrolled_by_the_terminal() -> None:
    pair = Pair()
    pair.write(rows(0))
    for top in (1, 2, 5, 4, 0):
        sent = pair.write(rows(top))
        assert len(sent) < len(rows(top)) / 2
        assert "M" in sent or "L" in sent


def test_a_colour_that_comes_again_in_a_row_is_sent_once() -> None:
    pair = Pair()
    pair.write(full(["record"]))
    name, value = "38;2;132;150;176;48;2;9;9;9", "38;2;214;221;232;48;2;9;9;9"
    words = ((name, "id="), (value, "4711 "), (name, "sku="), (value, "12 "), (name, "no="), (value, "3"))
    sent = pair.write(frame((0, 0, "".join(painted(style, text) for style, text in words))))
    assert sent.count("38;2;132;150;176") == sent.count("38;2;214;221;232") == 1


def columns(first: int) -> str:
    """Rows of three columns, each of its own colour."""
    row = "".join(painted(style, text) for style, text in (("32", "{:5}"), ("33", "{:5}"), ("34", "{:14}")))
    return frame(*((y, 0, row.format(*(first + y * 10 + place for place in range(3)))) for y in range(HEIGHT)))


def test_rows_are_painted_colour_by_colour() -> None:
    pair = Pair()
    pair.write(columns(0))
    sent = pair.write(columns(7000))
    assert all(sent.count(f"\x1b[{colour}m") < HEIGHT / 2 for colour in (32, 33, 34))


def test_a_blank_keeps_the_colour_that_text_is_written_in() -> None:
    pair = Pair()
    pair.write(full(["x" * WIDTH]))
    new = "38;2;1;2;3;48;2;9;9;9"
    sent = pair.write(frame((0, 0, painted(new, "a") + painted("48;2;7;7;7", "  ") + painted(new, "b"))))
    assert sent.count("38;2;1;2;3") == 1


def test_attributes_are_turned_off_one_by_one() -> None:
    pair = Pair()
    pair.write(full(["x" * WIDTH]))
    bold, thin = "1;3;38;2;1;2;3;48;2;9;9;9", "3;38;2;1;2;3;48;2;9;9;9"
    assert "a\x1b[22mb" in pair.write(frame((0, 0, painted(bold, "a") + painted(thin, "b"))))


def test_blanks_are_erased_where_the_terminal_erases_in_the_background() -> None:
    for erases in (False, True):
        pair = Pair(erases=erases)
        pair.write(full(["x" * WIDTH] * 2))
        sent = pair.write(full(["a" + " " * 18 + "b", "c"]))
        assert ("\x1b[18X\x1b[18Cb" in sent, "c\x1b[23X" in sent) == (erases, erases)


def test_what_is_drawn_on_blanks_is_not_erased() -> None:
    pair = Pair(erases=True)
    pair.write(full(["x" * WIDTH]))
    assert "X" not in pair.write(frame((0, 0, painted("4;31;48;2;9;9;9", "a".ljust(WIDTH)))))


def test_rows_are_not_scrolled_to_where_nothing_was_painted() -> None:
    pair = Pair()
    pair.write(frame(*((y, 0, painted("48;2;9;9;9", f"record {y}".ljust(WIDTH))) for y in range(2, HEIGHT))))
    lines = [
        (1, 0, "short"),
        *((y, 0, painted("48;2;9;9;9", f"record {y + 1}".ljust(WIDTH))) for y in range(2, HEIGHT)),
    ]
    pair.write(frame(*lines))


def test_a_row_scrolled_under_the_cursor_costs_two_rows() -> None:
    pair = Pair()
    pair.write(rows(0, cursor=HEIGHT - 1))
    assert len(pair.write(rows(1, cursor=HEIGHT - 1))) < 160


def test_nothing_new_sends_nothing() -> None:
    pair = Pair()
    pair.write(rows(0))
    assert pair.write(rows(0)) == ""


def test_of_a_row_only_the_cells_that_differ_are_sent() -> None:
    pair = Pair()
    pair.write(full(["count 1000", "same"]))
    assert pair.write(full(["count 1001", "same"])) == "\x1b[1;10H1\x1b[1;1H"


def test_frames_that_wait_become_one() -> None:
    pair = Pair()
    pair.write(rows(0))
    together = pair.write(*(rows(top) for top in range(1, 30)), rows(0))
    assert together == ""


@st.composite
def wide_rows(draw: st.DrawFn) -> str:
    pieces = draw(st.lists(st.sampled_from([*WIDE, "plain", " "]), min_size=1, max_size=3))
    return "".join(pieces)


@settings(max_examples=100)
@given(st.lists(st.lists(wide_rows(), min_size=HEIGHT, max_size=HEIGHT), min_size=2, max_size=5))
def test_wide_and_combining_text_comes_as_textual_wrote_it(turns: list[list[str]]) -> None:
    from rich.cells import set_cell_size

    pair = Pair()
    for turn in turns:
        pair.write(frame(*((y, 0, painted("48;2;9;9;9", set_cell_size(row, WIDTH))) for y, row in enumerate(turn))))


def test_a_half_of_a_wide_character_overwritten() -> None:
    pair = Pair()
    pair.write(full(["a plain row"]), frame((0, 2, "世界")))
    pair.write(frame((0, 3, "x")))
    pair.write(frame((0, 5, "y")))
    pair.write(full(["plain again"]))
    assert pair.ours.text()[0] == "plain again"


def test_what_is_not_a_frame_is_passed_on_in_its_place() -> None:
    ours = screen()
    ours.take(rows(0))
    ours.take("\x1b]52;c;YQ==\x07")
    assert ours.render().endswith("\x1b]52;c;YQ==\x07")
    ours.take("\x1b[5n something \x1b[2J")
    # In the terminal's own style, as Textual leaves it.
    assert ours.render().startswith("\x1b[m\x1b[5n something \x1b[2J")


def test_after_unknown_output_the_screen_is_sent_whole() -> None:
    pair = Pair()
    pair.write(rows(3))
    assert "record 5" in pair.write("\x1b[2J", rows(3))


def test_the_alternate_screen_begins_unknown() -> None:
    pair = Pair()
    pair.write(rows(3))
    ours = pair.screen
    ours.take("\x1b[?1049l")
    ours.take("\x1b[?1049h")
    assert "record" not in ours.render()
    ours.take(rows(3))
    assert "record 3" in ours.render()


def test_after_forget_all_of_it_is_sent_within_the_new_size() -> None:
    size = [WIDTH, HEIGHT]
    ours = TerminalScreen(lambda: (size[0], size[1]))
    ours.take(rows(0))
    ours.render()
    size[:] = [10, 4]
    ours.forget()
    ours.take(frame((0, 0, "new")))
    small = Terminal(10, 4)
    small.feed(ours.render())
    assert small.text() == ["neword 0", "record 1", "record 2", "record 3"]


def test_synchronised_output_is_kept() -> None:
    ours = screen()
    for text in (SYNC_START, rows(0), SYNC_END):
        ours.take(text)
    sent = ours.render()
    assert sent.startswith(SYNC_START)
    assert sent.endswith(SYNC_END)


def test_links_are_passed_on() -> None:
    pair = Pair()
    pair.screen.take(frame((0, 0, "\x1b]8;id=1;http://x\x1b\\link\x1b]8;;\x1b\\")))
    assert "\x1b]8;id=1;http://x\x1b\\link\x1b]8;;\x1b\\" in pair.screen.render()
