"""Which records a Sigma logsource means, and from which of our fields Sigma's come: data in `pipelines/`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "pipelines"
"""The shipped pipelines, tried in the order of their file names."""


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
    services: tuple[str, ...] = ()
    """Only records of these services; empty: of any."""
    present: tuple[str, ...] = ()
    """Only records that have one of these fields; empty: all."""
    fields: Mapping[str, FieldSource] = field(default_factory=dict)

    def source(self, name: str) -> FieldSource:
        """Where the Sigma field `name` comes from; one that is not mapped is ours by the same name."""
        return self.fields.get(name) or FieldSource((name,))


ANY = Pipeline("any")
"""For a logsource that no pipeline knows: all records, every field by its own name."""


def pipeline_of(logsource: Mapping[str, str | None]) -> Pipeline:
    """The first pipeline all of whose `logsource` entries the rule's has, else `ANY`.

    Args:
        logsource: `category`, `product` and `service` as the rule writes them.
    """
    for pipeline in shipped():
        if all(logsource.get(key) == wanted for key, wanted in pipeline.logsource.items()):
            return pipeline
    return ANY


@cache
def shipped() -> tuple[Pipeline, ...]:
    """The pipelines that come with logscope."""
    return tuple(
        _pipeline(entry)
        for path in sorted(FOLDER.glob("*.toml"))
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["pipeline"]
    )


def _pipeline(entry: Mapping[str, Any]) -> Pipeline:
    fields = {
        name: FieldSource(tuple(source["from"]), source.get("extract"))
        for name, source in entry.get("fields", {}).items()
    }
    return Pipeline(
        entry["name"], entry["logsource"], tuple(entry.get("services", ())), tuple(entry.get("present", ())), fields
    )
