"""A stable 64-bit hash of text, column-wise: what transaction ids are made of.

Polars' own hash may differ between versions and machines, and a hash per value in Python takes
seconds where transactions are counted in millions.
"""

from __future__ import annotations

from functools import cache

import polars as pl

_WORD = 8
_SPREAD = 0x9E37_79B9_7F4A_7C15
_MIX = 0xD6E8_FEB8_6659_FD93
_PART = 1 << 16


@cache
def _four_digits() -> pl.Series:
    """All numbers of 16 bits as four hexadecimal digits; made when first wanted, since it takes 70 ms."""
    return pl.Series([f"{number:04x}" for number in range(_PART)], dtype=pl.String)


def digest(texts: pl.Series) -> pl.Series:
    """64-bit hashes of texts, equal on every machine.

    The UTF-8 bytes, padded with NULs to words of 8, are taken in as little-endian numbers:
    `h = length * SPREAD`; for each word `h = mixed(h ^ word)`; in the end `h = mixed(h)`, where
    `mixed(x) = y ^ (y >> 32)` with `y = x * MIX` modulo 2^64.

    Args:
        texts: String, no nulls.

    Returns:
        UInt64, in the order of `texts`.
    """
    size = texts.str.len_bytes().cast(pl.UInt64)
    table = pl.DataFrame({"place": pl.int_range(0, len(texts), dtype=pl.UInt32, eager=True), "size": size})
    table = table.with_columns(text=(texts + "\0" * _WORD).cast(pl.Binary), h=pl.col("size") * _SPREAD)
    done = []
    at = 0
    while table.height:
        over = pl.col("size") <= at
        done.append(table.filter(over).select("place", "h"))
        table = table.filter(~over)
        # Where a text ends within the word, the NULs appended to it fill the rest.
        word = pl.col("text").bin.slice(at, _WORD).bin.reinterpret(dtype=pl.UInt64, endianness="little")
        table = table.with_columns(h=(pl.col("h") ^ word) * _MIX)
        table = table.with_columns(h=pl.col("h") ^ (pl.col("h") // (1 << 32)))
        at += _WORD
    if not done:
        return pl.Series("digest", [], dtype=pl.UInt64)
    final = pl.concat(done).sort("place").select(h=pl.col("h") * _MIX)
    return final.select(digest=pl.col("h") ^ (pl.col("h") // (1 << 32))).to_series()


def hexadecimal(numbers: pl.Series) -> pl.Series:
    """16 hexadecimal digits of each UInt64."""
    digits = _four_digits()
    parts = [
        digits.gather(((numbers // (1 << shift)) % _PART).cast(pl.UInt32)).alias(str(shift))
        for shift in (48, 32, 16, 0)
    ]
    return pl.DataFrame(parts).select(pl.concat_str(pl.all())).to_series()
