"""Which records a Sigma logsource means, and from which of our fields Sigma's come: data in TOML files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from logscope.datafile import parse_toml, read_small
from logscope.errors import RuleError
from logscope.paths import config_folder

FOLDER = Path(__file__).parent / "pipelines"
"""The shipped pipelines, tried in the order of their file names."""

_PARTS = ("category", "product", "service")
_KEYS = ("name", "logsource", "exact", "services", "formats", "present", "fields")


@dataclass(frozen=True, slots=True)
class FieldSource:
    """Where a Sigma field's value comes from."""

    names: tuple[str, ...]
    """Our names, the first that has a value wins."""
    extract: str | None = None
    """A Rust regex whose first group is the value."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A logsource's records and fields."""

    name: str
    logsource: Mapping[str, str] = field(default_factory=dict)
    exact: bool = False
    """Only for rules whose logsource says nothing else."""
    services: tuple[str, ...] = ()
    """Only records of these services; empty: of any."""
    formats: tuple[str, ...] = ()
    """Only records of these formats; empty: of any."""
    present: tuple[str, ...] = ()
    """Only records that have one of these fields; empty: all."""
    fields: Mapping[str, FieldSource] = field(default_factory=dict)
    known: bool = True
    """False: of a logsource that no pipeline maps; no record takes part."""

    def source(self, name: str) -> FieldSource:
        """Where the Sigma field `name` comes from; one that is not mapped is ours by the same name."""
        return self.fields.get(name) or FieldSource((name,))

    def takes(self, logsource: Mapping[str, str | None]) -> bool:
        """Whether it is the one for a rule's logsource."""
        said = {name: value for name in _PARTS if (value := logsource.get(name)) is not None}
        return dict(self.logsource) == said if self.exact else self.logsource.items() <= said.items()


NOTHING = Pipeline("none", known=False)
"""For a logsource that no pipeline maps: its rules would else fire on records of quite other things."""


def pipeline_of(logsource: Mapping[str, str | None]) -> Pipeline:
    """The first pipeline that takes a logsource, the user's before the shipped ones; else `NOTHING`.

    Args:
        logsource: `category`, `product` and `service` as the rule writes them.

    Raises:
        RuleError: A file of the user's is not a pipeline.
    """
    return next((pipeline for pipeline in in_force() if pipeline.takes(logsource)), NOTHING)


def user_folder() -> Path:
    """Where the user's pipelines are."""
    return config_folder() / "pipelines"


def in_force() -> tuple[Pipeline, ...]:
    """The user's pipelines and the shipped ones, in the order in which they are tried.

    Raises:
        RuleError: A file of the user's is not a pipeline.
    """
    own = _own_files()
    return (*(each for path in own for each in _read(path, path.stat().st_mtime_ns)[0]), *shipped())


def placeholders() -> dict[str, list[str]]:
    """The values that `expand` puts in the place of a name, as the user's files list them; the first file wins.

    Raises:
        RuleError: A file of the user's is not a pipeline.
    """
    found: dict[str, list[str]] = {}
    for path in _own_files():
        found = {**_read(path, path.stat().st_mtime_ns)[1], **found}
    return found


def _own_files() -> list[Path]:
    folders = (user_folder(), Path(".logscope/pipelines"))
    return [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.toml"))]


@cache
def shipped() -> tuple[Pipeline, ...]:
    """The pipelines that come with logscope."""
    return tuple(each for path in sorted(FOLDER.glob("*.toml")) for each in _read(path, 0)[0])


@cache
def _read(path: Path, changed: int) -> tuple[tuple[Pipeline, ...], dict[str, list[str]]]:
    """Pipelines and placeholders of a file, read again when it has `changed`."""
    try:
        table = parse_toml(read_small(path))
        values = {name: _texts(name, each) for name, each in table.get("placeholders", {}).items()}
        return tuple(_pipeline(entry) for entry in table.get("pipeline", [])), values
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        words = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise RuleError(
            f"not a pipeline: {words}",
            str(path),
            mend="write [[pipeline]] with name, logsource and fields as docs/rules.md shows",
        ) from None


def _texts(name: str, values: object) -> list[str]:
    if not isinstance(values, list) or not values or not all(isinstance(each, str | int) for each in values):
        raise ValueError(f"placeholders: {name} is not a list of values")
    return [str(each) for each in values]


def _pipeline(entry: Mapping[str, Any]) -> Pipeline:
    for name in entry:
        if name not in _KEYS:
            raise ValueError(f"there is no key {name}, keys are {', '.join(_KEYS)}")
    for name in entry["logsource"]:
        if name not in _PARTS:
            raise ValueError(f"logsource has no {name}, only {', '.join(_PARTS)}")
    fields = {
        name: FieldSource(tuple(source["from"]), source.get("extract"))
        for name, source in entry.get("fields", {}).items()
    }
    return Pipeline(
        entry["name"],
        entry["logsource"],
        bool(entry.get("exact", False)),
        tuple(entry.get("services", ())),
        tuple(entry.get("formats", ())),
        tuple(entry.get("present", ())),
        fields,
    )
