"""The plan: which keys link, at which grain. Everything downstream is a pure function of records and plan."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from logscope.correlation.keys import CLASSES, HOUR_US, ORIGINS, Key, check_pattern, normalise
from logscope.datafile import parse_toml
from logscope.errors import PlanError

PLAN_VERSION = 1

HUB_DEGREE = 50
"""A value that ties more distinct values of other keys may be a hub."""


@dataclass(frozen=True, slots=True)
class Level:
    """What links at one grain."""

    grain: str | None
    """The key whose values have a transaction each; None: plain components."""
    links: tuple[str, ...]
    """Keys of own and finer grain; without `grain` itself."""
    coarser: tuple[str, ...] = ()
    """Keys whose records without a finer key stand in every transaction that holds the value."""
    why: str = ""
    """The reason in words, with figures."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A key that could have been the grain."""

    of: str
    """The grain it stands beside."""
    way: str
    """`up` (coarser) or `down` (finer)."""
    name: str
    why: str
    """Why it is not, with figures."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Correlation keys, grain and limits; frozen once made."""

    keys: tuple[Key, ...] = ()
    grain: str | None = None
    """The resolved key; None: plain components."""
    grain_why: str = ""
    levels: tuple[Level, ...] = ()
    """Link sets of the grains that were looked at."""
    max_gap_us: int | None = None
    """Silence after which a strong value is a new one."""
    max_span_us: int = HOUR_US
    """A longer transaction is marked oversize."""
    idle_us: int = 5 * 60_000_000
    """A transaction without a record for so long is closed."""
    hub_degree: int = HUB_DEGREE
    notices: tuple[str, ...] = field(default=(), compare=False)
    """What the user should be told about it."""
    beside: tuple[Beside, ...] = field(default=(), compare=False)
    """Coarser and finer keys beside the grain that was found."""
    spans: tuple[str, str] | None = None
    """Keys that hold the id of a transaction's step and that of its parent; None: no log names steps so."""
    refused: tuple[str, ...] = field(default=(), compare=False)
    """Candidates that are no keys, each with the reason in words."""

    def key(self, name: str) -> Key:
        """The key of that name (any spelling, or one of its aliases).

        Raises:
            PlanError: There is none.
        """
        plain = normalise(name)
        for key in self.keys:
            if key.name == name:
                return key
        for key in self.keys:
            if plain in {normalise(other) for other in (key.name, *key.aliases, *key.fields)}:
                return key
        known = ", ".join(key.name for key in self.keys) or "none"
        raise PlanError(f"no correlation key {name!r}", mend=f"known keys: {known}")

    def place(self, name: str) -> int:
        """A key's place, which is its number in KEY_VALUES."""
        return next(place for place, key in enumerate(self.keys) if key.name == name)

    @property
    def level(self) -> Level:
        """What links at the plan's grain."""
        for level in self.levels:
            if level.grain == self.grain:
                return level
        return default_level(self.keys, self.grain)

    @property
    def linking(self) -> tuple[str, ...]:
        """Keys whose values must be extracted for linking: grain, links and coarser ones."""
        level = self.level
        names = {level.grain, *level.links, *level.coarser}
        return tuple(key.name for key in self.keys if key.name in names and key.links)

    def gap_us(self, key: Key) -> int | None:
        """Silence after which a value of the key is a new one; None: never."""
        return key.gap_us if key.klass == "scoped" else self.max_gap_us

    def with_grain(self, grain: str | None, why: str = "asked for by the user") -> Plan:
        """The plan at another grain.

        Args:
            grain: A key's name, or None for plain components.
            why: The reason shown.

        Raises:
            PlanError: No such key, or one that cannot link.
        """
        if grain is None:
            return replace(self, grain=None, grain_why=why)
        key = self.key(grain)
        if not key.links:
            raise PlanError(
                f"key {key.name} is {key.klass} and cannot be the grain", mend="choose a strong or scoped key"
            )
        return replace(self, grain=key.name, grain_why=why)

    def with_keys(self, keys: Iterable[Key]) -> Plan:
        """The plan with keys added, or replaced where one has the same name; link sets follow."""
        merged = {key.name: key for key in self.keys}
        merged.update({key.name: key for key in keys})
        plan = replace(self, keys=tuple(merged.values()))
        levels = tuple(
            _extended(level, plan) for level in self.levels if level.grain is None or plan.key(level.grain).links
        )
        grain = plan.grain if plan.grain is None or plan.key(plan.grain).links else None
        return replace(plan, levels=levels, grain=grain)

    def only(self, names: Collection[str]) -> Plan:
        """The plan with just these keys active (`--keys`).

        Raises:
            PlanError: One of them is not known.
        """
        wanted = {self.key(name).name for name in names}
        return self.with_keys([replace(key, active=key.name in wanted) for key in self.keys])


