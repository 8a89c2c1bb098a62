"""What stands where syslog has a program's tag: a mnemonic of Cisco's, the body itself, or a tag and nothing before it."""

from __future__ import annotations

import polars as pl
import pytest

from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import SourceParser, make_parser

FORMATS = load_formats()
REFERENCE = 1_798_675_200_000_000


def messages() -> SourceParser:
    return make_parser(FORMATS.for_messages(), zone="UTC", reference_us=REFERENCE, source_name="")


def read(parser: SourceParser, line: str) -> tuple[dict[str, object], dict[str, str]]:
    """Columns and fields of one record."""
    raw = pl.Series([line])
    columns = parser.columns(raw, ["host", "service", "pid", "message"]).to_dicts()[0]
    return columns, {pair["name"]: pair["value"] for pair in parser.fields(raw)[0]}


@pytest.mark.parametrize(
    ("line", "host", "fields"),
    [
        (
            "<166>Nov  1 10:00:00 fw %ASA-6-302013: Built outbound TCP connection 1 for outside:192.0.2.4/443 (192.0.2.4/443) to inside:10.0.0.1/5000 (10.0.0.1/5000)",
            "fw",
            {"dst_ip": "192.0.2.4", "src_port": "5000", "code": "302013"},
        ),
        (
            "<166>Nov 01 2026 10:00:00: %ASA-6-725006: Device failed SSL handshake with client WAN:192.0.2.1/49699",
            None,
            {"src_ip": "192.0.2.1"},
        ),
        (
            "<189>Nov  1 10:00:00 sw %SSH-5-SSH2_CLOSE: SSH2 Session from 192.0.2.4 (tty = 0) for user 'jo' closed",
            "sw",
            {"user": "jo", "src_ip": "192.0.2.4", "code": "SSH2_CLOSE", "facility": "local7"},
        ),
    ],
)
def test_messages_of_cisco_devices_to_a_listener_have_their_fields(
    line: str, host: str | None, fields: dict[str, str]
) -> None:
    columns, found = read(messages(), line)
    assert columns["host"] == host
    assert str(columns["service"]).startswith("%")
    assert str(columns["message"]) == line.partition(": ")[2].rpartition(": ")[2]
    assert fields.items() <= found.items()


def test_a_body_without_a_tag_begins_with_an_address_or_a_clock() -> None:
    line = '<134>Nov  1 10:00:00 lb 192.0.2.7:64772 [01/Nov/2026:10:00:00.832] fe~ be/s1 0/0/0/67/73 200 397 - - ---- 1/1/1/1/0 0/0 "GET /a HTTP/1.1"'
    columns, found = read(messages(), line)
    assert (columns["host"], columns["service"]) == ("lb", None)
    assert (found["client_ip"], found["path"]) == ("192.0.2.7", "/a")
    columns, _ = read(messages(), "<13>Nov  1 10:00:00 lb 22:15:55 stopped")
    assert (columns["service"], columns["message"]) == (None, "22:15:55 stopped")


def test_a_tag_of_digits_stays_one() -> None:
    columns, _ = read(messages(), "<13>Nov  1 10:00:00 lb 0123456789: stopped")
    assert (columns["service"], columns["message"]) == ("0123456789", "stopped")


def test_a_file_of_lines_that_only_kept_their_tag() -> None:
    lines = [
        "sshd[88235]: Failed password for jo from 192.0.2.1 port 60002 ssh2",
        "orders[17]: paid order_id=ORD-7",
        "  at the till",
    ] * 9
    parser = make_parser(detect(FORMATS, lines, name="x.log"), zone="UTC", reference_us=REFERENCE, source_name="x.log")
    assert parser.formats == ("tagged", "text")
    columns, found = read(parser, lines[0])
    assert (columns["service"], columns["pid"], found["client_ip"]) == ("sshd", "88235", "192.0.2.1")
    columns, found = read(parser, lines[1])
    assert (columns["service"], columns["message"], found["order_id"]) == ("orders", "paid order_id=ORD-7", "ORD-7")
