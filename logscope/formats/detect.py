"""Which formats a source's lines are read by: every format is tried on a sample, the reasons are said.

Formats are tried in order, specific ones before general ones; each takes the lines it matches first,
so its score is the share of lines that no more specific one took. A format that takes too few lines
of a sample to be more than chance is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from logscope.formats import guess
from logscope.formats.lines import CONTINUES
from logscope.formats.loader import Assignment, FormatSet
from logscope.formats.model import Format
from logscope.formats.parser import make_parser

SAMPLE = 1000
"""Lines of a sample that are looked at, at most."""

LEAST = 0.02
"""Share of lines below which a format is left out, unless it is all that matched."""


def detect(known: FormatSet, sample_lines: Sequence[str], *, name: str, forced: str | None = None) -> Assignment:
    """The formats of a source in order, `text` last: see `FormatSet.detect`.

    Raises:
        FormatError: `forced` names no format.
    """
    text = next(form for form in known.formats if form.kind == "text")
    if forced is not None:
        form = known.get(forced)
        chosen = (form,) if form.kind == "text" else (form, text)
        return Assignment(chosen, known, ("given by the user", "what the given one does not match")[: len(chosen)])
    lines = pl.Series("line", list(sample_lines[:SAMPLE]), dtype=pl.String).str.strip_chars_start("\ufeff")
    lines = lines.filter(~lines.str.contains(CONTINUES).fill_null(True))
    candidates = [form for form in known.formats if not form.inner_only and form.kind != "text"]
    shares, rest = _shares(known, candidates, lines)
    taken = [(form, shares[form.name]) for form in candidates if shares.get(form.name, 0.0) > 0]
    best = max((share for _, share in taken), default=0.0)
    taken = [(form, share) for form, share in taken if share >= LEAST or share == best]
    guessed = guess.leading_time(rest.to_list()) if len(rest) > len(lines) / 2 else None
    if guessed is not None:
        form, share = guessed
        taken.append((form, share * len(rest) / max(1, len(lines))))
    reasons = [f"{share:.0%} of {len(lines)} lines begin as {form.title} do" for form, share in taken]
    left = max(0.0, 1.0 - sum(share for _, share in taken))
    return Assignment(
        (*(form for form, _ in taken), text),
        known,
        (*reasons, f"the other {left:.0%}: free text"),
        (*(share for _, share in taken), left),
        layouts=(),
    )


def _shares(known: FormatSet, candidates: Sequence[Format], lines: pl.Series) -> tuple[dict[str, float], pl.Series]:
    """Per format the share of lines it is the first to match, and the lines that none does."""
    if not len(lines):
        return {}, lines
    text = next(form for form in known.formats if form.kind == "text")
    everything = Assignment((*candidates, text), known, ())
    parser = make_parser(everything, zone="UTC", reference_us=0, source_name="")
    names = parser.columns(lines, ["format"])["format"]
    counts = names.value_counts()
    shares = {row["format"]: row["count"] / len(lines) for row in counts.to_dicts()}
    return shares, lines.filter(names == text.name)
