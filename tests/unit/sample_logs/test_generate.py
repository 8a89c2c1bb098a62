"""The generator against its own truth, by the standard library alone."""

from __future__ import annotations

import functools
import gzip
import json
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sample_logs.generate import make

SHIPPED = Path(__file__).resolve().parents[3] / "sample_logs"
SEEDS = (1, 77)
IDS = re.compile(r"ORD-\d{6}|PSP\d{8}|\b[0-9a-f]{32}\b")
HEADS = {
    "gateway": re.compile(
        r'^[\d.]+ - (?:-|u-\d+) \[(?P<time>[^\]]+)\] "[A-Z]+ /\S* HTTP/1\.1" \d{3} \d+ "-" "[^"]+"'
        r" rt=\d+\.\d{3} req=(?:-|[0-9a-f]{32})$"
    ),
    "orders": re.compile(r'^\{"ts":"(?P<time>[^"]+)",.*\}$'),
    "payments": re.compile(r"^(?P<time>\S+Z) (?:DEBUG|INFO |WARN |ERROR) \[[^\]]+\] [\w.]+ - \S.*$"),
    "inventory": re.compile(
        r"^ts=(?P<time>\S+Z) level=\w+ service=inventory host=store-1 component=\w+ msg=\"[^\"]+\".*$"
    ),
    "auth": re.compile(
        r"^<\d+>1 (?P<time>\S+Z) app-1 (?:auth|sshd) \d+ (?:LOGIN|TOKEN|-) (?:-|\[shop@32473 [^\]]+\]) \S.*$"
    ),
    "notifications": re.compile(r"^(?P<time>[\d-]+ [\d:]+,\d{3}\+00:00) (?:DEBUG|INFO|WARNING|ERROR) \[\w+\] \S.*$"),
}
CONTINUED = re.compile(r"^(?:\t|Caused by: |[\w.$]+(?:Exception|Error): )")


made = functools.cache(lambda seed, mask, loss: make(seed, mask=mask, loss=loss))


class Opened:
    """A sample as a reader finds it: records by their place, and the truth."""

    def __init__(self, seed: int, mask: float = 0.0, loss: float = 0.0) -> None:
        sample = made(seed, mask, loss)
        self.truth: dict[str, Any] = json.loads(sample.truth)
        self.records: dict[tuple[str, int], str] = {}
        self._times: dict[tuple[str, int], datetime] = {}
        for name, text in sample.logs.items():
            assert text.endswith("\n")
            begin = 0
            for number, line in enumerate(text.splitlines(), start=1):
                if name.startswith("payments") and CONTINUED.match(line):
                    self.records[name, begin] += "\n" + line
                else:
                    begin = number
                    self.records[name, number] = line

    def members(self, order: str) -> list[str]:
        return [self.records[place["source"], place["line"]] for place in self.truth["transactions"][order]]

    def time(self, place: tuple[str, int]) -> datetime:
        if place not in self._times:
            self._times[place] = self._read_time(place)
        return self._times[place]

    def _read_time(self, place: tuple[str, int]) -> datetime:
        service = re.sub(r"(-\d)?\.log$", "", place[0])
        found = HEADS[service].match(self.records[place].split("\n")[0])
        assert found, self.records[place]
        text = found["time"]
        return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z") if service == "gateway" else datetime.fromisoformat(text)


@functools.cache
def opened(seed: int, mask: float = 0.0, loss: float = 0.0) -> Opened:
    return Opened(seed, mask, loss)


def names(records: list[str], pattern: str) -> set[str]:
    return {found for record in records for found in re.findall(pattern, record)}


