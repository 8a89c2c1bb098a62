"""The investigator with a driver that notes what Textual wrote: `python -m tests.tui.terminal.recorded NOTES FILE...`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.tui.app import LogscopeApp
from logscope.tui.terminal.driver import DiffDriver


def main(notes: str, sources: list[str]) -> None:
    """Run until the user leaves."""
    session = Session(Options(sources=tuple(sources)))
    session.open()
    session.start()
    with Path(notes).open("w", buffering=1, encoding="utf-8") as file:

        class Noted(DiffDriver):
            """Also keeps what it was given, and how large the app was then."""

            def write(self, data: str) -> None:
                file.write(json.dumps([*self._app.size, data]) + "\n")
                super().write(data)

        try:
            LogscopeApp(session, zone="UTC", driver_class=Noted).run()
        finally:
            session.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
