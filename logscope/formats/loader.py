"""Format definitions from TOML: the shipped ones and the user's, all errors with file and mend.

Samples are part of a definition, but are run by `check_samples` alone (tests, `formats test`, and
for the user's own files when they are loaded): start-up stays fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from logscope.errors import FormatError, LogscopeError
from logscope.formats.assignment import FormatSet
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


@cache
def _builtin() -> tuple[Format, ...]:
    return tuple(read_format(path, samples=False) for path in sorted(BUILTIN.glob("*.toml")))
