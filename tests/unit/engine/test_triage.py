from __future__ import annotations

from pathlib import Path

import pytest

from logscope.engine.rulework.triage import ACKNOWLEDGED, FALSE_POSITIVE, Triage, Verdict
from logscope.errors import ConfigError


def test_verdicts_outlive_the_run_and_can_be_taken_back(tmp_path: Path) -> None:
    triage = Triage(tmp_path / "state")
    assert triage.verdicts() == {}
    triage.judge("d1", Verdict(ACKNOWLEDGED, rule="r"))
    triage.judge("d2", Verdict(FALSE_POSITIVE, "test\x1b[2J order", "r"))
    kept = Triage(tmp_path / "state").verdicts()
    assert kept["d2"].reason == "test\x1b[2J order"
    assert kept["d1"].at > 0
    triage.judge("d1", None)
    assert list(triage.verdicts()) == ["d2"]
    assert b"\x1b" not in (tmp_path / "state" / "triage.json").read_bytes()


def test_a_broken_file_is_said_and_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "triage.json").write_text("{")
    with pytest.raises(ConfigError, match=r"triage\.json"):
        Triage(tmp_path).judge("d", Verdict(ACKNOWLEDGED))
    assert (tmp_path / "triage.json").read_text() == "{"
