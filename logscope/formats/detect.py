"""Which formats a source's lines are read by: every format is tried on a sample, the reasons are said.

Formats are tried in order, specific ones before general ones; each takes the lines it matches first,
so its score is the share of lines that no more specific one took. A format that takes too few lines
of a sample to be more than chance is left out. A format whose literal texts (`needs`, `members`) do
not occur in the sample is not tried at all: with a hundred formats, compiling their regexes would
cost more than the first screen may. What wrappers hold is told in the same way.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import replace

import polars as pl

from logscope.formats import guess
from logscope.formats.assignment import Assignment, FormatSet
from logscope.formats.colours import COLOUR_BEGIN, without_colours
from logscope.formats.columns import fitted
from logscope.formats.csvlayout import CsvLayout, csv_layout, records_of
from logscope.formats.going import CONTINUES
from logscope.formats.members import as_product, fitted_members
from logscope.formats.model import Format
from logscope.formats.parser import WRAPPERS, SourceParser, make_parser

SAMPLE = 1000
"""Lines of a sample that are looked at, at most."""

LEAST = 0.02
"""Share of lines below which a format is left out, unless it is all that matched."""

_BRIEF = 2
_ROOM = 2000
"""Characters of a line in which literal texts are looked for; more where a sample has fewer lines."""


def detect(known: FormatSet, sample_lines: Sequence[str], *, name: str, forced: str | None = None) -> Assignment:
    """The formats of a source in order, `text` last: see `FormatSet.detect`.

    Raises:
        FormatError: `forced` names no format.
    """
    sample = list(sample_lines[:SAMPLE])
    if any(COLOUR_BEGIN in line for line in sample):
        # Other sequences, and broken ones, are part of the text: what is left may begin as a colour does.
        plain = without_colours(pl.Series(sample, dtype=pl.String)).to_list()
        if plain != sample:
            return replace(_detect(known, plain, name, forced), coloured=True)
    return _detect(known, sample, name, forced)


def _detect(known: FormatSet, sample: list[str], name: str, forced: str | None) -> Assignment:
    """The formats of lines without colours."""
    text = next(form for form in known.formats if form.kind == "text")
    form = None if forced is None else known.get(forced)
    if form is None or form.kind == "csv":
        layout = csv_layout(sample, name, forced=form is not None)
        if layout is not None:
            return _table(known, layout, sample)
    if form is not None:
        form = fitted(form, sample) if form.kind == "columns" else form
        chosen = (form,) if form.kind == "text" else (form, text)
        given = Assignment(chosen, known, ("given by the user", "what the given one does not match")[: len(chosen)])
        return _looked_into(given, pl.Series(sample, dtype=pl.String))
    lines = pl.Series("line", sample, dtype=pl.String).str.strip_chars_start("\ufeff")
    lines = lines.filter(~lines.str.contains(CONTINUES).fill_null(True))
    begun = lines.filter(lines.str.contains(r"^(?:[^ \t]| {0,2}\{)"))
    lines = begun if len(begun) else lines
    outer = [form for form in known.formats if not form.inner_only and form.kind not in ("text", "csv")]
    candidates = _possible(outer, sample)
    shares, rest = _shares(known, candidates, lines)
    taken = [(form, shares[form.name]) for form in candidates if shares.get(form.name, 0.0) > 0]
    best = max((share for _, share in taken), default=0.0)
    alone = [(form, share) for form, share in taken if form.alone]
    taken = alone or [(form, share) for form, share in taken if share >= LEAST or share == best]
    taken = [(_fitted_members(known, form, sample), share) for form, share in taken]
    guessed = None
    if len(rest) > len(lines) / 2 and not alone:
        guessed = guess.leading_time(rest.to_list()) or guess.early_time(rest.to_list())
    if guessed is not None:
        form, share = guessed
        taken.append((form, share * len(rest) / max(1, len(lines))))
    reasons = [f"{share:.0%} of {len(lines)} lines begin as {form.title} do" for form, share in taken]
    left = max(0.0, 1.0 - sum(share for _, share in taken))
    found = Assignment(
        (*(form for form, _ in taken), text),
        known,
        (*reasons, f"the other {left:.0%}: free text"),
        (*(share for _, share in taken), left),
        layouts=(),
    )
    return _looked_into(found, lines)


def _table(known: FormatSet, layout: CsvLayout, sample: Sequence[str]) -> Assignment:
    """The assignment of a source of separated values; what its messages hold is told from the sample."""
    form = next(form for form in known.formats if form.kind == "csv")
    text = next(form for form in known.formats if form.kind == "text")
    separator = "tab" if layout.separator == "\t" else layout.separator
    what = f"{len(layout.names)} columns separated by {separator}, " + ("a header" if layout.head else "no header")
    records = [record for record, _ in records_of(sample[layout.head :])]
    found = Assignment((form, text), known, (what, "empty lines"), (1.0, 0.0), table=layout, sample=tuple(records))
    return _looked_into(found, pl.Series("line", records, dtype=pl.String))


def objects_of_table(known: FormatSet, columns: Sequence[str], sample_lines: Sequence[str]) -> Assignment:
    """The assignment of a table whose rows come as JSON objects: see `FormatSet.for_table`."""
    form = replace(next(form for form in known.formats if form.kind == "csv"), name="parquet", title="Parquet")
    text = next(form for form in known.formats if form.kind == "text")
    layout = CsvLayout("", tuple(columns), 0, objects=True)
    sample = tuple(sample_lines[:SAMPLE])
    what = f"{len(columns)} columns of a table"
    found = Assignment((form, text), known, (what, "nothing"), (1.0, 0.0), table=layout, sample=sample)
    return _looked_into(found, pl.Series("line", sample, dtype=pl.String))


def _possible(forms: Sequence[Format], sample: Sequence[str]) -> list[Format]:
    """Those of which the sample holds what each line of theirs must; columns fitted to its headers."""
    room = max(_ROOM, _ROOM * SAMPLE // max(1, len(sample)))
    joined = "\n".join(line[:room] for line in sample if line)
    wanted = {text for form in forms for text in (*form.needs, *map(_member, form.members))}
    held = _held(joined, wanted)
    out = []
    for form in forms:
        if (form.needs and held.isdisjoint(form.needs)) or not held.issuperset(map(_member, form.members)):
            continue
        form = fitted(form, sample) if form.kind == "columns" else form
        if form.kind != "columns" or form.patterns:
            out.append(form)
    return out


def _member(name: str) -> str:
    return f'"{name}"'


def _held(text: str, wanted: Collection[str]) -> set[str]:
    """Which of some texts occur in another: the long ones in one pass, those of a sign or two at their first place."""
    held = {each for each in wanted if len(each) <= _BRIEF and each in text}
    longer = sorted(each for each in wanted if len(each) > _BRIEF)
    if longer:
        found = pl.Series([text]).str.extract_many(longer, overlapping=True).explode().unique()
        held.update(found.drop_nulls())
    return held


def _looked_into(outer: Assignment, lines: pl.Series) -> Assignment:
    """An assignment with what its wrappers hold, and how their lines are joined, told from the sample."""
    inner, several = _inside(outer, lines)
    joins = any(form.joins for form in outer.formats)
    found = replace(outer, inner=inner, joined=joins and several)
    readers = make_parser(found, zone="UTC", reference_us=0, source_name="").readers
    goes_on = any((told := reader.goes_on(lines)) is not None and told.count() for reader in readers)
    return replace(found, goes_on=goes_on)


def _inside(outer: Assignment, lines: pl.Series) -> tuple[tuple[Format, ...] | None, bool]:
    """Formats of what the wrappers of an assignment hold, told from the sample, and whether one is of several lines.

    None: there is no wrapper.
    """
    if not any(form.kind in WRAPPERS for form in outer.formats):
        return None, False
    known = outer.known
    peeled = make_parser(replace(outer, inner=()), zone="UTC", reference_us=0, source_name="").bodies(lines)
    for _ in range(2):
        held = [form for form in known.formats if form.kind == "docker"]
        if not held or not peeled.str.starts_with('{"log":').any():
            break
        docker = Assignment((*held, outer.formats[-1]), known, (), inner=())
        peeled = make_parser(docker, zone="UTC", reference_us=0, source_name="").bodies(peeled)
    if not len(peeled):
        return None, False
    inner = [form for form in known.formats if form.kind not in WRAPPERS | {"text"}]
    candidates = _possible(inner, peeled.to_list())
    shares, _ = _shares(known, candidates, peeled)
    told = {
        form.name: _fitted_members(known, form, peeled.to_list())
        for form in candidates
        if shares.get(form.name, 0.0) > 0
    }
    # A sample is short: what is read inside any message is read inside this source's too; but what only firewalls and
    # daemons send to syslog costs every line of an application's container a look.
    syslog = any(form.kind in {"rfc5424", "rfc3164"} for form in outer.formats)
    possible = {form.name for form in (inner if syslog else candidates)}
    several = any(form.multiline and shares.get(form.name, 0.0) >= LEAST for form in candidates)
    chosen = (form for form in inner if form.name in told or (form.inside and form.name in possible))
    return tuple(told.get(form.name, form) for form in chosen), several


def _fitted_members(known: FormatSet, form: Format, sample: Sequence[str]) -> Format:
    """A general format of JSON with the names that the sample's objects have for its columns."""
    if form.kind != "json" or form.members:
        return form
    texts = list(sample)
    if form.multiline:
        text = next(each for each in known.formats if each.kind == "text")
        alone = make_parser(Assignment((form, text), known, (), inner=()), zone="UTC", reference_us=0, source_name="")
        lines = pl.DataFrame({"text": texts}).with_columns(record=alone.starts(pl.Series(texts)).cum_sum())
        texts = lines.group_by("record", maintain_order=True).agg(pl.col("text").str.join("\n"))["text"].to_list()
        form = as_product(form, [each for each in known.formats if each.kind == "json" and each.members], texts)
    return fitted_members(form, texts)


