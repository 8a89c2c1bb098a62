"""Syslog over a byte stream: where one message ends and the next begins.

RFC 6587 knows octet counting (`LENGTH SP MESSAGE`) and a delimiter (LF, in practice NUL too), and
senders mix them. Here it is decided per frame: digits, a blank and `<` are a count, anything else
ends at LF or NUL. So `123 bottles of beer` is a line, where a count decided by digits alone
swallows it and the line after it.
"""

from __future__ import annotations

import re

MESSAGE_LIMIT = 64 * 1024
"""Bytes of a message that are kept; what is longer is cut and flagged `t`."""

COUNT_LIMIT = 16 * 1024 * 1024
"""A greater count is no count: the text is taken as a line, so that a forged one cannot swallow a connection."""

# Some senders write a frame of length zero before a good one: `0 69 <34>...`.
_COUNT = re.compile(rb"(?:0{1,10} ){0,4}(\d{1,10}) (?=<)")
_PLAIN_COUNT = re.compile(rb"(\d{1,10}) (?=<)")
_COUNT_BEGUN = re.compile(rb"(?:0{1,10} ){0,4}(?:\d{1,10} ?)?")
_COUNT_LONGEST = 56
_BLANK = re.compile(rb"[\n\0]*")
_STRAY_END = re.compile(rb"[\n\0]|(?=(?<!\d)\d{1,10} <\d{1,3}>)")
_STRAY_LONGEST = 20
_CR = 0x0D

Frame = tuple[bytes, str]
"""A message without its line end, and its flags: letters of `tp`, empty for none."""


def trim(message: bytes) -> bytes:
    """A message without the line end, NUL or CR that senders leave at its end."""
    return message.rstrip(b"\n\r\0") if message[-1:] in (b"\n", b"\r", b"\0") else message


def _line_end(buffer: bytes, at: int, stop: int) -> int:
    """The place of the first LF or NUL, -1 if there is none. Two searches for one byte each beat one for either."""
    line = buffer.find(b"\n", at, stop)
    null = buffer.find(b"\0", at, line if line >= 0 else stop)
    return null if null >= 0 else line


