"""Keymaps: which key does what, from TOML files, checked at load.

Textual says nothing when two ids of one keymap share a key, so clashes are looked for here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from textual.binding import Binding
from textual.keys import format_key

from logscope.datafile import parse_toml, read_small
from logscope.errors import ConfigError
from logscope.paths import config_folder
from logscope.tui.keynames import key_of
from logscope.tui.toml_places import line_of, place_of_error

FOLDER = Path(__file__).resolve().parent / "keymaps"

EVERYWHERE = ("app", "screen", "list")
"""Groups of ids whose keys are live on every screen."""

ALONE = ("input", "chooser", "help", "facts", "trail", "pick", "editor")
"""Groups that are live by themselves: while a text is typed, or a question is open."""

SHADOWING = ("detail", "waterfall", "facets")
"""Groups of a widget inside a screen: with the focus there they win over the screen and the list."""


SCREENS = (
    "records", "transactions", "transaction", "compare", "keys", "service_map", "clocks", "detections", "case", "dashboard", "draft", "rules",
    "page", "editor", "help", "trail", "chooser", "facts", "browsing", "picking", "sql", "sources",
)  # fmt: skip
"""Modules of `logscope.tui.screens` with keys of their own, in the order of the help."""


@dataclass(frozen=True, slots=True)
class KeyDoc:
    """A binding as help and keymap files know it."""

    id: str
    keys: tuple[str, ...]
    description: str
    action: str


@cache
def first_bindings() -> dict[str, KeyDoc]:
    """The bindings of the first screen by their ids: to know them loads no other screen."""
    from logscope.tui import app
    from logscope.tui.screens import base, browsing, records
    from logscope.tui.widgets import detail, facet_panel, query_bar, row_list

    return _bindings_of((app, base, records, browsing, row_list, detail, facet_panel, query_bar))


@cache
def all_bindings() -> dict[str, KeyDoc]:
    """Every binding of the investigator by its id."""
    from logscope.tui import app, screens
    from logscope.tui.screens import base
    from logscope.tui.widgets import detail, facet_panel, query_bar, row_list, waterfall_view

    own = [import_module(f"{screens.__name__}.{name}") for name in SCREENS]
    return _bindings_of((app, base, *own, row_list, detail, facet_panel, waterfall_view, query_bar))


def _bindings_of(modules: Iterable[ModuleType]) -> dict[str, KeyDoc]:
    found: dict[str, KeyDoc] = {}
    for module in modules:
        for owner in vars(module).values():
            if not isinstance(owner, type) or owner.__module__ != module.__name__:
                continue
            for binding in vars(owner).get("BINDINGS", ()):
                if isinstance(binding, Binding) and binding.id:
                    keys = tuple(key.strip() for key in binding.key.split(","))
                    found[binding.id] = KeyDoc(binding.id, keys, binding.description, binding.action)
    return found


def shown_key(key: str) -> str:
    """A key as people write it: `^D`, `⌫`, `&`."""
    names = {
        "backspace": "⌫", "enter": "⏎", "escape": "Esc", "space": "Space", "pagedown": "PgDn", "pageup": "PgUp",
        "shift+tab": "S-Tab", "tab": "Tab", "shift+right": "S-→", "home": "Home", "end": "End", "f1": "F1", "f2": "F2",
    }  # fmt: skip
    if key in names:
        return names[key]
    if key.startswith("ctrl+"):
        return "^" + key[5:].upper()
    return format_key(key)


class Keys:
    """The keys in force."""

    def __init__(self, changes: Mapping[str, str]) -> None:
        """The default keys with `changes` (id to keys, comma separated) laid over."""
        self._changed = {name: tuple(key.strip() for key in keys.split(",")) for name, keys in changes.items()}

    def of(self, name: str) -> tuple[str, ...]:
        """The keys of a binding."""
        if name in self._changed:
            return self._changed[name]
        doc = first_bindings().get(name) or all_bindings().get(name)
        return doc.keys if doc else ()

    def shown(self, name: str) -> str:
        """The first key of a binding, as people write it."""
        keys = self.of(name)
        return shown_key(keys[0]) if keys else ""


def _group(name: str) -> str:
    return name.split(".", 1)[0]


def _together(one: str, other: str) -> bool:
    """Whether keys of two groups are live at the same time, neither meant to win."""
    pair = {one, other}
    if pair & {*ALONE, *SHADOWING}:
        return "app" in pair
    return bool(pair & {*EVERYWHERE})


def clashes(keys: Keys) -> list[tuple[str, str, str]]:
    """Pairs of bindings live at the same time that share a key: (key, id, id)."""
    found = []
    names = sorted(all_bindings())
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            one, other = _group(first), _group(second)
            if one != other and not _together(one, other):
                continue
            found += [(key, first, second) for key in keys.of(first) if key in keys.of(second)]
    return found


def read_keymap(path: Path) -> dict[str, str]:
    """A keymap file: `"records.filter" = "ampersand"`, grouped in tables if one likes.

    Raises:
        ConfigError: With file and id of what is wrong.
    """
    where = str(path)
    try:
        text = read_small(path)
        data = parse_toml(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        told, line, column = place_of_error(error)
        raise ConfigError(f"cannot be read: {told}", where=where, line=line, column=column) from error
    changes: dict[str, str] = {}
    for name, value in data.items():
        if isinstance(value, dict):
            changes |= {f"{name}.{inner}": keys for inner, keys in value.items()}
        else:
            changes[name] = value
    for name, keys in changes.items():
        if name not in all_bindings():
            near = get_close_matches(name, all_bindings(), n=1)
            raise ConfigError(
                f"unknown action {name!r}",
                where=where,
                line=line_of(text, name),
                mend=f"perhaps {near[0]}" if near else "see docs/investigator.md for the names",
            )
        if not isinstance(keys, str) or not keys.strip():
            raise ConfigError(
                f"{name} has no key", where=where, line=line_of(text, name), mend='write keys as a text, like "j,down"'
            )
        changes[name] = ",".join(_key(written.strip(), where, line_of(text, name)) for written in keys.split(","))
    return changes


def _key(written: str, where: str, line: int | None) -> str:
    key = key_of(written)
    if key is None:
        raise ConfigError(
            f"{written!r} is no key", where=where, line=line, mend="write &, ampersand, ctrl+g, shift+right or f1"
        )
    return key


def load_keymap(name: str | None) -> tuple[dict[str, str], list[ConfigError]]:
    """The changes a keymap makes, and what is wrong with it.

    Args:
        name: `default`, `less`, `vim`, or a path; None: the user's `keymap.toml` if there is one.

    Returns:
        Changes that can be used (none where the file is broken), and errors to be told.
    """
    if name is None:
        path = config_folder() / "keymap.toml"
        if not path.is_file():
            return {}, []
    else:
        folders = (config_folder() / "keymaps", FOLDER)
        named = [path for folder in folders if (path := folder / f"{name}.toml").is_file()]
        path = named[0] if named else Path(name).expanduser()
    try:
        changes = read_keymap(path)
    except ConfigError as error:
        return {}, [error]
    text = path.read_text(encoding="utf-8", errors="replace")
    errors = [
        ConfigError(
            f"{shown_key(key)} is both {first} and {second}",
            where=str(path),
            line=next((line_of(text, name) for name in (second, first) if name in changes), None),
            mend="give one another key",
        )
        for key, first, second in clashes(Keys(changes))
    ]
    return changes, errors
