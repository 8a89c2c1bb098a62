"""What a watch writes down: taken up again whole, or put aside with a word."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logscope.engine.options import Options
from logscope.engine.service.watching import Watching
from logscope.engine.session import Session
from logscope.records import schema
from logscope.sources.retention import Retention
from logscope.sources.spool import segment_numbers, segment_path, spool_folder
from logscope.sources.spool_writer import SpoolWriter
from tests.soak.kills import message, plan_text

NAME = "syslog+tcp://127.0.0.1:22999"
RULE = 'seq by transaction maxspan 5m: ["charge begin"] not ["charge settled"] within 30s'
OTHER = 'seq by transaction maxspan 5m: ["charge begin"] not ["psp response"] within 30s'


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("STATE", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    (tmp_path / "plan.toml").write_text(plan_text())
    return tmp_path


def receive(first: int, stop: int) -> None:
    """Messages as a listener writes them down, in segments of 64 KiB."""
    writer = SpoolWriter(NAME, segment_size=1 << 16)
    for number in range(first, stop):
        text = message(number).rstrip(b"\n")
        writer.add(b"%016d 10.0.0.1:1 - %s\n" % (1_793_000_000_000_000 + number * 100_000, text), 1)
        if number % 300 == 0:
            writer.flush()
    writer.close()


class Run:
    """One watch of the spool, until it has read what is there."""

    def __init__(self, home: Path, *rules: str, **options: object) -> None:
        self.told: list[str] = []
        self.said: list[str] = []
        given: dict[str, Any] = {"sources": (f"spool://{NAME}",), **options}
        chosen = Options(follow=True, plan=str(home / "plan.toml"), rule=rules or (RULE,), **given)
        self.session = Session(chosen)
        self.session.open()
        self.watching = Watching(self.session, self._tell, self.said.append)
        stop = threading.Event()
        self.read = 0
        step = self.session.loading.step

        def counted() -> bool:
            moved = step()
            self.read += moved
            if not moved:
                stop.set()
            return moved

        self.session.loading.step = counted  # type: ignore[method-assign]
        self.watching.run(stop)
        self.texts = self.session.frames.rows(
            pl.int_range(0, self.session.store.view.records, dtype=pl.UInt32, eager=True).alias(schema.ROW),
            self.session.store.view, ("raw", "time", "line"),
        )  # fmt: skip
        self.session.close()

    def _tell(self, detections: list[object]) -> None:
        self.told += [f"{one.state} {one.rule} {one.detection}" for one in detections]  # type: ignore[attr-defined]

    @property
    def goes_on(self) -> bool:
        return any("known from the run before" in text for text in self.said)


def test_nothing_is_read_again_or_told_again(home: Path) -> None:
    receive(0, 3000)
    first = Run(home)
    assert first.told
    receive(3000, 4500)
    second = Run(home)
    assert second.goes_on
    assert second.read < first.read
    third = Run(home)
    assert (third.goes_on, third.read, third.told) == (True, 0, [])
    assert third.texts["line"].to_list() == list(range(1, 4501))
    assert third.texts["raw"].str.extract(r"seq=(\d+)").cast(pl.Int64).to_list() == list(range(4500))

    for file in (home / "state" / "logscope" / "watch").iterdir():
        file.unlink()
    whole = Run(home)
    assert not whole.goes_on
    assert whole.texts.equals(third.texts)
    assert sorted(first.told + second.told) == sorted(whole.told)


def test_what_was_let_go_since_does_not_matter(home: Path) -> None:
    receive(0, 3000)
    first = Run(home)
    folder = spool_folder(NAME)
    gone = Retention(size=3 << 16).let_go(folder)
    assert gone[0] > 0
    receive(3000, 4500)
    second = Run(home)
    assert second.goes_on, second.said
    assert second.texts["line"].to_list() == list(range(1, 4501))
    seen = second.texts["raw"].str.extract(r"seq=(\d+)").cast(pl.Int64).to_list()
    assert seen[gone[0] :] == list(range(gone[0], 4500))
    assert len(set(first.told + second.told)) == len(first.told + second.told) > 10


def test_a_changed_rule_alone_is_asked_anew(home: Path) -> None:
    receive(0, 3000)
    first = Run(home, RULE)
    second = Run(home, RULE, OTHER)
    assert second.goes_on
    assert any("new or changed: seq2" in text for text in second.said)
    assert second.told == []
    third = Run(home, OTHER)
    assert any("new or changed: seq" in text for text in third.said)
    assert {text.split()[0] for text in third.told} == {"retracted"}
    assert len(third.told) == len(first.told)


def test_a_rule_that_looks_further_back_than_is_kept_is_said(home: Path) -> None:
    receive(0, 30)
    said = [text for text in Run(home, retain="20s").said if "looks back" in text]
    assert said == ["rule seq looks back 30.0 s, and --retain keeps 20s: what is older is not there to be read again"]
    assert not any("looks back" in text for text in Run(home, retain="1h").said)


def damage(file: Path, _home: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def cut(file: Path, _home: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9])


def other_plan(_file: Path, home: Path) -> None:
    (home / "plan.toml").write_text(plan_text().replace("psp_ref", "psp"))


def other_spool(_file: Path, _home: Path) -> None:
    path = segment_path(spool_folder(NAME), segment_numbers(spool_folder(NAME))[-1])
    path.write_bytes(path.read_bytes().replace(b"order_id", b"order_ID"))


@pytest.mark.parametrize(
    ("change", "why"),
    [(damage, "damaged"), (cut, "damaged"), (other_plan, "the plan changed"), (other_spool, "is not what was read")],
)
def test_one_that_does_not_fit_is_put_aside_with_a_word(home: Path, change: object, why: str) -> None:
    receive(0, 900)
    first = Run(home)
    (file,) = (home / "state" / "logscope" / "watch").glob("*.checkpoint")
    change(file, home)  # type: ignore[operator]
    second = Run(home)
    assert not second.goes_on
    assert any(why in text and "everything is read again" in text for text in second.said), second.said
    assert second.read == first.read
    assert second.texts["line"].equals(first.texts["line"])
    assert Run(home).goes_on


def test_options_that_matter_make_another(home: Path) -> None:
    receive(0, 900)
    Run(home)
    assert any("an option changed" in text for text in Run(home, lateness=5_000_000).said)
    assert Run(home, lateness=5_000_000, memory=1 << 30).goes_on


def test_what_cannot_be_taken_up_leaves_the_session_as_it_was(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receive(0, 900)
    first = Run(home)

    def broken(self: object, *_: object) -> None:
        raise KeyError("told")

    with monkeypatch.context() as patch:
        patch.setattr("logscope.engine.detection.suppression.Suppression.restore", broken)
        second = Run(home)
    assert any("cannot be taken up" in text for text in second.said), second.said
    assert second.texts.equals(first.texts)
    assert second.told == []


def test_a_disk_that_is_full_is_said_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receive(0, 900)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("logscope.engine.service.checkpoint.write_frames", full)
    monkeypatch.setattr("logscope.engine.service.checkpoint._FEWEST", 10)
    run = Run(home)
    assert sum("cannot be written: No space left" in text for text in run.said) == 1
    assert run.told
