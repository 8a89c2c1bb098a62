"""Which transaction a record stands in, given components of finer keys and values of the grain.

A transaction is named by a node: that of its grain value, or the least node of what holds it together.
"""

from __future__ import annotations

import polars as pl

from logscope.correlation.components import chain_edges, components
from logscope.correlation.growing import NONE, GrowingArray, distinct, distinct_pairs, within

BORN_CAP = 10
"""A component that touches more grain values than this is a list, and belongs to none of them."""


def assign(
    links: pl.DataFrame, grains: pl.DataFrame, label_of: pl.Series, first_pos: GrowingArray, total: int, most: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Owners of records: each value of the grain has a transaction of its own.

    A record that holds grain values stands in exactly those. Any other follows its component of
    finer keys: to the one value that the component touches; or, where it touches several, to those
    born in the part it belongs to; else the part is a transaction by itself.

    Args:
        links: `pos`, `node` of linking keys other than the grain, ordered by `pos`.
        grains: `pos`, `node` of the grain.
        label_of: Component of each pos, NONE if it holds no linking node (indexed by pos).
        first_pos: First record of each grain node (indexed by node).
        total: More than the greatest node.
        most: Values of the grain that a part may touch and still be something by itself.

    Returns:
        Distinct (`pos`, `owner`), and (`node`, `unit`) for nodes whose part is less than their component.
    """
    units = pl.DataFrame(schema={"node": pl.UInt32, "unit": pl.UInt32})
    first = links.filter((pl.col("pos") != pl.col("pos").shift(1)).fill_null(True))["pos"]
    held = pl.DataFrame({"pos": first, "label": label_of.gather(first)})
    direct = distinct_pairs(grains.select("pos", owner="node"))
    if direct.is_empty():
        return held.select("pos", owner="label"), units
    touching = distinct_pairs(
        pl.DataFrame({"label": label_of.gather(grains["pos"]), "node": grains["node"]}).filter(pl.col("label") != NONE)
    )
    counts = touching.group_by("label").agg(pl.len().alias("n"), pl.col("node").first())
    single = counts.filter(pl.col("n") == 1)
    several = counts.filter(pl.col("n") > 1)["label"]
    owner = pl.int_range(0, total, eager=True, dtype=pl.UInt32)
    owner = owner.scatter(single["label"], single["node"])
    records = len(label_of)
    bare = held.filter(~within(held["pos"], direct["pos"], records))
    if several.is_empty():
        return pl.concat([direct, bare.select("pos", owner=owner.gather(bare["label"]))]), units
    tangled = within(bare["label"], several, total)
    simple = bare.filter(~tangled)
    tied = links.filter(within(label_of.gather(links["pos"]), several, total))
    cut, units = _cut(tied, grains.filter(within(grains["pos"], tied["pos"], records)), first_pos, total, most)
    cut = cut.filter(within(cut["pos"], bare["pos"].filter(tangled), records))
    return pl.concat([direct, simple.select("pos", owner=owner.gather(simple["label"])), cut]), units


def _cut(
    links: pl.DataFrame, grains: pl.DataFrame, first_pos: GrowingArray, total: int, most: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Components that touch several grain values, taken apart where a node stands beside several of them.

    What hangs on one value only is that value's. The nodes in between (a list query, a checkout that
    was split) form parts of their own, together with what hangs on them alone. A part that touches more
    than `most` values of the grain, and has more records besides than these, is no list but a hub (the id
    of a service's own loop, which stands beside whatever it looks at): what is left of it is in none.
    """
    beside = links.join(grains.rename({"node": "grain"}), on="pos").select("node", "grain").unique()
    counts = beside.group_by("node").agg(pl.len().alias("n"))
    bridges = counts.filter(pl.col("n") > 1)["node"]
    inner = links.filter(~pl.col("node").is_in(bridges.implode()))
    inside = _parts(inner, total)
    owned = beside.join(inside, on="node").select("unit", "grain").unique()
    mine = inside.join(owned.select("unit").unique(), on="unit", how="semi")
    rest = _parts(links.join(mine.select("node"), on="node", how="anti", maintain_order="left"), total)
    shared = beside.join(rest, on="node").select("unit", "grain").unique()
    touched = pl.concat([owned, shared])
    units = pl.concat([mine, rest])
    # A record that holds a node of a value's own part belongs there; else to the part in between.
    ranked = pl.concat([mine.with_columns(rank=pl.lit(0)), rest.with_columns(rank=pl.lit(1))])
    placed = (
        links.join(ranked, on="node")
        .sort("pos", "rank")
        .group_by("pos", maintain_order=True)
        .agg(pl.col("unit").first())
    )
    grain_nodes = touched["grain"].unique()
    born = (
        pl.DataFrame({"grain": grain_nodes, "pos": first_pos.take(grain_nodes)})
        .join(placed, on="pos")
        .select("unit", "grain")
    )
    touched = touched.with_columns(n=pl.len().over("unit"))
    owners = pl.concat(
        [
            touched.filter(pl.col("n") == 1).select("unit", "grain"),
            touched.filter((pl.col("n") > 1) & (pl.col("n") <= BORN_CAP))
            .join(born, on=["unit", "grain"], how="semi")
            .select("unit", "grain"),
        ]
    )
    wide = touched.filter(pl.col("n") > most).unique("unit").select("unit", "n")
    if wide.height:
        besides = placed.join(grains.select("pos"), on="pos", how="anti").join(wide, on="unit")
        hubs = besides.group_by("unit").agg(records=pl.len(), n=pl.col("n").first())
        placed = placed.join(hubs.filter(pl.col("records") > pl.col("n")), on="unit", how="anti")
    found = placed.join(owners, on="unit", how="left").select("pos", owner=pl.coalesce("grain", "unit"))
    return found.unique(), units


def _parts(links: pl.DataFrame, total: int) -> pl.DataFrame:
    nodes = distinct(links["node"], total)
    return pl.DataFrame(
        {"node": nodes, "unit": components(nodes, chain_edges(links), total)},
        schema={"node": pl.UInt32, "unit": pl.UInt32},
    )
