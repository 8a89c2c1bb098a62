"""How keys relate in a sample, and what links at a grain."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import polars as pl

from logscope.correlation.linker import Linker
from logscope.correlation.plan import Level, Plan
from logscope.records.schema import ROW
from logscope.text import clean

ONE = 0.9
"""From this share of values on, "exactly one" is taken for the rule."""
MOST_BESIDE = 8
"""Values of one key in one record that are looked at."""
GLUE_FACTOR = 5
"""A key may let the largest transaction grow so many times, not more."""
GLUE_APART = 50
"""Records up to which a transaction may grow in any case, by a key that never stands beside the grain."""
GLUE_BESIDE = 1000
"""The same for a key that its values are seen to belong to one value of the grain."""


@dataclass(frozen=True)
class Relations:
    """Shares of values with exactly one value of another key beside them in a record."""

    one: dict[tuple[str, str], float]
    """(a, b): share of a's values, of those ever beside b, with exactly one b."""

    def beside(self, a: str, b: str) -> bool:
        """Whether the two ever stand in one record."""
        return (a, b) in self.one

    def parent(self, a: str, b: str) -> bool:
        """Whether one a holds many b, and each b has one a."""
        return self.beside(a, b) and self.one[b, a] >= ONE and self.one[a, b] < ONE

    def equal(self, a: str, b: str) -> bool:
        """Whether the two are 1:1."""
        return self.beside(a, b) and self.one[b, a] >= ONE and self.one[a, b] >= ONE


def relations(values: pl.DataFrame, names: list[str]) -> Relations:
    """From the keys' values that stand in one record.

    Args:
        values: KEY_VALUES of the sample.
        names: Names of the keys by place.
    """
    # A record that lists hundreds says no more than one that lists a few.
    slim = values.select(ROW, "key", "value").filter(pl.int_range(pl.len()).over(ROW, "key") < MOST_BESIDE)
    beside = slim.join(slim, on=ROW, suffix="_b").filter(pl.col("key") != pl.col("key_b"))
    pairs = beside.select("key", "value", "key_b", "value_b").unique()
    counts = pairs.group_by("key", "value", "key_b").len()
    shares = counts.group_by("key", "key_b").agg(one=(pl.col("len") == 1).mean(), n=pl.len())
    table = {(names[a], names[b]): share for a, b, share, n in shares.iter_rows() if n >= 3}
    return Relations({pair: share for pair, share in table.items() if (pair[1], pair[0]) in table})


@dataclass(frozen=True)
class Sample:
    """What grains are judged on."""

    values: pl.DataFrame
    """KEY_VALUES."""
    records: pl.DataFrame
    """`row`, `time`, `source_id`, `line`, `template`, `place` (the service, else the source)."""
    relations: Relations
    stats: dict[str, dict[str, float]]
    linked: dict[tuple[str | None, frozenset[str], int], pl.DataFrame] = field(default_factory=dict, compare=False)
    """What was linked so far, by grain, link set and hub limit."""


def members_at(sample: Sample, plan: Plan, grain: str | None, links: Collection[str]) -> pl.DataFrame:
    """MEMBERS of the sample with these keys linking at a grain, coarser ones left out."""
    state = (grain, frozenset(links), plan.hub_degree)
    if state not in sample.linked:
        linker = Linker(Plan(plan.keys, grain, levels=(Level(grain, tuple(links)),), hub_degree=plan.hub_degree))
        linker.add(sample.values, sample.records)
        sample.linked[state] = linker.members()
    return sample.linked[state]


def level_of(sample: Sample, plan: Plan, grain: str) -> Level:
    """The link set of a grain: finer and 1:1 keys, and those that tie no two of its values.

    A key that would glue (with which the largest transaction grows beyond measure) is left out, and
    the level's `why` says so.
    """
    found = sample.relations
    names = [key.name for key in plan.keys if key.links and key.name != grain]
    near = [name for name in names if found.parent(grain, name) or found.equal(grain, name)]
    coarser = [name for name in names if found.parent(name, grain)]
    apart = [name for name in names if not found.beside(grain, name) and name not in (*near, *coarser)]
    links, said = _unglued(sample, plan, grain, near)
    members = members_at(sample, plan, grain, links)
    for name in _by_strength(sample, apart):
        per_value, per_transaction = _ties(sample, plan, grain, name, members)
        if per_value >= ONE:
            more = members_at(sample, plan, grain, [*links, name])
            glue = _glue(sample, plan, name, members, more, GLUE_APART)
            if glue:
                said.append(glue)
            else:
                links, members = [*links, name], more
        elif per_transaction >= ONE:
            coarser.append(name)
    return Level(
        grain,
        tuple(name for name in names if name in links),
        tuple(name for name in names if name in coarser),
        "; ".join(said),
    )


def _by_strength(sample: Sample, names: list[str]) -> list[str]:
    def strength(name: str) -> tuple[float, str]:
        stats = sample.stats.get(name)
        return (-stats["support"] * stats["repeat"] if stats else 0.0, name)

    return sorted(names, key=strength)


def _unglued(sample: Sample, plan: Plan, grain: str, near: list[str]) -> tuple[list[str], list[str]]:
    """Finer and 1:1 keys that may link together, and what is said about the others."""
    if _largest(sample, plan, members_at(sample, plan, grain, near)) <= GLUE_BESIDE:
        return near, []
    start = members_at(sample, plan, grain, [])
    links: list[str] = []
    said: list[str] = []
    for name in _by_strength(sample, near):
        more = members_at(sample, plan, grain, [*links, name])
        glue = _glue(sample, plan, name, start, more, GLUE_BESIDE)
        if glue:
            said.append(glue)
        else:
            links, start = [*links, name], more
    return links, said


