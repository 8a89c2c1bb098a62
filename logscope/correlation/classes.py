"""The class of a candidate from its statistics, with the test that decided and its figure."""

from __future__ import annotations

from collections.abc import Callable
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
HUB_SPAN, HUB_SECONDS = 0.1, 60
"""Few values in very many records each are hubs if these live long: traces of hundreds of records are soon over;"""
HUB_SKEW = 20
"""or if some are in so many times more records than the one in the middle: transactions of one log are not that unlike."""
RECURS = 0.5
"""Values whose records stand half as far apart as if they stood anywhere are those of things that come again;"""
RECURS_LONG, LONG_SECONDS = 0.25, 3600
"""a quarter as far, if that is more than an hour."""
OWN = 0.5
"""Share of a service's records from which on an id is the service's own; of such three values of four must be so."""
BEGINS = 0.8
"""So surely a transaction begins with what is said at the beginning only."""
RARE, RARE_VALUES = 0.01, 20
"""Fewer values in several records than this, in a smaller share of every service's records, tell nothing."""
SHORT_LOG_SECONDS = 900
"""In less time an entity and a session look alike."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a candidate."""

    klass: KeyClass | None
    """None: no key at all."""
    why: str
    active: bool = True


def classify(
    names: list[str], stats: dict[str, Any], seconds: float, begins: Callable[[], float] = lambda: 0.0
) -> Verdict:
    """The class of a group of columns.

    Args:
        names: Names of its fields; empty for ids found in text.
        stats: One row of `columns.statistics`.
        seconds: The time that the sample spans.
        begins: `columns.begins` of them, where it matters.
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
    return _by_life(stats, weak_name, seconds, begins)


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


def _by_life(stats: dict[str, Any], weak_name: bool, seconds: float, begins: Callable[[], float]) -> Verdict:
    distinct, novelty = stats["distinct"], stats["novelty"]
    limit = NAMED_ENTITY_NOVELTY if weak_name else ENTITY_NOVELTY
    figures = f"{novelty:.0%} of {distinct:,} values are first seen in the second half"
    if novelty < limit:
        soon = min(seconds, stats["lasting"]) < SHORT_LOG_SECONDS and not weak_name
        if soon and stats["repeat"] >= SEEN_ONCE and begins() >= BEGINS:
            told = f"strong: {begins():.0%} of its values begin with what is said of each but once; {figures}"
            return Verdict("strong", told)
        if seconds < SHORT_LOG_SECONDS and not weak_name and novelty > 0:
            return Verdict("weak", f"weak: too short a log to tell an id from an entity, {figures}")
        return Verdict("weak", f"weak: lives through the log, {figures}")
    if stats["span"] > 0.25 and stats["median"] > 3 and stats["lasting"] > 900:
        return Verdict("weak", f"weak: half of its values span {stats['span']:.0%} of the log")
    if _recurs(stats) and begins() < BEGINS:
        return Verdict("weak", "weak: its values come again all through the log, like those of a thing")
    many = stats["p99"] > max(200, 0.02 * stats["support"]) and distinct < 200
    long = stats["span"] > HUB_SPAN and not 0 < stats["lasting"] < HUB_SECONDS
    if many and (long or stats["most"] > HUB_SKEW * stats["median"]):
        return Verdict("hub", f"hub: {distinct} values, each in up to {stats['most']:,} records")
    if stats["repeat"] < SEEN_ONCE:
        return Verdict(
            "strong", f"seen once each: {stats['repeat']:.0%} of {distinct:,} values stand in two records", active=False
        )
    again = f"{stats['repeat']:.0%} stand in several records, {stats['xs']:.0%} in several services"
    if stats["cover"] < RARE and distinct * stats["repeat"] < RARE_VALUES:
        return Verdict(
            "strong", f"too rare to tell, in {stats['cover']:.1%} of a service's records; {again}", active=False
        )
    return Verdict("strong", f"strong: {figures}; {again}")


def _recurs(stats: dict[str, Any]) -> bool:
    """Whether a value's records stand apart as if they stood anywhere; without times nothing is told by that."""
    lasting = stats["lasting"]
    # What most records of a service hold is its own id, not a parameter: some of its values may come again.
    recurs = stats["recurs_most" if stats["cover"] >= OWN else "recurs"]
    return bool((recurs >= RECURS and lasting > 0) or (recurs >= RECURS_LONG and lasting > LONG_SECONDS))
