"""What a definition can say beyond a pattern: headers, pairs, names, wrappers, pieces; and how it is detected."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from logscope.errors import FormatError, LogscopeError
from logscope.formats.assignment import FormatSet
from logscope.formats.definition import with_samples
from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import SourceParser, make_parser

FORMATS = load_formats()
REFERENCE = 1_798_675_200_000_000


def parser_of(lines: list[str], formats: FormatSet = FORMATS) -> SourceParser:
    """As a file of these lines gets it."""
    return make_parser(detect(formats, lines, name="x.log"), zone="UTC", reference_us=REFERENCE, source_name="")


def read(lines: list[str], *names: str) -> list[dict[str, object]]:
    """The named columns of each line's record."""
    parser = parser_of(lines)
    raw = pl.Series(lines)
    frame = parser.columns(raw, [name for name in names if name != "time"])
    if "time" in names:
        frame = frame.with_columns(parser.index(raw)["time"].dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").alias("time"))
    return frame.to_dicts()


@pytest.mark.parametrize(
    "form", [form for form in FORMATS.formats if not form.inner_only and form.kind != "csv"], ids=lambda form: form.name
)
def test_a_file_of_its_samples_gets_the_format(form) -> None:  # type: ignore[no-untyped-def]
    lines = [line for sample in with_samples(form).samples for line in sample.line.split("\n") if line]
    assert form.name in [each.name for each in detect(FORMATS, lines * 3, name="x.log").formats]


def test_every_sample_holds_what_its_format_needs() -> None:
    for form in FORMATS.formats:
        for sample in with_samples(form).samples:
            assert not form.needs or any(each in sample.line for each in form.needs), form.name


def test_a_header_names_the_columns_in_any_order_and_a_new_header_new_ones() -> None:
    lines = [
        "#Software: Microsoft Internet Information Services 10.0",
        "#Fields: date time cs-method cs-uri-stem sc-status c-ip time-taken",
        "2026-11-01 10:00:00 GET /a 500 10.0.0.1 15",
        "#Fields: sc-status c-ip date time cs(User-Agent)",
        "404 10.0.0.2 2026-11-01 10:00:01 curl/8",
    ]
    found = read(lines, "time", "fields.status", "fields.client_ip", "fields.path", "fields.agent", "format")
    assert found[2] == {
        "fields.status": 500,
        "fields.client_ip": "10.0.0.1",
        "fields.path": "/a",
        "fields.agent": None,
        "format": "w3c",
        "time": "2026-11-01T10:00:00.000Z",
    }
    assert found[4]["fields.status"] == 404
    assert found[4]["fields.agent"] == "curl/8"
    assert found[4]["time"] == "2026-11-01T10:00:01.000Z"
    assert parser_of(lines).index(pl.Series(lines))["level"].to_list()[2:] == [5, 0, 4]


def test_zeek_with_tabs_and_empty_values() -> None:
    lines = [
        "#separator \\x09",
        "#fields\tts\tuid\tid.orig_h\tnote\tmsg",
        "#types\ttime\tstring\taddr\tstring\tstring",
        "1521911720.600725\tCpQfkTi8xytq87HW2\t10.0.0.1\t-\tscan of many ports",
    ]
    found = read(lines, "time", "fields.uid", "fields.id.orig_h", "fields.note", "message")[3]
    assert found == {
        "fields.uid": "CpQfkTi8xytq87HW2",
        "fields.id.orig_h": "10.0.0.1",
        "fields.note": None,
        "message": "scan of many ports",
        "time": "2018-03-24T17:15:20.600Z",
    }


def test_values_with_blanks_go_on_to_the_next_name() -> None:
    line = r"CEF:0|v|p|1|7|an event|9|msg=two words src=10.0.0.1 path=C:\\a\=b last=end of it"
    (found,) = read([line], "message", "fields.src", "fields.path", "fields.last", "service")
    assert found == {
        "message": "two words",
        "fields.src": "10.0.0.1",
        "fields.path": r"C:\a=b",
        "fields.last": "end of it",
        "service": "p",
    }


def test_objects_over_several_lines_are_records() -> None:
    lines = [
        "[",
        "  {",
        '    "level": "error",',
        '    "ctx": [{"a": 1},',
        "      {",
        '        "b": 2',
        "      }]",
        "  },",
    ]
    lines += ["  {", '    "level": "info"', "  }", "]"]
    parser = parser_of(lines)
    starts = parser.starts(pl.Series(lines))
    assert starts.arg_true().to_list() == [1, 8]
    records = pl.Series(["\n".join(lines[1:8]), "\n".join(lines[8:])])
    assert parser.index(records)["level"].to_list() == [5, 3]
    assert parser.columns(records, ["fields.level"])["fields.level"].to_list() == ["error", "info"]


def test_what_wrappers_hold_is_told_from_the_sample() -> None:
    mongo = '{"t":{"$date":"2020-05-01T15:16:17.180+00:00"},"s":"W","c":"NET","id":1,"ctx":"c","msg":"hello"}'
    lines = [f"2026-11-01T10:00:0{n}.5Z stdout F {mongo}" for n in range(3)]
    assert read(lines, "message", "format", "fields.stream")[0] == {
        "message": "hello",
        "format": "cri",
        "fields.stream": "stdout",
    }
    assert parser_of(lines).index(pl.Series(lines))["level"].to_list() == [4, 4, 4]
    composed = [f"db-1  | 26571:M 27 Dec 2018 11:19:18.87{n} # Server initialized" for n in range(3)]
    assert read(composed, "time", "service", "message")[0] == {
        "time": "2018-12-27T11:19:18.870Z",
        "service": "db",
        "message": "Server initialized",
    }


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def test_pieces_names_and_pairs_in_a_users_format(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "till",
        """
name = "till"
pattern = '^TILL (?P<date>[0-9-]+);(?P<time>[0-9:]+); ?(?P<message>.*)$'
pairs = '(?P<name>[a-z]+)<(?P<value>[^>]*)>'
names = {level = ["sev"], host = ["box"]}
levels = {ouch = "error"}

[[samples]]
line = "TILL 2026-11-01;10:00:00; sev<ouch> box<till 7> sku<A 1>"
[samples.expect]
time = "2026-11-01T10:00:00.000000Z"
level = "error"
host = "till 7"
"fields.sku" = "A 1"
""",
    )
    assert load_formats([path]).get("till").patterns[0].startswith("^TILL")


def test_a_bad_file_is_said_with_its_line_and_the_others_go_on(tmp_path: Path) -> None:
    write(tmp_path, "good", "name = 'good'\npattern = '^GOOD (?P<message>.*)$'\n")
    write(tmp_path, "piece", "name = 'piece'\n\npattern = '^{{nothing}}'\n")
    write(tmp_path, "level", "name = 'level'\npattern = '^x'\nlevels = {a = 'loud'}\n")
    write(tmp_path, "typed", "name = 'typed'\npattern = '^x'\norder = 'first'\n")
    write(tmp_path, "sampled", "name = 'sampled'\npattern = '^x'\n[[samples]]\nline = 'y'\nexpect = {level = 'info'}\n")
    errors: list[LogscopeError] = []
    names = [form.name for form in load_formats([tmp_path], errors).formats]
    assert "good" in names
    assert not {"piece", "level", "typed", "sampled"} & set(names)
    told = "\n".join(str(error) for error in errors)
    for part in ("piece.toml:3: ", "level.toml:3: ", "typed.toml:3: ", "sampled.toml: ", "pieces are iso", "'order'"):
        assert part in told, part
    with pytest.raises(FormatError, match="piece"):
        load_formats([tmp_path / "piece.toml"])
