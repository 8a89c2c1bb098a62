"""Filters on transactions: their own columns, and `has`, `count`, `first`, `last` over their records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from logscope.errors import FilterError
from logscope.language.filter import Aggregate, And, Expression, FieldTerm, HasField, Regex, Word, parse_filter, to_text
from logscope.query import text as texts
from logscope.query.columns import Scope
from logscope.query.comparison import ORDER, build, check
from logscope.query.filters import Filter, aggregates_of, make_scope, select, terms_of
from logscope.query.plan import constant, evaluate
from logscope.query.relaxing import relaxed
from logscope.records.schema import KEY_PREFIX

_SEARCHED = ("first", "last", "services")
"""What a bare word on a transaction looks through, besides key values."""

_PATH_STEP = " → "


class TransactionFilter:
    """A compiled filter on transactions.

    Attributes:
        text: The filter as written.
        record_filters: What must be found among the records, each once.
        hit_columns: Per record filter the record columns that `first(...)` and `last(...)` ask for.
        columns: Columns of the transaction frame it uses.
        searches: Whether it looks through key values whatever their key, beside `columns`.
    """

    def __init__(self, text: str, expression: Expression, scope: Scope, records: Scope) -> None:
        """See the class; made by the compile function."""
        self.text = text
        self.expression = expression
        self._scope = scope
        self._records = records
        filters: dict[Expression, Filter] = {}
        asked: dict[Expression, set[str]] = {}
        for aggregate in aggregates_of(expression):
            inner = aggregate.inner
            if inner not in filters:
                filters[inner] = compile_inner(inner, records)
            wanted = asked.setdefault(inner, set())
            if aggregate.kind in ("first", "last") and aggregate.test is not None:
                check(aggregate.test, records)
                wanted.add(records.column(str(aggregate.test.field)))
        self._places = {inner: place for place, inner in enumerate(filters)}
        self.record_filters: tuple[Filter, ...] = tuple(filters.values())
        self.hit_columns: tuple[frozenset[str], ...] = tuple(frozenset(each) for each in asked.values())
        names: set[str] = set()
        self.searches = False
        fields: dict[str, int] = {}
        for term in terms_of(expression):
            if isinstance(term, Word) or term.field is None:
                names.update(_SEARCHED)
                self.searches = True
                continue
            check(term, scope)
            fields.setdefault(term.field, term.column)
            names.add({"duration_ms": "duration", "path": "services"}.get(term.field, scope.column(term.field)))
        self.columns: frozenset[str] = frozenset(names)
        self.field_terms: tuple[tuple[str, int], ...] = tuple(fields.items())

    def __repr__(self) -> str:
        return f"TransactionFilter({self.text!r})"

    @property
    def needs(self) -> frozenset[str] | None:
        """Columns of the transaction frame that `mask` reads, by all their names; None: any of them."""
        return None if self.searches else self.columns | {name for name, _ in self.field_terms}

    def mask(self, transactions: pl.DataFrame, hits: Sequence[pl.DataFrame] = ()) -> pl.Series:
        """Which transactions match: Boolean, never null, in the frame's order.

        Args:
            transactions: Columns of `schema.TRANSACTIONS`, `keys.NAME`, `rules`; a missing one is
                all null. `number` must be there where `record_filters` is not empty.
            hits: Per record filter one row per (transaction, matching record), in record order:
                `number`, `row`, `time` and `hit_columns`.

        Raises:
            FilterError: Numbers of no known unit are compared with a duration or size.
            ValueError: `hits` does not fit `record_filters`.
        """
        return self._evaluated(self.expression, transactions, hits).alias("mask")

    def failures(self, transactions: pl.DataFrame, hits: Sequence[pl.DataFrame] = ()) -> dict[str, pl.Series]:
        """What side by side must hold, as written, and of which transactions it does not.

        Args:
            transactions: As for `mask`.
            hits: As for `mask`.
        """
        return {to_text(part): ~self._evaluated(part, transactions, hits) for part in self._parts()}

    def _parts(self) -> tuple[Expression, ...]:
        return self.expression.items if isinstance(self.expression, And) else (self.expression,)

    def nearly(
        self, transactions: pl.DataFrame, hits: Sequence[pl.DataFrame] = (), *, share: float
    ) -> dict[str, tuple[pl.Series, pl.Series]]:
        """Of what compares a number: where it holds with its bound let down, and what the number is.

        Args:
            transactions: As for `mask`.
            hits: As for `mask`.
            share: Of each bound, by which it is let down.
        """
        found = {}
        for part in self._parts():
            if (loose := relaxed(part, share)) is None:
                continue
            if isinstance(part, Aggregate):
                value: pl.Series | None = self._counts(transactions, hits[self._places[part.inner]])
            else:
                column = self._scope.column(str(part.field)) if isinstance(part, FieldTerm) else ""
                frame = frame_of(transactions)
                value = frame.get_column(column) if column in frame.columns else None
            if value is not None:
                found[to_text(part)] = self._evaluated(loose, transactions, hits), value
        return found

    def _evaluated(self, expression: Expression, transactions: pl.DataFrame, hits: Sequence[pl.DataFrame]) -> pl.Series:
        if len(hits) != len(self.record_filters):
            raise ValueError(f"{len(self.record_filters)} record filters, {len(hits)} frames of hits")

        def leaf(expression: Expression, frame: pl.DataFrame) -> pl.Series:
            if isinstance(expression, Aggregate):
                return self._aggregate(expression, frame, hits[self._places[expression.inner]])
            if isinstance(expression, Word | Regex | FieldTerm | HasField):
                return self._term(expression, frame)
            return constant(False, frame.height)

        return evaluate(expression, frame_of(transactions), self._scope, leaf)

    def _term(self, term: Word | Regex | FieldTerm | HasField, frame: pl.DataFrame) -> pl.Series:
        if isinstance(term, Word) or term.field is None:
            return _search(term, frame)
        column = self._scope.column(term.field)
        if column not in frame.schema:
            return constant(False, frame.height)
        built = build(term, pl.col(column), column, frame.schema[column], self._scope)
        return select(frame, built.fill_null(False), term)

    @staticmethod
    def _counts(frame: pl.DataFrame, hits: pl.DataFrame) -> pl.Series:
        counts = hits.group_by("number").agg(pl.len().alias("count"))
        found = frame.select("number").join(counts, on="number", how="left", maintain_order="left")
        return found.get_column("count").fill_null(0)

    def _aggregate(self, aggregate: Aggregate, frame: pl.DataFrame, hits: pl.DataFrame) -> pl.Series:
        numbers = hits.get_column("number")
        test = aggregate.test
        if test is None:
            return frame.get_column("number").is_in(numbers.unique().implode())
        if aggregate.kind == "count":
            return _compare_count(test, self._counts(frame, hits))
        column = self._records.column(str(test.field))
        if column not in hits.schema:
            return constant(False, frame.height)
        one = hits.unique("number", keep="first" if aggregate.kind == "first" else "last", maintain_order=True)
        built = build(test, pl.col(column), column, one.schema[column], self._records).fill_null(False)
        mask = select(one, built, test)
        return frame.get_column("number").is_in(one.get_column("number").filter(mask).implode())


def compile_inner(inner: Expression, records: Scope) -> Filter:
    """The record filter within `has(...)` and its like.

    Raises:
        FilterError: It does not compile, or holds `has(...)` itself.
    """
    for nested in aggregates_of(inner):
        raise FilterError(f"{nested.kind}(...) within another", column=nested.column, mend="combine them side by side")
    for term in terms_of(inner):
        if not isinstance(term, Word):
            check(term, records)
    return Filter(to_text(inner), inner, records)


def frame_of(transactions: pl.DataFrame) -> pl.DataFrame:
    """The transaction frame with the columns that only JSON has: `duration_ms` and `path`."""
    more = []
    if "duration" in transactions.schema and "duration_ms" not in transactions.schema:
        more.append((pl.col("duration").dt.total_microseconds() / 1000).alias("duration_ms"))
    if "services" in transactions.schema and "path" not in transactions.schema:
        more.append(pl.col("services").list.join(_PATH_STEP).alias("path"))
    return transactions.with_columns(more) if more else transactions


def _search(term: Word | Regex | FieldTerm | HasField, frame: pl.DataFrame) -> pl.Series:
    scope = ("first", "last") if isinstance(term, Word) and term.scope == "message" else _SEARCHED
    names = [name for name in frame.columns if name in scope or (scope == _SEARCHED and name.startswith(KEY_PREFIX))]
    masks = []
    for name in names:
        dtype = frame.schema[name]
        listed = isinstance(dtype, pl.List)
        element = pl.element() if listed else pl.col(name)
        if isinstance(term, Word):
            found = texts.contains(element, term.text)
        elif isinstance(term, Regex):
            found = texts.matches_regex(element, term.pattern, cased=term.cased)
        else:
            continue
        if listed:
            found = pl.col(name).list.eval(found.fill_null(False)).list.any()
        masks.append(found.fill_null(False))
    if not masks:
        return constant(False, frame.height)
    return frame.select(pl.any_horizontal(masks).alias("mask")).to_series()


def _compare_count(test: FieldTerm | Regex | HasField, counts: pl.Series) -> pl.Series:
    if not isinstance(test, FieldTerm):
        raise FilterError("count(...) needs a comparison", column=test.column)
    wanted = int(test.values[0].text)
    mask: pl.Series = counts != wanted if test.op == "!=" else ORDER[test.op](counts, wanted)
    return mask


def compile_transaction_filter(
    text: str | Expression, *, now_us: int | None = None, units: Mapping[str, str] | None = None, zone: str = "UTC"
) -> TransactionFilter:
    """A filter on transactions, ready to be run.

    Args:
        text: The filter language, or what it was parsed to.
        now_us: What `start>-15m` counts from, microseconds since 1970 UTC; default this moment.
        units: Unit by record field's name, as formats declare them.
        zone: Zone of times that name none.

    Raises:
        FilterError: With the 1-based column where it does not compile.
    """
    expression = parse_filter(text) if isinstance(text, str) else text
    scope = make_scope(now_us, zone, units, transactions=True)
    records = make_scope(scope.now_us, zone, units)
    return TransactionFilter(text if isinstance(text, str) else to_text(text), expression, scope, records)
