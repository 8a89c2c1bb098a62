"""JSON documents of many records: CloudTrail's files and what OpenTelemetry's file exporter writes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from logscope.formats.documents import records_apart
from tests.cli.conftest import Command

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
