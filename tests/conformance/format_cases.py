"""Cases of the formats suites: texts with what others say stands in them, read from the shared data.

Nothing here asks logscope: times of the truth are read by dateutil, levels by a table of words.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import tomllib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import parser as dateutil

from tests.conformance.sigma import SHARED

DATA = SHARED / "data"
_HERE = Path(__file__).parent

_LEVELS = {
    "trace": "trace finest finer verbose all v debug2 debug3 debug4 debug5",
    "debug": "debug fine d config debug1 7",
    "info": "info information informational informative notice i n log statement 6 5 ok hint detail note system",
    "warn": "warn warning w 4",
    "error": "error err e severe 3 failure fault",
    "fatal": "fatal critical crit alert emerg emergency panic f c 2 1 0 assert emergency",
}
_ZONES = {
    "EST": -18000,
    "EDT": -14400,
    "CST": -21600,
    "CDT": -18000,
    "MST": -25200,
    "MDT": -21600,
    "PST": -28800,
    "PDT": -25200,
    "CET": 3600,
    "CEST": 7200,
    "EET": 7200,
    "EEST": 10800,
}
"""Zones that dateutil passes over unless it is told: RFC 5322 4.3, tz database."""
LEVELS = {word: level for level, words in _LEVELS.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class Expected:
    """What a suite says of one record."""

    line: int
    """0-based number of its first line."""
    time: datetime | None = None
    year: bool = True
    """Whether the year counts; it does not where the text leaves it out."""
    level: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    """Values by the suite's names."""


@dataclass(frozen=True, slots=True)
class Case:
    """A text of some lines and its records."""

    name: str
    lines: tuple[str, ...]
    records: tuple[Expected, ...]
    zone: str = "UTC"
    counts: bool = True
    """Whether `records` are all records that there are."""
    within: bool = False
    """Whether the lines of `records` may be any of theirs, not only the first."""


def level_of(word: object) -> str | None:
    """Our name of a level word; None if it is none."""
    return LEVELS.get(str(word).strip().lower())


