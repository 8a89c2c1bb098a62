"""Which fields tell how far a transaction is, by what their values do."""

from __future__ import annotations

import polars as pl

from logscope.analysis.states import candidates, telling

_WAYS = (("NEW", "PAID", "SENT"), ("NEW", "PAID", "SENT"), ("NEW", "PAID", "SENT"), ("NEW", "DECLINED"))
_COLOURS = ("red", "green", "blue", "white", "black")


def _pairs(transactions: int = 40) -> pl.DataFrame:
    rows = []
    row = 0
    for number in range(transactions):
        for turn, state in enumerate(_WAYS[number % len(_WAYS)]):
            fields = {
                "state": state,
                "channel": ("web", "phone")[number % 2],
                "colour": _COLOURS[(number * 7 + turn * 3) % len(_COLOURS)],
                "component": "cart" if turn == 0 else "till",
                "pool": "north" if number % 2 else "south",
                "took": str(number),
                "reply": ("ok", "fail-7")[number % 2],
            }
            step = 0 if turn == 0 else 1
            rows += [(number, row, number % 2, step, name, value) for name, value in fields.items()]
            row += 1
    names = ("transaction", "row", "source", "step", "name", "value")
    return pl.DataFrame(rows, schema=names, orient="row")


def test_what_changes_on_the_way_and_can_be_foretold_is_a_state() -> None:
    assert telling(candidates(_pairs())) == ("state",)


def test_candidates_are_few_words_without_digits() -> None:
    names = set(candidates(_pairs()).get_column("name"))
    assert names == {"state", "channel", "colour", "component", "pool"}


def test_the_order_of_transactions_does_not_matter() -> None:
    pairs = _pairs()
    turned = pairs.sort("transaction", descending=True, maintain_order=True)
    assert telling(candidates(turned)) == telling(candidates(pairs))


def test_nothing_is_chosen_of_little() -> None:
    assert telling(candidates(_pairs(2))) == ()
    assert telling(candidates(_pairs().clear())) == ()
