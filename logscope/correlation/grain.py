"""How keys relate, what links at a grain, and which grain describes the log most shortly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

from logscope.correlation.linker import Linker
from logscope.correlation.plan import Level, Plan
from logscope.records.schema import ROW

ONE = 0.9
"""From this share of values on, "exactly one" is taken for the rule."""
EVIDENCE_VALUES = 1000
"""Values of the coarser key that the description is measured on: unbounded, any merge looks good in the end."""
MODELS = 64
"""Types of transactions that others may be told by."""
EDITS = 3
"""Records by which a transaction may differ from the type that it is told by (lost, retried, polled)."""
CLEAR = 0.8
"""Between this ratio and its inverse both grains are plausible, and it is said."""


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
    slim = values.select(ROW, "key", "value")
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


def members_at(sample: Sample, plan: Plan) -> pl.DataFrame:
    """MEMBERS of the sample under a plan."""
    linker = Linker(plan)
    linker.add(sample.values, sample.records)
    return linker.members()


def level_of(sample: Sample, plan: Plan, grain: str) -> Level:
    """The link set of a grain: finer and 1:1 keys, and those that tie no two of its values."""
    found = sample.relations
    names = [key.name for key in plan.keys if key.links and key.name != grain]
    links, coarser, apart = [], [], []
    for name in names:
        if found.parent(grain, name) or found.equal(grain, name):
            links.append(name)
        elif found.parent(name, grain):
            coarser.append(name)
        elif not found.beside(grain, name):
            apart.append(name)
    for name in apart:
        probe = Plan(plan.keys, grain, levels=(Level(grain, tuple(links)),), hub_degree=plan.hub_degree)
        place = plan.place(name)
        held = sample.values.filter(pl.col("key") == place).select(ROW, "value", "scope")
        grained = sample.values.filter(pl.col("key") == plan.place(grain))[ROW]
        # Only transactions that hold a value of the grain count.
        members = members_at(sample, probe)
        real = members.filter(pl.col(ROW).is_in(grained.implode()))["transaction"].unique()
        ties = held.join(members.filter(pl.col("transaction").is_in(real.implode())), on=ROW)
        per_value = ties.group_by("value", "scope").agg(pl.col("transaction").n_unique().alias("n"))
        per_transaction = ties.group_by("transaction").agg(pl.struct("value", "scope").n_unique().alias("n"))
        if per_value.is_empty() or float((per_value["n"] <= 1).mean() or 0) >= ONE:  # type: ignore[arg-type]
            links.append(name)
        elif float((per_transaction["n"] <= 1).mean() or 0) >= ONE:  # type: ignore[arg-type]
            coarser.append(name)
    return Level(
        grain, tuple(name for name in names if name in links), tuple(name for name in names if name in coarser)
    )


def description_length(rows: pl.DataFrame, members: pl.DataFrame) -> float:
    """Bits that describe records as transactions, each a multiset of templates.

    Args:
        rows: `row`, `template`.
        members: MEMBERS; records in none stand alone.
    """
    placed = rows.join(members, on=ROW, how="left")
    alone = pl.col(ROW).cast(pl.Int64) * -1 - 1
    placed = placed.with_columns(owner=pl.coalesce(pl.col("transaction").cast(pl.Int64), alone))
    bags = placed.group_by("owner", "template").len().sort("owner", "template")
    kinds = bags.group_by("owner", maintain_order=True).agg("template", "len")
    types = (
        kinds.group_by("template", "len").agg(n=pl.len()).sort("n", "template", "len", descending=[True, False, False])
    )
    total = float(types["n"].sum())
    per_template = math.log2(max(rows["template"].n_unique(), 1)) + 2
    models: list[dict[int, int]] = []
    bits = 0.0
    for templates, counts, n in types.iter_rows():
        bag = dict(zip(templates, counts, strict=True))
        # A lost record, a retry or one poll more is told as a difference from a common type, not spelled anew.
        near = (_difference(bag, model, per_template) + 1 + math.log2(len(models)) for model in models)
        bits += min(len(bag) * per_template, *near, math.inf) - n * math.log2(n / total)
        if len(models) < MODELS:
            models.append(bag)
    return bits


def _difference(bag: dict[int, int], model: dict[int, int], per_template: float) -> float:
    """Bits that turn one type into another; only a few records may differ, or any two would be alike."""
    templates = bag.keys() | model.keys()
    if abs(len(bag) - len(model)) > EDITS:
        return math.inf
    edits = sum(abs(bag.get(template, 0) - model.get(template, 0)) for template in templates)
    return edits * per_template if edits <= EDITS else math.inf


@dataclass(frozen=True)
class Climb:
    """A coarser grain against a finer one."""

    parent: str
    child: str
    ratio: float | None
    """Description at the parent's grain over that at the child's; None: no evidence."""
    reason: str

    @property
    def better(self) -> bool:
        """Whether to climb."""
        return self.ratio is not None and self.ratio <= 1.0

    def words(self) -> str:
        """One line for users."""
        if self.ratio is None:
            return f"{self.parent} over {self.child}: {self.reason}"
        change = f"{abs(1 - self.ratio):.0%} {'shorter' if self.ratio <= 1 else 'longer'}"
        unsure = "; both are plausible" if CLEAR < self.ratio < 1 / CLEAR else ""
        return f"{self.parent} over {self.child}: description {change}{unsure}"


def climb(sample: Sample, plan: Plan, parent: Level, child: Level, max_span_us: int) -> Climb:
    """Whether the transactions of the parent predict more than those of the child (rule R6)."""
    high, low = str(parent.grain), str(child.grain)
    counts = (
        sample.values.filter(pl.col("key") == plan.place(high))
        .select(ROW, "value")
        .join(sample.values.filter(pl.col("key") == plan.place(low)).select(ROW, child="value"), on=ROW)
    )
    fan = counts.group_by("value").agg(pl.col("child").n_unique().alias("n"))["n"]
    several = int((fan >= 2).sum())
    if several < max(5, 0.1 * sample.stats[high]["distinct"]):
        return Climb(high, low, None, f"only {several} of its values hold several {low}")
    if float(fan.quantile(0.95) or 0) > 50:
        return Climb(high, low, None, f"its values hold more than 50 {low}")
    if sample.stats[high]["lasting"] * 1e6 > max_span_us:
        return Climb(high, low, None, "its values last longer than the span of a transaction")
    if low not in parent.links:
        return Climb(high, low, None, f"{low} ties several {high} together")
    at_high = members_at(sample, Plan(plan.keys, high, levels=(Level(high, parent.links),)))
    held = sample.values.filter(pl.col("key") == plan.place(high)).select(ROW, "value")
    wanted = (
        held.select("value").unique().with_columns(h=pl.col("value").hash(1)).sort("h", "value").head(EVIDENCE_VALUES)
    )
    chosen = held.join(wanted, on="value", how="semi").select(ROW).unique()
    owners = at_high.join(chosen, on=ROW, how="semi")["transaction"].unique()
    at_high = at_high.filter(pl.col("transaction").is_in(owners.implode()))
    rows = sample.records.select(ROW, "template").join(at_high.select(ROW).unique(), on=ROW, how="semi")
    at_low = members_at(sample, Plan(plan.keys, low, levels=(Level(low, child.links),)))
    ratio = description_length(rows, at_high) / max(description_length(rows, at_low), 1e-9)
    return Climb(high, low, ratio, "")


def choose(sample: Sample, plan: Plan, levels: dict[str, Level], max_span_us: int) -> tuple[str | None, str]:
    """The grain and why, in words, against its neighbours up and down.

    Args:
        sample: The evidence.
        plan: Keys.
        levels: Link sets of the strong keys worth a thought.
        max_span_us: A transaction's usual limit.
    """
    if not levels:
        return None, "no key repeats in a way that tells transactions apart"
    total = max(sample.records.height, 1)

    def score(name: str) -> tuple[float, str]:
        stats = sample.stats[name]
        return (stats["support"] / total * (0.5 + 0.5 * stats["xs"]) * stats["repeat"], name)

    base = max(levels, key=score)
    tried: dict[tuple[str, str], Climb] = {}

    def over(parent: str, child: str) -> Climb:
        if (parent, child) not in tried:
            tried[parent, child] = climb(sample, plan, levels[parent], levels[child], max_span_us)
        return tried[parent, child]

    chosen = base
    for _ in range(len(levels)):
        down = [
            child for child in levels
            if sample.relations.parent(chosen, child) and sample.stats[child]["xs"] >= 0.3
            and sample.stats[child]["support"] >= 0.3 * sample.stats[chosen]["support"] and not over(chosen, child).better
        ]  # fmt: skip
        if not down:
            break
        chosen = max(down, key=score)
    lowest = chosen
    for _ in range(len(levels)):
        up = [parent for parent in levels if sample.relations.parent(parent, chosen) and over(parent, chosen).better]
        if not up:
            break
        chosen = max(up, key=lambda name: (sample.stats[name]["support"], name))
    twins = [
        name
        for name in levels
        if sample.relations.equal(name, chosen) and sample.stats[name]["support"] > sample.stats[chosen]["support"]
    ]
    if twins:
        chosen = max(twins, key=lambda name: (sample.stats[name]["support"], name))
    said = [step.words() for (parent, child), step in tried.items() if chosen in (parent, child) or chosen == lowest]
    stats = sample.stats[chosen]
    told = f"{int(stats['distinct']):,} values in {stats['support'] / total:.0%} of the records, {stats['xs']:.0%} in several services"
    if not said:
        said = ["no coarser key was seen that its values join; the key that ties most records together"]
    return chosen, "; ".join([told, *said])