class FrameCutter:
    """Cuts one connection's bytes into messages; however they arrive, the frames are the same."""

    def __init__(self, limit: int = MESSAGE_LIMIT) -> None:
        """A cutter at the start of a connection.

        Args:
            limit: Bytes kept of a message.
        """
        self._limit = limit
        self._buffer = b""
        self._skip = 0
        """Bytes of a cut counted frame still to pass over."""
        self._skip_line = False
        """Passing over the rest of a cut line."""
        self._after_count = False
        """The last frame was counted, so text that begins neither frame may be the rest of a wrong count."""
        self.framing_errors = 0
        """Counts that did not fit the text after them."""

    @property
    def idle(self) -> bool:
        """Whether the next byte begins a frame and nothing is held back."""
        return not (self._buffer or self._skip or self._skip_line or self._after_count)

    @property
    def holds_line(self) -> bool:
        """Whether it waits for nothing but the delimiter of a line whose beginning it holds."""
        buffer = self._buffer
        return bool(buffer) and buffer[0] == 0x3C and not (self._skip or self._skip_line or self._after_count)

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes, empty ones left out.

        Args:
            data: The next bytes of the connection, any number.
        """
        buffer = self._buffer + data if self._buffer else data
        frames: list[Frame] = []
        at = self._counted_run(buffer, frames)
        while at < len(buffer):
            step = self._step(buffer, at, frames)
            if step is None:
                break
            at = step
        self._buffer = buffer[at:]
        return frames

    def close(self, *, clean: bool = True) -> list[Frame]:
        """What the end of the connection leaves: a line without its end is whole if the sender closed in order.

        Args:
            clean: False after a reset.

        Returns:
            At most one frame; a counted one that was cut short is flagged `p`.
        """
        rest, self._buffer = self._buffer, b""
        if not rest or self._skip_line or self._skip:
            return []
        flags = "" if clean else "p"
        count = None if self._after_count and self._stray(rest, 0) else _COUNT.match(rest)
        if count and int(count[1]) <= COUNT_LIMIT:
            rest, flags = rest[count.end() :], "p"
        if len(rest) > self._limit:
            rest, flags = rest[: self._limit], "t" + flags
        rest = trim(rest)
        return [(rest, flags)] if rest else []

    def _counted_run(self, buffer: bytes, frames: list[Frame]) -> int:
        """Whole counted frames from the start, one after the other; four times as fast as by `_step`."""
        if self._skip or self._skip_line:
            return 0
        at, size, limit = 0, len(buffer), self._limit
        begins, add = _PLAIN_COUNT.match, frames.append
        while count := begins(buffer, at):
            start = count.end()
            end = start + int(count[1])
            if end > size or end - start > limit:
                break
            message = buffer[start:end]
            if message and message[-1] <= _CR:
                message = trim(message)
            if message:
                add((message, ""))
            at = end
        if at:
            self._after_count = True
        return at

    def _step(self, buffer: bytes, at: int, frames: list[Frame]) -> int | None:
        """One frame from `at`; where the next begins, or None if more bytes are needed."""
        if self._skip:
            passed = min(self._skip, len(buffer) - at)
            self._skip -= passed
            return at + passed
        if self._skip_line:
            end = _line_end(buffer, at, len(buffer))
            self._skip_line = end < 0
            return len(buffer) if end < 0 else end + 1
        blank = _BLANK.match(buffer, at)
        if blank and blank.end() > at:
            return blank.end()
        if self._after_count and self._stray(buffer, at):
            return self._cut(buffer, at, frames, stray=True)
        count = _COUNT.match(buffer, at)
        if count is None:
            if len(buffer) - at <= _COUNT_LONGEST and _COUNT_BEGUN.fullmatch(buffer, at):
                return None
            return self._cut(buffer, at, frames)
        length = int(count[1])
        if length > COUNT_LIMIT:
            return self._cut(buffer, at, frames)
        return self._counted(buffer, count.end(), length, frames)

    @staticmethod
    def _stray(buffer: bytes, at: int) -> bool:
        """After a counted frame: text that begins neither a count nor a header."""
        return not (buffer[at] == 0x3C or 0x30 <= buffer[at] <= 0x39 or buffer[at] == 0x0D)

    def _counted(self, buffer: bytes, start: int, length: int, frames: list[Frame]) -> int | None:
        kept = min(length, self._limit)
        if len(buffer) - start < kept:
            return None
        self._after_count = True
        self._skip = length - kept
        message = trim(buffer[start : start + kept])
        if message:
            frames.append((message, "t" if self._skip else ""))
        return start + kept

    def _cut(self, buffer: bytes, at: int, frames: list[Frame], *, stray: bool = False) -> int | None:
        """A line from `at`, ended by a delimiter; a stray one also where a count begins."""
        # One byte more than limit and delimiter: a CR before the delimiter does not count.
        window = self._limit + 2
        # A count that could begin inside the window must be seen whole, else where it ends depended on the cut.
        ahead = _STRAY_LONGEST if stray else 0
        resumes = False
        if stray:
            found = _STRAY_END.search(buffer, at, at + window + ahead)
            stop = found.start() if found else -1
            resumes = found is not None and found.end() == stop
        else:
            stop = _line_end(buffer, at, at + window)
        flags = ""
        if 0 <= stop < at + window:
            following = stop if resumes else stop + 1
            if resumes:
                self.framing_errors += 1
                flags = "p"
        elif len(buffer) - at < window + ahead:
            return None
        else:
            stop = following = at + self._limit
            self._skip_line = True
            flags = "t"
        self._after_count = False
        message = trim(buffer[at:stop])
        if len(message) > self._limit:
            message, flags = message[: self._limit], "t" + flags
        if message:
            frames.append((message, flags))
        return following


def encode(message: bytes, framing: str) -> bytes:
    """A message framed for a TCP connection (RFC 6587 section 3.4).

    Args:
        message: One message; line ends inside are kept by `octet`, written `#012` (NUL `#000`) by `lf`.
        framing: `octet` or `lf`.
    """
    if framing == "octet":
        return b"%d %b" % (len(message), message)
    if b"\n" in message:
        message = message.replace(b"\n", b"#012")
    if b"\0" in message:
        message = message.replace(b"\0", b"#000")
    return message + b"\n"
