"""Arguments to sources."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from logscope.sources.discover import expand


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "work"
    (work / "logs/a/b/c").mkdir(parents=True)
    for name in ("logs/z.log", "logs/a/y.log", "logs/a/b/x.log", "logs/a/b/c/too_deep.log", "logs/.hidden"):
        (work / name).write_text(f"{name}\n")
    (work / "logs/pic.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (work / "logs/old.gz").write_bytes(b"\x1f\x8b" + bytes(30))
    os.mkfifo(work / "logs/pipe")
    monkeypatch.chdir(work)


def names(*arguments: str, follow: bool = False) -> list[str]:
    return [spec.name for spec in expand(arguments, stdin_is_pipe=False, follow=follow).specs]


def test_a_folder_is_walked_three_deep_and_what_is_skipped_is_said() -> None:
    expansion = expand(["logs"], stdin_is_pipe=False)
    assert [spec.name for spec in expansion.specs] == ["logs/a/b/x.log", "logs/a/y.log", "logs/old.gz", "logs/z.log"]
    assert [notice.partition(":")[0] for notice in expansion.notices] == ["logs", "logs"]
    assert "pic.png" in expansion.notices[0]
    assert expansion.errors == []


def test_globs_are_sorted_and_files_are_read_once() -> None:
    Path("logs/link.log").symlink_to("z.log")
    expansion = expand(["logs/z.log", "logs/*.log", "logs/z.log"], stdin_is_pipe=False)
    assert [spec.name for spec in expansion.specs] == ["logs/z.log"]
    assert "same file" in expansion.notices[0]


def test_standard_input_when_nothing_is_named() -> None:
    assert [spec.name for spec in expand([], stdin_is_pipe=True).specs] == ["-"]
    assert expand([], stdin_is_pipe=False).specs == []
    assert names("-", "-") == ["-"]


@pytest.mark.parametrize(
    ("argument", "word"),
    [
        ("missing.log", "No such file"),
        ("*.nothing", "matches no file"),
        ("syslog+unix://log.sock", "no absolute path"),
        ("syslog+unix:///x?type=seq", "no type of socket"),
        ("syslog+unix:///x?mode=99", "no permissions"),
        ("syslog+unix:///" + "x" * 108, "longer than"),
        ("syslog+tcp://h:1?cert=x", "no setting"),
        ("syslog+tpc://h:1", "did you mean syslog\\+tcp"),
        ("syslog+tcp://h", "no port"),
        ("syslog+tcp://h:99999", "65535"),
        ("syslog+udp://::1:5", "brackets"),
        ("logs/z.log/x", "Not a directory"),
        ("", "no path"),
    ],
)
def test_what_cannot_be_a_source_is_an_error_with_a_mend(argument: str, word: str) -> None:
    import re

    expansion = expand([argument, "logs/z.log"], stdin_is_pipe=False)
    assert [spec.name for spec in expansion.specs] == ["logs/z.log"]
    (error,) = expansion.errors
    assert re.search(word, str(error))


def test_a_missing_file_is_waited_for_when_following() -> None:
    assert names("later.log", follow=True) == ["later.log"]


def test_kinds() -> None:
    kinds = [spec.kind for spec in expand(["logs/z.log", "logs/pipe", "syslog+tcp://:0", "spool://x"],
                                          stdin_is_pipe=False).specs]  # fmt: skip
    assert kinds == ["file", "stream", "messages", "messages"]


def test_a_folder_leaves_documents_out_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "app.log").write_text('{"ts": "2026-11-01T10:00:00Z", "msg": "x"}\n')
    (folder / "truth.json").write_text('{\n  "orders": ["ORD-1"]\n}\n')
    (folder / "lines.json").write_text('{"ts": "2026-11-01T10:00:00Z", "msg": "y"}\n')
    (folder / "README.md").write_text("# Logs\n")
    found = expand([str(folder)], stdin_is_pipe=False)
    assert [Path(spec.name).name for spec in found.specs] == ["app.log", "lines.json"]
    assert "skipped 2 that are documents" in found.notices[0]
    named = expand([str(folder / "truth.json")], stdin_is_pipe=False)
    assert [Path(spec.name).name for spec in named.specs] == ["truth.json"]


def test_a_table_beside_the_log_it_was_made_of_is_said(tmp_path: Path) -> None:
    for name in ("Apache_2k.log", "Apache_2k.log_structured.csv", "other_structured.csv"):
        (tmp_path / name).write_text("a\n")
    both = expand([str(tmp_path / "*")], stdin_is_pipe=False)
    assert len(both.specs) == 3
    (notice,) = (notice for notice in both.notices if "again" in notice)
    assert notice.startswith(
        f"{tmp_path}/Apache_2k.log_structured.csv: seems to hold the records of Apache_2k.log again"
    )
    alone = expand([str(tmp_path / "*.csv")], stdin_is_pipe=False)
    assert not alone.notices
    for name in ("Spark_2k.log", "Spark_2k.log_structured.csv"):
        (tmp_path / name).write_text("a\n")
    several = expand([str(tmp_path / "*")], stdin_is_pipe=False)
    (notice,) = (notice for notice in several.notices if "again" in notice)
    assert "and 1 more like it" in notice
