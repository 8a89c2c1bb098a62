"""Format definitions from TOML: the shipped ones and the user's, all errors with file and mend.

Samples are part of a definition, but are run by `check_samples` alone (tests, `formats test`, and
for the user's own files when they are loaded): start-up stays fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from logscope.errors import FormatError, LogscopeError
from logscope.formats.csvlayout import CsvLayout
from logscope.formats.definition import BUILTIN, read_format
from logscope.formats.model import Format


def load_formats(extra: Sequence[Path] = (), errors: list[LogscopeError] | None = None) -> FormatSet:
    """The shipped formats and those of files and folders; one of the same name replaces a shipped one.

    Args:
        extra: TOML files, or folders of them.
        errors: Where to put what is wrong with a file, which is then left out; None: raise the first.

    Raises:
        FormatError: Naming file, line, format and what to mend, also where a sample disagrees.
    """
    known = FormatSet(_ordered({form.name: form for form in _builtin()}))
    if extra:
        # Only whoever has own formats pays for it.
        from logscope.formats.samples import check_samples
    for path in extra:
        for file in sorted(path.glob("*.toml")) if path.is_dir() else [path]:
            try:
                form = read_format(file)
                with_it = FormatSet(_ordered({**{each.name: each for each in known.formats}, form.name: form}))
                check_samples(with_it, [form.name])
            except FormatError as error:
                if errors is None:
                    raise
                errors.append(error)
            else:
                known = with_it
    return known


def _ordered(formats: dict[str, Format]) -> tuple[Format, ...]:
    return tuple(sorted(formats.values(), key=lambda form: (form.kind == "text", form.order, form.name)))


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

    def detect(self, sample_lines: Sequence[str], *, name: str, forced: str | None = None) -> Assignment:
        """Which formats a source's lines are read by, in order, and why: see `detect.detect`.

        Args:
            sample_lines: Lines from its beginning (and middle), some hundreds.
            name: The source, for the reasons.
            forced: A format's name that the user gave.
        """
        from logscope.formats.detect import detect

        return detect(self, sample_lines, name=name, forced=forced)

    def for_table(self, columns: Sequence[str], sample_lines: Sequence[str]) -> Assignment:
        """How the rows of a table file are read, each a JSON object with those columns."""
        from logscope.formats.detect import objects_of_table

        return objects_of_table(self, columns, sample_lines)

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


@cache
def _builtin() -> tuple[Format, ...]:
    return tuple(read_format(path, samples=False) for path in sorted(BUILTIN.glob("*.toml")))