def _largest(sample: Sample, plan: Plan, members: pl.DataFrame) -> int:
    """Records of the largest transaction in which values were tied: what one value alone holds is no glue."""
    sizes = _tied(sample, plan, members)["records"]
    return int(sizes.max() or 0)  # type: ignore[arg-type]  # a count is an int


def _tied(sample: Sample, plan: Plan, members: pl.DataFrame) -> pl.DataFrame:
    """`transaction`, `records` of those beyond the least limit that hold several values of linking keys."""
    sizes = members.group_by("transaction").agg(records=pl.len()).filter(pl.col("records") > GLUE_APART)
    if sizes.is_empty():
        return sizes
    linking = [place for place, key in enumerate(plan.keys) if key.links]
    held = sample.values.filter(pl.col("key").is_in(linking)).select(ROW, "key", "value", "scope")
    large = members.filter(pl.col("transaction").is_in(sizes["transaction"].implode()))
    ties = held.join(large, on=ROW).group_by("transaction").agg(n=pl.struct("key", "value", "scope").n_unique())
    return sizes.join(ties.filter(pl.col("n") > 1), on="transaction", how="semi")


def _glue(sample: Sample, plan: Plan, name: str, before: pl.DataFrame, after: pl.DataFrame, least: int) -> str:
    """In words, with the value that bridges most, if a key lets the largest transaction grow too much."""
    tied = _tied(sample, plan, after).sort("records", "transaction", descending=[True, False])
    was, now = int(before["transaction"].unique_counts().max() or 0), int(tied["records"].max() or 0)  # type: ignore[arg-type]  # counts are ints
    if now <= max(GLUE_FACTOR * was, least) or plan.key(name).origin == "user":
        return ""
    rows = after.filter(pl.col("transaction") == tied["transaction"][0])[ROW]
    held = sample.values.filter((pl.col("key") == plan.place(name)) & pl.col(ROW).is_in(rows.implode()))
    bridges = held.join(before, on=ROW, how="left").group_by("value").agg(
        pl.col("transaction").n_unique().alias("n"), pl.len().alias("records")
    )  # fmt: skip
    bridge = bridges.sort(["n", "records", "value"], descending=[True, True, False]).row(0, named=True)
    return (
        f"{name} does not link: the largest transaction would grow from {was:,} to {now:,} records "
        f"({name}={clean(bridge['value'], cap=80)} alone ties {bridge['n']:,})"
    )


def _ties(sample: Sample, plan: Plan, grain: str, name: str, members: pl.DataFrame) -> tuple[float, float]:
    """Shares of a key's values in one transaction, and of transactions with one value of it."""
    held = sample.values.filter(pl.col("key") == plan.place(name)).select(ROW, "value", "scope")
    grained = sample.values.filter(pl.col("key") == plan.place(grain))[ROW]
    # Only transactions that hold a value of the grain count.
    real = members.filter(pl.col(ROW).is_in(grained.implode()))["transaction"].unique()
    ties = held.join(members.filter(pl.col("transaction").is_in(real.implode())), on=ROW)
    per_value = ties.group_by("value", "scope").agg(pl.col("transaction").n_unique().alias("n"))
    per_transaction = ties.group_by("transaction").agg(pl.struct("value", "scope").n_unique().alias("n"))
    if per_value.is_empty():
        return 1.0, 1.0
    return _ones(per_value["n"]), _ones(per_transaction["n"])


def _ones(counts: pl.Series) -> float:
    return float((counts <= 1).mean() or 0)  # type: ignore[arg-type]  # the mean of a Boolean is a float


def hubs_at(sample: Sample, plan: Plan) -> dict[str, list[str]]:
    """Values that tie too much together at the plan's grain, by key."""
    linker = Linker(plan)
    linker.add(sample.values, sample.records)
    found: dict[str, list[str]] = {}
    for key, value in linker.hubs().select("key", "value").iter_rows():
        found.setdefault(plan.keys[key].name, []).append(value)
    return found


def transitive(sample: Sample, plan: Plan, names: list[str]) -> Sample:
    """The sample with relations of keys that look 1:1 in single records told by what their values reach.

    An order stands beside one request only, its checkout; the webhook holds a reference of the order
    and a request of its own. So the order holds two requests, though no record says so.
    """
    direct = sample.relations
    one = dict(direct.one)
    for high in names:
        for low in names:
            if high == low or not direct.equal(high, low):
                continue
            others = (key.name for key in plan.keys if key.links and key.name != low)
            third = [name for name in others if direct.parent(high, name) or direct.equal(high, name)]
            if third:
                one[high, low] = _ones(fan_of(sample, plan, high, low, third))
    # Where both ends reach several there is no hierarchy to learn: single records are believed.
    unclear = {pair for pair in one if pair in direct.one and max(one[pair], one[pair[::-1]]) < ONE}
    return replace(sample, relations=Relations(one | {pair: direct.one[pair] for pair in unclear}))


def fan_of(sample: Sample, plan: Plan, high: str, low: str, links: list[str]) -> pl.Series:
    """How many values of one key the transactions of another hold, that key itself not linking; 0 left out."""
    members = members_at(sample, plan, high, [name for name in links if name != low])
    held = sample.values.filter(pl.col("key") == plan.place(high))[ROW]
    real = members.filter(pl.col(ROW).is_in(held.implode()))["transaction"].unique()
    lower = sample.values.filter(pl.col("key") == plan.place(low)).select(ROW, "value")
    found = lower.join(members.filter(pl.col("transaction").is_in(real.implode())), on=ROW)
    return found.group_by("transaction").agg(pl.col("value").n_unique().alias("n"))["n"]
