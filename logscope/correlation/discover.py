"""Finds keys and grain in a sample, without configuration.

No word of any particular log is known here: names veto and tip the scale, values decide.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import polars as pl

from logscope.correlation.columns import SAMPLE
from logscope.correlation.finding import find_keys
from logscope.correlation.given import given_statistics, given_values
from logscope.correlation.grain import choose
from logscope.correlation.keys import HOUR_US, Key
from logscope.correlation.plan import Level, Plan
from logscope.correlation.relations import Relations, Sample, hubs_at, level_of, relations, transitive
from logscope.correlation.reuse import reuse_gap
from logscope.correlation.spans import span_pair, with_trace, with_trees
from logscope.records.schema import KEY_VALUES, ROW
from logscope.text import clean, human_duration

LEVELS = 6
"""Grains that are looked at, at most."""


def find_plan(
    sample: pl.DataFrame,
    pairs: pl.DataFrame,
    *,
    given: Sequence[Key] = (),
    grain: str = "auto",
    seen: str | None = None,
    auto: bool = True,
    only: Collection[str] | None = None,
    max_gap_us: int | None = None,
    max_span_us: int = HOUR_US,
    idle_us: int = 5 * 60_000_000,
) -> Plan:
    """The plan for what a sample shows.

    Args:
        sample: Record frame of at most 200,000 records in whole stretches of time: `row`, `time`,
            `raw`, and as far as known `message`, `source`, `source_id`, `line`, `host`, `service`,
            `pid`, `template`, and `fields.NAME` for given keys.
        pairs: Their fields, long: `row`, `name`, `value`, `kind`.
        given: Keys from formats, configuration and the user; they win over found ones of that name.
        grain: `auto`, `none` or a key's name.
        seen: The grain that was shown so far: `auto` leaves it for a clearly better one only.
        auto: Whether to look for keys at all.
        only: Just these keys are active.
        max_gap_us: See Plan.
        max_span_us: See Plan.
        idle_us: See Plan.

    Raises:
        PlanError: `grain` or `only` names no key.
    """
    sample = _complete(sample.head(SAMPLE))
    pairs = pairs.join(sample.select(ROW), on=ROW, how="semi")
    keys: list[Key] = []
    stats: dict[str, dict[str, float]] = {}
    found_values = pl.DataFrame(schema=KEY_VALUES)
    refused: tuple[str, ...] = ()
    if auto:
        keys, stats, found_values, refused = find_keys(sample, pairs)
    keys = [key for key in keys if key.name not in {other.name for other in given}]
    plan = Plan(tuple(keys) + tuple(given), max_gap_us=max_gap_us, max_span_us=max_span_us, idle_us=idle_us)
    if only is not None:
        plan = plan.only(only)
    values = _found_values(found_values, list(stats), plan, given)
    plan, more, notices = given_values(sample, pairs, plan, given)
    values = pl.concat([values, more]).sort(ROW, "key", "value")
    stats.update(given_statistics(sample, values, plan, given))
    plan = replace(plan, notices=tuple(notices), refused=refused)
    evidence = Sample(
        values, sample.select(ROW, "time", "source_id", "line", "template", "place"), Relations({}), stats
    )
    names = [key.name for key in plan.keys]
    pair = span_pair(values)
    if pair is not None:
        plan = replace(plan, spans=(names[pair[0]], names[pair[1]]))
        plan = with_trace(evidence, plan) if only is None else plan
    linking = [place for place, key in enumerate(plan.keys) if key.links]
    evidence = replace(evidence, relations=relations(values.filter(pl.col("key").is_in(linking)), names))
    evidence, plan = _with_levels(evidence, plan, None if grain in ("auto", "none") else plan.key(grain).name)
    if grain == "none":
        plan = plan.with_grain(None)
    elif grain != "auto":
        plan = plan.with_grain(grain)
    else:
        levels = {level.grain: level for level in plan.levels if level.grain is not None}
        choice = choose(evidence, plan, levels, max_span_us, seen)
        if plan.spans is not None and choice.grain in plan.spans:
            evidence, plan = with_trees(evidence, plan)
        else:
            plan = replace(plan.with_grain(choice.grain, choice.why), beside=choice.beside)
    return _told(evidence, plan)


def _told(evidence: Sample, plan: Plan) -> Plan:
    """Say of each key what of it does not link at the plan's grain."""
    refused = {text.split(" ", 1)[0]: text for text in plan.level.why.split("; ") if " does not link" in text}
    hubs = hubs_at(evidence, plan)
    notices = [f"at grain {plan.grain}: {text}" for text in refused.values()]
    keys = []
    for key in plan.keys:
        why = key.why
        if key.name in refused:
            why += f"; at grain {plan.grain} it" + refused[key.name].removeprefix(key.name)
        if key.name in hubs:
            values = ", ".join(clean(value, cap=80) for value in hubs[key.name][:3])
            why += f"; hub: {len(hubs[key.name]):,} of its values tie too much together and do not link, like {values}"
            notices.append(f"key {key.name}: {len(hubs[key.name]):,} values are hubs and do not link, like {values}")
        keys.append(replace(key, why=why.removeprefix("; ")))
    return replace(plan, keys=tuple(keys), notices=(*plan.notices, *notices))


