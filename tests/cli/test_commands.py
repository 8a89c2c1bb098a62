"""Every command on small logs: the JSON of interface section 3 key by key, exit codes, outputs."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from tests.cli.conftest import Command
from tests.cli.process import SHIPPED, Program
from tests.conftest import Shop

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
RECORD = {
    "time",
    "time_from",
    "level",
    "source",
    "line",
    "format",
    "host",
    "service",
    "pid",
    "message",
    "raw",
    "fields",
}
KEY = {
    "key", "class", "pattern", "origin", "records", "values", "sources", "services", "records_per_value_p50",
    "records_per_value_max", "active", "grain", "parents", "aliases", "why",
}  # fmt: skip
TRANSACTION = {
    "transaction", "start", "end", "duration_ms", "records", "errors", "level", "services", "sources", "keys", "path",
    "rules", "state", "cut", "oversize", "was",
}  # fmt: skip
DETECTION = {
    "detection", "rule", "title", "level", "time", "start", "end", "transaction", "keys", "output", "steps",
    "members", "state", "reason", "suppressed", "message",
}  # fmt: skip


def pay(minute: int, order: int, *, settled: bool) -> list[str]:
    begin = {"service": "payments", "message": "charge begin", "order_id": f"ORD-{order}", "amount": order + 0.5}
    response = {
        "service": "payments",
        "message": "psp response",
        "order_id": f"ORD-{order}",
        "psp_ref": f"PSP-{order}A",
    }
    end = {"service": "payments", "level": "warn", "message": "charge settled", "psp_ref": f"PSP-{order}A"}
    steps = [begin, response, *([end] if settled else [])]
    return [
        json.dumps({"time": f"2026-11-01T10:{minute:02}:{second:02}Z", "level": "info", **step})
        for second, step in enumerate(steps)
    ]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three payments, the second never settled, the third still open at the end."""
    path = tmp_path / "pay.log"
    lines = pay(0, 1, settled=True) + pay(1, 2, settled=False) + pay(20, 3, settled=False)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


BY_HAND = ("--no-auto-keys", "--key", r'order_id="order_id": "(\S+?)"', "--key", r'psp_ref="psp_ref": "(\S+?)"')
LINKED = (*BY_HAND, "--grain", "order_id")


# --- records


def test_query_json(command: Command, log: Path) -> None:
    result = command("query", 'service:payments "charge begin"', log, "--json")
    assert result.code == 0
    assert result.err == b""
    assert [set(record) for record in result.objects] == [RECORD - {"time_from", "host", "pid"}] * 3
    first = result.objects[0]
    raw = log.read_text().splitlines()[0]
    assert first["fields"].pop("order_id") == "ORD-1"
    assert first["fields"].pop("amount") == 1.5
    assert first | {"fields": None} == {
        "time": "2026-11-01T10:00:00.000000Z", "level": "info", "source": str(log), "line": 1, "format": "json",
        "service": "payments", "message": "charge begin", "raw": raw, "fields": None,
    }  # fmt: skip


def test_query_of_nothing_is_no_failure(command: Command, log: Path) -> None:
    result = command("query", "nowhere", log, "--json")
    assert (result.code, result.out) == (0, b"")


def test_query_with_transactions(command: Command, log: Path) -> None:
    records = command("query", "", log, "--json", "--transactions", *LINKED).objects
    ids = [record["transactions"] for record in records]
    assert ids[0] == ids[1] == ids[2]
    assert len({one for each in ids for one in each}) == 3


def test_limit_and_tail(command: Command, log: Path) -> None:
    everything = command("query", "", log, "--json").objects
    assert command("query", "", log, "--json", "--limit", "2").objects == everything[:2]
    assert command("query", "", log, "--json", "--tail", "2").objects == everything[-2:]
    assert command("query", "", log, "--limit", "1", "--tail", "1").code == 2
    transactions = command("transactions", log, "--json", *LINKED).objects
    assert command("transactions", log, "--json", *LINKED, "--tail", "1").objects == transactions[-1:]


def test_time_options(command: Command, tmp_path: Path, log: Path) -> None:
    def lines(*options: str) -> list[int]:
        return [record["line"] for record in command("query", "", log, "--json", *options).objects]

    assert lines("--since", "-15m") == [6, 7]
    assert lines("--since", "2026-11-01T10:01:00Z", "--until", "2026-11-01T10:01:00Z") == [4]
    assert lines("--until", "2026-11-01 11:00:02+01:00") == [1, 2, 3]
    assert command("query", "", log, "--since", "whenever").code == 2
    local = tmp_path / "local.log"
    local.write_text("2026-11-01 10:00:00 INFO a\n2026-11-01 10:00:01 INFO b\n")
    (shifted,) = command("query", "a", local, "--json", "--tz", "local*=Europe/Berlin", "--offset", "*.log=-1s").objects
    assert shifted["time"] == "2026-11-01T08:59:59.000000Z"
    assert command("query", "a", local, "--tz", "Nowhere/Land").code == 2
    assert command("query", "a", local, "--offset", "*.log=much").code == 2


