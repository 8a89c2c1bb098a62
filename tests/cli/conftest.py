from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import Program


@pytest.fixture
def logscope(tmp_path: Path) -> Iterator[Program]:
    """The program, with folders of its own."""
    home = tmp_path / "home"
    home.mkdir()
    program = Program(home)
    yield program
    program.close()
