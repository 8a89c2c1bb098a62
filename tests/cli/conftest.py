from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from logscope.cli.main import main
from tests.cli.process import Program, Result


@pytest.fixture
def logscope(tmp_path: Path) -> Iterator[Program]:
    """The program, with folders of its own."""
    home = tmp_path / "home"
    home.mkdir()
    program = Program(home)
    yield program
    program.close()


class Command:
    """Runs commands in this process: for what does not need one of its own (a process takes a second to start)."""

    def __init__(self, program: Program, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.program = program
        self.folder = folder
        for name, value in program.environment.items():
            if name.startswith("XDG_") or name in ("HOME", "TZ"):
                patch.setenv(name, value)
        patch.delenv("NO_COLOR", raising=False)
        patch.chdir(folder)

    def __call__(self, *arguments: str | Path) -> Result:
        streams = sys.stdin, sys.stdout, sys.stderr
        with (
            tempfile.TemporaryFile("w+") as out,
            tempfile.TemporaryFile("w+") as err,
            Path(os.devnull).open() as nothing,
        ):
            try:
                sys.stdin, sys.stdout, sys.stderr = nothing, out, err
                try:
                    code = main([str(argument) for argument in arguments])
                except SystemExit as end:
                    code = int(end.code or 0)
            finally:
                sys.stdin, sys.stdout, sys.stderr = streams
            written = []
            for stream in (out, err):
                stream.flush()
                stream.seek(0)
                written.append(stream.buffer.read())
        assert b"Traceback" not in written[1]
        return Result(code, *written)


@pytest.fixture
def command(logscope: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Commands within this process; `tmp_path` is the working folder."""
    return Command(logscope, tmp_path, monkeypatch)
