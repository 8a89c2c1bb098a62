"""Messages to spool lines, in bulk where nothing has to be looked at one by one."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from logscope.syslog.frames import MESSAGE_LIMIT, Frame

LOCAL = "local"
"""The peer of what came by a Unix socket."""

_MAYBE_COUNT = re.compile(rb"\n\d+ ")
_MAYBE_COUNT_FIRST = re.compile(rb"\d+ ")
_WINDOW = MESSAGE_LIMIT // 2


def stamp(peer: str) -> bytes:
    """The first two columns of a spool line: now, and who sent it."""
    return b"%016d %b " % (time.time_ns() // 1000, peer.encode())


def peer_of(address: object) -> str:
    """A peer's address without its port; an IPv4 one that came over IPv6 in its own spelling."""
    host = address[0] if isinstance(address, tuple) and address else ""
    return str(host).removeprefix("::ffff:").replace(" ", "") or "-"


def spool_line(prefix: bytes, message: bytes, flags: str) -> bytes:
    """One line, escaped if the message holds a line end.

    Args:
        prefix: From `stamp`.
        message: Not empty.
        flags: The frame's.
    """
    if b"\n" in message:
        message = message.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
        flags = "e" + flags
    return b"%b%b %b\n" % (prefix, flags.encode() or b"-", message)


def spool_lines(prefix: bytes, frames: Sequence[Frame]) -> bytes:
    """The lines of many frames of one peer."""
    plain = prefix + b"- "
    if not "".join([flags for _, flags in frames]):
        lines = plain + (b"\n" + plain).join([message for message, _ in frames]) + b"\n"
        if lines.count(b"\n") == len(frames):
            return lines
    return b"".join(
        [
            b"%b%b\n" % (plain, message) if not flags and b"\n" not in message else spool_line(prefix, message, flags)
            for message, flags in frames
        ]
    )


def is_plain(lines: bytes) -> bool:
    """Whether whole lines may go to the spool in bulk: no count, NUL, CR or blank line, none beyond the limit.

    Args:
        lines: Ends with LF, begins where a frame begins.
    """
    if b"\0" in lines or b"\r" in lines or b"\n\n" in lines or lines[0] == 0x0A:
        return False
    # Almost every sender begins with `<`: counting those is faster than looking for digits.
    if (lines[0] != 0x3C or lines.count(b"\n<") + 1 != lines.count(b"\n")) and (
        _MAYBE_COUNT_FIRST.match(lines) or _MAYBE_COUNT.search(lines)
    ):
        return False
    # A line beyond the limit covers a whole window of half the limit.
    return all(lines.find(b"\n", at, at + _WINDOW) >= 0 for at in range(0, len(lines) - _WINDOW, _WINDOW))


def bulk(prefix: bytes, lines: bytes) -> bytes:
    """Spool lines of what `is_plain` accepted."""
    plain = prefix + b"- "
    return plain + lines[:-1].replace(b"\n", b"\n" + plain) + b"\n"