@pytest.mark.parametrize("since", ["-15m", "2026-11-01T10:10:00Z"])
def test_since_holds_for_every_command_that_reads(command: Command, log: Path, since: str) -> None:
    cut = ("--since", since)
    assert [one["keys"]["order_id"] for one in command("transactions", log, "--json", *LINKED, *cut).objects] == [
        ["ORD-3"]
    ]
    assert command("sql", "select count(*) as n from records", log, "--json", *cut).objects == [{"n": 2}]
    scan = command("scan", log, "--json", "--rules", SHIPPED, *LINKED, *cut, "--at-end", "decide").objects
    assert [one["output"]["order_id"] for one in scan] == ["ORD-3"]
    assert [one["records"] for one in command("stats", log, "--json", *cut).objects] == [2]


def test_a_filter_may_begin_with_a_dash(command: Command, log: Path) -> None:
    assert [one["line"] for one in command("query", "-charge", log, "--json").objects] == [2, 5, 7]
    assert [one["line"] for one in command("query", "--json", "-host:x -charge", log, "--limit", "1").objects] == [2]
    assert command("transactions", log, *LINKED, "--where", '-has("settled")', "--json", "--limit", "1").code == 0


def test_an_unknown_field_is_refused_with_the_nearest(command: Command, log: Path) -> None:
    result = command("query", "amuont>1", log)
    assert (result.code, result.out) == (2, b"")
    assert "amuont" in result.talk
    assert "amount" in result.talk
    where = command("transactions", log, *LINKED, "--where", "ordre_id:ORD-1")
    assert where.code == 2
    assert "order_id" in where.talk


@pytest.mark.parametrize(
    ("text", "column"), [("level>=", 7), ("a b (c", 5), ("x:(a or", 7), ("/[/", 1), ("a time>whenever", 8)]
)
def test_a_filter_error_points_at_its_column(command: Command, log: Path, text: str, column: int) -> None:
    result = command("query", text, log)
    assert result.code == 2
    assert len(result.talk.splitlines()) == 1
    assert re.search(rf"\b{column}: ", result.talk), result.talk


KINDS = """\
title: Closed with something to say
name: whole
transaction:
  grain: order_id
  where: has("charge begin") records>1
emit: {fields: {order_id: order_id, note: first, time: end}, suppress: 1h}
"""


