"""Corrections of the plan: their effect before they are applied, applying and taking back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from logscope.correlation import amend
from logscope.correlation.extract import columns_needed, extract
from logscope.correlation.linker import Linker
from logscope.correlation.plan import Plan
from logscope.engine.answers import Effect, PlanChange
from logscope.engine.viewing.sampling import sample_rows
from logscope.errors import PlanError, UsageError
from logscope.records import schema
from logscope.text import clean

if TYPE_CHECKING:
    from logscope.engine.api import Cancel
    from logscope.engine.session import Session

_SAMPLE = 200_000
_EXAMPLES = 3


def changed(plan: Plan, change: PlanChange, found: Plan) -> Plan:
    """The plan with a change.

    Args:
        plan: As it is.
        change: What is to be another.
        found: The first plan, whose grain is `auto`.

    Raises:
        PlanError: It names what is not there.
    """
    for name, klass in change.classes:
        plan = amend.with_class(plan, name, klass)
    for name, active in change.active:
        plan = amend.with_active(plan, name, active=active)
    for name, other in change.join:
        plan = amend.joined(plan, name, other)
    for name, field in change.split:
        plan = amend.split(plan, name, field)
    for name, value in change.hubs:
        plan = amend.with_hub(plan, name, value)
    if change.grain == "auto":
        return plan.with_grain(found.grain, found.grain_why)
    if change.grain is not None:
        return plan.with_grain(None if change.grain == "none" else change.grain)
    return plan


class Replanning:
    """Changes of a session's plan.

    Args:
        session: With records.
    """

    def __init__(self, session: Session) -> None:
        """Nothing is changed yet."""
        self._session = session
        self._done: list[tuple[PlanChange, Plan]] = []
        self._found: Plan | None = None

    def _plan(self, cancel: Cancel) -> Plan:
        self._session.prepare_keys(cancel=cancel)
        plan = self._session.correlating.plan
        if plan is None:
            raise PlanError("there are no records yet to find keys in", mend="wait until some have come")
        if self._found is None or self._session.renewing.provisional:
            self._found = plan
        return plan

    def changes(self) -> tuple[PlanChange, ...]:
        """What was changed, oldest first."""
        return tuple(change for change, _ in self._done)

    def apply(self, change: PlanChange, cancel: Cancel) -> None:
        """Change the plan; transactions are made anew when next asked for.

        Raises:
            PlanError: It names what is not there.
        """
        plan = self._plan(cancel)
        self._session.use_plan(changed(plan, change, self._found or plan))
        self._done.append((change, plan))

    def undo(self) -> bool:
        """Take the last change back; False if there is none."""
        if not self._done:
            return False
        _, plan = self._done.pop()
        self._session.use_plan(plan)
        return True

    def save(self, path: Path) -> None:
        """Write the plan to a file for `--plan`.

        Raises:
            UsageError: It cannot be written.
        """
        try:
            path.write_text(self._session.plan_text(), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write: {error.strerror}", str(path), mend="choose another file") from error

    def effect(self, change: PlanChange, cancel: Cancel) -> Effect:
        """What a change would make of the transactions, on a sample where there are many records.

        Raises:
            PlanError: It names what is not there.
        """
        session = self._session
        plan = self._plan(cancel)
        new = changed(plan, change, self._found or plan)
        view = session.store.view
        every = session.selection.rows_inside(session.store.ordered(view), view)
        rows = sample_rows(every, _SAMPLE)
        sampled = len(rows) < len(every)
        columns = columns_needed(plan, plan.linking) | columns_needed(new, new.linking)
        frame = session.frames.rows_bulk(rows, view, (columns | {"time", "source_id", "line"}) - {schema.ROW})
        cancel.check()
        before = linked(frame, plan)
        cancel.check()
        after = linked(frame, new)
        now = session.correlating.count
        was = before.members.get_column("transaction").n_unique()
        count = after.members.get_column("transaction").n_unique()
        if sampled and now and was:
            # Of the whole it is the share that counts: a sample has fewer of all.
            count, was = round(count * now / was), now
        sizes = after.sizes()
        return Effect(
            transactions=count,
            before=was,
            median=int(sizes.get_column("len").median() or 0),  # type: ignore[arg-type]
            largest=int(sizes.get_column("len").max() or 0),  # type: ignore[arg-type]
            bridging=after.bridging(),
            examples=_examples(before, after),
            sampled=sampled,
        )


class Linked:
    """Transactions of a sample under one plan."""

    def __init__(self, plan: Plan, values: pl.DataFrame, members: pl.DataFrame) -> None:
        """The plan, KEY_VALUES of the sample, MEMBERS of its transactions."""
        self.plan = plan
        self.values = values
        self.members = members

    def sizes(self) -> pl.DataFrame:
        """`transaction`, `len`, largest first."""
        sizes = self.members.group_by("transaction").len()
        return sizes.sort("len", "transaction", descending=[True, False])

    def names(self) -> pl.DataFrame:
        """`transaction`, `name`: `key=value` by the grain, else by the value that most records hold."""
        held = self.members.join(self.values.select(schema.ROW, "key", "value"), on=schema.ROW)
        grain = None if self.plan.grain is None else self.plan.place(self.plan.grain)
        held = held.group_by("transaction", "key", "value").len()
        held = held.with_columns(grain=pl.col("key") == (-1 if grain is None else grain))
        best = held.sort("grain", "len", "key", "value", descending=[True, True, False, False]).unique(
            "transaction", keep="first", maintain_order=True
        )
        names = [
            f"{self.plan.keys[key].name}={clean(value, cap=60)}" for key, value in best.select("key", "value").rows()
        ]
        return pl.DataFrame({"transaction": best["transaction"], "name": pl.Series(names, dtype=pl.String)})

    def bridging(self) -> str | None:
        """The value that most records of the largest transaction hold."""
        sizes = self.sizes()
        if sizes.is_empty():
            return None
        rows = self.members.filter(pl.col("transaction") == sizes.item(0, "transaction")).select(schema.ROW)
        held = self.values.join(rows, on=schema.ROW, how="semi").group_by("key", "value").len()
        if held.is_empty():
            return None
        key, value, _ = held.sort("len", "key", "value", descending=[True, False, False]).row(0)
        return f"{self.plan.keys[key].name}={clean(value, cap=80)}"


def linked(frame: pl.DataFrame, plan: Plan) -> Linked:
    """Records linked by themselves, apart from what is linked in the session.

    Args:
        frame: Columns that the plan's linking keys need, and `row`, `time`, `source_id`, `line`.
        plan: The keys.
    """
    values = amend.without_hubs(extract(frame, plan, plan.linking), plan)
    linker = Linker(plan)
    linker.add(values, frame.select(schema.ROW, "time", "source_id", "line"))
    return Linked(plan, values, linker.members())


def _examples(before: Linked, after: Linked) -> tuple[str, ...]:
    """The transactions that change most, in words: what several become one of, what falls apart."""
    both = before.members.join(after.members, on=schema.ROW, suffix="_new").select(
        old="transaction", new="transaction_new"
    )
    words: list[tuple[int, str]] = []
    for one, many, side, text in (
        ("new", "old", after, "{n} become one: {name}"),
        ("old", "new", before, "{name} falls into {n}"),
    ):
        counts = (
            both.unique()
            .group_by(one)
            .len()
            .filter(pl.col("len") > 1)
            .sort("len", one, descending=[True, False])
            .head(_EXAMPLES)
        )
        named = counts.join(side.names(), left_on=one, right_on="transaction", maintain_order="left")
        words += [(n, text.format(n=n, name=name)) for n, name in named.select("len", "name").rows()]
        del many
    return tuple(text for _, text in sorted(words, key=lambda entry: -entry[0])[:_EXAMPLES])
