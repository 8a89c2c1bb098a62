"""Wherever a byte stream is cut, its frames are the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.syslog.frames import FrameCutter, encode

LIMIT = 40
pieces = st.one_of(
    st.sampled_from(
        [b"<13>one\n", b"<13>two\r\n", b"<12>nul\0", b"\n", b"0 ", b"0 0 ", b"12 <34>counted", b"5 <34>short",
         b"123 bottles\n", b"99999999999999 <13>x\n", b"60 <34>1" + b"x" * 80, b"y" * 41, b"z" * 40 + b"\r\n", b"7 ",
         b"12 <3", b"4>", b"15 <165>1 tail\n", b" ", b"<", b"\r", b"0069 <"]
    ),
    st.binary(max_size=12),
    st.text(alphabet="0123456789 <>\n\0\rab", max_size=20).map(str.encode),
)  # fmt: skip


def frames_of(chunks: list[bytes]) -> list[tuple[bytes, str]]:
    cutter = FrameCutter(LIMIT)
    return [frame for chunk in chunks for frame in cutter.feed(chunk)] + cutter.close()


@settings(max_examples=100)
@given(st.lists(pieces, max_size=12), st.data())
def test_any_cutting_gives_the_same_frames(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = frames_of([stream])
    assert frames_of(chunks) == whole
    assert frames_of([stream[i : i + 1] for i in range(len(stream))]) == whole
    for message, _ in whole:
        assert 0 < len(message) <= LIMIT


messages = st.lists(st.text(min_size=1, max_size=30).map(lambda text: b"<13>" + text.encode()), max_size=8)


@settings(max_examples=60)
@given(messages)
def test_counted_messages_come_back_whole(sent: list[bytes]) -> None:
    cutter = FrameCutter()
    got = cutter.feed(b"".join(encode(message, "octet") for message in sent))
    assert got == [(message.rstrip(b"\r\n\0"), "") for message in sent]