def test_whole_transactions_in_a_csv_that_no_spreadsheet_runs(command: Command, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(
        "".join(
            json.dumps({"time": f"2026-11-01T10:0{minute}:00Z", "message": text, "order_id": order}) + "\n"
            for minute, text, order in (
                (0, "=cmd|' /C calc'!A0 charge begin", "o-1"), (1, "-more", "o-1"), (2, "+49 charge begin", "o-2"),
                (3, "done", "o-2"),
            )
        )
    )  # fmt: skip
    rules = tmp_path / "r.yml"
    rules.write_text(KINDS)
    out = tmp_path / "out.csv"
    assert command("scan", log, "--rules", rules, "--key", "order_id=(o-\\d)", "--output", out).code == 0
    header, *rows = csv.reader(out.read_text().splitlines())
    assert header == ["rule", "time", "level", "transaction", "order_id", "note", "output.time"]
    assert sorted(row[4:6] for row in rows) == [
        ["o-1", "'=cmd|' /C calc'!A0 charge begin"],
        ["o-2", "'+49 charge begin"],
    ]
    found = command("scan", log, "--rules", rules, "--key", "order_id=(o-\\d)", "--json").objects
    assert [one["reason"] for one in found] == ["the transaction is still open at the end of the data"] * 2
    assert [len(one["members"]) for one in found] == [2, 2]
    nothing = command("scan", log, "--rule", 'seq by order_id maxspan 1s: ["nosuch"]', "--output", out)
    assert (nothing.code, out.read_text().splitlines()) == (0, ["rule,time,level,transaction"])


def test_what_suppress_holds_back_is_told(command: Command, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(f"2026-11-01T10:{m:02}:00Z web app[1]: failed user=u{u}\n" for m, u in ((0, 1), (4, 1), (5, 2), (9, 1), (11, 1))))  # fmt: skip
    rules = tmp_path / "r.yml"
    rules.write_text(
        "title: F\nsequence: {by: [user], steps: [{name: f, where: failed}]}\nemit: {fields: {u: f.user}, suppress: 10m}\n"
    )
    found = command("scan", log, "--rules", rules, "--json").objects
    assert [one.get("suppressed", False) for one in found] == [False, True, False, True, False]
    assert found[0]["members"] == [{"source": str(log), "line": 1}]
    assert command("scan", log, "--rules", rules).text.count("[suppressed]") == 2


def test_near_misses(command: Command, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    lines = [
        ("10:00:00", "charge begin", 1), ("10:00:10.4", "psp response", 1),
        ("10:00:10", "charge begin", 2), ("10:00:11", "psp response", 2), ("10:00:40", "charge settled", 2),
        ("10:01:10", "charge begin", 3), ("10:01:11", "psp response", 3), ("10:01:12", "charge settled", 3),
        ("10:12:10", "charge begin", 5),
    ]  # fmt: skip
    log.write_text("".join(f"2026-11-01T{time}Z pay-1 payments[7]: {text} order_id=o-{o}\n" for time, text, o in lines))
    rule = 'seq by order_id: ["charge begin"] ["psp response"] maxpause 10s not ["charge settled"] within 30s'
    found = command("scan", log, "--rule", rule, "--near-misses", "--json").objects
    assert [(one["subject"], one["text"]) for one in found] == [
        ("order_id=o-2", "step3 after 29.0 s, within is 30.0 s"),
        ("order_id=o-1", "step2: maxpause exceeded by 400 ms"),
    ]


@pytest.mark.parametrize(
    ("rest", "lines", "text"),
    [
        ("maxspan: 5s", ("00Z began", "02Z asked", "06Z ended"), "ended: maxspan exceeded by 1.0 s"),
        ("having: asked.n > 5", ("00Z began", "02Z asked n=5", "06Z ended"), "having is false: asked.n > 5"),
        ("maxspan: 1m", ("00Z began", "02Z asked"), "ended: never came after asked"),
    ],
)
def test_near_misses_name_what_failed(
    command: Command, tmp_path: Path, rest: str, lines: tuple[str, ...], text: str
) -> None:
    log, rules = tmp_path / "app.log", tmp_path / "near.yml"
    log.write_text("".join(f"2026-11-01T10:00:{line} id=A-1\n" for line in lines))
    steps = ", ".join(f"{{name: {step}, where: {step}}}" for step in ("began", "asked", "ended"))
    rules.write_text(f"title: Near\nsequence:\n  by: [id]\n  steps: [{steps}]\n  {rest}\n")
    found = command("scan", log, "--rules", rules, "--near-misses", "--json").objects
    assert [(one["subject"], one["text"]) for one in found] == [("id=A-1", text)]


COUNTS = """
title: Failed login
name: failed_login
logsource: {product: linux, service: sshd}
detection:
  failed: [Failed password]
  condition: failed
---
title: Brute force
correlation:
  type: %s
  rules: [failed_login]
  group-by: [client_ip]
  timespan: 1m
  condition: {%s}
"""


@pytest.mark.parametrize(
    ("kind", "condition", "told"),
    [
        ("event_count", "gte: 5", [("client_ip=198.51.100.2", "event_count 4 in 1 m, asked for 5")]),
        ("event_count", "gt: 5", [("client_ip=198.51.100.1", "event_count 5 in 1 m, asked for more than 5"),
                                  ("client_ip=198.51.100.2", "event_count 4 in 1 m, asked for more than 5")]),
        ("value_count", "gte: 2, field: user", [("client_ip=198.51.100.1", "value_count 1 in 1 m, asked for 2"),
                                                ("client_ip=198.51.100.2", "value_count 1 in 1 m, asked for 2")]),
    ],
)  # fmt: skip
def test_correlations_that_nearly_held(
    command: Command, tmp_path: Path, kind: str, condition: str, told: list[tuple[str, str]]
) -> None:
    """Five failures of one address, four of another, two of a third; what grew into a detection was no near miss."""
    log, rules = tmp_path / "auth.log", tmp_path / "near.yml"
    lines = [
        f"Nov  1 10:0{address}:0{number} web sshd[7]: Failed password for root from 198.51.100.{address} port 22 ssh2"
        for address, count in ((1, 5), (2, 4), (3, 2))
        for number in range(count)
    ]
    log.write_text("\n".join(lines) + "\n")
    rules.write_text(COUNTS % (kind, condition))
    found = command("scan", log, "--rules", rules, "--near-misses", "--json").objects
    near = [(one["subject"], one["text"]) for one in found if "subject" in one]
    assert [one for one in near if not one[0].endswith("100.3")] == told
    assert ("198.51.100.3" in str(near)) == (kind == "value_count"), "two of five are not near"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("temporal", "three: not with the others within 1 m"),
        ("temporal_ordered", "three: not in its place among the others within 1 m"),
    ],
)
def test_rules_of_which_one_was_missing(command: Command, tmp_path: Path, kind: str, text: str) -> None:
    log, rules = tmp_path / "app.log", tmp_path / "near.yml"
    log.write_text(
        "".join(f"2026-11-01T10:00:0{at}Z host app: {text} id=A-1\n" for at, text in enumerate(("one", "two")))
        + "".join(
            f"2026-11-01T11:00:0{at}Z host app: {text} id=A-2\n" for at, text in enumerate(("one", "two", "three"))
        )
    )
    names = ("one", "two", "three")
    leaves = [
        f"title: {name}\nname: {name}\nlogsource: {{product: linux}}\ndetection: {{x: [{name}], condition: x}}\n"
        for name in names
    ]
    correlation = f"title: All\ncorrelation: {{type: {kind}, rules: [one, two, three], group-by: [id], timespan: 1m}}\n"
    rules.write_text("---\n".join([*leaves, correlation]))
    found = command("scan", log, "--rules", rules, "--near-misses", "--json").objects
    assert [(one["subject"], one["text"]) for one in found if "subject" in one] == [("id=a-1", text)]


