"""More text than memory allows: what is resident while it is indexed, ordered and filtered within `--memory`."""

from __future__ import annotations

from collections.abc import Iterator

from tests.perf.commands import files_of
from tests.perf.measuring import Figure, Settings, as_bytes, as_seconds, job

_PARTS = (
    ("index", "index"),
    ("order", "all records in order"),
    ("level", "filter on the level"),
    ("literal", "literal filter"),
    ("regex", "regex filter"),
    ("most", "filter that most records match"),
)


def big(settings: Settings) -> Iterator[Figure]:
    """One session over all files with `--memory`."""
    files = files_of(settings)
    asked = {"literal": f'"{settings.literal}"', "regex": f"/{settings.regex}/", "level": "level>=warn"}
    asked["most"] = f'not "{settings.literal}"'
    _, found = job("within", files=files.arguments, memory=settings.memory, filters=asked)
    for name, words in _PARTS:
        yield Figure(
            f"{words}, {as_bytes(files.size)} within --memory {as_bytes(settings.memory)}",
            "logscope",
            as_seconds(found[name]),
            f"{found[name + '_cpu']:.1f} s",
            as_bytes(found[name + "_resident"]),
            as_bytes(settings.memory),
            f"{as_bytes(found[name + '_own'])} of it no mapped files; {found[name + '_hits'] / 1e6:.2f} M records",
        )
