"""Files and members in the order in which people number them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from logscope.sources.discover import expand, names_of
from logscope.sources.order import natural
from tests.unit.sources.test_archives import read_all

NAMES = ["app-1.log", "app-2.log", "app-10.log", "app-010.log", "b.log", "log.2026-11-01.9.txt"]


def test_folders_globs_and_archives_in_natural_order(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        for name in reversed(NAMES):
            (logs / name).write_text("a line\n")
            archive.writestr(name, "a line\n")
    expected = ["app-1.log", "app-2.log", "app-010.log", "app-10.log", "b.log", "log.2026-11-01.9.txt"]
    assert [Path(name).name for name in names_of(str(logs))] == expected
    assert [Path(name).name for name in names_of(f"{logs}/*")] == expected
    found = expand([str(tmp_path / "logs.zip")], stdin_is_pipe=False)
    assert [spec.name.rpartition("!")[2] for spec in found.specs] == expected
    read_all(found)


def test_any_names_can_be_compared() -> None:
    names = ["", "1", "a", "1a", "a1", "٣", "²", "9" * 255, "\udcff2", "a 10", "a 9"]
    assert sorted(sorted(names, key=natural)) == sorted(names)
    assert natural("a 9") < natural("a 10")
