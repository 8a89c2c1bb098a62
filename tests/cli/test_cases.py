"""Cases as users keep, export and open them: `export --case`, `cases`, `stats --over`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from logscope.engine.cases.casefile import from_object, to_object
from logscope.engine.cases.folder import Cases
from logscope.engine.pinned import CaseFile, Pin
from logscope.paths import PACKAGE
from tests.cli.conftest import Command
from tests.conftest import Shop


def test_a_report_as_json_is_a_case_and_makes_the_same_report_again(
    command: Command, shop: Shop, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    orders = [shop.failed[0][0], shop.failed[1][0]]
    ids = [part for order in orders for part in ("--id", f"order_id={order}")]
    assert command("export", first, *shop.logs, *ids, "--notes", "look at the PSP").code == 0
    assert command("export", second, "--case", first).code == 0
    one, two = (json.loads(path.read_text()) for path in (first, second))
    assert one["transactions"] == two["transactions"]
    assert [each["title"] for each in one["transactions"]] == orders
    assert two["notes"] == "look at the PSP"
    assert two["reopen"] == f"logscope --case {first}"


def test_a_case_whose_logs_were_moved_is_found_again(command: Command, shop: Shop, tmp_path: Path) -> None:
    order = shop.failed[0][0]
    case = tmp_path / "case.json"
    assert command("export", case, *shop.logs, "--id", f"order_id={order}").code == 0
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for log in shop.logs:
        (moved / Path(log).name).write_bytes(Path(log).read_bytes())
    again = tmp_path / "again.json"
    assert command("export", again, *sorted(moved.iterdir()), "--case", case).code == 0
    assert [each["title"] for each in json.loads(again.read_text())["transactions"]] == [order]


@pytest.mark.parametrize("ending", ["html", "md", "json"])
def test_pinned_records_notes_and_what_is_gone_are_told(command: Command, tmp_path: Path, ending: str) -> None:
    log = tmp_path / "app.log"
    log.write_text("2026-11-01T10:00:00Z web-1 shop[1]: ERROR disk full user=alice@example.org\n" * 3)
    pins = (
        Pin("record", str(log), 2, "this one <b>filled</b> it", "disk full"),
        Pin("record", str(log), 99, "", "the one that was rotated away"),
    )
    Cases().save(CaseFile("full", (str(log),), pins=pins))
    report = tmp_path / f"report.{ending}"
    assert command("export", report, "--case", "full").code == 0
    text = report.read_text().replace("\\", "")
    for part in ("disk full", "it", "the one that was rotated away", "--case full"):
        assert part in text
    assert ("<b>filled</b>" in text) == (ending != "html")
    masked = tmp_path / f"masked.{ending}"
    assert command("export", masked, "--case", "full", "--redact").code == 0
    assert "alice" not in masked.read_text()
    assert "masked" in masked.read_text() or ending == "json"


def test_a_report_can_be_read_by_its_owner_alone(command: Command, shop: Shop, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert command("export", tmp_path / "c.html", *shop.logs, "--id", f"order_id={shop.failed[0][0]}").code == 0
    finally:
        os.umask(before)
    assert (tmp_path / "c.html").stat().st_mode & 0o777 == 0o600


def test_a_case_opens_files_and_nothing_else(command: Command, tmp_path: Path) -> None:
    case = tmp_path / "evil.json"
    for source in ("syslog+tcp://0.0.0.0:5140", "ssh://-oProxyCommand=touch x/etc", "docker://x"):
        case.write_text(json.dumps(to_object(CaseFile("evil", (source,)))))
        told = command("export", tmp_path / "r.html", "--case", case)
        assert told.code == 2
        assert "opens files only" in told.talk
    for options in ({"config": "/tmp/x"}, {"key": [1]}, {"memory": 1}, {"max_span": -1}):
        case.write_text(json.dumps(to_object(CaseFile("evil", ("a.log",))) | {"options": options}))
        assert command("export", tmp_path / "r.html", "--case", case).code == 2
    for text in (
        "",
        "[]",
        "{}",
        "[" * 100_000,
        '{"logscope_case": 99}',
        '{"logscope_case": 1, "pins": [{"kind": "x"}]}',
    ):
        case.write_text(text)
        told = command("export", tmp_path / "r.html", "--case", case)
        assert told.code == 2, text[:20]
        assert "no case" in told.talk
    assert not (tmp_path / "r.html").exists()


def test_a_case_survives_being_written_and_read() -> None:
    pins = (
        Pin("record", "a.log", 3, "note"),
        Pin("transaction", "b.log", 1, "", "ORD-1", "abc", (("order_id", "ORD-1"),)),
    )
    case = CaseFile(
        "x", ("/a.log",), (("grain", "order_id"), ("key", ("a=b",))), "notes", pins, {"steps": []}, ("a", 2)
    )
    assert from_object(json.loads(json.dumps(to_object(case)))) == case
    assert case.with_pin(pins[0]).pins == pins[1:]


def test_cases_are_listed_and_dropped(command: Command) -> None:
    kept = Cases()
    folder = kept.path("one").parent
    kept.save(CaseFile("one", ("/a.log",)))
    kept.save(CaseFile("two", ("/b.log",)))
    assert (folder / "one.json").stat().st_mode & 0o777 == 0o600
    assert [each["case"] for each in command("cases", "list", "--json").objects] == ["two", "one"]
    assert command("cases", "drop", "one").code == 0
    assert "two" in command("cases", "list").text
    assert command("cases", "drop", "../two").code == 2
    assert command("cases", "drop", "one").code == 2


def test_figures_over_time_add_up(command: Command, shop: Shop) -> None:
    rule = PACKAGE / "rules/builtin/silent_payment_failure.yml"
    over = [part for kind in ("all", "service", "rule", "shape", "order_id") for part in ("--over", kind)]
    told = command("stats", *shop.logs, "--json", *over, "--every", "10m", "--most", "3000", "--rules", rule)
    assert told.code == 0
    entries = [entry for entry in told.objects if "over" in entry]
    records = sum(entry["records"] for entry in told.objects if "over" not in entry)
    by = {
        kind: [entry for entry in entries if entry["over"] == kind]
        for kind in ("all", "service", "rule", "shape", "order_id")
    }
    (whole,) = [entry for entry in by["all"] if "stretch" not in entry]
    assert whole["records"] == records
    for kind, mine in by.items():
        totals = {entry["value"]: entry for entry in mine if "stretch" not in entry}
        for name in ("records", "errors", "transactions", "failed", "detections"):
            parts = sum(entry[name] for entry in mine if "stretch" in entry)
            assert parts == sum(entry[name] for entry in totals.values()), (kind, name)
    found = command("scan", *shop.logs, "--json", "--rules", rule).objects
    assert len(found) >= len(shop.failed)
    assert sum(entry["detections"] for entry in by["rule"] if "stretch" not in entry) == len(found)
    failed = {entry["value"] for entry in by["order_id"] if entry["detections"]}
    assert failed == {order for order, *_ in shop.failed}
    table = command("transactions", *shop.logs, "--json").objects
    assert whole["transactions"] == len(table)
    assert whole["failed"] == sum(entry["errors"] > 0 for entry in table)


def test_figures_over_time_for_people_and_wrong_usage(command: Command, shop: Shop) -> None:
    text = command("stats", *shop.logs, "--over", "service").text
    assert "service over time" in text
    assert "█" in text
    assert command("stats", *shop.logs, "--over", "nonsense").code == 2
    assert command("stats", *shop.logs, "--over", "all", "--every", "1ms").code == 2
