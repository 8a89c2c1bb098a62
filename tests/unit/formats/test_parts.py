"""What the values of fields are made of: further fields, in columns and in the list of all fields alike."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from logscope.errors import FormatError
from logscope.formats.assignment import FormatSet
from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import make_parser

GATE = r"""
name = "gate"
pattern = '^GATE (?P<peer>[^ ]+) (?P<message>.*)$'
[parts]
peer = '^(?P<client_ip>[0-9.]+):(?P<client_port>[0-9]+)$'
account = ['^[^\\]+\\(?P<user>.+)$', '^(?P<user>[^@]+)@(?P<realm>.+)$']
message = '^(?P<verb>[a-z]+) by '
"""


def formats(folder: Path, definition: str) -> FormatSet:
    """The shipped formats and one more."""
    path = folder / "own.toml"
    path.write_text(definition)
    return load_formats([path])


def fields(known: FormatSet, line: str) -> dict[str, object]:
    """All fields of a record, each of which its column gives too."""
    parser = make_parser(detect(known, line.split("\n"), name="x"), zone="UTC", reference_us=0, source_name="")
    raw = pl.Series([line])
    found = {pair["name"]: pair["value"] for pair in parser.fields(raw)[0]}
    columns = parser.columns(raw, [f"fields.{name}" for name in found]).to_dicts()[0]
    assert {name.removeprefix("fields."): str(value) for name, value in columns.items()} == found
    return found


def test_groups_pairs_and_the_message_hold_further_fields(tmp_path: Path) -> None:
    known = formats(tmp_path, GATE)
    found = fields(known, r"GATE 10.0.0.7:51234 opened by account='SHOP\\jo'")
    assert (found["client_ip"], found["client_port"], found["user"]) == ("10.0.0.7", "51234", "jo")
    assert found["verb"] == "opened"
    assert found["peer"] == "10.0.0.7:51234"


def test_what_the_record_says_itself_wins_then_the_first_part(tmp_path: Path) -> None:
    known = formats(tmp_path, GATE)
    assert fields(known, "GATE - closed by account=jo@shop user=al") == {
        "account": "jo@shop",
        "user": "al",
        "realm": "shop",
        "verb": "closed",
    }
    assert "client_ip" not in fields(known, "GATE pc-7 closed by nobody")


@pytest.mark.parametrize("indent", [None, 2])
def test_objects_of_a_product_in_one_line_and_over_several(indent: int | None) -> None:
    event = {"rflId": 1, "eventName": "Alert", "time": "2026-11-01T10:00:01Z", "username": r"SHOP\jo", "pid": 7}
    text = json.dumps(event | {"path": r"C:\a b\cmd.exe", "hostname__": "pc-1"}, indent=indent)
    known = load_formats()
    found = fields(known, text)
    assert (found["user"], found["process_name"], found["pid"]) == ("jo", "cmd.exe", "7")
    parser = make_parser(detect(known, text.split("\n"), name="x"), zone="UTC", reference_us=0, source_name="")
    assert parser.columns(pl.Series([text]), ["host", "pid"]).row(0) == ("pc-1", "7")


def test_a_column_may_come_from_a_part(tmp_path: Path) -> None:
    logfmt = r"""
name = "jobs"
kind = "logfmt"
order = 1
[names]
time = ["at"]
pid = ["job_number"]
[parts]
job = '^(?P<job_number>[0-9]+)/'
"""
    known = formats(tmp_path, logfmt)
    line = "at=2026-11-01T10:00:00Z job=722506/QSYS state=ok"
    parser = make_parser(detect(known, [line] * 3, name="x"), zone="UTC", reference_us=0, source_name="")
    assert parser.columns(pl.Series([line, line]), ["pid"])["pid"].to_list() == ["722506"] * 2
    assert fields(known, line)["job_number"] == "722506"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ("peer = '^[0-9]+$'", "no group"),
        ("peer = '(?P<a>.)(?P<a>.)'", "one twice"),
        ("peer = '(?P<a>['", "no regex"),
        ("peer = 7", "neither a text nor a list"),
        ("peer = [7]", "neither a text nor a list"),
        ("peer = '(?P<a>{{nonsense}})'", "no piece"),
    ],
)
def test_what_is_wrong_with_parts_is_said(tmp_path: Path, parts: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        formats(tmp_path, f"name = 'gate'\npattern = '^GATE (?P<peer>.*)$'\n[parts]\n{parts}\n")