def default_level(keys: Iterable[Key], grain: str | None) -> Level:
    """The link set by the keys' parents alone, where no sample told more."""
    linking = [key for key in keys if key.links]
    if grain is None:
        return Level(None, tuple(key.name for key in linking), why="plain components")
    parents = {key.name: key.parents for key in linking}
    above: set[str] = set()
    stack = [grain]
    while stack:
        for parent in parents.get(stack.pop(), ()):
            if parent not in above:
                above.add(parent)
                stack.append(parent)
    links = tuple(key.name for key in linking if key.name != grain and key.name not in above)
    return Level(grain, links, tuple(key.name for key in linking if key.name in above))


def _extended(level: Level, plan: Plan) -> Level:
    known = {key.name: key for key in plan.keys}
    listed = {level.grain, *level.links, *level.coarser}
    added = tuple(name for name, key in known.items() if name not in listed and key.links and key.origin == "user")
    return replace(
        level,
        links=tuple(name for name in level.links if known[name].links) + added,
        coarser=tuple(name for name in level.coarser if known[name].links),
    )


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(str(value), ensure_ascii=True).replace("\x7f", "\\u007f")


def to_toml(plan: Plan) -> str:
    """The plan as a file for `--plan`; `from_toml` gives an equal plan."""
    lines = [
        f"version = {PLAN_VERSION}",
        f"grain = {_toml(plan.grain or 'none')}",
        f"grain_why = {_toml(plan.grain_why)}",
    ]
    if plan.max_gap_us is not None:
        lines.append(f"max_gap_us = {plan.max_gap_us}")
    if plan.spans is not None:
        lines.append(f"spans = {_toml(plan.spans)}")
    if plan.refused:
        lines.append(f"refused = {_toml(plan.refused)}")
    lines += [f"max_span_us = {plan.max_span_us}", f"idle_us = {plan.idle_us}", f"hub_degree = {plan.hub_degree}"]
    for key in plan.keys:
        lines += [
            "",
            "[[keys]]",
            f"name = {_toml(key.name)}",
            f"class = {_toml(key.klass)}",
            f"fields = {_toml(key.fields)}",
        ]
        if key.pattern is not None:
            lines.append(f"pattern = {_toml(key.pattern)}")
        if key.also:
            lines.append(f"also = {_toml(key.also)}")
        if key.shape is not None:
            lines.append(f"shape = {_toml(key.shape)}")
        if key.reuse_us is not None:
            lines.append(f"reuse_us = {key.reuse_us}")
        if key.hubs:
            lines.append(f"hubs = {_toml(key.hubs)}")
        lines += [f"origin = {_toml(key.origin)}", f"active = {_toml(key.active)}", f"aliases = {_toml(key.aliases)}"]
        lines += [f"parents = {_toml(key.parents)}", f"why = {_toml(key.why)}"]
    for level in plan.levels:
        lines += ["", "[[levels]]", f"grain = {_toml(level.grain or 'none')}", f"links = {_toml(level.links)}"]
        lines += [f"coarser = {_toml(level.coarser)}", f"why = {_toml(level.why)}"]
    for beside in plan.beside:
        lines += [
            "",
            "[[beside]]",
            f"of = {_toml(beside.of)}",
            f"way = {_toml(beside.way)}",
            f"name = {_toml(beside.name)}",
            f"why = {_toml(beside.why)}",
        ]
    return "\n".join(lines) + "\n"


def from_toml(text: str, where: str = "plan") -> Plan:
    """A plan from its file.

    Args:
        text: TOML as `to_toml` writes it; what is left out has its default.
        where: The file's name, for errors.

    Raises:
        PlanError: With the line of broken TOML, or the key that is wrong.
    """
    try:
        document = parse_toml(text)
    except tomllib.TOMLDecodeError as problem:
        said = str(problem)
        number = said.partition("at line ")[2].partition(",")[0]
        raise PlanError(
            f"not TOML: {said}",
            where=where,
            line=int(number) if number.isdigit() else None,
            mend="mend the syntax there",
        ) from None
    reader = _Reader(where, text)
    if document.get("version", PLAN_VERSION) != PLAN_VERSION:
        raise reader.wrong(
            "version", f"version {document['version']!r} is not known", f"write version = {PLAN_VERSION}"
        )
    keys = tuple(reader.key(table) for table in reader.tables(document, "keys"))
    names = [key.name for key in keys]
    for name in names:
        if names.count(name) > 1:
            raise reader.wrong(name, f"key {name!r} stands there twice", "leave one of them out")
    levels = tuple(reader.level(table, names) for table in reader.tables(document, "levels"))
    grain = reader.grain(document, names)
    gap = reader.value(document, "max_gap_us", int, None)
    return Plan(
        keys=keys,
        grain=grain,
        grain_why=reader.value(document, "grain_why", str, ""),
        levels=levels,
        max_gap_us=gap,
        max_span_us=reader.value(document, "max_span_us", int, HOUR_US),
        idle_us=reader.value(document, "idle_us", int, 5 * 60_000_000),
        hub_degree=reader.value(document, "hub_degree", int, HUB_DEGREE),
        beside=tuple(reader.beside(table) for table in reader.tables(document, "beside")),
        spans=reader.spans(document, names),
        refused=reader.strings(document, "refused"),
    )