_ASKED = 16
_asked: OrderedDict[tuple[int, ...], tuple[tuple[Format, ...], SourceParser]] = OrderedDict()
"""Parsers of the newest candidates, which are kept with them: they are told by identity."""
_asked_lock = threading.Lock()


def _asking(known: FormatSet, candidates: tuple[Format, ...]) -> SourceParser:
    """A parser that tells which of the candidates takes a line; of many sources alike the same one."""
    text = next(form for form in known.formats if form.kind == "text")
    asked = tuple(map(id, (*candidates, text)))
    with _asked_lock:
        found = _asked.get(asked)
        if found is None:
            everything = Assignment((*candidates, text), known, (), inner=())
            parser = make_parser(everything, zone="UTC", reference_us=0, source_name="")
            found = _asked[asked] = ((*candidates, text), parser)
            while len(_asked) > _ASKED:
                _asked.popitem(last=False)
        return found[1]


def _shares(known: FormatSet, candidates: Sequence[Format], lines: pl.Series) -> tuple[dict[str, float], pl.Series]:
    """Per format the share of lines it is the first to match, and the lines that none does."""
    if not len(lines):
        return {}, lines
    text = next(form for form in known.formats if form.kind == "text")
    parser = _asking(known, tuple(candidates))
    names = parser.columns(lines, ["format"])["format"]
    counts = names.value_counts()
    shares = {row["format"]: row["count"] / len(lines) for row in counts.to_dicts()}
    return shares, lines.filter(names == text.name)
