"""The keys of the list of transactions, and which of them its footer shows."""

from __future__ import annotations

from textual.binding import Binding, BindingType

BINDINGS: list[BindingType] = [
    Binding("ampersand,slash", "filter", "Filter transactions", id="transactions.filter", show=False),
    Binding("backspace", "unfilter", "Back to the filter before", id="transactions.unfilter", show=False),
    Binding("right_curly_bracket", "refilter", "Forward again", id="transactions.refilter", show=False),
    Binding("greater_than_sign", "sort(1)", "Sort by the next column", id="transactions.sort-next", show=False),
    Binding("less_than_sign", "sort(-1)", "Sort by the previous one", id="transactions.sort-previous", show=False),
    Binding("r,s", "reverse", "Reverse the order", id="transactions.reverse", show=False),
    Binding("plus", "grain(-1)", "A coarser grain", id="transactions.grain-up", show=False),
    Binding("minus", "grain(1)", "A finer grain", id="transactions.grain-down", show=False),
    Binding("t", "open", "Open the transaction", id="transactions.open", show=False),
    Binding("tab", "shapes", "The ways transactions go", id="transactions.shapes", show=False),
    Binding("equals_sign", "compare", "Compare with a normal one", id="transactions.compare", show=False),
    Binding("asterisk", "pivot", "Its records, by its key's value", id="transactions.pivot", show=False),
    Binding("S", "save_rule", "Save as rule: the filter", id="transactions.save-rule", show=False),
    Binding("P", "pin", "Pin the transaction into the case, or take its pin away", id="transactions.pin", show=False),
    Binding("D", "detections", "List of detections", id="transactions.detections", show=False),
]
"""What each key does; the ids are those of keymap files."""

HINTS: tuple[tuple[str, str], ...] = (
    ("list.choose", "open"),
    ("transactions.filter", "filter"),
    ("transactions.sort-next", "sort by"),
    ("transactions.compare", "compare"),
    ("transactions.shapes", "ways"),
    ("screen.map", "map"),
    ("screen.keys", "keys"),
    ("transactions.grain-up", "coarser"),
    ("transactions.grain-down", "finer"),
    ("transactions.reverse", "reverse"),
    ("transactions.pivot", "records"),
    ("screen.leave", "back"),
)
"""Ids and words of the footer, the most useful first."""
