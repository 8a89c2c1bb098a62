"""A filter that reads only what it needs finds what reading everything and filtering then does."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.engine.viewing import cold, stretches

COLUMNS = ("time", "time_from", "level", "source", "line", "format", "message", "raw")
FILTERS = (
    *("charge", '"Charge Begin"', "größe", "charge settled", "charge or settled", "charge or /be.in/", "not charge"),
    *(
        "-charge -settled",
        "/^20.*begin$/",
        "/at .*7/",
        "plain begin",
        "/(?s)charge.*at shop/",
        "/^\\s+at /",
        "/settled$/",
        '"no such text"',
        "(charge or begin) settled",
        '"k"',
        "\ufffd",
    ),
)

_TIMED = st.builds(
    lambda second, level, text: (
        f"2026-11-01T10:{second // 60 % 60:02}:{second % 60:02}.123Z {level} [main] shop.Pay - {text}"
    ),
    st.integers(0, 900),
    st.sampled_from(["INFO", "WARN", "ERROR"]),
    st.sampled_from(["charge begin", "Charge settled", "größe", "\u212aelvin", "begin \ufffd", "nothing"]),
)
_OTHER = st.sampled_from(
    [
        *(
            "\tat shop.Pay.charge(Pay.java:7)",
            "Caused by: java.lang.Error: settled",
            "",
            "plain charge",
            "begin",
            "x\r",
        ),
        *('{"ts":"2026-11-01T10:00:03Z","level":"warn","msg":"charge"}', "2026-02-31T10:00:00Z INFO [m] a.B - charge"),
    ]
)
_LINES = st.lists(_TIMED | _TIMED | _OTHER, max_size=40)
_ENDS = st.sampled_from([b"", b"\n", b"\xff charge\n", b"\n\n"])


def _found(options: Options, text: str, *, sparing: bool) -> tuple[list[dict[str, Any]], bool]:
    """The records that match, in order, and whether not everything was read for them."""
    session = Session(options)
    session.open()
    views = session.read_matching(text) if sparing else ()
    if not views:
        session.read_all()
        views = (session.view(text, cancel=Cancel()),)
    records = session.frames.rows(views[0].rows, session.store.view, COLUMNS).drop("row").to_dicts()
    session.close()
    return records, len(views[0].rows) < session.store.view.records


@pytest.mark.parametrize("block", [300, 1 << 24])
@settings(max_examples=25)
@given(
    st.lists(st.tuples(_LINES, _ENDS), min_size=1, max_size=3), st.sampled_from(FILTERS), st.booleans(), st.booleans()
)
def test_reading_sparingly_finds_the_same(
    block: int, files: list[tuple[list[str], bytes]], text: str, shifted: bool, small: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(cold, "BLOCK", block)
        if small:
            patch.setattr(stretches, "LONG", 200)
            patch.setattr(stretches, "SHORT", 60)
        names = []
        for number, (lines, end) in enumerate(files):
            path = Path(folder) / f"app-{number}.log"
            path.write_bytes("\n".join(lines).encode() + end)
            names.append(str(path))
        options = Options(sources=tuple(names), tz=("UTC",), offset=("*=3s",) if shifted else ())
        assert _found(options, text, sparing=True)[0] == _found(options, text, sparing=False)[0]


def test_what_cannot_match_is_not_kept(tmp_path: Path) -> None:
    lines = [f"2026-11-01T10:{n // 60:02}:{n % 60:02}Z INFO [main] shop.Pay - order {n}" for n in range(3000)]
    (tmp_path / "app.log").write_text("\n".join(lines))
    session = Session(Options(sources=(str(tmp_path / "app.log"),)))
    session.open()
    (view,) = session.read_matching('"order 1500"')
    assert (len(view.rows), session.store.view.records) == (1, 1)
    assert session.frames.rows(view.rows, session.store.view, ["line"])["line"].to_list() == [1501]
    session.close()


@pytest.mark.parametrize("text", ["level:warn", "message:charge", "time>2026-01-01", ""])
def test_what_asks_for_more_than_the_text_reads_everything(tmp_path: Path, text: str) -> None:
    (tmp_path / "app.log").write_text("2026-11-01T10:00:00Z INFO charge\n")
    session = Session(Options(sources=(str(tmp_path / "app.log"),)))
    session.open()
    assert session.read_matching(text) == ()
    session.close()
