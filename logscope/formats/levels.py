"""Words and numbers to levels, vectorised.

Sources: `records.severity` for the names; bunyan's and pino's numbers are 10 (trace) to 60 (fatal).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from logscope.records import severity

WORD = (
    r"\b(TRACE|FINEST|FINER|FINE|VERBOSE|DEBUG|CONFIG|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE"
    r"|FATAL|CRITICAL|CRIT|ALERT|EMERG|PANIC|Trace|Debug|Info|Notice|Warn|Warning|Error|Critical|Fatal|Panic"
    r"|fatal error:|panicked at|Traceback \(most recent call last\)|trace:|debug:|info:|notice:|warn:|warning:|error:|err:|fatal:|panic:|critical:|crit:)(?:\W|$)"
)
"""A level among a line's first words; lower-case words only where a colon or brackets mark them; how programs end."""
_ENDS = {"fatal error": "fatal", "panicked at": "fatal", "traceback (most recent call last": "error"}

BRACKETED = r"\[(trace|debug|info|notice|warn|warning|error|err|crit|critical|alert|emerg|fatal)\]"

EARLY = 120
"""Characters of a line in which a level is looked for."""

NUMBERS = {str(number * 10): number for number in range(1, 7)}


def to_levels(words: pl.Series, extra: Mapping[str, str] | None = None) -> pl.Series:
    """Level numbers (UInt8, 0: none) of level words, any letter case.

    Args:
        words: String column of level names or bunyan/pino numbers.
        extra: Further words (lower case) to level names; `*` stands for all others.
    """
    table = {**severity.NAMES, **NUMBERS}
    for word, name in (extra or {}).items():
        table[word.lower()] = severity.level_number(name) or 0
    plain = words.str.strip_chars(" \t[]():<>|\"'").str.to_lowercase()
    found = plain.replace_strict(table, default=0, return_dtype=pl.UInt8).fill_null(0)
    if "*" in table:
        found = found.set((found == 0) & (plain != "").fill_null(False), table["*"])
    # Go's slog writes levels between the named ones as ERROR+2.
    between = (found == 0) & plain.str.contains(r"^[a-z]+[+-][0-9]+$").fill_null(False)
    if not between.any():
        return found
    bare = plain.filter(between).str.replace(r"[+-][0-9]+$", "")
    return found.scatter(between.arg_true(), bare.replace_strict(table, default=0, return_dtype=pl.UInt8))


def level_by_word(raw: pl.Series) -> pl.Series:
    """Level numbers by a word among the first `EARLY` characters of each record."""
    early = raw.str.slice(0, EARLY)
    words = early.str.extract(WORD, 1)
    missing = words.is_null()
    if missing.any():
        words = words.zip_with(~missing, early.str.extract(BRACKETED, 1))
    return to_levels(words, _ENDS)


def http_levels(status: pl.Series) -> pl.Series:
    """Levels of HTTP statuses: 5xx error, 4xx warn, else info; 0 where there is none.

    Args:
        status: String or integer column.
    """
    number = status.cast(pl.Int64, strict=False)
    frame = pl.DataFrame({"s": number})
    return frame.select(
        pl.when(pl.col("s").is_null())
        .then(severity.NONE)
        .when(pl.col("s") >= 500)
        .then(severity.ERROR)
        .when(pl.col("s") >= 400)
        .then(severity.WARN)
        .otherwise(severity.INFO)
        .cast(pl.UInt8)
        .alias(status.name)
    ).to_series()
