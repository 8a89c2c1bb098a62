"""Keys as they are shown: a record's fields with the keys they feed, the filter of a pivot, the list of keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from logscope.engine.answers import FieldValue
from logscope.records import schema

if TYPE_CHECKING:
    from logscope.correlation.plan import Plan
    from logscope.engine.viewing.frames import Frames
    from logscope.records.pieces import StoreView

_CLASS_ORDER = {"strong": 0, "scoped": 1, "weak": 2, "hub": 3}
_COLUMNS = ("host", "service", "pid", "format", "source")


def field_values(
    plan: Plan | None,
    found: dict[str, str],
    values: Sequence[tuple[str, str]],
    count: Callable[[str, str], int | None],
) -> list[FieldValue]:
    """Fields of a record with the keys they feed, keys first.

    Args:
        plan: The keys, if they are known yet.
        found: Fields by name.
        values: The record's key values.
        count: How many records hold a key's value, if that is known.
    """
    rows: list[FieldValue] = []
    left = dict(found)
    for name, value in values:
        assert plan is not None
        key = plan.key(name)
        field = next((field for field in left if field in key.fields and left[field] == value), None)
        if field is not None:
            del left[field]
        rows.append(FieldValue(field or name, value, name, key.klass, count(name, value)))
    rows.sort(key=lambda entry: _CLASS_ORDER.get(entry.key_class or "", 4))
    rows.extend(FieldValue(name, value, None, None, None) for name, value in left.items())
    return rows


def pivot_filter(key: str | None, name: str, value: str) -> str:
    """The filter that finds a value under every name of its key, or anywhere if it feeds none."""
    quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if key is not None:
        return f"{schema.KEY_PREFIX}{key}={quoted}"
    if name in _COLUMNS:
        return f"{name}={quoted}"
    return quoted


def key_objects(
    plan: Plan, values_of: Callable[[str], pl.DataFrame], view: StoreView, frames: Frames
) -> list[dict[str, Any]]:
    """JSON objects of interface section 3.

    Args:
        plan: The keys.
        values_of: `row`, `code` of one key.
        view: The records.
        frames: Their columns.
    """
    objects = []
    names = {piece.binding.ref.source_id: piece.binding.ref.name for piece in view.pieces}
    for key in plan.keys:
        # While sources live there are values of newer records than the view's.
        values = values_of(key.name).filter(pl.col(schema.ROW) < view.index.height)
        rows = values.get_column(schema.ROW)
        counts = values.group_by("code").len().get_column("len")
        where = view.index.get_column("source_id")[rows].unique().sort().to_list()
        services = frames.rows_bulk(rows.unique(), view, ["service"]).get_column("service")
        entry = {
            "key": key.name,
            "class": key.klass,
            "pattern": key.pattern,
            "origin": key.origin,
            "records": rows.n_unique(),
            "values": len(counts),
            "sources": [names[source_id] for source_id in where],
            "services": services.drop_nulls().unique().sort().to_list(),
            "records_per_value_p50": int(counts.median() or 0) if len(counts) else None,  # type: ignore[arg-type]
            "records_per_value_max": counts.max(),
            "active": key.name in plan.linking,
            "grain": key.name == plan.grain,
            "parents": list(key.parents),
            "aliases": [name for name in (key.aliases or key.fields) if name != key.name],
            "why": key.why,
        }
        objects.append({name: value for name, value in entry.items() if value is not None})
    return objects
