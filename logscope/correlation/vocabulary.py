"""Key values as numbers: one dictionary per key, which grows and never renumbers.

Texts are Polars categories, so a value is encoded where it is found, on any thread, and its text is
there once. Over all keys there is one numbering more, the *codes*: dense, in order of first
appearance, so that what is known of a value is an array.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from logscope.correlation.growing import NONE, GrowingArray
from logscope.correlation.keys import Key
from logscope.records.renumbering import Kept
from logscope.records.saving import Saved

LOCAL = {"row": pl.UInt32, "key": pl.UInt16, "local": pl.UInt32}
"""Values numbered within their key."""

_SCOPED = r"(?s)^(\d+):(.*)$"


class _Dictionary:
    """Texts of one key; scoped ones are written as `LENGTH:SCOPEVALUE`."""

    def __init__(self, scoped: bool) -> None:
        self.scoped = scoped
        self._categories = pl.Categories.random("logscope", pl.UInt32)
        self._dtype = pl.Categorical(self._categories)
        # Polars drops the texts when no Series refers to them.
        self._held = pl.Series([], dtype=self._dtype)
        self.codes = GrowingArray(pl.UInt32, NONE)

    def encode(self, values: pl.Series, scopes: pl.Series | None) -> pl.Series:
        if self.scoped:
            scope = pl.repeat("", len(values), dtype=pl.String, eager=True) if scopes is None else scopes.fill_null("")
            told = pl.DataFrame({"value": values, "scope": scope})
            values = told.select(
                pl.concat_str(pl.col("scope").str.len_chars().cast(pl.String), pl.lit(":"), "scope", "value")
            ).to_series()
        return values.cast(self._dtype).to_physical()

    def decode(self, locals_: pl.Series) -> pl.DataFrame:
        """`value`, `scope`."""
        table = locals_.to_frame("local").select(value=pl.col("local").cat.to(self._dtype).cast(pl.String))
        if not self.scoped:
            return table.with_columns(scope=pl.lit(None, pl.String))
        length = pl.col("value").str.extract(_SCOPED, 1).cast(pl.UInt32)
        rest = pl.col("value").str.extract(_SCOPED, 2)
        return table.select(value=rest.str.slice(length), scope=rest.str.slice(0, length))

    def saved(self) -> pl.DataFrame:
        """`text` and `code` of each number in turn."""
        known = pl.int_range(0, len(self.codes), dtype=pl.UInt32, eager=True)
        return pl.DataFrame({"text": self.written(known), "code": self.codes.view()})

    def written(self, locals_: pl.Series) -> pl.Series:
        """Texts as they are kept, scope and value in one."""
        return locals_.cat.to(self._dtype).cast(pl.String)

    def restore(self, table: pl.DataFrame) -> None:
        """Number texts as another one did.

        Raises:
            ValueError: They are not in the order of their numbers.
        """
        held = table["text"].cast(self._dtype)
        if not (held.to_physical() == pl.int_range(0, table.height, dtype=pl.UInt32, eager=True)).all():
            raise ValueError("texts that stand twice, or were numbered before")
        self._held = held
        self.codes.restore(table["code"])

    def find(self, value: str) -> pl.Series:
        """Numbers of a value, in whatever scope."""
        if self.scoped:
            known = pl.int_range(0, len(self.codes), dtype=pl.UInt32, eager=True)
            return known.filter(self.decode(known)["value"] == value)
        try:
            found = [self._categories[value]]
        except KeyError:
            found = []
        return pl.Series(found, dtype=pl.UInt32)


class Vocabulary:
    """The values of a plan's keys.

    Args:
        keys: A plan's keys; a key's place is its number.
    """

    def __init__(self, keys: Sequence[Key]) -> None:
        """Empty."""
        self.keys = tuple(keys)
        self._dictionaries = [_Dictionary(key.klass == "scoped") for key in self.keys]
        self.key = GrowingArray(pl.UInt16, 0)
        """The key of each code."""
        self._local = GrowingArray(pl.UInt32, 0)

    def extend(self, keys: Sequence[Key]) -> None:
        """Take in more keys, in the places after those that are there."""
        self.keys += tuple(keys)
        self._dictionaries += [_Dictionary(key.klass == "scoped") for key in keys]

    def __len__(self) -> int:
        """Codes given so far."""
        return len(self.key)

    def locals(self, place: int, values: pl.Series, scopes: pl.Series | None = None) -> pl.Series:
        """Values of one key as numbers of that key (UInt32); may run on several threads.

        Args:
            place: The key's place.
            values: String, no nulls.
            scopes: Of a scoped key, where each value is unique.
        """
        return self._dictionaries[place].encode(values, scopes)

    def codes(self, table: pl.DataFrame) -> pl.Series:
        """Codes (UInt32) of values that are numbered within their key, new ones given in their order.

        Args:
            table: `key`, `local`.
        """
        places = table["key"].unique().sort().to_list()
        if len(places) == 1:
            return self._codes(places[0], table["local"]).rename("code")
        codes = pl.repeat(NONE, table.height, dtype=pl.UInt32, eager=True)
        for place in places:
            at = (table["key"] == place).arg_true()
            codes = codes.scatter(at, self._codes(place, table["local"].gather(at)))
        return codes.rename("code")

    def _codes(self, place: int, locals_: pl.Series) -> pl.Series:
        known = self._dictionaries[place].codes
        highest = locals_.max()
        known.resize(int(highest) + 1)  # type: ignore[arg-type]  # a UInt32 maximum is an int
        found = known.take(locals_)
        fresh = locals_.filter(found == NONE)
        if not len(fresh):
            return found
        fresh = fresh.unique(maintain_order=True)
        start = len(self)
        known.put(fresh, pl.int_range(start, start + len(fresh), dtype=pl.UInt32, eager=True))
        self.key.extend(pl.repeat(place, len(fresh), dtype=pl.UInt16, eager=True))
        self._local.extend(fresh)
        return known.take(locals_)

    def encode(self, values: pl.DataFrame) -> pl.Series:
        """Codes (UInt32) of key values as texts.

        Args:
            values: `key`, `value`, `scope`.
        """
        locals_ = pl.repeat(0, values.height, dtype=pl.UInt32, eager=True)
        for place in values["key"].unique().to_list():
            at = (values["key"] == place).arg_true()
            part = values.select("value", "scope")[at]
            locals_ = locals_.scatter(at, self.locals(place, part["value"], part["scope"]))
        return self.codes(values.select("key", locals_.alias("local")))

    def describe(self, codes: pl.Series) -> pl.DataFrame:
        """`key`, `value`, `scope` of codes, in their order."""
        key, locals_ = self.key.take(codes), self._local.take(codes)
        places = key.unique().to_list()
        if len(places) == 1:
            return pl.DataFrame({"key": key}).hstack(self._dictionaries[places[0]].decode(locals_))
        parts, where = [pl.DataFrame(schema={"value": pl.String, "scope": pl.String})], []
        for place in places:
            at = (key == place).arg_true()
            where.append(at)
            parts.append(self._dictionaries[place].decode(locals_.gather(at)))
        told = pl.concat(parts)
        if where:
            told = told[pl.concat(where).arg_sort()]
        return pl.DataFrame({"key": key}).hstack(told)

    def keep_only(self, codes: Kept) -> None:
        """Let go of all other values; texts that stay are numbered anew."""
        key, locals_ = self.key.take(codes.numbers), self._local.take(codes.numbers)
        fresh = pl.repeat(0, len(codes), dtype=pl.UInt32, eager=True)
        for place, old in enumerate(self._dictionaries):
            at = (key == place).arg_true()
            texts = old.written(locals_.gather(at))
            # Polars lets go of all texts of a dictionary together.
            new = self._dictionaries[place] = _Dictionary(old.scoped)
            new.restore(pl.DataFrame({"text": texts, "code": at}))
            fresh = fresh.scatter(at, pl.int_range(len(at), dtype=pl.UInt32, eager=True))
        self.key.restore(key)
        self._local.restore(fresh)

    def saved(self) -> Saved:
        """All values and their codes."""
        frames = {"codes": pl.DataFrame({"key": self.key.view(), "local": self._local.view()})}
        for place, dictionary in enumerate(self._dictionaries):
            frames[f"values {place}"] = dictionary.saved()
        return frames

    def restore(self, frames: Saved) -> None:
        """Know what `saved` told, and nothing else.

        Args:
            frames: Of one of the same keys.

        Raises:
            ValueError: They are no such frames.
        """
        for place, dictionary in enumerate(self._dictionaries):
            dictionary.restore(frames[f"values {place}"])
        codes = frames["codes"]
        self.key.restore(codes["key"])
        self._local.restore(codes["local"])

    def find(self, place: int, value: str) -> pl.Series:
        """Codes of a value of one key, in whatever scope; empty if none has come."""
        dictionary = self._dictionaries[place]
        found = dictionary.find(value)
        codes = dictionary.codes.take(found.filter(found < len(dictionary.codes)))
        return codes.filter(codes != NONE)

    def of_key(self, place: int) -> pl.DataFrame:
        """`code`, `value` of all values of one key."""
        known = self._dictionaries[place].codes
        locals_ = pl.int_range(0, len(known), dtype=pl.UInt32, eager=True)
        table = pl.DataFrame({"code": known.take(locals_), "value": self._dictionaries[place].decode(locals_)["value"]})
        return table.filter(pl.col("code") != NONE)
