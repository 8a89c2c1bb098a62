"""What a rule made of records begins with: filters of their words, names, bounds from how long steps take.

Pure functions: what is proposed depends on what they are given alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from logscope.analysis.masking import WILD, masked
from logscope.language.writing import quoted
from logscope.rules.drafts import Draft, DraftField, DraftStep

_NAMED = re.compile(r"(^|\s)[^\s=]*=.*$", re.S)
_ASKED = re.compile(r"(/[^\s?]*)\?.*$", re.S)
_EDGES = " :;,.-([{'\"<>|#@"
_WORD = re.compile(r"[A-Za-z][A-Za-z]+")
_LETTERS = 4
_BARE = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
_MARGIN = 2
"""Bounds are so many times the longest that was seen."""
_FAR = 20
"""A longest that is so many times the 99th percentile is an outlier."""
_SECOND = 1_000_000
_WITHOUT_DATA = 5 * 60 * _SECOND
_NICE = (
    *(number * 1000 for number in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(number * _SECOND for number in (1, 2, 3, 5, 10, 15, 20, 30, 45)),
    *(number * 60 * _SECOND for number in (1, 2, 3, 5, 10, 15, 20, 30, 45)),
    *(number * 3600 * _SECOND for number in (1, 2, 3, 6, 12)),
    *(number * 86_400 * _SECOND for number in (1, 2, 3, 7, 14, 30)),
)


@dataclass(frozen=True, slots=True)
class Example:
    """A marked record, as far as a proposal needs it."""

    row: int
    service: str | None
    message: str
    fields: Mapping[str, str]
    keys: Mapping[str, str]
    """Field name to the linking key it feeds."""
    absent: bool = False
    weak: frozenset[str] = frozenset()
    """Fields that feed keys which do not link: who, where, by which thread."""


@dataclass(frozen=True, slots=True)
class StepSpan:
    """How long a step takes after the step before it, in all transactions."""

    step: str
    reached: int
    """Transactions with the step before."""
    followed: int
    """Of these, those with the step after it."""
    p50: int
    """Microseconds, as all here; 0 where nothing followed."""
    p95: int
    p99: int
    longest: int


def words_of(message: str) -> str:
    """The words a message begins with, its values left out; empty if there are none.

    Args:
        message: Of a record; of several lines the first counts.
    """
    template = masked(pl.Series("m", [message], dtype=pl.String))[0]
    for piece in template.split(WILD):
        text = _NAMED.sub("", _ASKED.sub(r"\1", piece)).strip(_EDGES)
        if len(re.sub(r"[^A-Za-z]", "", text)) >= _LETTERS:
            return text
    return ""


def where_of(service: str | None, words: str) -> str:
    """The filter of a step: its service and its words."""
    terms = []
    if service:
        terms.append(f"service:{service if _BARE.fullmatch(service) else quoted(service)}")
    if words:
        terms.append(quoted(words))
    return " ".join(terms)


def told_apart(examples: Sequence[Example], wheres: Sequence[str]) -> list[str]:
    """Filters, with what tells two records of equal filters apart: the first field that differs and is no id."""
    out = list(wheres)
    for where in {one for one in wheres if wheres.count(one) > 1}:
        places = [place for place, one in enumerate(wheres) if one == where]
        names = [
            name
            for name in examples[places[0]].fields
            if name not in examples[places[0]].keys
            and len({examples[place].fields.get(name) for place in places}) == len(places)
            and all(_BARE.fullmatch(examples[place].fields.get(name, "")) for place in places)
        ]
        for place in places if names else ():
            out[place] += f" {names[0]}:{examples[place].fields[names[0]]}"
    return out


def names_of(words: Iterable[str]) -> list[str]:
    """A name for each step: its last word, two words where that is not enough, else a number too."""
    found: list[str] = []
    for text in words:
        parts = [part.lower() for part in _WORD.findall(text)] or ["step"]
        tries = [parts[-1], "_".join(parts[-2:]), "_".join(parts[:3])]
        numbered = (f"{parts[-1]}_{number}" for number in range(2, 1000))
        found.append(next(name for name in (*tries, *numbered) if name not in found))
    return found


def steps_of(examples: Sequence[Example]) -> tuple[DraftStep, ...]:
    """Steps proposed from marked records, in their order.

    Args:
        examples: In order of time.
    """
    words = [words_of(one.message) for one in examples]
    wheres = told_apart(examples, [where_of(one.service, text) for one, text in zip(examples, words, strict=True)])
    return tuple(
        DraftStep(name, where, one.absent, None, one.row)
        for name, where, one in zip(names_of(words), wheres, examples, strict=True)
    )


def fields_of(
    steps: Sequence[DraftStep], examples: Sequence[Example], single: frozenset[str]
) -> tuple[DraftField, ...]:
    """What could be emitted, each once, of the first step that has it: first what is chosen, ids that do not tell last.

    Args:
        steps: The steps.
        examples: The records they were made of, in the same order.
        single: The keys that have one value in the whole transaction: these are chosen.
    """
    keyed: dict[str, DraftField] = {}
    others: dict[str, tuple[int, DraftField]] = {}
    for step, one in zip(steps, examples, strict=True):
        for name, value in one.fields.items():
            key = one.keys.get(name)
            made = DraftField(name, f"{step.name}.{name}", value, key in single)
            if key is not None:
                keyed.setdefault(key, made)
            else:
                # Amounts and codes are more often wanted than words, and those more than where it happened.
                rank = 3 if name in one.weak else 1 if any(sign.isdigit() for sign in value) else 2
                others.setdefault(name, (rank, made))
    names = {one.name for one in keyed.values()}
    ranked = [(0 if one.chosen else 4, one) for one in keyed.values()]
    ranked += [pair for name, pair in others.items() if name not in names]
    return tuple(one for _, one in sorted(ranked, key=lambda pair: pair[0]))


def nice_up(microseconds: int) -> int:
    """The least round duration that is not shorter.

    Args:
        microseconds: More than a month stays what it is.
    """
    return next((nice for nice in _NICE if nice >= microseconds), microseconds)


def nice_step(microseconds: int | None, direction: int) -> int | None:
    """The next longer (1) or shorter (-1) round duration; below the shortest there is none."""
    if microseconds is None:
        return 30 * _SECOND if direction > 0 else None
    if direction > 0:
        return next((nice for nice in _NICE if nice > microseconds), microseconds)
    return next((nice for nice in reversed(_NICE) if nice < microseconds), None)


def bound_of(span: StepSpan) -> int | None:
    """The bound of a step: well above what was seen, so that only what is unusual breaks it."""
    if not span.followed:
        return None
    usual = span.longest if span.longest <= span.p99 * _FAR else span.p99
    return nice_up(max(usual * _MARGIN, _SECOND))


def spans_of(steps: Sequence[DraftStep], hits: Sequence[pl.DataFrame]) -> tuple[tuple[StepSpan, ...], int]:
    """How long each step from the second on takes after the step that happens before it.

    Args:
        steps: In order; the ones that happen lead on, absent ones do not.
        hits: Of each step `transaction` and `time` (Int64, microseconds).

    Returns:
        A span per step from the second on, and the longest time from the first to the last step that happens.
    """
    base: pl.DataFrame | None = None
    spans: list[StepSpan] = []
    longest = 0
    for step, found in zip(steps, hits, strict=True):
        if base is None:
            if not step.absent:
                base = found.group_by("transaction").agg(pl.col("time").min()).with_columns(start="time")
            continue
        after = (
            found.join(base.rename({"time": "before"}), on="transaction")
            .filter(pl.col("time") >= pl.col("before"))
            .group_by("transaction")
            .agg(pl.col("time").min(), pl.col("before").first(), pl.col("start").first())
        )
        spans.append(_span(step.name, base.height, after.select(pl.col("time") - pl.col("before")).to_series()))
        if not step.absent:
            base = after.select("transaction", "time", "start")
            whole = after.select((pl.col("time") - pl.col("start")).max()).item() if after.height else 0
            longest = max(longest, int(whole or 0))
    return tuple(spans), longest


def _span(name: str, reached: int, pauses: pl.Series) -> StepSpan:
    if not len(pauses):
        return StepSpan(name, reached, 0, 0, 0, 0, 0)
    p50, p95, p99, longest = (int(pauses.quantile(share, "nearest") or 0) for share in (0.5, 0.95, 0.99, 1.0))
    return StepSpan(name, reached, len(pauses), p50, p95, p99, longest)


def turned(draft: Draft, place: int, spans: Sequence[StepSpan]) -> Draft:
    """A step that happens made absent, or the other way round, its bound from the data.

    Args:
        draft: A sequence.
        place: Of the step.
        spans: What was measured of the draft so far.
    """
    step = draft.steps[place]
    known = next((bound_of(span) for span in spans if span.step == step.name), None)
    absent = not step.absent
    bound = known or step.bound or (_WITHOUT_DATA if absent else None)
    turned_step = replace(step, absent=absent, bound=bound)
    reach = draft.maxspan if not (absent and bound and draft.maxspan) else max(draft.maxspan, bound)
    return replace(draft.with_step(place, turned_step), maxspan=reach)
