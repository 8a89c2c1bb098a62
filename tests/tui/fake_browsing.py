"""The part of the small Investigation that panels and columns use."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from logscope.engine.answers import View
from logscope.engine.api import Cancel
from logscope.engine.browsing import Facet, FieldShare, Numbers
from logscope.query.sql import run_sql
from logscope.query.sql_origin import Origin, origin_of
from logscope.records.severity import LEVELS


class FakeBrowsing:
    """Everything from `records` and `frame`."""

    records: list[dict[str, Any]]
    frame: pl.DataFrame
    extra: list[str]
    generation: int
    hidden: Sequence[str] = ()

    def _wait(self, cancel: Cancel) -> None:
        raise NotImplementedError

    def _value(self, row: int, name: str) -> str | None:
        one = self.records[row]
        if name == "level":
            return LEVELS[one["level"] - 1]
        if name in ("service", "host"):
            return str(one[name])
        if name == "source":
            return f"logs/{one['service']}-1.log"
        found = re.search(rf"(?<!\w){re.escape(name)}=(\S+)", one["message"])
        return found[1] if found else None

    def _shown(self, rows: pl.Series) -> pl.Series:
        if not self.hidden:
            return rows
        off = {name.rsplit("/", 1)[-1] for name in self.hidden}
        kept = [row for row in rows if str(self._value(row, "source")).rsplit("/", 1)[-1] not in off]
        return pl.Series(kept, dtype=pl.UInt32)

    def facet(self, view: View, name: str, *, cancel: Cancel, partial: Callable[[Facet], None] | None = None) -> Facet:
        self._wait(cancel)
        values = [self._value(row, name) for row in view.rows]
        counts = Counter(value for value in values if value is not None)
        top = tuple(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
        numbers = None
        if top and all(re.fullmatch(r"[\d.]+", value) for value, _ in top):
            told = sorted(float(value) for value in values if value)
            numbers = Numbers(told[0], told[len(told) // 2], told[len(told) * 95 // 100], told[-1])
        return Facet(name, top, len(top), sum(counts.values()), len(values), numbers, complete=True)

    def field_names(self, view: View, *, cancel: Cancel) -> Sequence[FieldShare]:
        names = ["service", "level", "host", "source", "order_id", "req", "amount", "code", *self.extra]
        return [
            FieldShare(name, 1.0, next((v for row in view.rows if (v := self._value(row, name))), name))
            for name in names
        ]

    def value_filter(self, name: str, value: str) -> str:
        return f"level>={value}" if name == "level" else f"{name}:{value}"

    def sql_origin(self, text: str) -> Origin:
        return origin_of(text)

    def cells(self, rows: Sequence[int], names: Sequence[str]) -> dict[int, tuple[str, ...]]:
        return {
            row: tuple(self._value(row, name) or (name if name in self.extra else "") for name in names) for row in rows
        }

    def with_context(self, view: View, around: int) -> View:
        hits = set(view.rows)
        near = sorted(
            {at for row in hits for at in range(row - around, row + around + 1) if 0 <= at < len(self.records)}
        )
        mask = pl.Series([row not in hits for row in near], dtype=pl.Boolean)
        return View(pl.Series(near, dtype=pl.UInt32), view.filter, view.generation, context=mask)

    def located(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
        return {place: place[1] - 1 for place in places if self._value(place[1] - 1, "source") == place[0]}

    def fingerprint(self) -> str:
        return "fake"

    def hide_sources(self, names: Sequence[str]) -> None:
        self.hidden = tuple(names)

    def format_names(self) -> Sequence[str]:
        return ["logfmt", "plain", *self.extra]

    def sql(self, text: str, *, cancel: Cancel) -> pl.DataFrame:
        self._wait(cancel)
        rows = range(len(self.records))
        names = ("level", "service", "host", "source")
        table = pl.DataFrame({name: [self._value(row, name) for row in rows] for name in names})
        more = {"line": [row + 1 for row in rows], "message": [one["message"] for one in self.records]}
        return run_sql(text, {"records": table.with_columns(**{k: pl.Series(v) for k, v in more.items()}).lazy()})
