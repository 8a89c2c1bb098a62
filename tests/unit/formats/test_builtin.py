"""Each shipped format does what its samples say, in a file and inside syslog."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from logscope.errors import FormatError
from logscope.formats.definition import with_samples
from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import make_parser, service_of
from logscope.formats.samples import check_samples
from tests.unit.formats.lines import MAKERS

FORMATS = load_formats()
REFERENCE = 1_798_675_200_000_000


def parser_for(lines: list[str], *, name: str = "shop.log", zone: str = "UTC", forced: str | None = None):
    return make_parser(
        detect(FORMATS, lines, name=name, forced=forced), zone=zone, reference_us=REFERENCE, source_name=name
    )


def test_all_samples_hold() -> None:
    assert check_samples(FORMATS) >= 20
    # What a line of a table means its header says, so a line alone is no sample.
    assert all(with_samples(form).samples for form in FORMATS.formats if form.kind != "csv")


def test_the_guide_names_every_format_and_none_that_is_not_there() -> None:
    text = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()
    names = {form.name for form in FORMATS.formats}
    products = text.partition("## Products and where they were seen")[2]
    told = {
        word
        for row in products.splitlines()
        if row.startswith("| ")
        for word in re.findall(r"`(\w+)`", row.split("|")[2])
    }
    assert len(told) > 50
    assert told <= names
    first = text.partition("## Records")[0]
    assert {name for name in names if f"`{name}`" not in first} == set()


@pytest.mark.parametrize("name", MAKERS)
def test_a_file_of_one_format_is_detected(name: str) -> None:
    lines = [MAKERS[name](number) for number in range(200)]
    parser = parser_for(lines)
    assert parser.formats[0] == name
    assert parser.formats[-1] == "text"
    index = parser.index(pl.Series(lines))
    assert index["format"].to_list() == [0] * 200
    if name != "text":
        assert index["time"].null_count() == 0
    assert parser.starts(pl.Series(lines)).all()


def plain(parser, lines: list[str]) -> list[dict]:
    raw = pl.Series(lines)
    fields = parser.fields(raw)
    messages = parser.columns(raw, ["message"])["message"]
    out = []
    for row, message in enumerate(messages):
        pairs = {
            pair["name"]: pair["value"] for pair in fields[row] if pair["name"] not in {"severity", "facility", "msgid"}
        }
        out.append({"message": message, "fields": pairs})
    return out


@pytest.mark.parametrize("header", ["<14>1 2026-11-01T10:00:00Z h shop 7 - - ", "<14>Nov  1 10:00:00 h shop[7]: "])
@pytest.mark.parametrize("name", [name for name in MAKERS if name not in {"rfc5424", "rfc3164", "docker"}])
def test_a_line_in_syslog_gives_what_it_gives_in_a_file(name: str, header: str) -> None:
    lines = [MAKERS[name](number) for number in range(5)]
    alone = plain(parser_for(lines), lines)
    wrapped = [header + line for line in lines]
    listener = make_parser(
        FORMATS.for_messages(), zone="UTC", reference_us=REFERENCE, source_name="syslog+tcp://127.0.0.1:1"
    )
    assert plain(listener, wrapped) == alone
    assert plain(parser_for(wrapped), wrapped) == alone
    found = listener.columns(pl.Series(wrapped), ["host", "service", "pid"]).row(0)
    assert found == ("h", "shop", "7")


def test_a_line_of_a_syslog_file_sent_whole_is_read_as_in_the_file() -> None:
    lines = [
        "Dec 10 06:55:46 LabSZ sshd[24200]: Invalid user webmaster from 173.234.31.186",
        "Dec 10 06:55:47 LabSZ sudo:     root : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
        "2026-12-10T06:55:48+00:00 LabSZ payments[7]: level=error charge failed order_id=ORD-7",
        '2026-12-10T06:55:49Z LabSZ app[1]: {"msg": "done", "level": "warn", "n": 3}',
        "Dec 10 06:55:50 LabSZ nothing in particular",
        "no header at all",
    ]
    header = "<133>1 2026-12-10T06:55:46Z - - - - - "
    sent = [header + line for line in lines]
    inside, wrapped = parser_for(lines), parser_for(sent, name="syslog+tcp://x:1")
    assert plain(wrapped, sent) == plain(inside, lines)
    names = ["host", "service", "pid", "message", "fields.client_ip", "fields.order_id"]
    expected = inside.columns(pl.Series(lines), names).with_columns(service=pl.col("service").replace("shop", None))
    assert wrapped.columns(pl.Series(sent), names).equals(expected)
    assert wrapped.index(pl.Series(sent))["level"].to_list() == [3, 3, 3, 4, 3, 3]


@pytest.mark.parametrize("name", [name for name in MAKERS if name not in {"rfc5424", "rfc3164"}])
def test_a_bare_message_of_a_listener_is_read_as_in_a_file(name: str) -> None:
    lines = [MAKERS[name](number) for number in range(5)]
    listener = make_parser(FORMATS.for_messages(), zone="UTC", reference_us=REFERENCE, source_name="")
    assert plain(listener, lines) == plain(parser_for(lines), lines)
    assert plain(listener, ["<14>" + line for line in lines]) == plain(parser_for(lines), lines) or name == "text"


def test_mixed_formats_keep_their_order() -> None:
    lines = [MAKERS[name](number) for number in range(60) for name in ("json", "access", "logfmt", "text")]
    parser = parser_for(lines)
    found = parser.columns(pl.Series(lines), ["format", "fields.order_id", "fields.ref"])
    assert found["format"].to_list() == ["json", "access", "logfmt", "text"] * 60
    assert found["fields.order_id"].to_list()[::4] == [f"ORD-{number}" for number in range(60)]
    assert found["fields.ref"].to_list()[1::4] == [f"P{number}" for number in range(60)]


def test_stack_traces_belong_to_their_record() -> None:
    lines = [
        MAKERS["log4j"](1),
        "java.lang.IllegalStateException: gone",
        "\tat com.shop.A.b(A.java:1)",
        "Caused by: java.io.IOException",
        "",
        MAKERS["log4j"](2),
    ]
    assert parser_for(lines).starts(pl.Series(lines)).to_list() == [True, False, False, False, False, True]


def test_free_text_has_a_record_a_line_but_for_stack_frames() -> None:
    lines = ["Error: boom", "    at f (a.js:1:2)", "\tmore", "", "next", "  indented text"]
    assert parser_for(["plain text"] * 5).starts(pl.Series(lines)).to_list() == [True, False, False, False, True, True]


def test_a_forced_format_and_an_unknown_one() -> None:
    assert parser_for(["x"], forced="json").formats == ("json", "text")
    with pytest.raises(FormatError, match="there is no format 'jsn'"):
        parser_for(["x"], forced="jsn")


def test_every_kind_of_broken_definition_is_said(tmp_path: Path) -> None:
    cases = {
        "name = 'a'\npattern = 'x'": "begins with",
        "name = 'a'\npattern = '^(x)'": "groups have names",
        "name = 'a'\npattern = '^(?P<x>a'": "unclosed|unopened",
        "name = 'a'\nkind = 'b'": "unknown kind",
        "name = 'a'": "no pattern",
        "pattern = '^x'": "'name' is missing",
        "name = ": "is not TOML",
        "name = 'a'\npatern = '^x'": "unknown key 'patern'",
        "name = 'a'\npattern = '^x'\nlevels = {a = 'loud'}": "unknown level",
        "name = 'a/\x1b'\npattern = '^x'": "TOML",
        "name = '../a'\npattern = '^x'": "other signs",
        "name = 'a'\npattern = '^x'\nneeds = [1]": "no text",
        "name = 'a'\npattern = '^x'\nkeys = [1]": "no table",
        "name = 'a'\npattern = '^x'\nlevels = {a = 7}": "no text",
        "name = 'a'\npattern = '^x'\nnames = {time = 'a'}": "no list of texts",
        "name = 'a'\npattern = '^x'\npairs = '(?P<name>a)'": "each of its groups",
        "name = 'a'\npattern = '^x'\npairs = '(?P<name>[a)=(?P<value>b)'": "no regex",
        "name = 'a'\nkind = 'columns'\nheader = '^#x'": "each of its groups",
        "name = 'a'\nkind = 'columns'\nseparator = ''\nheader = '^(?P<names>.*)$'": "separator is empty",
        "name = 'a'\npattern = '^x'\ngoes_on = '^(a'": "unclosed",
        "name = 'a'\npattern = '^x'\n[[samples]]\nline = 3\nexpect = {}": "a sample is no line",
        "name = 'a'\npattern = '^(?P<message>.*)'\n[[samples]]\nline = 'a'\nexpect = {message = 'b'}": "expected 'b'",
    }
    for number, (text, expected) in enumerate(cases.items()):
        path = tmp_path / f"{number}.toml"
        path.write_text(text)
        with pytest.raises(FormatError, match=expected) as raised:
            load_formats([path])
        assert str(path) in str(raised.value)


def test_a_users_format_is_tried_first(tmp_path: Path) -> None:
    (tmp_path / "till.toml").write_text(
        "name = 'till'\npattern = '^TILL (?P<till>\\d+) (?P<time>\\S+ \\S+) (?P<level>[A-Z]+) (?P<message>.*)$'\n"
        "levels = {OUCH = 'error'}\ntypes = {till = 'int'}\n"
        "[[samples]]\nline = 'TILL 7 2026-11-01 10:00:00 OUCH drawer stuck'\n"
        "expect = {level = 'error', message = 'drawer stuck', 'fields.till' = 7, time = '2026-11-01T10:00:00.000000Z'}\n"
    )
    known = load_formats([tmp_path])
    assert detect(known, ["TILL 7 2026-11-01 10:00:00 OUCH drawer stuck"] * 3, name="x").formats[0].name == "till"


@pytest.mark.parametrize(
    ("source", "service"),
    [
        ("docker://web-1", "web"),
        ("k8s://shop/payments-6f6cfc45b-h5m2n/server", "payments"),
        ("ssh://jo@host/var/log/orders.log", "orders"),
        ("syslog+tcp://127.0.0.1:514", None),
        ("payments-1.log", "payments"),
        ("/var/log/payments-1.log.gz", "payments"),
        ("orders.2026-11-01.log", "orders"),
        ("a.tar.gz!logs/ts-user-service.log", "ts-user-service"),
        ("ts-user-service-687d654649-lrcwv.log", "ts-user-service"),
        ("checkoutservice-578fcf4766-9csqn.log", "checkoutservice"),
        ("nginx_access.log.1", "nginx_access"),
        ("-", None),
        ("access.log", None),
    ],
)
def test_a_files_name_tells_its_service(source: str, service: str | None) -> None:
    assert service_of(source) == service
