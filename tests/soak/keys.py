"""Every key of every screen and every command, over hostile logs: no byte of theirs may act upon the terminal.

The keys are those of the keymap, so that a new one is walked without being named here; a new screen
must say how it is reached.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from logscope.tui.commands import COMMANDS
from logscope.tui.keymap import all_bindings
from tests.tui.test_safety import ESC, FORBIDDEN, HOSTILE, drive

REACHED = {
    "app": [], "screen": [], "list": [], "records": [], "input": ["/"], "help": ["?"], "trail": ["~"], "sql": [";"],
    "sources": ["@"], "detail": ["\r", "\t"], "facets": ["f"], "pick": ["c"], "transactions": ["T"],
    "transaction": ["T", "\r"], "waterfall": ["T", "\r", "\t"], "facts": ["T", "\r", "w"], "compare": ["T", "\r", "="],
    "keys": ["K"], "chooser": ["K", "c"], "map": ["M"], "clocks": ["C"], "detections": ["D"], "case": ["P", "I"],
    "dashboard": ["L"], "rule": ["m", "S"], "rules": ["R"], "page": ["R", "\r"], "editor": ["R", "e"],
}  # fmt: skip
"""By group of the keymap the keys that lead from the records to where its own are live."""

LEFT_OUT = {"app.quit": "ends it; it is pressed last"}

_NAMED = {
    "enter": "\r", "tab": "\t", "escape": ESC, "backspace": "\x7f", "space": " ", "up": "\x1b[A", "down": "\x1b[B",
    "right": "\x1b[C", "left": "\x1b[D", "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "home": "\x1b[H", "end": "\x1b[F",
    "shift+tab": "\x1b[Z", "shift+up": "\x1b[1;2A", "shift+down": "\x1b[1;2B", "shift+right": "\x1b[1;2C",
    "shift+left": "\x1b[1;2D", "ctrl+home": "\x1b[1;5H", "ctrl+end": "\x1b[1;5F", "delete": "\x1b[3~", "f1": "\x1bOP", "f2": "\x1bOQ", "question_mark": "?", "colon": ":", "ampersand": "&",
    "minus": "-", "plus": "+", "slash": "/", "backslash": "\\", "asterisk": "*", "right_curly_bracket": "}",
    "left_curly_bracket": "{", "tilde": "~", "apostrophe": "'", "full_stop": ".", "comma": ",", "vertical_line": "|",
    "number_sign": "#", "quotation_mark": '"', "right_square_bracket": "]", "left_square_bracket": "[",
    "right_parenthesis": ")", "left_parenthesis": "(", "percent_sign": "%", "semicolon": ";", "at": "@",
    "greater_than_sign": ">", "less_than_sign": "<", "equals_sign": "=", "exclamation_mark": "!", "dollar_sign": "$",
    "circumflex_accent": "^", "underscore": "_",
}  # fmt: skip
_HOME = [ESC, ESC, ESC]


def key_bytes(name: str) -> str:
    """What a terminal sends for a key as the keymap calls it.

    Raises:
        KeyError: It is not known here.
    """
    if name.startswith("ctrl+"):
        return chr(ord(name[5:].upper()) - 64)
    return name if len(name) == 1 else _NAMED[name]


def walks() -> Iterator[tuple[str, list[str]]]:
    """(what is tried, the keys for it), each from the records and back."""
    for name, doc in all_bindings().items():
        if name not in LEFT_OUT:
            for key in doc.keys:
                yield name, [*REACHED[name.split(".")[0]], key_bytes(key), *_HOME]
    for place, command in enumerate(COMMANDS):
        if command.name != "quit":
            bad = HOSTILE[place % len(HOSTILE)] if command.argument else ""
            text = "".join(sign for sign in bad if sign.isprintable())
            # A bracketed paste: what is pasted is as hostile as a log.
            yield f":{command.name}", [":", f"{command.name} ", f"\x1b[200~{text}\x1b[201~", "\r", *_HOME]


def main(arguments: list[str]) -> int:
    """Walk; exit code 1 if something of the logs reached the terminal."""
    parser = argparse.ArgumentParser("python -m tests.soak keys")
    parser.add_argument("--only", default="", help="walks whose name begins so")
    only = parser.parse_args(arguments).only
    os.environ |= {"EDITOR": "true", "VISUAL": "true"}
    bad = 0
    chosen = [(name, keys) for name, keys in walks() if name.removeprefix(":").startswith(only)]
    for place in range(0, len(chosen), _TOGETHER):
        part = chosen[place : place + _TOGETHER]
        with tempfile.TemporaryDirectory(prefix="logscope-keys-") as folder:
            painted = drive([key for _, keys in part for key in keys], Path(folder))
        found = [payload for payload in FORBIDDEN if payload in painted]
        bad += len(found)
        print(
            f"{part[0][0]} to {part[-1][0]}: {len(painted):,} bytes" + (f", among them {found}" if found else ""),
            flush=True,
        )
    print(f"{len(chosen)} walks, {bad} payloads on the terminal")
    return 1 if bad else 0


_TOGETHER = 25
"""Walks of one process: what one changed may hide what another shows."""
