"""The formats that are known, and those that one source is read by."""

from __future__ import annotations

from dataclasses import dataclass

from logscope.errors import FormatError
from logscope.formats.csvlayout import CsvLayout
from logscope.formats.model import Format


@dataclass(frozen=True, slots=True)
class FormatSet:
    """All formats that are known, in the order in which they are tried."""

    formats: tuple[Format, ...]

    def get(self, name: str) -> Format:
        """The format of that name.

        Raises:
            FormatError: There is none; says which there are.
        """
        for form in self.formats:
            if form.name == name:
                return form
        names = ", ".join(form.name for form in self.formats)
        raise FormatError(f"there is no format '{name}'", mend=f"known are {names}")

    def for_messages(self) -> Assignment:
        """How a listener's messages are read: either syslog, else any format, else text."""
        chosen = [form for form in self.formats if form.inside or form.kind in {"docker", "rfc5424", "rfc3164", "text"}]
        chosen = [form for form in chosen if not form.inner_only]
        chosen.sort(key=lambda form: (form.kind not in {"rfc5424", "rfc3164"}, form.kind == "text"))
        return Assignment(
            tuple(chosen),
            self,
            tuple("any message of a listener may be of any format" for _ in chosen),
            messages=True,
        )


@dataclass(frozen=True, slots=True)
class Assignment:
    """The formats of one source in the order in which they are tried; the last is always `text`."""

    formats: tuple[Format, ...]
    known: FormatSet
    """All formats, for what wrappers hold."""
    reasons: tuple[str, ...]
    """Per format, in words."""
    scores: tuple[float, ...] = ()
    """Per format the share of sample lines it was the first to match."""
    layouts: tuple[str, ...] = ()
    """strptime layouts found on the sample."""
    inner: tuple[Format, ...] | None = None
    """Formats of what this source's wrappers hold, in order, without `text`; None: those that are `inside`."""
    joined: bool = False
    """Wrappers that join do so by formats of several lines: any line of theirs that none of the inner formats matches
    continues a record."""
    goes_on: bool = False
    """The sample has lines behind which a record goes on: what begins one depends on the line before."""
    coloured: bool = False
    """Terminal colours stand in the sample's lines; lines are read without them."""
    messages: bool = False
    """Each line is a message of its own: lines are never joined."""
    table: CsvLayout | None = None
    """Of a source of separated values."""
    sample: tuple[str, ...] = ()
    """Some records of such a source."""
