"""`stats`: what was read, how transactions go, and how both differ from others."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from logscope.cli.opening import loaded, source_exit
from logscope.cli.output import Object, say, table, write_objects
from logscope.text import clean, human_count, human_duration

_MOST_SHAPES = 10
_MOST_TEMPLATES = 20


def run_stats(arguments: argparse.Namespace) -> int:
    """What was read, per source."""
    from logscope.engine.analysis.statistics import over_time, source_objects, transaction_objects

    if arguments.against:
        return _against(arguments)
    with loaded(arguments) as session:
        objects: list[Object] = list(source_objects(session))
        if arguments.transactions:
            objects += transaction_objects(session)
        for over in arguments.over:
            objects += over_time(session, over, every=arguments.every, most=arguments.most)
        write_objects(objects, arguments, people=_people)
        return source_exit(session, arguments)


def _people(objects: Iterator[Object]) -> Iterator[str]:
    every = list(objects)
    yield from _sources([entry for entry in every if "source" in entry and "over" not in entry])
    for entry in every:
        if "max_ms" in entry:
            spans = ", ".join(
                f"{name.removesuffix('_ms')} {human_duration(int(value * 1000))}"
                for name, value in entry.items()
                if name.endswith("_ms") and value is not None
            )
            yield f"{human_count(entry['transactions'])} transactions: {spans}"
    yield from _shapes([entry for entry in every if "shape" in entry])
    yield from _services([entry for entry in every if "service" in entry])
    yield from _hops([entry for entry in every if "caller" in entry])
    yield from _clocks([entry for entry in every if "clock" in entry])
    yield from _over_time([entry for entry in every if "over" in entry])


def _sources(entries: Sequence[Object]) -> Iterator[str]:
    rows = []
    for entry in entries:
        levels = entry.get("levels") or {}
        rows.append(
            [
                entry["source"],
                entry.get("format", "-"),
                human_count(entry.get("records", 0)),
                str(entry.get("unparsed", 0)),
                (entry.get("start") or "-")[:19],
                (entry.get("end") or "-")[:19],
                f"{entry['rate']:.1f}/s" if "rate" in entry else "-",
                " ".join(f"{name} {human_count(count)}" for name, count in levels.items()),
                entry.get("error", ""),
            ]
        )
    header = ["source", "format", "records", "unparsed", "start", "end", "rate", "levels", ""]
    yield from table(rows, header, right=(2, 3, 6))


def _span(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else human_duration(round(milliseconds * 1000))


def _shapes(entries: Sequence[Object]) -> Iterator[str]:
    if not entries:
        return
    yield ""
    rows = [
        [str(e["shape"]), human_count(e["transactions"]), f"{e['share']:.1%}", _span(e["p50_ms"]), _span(e["p95_ms"]),
         human_count(e["errors"]), str(len(e["steps"])), clean(" → ".join(e["services"]), cap=80)]
        for e in entries[:_MOST_SHAPES]
    ]  # fmt: skip
    header = ["shape", "transactions", "share", "p50", "p95", "errors", "steps", "services"]
    yield from table(rows, header, right=(0, 1, 2, 3, 4, 5, 6))
    if len(entries) > _MOST_SHAPES:
        yield f"and {len(entries) - _MOST_SHAPES} more shapes (--json tells all)"


def _services(entries: Sequence[Object]) -> Iterator[str]:
    if not entries:
        return
    yield ""
    rows = [
        [e["service"], human_count(e["transactions"]), human_count(e["records"]), human_count(e["errors"]),
         _span(e["p50_ms"]), _span(e["p95_ms"])]
        for e in entries
    ]  # fmt: skip
    yield from table(rows, ["service", "transactions", "records", "errors", "p50", "p95"], right=(1, 2, 3, 4, 5))


def _hops(entries: Sequence[Object]) -> Iterator[str]:
    if not entries:
        return
    yield ""
    rows = [
        [f"{e['caller']} → {e['callee']}", human_count(e["transactions"]), human_count(e["errors"]),
         _span(e["p50_ms"]), _span(e["p95_ms"])]
        for e in entries
    ]  # fmt: skip
    yield from table(rows, ["hands to", "transactions", "errors", "p50", "p95"], right=(1, 2, 3, 4))


def _clocks(entries: Sequence[Object]) -> Iterator[str]:
    if entries:
        yield ""
    for entry in entries:
        mend = f"  (--offset: {entry['offset_ms']:+.0f}ms)" if entry["offset_ms"] else ""
        yield clean(f"clock of {entry['clock']}: {entry['text']}{mend}")


def _over_time(entries: Sequence[Object]) -> Iterator[str]:
    """A line a value: its totals, and its records (else its detections) over time."""
    from logscope.layout.histogram import sparkline

    told: dict[tuple[str, str], list[Object]] = {}
    for entry in entries:
        told.setdefault((entry["over"], entry["value"]), []).append(entry)
    kind = ""
    for (over, value), buckets in told.items():
        total = buckets[0]
        if over != kind:
            kind = over
            yield ""
            yield f"{over} over time, {human_duration(round(total['every_ms'] * 1000))} a bar"
        figures = [
            f"{human_count(total['records'])} records" if total["records"] else "",
            f"{human_count(total['transactions'])} transactions" if total["transactions"] else "",
            f"{total['error_share']:.1%} failed" if total.get("error_share") else "",
            f"p50 {_span(total['p50_ms'])} p95 {_span(total['p95_ms'])} p99 {_span(total['p99_ms'])}"
            if "p50_ms" in total
            else "",
            f"✖ {human_count(total['detections'])}" if total["detections"] else "",
        ]
        counted = "records" if total["records"] else "transactions" if total["transactions"] else "detections"
        bars = [0.0] * total["stretches"]
        for bucket in buckets[1:]:
            bars[bucket["stretch"]] = bucket[counted]
        yield f"{clean(value, cap=24):<24} {sparkline(bars)}  {', '.join(part for part in figures if part)}"


def _against(arguments: argparse.Namespace) -> int:
    """What is new, gone, slower in some sources beside others."""
    from logscope.engine.analysis.differences import Differences, apart
    from logscope.engine.api import Cancel

    others = apart(arguments.sources, arguments.against)
    with loaded(
        argparse.Namespace(**(vars(arguments) | {"sources": [*arguments.sources, *arguments.against]}))
    ) as both:
        told = Differences(both, others, Cancel())
        write_objects(told.objects(), arguments, people=_differences)
        if not arguments.json and not arguments.output:
            grain, why = both.grain()
            say(f"transactions by {grain} ({why})")
        return source_exit(both, arguments)


def _differences(objects: Iterator[Object]) -> Iterator[str]:
    summary = next(objects)
    for side, text in (("", "these"), ("against_", "against")):
        spans = f"p50 {_span(summary.get(side + 'p50_ms'))}, p95 {_span(summary.get(side + 'p95_ms'))}"
        yield (
            f"{text:<8} {human_count(summary[side + 'records'])} records, "
            f"{human_count(summary[side + 'transactions'])} transactions, "
            f"{human_count(summary[side + 'errors'])} with errors, {spans}"
        )
    every = list(objects)
    for title, of, kinds in _SECTIONS:
        chosen = [entry for entry in every if entry["of"] in of and entry["difference"] in kinds]
        if chosen:
            yield ""
            yield title
            yield from ("  " + clean(_line(entry), cap=220) for entry in islice(chosen, _MOST_TEMPLATES))
            if len(chosen) > _MOST_TEMPLATES:
                yield f"  and {len(chosen) - _MOST_TEMPLATES} more (--json tells all)"
    if not every:
        yield "no difference"


_SECTIONS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("services that fail more often", ("service",), ("failing",)),
    ("services that leave a step out", ("service",), ("incomplete",)),
    ("services that became slower", ("service",), ("slower",)),
    ("services that are new or gone, or fail no more", ("service",), ("new", "gone", "recovered")),
    ("where transactions wait longer", ("within", "hop"), ("slower",)),
    ("steps that come later", ("step",), ("slower",)),
    ("shapes", ("shape",), ("new", "gone", "more", "less", "slower")),
    ("messages that are new", ("template",), ("new",)),
    ("messages that are gone", ("template",), ("gone",)),
    ("messages that are more or less frequent", ("template",), ("more", "less")),
)


def _line(entry: Object) -> str:
    kind, of = entry["difference"], entry["of"]
    if of == "service" and kind == "slower":
        ratio = max(entry["times_as_long_q50"], entry["times_as_long_q75"])
        return f"{entry['service']}: {_span(entry['added_ms'])} more in all, {ratio:.1f} times as long"
    if kind == "incomplete":
        return (
            f"{entry['service']}: in {entry['times']:,} of {entry['transactions']:,} transactions "
            f"(was {entry['share_against']:.1%}) none of “{clean(entry['missing'], cap=60)}” "
            f"after “{clean(entry['after'], cap=60)}”"
        )
    if of == "service" and kind in ("failing", "recovered"):
        return (
            f"{entry['service']}: errors in {entry['share']:.1%} of {entry['transactions']:,} transactions, "
            f"were {entry['share_against']:.1%}"
        )
    if kind == "slower" and of in ("within", "hop", "step"):
        return _pause(entry)
    if of == "shape":
        spans = f"p50 {_span(entry.get('p50_ms'))} (was {_span(entry.get('p50_ms_against'))})"
        return (
            f"{kind} shape {entry['shape']}: {entry['transactions']:,} transactions (were {entry['against']:,}), "
            f"{spans}, {entry['steps']} steps: {' → '.join(entry['services'])}"
        )
    if of == "service":
        return f"{kind}: {entry['service']} in {entry['transactions']:,} transactions, was in {entry['against']:,}"
    level = (entry.get("level") or "-").upper()
    return f"{kind} {level} {entry['service']}: {entry['template']}  {entry['records']:,} (were {entry['against']:,})"


def _pause(entry: dict[str, Any]) -> str:
    where = f"{entry['caller']} → {entry['service']}" if "caller" in entry else f"within {entry['service']}"
    step = f": {entry['template']}" if "template" in entry else ""
    return (
        f"{where}{step}  p50 {_span(entry['p50_ms'])} (was {_span(entry['p50_ms_against'])}), "
        f"p95 {_span(entry['p95_ms'])} (was {_span(entry['p95_ms_against'])}), {entry['times']:,} times"
    )
