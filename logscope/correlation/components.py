"""Connected components and degrees over (record, node) pairs, vectorised.

Only star edges are made within a record, so a record or a value that holds very many never costs a
quadratic step.
"""

from __future__ import annotations

import polars as pl

from logscope.correlation.growing import distinct_pairs

WIDE_RECORD = 16
"""A record with more nodes counts towards degrees as a star around its first node only."""


def chain_edges(pairs: pl.DataFrame) -> pl.DataFrame:
    """Distinct edges that tie the nodes of each record together.

    Args:
        pairs: `pos` and `node`, ordered by `pos`.

    Returns:
        `a`, `b`: one edge less than a record has nodes.
    """
    return distinct_pairs(
        pairs.select(a=pl.col("node").shift(1), b=pl.col("node"), same=pl.col("pos") == pl.col("pos").shift(1))
        .filter("same")
        .select("a", "b")
    )


def components(nodes: pl.Series, edges: pl.DataFrame, total: int) -> pl.Series:
    """The least node of each node's connected component.

    Min-label hooking and pointer jumping; the number of rounds is logarithmic in practice.

    Args:
        nodes: Distinct nodes (UInt32).
        edges: `a`, `b` among them.
        total: More than the greatest node.

    Returns:
        Labels (UInt32), as high as `nodes` and in its order.
    """
    if edges.is_empty():
        return nodes
    if len(nodes) * 4 >= total:
        return _hook(edges, total).gather(nodes)
    order = nodes.sort()
    compact = edges.select(pl.Series(name, order.search_sorted(edges[name]), dtype=pl.UInt32) for name in ("a", "b"))
    labels = order.gather(_hook(compact, len(order)))
    return labels.gather(order.search_sorted(nodes))


def _hook(edges: pl.DataFrame, total: int) -> pl.Series:
    label = pl.int_range(0, total, eager=True, dtype=pl.UInt32)
    while True:
        edges = distinct_pairs(
            pl.DataFrame({"a": label.gather(edges["a"]), "b": label.gather(edges["b"])}).filter(
                pl.col("a") != pl.col("b")
            )
        )
        if edges.is_empty():
            return label
        hooks = (
            edges.select(high=pl.max_horizontal("a", "b"), low=pl.min_horizontal("a", "b"))
            .group_by("high")
            .agg(pl.col("low").min())
        )
        label = label.scatter(hooks["high"], hooks["low"])
        while not ((jumped := label.gather(label)) == label).all():
            label = jumped


def neighbours(pairs: pl.DataFrame) -> pl.DataFrame:
    """Distinct (node, other) of different keys that stand in one record, both ways.

    Args:
        pairs: `pos`, `node`, `key`, ordered by `pos`, then `key` and value.
    """
    same = (pl.col("pos") == pl.col("pos").shift(1)).fill_null(False)
    several = pairs.filter(same | same.shift(-1).fill_null(False))
    narrow, wide = several, several.clear()
    if (several["pos"] == several["pos"].shift(WIDE_RECORD)).any():
        several = several.with_columns(width=pl.len().over("pos"))
        narrow = several.filter(pl.col("width") <= WIDE_RECORD)
        wide = several.filter(pl.col("width") > WIDE_RECORD)
    found = []
    for lag in range(1, WIDE_RECORD):
        step = narrow.select(
            "node",
            other=pl.col("node").shift(lag),
            use=(pl.col("pos") == pl.col("pos").shift(lag)) & (pl.col("key") != pl.col("key").shift(lag)),
            same=pl.col("pos") == pl.col("pos").shift(lag),
        )
        if not step["same"].any():
            break
        found.append(distinct_pairs(step.filter("use").select("node", "other")))
    if wide.height:
        first = pl.col("node").first().over("pos")
        star = wide.with_columns(other=first, centre=pl.col("key").first().over("pos"))
        found.append(star.filter(pl.col("key") != pl.col("centre")).select("node", "other").unique())
    if not found:
        return pl.DataFrame(schema={"node": pl.UInt32, "other": pl.UInt32})
    one_way = pl.concat(found)
    return distinct_pairs(pl.concat([one_way, one_way.select(node="other", other="node")]))
