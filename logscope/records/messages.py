r"""Lines of a listener's spool: receipt, peer and flags before each message.

`<receipt in microseconds, 16 digits> <peer> <flags> <message>`; flags are `-` or letters: `e` the
message is escaped (LF as `\n`, backslash as `\\`), `t` it was cut at the size limit, `p` its frame
was cut by the end of the connection.
"""

from __future__ import annotations

import polars as pl

from logscope.records import schema


def split_messages(lines: pl.Series) -> pl.DataFrame:
    """Spool lines to `received` (Datetime us UTC), `peer`, `flags`, `raw`.

    Args:
        lines: String column of spool lines without their line ends.

    Returns:
        A frame of the same height; a line that is none of ours is all `raw`.
    """
    parts = lines.to_frame("line").select(
        pl.col("line"),
        pl.col("line").str.splitn(" ", 4).struct.rename_fields(["received", "peer", "flags", "raw"]).alias("parts"),
    )
    frame = parts.unnest("parts").with_columns(
        received=pl.col("received").cast(pl.Int64, strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
    )
    ours = pl.col("received").is_not_null()
    frame = frame.select(
        pl.col("received").cast(schema.TIME),
        pl.when(ours).then("peer").alias("peer"),
        pl.when(ours).then("flags").otherwise(pl.lit("-")).fill_null("-").alias("flags"),
        pl.when(ours).then(pl.col("raw").fill_null("")).otherwise("line").alias("raw"),
    )
    escaped = frame["flags"].str.contains("e", literal=True)
    if not escaped.any():
        return frame
    mended = pl.Series(
        "raw",
        [
            _unescape(text) if flag else text
            for text, flag in zip(frame["raw"].to_list(), escaped.to_list(), strict=True)
        ],
        dtype=pl.String,
    )
    return frame.with_columns(mended)


def _unescape(text: str) -> str:
    return "\\".join(part.replace("\\n", "\n") for part in text.split("\\\\"))
