"""JSON of products: time, level and host under names of their own, and what zones' abbreviations say."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from logscope.errors import LogscopeError
from logscope.formats.assignment import FormatSet
from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import make_parser
from tests.unit.formats.test_language import read, write

NESTED = {"data": {"event_date": "2026-11-01T10:00:01Z", "computer": {"hostname": "till-7"}, "severity": "High"}}


def test_members_that_only_a_sample_tells() -> None:
    lines = [json.dumps(NESTED | {"id": number, "next_check": "2027-01-01T00:00:00Z"}) for number in range(20)]
    (first, *_) = read(lines, "time", "host")
    assert first == {"time": "2026-11-01T10:00:01.000Z", "host": "till-7"}


def test_members_of_objects_over_several_lines() -> None:
    lines = json.dumps(NESTED, indent=2).split("\n")
    (whole,) = read_joined(lines)
    assert whole == {"time": "2026-11-01T10:00:01.000Z", "host": "till-7"}


def read_joined(lines: list[str]) -> list[dict[str, object]]:
    parser = make_parser(detect(load_formats(), lines, name="x"), zone="UTC", reference_us=0, source_name="")
    assert parser.starts(pl.Series(lines)).to_list() == [True] + [False] * (len(lines) - 1)
    raw = pl.Series(["\n".join(lines)])
    time = parser.index(raw)["time"].dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
    return parser.columns(raw, ["host"]).with_columns(time=time).select("time", "host").to_dicts()


def test_a_time_of_a_known_name_that_does_not_read_gives_way_to_one_that_does() -> None:
    lines = [json.dumps({"time": "late", "detected_at": 1793527201000 + number}) for number in range(5)]
    assert [each["time"] for each in read(lines, "time", "message")][:2] == [
        "2026-11-01T10:00:01.000Z",
        "2026-11-01T10:00:01.001Z",
    ]


def test_a_layout_of_its_own() -> None:
    lines = [json.dumps({"reported_time": f"28/11/2026 10:00:{second:02}"}) for second in range(9)]
    assert read(lines, "time", "message")[3]["time"] == "2026-11-28T10:00:03.000Z"


@pytest.mark.parametrize("member", ["expires_at", "valid_until", "number"])
def test_what_is_no_time_is_none(member: str) -> None:
    value = 17 if member == "number" else "soon"
    assert read([json.dumps({member: value})] * 3, "time", "message")[0]["time"] is None


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("Apr 15 2026 09:34:34 EDT", "2026-04-15T13:34:34.000Z"),
        ("Apr 15 2026 09:34:34 CEST", "2026-04-15T07:34:34.000Z"),
        ("Apr 15 2026 09:34:34 UTC", "2026-04-15T09:34:34.000Z"),
        ("Apr 15 2026 09:34:34 XYZ", "2026-04-15T09:34:34.000Z"),
    ],
)
def test_abbreviations_of_zones(stamp: str, expected: str) -> None:
    assert (
        read([f"{stamp}: %ASA-6-110002: Failed to locate egress interface"], "time", "message")[0]["time"] == expected
    )


def test_a_host_that_looks_like_a_zone_is_a_host() -> None:
    assert read(["Nov  1 10:00:01 WEB su: done"] * 3, "host", "service")[0] == {"host": "WEB", "service": "su"}


def test_a_format_may_have_a_zone_of_its_own(tmp_path: Path) -> None:
    write(
        tmp_path,
        "till.toml",
        "name = 'till'\npattern = '^till (?P<time>[0-9-]+ [0-9:]+) (?P<message>.*)$'\nzone = 'Europe/Zurich'\n"
        "[[samples]]\nline = 'till 2026-11-01 10:00:01 open'\nexpect = {time = '2026-11-01T09:00:01.000000Z'}\n",
    )
    formats = load_formats([tmp_path])
    (row,) = read_with(formats, ["till 2026-07-01 10:00:01 open"])
    assert row == "2026-07-01T08:00:01.000000Z"


def read_with(formats: FormatSet, lines: list[str]) -> list[str]:
    parser = make_parser(detect(formats, lines, name="x"), zone="UTC", reference_us=0, source_name="")
    return parser.index(pl.Series(lines))["time"].dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_list()


def test_an_unknown_zone_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, "till.toml", "name = 'till'\npattern = '^till'\nzone = 'Zurich'\n")
    errors: list[LogscopeError] = []
    load_formats([path], errors)
    assert "no zone 'Zurich'" in str(errors[0])


def test_objects_that_lack_what_the_first_one_has() -> None:
    objects = [
        {"id": 1, "time": "2026-11-01T10:00:01Z", "level": "info", "hostname": "a"},
        {"id": 2, "ts": "2026-11-01T10:00:02Z", "severity": "error", "host": "b", "hostname": "c"},
        {"id": 3, "time": "-", "timestamp": "2026-11-01T10:00:03Z", "host": "-", "hostname": "d"},
    ]
    rows = read([json.dumps(each) for each in objects], "time", "host")
    assert [row["time"] for row in rows] == [f"2026-11-01T10:00:0{second}.000Z" for second in (1, 2, 3)]
    assert [row["host"] for row in rows] == ["a", "b", "d"]


@pytest.mark.parametrize(
    "line",
    [
        "[INFO:till] till:47 2026-11-01 10:00:01,691: opened",
        "Thread-7::INFO::2026-11-01 10:00:01,691::opened",
        "till wrote at [01/Nov/2026:10:00:01 +0000] something",
    ],
)
def test_a_time_behind_the_first_words(line: str) -> None:
    lines = [line.replace("01,691", f"{second:02},691").replace("00:01 ", f"00:{second:02} ") for second in range(9)]
    rows = read([*lines, "a line without one"], "time", "message")
    assert [str(row["time"])[:19] for row in rows[:9]] == [f"2026-11-01T10:00:0{second}" for second in range(9)]
    assert rows[0]["message"] == lines[0]


def test_a_date_that_one_line_mentions_makes_no_format_of_a_text() -> None:
    lines = [f"worker {number} did something" for number in range(9)]
    rows = read([*lines, "it began at 2026-11-01 10:00:01"], "time", "message")
    assert {row["time"] for row in rows} == {None}


def test_a_fraction_behind_a_colon_as_sssd_writes_it() -> None:
    (row,) = read(["(Tue Jul 14 11:01:17:259149 2026) [sssd] [main] (0x0020): started"], "time", "message")
    assert row["time"] == "2026-07-14T11:01:17.259Z"


@pytest.mark.parametrize("odd", ["\x1b[2J", "\x1b[31\U0001f600m", "\x1b[", "\x1b[\x1b[0m31m"])
def test_sequences_that_are_no_colour_are_text(odd: str) -> None:
    lines = [f"2026-11-01T10:00:0{number}Z INFO tick {odd}" for number in range(3)]
    found = detect(load_formats(), lines, name="a.log")
    assert found.coloured == (odd.endswith("0m31m"))
    (first, *_) = read(lines, "time", "level")
    assert first["time"] == "2026-11-01T10:00:00.000Z"


def test_lines_with_colours_are_read_without_them() -> None:
    esc = "\x1b["
    lines = [f"{esc}32m2026-11-01T10:00:0{second}Z{esc}0m {esc}1;31mERROR{esc}0m till shut" for second in range(5)]
    rows = read(lines, "time", "message")
    assert rows[2] == {"time": "2026-11-01T10:00:02.000Z", "message": "till shut"}


def test_colours_within_what_holds_a_text_are_taken_off_the_message_alone() -> None:
    text = "\x1b[32m2026-11-01 10:00:00\x1b[0m \x1b[1;31mERROR\x1b[0m failed order_id=\x1b[33mORD-7\x1b[0m"
    docker = [
        json.dumps({"log": text + "\n", "stream": "stdout", "time": "2026-11-01T10:00:01Z"}, separators=(",", ":"))
    ] * 3
    assert read(docker, "level", "message", "fields.order_id")[1] == {
        "level": 5,
        "message": "failed order_id=ORD-7",
        "fields.order_id": "ORD-7",
    }
    objects = [json.dumps({"time": "2026-11-01T10:00:01Z", "msg": "\x1b[36mstarted\x1b[0m\x1b]0;x\x07"})] * 3
    (row, *_) = read(objects, "message", "fields.msg")
    assert row == {"message": "started\x1b]0;x\x07", "fields.msg": "\x1b[36mstarted\x1b[0m\x1b]0;x\x07"}
