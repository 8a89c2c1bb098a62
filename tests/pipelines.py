"""A pipeline for tests: every logsource means every record, with fields by their own names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

ALL = '[[pipeline]]\nname = "all"\nlogsource = {}\n'


def write_all(config: Path) -> None:
    """Put it into a configuration folder (`XDG_CONFIG_HOME`)."""
    folder = config / "logscope" / "pipelines"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "all.toml").write_text(ALL, encoding="utf-8")


@contextmanager
def all_records() -> Iterator[None]:
    """With a configuration of its own that has it."""
    before = os.environ.get("XDG_CONFIG_HOME")
    with TemporaryDirectory() as folder:
        write_all(Path(folder))
        os.environ["XDG_CONFIG_HOME"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["XDG_CONFIG_HOME"]
            else:
                os.environ["XDG_CONFIG_HOME"] = before
