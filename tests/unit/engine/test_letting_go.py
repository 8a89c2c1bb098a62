"""A watch that lets go of records in memory: what it tells, what it writes down, when it does."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import cast

import polars as pl
import pytest

from logscope.engine.answers import Detection
from logscope.engine.loading import indexcache, memory
from logscope.engine.options import Options
from logscope.engine.service import lettinggo
from logscope.engine.service.checkpoint import forget_spool
from logscope.engine.service.watching import Watching
from logscope.engine.session import Session
from logscope.sources.retention import Retention
from logscope.sources.spool import LetGo, spool_folder, write_let_go
from tests.soak.kills import message
from tests.unit.engine.test_checkpoint import NAME, RULE, Run, home, receive

__all__ = ["home"]

BY_KEY = 'seq by psp_ref maxspan 5m: ["psp response"] not ["charge settled"] within 10s'
ENDLESS = 'seq by transaction: ["charge begin"] ["no such thing"]'


class Remembering(Run):
    """One that knows at which line each detection began."""

    def _tell(self, detections: list[object]) -> None:
        super()._tell(detections)
        told = cast("list[Detection]", detections)
        self.places = vars(self).setdefault("places", {}) | {one.detection: one.steps["step1"]["line"] for one in told}


class Bounded(Run):
    """One that lets go after each turn of all but the newest records, and of what must not go."""

    newest = 300

    def __init__(self, home: Path, *rules: str, **options: object) -> None:
        self.went = 0
        before = Watching.run

        def run(watching: Watching, *arguments: object) -> None:
            watching.letting_go.turned = self._let_go  # type: ignore[method-assign]
            before(watching, *arguments)  # type: ignore[arg-type]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Watching, "run", run)
            super().__init__(home, *rules, **options)

    def _let_go(self) -> bool:
        session = self.session
        records = session.store.view.records
        if session.correlating.linked < records or not session.detecting.settled:
            return False
        went = self.watching.letting_go.let_go(pl.int_range(records, eager=True) >= records - self.newest)
        self.went += went
        return went


def test_over_restarts_and_letting_go_the_same_is_told_once(home: Path) -> None:
    told: Counter[str] = Counter()
    runs = []
    for first, last in itertools.pairwise((0, 1000, 2000, 3000)):
        receive(first, last)
        runs.append(run := Bounded(home, BY_KEY))
        told.update(run.told)
        assert run.went
        assert run.session.store.ever == last
        assert run.session.store.view.records < 1000
        assert run.session.counters()["records"] == last
        assert run.session.counters()["let_go"] == last - run.session.store.view.records
    assert [run.goes_on for run in runs] == [False, True, True]
    # Lines and texts of what is held are those of the spool.
    texts = runs[-1].texts
    assert texts["raw"].str.extract(r"seq=(\d+)").cast(pl.Int64).to_list() == [line - 1 for line in texts["line"]]
    for file in (home / "state" / "logscope" / "watch").iterdir():
        file.unlink()
    whole = Run(home, BY_KEY)
    assert told == Counter(whole.told)
    assert len(told) > 10
    assert not runs[-1].session.detecting.evicted()


def test_a_rule_that_looks_back_without_end_is_incomplete_and_no_other(home: Path) -> None:
    receive(0, 1500)
    run = Bounded(home, ENDLESS, BY_KEY)
    assert run.went
    assert set(run.session.detecting.evicted()) == {"seq"}
    assert any("rule seq is incomplete" in text for text in run.said)


def test_what_memory_does_not_hold_is_said_and_counted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receive(0, 2000)
    monkeypatch.setattr(lettinggo, "_LEAST", 100)
    monkeypatch.setattr(lettinggo, "_LOOK_SECONDS", 0.0)
    rule = 'seq by transaction maxspan 5m: ["charge begin"] ["psp response"] not ["charge settled"] within 10m'
    run = Run(home, rule, memory=1 << 20)
    assert any("MiB do not hold what the rules look back for" in text for text in run.said)
    assert any("let go of" in text and "records" in text for text in run.said)
    assert run.session.detecting.evicted()["seq"] > 0
    assert run.session.store.view.records <= 200
    assert len(set(run.told)) == len(run.told)
    assert not any(text.startswith("retracted") for text in run.told)


def test_what_a_spool_let_go_of_is_let_go_in_memory(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receive(0, 3000)
    monkeypatch.setattr(lettinggo, "_FEWEST", 1000)
    monkeypatch.setattr(lettinggo, "_LEAST", 10)
    monkeypatch.setattr(lettinggo, "_LOOK_SECONDS", 0.0)
    once = Watching._turn

    def turn(watching: Watching, *, final: bool) -> None:
        once(watching, final=final)
        if watching._session.store.view.records == 3000:
            Retention(size=2 << 16).let_go(spool_folder(NAME))

    monkeypatch.setattr(Watching, "_turn", turn)
    run = Remembering(home)
    assert 1500 < run.session.store.gone < 3000
    held = run.texts.filter(pl.col("line") > run.session.store.gone)
    assert held["raw"].str.extract(r"seq=(\d+)").cast(pl.Int64).to_list() == [line - 1 for line in held["line"]]
    # A watch that knows nothing but what the spool keeps tells of it what this one has told.
    for file in (home / "state" / "logscope" / "watch").iterdir():
        file.unlink()
    kept = Remembering(home)
    first = kept.session.loading.sources[0].first_line
    assert first > 1500
    assert kept.places
    assert kept.places == {name: line for name, line in run.places.items() if line >= first}


def test_of_a_file_that_is_followed_no_index_is_kept_that_lacks_records(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexcache, "LEAST", 1000)
    monkeypatch.setattr(indexcache, "_GROWTH", 0)
    file = home / "a.log"
    file.write_bytes(b"".join(message(number) for number in range(6000)))
    run = Bounded(home, sources=(str(file),))
    assert run.went
    assert run.session.store.view.records < 5000
    whole = Session(Options(sources=(str(file),)))
    whole.open()
    whole.read_all()
    assert whole.store.view.records == 6000
    whole.close()


def test_a_dropped_spool_leaves_no_checkpoint(home: Path) -> None:
    receive(0, 1500)
    Run(home)
    folder = home / "state" / "logscope" / "watch"
    assert list(folder.glob("*.checkpoint"))
    forget_spool("another")
    assert list(folder.glob("*.checkpoint"))
    forget_spool(NAME)
    assert not list(folder.glob("*.checkpoint"))


def test_lines_go_on_beyond_what_four_bytes_can_tell(home: Path) -> None:
    receive(0, 900)
    before = 2**32 - 450
    write_let_go(spool_folder(NAME), LetGo(1, before, 0))
    run = Bounded(home, RULE, BY_KEY)
    assert run.went
    assert run.texts["line"][-1] == before + 900
    lines = [step["line"] for one in run.session.detecting.told.values() for step in one.steps.values()]
    assert max(lines) > 2**32
    again = Bounded(home, RULE, BY_KEY)
    assert (again.goes_on, again.told, again.texts["line"][-1]) == (True, [], before + 900)


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_investigator_that_has_used_up_its_memory_reads_no_more_and_says_so(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_LOOK_SECONDS", 0.02)
    held = 1 << 40
    monkeypatch.setattr(memory, "anonymous", lambda: held)
    receive(0, 300)
    session = Session(Options(sources=(f"spool://{NAME}",), follow=True, memory=1 << 20))
    session.open()
    session.start()
    try:
        _until(lambda: session.snapshot.held_back)
        assert any("no more is read" in text for text in session.snapshot.messages)
        receive(300, 600)
        time.sleep(0.3)
        assert session.store.view.records == 300
        held = 0
        _until(lambda: session.store.view.records == 600)
        _until(lambda: not session.snapshot.held_back)
    finally:
        session.close()
