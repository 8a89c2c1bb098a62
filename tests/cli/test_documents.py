"""JSON documents of many records: CloudTrail's files and what OpenTelemetry's file exporter writes."""

from __future__ import annotations

import gzip
import json
import os
import tarfile
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from logscope.formats.documents import Documents, records_apart
from logscope.sources.base import OpenSource, SourceSpec
from logscope.sources.opening import open_source
from tests.cli.conftest import Command
from tests.daemons import until

EVENTS = [
    {
        "eventVersion": "1.08",
        "eventTime": f"2026-11-01T10:00:{second:02}Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": "CreateUser",
        "userIdentity": {"userName": 'alice\n"Records"'},
        "requestID": f"req-{second // 2}",
    }
    for second in range(40)
]


def otlp(first: int) -> dict[str, Any]:
    records = [
        {
            "timeUnixNano": str((1793527200 + first + number) * 10**9),
            "severityText": "ERROR",
            "body": {"stringValue": f"card declined {first + number}"},
            "attributes": [
                {"key": "order_id", "value": {"stringValue": f"ORD-{number}"}},
                {"key": "amount", "value": {"intValue": "7"}},
                {"key": "basket", "value": {"kvlistValue": {"values": [{"key": "n", "value": {"intValue": "2"}}]}}},
            ],
        }
        for number in range(3)
    ]
    name = {"key": "service.name", "value": {"stringValue": "payments"}}
    return {"resourceLogs": [{"resource": {"attributes": [name]}, "scopeLogs": [{"logRecords": records}]}]}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("packed", [False, True])
def test_events_of_cloudtrail_are_records(command: Command, tmp_path: Path, indent: int | None, packed: bool) -> None:
    text = json.dumps({"Records": EVENTS}, indent=indent).encode()
    path = tmp_path / ("trail.json.gz" if packed else "trail.json")
    path.write_bytes(gzip.compress(text) if packed else text)
    found = command("query", "", path, "--json")
    assert found.code == 0
    assert [(each["time"][:19], each["line"], each["format"]) for each in found.objects] == [
        (event["eventTime"][:19], number, "cloudtrail") for number, event in enumerate(EVENTS, 1)
    ]
    assert {each["service"] for each in found.objects} == {"iam.amazonaws.com"}
    assert found.objects[0]["fields"]["userIdentity.userName"] == 'alice\n"Records"'


def test_documents_line_by_line_as_the_collector_writes_them(command: Command, tmp_path: Path) -> None:
    lines = [json.dumps(otlp(0)), "no document", json.dumps(otlp(10))]
    (tmp_path / "otel.json").write_text("\n".join(lines) + "\n")
    found = command("query", "level:error", "otel.json", "--json")
    assert [each["message"] for each in found.objects] == [f"card declined {n}" for n in (0, 1, 2, 10, 11, 12)]
    first = found.objects[0]
    assert (first["time"], first["service"]) == ("2026-11-01T10:00:00.000000Z", "payments")
    assert first["fields"]["attributes.order_id"] == "ORD-0"
    assert first["fields"]["attributes.basket.n"] == "2"


@pytest.mark.parametrize("indent", [None, 2])
def test_documents_in_archives_and_in_a_pipe(command: Command, tmp_path: Path, indent: int | None) -> None:
    text = json.dumps({"Records": EVENTS}, indent=indent).encode()
    (tmp_path / "trail.json").write_bytes(text)
    (tmp_path / "trail.json.gz").write_bytes(gzip.compress(text))
    for mode, name in (("w", "a.tar"), ("w:gz", "a.tgz")):
        with tarfile.open(tmp_path / name, mode) as archive:
            archive.add(tmp_path / "trail.json", "2026/trail.json")
            archive.add(tmp_path / "trail.json.gz", "2026/trail.json.gz")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "trail.json", "trail.json")
    os.mkfifo(tmp_path / "pipe")
    threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(text,), daemon=True).start()
    for source, count in (("a.tar", 80), ("a.tgz", 80), ("a.zip", 40), ("pipe", 40)):
        found = command("query", "", source, "--json")
        assert [each["format"] for each in found.objects] == ["cloudtrail"] * count, source


def test_documents_of_a_followed_file_are_records_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "otel.json"
    path.write_text(json.dumps(otlp(0)) + "\n")
    with open_source(SourceSpec("otel.json", "file", path), follow=True, apart=Documents()) as source:
        with path.open("a") as file:
            file.write(json.dumps(otlp(10)) + "\n")
        assert _text(source, 6).count(b"card declined") == 6


def test_a_followed_document_over_many_lines_need_not_end_the_file(tmp_path: Path) -> None:
    path = tmp_path / "trail.json"
    path.write_text(json.dumps({"Records": EVENTS}, indent=2))
    with open_source(SourceSpec("trail.json", "file", path), follow=True, apart=Documents()) as source:
        assert len(_text(source, 40).splitlines()) == 40


def _text(source: OpenSource, lines: int) -> bytes:
    until(lambda: source.pread(1 << 20, 0).count(b"\n") >= lines)
    return source.pread(1 << 20, 0)


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
@pytest.mark.parametrize(
    "text",
    [
        b'{"Records":[{"a":1},{"b":2}]}\n{"Records":[{"c":3}]}',
        b'\xef\xbb\xbf{"Records": [\n  {"a": 1},\n  {"b": 2}\n]\n}\n',
        b'{"Records":[{"a":1},{"b":2}],\n\n"more":"x"}',
    ],
)
def test_documents_cut_anywhere(text: bytes, size: int) -> None:
    pieces = (text[at : at + size] for at in range(0, len(text), size))
    lines = b"".join(records_apart(pieces)).split(b"\n")
    assert [next(iter(json.loads(line))) for line in lines if line] == ["a", "b", "c"][: 3 if b'"c"' in text else 2]


@pytest.mark.parametrize(
    "text",
    [
        b'{"Records":[{"a":1},\nbroken',
        b'{"Records":["x",3,\n',
        b'{"Records":[' + b"[" * 100_000 + b"\n",
        b'{"resourceLogs":[{"resource":3}]}\nplain\n',
        b'{"resourceLogs":[1]}',
    ],
)
def test_what_is_no_sound_document_stays_as_it_is(text: bytes) -> None:
    assert b"".join(records_apart([text[:9], text[9:]])) == text
