"""The benchmark runs at all, at a tiny size; its figures mean nothing here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.perf import inputs
from tests.perf.__main__ import main
from tests.perf.inputs import shop
from tests.perf.jobs import sequence
from tests.perf.linkjobs import link_values


def test_inputs_are_the_same_each_time_and_no_two_days_share_an_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "SEEDS", (1,))
    first, second = shop(tmp_path / "a", lines=25_000), shop(tmp_path / "b", lines=25_000)
    for one, other in zip(first.files, second.files, strict=True):
        assert hash(one.read_bytes()) == hash(other.read_bytes())
    text = next(path for path in first.files if path.name == "payments-1.log").read_bytes()
    days = text.split(b"\n2024-01-02T", 1)
    assert len(days) == 2
    refs = [{word for word in day.split() if word.startswith(b"reference=")} for day in days]
    assert refs[0]
    assert not refs[0] & refs[1]


def test_index_is_measured_and_shown_with_its_budget(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "app.log"
    log.write_text("2026-11-01T10:00:00Z INFO hello\n" * 50)
    assert main(["--only", "index", "--no-lnav", "--repeat", "1", "--data", str(tmp_path), "--big", str(log)]) == 0
    shown = capsys.readouterr().out
    assert "logscope stats" in shown
    assert "faster than lnav" in shown
    assert "left out (--no-lnav)" in shown


def test_a_second_opening_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "app.log"
    log.write_text("2026-11-01T10:00:00Z INFO hello\n" * 300_000)
    assert main(["--only", "reopen", "--repeat", "1", "--data", str(tmp_path), "--big", str(log)]) == 0
    shown = capsys.readouterr().out
    assert "second opening" in shown
    assert "0 MiB kept" not in shown
    assert "ended with" not in shown


def test_what_is_resident_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "app.log"
    log.write_text("2026-11-01T10:00:00Z INFO hello\n" * 50)
    assert main(["--only", "big", "--memory", "1G", "--data", str(tmp_path), "--big", str(log)]) == 0
    shown = capsys.readouterr().out
    assert "filter that most records match, 0 MiB within --memory 954 MiB" in shown
    assert "| 0 MiB | 954" not in shown


def test_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "warp"])
    assert "there are index" in capsys.readouterr().err


def test_linking_and_sequences_find_what_was_made() -> None:
    assert link_values(4_000)["transactions"] == 400
    assert sequence(40_000)["detections"] == 10
