"""The keys of the records view, and which of them its footer shows."""

from __future__ import annotations

from textual.binding import Binding, BindingType

BINDINGS: list[BindingType] = [
    Binding("ampersand", "filter", "Filter: keep what matches", id="records.filter", show=False),
    Binding("minus,exclamation_mark", "exclude", "Filter: drop what matches", id="records.exclude", show=False),
    Binding("slash", "search", "Search forward", id="records.search", show=False),
    Binding("backslash", "search_back", "Search backward", id="records.search-back", show=False),
    Binding("n", "again(1)", "Next hit", id="records.search-next", show=False),
    Binding("N", "again(-1)", "Previous hit", id="records.search-previous", show=False),
    Binding("asterisk", "pivot", "Pivot on the value: every record that holds it", id="records.pivot", show=False),
    Binding("backspace", "back", "Back in the trail", id="records.back", show=False),
    Binding("right_curly_bracket,shift+right", "forward", "Forward in the trail", id="records.forward", show=False),
    Binding("u,U", "undo", "Undo the last change of the view", id="records.undo", show=False),
    Binding("tilde", "trail", "The trail: switch steps on and off", id="records.trail", show=False),
    Binding("t", "transaction", "The record's transaction", id="records.transaction", show=False),
    Binding("T", "transactions", "List of transactions", id="records.transactions", show=False),
    Binding("D", "detections", "List of detections", id="records.detections", show=False),
    Binding("x", "detection(1)", "Next detection", id="records.detection-next", show=False),
    Binding("X", "detection(-1)", "Previous detection", id="records.detection-previous", show=False),
    Binding("o", "sibling(1)", "Next record of the same transaction", id="records.sibling-next", show=False),
    Binding("O", "sibling(-1)", "Previous record of it", id="records.sibling-previous", show=False),
    Binding("e", "level(5,1)", "Next error", id="records.error-next", show=False),
    Binding("E", "level(5,-1)", "Previous error", id="records.error-previous", show=False),
    Binding("w", "level(4,1)", "Next warning or error", id="records.warning-next", show=False),
    Binding("W", "level(4,-1)", "Previous warning or error", id="records.warning-previous", show=False),
    Binding("F", "follow", "Follow the end", id="records.follow", show=False),
    Binding("v", "delta", "Time column: none, since previous, since start", id="records.delta", show=False),
    Binding("B", "brush", "Choose a stretch of time on the strip", id="records.brush", show=False),
    Binding("m", "pend('mark')", "Mark with a letter", id="records.mark", show=False),
    Binding("apostrophe", "pend('jump')", "Jump to a mark", id="records.jump", show=False),
    Binding("full_stop", "step", "Mark as a step of a rule", id="records.step", show=False),
    Binding("P", "pin", "Pin the record into the case, or take its pin away", id="records.pin", show=False),
    Binding("S", "save_rule", "Save as rule: marks, else the filter", id="records.save-rule", show=False),
    Binding("y", "copy", "Copy the record", id="records.copy", show=False),
    Binding("tab", "switch", "Between records and fields", id="records.switch", show=False),
]
"""What each key does; the ids are those of keymap files."""

HINTS: tuple[tuple[str, str], ...] = (
    ("records.detections", "detections"),
    ("records.transactions", "list"),
    ("records.transaction", "waterfall"),
    ("records.filter", "filter"),
    ("records.search", "find"),
    ("records.pivot", "pivot"),
    ("list.choose", "fields"),
    ("records.facet", "values"),
    ("records.error-next", "error"),
    ("records.sibling-next", "same transaction"),
    ("records.step", "mark step"),
    ("records.save-rule", "save as rule"),
    ("records.pin", "pin"),
    ("records.back", "back"),
    ("records.follow", "follow"),
    ("app.palette", "all by name"),
)
"""Ids and words of the footer, the most useful first."""

FACET_HINTS: tuple[tuple[str, str], ...] = (
    ("facets.include", "keep"),
    ("facets.exclude", "drop"),
    ("facets.field", "another field"),
    ("facets.next", "next field"),
    ("facets.column", "as column"),
    ("facets.copy", "copy"),
    ("screen.escape", "close"),
)
"""The footer while the values of a field have the focus."""

DETAIL_HINTS: tuple[tuple[str, str], ...] = (
    ("records.pivot", "pivot"),
    ("detail.include", "keep"),
    ("detail.exclude", "drop"),
    ("detail.column", "as column"),
    ("records.facet", "values"),
    ("records.copy", "copy"),
    ("screen.escape", "close"),
)
"""The footer while the fields of a record have it."""

TOPICS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Narrow, and the way back",
        ("filter", "exclude", "pivot", "facet", "brush", "zoom-in", "zoom-out", "back", "forward", "trail", "undo", "redo"),
    ),
    (
        "Go to",
        (
            "search", "search-back", "search-next", "search-previous", "error-next", "error-previous", "warning-next",
            "warning-previous", "detection-next", "detection-previous", "sibling-next", "sibling-previous", "later",
            "earlier", "percent", "follow",
        ),
    ),
    (
        "Show",
        ("switch", "columns", "context", "split", "unfold", "wrap", "highlight", "highlights", "delta", "zone"),
    ),
    (
        "Mark, write, copy",
        (
            "mark", "jump", "note", "notes", "note-next", "note-previous", "step", "pin", "save-rule", "copy", "copy-place",
        ),
    ),
    ("Other screens", ("transaction", "transactions", "detections", "sources", "sql")),
)  # fmt: skip
"""What the help tells them under; the last part of their ids."""
