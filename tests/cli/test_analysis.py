"""`templates`, `export`, `stats --transactions` and `stats --against` as users run them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.conftest import Shop

HOSTILE = "\x1b]52;c;aGk=\x07<script>alert(1)</script><img src=x onerror=y>\u202eevil | `tick` &amp; [x](javascript:1)"


class Tags(HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    lines = [
        f"2026-11-01T10:00:{10 + number:02d}Z host-1 shop[1]: INFO step {number % 3} order_id=ORD-{4000 + number // 3} "
        f"{HOSTILE} user=alice{number % 5}@example.org ip=10.1.2.{number % 9}"
        for number in range(30)
    ]
    path = tmp_path / "hostile.log"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_templates_are_counted_and_dated(command: Command, shop: Shop) -> None:
    told = command("templates", "--json", *shop.logs)
    assert told.code == 0
    begun = [entry for entry in told.objects if entry["template"].startswith("charge begin")]
    assert [entry["service"] for entry in begun] == ["payments"]
    assert begun[0]["first"] < begun[0]["last"]
    assert begun[0]["source"] in shop.logs
    read = sum(entry["records"] for entry in command("stats", "--json", *shop.logs).objects)
    assert sum(entry["records"] for entry in told.objects) == read
    assert len(command("templates", "--json", "--limit", "3", *shop.logs).objects) == 3
    assert "charge begin" in command("templates", *shop.logs).text


def test_stats_tell_shapes_services_and_hand_overs(command: Command, shop: Shop) -> None:
    told = command("stats", "--transactions", "--json", *shop.logs).objects
    total = next(entry["transactions"] for entry in told if "max_ms" in entry)
    assert sum(entry["transactions"] for entry in told if "shape" in entry) == total
    assert {"payments", "orders"} <= {entry["service"] for entry in told if "service" in entry}
    assert any(entry.get("caller") == "orders" and entry["callee"] == "payments" for entry in told)
    assert "hands to" in command("stats", "--transactions", *shop.logs).text


def test_a_service_that_became_slow_and_one_that_fails_are_named(command: Command, tmp_path: Path) -> None:
    def write(name: str, day: int, pause: int, failing: int) -> None:
        lines = []
        for number in range(60):
            base = number * 5_000
            steps = (
                (0, "web", "INFO", "request in"), (3, "shop", "INFO", "order created"),
                (3 + pause, "stock", "INFO", "stock reserved"),
                (5 + pause, "stock", "ERROR" if number < failing else "INFO", "label printed"),
                (9 + 2 * pause, "shop", "INFO", "order done"),
            )  # fmt: skip
            for offset, service, level, text in steps:
                at = base + offset
                stamp = f"2026-11-{day:02d}T10:{at // 60_000:02d}:{at // 1000 % 60:02d}.{at % 1000:03d}Z"
                lines.append(f"{stamp} {level} {service} [{text}] request_id={day:02d}{number:014x}")
        (tmp_path / name).write_text(
            "\n".join(
                json.dumps({"time": t, "level": lv, "service": s, "message": m})
                for t, lv, s, m in (line.split(" ", 3) for line in lines)
            )
            + "\n"
        )

    write("good.log", 1, 4, 0)
    write("bad.log", 2, 200, 20)
    told = command("stats", "bad.log", "--against", "good.log", "--json").objects
    slower = [entry["service"] for entry in told if entry["difference"] == "slower" and entry["of"] == "service"]
    assert slower[0] in ("stock", "shop")
    failing = [entry for entry in told if entry["difference"] == "failing"]
    assert [entry["service"] for entry in failing] == ["stock"]
    assert failing[0]["share"] == pytest.approx(1 / 3, abs=0.001)
    text = command("stats", "bad.log", "--against", "good.log").text
    assert "services that fail more often" in text
    assert "services that became slower" in text
    same = command("stats", "good.log", "--against", "good.log")
    assert same.code == 2
    assert "stands on both sides" in same.talk


def test_a_service_that_leaves_a_step_out_is_named_though_nothing_fails(command: Command, tmp_path: Path) -> None:
    def write(name: str, day: int, aborted: int) -> None:
        lines = []
        for number in range(40):
            steps = [
                ("web", "request in"),
                ("stock", "looking up the shelf"),
                ("stock", "shelf found"),
                ("web", "request out"),
            ]
            if number < aborted:
                del steps[2]
            lines += [
                json.dumps({
                    "time": f"2026-11-{day:02d}T10:{number:02d}:{step:02d}Z", "level": "INFO", "service": service,
                    "message": text, "request_id": f"{day:02d}{number:014x}",
                })
                for step, (service, text) in enumerate(steps)
            ]  # fmt: skip
        (tmp_path / name).write_text("\n".join(lines) + "\n")

    write("good.log", 1, 1)
    write("bad.log", 2, 18)
    told = command("stats", "bad.log", "--against", "good.log", "--json").objects
    left_out = [entry for entry in told if entry["difference"] == "incomplete"]
    assert [(e["service"], e["after"], e["missing"], e["times"]) for e in left_out] == [
        ("stock", "looking up the shelf", "shelf found", 18)
    ]
    assert not [entry for entry in told if entry["difference"] == "failing"]
    text = command("stats", "bad.log", "--against", "good.log").text
    assert "stock: in 18 of 40 transactions (was 2.5%) none of “shelf found” after “looking up the shelf”" in text
    write("bad.log", 2, 1)
    told = command("stats", "bad.log", "--against", "good.log", "--json").objects
    assert not [entry for entry in told if entry["difference"] == "incomplete"]


def test_sources_do_not_differ_from_their_copy(command: Command, shop: Shop, tmp_path: Path) -> None:
    copies = []
    for number, log in enumerate(shop.logs):
        copy = tmp_path / f"copy{number}" / Path(log).name
        copy.parent.mkdir()
        copy.write_bytes(Path(log).read_bytes())
        copies.append(copy)
    told = command("stats", *shop.logs, "--against", *copies, "--json").objects
    assert [entry for entry in told[1:] if entry["difference"] != "slower"] == []


@pytest.mark.parametrize("ending", ["html", "md", "json"])
def test_a_report_holds_the_case_and_how_to_make_it_again(
    command: Command, shop: Shop, tmp_path: Path, ending: str
) -> None:
    order, _, reference = shop.failed[0]
    case = tmp_path / f"case.{ending}"
    assert command("export", case, *shop.logs, "--id", f"order_id={order}").code == 0
    text = case.read_text()
    for part in (reference, f"export {case}", f"--id order_id={order}"):
        assert part in text.replace("\\", "")
    if ending == "json":
        assert len(json.loads(text)["transactions"][0]["members"]) > 5
    if ending == "html":
        assert {"svg", "circle", "table"} <= Tags(text).tags


def test_a_report_without_an_ending_or_a_transaction_is_refused(command: Command, shop: Shop) -> None:
    assert command("export", "case.pdf", *shop.logs, "--id", "order_id=ORD-1").code == 2
    missing = command("export", "case.html", *shop.logs, "--id", "order_id=ORD-nothing")
    assert missing.code == 2
    assert "no transaction has" in missing.talk


@pytest.mark.parametrize("ending", ["html", "md", "json"])
def test_hostile_text_stays_text(command: Command, hostile: Path, tmp_path: Path, ending: str) -> None:
    case = tmp_path / f"case.{ending}"
    assert command("export", case, hostile, "--id", "order_id=ORD-4001", "--notes", HOSTILE).code == 0
    text = case.read_text()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    if ending == "html":
        page = Tags(text)
        assert not page.tags & {"script", "img", "a", "link", "iframe"}
        assert not any(name.startswith("on") or name in ("src", "href") for name in page.attributes)
    if ending == "md":
        told = text.split("```")[0] + text.split("```")[2]  # the notes between stand in a fence
        assert not re.search(r"(?<!\\)[<\[`]", told)


@pytest.mark.parametrize("ending", ["html", "md", "json"])
def test_redaction_masks_equal_values_alike(command: Command, hostile: Path, tmp_path: Path, ending: str) -> None:
    case = tmp_path / f"case.{ending}"
    assert command("export", case, hostile, "--id", "order_id=ORD-4001", "--redact").code == 0
    text = case.read_text().replace("\\", "")
    for secret in ("ORD-4001", "alice", "example.org", "10.1.2.", "host-1"):
        assert secret not in text, secret
    assert text.count("order_id 1") >= 3
