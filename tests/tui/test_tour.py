"""The tour of the sample logs: lessons wait for what they teach, and are left and taken up again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sample_logs
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.tui.app import LogscopeApp
from logscope.tui.keymap import Keys, all_bindings, load_keymap
from logscope.tui.tour import LESSONS, WAYS, Standing, Tour, told
from logscope.tui.widgets.tour_box import TourBox
from tests.tui.test_engine import settle

LOGS = Path(sample_logs.__file__).parent
WALK = (
    ("j",), ("enter",), ("escape",), ("ampersand", *"level", "greater_than_sign", "equals_sign", *"warn", "enter"),
    ("f",), ("escape", "backspace"), ("slash", *"charge", "space", *"begin", "enter"), ("asterisk", "2"), ("t",),
    ("q",), ("T",), ("ampersand", "down", "enter"), ("enter",), ("equals_sign",), ("q", "q", "D"), ("question_mark",),
)  # fmt: skip
"""What each lesson but the last says to press."""


def told_in(app: LogscopeApp) -> str:
    """Which lesson of how many the box on the screen shows."""
    found = re.search(r"\d+/\d+", " ".join(str(box.render()) for box in app.screen.query(TourBox)))
    return found[0] if found else ""


async def test_the_whole_tour_by_the_keys_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    session = Session(Options(sources=tuple(sorted(map(str, LOGS.glob("*.log.gz")))), shipped_rules=True))
    session.open()
    session.start()
    tour = Tour()
    app = LogscopeApp(session, zone="UTC", tour=tour)
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot, session)
            for place, keys in enumerate(WALK):
                assert tour.place == place, LESSONS[tour.place].title
                for _ in range(40):
                    if told_in(app) == f"{place + 1}/{len(LESSONS)}":
                        break
                    await pilot.pause(0.02)
                assert told_in(app) == f"{place + 1}/{len(LESSONS)}"
                # Without a pause between them: keys wait for what those before them open.
                await pilot.press(*keys)
                await settle(pilot, session)
                for _ in range(40):
                    if tour.place > place:
                        break
                    await pilot.pause(0.05)
            assert tour.finished
            await pilot.press("escape", "f2")
            assert not app.screen.query(TourBox)
            assert not Tour().on
    finally:
        session.close()


def test_it_is_left_and_taken_up_again(tmp_path: Path) -> None:
    path = tmp_path / "state" / "tour.json"
    tour = Tour(path)
    assert tour.on
    assert tour.place == 0
    assert not tour.stands(Standing())
    assert not tour.stands(Standing())
    assert tour.stands(Standing(cursor=1))
    tour.leave()
    again = Tour(path)
    assert not again.on
    assert again.place == 1
    again.begin()
    assert again.on
    assert again.place == 1
    for _ in LESSONS:
        again.skip()
    assert not again.on
    ended = Tour(path)
    assert ended.finished
    ended.begin()
    assert ended.place == 0


@pytest.mark.parametrize("text", ["", "[]", '{"lesson": "x"}', '{"lesson": 999}', "\0"])
def test_what_was_kept_and_is_broken_does_no_harm(text: str, tmp_path: Path) -> None:
    (tmp_path / "tour.json").write_text(text)
    tour = Tour(tmp_path / "tour.json")
    assert 0 <= tour.place <= len(LESSONS)
    assert tour.lesson


@pytest.mark.parametrize("keymap", ["default", "less", "vim"])
def test_every_lesson_names_keys_that_there_are(keymap: str) -> None:
    changes, errors = load_keymap(keymap)
    assert not errors
    keys = Keys(changes)
    for text in (*WAYS.values(), *(part for one in LESSONS for part in (one.say, one.do))):
        assert set(re.findall(r"\{([\w.-]+)\}", text)) <= set(all_bindings())
        assert "{" not in told(text, keys.shown)
    for one in LESSONS:
        assert one.at in WAYS or not one.at


def test_a_step_that_is_gone_back_from_first_is_taken_anew(tmp_path: Path) -> None:
    tour = Tour(tmp_path / "tour.json")
    for _ in range(3):
        tour.skip()
    assert tour.lesson.title == "Keep what matters"
    # Somebody has narrowed already, goes back, and then does what the lesson says.
    assert not tour.stands(Standing(steps=("filter",)))
    assert not tour.stands(Standing())
    assert tour.stands(Standing(steps=("filter",)))
