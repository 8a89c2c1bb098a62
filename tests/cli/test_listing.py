"""What a terminal shows while the members of an archive are looked for."""

from __future__ import annotations

import io
import sys

import pytest

from logscope.cli import listing


def test_it_is_shown_on_a_terminal_alone_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(listing, "_AFTER", 0.0)
    monkeypatch.setattr(listing, "_EVERY", 0.0)
    monkeypatch.setattr(sys, "stderr", seen := Terminal())
    with listing.listing() as told:
        assert told is not None
        told("a\x1b[31m.tar.gz", 30, 100)
    assert "looking for the members of a␛[31m.tar.gz  30%" in seen.getvalue()
    assert seen.getvalue().endswith("\r\x1b[K")
    monkeypatch.setattr(sys, "stderr", piped := io.StringIO())
    with listing.listing() as told:
        assert told is None
    assert piped.getvalue() == ""