def time_of(text: object, default_zone: str = "UTC") -> tuple[datetime | None, bool]:
    """The instant of a time text, and whether its year counts."""
    if text is None or text == "":
        return None, True
    told = str(text).strip("[]() ")
    if re.fullmatch(r"\d{9,19}(\.\d+)?", told):
        whole = told.partition(".")[0]
        number = float(told) / 10 ** (3 * ((len(whole) - 8) // 3) if len(whole) > 11 else 0)
        return datetime.fromtimestamp(number, UTC), True
    told = re.sub(r"^(\d+/\w+/\d+):", r"\1 ", told)
    told = re.sub(r"(\d\d:\d\d:\d\d):(\d+)", r"\1.\2", told)
    # glog's month and day, Spark's two digits of a year, Proxifier's month and day.
    told = re.sub(r"^(\d\d)(\d\d) (?=\d\d:)", r"2020-\1-\2 ", told)
    told = re.sub(r"^(\d\d)/(\d\d)/(\d\d) (?=\d\d:)", r"20\1-\2-\3 ", told)
    told = re.sub(r"^(\d\d)\.(\d\d) (?=\d\d:)", r"2020-\1-\2 ", told)
    year = (re.search(r"\d{4}", told) is not None and not told.startswith("2020-")) or "2020" in str(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            when = dateutil.parse(told, default=datetime(2020, 1, 1), tzinfos=_ZONES)  # noqa: DTZ001 (the zone follows)
    except (ValueError, OverflowError, TypeError):
        return None, True
    return (when if when.tzinfo else when.replace(tzinfo=ZoneInfo(default_zone))), year


def flat(members: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Members with dotted names, lists one by one."""
    for name, value in members.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{name}.")
        elif isinstance(value, list):
            if len(value) == 1 and not isinstance(value[0], dict):
                yield before + name, value[0]
        elif value is not None:
            yield before + name, value


def texts(members: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Values as text, without empty ones."""
    out = {}
    for name, value in members:
        text = json.dumps(value) if isinstance(value, bool) else str(value)
        if text not in {"", "-", "nil", "None"}:
            out[name] = text
    return out


def lnav() -> Iterator[Case]:
    """Sample lines of lnav's format definitions."""
    for entry in _json_lines(DATA / "lnav" / "format_samples.jsonl"):
        captures = {k: v for k, v in (entry.get("captures") or {}).items() if k not in {"timestamp", "level", "body"}}
        stamp = str(entry.get("timestamp_text") or "")
        # strace writes the time of day alone.
        time, year = time_of(None if re.fullmatch(r"[\d:.]{8,15}", stamp) and ":" in stamp else stamp)
        # lnav calls HTTP 404 an error; our interface calls it a warning.
        status = str(entry.get("level_text") or "").isdigit()
        level = None if status else level_of(entry.get("level") or "")
        lines = tuple(entry["line"].rstrip("\n").split("\n"))
        expected = Expected(0, time, year, level, texts(captures.items()))
        yield Case(entry["id"], lines, (expected,))


def beats() -> Iterator[Case]:
    """Filebeat's module tests."""
    for path in sorted((DATA / "beats").glob("*/*-expected.json")):
        log = path.with_name(path.name.removesuffix("-expected.json"))
        if not log.exists():
            continue
        content = log.read_bytes()
        events = json.loads(path.read_text(encoding="utf-8"))
        zones = {event.get("event.timezone") for event in events} - {None}
        zone = _zone(min(zones)) if zones else "UTC"
        records = []
        for event in events:
            line = content[: event["log.offset"]].count(b"\n")
            records.append(_ecs(line, event, content[event["log.offset"] :][:4000].decode("utf-8", "replace")))
        yield Case(f"{path.parent.name}/{log.name}", _lines(content), tuple(records), zone)


def elastic() -> Iterator[Case]:
    """Pipeline tests of Elastic's packages."""
    for path in sorted((DATA / "elastic-package").glob("*/*-expected.json")):
        log = path.with_name(path.name.removesuffix("-expected.json"))
        lines = _lines(log.read_bytes())
        events = json.loads(path.read_text(encoding="utf-8"))["expected"]
        zones = [zone for event in events if event and (zone := event.get("event", {}).get("timezone"))]
        records, place = [], 0
        for event in events:
            original = (event or {}).get("event", {}).get("original", "").split("\n")[0]
            found = next((at for at in range(place, len(lines)) if original and original == lines[at]), None)
            if found is not None:
                records.append(_ecs(found, dict(flat(event)), lines[found]))
                place = found + 1
        yield Case(f"{path.parent.name}/{log.name}", lines, tuple(records), _zone(zones[0]) if zones else "UTC", False)


def loghub() -> Iterator[Case]:
    """LogHub's structured logs."""
    for path in sorted((DATA / "loghub").glob("*/*_structured.csv")):
        lines = _lines(path.with_name(path.name.removesuffix("_structured.csv")).read_bytes())
        records = []
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                number = int(row["LineId"]) - 1
                time, year = time_of(_stamp(row), "UTC")
                values = {name: row[name] for name in ("Pid", "PID", "Tid", "Component", "Node") if row.get(name)}
                values["Content"] = row["Content"]
                if path.parent.name == "OpenSSH":
                    values["host"] = values.pop("Component")
                records.append(Expected(number, time, year, level_of(row.get("Level", "")), texts(values.items())))
        yield Case(path.parent.name, lines, tuple(records))


def _stamp(row: Mapping[str, str]) -> str:
    if "NodeRepeat" in row:
        return re.sub(r"-(\d\d)\.(\d\d)\.(\d\d)\.", r" \1:\2:\3.", row["Time"])
    if "Month" in row:
        return f"{row['Month']} {row['Date']} {row['Time']}"
    if "Day" in row:
        return f"{row['Date']} {row['Day']} {row['Time']}"
    date = row.get("Date", "")
    if re.fullmatch(r"\d{6}", date):
        clock = row["Time"].zfill(6)
        return f"20{date[:2]}-{date[2:4]}-{date[4:]} {clock[:2]}:{clock[2:4]}:{clock[4:]}"
    if re.fullmatch(r"\d\d/\d\d/\d\d", date):
        date = f"20{date.replace('/', '-')}"
    return f"{date} {row['Time']}".strip()


def grok() -> Iterator[Case]:
    """Logstash's pattern specs."""
    for entry in _json_lines(DATA / "grok" / "grok_specs.jsonl"):
        if entry["matches"]:
            found = entry["expected_ecs"] or entry["expected_legacy"] or {}
            yield _one(entry["id"], entry["line"], texts(flat(found)), found.get("timestamp"))


def sekoia() -> Iterator[Case]:
    """Sekoia's intake tests."""
    for entry in _json_lines(DATA / "sekoia" / "intake_tests.jsonl.gz"):
        lines = tuple(entry["message"].rstrip("\n").split("\n"))
        yield Case(entry["id"], lines, (_ecs(0, dict(flat(entry["expected"])), entry["message"]),))


def crowdsec() -> Iterator[Case]:
    """CrowdSec's parser tests."""
    for entry in _json_lines(DATA / "crowdsec" / "parser_tests.jsonl.gz"):
        lines = tuple(entry["log"].split("\n"))
        times = entry.get("times") or []
        records = []
        for number, found in enumerate(entry["expected"]):
            if not found["success"] or len(entry["expected"]) != len(lines):
                continue
            time, year = time_of(times[number]) if len(times) == len(lines) else (None, True)
            year = year and time is not None and str(time.year) in lines[number]
            parsed = {name: value for name, value in found["parsed"].items() if name not in {"message", "program"}}
            records.append(Expected(number, time, year, None, texts(parsed.items())))
        if records:
            yield Case(entry["id"], lines, tuple(records), counts=False)


def plaso() -> Iterator[Case]:
    """Plaso's parser tests: what it asserts of single events (`plaso.jsonl` holds that, taken from its tests)."""
    for entry in _json_lines(_HERE / "plaso.jsonl"):
        path = DATA / "plaso" / entry["file"]
        if not path.exists():
            continue
        content = path.read_bytes()
        marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        encoding = "utf-16" if marked else "utf-16-le" if b"\0" in content[:100] else "utf-8"
        lines = tuple(line.rstrip("\r") for line in content.decode(encoding, "replace").split("\n"))
        records = []
        for event in entry["events"]:
            time, _ = time_of(event["time"])
            # What has no year is given plaso's relative ones.
            dated = event["time"][:4] >= "1970"
            stamp = event["time"]
            seconds = str(int(time.timestamp())) if time is not None and dated else stamp
            told_times = (stamp[11:23], stamp[11:19], seconds, stamp[11:16].replace(":", ""), stamp[:10])
            told = [event["values"][name] for name in event["values"]]
            line = max(
                range(len(lines)),
                key=lambda at: (*(each in lines[at] for each in told_times), _share(lines[at], told), -at),
            )
            level = level_of(event.get("level", ""))
            if not dated and time is not None:
                time = time.replace(year=2020)
            records.append(Expected(line, time, dated, level, texts(event["values"].items())))
        yield Case(entry["file"], lines, tuple(records), counts=False, within=True)


def _share(line: str, told: list[str]) -> int:
    return sum(len(value) for value in told if value.split("\n")[0] in line)


def matomo() -> Iterator[Case]:
    """The lines that Matomo's importer is tested with (`matomo.toml` says what stands in them)."""
    table = tomllib.loads((_HERE / "matomo.toml").read_text(encoding="utf-8"))["records"]
    for name in dict.fromkeys(record["file"] for record in table):
        path = DATA / "matomo" / name
        if path.exists():
            records = [
                Expected(each["line"] - 1, time_of(each["time"])[0], values=each["values"])
                for each in table
                if each["file"] == name
            ]
            yield Case(name, _lines(path.read_bytes()), tuple(records), counts=False)


_SYSLOG = {"appname": "service", "programname": "service", "hostname": "host", "host": "host", "procid": "pid"}


def syslog() -> Iterator[Case]:
    """Messages that syslog parsers are tested with."""
    for path in sorted((DATA / "syslog").glob("*.jsonl")):
        for entry in _json_lines(path):
            found = entry.get("expected")
            if not entry.get("valid") or not found or "same_as" in found or not isinstance(entry.get("input"), str):
                continue
            stamp = str(found.get("timestamp"))
            zoned = re.search(r"\d{4}", stamp)
            time = time_of(found.get("timestamp"))[0] if _is_told(stamp, entry["input"]) else None
            severity = found.get("severity_name") or found.get("syslogseverity-text") or found.get("severity")
            # Without a priority others take one for granted.
            severity = severity if re.match(r"\s*<\d", entry["input"]) else None
            values = {
                name: text
                for name, value in texts(found.items()).items()
                if name in {*_SYSLOG, "message"} and (text := value.strip("\ufeff "))
            }
            year = bool(zoned) and str(found["timestamp"])[:4] in entry["input"]
            expected = Expected(0, time, year, level_of(severity or ""), values)
            offset = time.utcoffset() if time else None
            zone = _zone(f"{time:%z}"[:3] + ":00") if time and offset else "UTC"
            yield Case(entry["id"], tuple(entry["input"].split("\n")), (expected,), zone)


def _is_told(stamp: str, text: str) -> bool:
    """Whether a truth's time stands in the text: else it is that of receipt, or has lost its zone on the way."""
    minute = re.search(r":\d\d:\d\d", stamp)
    zone_lost = re.search(r"T[0-9:.]+[+-]\d\d:\d\d ", text) and not re.search(r"\d{4}", stamp)
    return minute is not None and minute[0] in text and not zone_lost and "local zone" not in stamp


def _one(name: str, line: str, values: dict[str, str], stamp: object) -> Case:
    time, year = time_of(stamp)
    return Case(name, tuple(line.rstrip("\n").split("\n")), (Expected(0, time, year, None, values),))


def _ecs(line: int, event: Mapping[str, Any], text: str) -> Expected:
    time, _ = time_of(event.get("@timestamp"))
    level = event.get("log.level", "")
    # Redis writes less in `verbose` than in `debug`: it is no trace.
    level = "debug" if level == "verbose" and event.get("event.module") == "redis" else level
    year = time is not None and (str(time.year) in text or re.search(r"\d{9}", text) is not None)
    return Expected(line, time, year, level_of(level), texts(event.items()))


def _zone(name: str) -> str:
    found = re.fullmatch(r"([+-])(\d\d):00", name)
    if found:
        # IANA's signs of fixed zones are turned round.
        return f"Etc/GMT{'-' if found[1] == '+' else '+'}{int(found[2])}"
    found = re.fullmatch(r"GMT([+-])(\d+)", name)
    return f"Etc/GMT{'-' if found[1] == '+' else '+'}{found[2]}" if found else name


def _lines(content: bytes) -> tuple[str, ...]:
    return tuple(line.rstrip("\r") for line in content.decode("utf-8", "replace").removesuffix("\n").split("\n"))


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    opened = partial(gzip.open, path, "rt", encoding="utf-8") if path.suffix == ".gz" else partial(path.open)
    with opened() as file:
        for line in file:
            yield json.loads(line)


__all__ = [
    *(
        "DATA",
        "Case",
        "Expected",
        "beats",
        "crowdsec",
        "elastic",
        "grok",
        "lnav",
        "loghub",
        "matomo",
        "plaso",
        "sekoia",
    ),
    "syslog",
]