class _Reader:
    """Typed access to a plan file, with errors that name file, line and mend."""

    def __init__(self, where: str, text: str) -> None:
        self._where = where
        self._lines = text.splitlines()

    def wrong(self, name: str, message: str, mend: str) -> PlanError:
        line = next((n for n, text in enumerate(self._lines, 1) if name and name in text), None)
        return PlanError(message, where=self._where, line=line, mend=mend)

    def value(self, table: dict[str, Any], name: str, kind: type, default: Any) -> Any:
        value: Any = table.get(name, default)
        if value is default:
            return default
        if not isinstance(value, kind) or (kind is int and (isinstance(value, bool) or int(str(value)) < 0)):
            raise self.wrong(name, f"{name} is not {_KINDS[kind]}", f"write {name} = {_EXAMPLES[kind]}")
        return value

    def spans(self, document: dict[str, Any], names: list[str]) -> tuple[str, str] | None:
        found = self.strings(document, "spans")
        if not found:
            return None
        if len(found) != 2 or not set(found) <= set(names):
            raise self.wrong("spans", "spans are not two keys of the plan", 'write spans = ["span_id", "parent_id"]')
        return found[0], found[1]

    def strings(self, table: dict[str, Any], name: str) -> tuple[str, ...]:
        value = self.value(table, name, list, [])
        if any(not isinstance(item, str) for item in value):
            raise self.wrong(name, f"{name} is not a list of strings", f'write {name} = ["a", "b"]')
        return tuple(value)

    def tables(self, document: dict[str, Any], name: str) -> list[dict[str, Any]]:
        value = document.get(name, [])
        if not isinstance(value, list) or any(not isinstance(item, dict) for item in value):
            raise self.wrong(name, f"{name} is not a list of tables", f"begin each with [[{name}]]")
        return value

    def key(self, table: dict[str, Any]) -> Key:
        name = self.value(table, "name", str, "")
        if not name:
            raise self.wrong("[[keys]]", "a key has no name", 'write name = "..."')
        klass = self.value(table, "class", str, "strong")
        origin = self.value(table, "origin", str, "config")
        if klass not in CLASSES:
            raise self.wrong(klass, f"key {name}: class {klass!r} is not known", f"one of {', '.join(CLASSES)}")
        if origin not in ORIGINS:
            raise self.wrong(origin, f"key {name}: origin {origin!r} is not known", f"one of {', '.join(ORIGINS)}")
        key = Key(
            name=name,
            klass=klass,
            fields=self.strings(table, "fields"),
            pattern=self.value(table, "pattern", str, None),
            also=self.strings(table, "also"),
            origin=origin,
            active=self.value(table, "active", bool, True),
            aliases=self.strings(table, "aliases"),
            parents=self.strings(table, "parents"),
            why=self.value(table, "why", str, ""),
            shape=self.value(table, "shape", str, None),
            reuse_us=self.value(table, "reuse_us", int, None),
            hubs=self.strings(table, "hubs"),
        )
        try:
            return check_pattern(key)
        except PlanError as problem:
            raise self.wrong("pattern", problem.message, problem.mend or "") from None

    def grain(self, table: dict[str, Any], names: list[str]) -> str | None:
        grain = self.value(table, "grain", str, "none")
        if grain == "none":
            return None
        if grain not in names:
            raise self.wrong(grain, f"grain {grain!r} is no key of this plan", f"one of none, {', '.join(names)}")
        return str(grain)

    def level(self, table: dict[str, Any], names: list[str]) -> Level:
        links, coarser = self.strings(table, "links"), self.strings(table, "coarser")
        for name in (*links, *coarser):
            if name not in names:
                raise self.wrong(name, f"{name!r} is no key of this plan", "name keys that the file defines")
        return Level(self.grain(table, names), links, coarser, self.value(table, "why", str, ""))

    def beside(self, table: dict[str, Any]) -> Beside:
        return Beside(*(self.value(table, name, str, "") for name in ("of", "way", "name", "why")))


_KINDS: dict[type, str] = {int: "a whole number of 0 or more", str: "text", list: "a list", bool: "true or false"}
_EXAMPLES: dict[type, str] = {int: "300000000", str: '"..."', list: '["a"]', bool: "true"}
