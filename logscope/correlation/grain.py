"""Which grain describes the log most shortly."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import polars as pl

from logscope.correlation.classes import SHORT_LOG_SECONDS
from logscope.correlation.keys import bound, is_weak_name
from logscope.correlation.plan import Beside, Level, Plan
from logscope.correlation.relations import Sample, fan_of, members_at
from logscope.records.schema import ROW

EVIDENCE_VALUES = 1000
"""Values of the coarser key that the description is measured on: unbounded, any merge looks good in the end."""
MODELS = 64
"""Types of transactions that others may be told by."""
EDITS, MOST_EDITS = 3, 6
"""Records by which a transaction may differ from the type that it is told by (lost, retried, polled): a quarter of
them, within these bounds. Without the upper one a session's hundred pages would be told by any other's."""
CROSSING = 0.1
"""A grain crosses services, if the finer one does; a batch job's own id is seen in the job's log alone,"""
REPEATS = 0.5
"""and most of what is logged of a batch says the same of each of its members."""
ENTITY = 0.5
"""What is named like a user or a thing needs more to be the grain: by nature many transactions share it."""
LONG_LIVED = 0.25
"""Share of the log that the values of a resource live through; a request's are soon over."""
STAYS_IN = 0.3
"""What a key counts for that stays in one service, of one that all its values leave."""
COVERS = 0.05
"""The grain stands in so many of one service's records: what is in fewer is not what the log is about."""
STAYS, LEAVES = 1.1, 0.9
"""The grain that was shown so far is left only for one that is clearly better."""
CLEAR = 0.8
"""Between this ratio and its inverse both grains are plausible, and it is said."""


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
    models: list[tuple[dict[int, int], int]] = []
    bits = 0.0
    for templates, counts, n in types.iter_rows():
        bag = dict(zip(templates, counts, strict=True))
        # A lost record, a retry or one poll more is told as a difference from a common type, not spelled anew.
        size = sum(counts)
        near = (
            _difference(bag, model, per_template) + 1 + math.log2(len(models))
            for model, records in models
            if abs(records - size) <= _edits(records)
        )
        bits += min(len(bag) * per_template, *near, math.inf) - n * math.log2(n / total)
        if len(models) < MODELS:
            models.append((bag, size))
    return bits


