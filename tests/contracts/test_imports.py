"""What must not be imported, proven in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_HEAVY = ("polars", "textual", "rich", "watchfiles", "yaml", "sigma")


def _loaded(code: str) -> set[str]:
    program = f"{code}\nimport sys\nprint('\\n' + ' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60, cwd=_ROOT
    )
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_neither_textual_nor_polars() -> None:
    code = "import logscope.cli.main as m\ntry:\n    m.main(['--help'])\nexcept SystemExit: pass"
    loaded = _loaded(code)
    assert not loaded.intersection(_HEAVY)


@pytest.mark.parametrize("module", ["logscope.sources.receiver", "logscope.syslog.frames", "logscope.text"])
def test_receiver_and_border_are_light(module: str) -> None:
    assert not _loaded(f"import {module}").intersection(_HEAVY)


def test_engine_knows_no_screen() -> None:
    assert not _loaded("import logscope.engine.session").intersection({"textual", "rich"})
