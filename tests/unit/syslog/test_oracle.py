"""The inputs that daemons disagree about, on real sockets (see tests/conformance/syslog.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance import syslog


@pytest.mark.skipif(not syslog.ORACLE.is_file(), reason="no shared data")
def test_each_input_becomes_what_it_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    cases, decided = syslog.oracle(), syslog.expected()
    assert len(cases) == 78
    said = syslog.receive(cases, tmp_path)
    assert [why for case in cases if (why := syslog.wrong(case, decided.get(case.name)))] == []
    assert [word for word in ("TLS", "HTTP", "PROXY") if not any(f"{word} on a plain" in text for text in said)] == []


@pytest.mark.skipif(not syslog.FRAMING.is_file(), reason="no shared data")
def test_framing_vectors() -> None:
    vectors = [json.loads(line) for line in syslog.FRAMING.read_text(encoding="utf-8").splitlines()]
    assert [why for vector in vectors if (why := syslog.framing_wrong(vector))] == []
