"""RFC 6587 per frame: the awkward streams that daemons disagree about."""

from __future__ import annotations

import pytest

from logscope.syslog.frames import COUNT_LIMIT, MESSAGE_LIMIT, FrameCutter, encode

LONG = b"<34>1 2003-10-11T22:14:15.003Z h a - - - " + b"x" * 28


def cut(*chunks: bytes, limit: int = MESSAGE_LIMIT) -> list[tuple[bytes, str]]:
    cutter = FrameCutter(limit)
    return [frame for chunk in chunks for frame in cutter.feed(chunk)] + cutter.close()


@pytest.mark.parametrize(
    ("stream", "messages"),
    [
        (b"<13>one\n<13>two\n", [b"<13>one", b"<13>two"]),
        (b"<13>one\n<13>last", [b"<13>one", b"<13>last"]),
        (b"<13>one\r\n<13>two\r\n", [b"<13>one", b"<13>two"]),
        (b"<12>m\0<12>n\0", [b"<12>m", b"<12>n"]),
        (b"\n\n<13>one\n\n\n", [b"<13>one"]),
        (b"5 <34>a6 <34>bc", [b"<34>a", b"<34>bc"]),
        (b"7 <34>a\nb5 <34>c", [b"<34>a\nb", b"<34>c"]),
        (b"5 <34>a\n5 <34>b\n", [b"<34>a", b"<34>b"]),
        (b"6 <34>a\n6 <34>b\n", [b"<34>a", b"<34>b"]),
        (b"0 5 <34>a", [b"<34>a"]),
        (b"99999999999999999999 <13>x\n<13>after\n", [b"99999999999999999999 <13>x", b"<13>after"]),
        (b"0" * 1000 + b"200000 <13>x\n<13>after\n", [b"0" * 1000 + b"200000 <13>x", b"<13>after"]),
        (b"%d <13>x\n<13>after\n" % (COUNT_LIMIT + 1), [b"%d <13>x" % (COUNT_LIMIT + 1), b"<13>after"]),
        (b"<13>line\n5 <34>a<13>line\n", [b"<13>line", b"<34>a", b"<13>line"]),
        (b"123 bottles of beer\n<13>next\n", [b"123 bottles of beer", b"<13>next"]),
        (b"<13>caf\xc3\xa9\n", [b"<13>caf\xc3\xa9"]),
        (b"<13>a\x0bb\x0cc\x1cd\xc2\x85e\xe2\x80\xa8f\rg\n", [b"<13>a\x0bb\x0cc\x1cd\xc2\x85e\xe2\x80\xa8f\rg"]),
    ],
)
def test_messages(stream: bytes, messages: list[bytes]) -> None:
    assert cut(stream) == [(message, "") for message in messages]
    assert cut(*[stream[at : at + 1] for at in range(len(stream))]) == [(message, "") for message in messages]


def test_a_counted_frame_cut_by_close_is_kept_and_flagged() -> None:
    assert cut(b"500 " + LONG) == [(LONG, "p")]


def test_an_oversize_counted_frame_is_cut_and_the_next_is_intact() -> None:
    stream = b"100000 <34>" + b"x" * 99_996 + b"5 <34>a"
    assert cut(stream) == [(b"<34>" + b"x" * (MESSAGE_LIMIT - 4), "t"), (b"<34>a", "")]


def test_a_count_that_is_too_small_resynchronises() -> None:
    cutter = FrameCutter()
    frames = cutter.feed(b"10 <34>1 2003-10-11 rest of it 5 <34>a5 <34>b")
    assert frames == [(b"<34>1 2003", ""), (b"-10-11 rest of it ", "p"), (b"<34>a", ""), (b"<34>b", "")]
    assert cutter.framing_errors == 1


def test_the_rest_of_a_cut_line_is_no_count() -> None:
    stream = b"y" * 20 + b"9876543210 <13>z\n<13>next\n"
    assert cut(stream, limit=20) == [(b"y" * 20, "t"), (b"<13>next", "")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\0"])
def test_the_limit_is_exact(end: bytes) -> None:
    for length, flags in ((19, ""), (20, ""), (21, "t")):
        assert cut(b"y" * length + end + b"<13>n\n", limit=20) == [(b"y" * min(length, 20), flags), (b"<13>n", "")]


def test_a_reset_flags_the_last_line() -> None:
    cutter = FrameCutter()
    cutter.feed(b"<13>half")
    assert cutter.close(clean=False) == [(b"<13>half", "p")]


def test_encode() -> None:
    assert encode(b"<13>a\nb", "octet") == b"7 <13>a\nb"
    assert encode(b"<13>a\nb\0", "lf") == b"<13>a#012b#000\n"
