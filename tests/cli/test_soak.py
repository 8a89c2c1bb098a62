"""A short one of `python -m tests.soak kills`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.soak.kills import Soak


@pytest.mark.skipif(sys.platform != "linux", reason="finds the receiver in /proc")
def test_kills_at_random_instants_add_up(tmp_path: Path) -> None:
    report = Soak(tmp_path, rate=2000, seed=3).run(2)
    assert report.wrong == [], report
    assert report.told > 0
