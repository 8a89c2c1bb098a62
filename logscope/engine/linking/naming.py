"""What transactions are called, and by which key values: of many at once, kept until something is linked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import polars as pl

from logscope.records import schema

if TYPE_CHECKING:
    from logscope.correlation.linker import Linker
    from logscope.correlation.plan import Plan
    from logscope.records.store import Store

Keys = dict[str, list[str]]


class Naming:
    """Ids and key values of transactions, as they are in one state of the linker.

    A look-up for one transaction goes through all records, as one for a thousand does: who will ask for
    several says so before.

    Args:
        linker: Its numbers are asked for.
        plan: Its keys.
        store: The records, for the order of values.
        generation: Changes when something is linked.
    """

    def __init__(self, linker: Linker, plan: Plan, store: Store, generation: Callable[[], int]) -> None:
        """Nothing is looked up yet."""
        self._linker = linker
        self._plan = plan
        self._store = store
        self._generation = generation
        self._state: tuple[int, dict[int, str], dict[int, Keys]] = (generation(), {}, {})

    def identities(self, numbers: Iterable[int]) -> Mapping[int, str]:
        """Ids by number.

        Raises:
            KeyError: One of the transactions does not live.
        """
        _, ids, _ = self._now()
        wanted = list(dict.fromkeys(numbers))
        missing = [number for number in wanted if number not in ids]
        if missing:
            found = self._linker.identities(pl.Series(missing, dtype=pl.UInt32))
            ids.update(zip(found["transaction"].to_list(), found["id"].to_list(), strict=True))
        return {number: ids[number] for number in wanted}

    def keys(self, numbers: Iterable[int]) -> Mapping[int, Keys]:
        """Key values by number and key: keys as the plan has them, values as records name them."""
        _, _, keys = self._now()
        wanted = list(dict.fromkeys(numbers))
        missing = [number for number in wanted if number not in keys]
        if missing:
            keys.update(self._found(missing))
        return {number: keys[number] for number in wanted}

    def _now(self) -> tuple[int, dict[int, str], dict[int, Keys]]:
        """What is known of the present state; another thread that links meanwhile makes it a past one."""
        state, generation = self._state, self._generation()
        if state[0] != generation:
            state = self._state = (generation, {}, {})
        return state

    def _found(self, numbers: list[int]) -> dict[int, Keys]:
        evidence = self._linker.evidence_of(pl.Series(numbers, dtype=pl.UInt32))
        index = self._store.view.index.select("time", "source_id", "line")[evidence.get_column(schema.ROW)]
        ordered = evidence.select("transaction", "key", "value").hstack(index)
        ordered = ordered.sort("transaction", "key", "time", "source_id", "line", "value")
        first = self._plan.grain  # what a transaction is named by comes first
        found: dict[int, Keys] = {number: {} if first is None else {first: []} for number in numbers}
        distinct = ordered.select("transaction", "key", "value").unique(maintain_order=True)
        for number, key, value in distinct.iter_rows():
            found[number].setdefault(self._plan.keys[key].name, []).append(value)
        return {number: {name: values for name, values in keys.items() if values} for number, keys in found.items()}
