from __future__ import annotations

from logscope.syslog.header import format_rfc5424, severity_of


def test_a_whole_message() -> None:
    sd = {"x@1": {"k": 'a"]\\b'}}
    made = format_rfc5424(1_700_000_000_123_456, "web-1", "pay", "7", sd, b"charge begin", 4)
    assert made == b'<132>1 2023-11-14T22:13:20.123456Z web-1 pay 7 - [x@1 k="a\\"\\]\\\\b"] charge begin'


def test_what_is_missing_is_a_dash_and_names_are_cleaned() -> None:
    assert format_rfc5424(None, None, "a b\n", "", None, "é", 6) == b"<134>1 - - ab - - - " + "é".encode()


def test_levels() -> None:
    assert [severity_of(level) for level in range(7)] == [6, 7, 7, 6, 4, 3, 2]