def _complete(sample: pl.DataFrame) -> pl.DataFrame:
    absent: dict[str, pl.Expr] = {
        "source_id": pl.lit(0, pl.UInt16), "line": pl.col(ROW), "source": pl.lit("", pl.String),
        "service": pl.lit(None, pl.String), "host": pl.lit(None, pl.String), "raw": pl.lit("", pl.String),
    }  # fmt: skip
    sample = sample.with_columns(**{name: value for name, value in absent.items() if name not in sample.columns})
    if "template" not in sample.columns:
        text = pl.col("message") if "message" in sample.columns else pl.col("raw")
        sample = sample.with_columns(template=_template(pl.coalesce(text, "raw").str.slice(0, 400)))
    place = pl.coalesce("service", "source")
    sample = sample.with_columns(
        place=place,
        template=pl.concat_str(place.fill_null(""), pl.lit(" "), pl.col("template").cast(pl.String).fill_null(""))
        .rank("dense")
        .cast(pl.UInt32),
    )
    return _ordered(sample)


def _template(text: pl.Expr) -> pl.Expr:
    """What a record says, without what it says it about: an id more or less makes no other template."""
    pairs = r"[\w.\-]+=(?:\"[^\"]*\"|\S*)"
    bare = text.str.replace_all(pairs, "").str.strip_chars()
    said = (
        pl.when(bare.str.contains(r"[A-Za-z]{2}"))
        .then(bare)
        .otherwise(text.str.replace_all(r"=(?:\"[^\"]*\"|\S+)", "=*"))
    )
    said = said.str.replace_all(r"\([^()]*\)", "*").str.replace_all(r"[^\s=\"]*\d[^\s\"]*|(?:^|\s)-(?:\s|$)", "*")
    return said.str.replace_all(r"\*(?:\s*\*)+", "*")


def _ordered(sample: pl.DataFrame) -> pl.DataFrame:
    """Records as they came; where no source has times of its own, side by side by their place in each."""
    sources = sample.group_by("source_id").agg(pl.col("time").n_unique())
    if sources.height == 1 or (sources["time"] > 1).any():
        return sample.sort("time", "source_id", "line")
    along = pl.col("line").rank("ordinal").over("source_id") / pl.len().over("source_id")
    return sample.with_columns(_along=along).sort("_along", "source_id", "line").drop("_along")


def _found_values(found: pl.DataFrame, names: list[str], plan: Plan, given: Sequence[Key]) -> pl.DataFrame:
    """KEY_VALUES of keys that were found, by their places in the plan."""
    taken = {key.name for key in given}
    places = {key.name: place for place, key in enumerate(plan.keys) if key.name not in taken}
    mapping = {place: places[name] for place, name in enumerate(names) if name in places}
    values = found.filter(pl.col("key").is_in(list(mapping)))
    if not mapping:
        return values
    return values.with_columns(pl.col("key").replace_strict(mapping, return_dtype=pl.UInt16))


def _with_levels(evidence: Sample, plan: Plan, wanted: str | None) -> tuple[Sample, Plan]:
    """Parents of keys, and the link sets of the grains worth a thought; relations as they reach, too."""
    ranked = sorted(
        (key.name for key in plan.keys if key.links and key.klass == "strong" and key.name in evidence.stats),
        key=lambda name: -evidence.stats[name]["support"] * evidence.stats[name]["repeat"],
    )[:LEVELS]
    names = ranked + ([wanted] if wanted is not None and wanted not in ranked else [])
    plan = _without_stray_scopes(evidence, plan, bool(ranked))
    if not names:
        names = [key.name for key in plan.keys if key.links and key.name in evidence.stats][:1]
    evidence = transitive(evidence, plan, ranked)
    found = evidence.relations
    linking = [key.name for key in plan.keys if key.links]
    keys = tuple(
        replace(key, parents=tuple(name for name in linking if found.parent(name, key.name))) if key.links else key
        for key in plan.keys
    )
    plan = replace(plan, keys=keys)
    levels = [level_of(evidence, plan, name) for name in names]
    components = Level(None, tuple(key.name for key in plan.keys if key.links), why="plain components")
    return evidence, replace(plan, levels=(*levels, components))


def _without_stray_scopes(evidence: Sample, plan: Plan, strong: bool) -> Plan:
    """Scoped keys link on their own only where nothing better does; beside strong keys they glue."""
    total = max(evidence.records.height, 1)
    covered = max(
        (
            evidence.stats[key.name]["support"] / total
            for key in plan.keys
            if key.links and key.klass == "strong" and key.name in evidence.stats
        ),
        default=0.0,
    )
    keys = []
    for key in plan.keys:
        stats = evidence.stats.get(key.name)
        if key.klass == "scoped" and key.origin == "found" and stats is not None:
            alone = not strong or covered < 0.05
            if not (alone and stats["support"] >= 0.2 * total and stats["distinct"] >= 20 and stats["span"] < 0.1):
                key = replace(
                    key, active=False, why=key.why + "; not used: strong keys link better, or its values live too long"
                )
            else:
                key = _with_reuse(evidence, plan, key)
        keys.append(key)
    return replace(plan, keys=tuple(keys))


def _with_reuse(evidence: Sample, plan: Plan, key: Key) -> Key:
    """A scoped key with the silence after which its values were seen to begin anew."""
    gap = reuse_gap(evidence.values.filter(pl.col("key") == plan.place(key.name)), evidence.records)
    if gap is None:
        return key
    return replace(key, reuse_us=gap, why=f"{key.why}; after {human_duration(gap)} of silence they begin anew")
