"""Whether a block of bytes can hold a record that a filter matches, told without making records of it."""

from __future__ import annotations

from collections.abc import Callable

from logscope.language.expressions import And, Expression, Or, Word

_FOLDED = {"k": "\u212a".encode(), "s": "\u017f".encode()}
"""Signs beyond ASCII that are letters of ASCII when case is ignored: the kelvin sign and the long s."""


def presence(expression: Expression) -> Callable[[bytes], bool] | None:
    """A test of a block's bytes that fails only where no record of the block can match.

    Args:
        expression: A filter on records.

    Returns:
        None where every block could hold a match, as far as can be told without reading it as text.
    """
    needles = _needles(expression)
    if needles is None:
        return None

    def test(block: bytes) -> bool:
        lowered = block.lower()
        return all(any(_holds(block, lowered, needle) for needle in choice) for choice in needles)

    return test


def _holds(block: bytes, lowered: bytes, needle: str) -> bool:
    if needle.encode() in lowered:
        return True
    # Letters beyond ASCII are looked for only where there are any: that costs as much as the rest.
    return not block.isascii() and any(sign in block for letter, sign in _FOLDED.items() if letter in needle)


def _needles(expression: Expression) -> list[list[str]] | None:
    """Lower-case texts of which a match holds one of each list; None if nothing is sure."""
    if isinstance(expression, Word):
        # A message may be written with escapes, so only words of the raw text are sure to stand there.
        sure = expression.scope == "raw" and expression.text and expression.text.isascii()
        return [[expression.text.lower()]] if sure else None
    if isinstance(expression, And):
        parts = [found for item in expression.items if (found := _needles(item)) is not None]
        return [choice for part in parts for choice in part] or None
    if isinstance(expression, Or):
        choices: list[str] = []
        for item in expression.items:
            found = _needles(item)
            if found is None:
                return None
            # One of several conditions that all hold is condition enough.
            choices += max(found, key=lambda choice: min(map(len, choice)))
        return [choices]
    return None
