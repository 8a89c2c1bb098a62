"""What helps to write a format: how far a pattern goes, what is read line by line, and imports."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from logscope.errors import FormatError
from logscope.formats.detect import detect
from logscope.formats.explain import near_miss
from logscope.formats.importing import imported
from logscope.formats.linewise import readings
from logscope.formats.loader import load_formats
from logscope.formats.model import Format

FORM = Format(
    name="till",
    kind="regex",
    title="till",
    where="x",
    patterns=(r"^TILL (?P<till>\d+) (?P<time>\S+ \S+) (?P<level>[A-Z]+) (?P<message>.*)$",),
)


@pytest.mark.parametrize(
    ("line", "matched", "expected"),
    [
        ("TILL x 2026", "TILL ", "(?:[0-9]+)"),
        ("TILL 7 2026-11-01 10:00:00 ouch", "TILL 7 2026-11-01 10:00:00 ", "(?:[A-Z]+)"),
        ("nothing", "", "TILL"),
    ],
)
def test_how_far_a_pattern_goes(line: str, matched: str, expected: str) -> None:
    found = near_miss(FORM, line)
    assert found is not None
    assert found.matched == matched
    assert found.expected.startswith(expected)
    assert "till" in str(found)


def test_line_by_line() -> None:
    lines = ["2026-11-01 10:00:00,123 ERROR [main] a.B - lost order_id=7", "\tat a.B", "no time here"]
    formats = load_formats()
    told = list(readings(detect(formats, lines, name="a.log"), lines, name="a.log"))
    assert told[0]["format"] == "log4j"
    assert told[0]["level"] == "error"
    assert told[0]["fields"]["order_id"] == "7"
    assert [entry.get("continues") for entry in told] == [None, 1, 1]
    alone = list(readings(detect(formats, lines, name="a.log", forced="elb"), lines[2:], name="a.log"))
    assert alone[0]["format"] == "text"
    assert alone[0]["why"][0].startswith("elb expects")


def test_a_grok_pattern_becomes_a_format_that_loads(tmp_path: Path) -> None:
    source = tmp_path / "shop.grok"
    source.write_text(
        "# ours\nORDER ORD-[0-9]+\n"
        r"SHOPLINE %{TIMESTAMP_ISO8601:timestamp} %{LOGLEVEL:loglevel} \[%{DATA:thread}\] (%{ORDER:order_id} )?%{GREEDYDATA:msg}"
    )
    made = tmp_path / "shop.toml"
    made.write_text(
        imported(source)
        + """
[[samples]]
line = "2026-11-01T10:00:00Z WARN [main] ORD-7 slow"
[samples.expect]
time = "2026-11-01T10:00:00.000000Z"
level = "warn"
message = "slow"
"fields.order_id" = "ORD-7"
"""
    )
    assert load_formats([made]).get("shop").title == "imported from shop.grok"


def test_an_lnav_file_becomes_a_format_that_loads(tmp_path: Path) -> None:
    source = tmp_path / "ex.json"
    regex = {
        "std": {"pattern": r"^(?<timestamp>\d{4}-\d{2}-\d{2}T\d+:\d+:\d+Z) (?<lvl>\w+) (ab)?(?<body>.*)$"},
        "ahead": {"pattern": "^(?=x)(?<body>.*)$"},
    }
    form = {"title": "Example", "regex": regex, "level-field": "lvl", "level": {"error": "OUCH"}}
    form["sample"] = [{"line": "2011-04-01T15:14:34Z OUCH can't find"}]
    source.write_text(json.dumps({"$schema": "x", "ex_log": form}))
    text = imported(source)
    assert "# not taken over: " in text
    made = tmp_path / "ex.toml"
    made.write_text(text + 'level = "error"\nmessage = "can\'t find"\n')
    assert load_formats([made]).get("ex_log").levels == {"ouch": "error"}


def test_a_sample_that_the_patterns_do_not_match_is_a_comment(tmp_path: Path) -> None:
    source = tmp_path / "ex.json"
    form = {"regex": {"std": {"pattern": r"^(?<timestamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?<body>.*)$"}}}
    form["sample"] = [{"line": "2026-11-01 10:00:00 a"}, {"line": "no time"}]
    source.write_text(json.dumps({"ex_log": form}))
    made = tmp_path / "ex.toml"
    made.write_text(imported(source))
    assert "# 'no time'" in made.read_text()
    assert [sample.line for sample in load_formats([made]).get("ex_log").samples] == ["2026-11-01 10:00:00 a"]


def test_a_date_and_a_time_of_a_grok_pattern_are_put_together(tmp_path: Path) -> None:
    source = tmp_path / "till"
    source.write_text("%{DATE:date} %{TIME:time} %{GREEDYDATA:message}\n")
    made = tmp_path / "till.toml"
    sample = 'line = "2026-11-01 10:00:00 a"\n[samples.expect]\ntime = "2026-11-01T10:00:00.000000Z"\nmessage = "a"\n'
    made.write_text(imported(source) + "[[samples]]\n" + sample)
    assert load_formats([made]).get("till").samples


def test_all_patterns_of_a_grok_file_that_are_no_parts_are_taken(tmp_path: Path) -> None:
    source = tmp_path / "till"
    source.write_text(
        "CLOCK (?!<[0-9])%{HOUR}:%{MINUTE}(?![0-9])\nTILLOPEN open %{CLOCK:at} %{USER:who}\nTILLSHUT shut %{CLOCK:at}\n"
    )
    made = tmp_path / "till.toml"
    made.write_text(imported(source))
    till = load_formats([made]).get("till")
    assert len(till.patterns) == 2
    assert pl.Series(["open 10:00 alice", "shut 18:30"]).str.contains(till.patterns[1]).to_list() == [False, True]


def test_why_nothing_can_be_taken_is_said_in_one_line(tmp_path: Path) -> None:
    source = tmp_path / "till"
    source.write_text(r"TILL till (?=x)%{WORD:x}" + "\n")
    with pytest.raises(FormatError, match="look-around, including look-ahead and look-behind") as raised:
        imported(source)
    assert "\n" not in str(raised.value)


def test_an_lnav_file_of_json_and_its_layouts(tmp_path: Path) -> None:
    form = {
        "file-type": "json",
        "timestamp-field": "meta/when",
        "timestamp-format": ["%d.%m.%Y %H:%M:%S,%L", "%s"],
        "level-field": "lvl",
        "level": {"error": 50, "info": "fine"},
        "body-field": "say",
    }
    source = tmp_path / "till.json"
    source.write_text(json.dumps({"till_log": form}))
    made = tmp_path / "till.toml"
    made.write_text(
        imported(source).partition("# Add")[0]
        + """[[samples]]
line = '{"meta": {"when": "28.11.2026 10:00:01,250"}, "lvl": 50, "say": "shut"}'
[samples.expect]
time = "2026-11-28T10:00:01.250000Z"
level = "error"
message = "shut"
"""
    )
    till = load_formats([made]).get("till_log")
    assert (till.kind, till.members, till.layouts) == ("json", ("meta", "say"), ("%d.%m.%Y %H:%M:%S%.f",))


@pytest.mark.parametrize("text", ["", "%{NOSUCH:a}", "A %{B}\nB %{A}", "{", "{}", '{"a": {"regex": {}}}'])
def test_what_cannot_be_imported_is_said(tmp_path: Path, text: str) -> None:
    source = tmp_path / "x.grok"
    source.write_text(text)
    with pytest.raises(FormatError):
        imported(source)