def test_a_key_that_no_record_has_is_said(command: Command, log: Path) -> None:
    result = command("scan", log, "--rule", "seq by nosuch maxspan 1m: [charge] [settled]")
    assert "rule seq: none of the" in result.talk
    assert "records that it is about has nosuch" in result.talk
    assert "none of the" not in command("scan", log, "--rule", "seq by order_id maxspan 1m: [charge] [settled]").talk


def near_of(command: Command, log: Path, rules: Path, text: str) -> list[tuple[str, str]]:
    rules.write_text(text)
    found = command("scan", log, "--rules", rules, "--near-misses", "--json").objects
    return [(one["subject"], one["text"]) for one in found if "subject" in one]


def test_an_absence_of_a_correlation_that_was_nearly_long_enough(command: Command, tmp_path: Path) -> None:
    """Asked at 0 s and answered at 25, 10 or never: of 30 s only the first is near."""
    log = tmp_path / "app.log"
    log.write_text(
        "".join(
            f"2026-11-01T{at}Z host app: {text} id={id_}\n"
            for at, text, id_ in (
                ("10:00:00", "asked", "A-1"), ("10:00:25", "answered", "A-1"), ("10:01:00", "asked", "A-2"),
                ("10:01:10", "answered", "A-2"), ("10:02:00", "asked", "A-3"), ("10:09:00", "asked", "A-4"),
            )
        )
    )  # fmt: skip
    leaf = "title: {0}\nname: {0}\nlogsource: {{product: linux}}\ndetection: {{x: [' {0}'], condition: x}}\n---\n"
    rule = "title: Unanswered\ncorrelation: {type: temporal, group-by: [id], timespan: 30s, condition: asked and not answered}\n"
    near = near_of(command, log, tmp_path / "r.yml", leaf.format("asked") + leaf.format("answered") + rule)
    assert near == [("id=a-1", "answered after 25.0 s, must be absent for 30.0 s")]


def test_silences_that_were_nearly_told(command: Command, tmp_path: Path) -> None:
    """Of two that write each minute one pauses for 12 minutes of the 15 that count; both pause for an hour at the end."""
    log, lines = tmp_path / "app.log", []
    for minute in range(180):
        at = f"2026-11-01T{10 + minute // 60}:{minute % 60:02}"
        lines.append(f"{at}:00Z host steady[1]: beat\n")
        if not 100 < minute < 112:
            lines.append(f"{at}:30Z host pausing[1]: beat\n")
    lines += ["2026-11-01T14:00:00Z host steady[1]: beat\n", "2026-11-01T14:00:30Z host pausing[1]: beat\n"]
    log.write_text("".join(lines))
    near = near_of(
        command, log, tmp_path / "r.yml", "title: Quiet\nsilence: {by: [service], where: beat, after: 15m}\n"
    )
    assert [(subject, text.split(";")[0]) for subject, text in near] == [
        ("service=pausing", "silent for 12 m, told after 15 m 29 s"),
        ("service=steady", "silent for 1 h 1 m, but nobody else was heard"),
        ("service=pausing", "silent for 1 h 1 m, but nobody else was heard"),
    ]


