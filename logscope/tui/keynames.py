"""What keys are called: as one types them into a keymap file, and as Textual calls them."""

from __future__ import annotations

import unicodedata
from functools import cache

from textual.keys import KEY_NAME_REPLACEMENTS, Keys

_MODIFIERS = frozenset(("ctrl", "shift", "alt"))


def key_of(written: str) -> str | None:
    """The key that somebody means: `&` is `ampersand`; None where no terminal sends such a key.

    Args:
        written: One character, a name like `ampersand`, `f1`, `pagedown`, or these behind `ctrl+`, `shift+`, `alt+`.
    """
    if len(written) == 1:
        return _of_character(written)
    *before, last = [*written[:-1].split("+"), written[-1]] if written.endswith("++") else written.split("+")
    before = [one for one in before if one]
    if not set(before) <= _MODIFIERS:
        return None
    name = _of_character(last) if len(last) == 1 else last if _is_named(last) else None
    return None if name is None else "+".join([*before, name])


def _of_character(sign: str) -> str | None:
    if sign.isalnum():
        return sign
    name = unicodedata.name(sign, "").lower().replace(" ", "_").replace("-", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name) or None


@cache
def _named() -> frozenset[str]:
    return frozenset(key.value for key in Keys) | {_of_character(chr(code)) or "" for code in range(33, 127)}


def _is_named(name: str) -> bool:
    if name in _named():
        return True
    try:
        unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return False
    return True
