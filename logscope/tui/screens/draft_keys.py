"""The keys of the rule that is being made, and which of them its footer shows."""

from __future__ import annotations

from textual.binding import Binding, BindingType

BINDINGS: list[BindingType] = [
    Binding("S", "save", "Save the rule", id="rule.save", show=False),
    Binding("a", "absent", "The step must not happen, or must", id="rule.absent", show=False),
    Binding("x", "emit", "Emit the field, or not", id="rule.emit", show=False),
    Binding("plus", "bound(1)", "A longer bound", id="rule.longer", show=False),
    Binding("minus", "bound(-1)", "A shorter bound", id="rule.shorter", show=False),
    Binding("w", "window", "Type the bound", id="rule.window", show=False),
    Binding("r", "rename", "Rename the step", id="rule.rename", show=False),
    Binding("z,delete", "drop", "Drop the step", id="rule.drop", show=False),
    Binding("U", "undo", "Undo the last change", id="rule.undo", show=False),
    Binding("tab", "switch", "Between the parts and the YAML", id="rule.switch", show=False),
    Binding("y", "copy", "Copy the YAML", id="rule.copy", show=False),
]
"""What each key does; the ids are those of keymap files."""

HINTS: tuple[tuple[str, str], ...] = (
    ("rule.save", "save"),
    ("rule.absent", "absent"),
    ("list.choose", "change"),
    ("rule.emit", "emit"),
    ("rule.longer", "longer"),
    ("rule.shorter", "shorter"),
    ("rule.drop", "drop"),
    ("rule.undo", "undo"),
    ("rule.switch", "yaml"),
    ("rule.rename", "rename"),
    ("screen.leave", "back"),
)
"""Ids and words of the footer, the most useful first."""