def test_a_number_that_nearly_sufficed(command: Command, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text(
        "".join(
            f"2026-11-01T10:00:0{at}Z host app: done took_ms={took} id=A-{at}\n"
            for at, took in enumerate((100, 900, 600, 1200))
        )
    )
    near = near_of(command, log, tmp_path / "r.yml", "title: Slow\nrecord: {where: 'took_ms>1000 done'}\n")
    assert [text for _, text in near] == [
        "took_ms>1000: does not hold, it is 600, all else does",
        "took_ms>1000: does not hold, it is 900, all else does",
    ]


def test_whole_transactions_of_which_one_number_nearly_sufficed(command: Command, log: Path, tmp_path: Path) -> None:
    rules = tmp_path / "near.yml"
    rules.write_text("title: Many\ntransaction: {where: 'count(\"charge\")>2'}\n")
    found = command("scan", log, "--rules", rules, *LINKED, "--near-misses", "--json").objects
    assert {one["text"] for one in found if "subject" in one} == {"count(charge)>2: does not hold, it is 2"}


def test_whole_transactions_that_nearly_matched(command: Command, log: Path, tmp_path: Path) -> None:
    rules = tmp_path / "near.yml"
    rules.write_text("title: Slow\ntransaction: {where: 'duration>500ms has(settled) order_id:ORD-*'}\n")
    found = command("scan", log, "--rules", rules, *LINKED, "--near-misses", "--json").objects
    near = {one["text"] for one in found if "subject" in one}
    assert near == {"has(settled): does not hold, all else does"}


# --- outputs


@pytest.mark.parametrize("ending", ["ndjson", "csv", "parquet", "html"])
def test_output_files(command: Command, log: Path, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    result = command("scan", log, "--rules", SHIPPED, *LINKED, "--output", path)
    assert (result.code, result.out) == (0, b"")
    expected = {"rule": "silent_payment_failure", "time": "2026-11-01T10:04:01.000000Z", "level": "high"}
    output = {"order_id": "ORD-2", "amount": 2.5, "psp_ref": "PSP-2A"}
    if ending == "ndjson":
        (entry,) = [json.loads(line) for line in path.read_text().splitlines()]
        assert entry["output"] == output
    elif ending == "csv":
        header, row = csv.reader(path.read_text().splitlines())
        assert header == ["rule", "time", "level", "transaction", "order_id", "amount", "psp_ref"]
        assert row == [*expected.values(), row[3], "ORD-2", "2.5", "PSP-2A"]
        assert row[3]
    elif ending == "parquet":
        (entry,) = pl.read_parquet(path).to_dicts()
        assert entry == expected | {"transaction": entry["transaction"]} | output
    else:
        assert "<td>ORD-2</td>" in path.read_text()
        assert "<th>message</th>" in path.read_text()
    assert "1 detection by 1 rule: silent_payment_failure 1" in result.talk


def test_an_output_that_cannot_be_written(command: Command, log: Path, tmp_path: Path) -> None:
    for target in ("out.exe", "", ".csv", str(tmp_path / "no" / "out.csv")):
        result = command("query", "", log, "--output", target)
        assert result.code == 2
        assert len(result.talk.splitlines()) == 1


def test_a_value_that_no_option_takes_is_said_in_a_line(command: Command, log: Path) -> None:
    for option, value in (
        ("--limit", "-1"),
        ("--tail", "few"),
        ("--at-end", "soon"),
        ("--fail-on", "bad"),
        ("--idle", "x"),
    ):
        result = command("scan", log, option, value)
        assert (result.code, result.out) == (2, b"")
        (told,) = result.talk.splitlines()
        assert option in told


def test_rules_that_are_named_and_cannot_be_used_are_said_by_every_command(command: Command, log: Path) -> None:
    for arguments in (("stats", "--over", "rule"), ("query", "ORD-2"), ("transactions",), ("scan",)):
        result = command(*arguments, log, "--rules", "missing.yml")
        assert result.code == 2
        assert result.talk.count("missing.yml: there is no such file") == 1
    told = command("scan", log, "--rule", "seq by order_id: [").talk
    assert "logscope: --rule:18: the bracket is not closed" in told


def test_every_table_has_an_output(command: Command, log: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    for arguments in (
        ("query", ""),
        ("transactions", *LINKED),
        ("keys", *LINKED),
        ("stats",),
        ("sql", "select line from records"),
    ):
        assert command(arguments[0], *arguments[1:], log, "--output", path).code == 0
        assert len(list(csv.reader(path.read_text().splitlines()))) >= 2, arguments


# --- sql, stats, keys, transactions


def test_sql(command: Command, log: Path) -> None:
    rows = command(
        "sql",
        'select service, count(*) as n, max("fields.amount") as most from records group by service',
        log,
        "--json",
    ).objects
    assert rows == [{"service": "payments", "n": 7, "most": 3.5}]
    joined = "select rule, state from detections"
    found = command("sql", joined, log, "--json", "--rules", SHIPPED, *LINKED).objects
    assert {"rule": "silent_payment_failure", "state": "matched"} in found
    counted = command("sql", "select records from transactions order by records", log, "--json", *LINKED).objects
    assert [row["records"] for row in counted] == [2, 2, 3]


@pytest.mark.parametrize(
    "text",
    [
        "drop table records", "select * from read_csv('/etc/passwd')", "select * from '/etc/passwd'",
        "select 1 from records; select 2 from records", "insert into records values (1)", "select nope from records",
        "create table x as select * from records", "copy records to 'x'", "select",
    ],
)  # fmt: skip
def test_sql_reads_its_tables_and_nothing_else(command: Command, log: Path, text: str) -> None:
    result = command("sql", text, log)
    assert (result.code, result.out) == (2, b"")
    assert len(result.talk.splitlines()) == 1


def test_stats(command: Command, log: Path) -> None:
    (entry,) = command("stats", log, "--json").objects
    assert entry == {
        "source": str(log), "format": "json", "records": 7, "unparsed": 0, "bytes": log.stat().st_size,
        "start": "2026-11-01T10:00:00.000000Z", "end": "2026-11-01T10:20:01.000000Z", "rate": entry["rate"],
        "levels": {"info": 6, "warn": 1},
    }  # fmt: skip
    assert "transactions" in command("stats", log, "--json", "--transactions", *LINKED).objects[1]


def test_keys_and_their_plan(command: Command, log: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    result = command("keys", log, "--json", *LINKED, "--save", plan)
    keys = {entry["key"]: entry for entry in result.objects}
    assert all(set(entry) <= KEY for entry in keys.values())
    order = keys["order_id"]
    assert (order["class"], order["origin"], order["records"], order["values"]) == ("strong", "user", 6, 3)
    assert (order["grain"], order["active"], order["sources"]) == (True, True, [str(log)])
    assert order["services"] == ["payments"]
    assert order["why"]
    again = tmp_path / "again.toml"
    assert command("keys", log, "--json", "--plan", plan, "--save", again).objects == result.objects
    assert plan.read_text() == again.read_text()
    by_plan = command("transactions", log, "--json", "--plan", plan).objects
    assert by_plan == command("transactions", log, "--json", *LINKED).objects
    only = command("transactions", log, "--json", "--plan", plan, "--keys", "psp_ref", "--grain", "none").objects
    assert sorted(entry["records"] for entry in only) == [1, 1, 2]


@pytest.mark.parametrize(
    "options", [("--key", "nonsense"), ("--key", "a=(b"), ("--key", "a=b"), ("--grain", "nope"), ("--keys", "nope"),
                ("--plan", "nowhere.toml"), ("--max-gap", "soon"), ("--memory", "lots")],
)  # fmt: skip
def test_keys_that_cannot_be_used(command: Command, log: Path, options: tuple[str, str]) -> None:
    result = command("transactions", log, *options)
    assert (result.code, result.out) == (2, b"")


def test_transactions(command: Command, log: Path) -> None:
    entries = command("transactions", log, "--json", *LINKED, "--rules", SHIPPED, "--members").objects
    assert all(set(entry) <= TRANSACTION | {"members"} for entry in entries)
    first, second, third = entries
    assert first["keys"] == {"order_id": ["ORD-1"], "psp_ref": ["PSP-1A"]}
    assert (first["records"], first["errors"], first["level"], first["duration_ms"]) == (3, 0, "warn", 2000.0)
    assert (first["start"], first["end"]) == ("2026-11-01T10:00:00.000000Z", "2026-11-01T10:00:02.000000Z")
    assert (first["services"], first["sources"], first["state"]) == (["payments"], [str(log)], "closed")
    assert first["members"] == [{"source": str(log), "line": line} for line in (1, 2, 3)]
    assert second["rules"] == ["silent_payment_failure"]
    assert third["state"] == "open"
    assert "rules" not in third
    picked = command("transactions", log, "--json", *LINKED, "--id", "order_id=ORD-2").objects
    assert [entry["transaction"] for entry in picked] == [second["transaction"]]
    assert command("transactions", log, "--json", *LINKED, "--id", second["transaction"]).objects[0]["records"] == 2
    assert command("transactions", log, "--json", *LINKED, "--id", "nokey=1").code == 2


@pytest.mark.parametrize(
    ("where", "orders"),
    [
        ('has("charge begin") not has("charge settled")', ["ORD-2", "ORD-3"]),
        ("duration>1s", ["ORD-1"]),
        ("count(charge)>1", ["ORD-1"]),
        ('first("charge begin").amount>2', ["ORD-2", "ORD-3"]),
        ("order_id:ORD-1 or last(psp).psp_ref:PSP-3A", ["ORD-1", "ORD-3"]),
        ("state:open services:payments", ["ORD-3"]),
        ("level>=warn", ["ORD-1"]),
    ],
)
def test_where(command: Command, log: Path, where: str, orders: list[str]) -> None:
    found = command("transactions", log, "--json", *LINKED, "--where", where).objects
    assert [entry["keys"]["order_id"][0] for entry in found] == orders


# --- detection


def test_scan(command: Command, log: Path) -> None:
    result = command("scan", log, "--json", "--rules", SHIPPED, *LINKED)
    (entry,) = result.objects
    assert set(entry) <= DETECTION
    assert entry["time"] == "2026-11-01T10:04:01.000000Z"
    assert entry["output"] == {"order_id": "ORD-2", "amount": 2.5, "psp_ref": "PSP-2A"}
    assert entry["steps"]["psp"] == {"time": "2026-11-01T10:01:01.000000Z", "source": str(log), "line": 5}
    assert (entry["state"], entry["level"], entry["rule"]) == ("matched", "high", "silent_payment_failure")
    assert entry["members"] == [{"source": str(log), "line": line} for line in (4, 5)]
    assert entry["keys"] == {"order_id": ["ORD-2"], "psp_ref": ["PSP-2A"]}


def test_what_is_open_at_the_end(command: Command, log: Path) -> None:
    scan = ("scan", log, "--json", "--rules", SHIPPED, *LINKED)
    pending = command(*scan, "--pending").objects
    assert [(one["output"]["order_id"], one["state"]) for one in pending] == [
        ("ORD-2", "matched"),
        ("ORD-3", "pending"),
    ]
    assert pending[1]["reason"]
    decided = command(*scan, "--at-end", "decide").objects
    assert [(one["output"]["order_id"], one["state"]) for one in decided] == [
        ("ORD-2", "matched"),
        ("ORD-3", "matched"),
    ]


def test_exit_codes_in_their_order(command: Command, log: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text("title: no\nsequence: 3\n")
    scan = ("scan", log, *LINKED, "--rules", SHIPPED)
    assert command(*scan, "--fail-on", "high").code == 3
    assert command(*scan, "--fail-on", "critical").code == 0
    assert command(*scan, "--fail-on", "worse").code == 2
    assert command(*scan, "nowhere.log", "--fail-on", "high").code == 1
    broken = command(*scan, "nowhere.log", "--rules", bad, "--fail-on", "high", "--json")
    assert broken.code == 2
    assert len(broken.objects) == 1, "the good rules run"
    assert "bad.yml" in broken.talk
    strict = command(*scan, "--rules", bad, "--strict", "--json")
    assert (strict.code, strict.out) == (2, b"")


def test_a_rule_in_one_line(command: Command, log: Path) -> None:
    text = 'seq by order_id maxspan 1m: ["charge begin"] ["psp response"]'
    found = command("scan", log, "--json", "--rule", text).objects
    assert [one["steps"]["step2"]["line"] for one in found] == [2, 5, 7]
    shorter = text.replace("1m", "59s")
    both = command("scan", log, "--json", "--rule", text, "--rule", shorter, "--rule", text).objects
    assert {one["rule"] for one in both} == {"seq", "seq2"}, "each has a name of its own, and none runs twice"
    assert len({one["detection"] for one in both}) == len(both)
    wrong = command("scan", log, "--rule", "seq by order_id: [a")
    assert wrong.code == 2
    assert re.search(r"\d+: ", wrong.talk)


def test_rules(command: Command, tmp_path: Path, log: Path) -> None:
    checked = command("rules", "check", SHIPPED)
    assert checked.code == 0, checked.talk
    tested = command("rules", "test", SHIPPED, "--json")
    assert tested.code == 0, tested.talk
    assert len(tested.objects) == 4
    assert {entry["passed"] for entry in tested.objects} == {True}
    text = Path(SHIPPED).read_text()
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(text.replace("expect:\n      - {order_id: ORD-1, amount: 5.5, psp_ref: PSP-0A1}", "expect: []"))
    failed = command("rules", "test", wrong)
    assert failed.code == 1
    assert "FAIL" in failed.text
    wrong.write_text(text.replace("maxspan: 10m", "maxspan: ten minutes"))
    refused = command("rules", "check", wrong)
    assert refused.code == 2
    line = text.splitlines().index("  maxspan: 10m") + 1
    assert f"wrong.yml:{line}" in refused.text
    state = {entry["rule"]: entry["state"] for entry in command("rules", "list", "--json").objects}
    assert state["silent_payment_failure"] == "disabled"
    assert command("rules", "enable", "silent_payment_failure").code == 0
    assert "enabled" in command("rules", "list").text
    assert len(command("scan", log, "--json", *LINKED).objects) == 1, "an enabled rule runs by itself"
    assert command("rules", "disable", "silent_payment_failure").code == 0
    assert command("rules", "enable", "no_such_rule").code == 2
    assert command("scan", log, "--json", *LINKED).out == b""


def test_formats(command: Command, log: Path) -> None:
    names = {entry["format"] for entry in command("formats", "list", "--json").objects}
    assert {"json", "logfmt", "rfc5424", "rfc3164"} <= names
    assert command("formats", "list").text.count("\n") > len(names)
    chosen = command("formats", "test", log, "--json").objects
    assert chosen[0]["format"] == "json"
    assert chosen[0]["why"]
    assert command("formats", "test", "nowhere.log").code == 1
    assert command("formats", "test").code == 2
    forced = command("query", "", log, "--json", "--format", "*.log=text").objects
    assert {record["format"] for record in forced} == {"text"}
    assert command("query", "", log, "--format", "nosuch").code == 2


def test_spool_of_no_name(command: Command) -> None:
    assert command("spool", "list", "--json").out == b""
    assert command("spool", "drop").code == 2
    assert command("spool", "drop", "syslog+tcp://127.0.0.1:1").code in (1, 2)
    assert command("query", "", "spool://syslog+tcp://127.0.0.1:1").code == 1


@pytest.mark.parametrize(
    "arguments",
    [("query",), ("nosuch", "--json"), ("query", "", "x", "--nosuch"), ("scan", "x", "--limit", "many"), ("replay", "x"),
     ("rules", "burn"), ("query", ""), ("watch",), ("replay", "x", "--to", "http://x")],
)  # fmt: skip
def test_wrong_usage(command: Command, log: Path, arguments: tuple[str, ...]) -> None:
    result = command(*(log if argument == "x" else argument for argument in arguments))
    assert result.code == 2
    assert result.out == b""
    assert result.err


def test_help_names_every_command(command: Command) -> None:
    text = command("--help").text
    for name in (
        "query",
        "sql",
        "keys",
        "transactions",
        "stats",
        "scan",
        "watch",
        "replay",
        "rules",
        "formats",
        "spool",
    ):
        assert name in text
        assert command(name, "--help").code == 0
    assert re.fullmatch(r"logscope \d\S*\n", command("--version").text)


# --- processes


def test_standard_input(logscope: Program, log: Path) -> None:
    data = log.read_bytes()
    for sources in ((), ("-",)):
        result = logscope("query", "settled", "--json", *sources, stdin=data)
        assert result.code == 0
        assert [(one["line"], one["source"]) for one in result.objects] == [(3, "-")]


def test_a_closed_pipe_ends_quietly(logscope: Program, tmp_path: Path) -> None:
    log = tmp_path / "many.log"
    log.write_text("".join(f"2026-11-01T10:00:00Z INFO line {number} {'x' * 80}\n" for number in range(20_000)))
    process = logscope.start("query", "", log)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == b""


def test_colour_is_for_terminals_alone(logscope: Program, log: Path) -> None:
    assert b"\x1b" not in logscope("query", "", log).out
    assert b"\x1b[33mWARN" in logscope.on_terminal("query", "settled", log)[1]
    logscope_plain = Program(logscope.home)
    plain = subprocess.run(
        ["script", "-qec", f"{sys.executable} -m logscope query settled {log}", "/dev/null"],
        capture_output=True, check=False, cwd=logscope.home, env=logscope_plain.environment | {"NO_COLOR": "1"},
        stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    assert b"charge settled" in plain.stdout
    assert b"\x1b" not in plain.stdout


def test_an_interrupt_is_130(logscope: Program, log: Path) -> None:
    process = logscope.start("query", "", "-f", log)
    assert process.stdout is not None
    assert process.stdout.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()


def test_following_shows_what_comes(logscope: Program, log: Path) -> None:
    process = logscope.start("query", "settled", "--json", "-f", log)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["line"] == 3
    with log.open("a") as file:
        file.write(pay(30, 4, settled=True)[2] + "\n" + pay(31, 5, settled=True)[2] + "\n")
    assert json.loads(process.stdout.readline())["line"] == 8


# --- a shop nobody has seen


def test_a_fresh_shop_with_no_other_option(logscope: Program, fresh_shop: Shop) -> None:
    """The goal of the whole: the silent failures, found by what the tool finds out itself."""
    listed = logscope(
        "transactions", *fresh_shop.logs, "--where", 'has("charge begin") not has("charge settled")', "--json"
    )
    assert listed.code == 0
    assert sorted(one["keys"]["order_id"] for one in listed.objects) == [[order] for order, _, _ in fresh_shop.failed]
    scan = logscope("scan", *fresh_shop.logs, "--rules", SHIPPED, "--json")
    assert scan.code == 0
    outputs = [one["output"] for one in scan.objects]
    assert sorted((one["order_id"], float(one["amount"]), one["psp_ref"]) for one in outputs) == fresh_shop.failed


def test_members_are_those_of_the_truth(command: Command, shop: Shop) -> None:
    listed = command("transactions", *shop.logs, "--json", "--members", "--grain", "order_id").objects
    found = {
        order: sorted((member["source"], member["line"]) for member in entry["members"])
        for entry in listed
        for order in entry["keys"].get("order_id", [])
    }
    orders = list(shop.truth["transactions"])
    right = sum(found.get(order) == shop.members(order) for order in orders)
    assert right == len(orders), [order for order in orders if found.get(order) != shop.members(order)]


def test_formats_are_tried_line_by_line_and_imported(command: Command, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("2026-11-01 10:00:00,123 ERROR [main] a.B - lost order_id=7\n\tat a.B\n")
    entries = command("formats", "test", log, "--lines", "2", "--json").objects
    assert next(entry for entry in entries if "line" in entry)["fields"]["order_id"] == "7"
    assert "order_id=7" in command("formats", "test", log, "--lines", "2").text
    assert "elb expects" in command("formats", "test", log, "--lines", "1", "--format", "elb").text
    grok = tmp_path / "shop.grok"
    grok.write_text("%{IP:client_ip} %{GREEDYDATA:message}\n")
    assert "(?P<client_ip>" in command("formats", "import", grok).text
    assert command("formats", "import", tmp_path / "no.grok").code == 2
    assert command("formats", "import").code == 2


def test_a_rule_that_finds_nothing_says_which_names_nothing_has(command: Command, log: Path, tmp_path: Path) -> None:
    rules = tmp_path / "r.yml"
    rules.write_text(
        "title: One\nname: one\nrecord:\n  where: |-\n    ordr_id:x\n---\n"
        "title: Many\nname: many\ncorrelation:\n  type: event_count\n  rules: [begun]\n  group-by: [ref]\n"
        '  timespan: 1m\n  condition: {gte: 2}\n---\ntitle: Begun\nname: begun\nrecord:\n  where: |-\n    "charge begin"\n'
    )
    told = command("scan", log, "--rules", rules, *LINKED).talk
    assert "rule one: no record has a field ordr_id; did you mean order_id" in told
    assert "rule many: no record has a field ref; did you mean psp_ref" in told
    shipped = command("scan", log, "--rules", "queue_lag", *LINKED).talk
    assert "no record has" not in shipped, "what a shipped rule is for may well not be there"
