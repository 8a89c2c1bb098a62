"""The class of a candidate from its statistics, with the test that decided and its figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from logscope.correlation.keys import KeyClass, is_id_name, is_measure, is_scoped_name, is_weak_name

MIN_VALUES = 5
ENTITY_NOVELTY = 0.15
NAMED_ENTITY_NOVELTY = 0.35
SEEN_ONCE = 0.1
LONG_NUMBER = 6
NUMBER_SEEN = 0.5
"""Share of values in several records, and under several templates, that numbers need."""
SHORT_LOG_SECONDS = 900
"""In less time an entity and a session look alike."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a candidate."""

    klass: KeyClass | None
    """None: no key at all."""
    why: str
    active: bool = True


def classify(names: list[str], stats: dict[str, Any], seconds: float) -> Verdict:
    """The class of a group of columns.

    Args:
        names: Names of its fields; empty for ids found in text.
        stats: One row of `columns.statistics`.
        seconds: The time that the sample spans.
    """
    verdict = at_sight(names, stats)
    if verdict is not None:
        return verdict
    weak_name = any(is_weak_name(name) for name in names)
    id_name = any(is_id_name(name) for name in names)
    if stats["shape"] == "int" and stats["length"] < 12 and not id_name:
        if weak_name:
            return Verdict("weak", "weak: short numbers under the name of a user or thing")
        if not _behaves(stats):
            return Verdict(None, "short numbers that do not behave like ids")
    if stats["shape"] == "int" and stats["length"] < 5:
        return Verdict("scoped", "scoped: numbers of less than 5 digits")
    if stats.get("drawn"):
        return Verdict("scoped", "scoped: drawn from 65,536 numbers in no order, so that they come again")
    return _by_life(stats, weak_name, seconds, stats["novelty"])


def at_sight(names: list[str], stats: dict[str, Any]) -> Verdict | None:
    """The class where names, number and shape of the values decide; None: how they live does.

    Args:
        names: Names of its fields.
        stats: With `distinct`, `shape`.
    """
    distinct = stats["distinct"]
    weak_name = any(is_weak_name(name) for name in names)
    id_name = any(is_id_name(name) for name in names)
    if any(is_measure(name) for name in names) and not id_name:
        return Verdict(None, "a measure by its name")
    if distinct < MIN_VALUES:
        if weak_name and distinct > 1:
            return Verdict("weak", f"weak: {distinct} values only")
        return Verdict(None, f"{distinct} values only")
    if any(is_scoped_name(name) for name in names):
        return Verdict("scoped", "scoped: handed out again within a host or process")
    if stats["shape"] in ("date", "float", "text"):
        return Verdict(None, "dates, figures or sentences")
    if stats["shape"] in ("word", "ip", "address"):
        return (
            Verdict("weak", f"weak: its values are {stats['shape']}s")
            if weak_name or stats["shape"] != "word"
            else Verdict(None, "words")
        )
    return None


def _behaves(stats: dict[str, Any]) -> bool:
    """Whether numbers without an id's name are ids by what they do: long, new ones all the time, in several messages."""
    return bool(
        stats["length"] >= LONG_NUMBER
        and stats["repeat"] >= NUMBER_SEEN
        and stats["novelty"] >= NAMED_ENTITY_NOVELTY
        and stats["xt"] >= NUMBER_SEEN
    )


def _by_life(stats: dict[str, Any], weak_name: bool, seconds: float, novelty: float) -> Verdict:
    distinct = stats["distinct"]
    limit = NAMED_ENTITY_NOVELTY if weak_name else ENTITY_NOVELTY
    figures = f"{novelty:.0%} of {distinct:,} values are first seen in the second half"
    if novelty < limit:
        if seconds < SHORT_LOG_SECONDS and not weak_name and novelty > 0:
            return Verdict("weak", f"weak: too short a log to tell an id from an entity, {figures}")
        return Verdict("weak", f"weak: lives through the log, {figures}")
    if stats["span"] > 0.25 and stats["median"] > 3 and stats["lasting"] > 900:
        return Verdict("weak", f"weak: half of its values span {stats['span']:.0%} of the log")
    if stats["p99"] > max(200, 0.02 * stats["support"]) and distinct < 200:
        return Verdict("hub", f"hub: {distinct} values, each in up to {stats['most']:,} records")
    if stats["repeat"] < SEEN_ONCE:
        return Verdict(
            "strong", f"seen once each: {stats['repeat']:.0%} of {distinct:,} values stand in two records", active=False
        )
    return Verdict(
        "strong",
        f"strong: {figures}; {stats['repeat']:.0%} stand in several records, {stats['xs']:.0%} in several services",
    )