def _edits(records: int) -> int:
    return max(EDITS, min(records // 4, MOST_EDITS))


def _difference(bag: dict[int, int], model: dict[int, int], per_template: float) -> float:
    """Bits that turn one type into another; only a part of the records may differ, or any two would be alike."""
    limit = _edits(sum(model.values()))
    if abs(len(bag) - len(model)) > limit:
        return math.inf
    more = sum(max(count - model.get(template, 0), 0) for template, count in bag.items())
    less = sum(max(count - bag.get(template, 0), 0) for template, count in model.items())
    # What is absent is one of the few that the type has; what is added is one of all.
    return more * per_template + less * (math.log2(len(model)) + 1) if more + less <= limit else math.inf


@dataclass(frozen=True)
class Climb:
    """A coarser grain against a finer one."""

    parent: str
    child: str
    ratio: float | None
    """Description at the parent's grain over that at the child's; None: no evidence."""
    reason: str
    limit: float = 1.0
    """Up to this ratio it is better."""

    @property
    def better(self) -> bool:
        """Whether to climb."""
        return self.ratio is not None and self.ratio <= self.limit

    def words(self) -> str:
        """One line for users."""
        return f"{self.parent} over {self.child}: {self.verdict()}"

    def verdict(self) -> str:
        """What came out, in words."""
        if self.ratio is None:
            return self.reason
        change = f"{abs(1 - self.ratio):.0%} {'shorter' if self.ratio <= 1 else 'longer'}"
        unsure = "; both are plausible" if CLEAR < self.ratio < 1 / CLEAR else ""
        entity = "; not enough for what is named like a user" if self.limit <= ENTITY < self.ratio <= 1 else ""
        kept = "; too little to leave what was shown" if not entity and (self.ratio <= 1) != self.better else ""
        return f"description {change}{unsure}{entity}{kept}"


def climb(sample: Sample, plan: Plan, parent: Level, child: Level, max_span_us: int) -> Climb:
    """Whether the transactions of the parent predict more than those of the child (rule R6)."""
    high, low = str(parent.grain), str(child.grain)
    fan = fan_of(sample, plan, high, low, list(parent.links))
    several = int((fan >= 2).sum())
    if several < max(5, 0.1 * sample.stats[high]["distinct"]):
        return Climb(high, low, None, f"only {several} of its values hold several {low}")
    if float(fan.quantile(0.95) or 0) > 50:
        return Climb(high, low, None, f"its values hold more than 50 {low}")
    if sample.stats[high]["lasting"] * 1e6 > max_span_us:
        return Climb(high, low, None, "its values last longer than the span of a transaction")
    if low not in parent.links:
        return Climb(high, low, None, f"{low} ties several {high} together")
    at_high = members_at(sample, plan, high, parent.links)
    held = sample.values.filter(pl.col("key") == plan.place(high)).select(ROW, "value")
    wanted = (
        held.select("value").unique().with_columns(h=pl.col("value").hash(1)).sort("h", "value").head(EVIDENCE_VALUES)
    )
    chosen = held.join(wanted, on="value", how="semi").select(ROW).unique()
    owners = at_high.join(chosen, on=ROW, how="semi")["transaction"].unique()
    at_high = at_high.filter(pl.col("transaction").is_in(owners.implode()))
    rows = sample.records.select(ROW, "template").join(at_high.select(ROW).unique(), on=ROW, how="semi")
    if sample.records["place"].n_unique() > 1 and sample.stats[high]["xs"] < CROSSING <= sample.stats[low]["xs"]:
        again = _repetition(rows, at_high)
        if again > REPEATS:
            words = f"it is seen in one service only, and {again:.0%} of its records repeat others"
            return Climb(high, low, None, words)
    at_low = _without_hubs(sample, plan, high, members_at(sample, plan, low, child.links))
    ratio = description_length(rows, at_high) / max(description_length(rows, at_low), 1e-9)
    key = plan.key(high)
    return Climb(high, low, ratio, "", ENTITY if any(is_weak_name(bound(field)[0]) for field in key.fields) else 1.0)


def _without_hubs(sample: Sample, plan: Plan, high: str, members: pl.DataFrame) -> pl.DataFrame:
    """Transactions that hold more values of the coarser key than a value may tie are none: their records stand alone."""
    held = sample.values.filter(pl.col("key") == plan.place(high)).select(ROW, "value")
    ties = held.join(members, on=ROW).group_by("transaction").agg(n=pl.col("value").n_unique())
    hubs = ties.filter(pl.col("n") > plan.hub_degree)["transaction"]
    return members.filter(~pl.col("transaction").is_in(hubs.implode())) if len(hubs) else members


def _repetition(rows: pl.DataFrame, members: pl.DataFrame) -> float:
    """Share of records that say again what another record of the same transaction says."""
    bags = rows.join(members, on=ROW).group_by("transaction", "template").len()
    total = int(bags["len"].sum())
    return 1 - bags.height / total if total else 0.0


@dataclass(frozen=True)
class Choice:
    """The grain that `auto` takes."""

    grain: str | None
    why: str
    beside: tuple[Beside, ...] = ()


def choose(sample: Sample, plan: Plan, levels: dict[str, Level], max_span_us: int, seen: str | None = None) -> Choice:
    """The grain and why, in words, against its neighbours up and down.

    Args:
        sample: The evidence.
        plan: Keys.
        levels: Link sets of the strong keys worth a thought.
        max_span_us: A transaction's usual limit.
        seen: The grain that was shown so far.
    """
    if not levels:
        return Choice(None, "no key repeats in a way that tells transactions apart")
    total = max(sample.records.height, 1)

    def score(name: str) -> tuple[float, str]:
        stats = sample.stats[name]
        return (stats["support"] / total * (STAYS_IN + (1 - STAYS_IN) * stats["xs"]) * stats["repeat"], name)

    base = max(levels, key=score)
    most = max(stats["cover"] for stats in (sample.stats[name] for name in levels))
    if most < COVERS:
        return Choice(None, f"no key stands in {COVERS:.0%} of any service's records; the most is {base}, {most:.1%}")
    tried: dict[tuple[str, str], Climb] = {}

    def over(parent: str, child: str) -> Climb:
        if (parent, child) not in tried:
            step = climb(sample, plan, levels[parent], levels[child], max_span_us)
            stays = STAYS if parent == seen else LEAVES if child == seen else 1.0
            tried[parent, child] = replace(step, limit=step.limit * stays)
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
    if stats["span"] > LONG_LIVED and stats["lasting"] > SHORT_LOG_SECONDS:
        said.insert(0, f"its values live through {stats['span']:.0%} of the log: a resource rather than a request")
    once = [key.name for key in plan.keys if key.klass == "strong" and key.why.startswith("seen once each")]
    if stats["support"] < 0.5 * total and once:
        said.insert(
            0, f"the other records hold none of it; seen once each, so that they tie nothing: {', '.join(once[:5])}"
        )
    return Choice(chosen, "; ".join([told, *said]), _beside(sample, chosen, levels, tried))


def _beside(
    sample: Sample, chosen: str, levels: dict[str, Level], tried: dict[tuple[str, str], Climb]
) -> tuple[Beside, ...]:
    """The coarser and finer keys that could have been the grain, and why they are not."""
    total = max(sample.records.height, 1)
    found = []
    for name in levels:
        stats = sample.stats[name]
        figures = f"{int(stats['distinct']):,} values in {stats['support'] / total:.0%} of the records"
        if sample.relations.parent(name, chosen) or name in levels[chosen].coarser:
            steps = [step for (parent, _), step in tried.items() if parent == name]
            steps.sort(key=lambda step: (step.child != chosen, step.child))
            told = f"over {steps[0].child}: {steps[0].verdict()}" if steps else figures
            found.append(Beside(chosen, "up", name, told))
        elif sample.relations.parent(chosen, name):
            step = tried.get((chosen, name))
            told = f"{chosen} over it: {step.verdict()}" if step is not None else "ties less together"
            found.append(Beside(chosen, "down", name, f"{figures}; {told}"))
    return tuple(found)