def test_a_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert made(1, 0.5, 0.0) == make(1, mask=0.5)
    assert made(1, 0.0, 0.2) == make(1, loss=0.2)
    assert made(1, 0.0, 0.0) != made(77, 0.0, 0.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_about_20_000_records_over_about_70_minutes(seed: int) -> None:
    sample = opened(seed)
    assert sample.truth["records"] == len(sample.records)
    assert 18_000 <= len(sample.records) <= 22_000
    times = [sample.time(place) for place in sample.records]
    assert 68 * 60 <= (max(times) - min(times)).total_seconds() <= 75 * 60


@pytest.mark.parametrize("seed", SEEDS)
def test_every_record_has_its_services_format_and_each_log_is_in_the_order_of_its_clock(seed: int) -> None:
    sample = opened(seed)
    last: dict[str, datetime] = {}
    for place, record in sample.records.items():
        time = sample.time(place)
        assert time >= last.get(place[0], time)
        last[place[0]] = time
        if place[0].startswith("orders"):
            assert json.loads(record)["service"] == "orders"
    assert len(last) == 9


@pytest.mark.parametrize("seed", [*SEEDS, 2])
def test_failed_is_begun_and_not_settled(seed: int) -> None:
    sample = opened(seed)
    begun = names(list(sample.records.values()), r" charge begin order_id=(ORD-\d+) ")
    order_of = dict(
        found
        for record in sample.records.values()
        for found in re.findall(r" psp response code=202 .*psp_ref=(PSP\d+)", record)
        for found in [(found, re.findall(r"order_id=(ORD-\d+)", record)[0])]
    )
    settled = {order_of[ref] for ref in names(list(sample.records.values()), r" charge settled reference=(PSP\d+) ")}
    failed = {row["order_id"]: row for row in sample.truth["failed"]}
    assert set(order_of.values()) == begun
    assert begun - settled == failed.keys()
    assert 0.008 <= len(failed) / len(begun) <= 0.02
    for order, row in failed.items():
        text = "\n".join(sample.members(order))
        assert re.findall(r"charge begin .*amount=(\S+)", text) == [f"{row['amount']:.2f}"]
        assert re.findall(r"psp_ref=(\S+)", text) == [row["psp_ref"]]
        assert '"to":"EXPIRED"' in text
        assert not re.search(r"WARN|ERROR|\"level\":\"(?:warn|error)\"", text)
    for order in [*sample.truth["declined"], *sample.truth["cancelled"]]:
        assert order not in begun


@pytest.mark.parametrize("seed", SEEDS)
def test_exactly_the_records_that_an_orders_ids_lead_to_are_its_members(seed: int) -> None:
    sample = opened(seed)
    leads: dict[str, set[tuple[str, int]]] = {}
    for place, record in sample.records.items():
        for found in IDS.findall(record):
            leads.setdefault(found, set()).add(place)
    for order, places in sample.truth["transactions"].items():
        known, todo, reached = {order}, [order], set()
        while todo:
            for place in leads[todo.pop()]:
                reached.add(place)
                new = set(IDS.findall(sample.records[place])) - known
                known |= new
                todo.extend(new)
        assert names(list(known), r"ORD-\d+") == {order}
        listed = [(place["source"], place["line"]) for place in places]
        assert len(listed) == len(set(listed))
        assert set(listed) == reached


@pytest.mark.parametrize("seed", SEEDS)
def test_settlement_is_named_by_the_reference_alone(seed: int) -> None:
    for record in opened(seed).records.values():
        if "charge settled" in record or "/webhooks/psp" in record:
            assert "PSP" in record
            assert "ORD-" not in record


@pytest.mark.parametrize("seed", SEEDS)
def test_settlements_are_within_20_s_but_the_slow_ones_and_every_silence_is_long_enough(seed: int) -> None:
    sample = opened(seed)
    slow = {row["order_id"]: row["duration_ms"] for row in sample.truth["slow"]}
    places = sample.truth["transactions"]
    end = max(sample.time(place) for place in sample.records)
    assert slow
    spans: dict[bool, list[float]] = {True: [], False: []}
    for order, members in places.items():
        at = {}
        for place in members:
            key = (place["source"], place["line"])
            for step in ("charge begin", "psp response", "charge settled"):
                if step in sample.records[key]:
                    at[step] = sample.time(key)
        if "charge settled" in at:
            took = (at["charge settled"] - at["psp response"]).total_seconds() * 1000
            times = [sample.time((place["source"], place["line"])) for place in members]
            spans[order in slow].append((max(times) - min(times)).total_seconds())
            if order in slow:
                assert abs(took - slow[order]) < 1.5  # the truth knows microseconds, the log milliseconds
                assert 50_000 <= took <= 90_000
            else:
                assert took <= 20_000
        elif at:
            assert (end - at["psp response"]).total_seconds() >= 360
    assert max(spans[False]) < 50 < min(spans[True])


@pytest.mark.parametrize("seed", SEEDS)
def test_retries_are_loud_and_settle_after_one_begin(seed: int) -> None:
    sample = opened(seed)
    assert sample.truth["retries"]
    for row in sample.truth["retries"]:
        text = "\n".join(sample.members(row["order_id"]))
        assert text.count("charge begin") == text.count("charge settled") == 1
        assert text.count("charge retry") == text.count("psp call failed") == len(row["failed_calls"]) >= 1
        assert text.count("\n\tat ") >= 2


@pytest.mark.parametrize("seed", SEEDS)
def test_the_attack_is_many_failures_from_one_address_and_then_a_success(seed: int) -> None:
    sample = opened(seed)
    attack = sample.truth["attack"]
    texts = [sample.records[place["source"], place["line"]] for place in attack["members"]]
    assert all(attack["ip"] in text for text in texts)
    assert sum("login failed" in text for text in texts) == attack["failed_logins"] >= 100
    assert "login succeeded" in sample.records[attack["success"]["source"], attack["success"]["line"]]
    assert len(texts) == sum(attack["ip"] in record for record in sample.records.values())


def test_a_lost_record_is_in_no_list_and_the_others_are() -> None:
    whole, worn = opened(1), opened(1, 0.0, 0.2)
    assert 0.77 <= len(worn.records) / len(whole.records) <= 0.83
    assert worn.truth["records"] == len(worn.records)
    assert worn.truth["failed"] == whole.truth["failed"]
    for order in worn.truth["transactions"]:
        kept = worn.members(order)
        assert not set(kept) - set(whole.members(order))
    named = sum("ORD-" in record for record in worn.records.values())
    assert named == sum("ORD-" in text for order in worn.truth["transactions"] for text in worn.members(order))


def test_a_masked_record_keeps_one_of_its_ids_and_its_place() -> None:
    whole, worn = opened(1), opened(1, 0.5, 0.0)
    assert whole.records.keys() == worn.records.keys()
    assert whole.truth["transactions"] == worn.truth["transactions"]
    several = masked = 0
    for place, text in whole.records.items():
        before, after = set(IDS.findall(text)), set(IDS.findall(worn.records[place]))
        several += len(before) > 1
        if text != worn.records[place]:
            masked += 1
            assert len(before) > 1
            assert len(after) == 1
            assert after < before
            worn.time(place)
    assert 0.45 <= masked / several <= 0.55


@pytest.mark.parametrize("arguments", [["--loss", "2"], ["--mask", "x"], []])
def test_wrong_usage_is_said(arguments: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sample_logs.generate", "--out", str(tmp_path), *arguments]
    done = subprocess.run(command, cwd=SHIPPED.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage:" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_command_writes_logs_and_truth_and_imports_nothing_of_logscope(tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    code = (
        "import sys; from sample_logs.generate import main; "
        f"assert main(['--seed', '77', '--out', {str(out)!r}]) == 0; "
        "sys.exit(any(name.split('.')[0] in ('logscope', 'polars', 'textual') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=SHIPPED.parent, check=True)
    sample = made(77, 0.0, 0.0)
    assert {path.name for path in out.iterdir()} == {*sample.logs, "truth.json"}
    assert (out / "payments-1.log").read_text() == sample.logs["payments-1.log"]
    assert (out / "truth.json").read_text() == sample.truth


def test_the_shipped_sample_is_seed_1() -> None:
    sample = make(1, ending=".log.gz")
    assert (SHIPPED / "truth.json").read_text() == sample.truth
    assert {path.name for path in SHIPPED.glob("*.log*")} == set(sample.logs)
    for name, text in sample.logs.items():
        # What zlib makes of equal text differs between its builds: the text must be equal.
        assert gzip.decompress((SHIPPED / name).read_bytes()).decode() == text
        assert (SHIPPED / name).read_bytes()[4:8] == bytes(4)
