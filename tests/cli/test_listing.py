"""What a terminal shows while the members of an archive are looked for."""

from __future__ import annotations

import io
import os
import pty
import sys
import termios

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


def test_esc_ends_it_before_the_investigator_and_an_arrow_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard, terminal = pty.openpty()
    monkeypatch.setattr(listing, "_AFTER", 0.0)
    monkeypatch.setattr(listing, "_EVERY", 0.0)
    before = termios.tcgetattr(terminal)
    with open(terminal, closefd=False) as typed, open(terminal, "w", closefd=False) as shown:
        monkeypatch.setattr(sys, "stdin", typed)
        monkeypatch.setattr(sys, "stderr", shown)
        with listing.listing(keys=True) as told:
            assert told is not None
            assert told("a.tar.gz", 10, 100)
            os.write(keyboard, b"\x1b[A")
            assert told("a.tar.gz", 20, 100)
            os.write(keyboard, b"\x1b")
            assert not told("a.tar.gz", 30, 100)
            assert not told("b.tar.gz", 1, 100)
        assert termios.tcgetattr(terminal) == before
        with listing.listing() as told:
            assert told is not None
            os.write(keyboard, b"\x1b\n")
            assert told("a.tar.gz", 10, 100)
    assert b"(Esc stops)" in os.read(keyboard, 4096)
    os.close(keyboard)
    os.close(terminal)
