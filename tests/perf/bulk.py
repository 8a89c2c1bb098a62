"""Many records: linking, a sequence with an absence, and the time of a frame."""

from __future__ import annotations

from collections.abc import Iterator

from tests.perf.inputs import shop
from tests.perf.measuring import Figure, Settings, as_bytes, as_seconds, job
from tests.perf.terminal import HEIGHT, WIDTH

_LINK_BUDGET = "15 s, aim at 10"


def link(settings: Settings) -> Iterator[Figure]:
    """Linking over four given keys: the linker alone, and everything from files."""
    runs = [job("link_values", records=settings.records) for _ in range(settings.repeat)]
    run, found = sorted(runs, key=lambda one: one[1]["link"])[(len(runs) - 1) // 2]
    yield Figure(
        f"linker alone, {settings.records / 1e6:g} M records, four keys",
        "logscope",
        as_seconds(found["link"]),
        f"{found['link_cpu']:.1f} s",
        as_bytes(run.memory),
        _LINK_BUDGET,
        f"{found['values'] / 1e6:.1f} M key values, {found['transactions'] / 1e6:.2f} M transactions",
    )
    files = shop(settings.data, lines=settings.records)
    run, found = job("link_files", files=files.arguments)
    what = f"four keys given by --key, {found['records'] / 1e6:.1f} M records from files"
    count = f"{found['transactions'] / 1e6:.2f} M transactions"
    for name, part, budget, note in _LINKED:
        yield Figure(
            f"{what}: {part}",
            "logscope",
            as_seconds(found[name]),
            f"{found[name + '_cpu']:.2f} s",
            as_bytes(found["link_memory"] if name in ("index", "plan", "link") else run.memory),
            budget,
            note.format(count=count, **found),
        )


_LINKED = (
    ("index", "index", "", ""),
    ("plan", "the plan, from a sample", _LINK_BUDGET + ", together with linking", ""),
    ("link", "extraction and linking", _LINK_BUDGET, "{count}, grain {grain}"),
    ("figures", "list of transactions, its figures", "", "{count}"),
    ("sort", "sorted by duration", "", "{count}"),
    ("filter", "filtered by errors and duration", "", "{failing} are left"),
    ("screen", "texts, ids and lists of a screen of it", "", "64 transactions"),
    ("open", "one transaction opened", "", ""),
    ("ways", "templates, and the ways that transactions go", "", "{ways_count} ways"),
    ("compare", "one compared with its nearest normal peer", "", "once the ways are known"),
    ("pivot", "pivot on a value", "50 ms", "{pivoted} records"),
    ("more", "5,000 records more", "", "best of five"),
    ("table", "table of transactions with all texts", "", "{count}"),
)
"""Parts of `link_files`: name, words, budget, note."""


def discovery(settings: Settings) -> Iterator[Figure]:
    """The search for keys with no option at all, on a tenth of the records and on all."""
    for records in (settings.records // 10, settings.records):
        run, found = job("discover", files=shop(settings.data, lines=records).arguments)
        what = f"no option, {found['records'] / 1e6:.1f} M records from files"
        for name, part in (("discover", "discovery"), ("link", "extraction and linking")):
            yield Figure(
                f"{what}: {part}",
                "logscope",
                as_seconds(found[name]),
                f"{found[name + '_cpu']:.1f} s",
                as_bytes(run.memory),
                _LINK_BUDGET + ", both together" if records == settings.records else "",
                f"{found['transactions']} transactions, grain {found['grain']}",
            )


def sequence(settings: Settings) -> Iterator[Figure]:
    """A three-step sequence with an absence at its end, by transaction."""
    runs = [job("sequence", records=settings.records) for _ in range(settings.repeat)]
    run, found = sorted(runs, key=lambda one: one[1]["step"])[(len(runs) - 1) // 2]
    yield Figure(
        f"three-step sequence with absence, {settings.records / 1e6:g} M records",
        "logscope",
        as_seconds(found["step"]),
        f"{found['step_cpu']:.1f} s",
        as_bytes(run.memory),
        "2 s after linking and the literal pass",
        f"{found['hits'] / 1e6:.1f} M hits, {found['detections']} detections; the literal pass {as_seconds(found['select'])}",
    )


def frame(settings: Settings) -> Iterator[Figure]:
    """The records view painted anew at random places."""
    files = shop(settings.data, size=min(settings.size, 20 << 20))
    log = next(path for path in files.files if path.name.startswith("orders-1"))
    run, found = job("frames", file=str(log), heights=settings.frames, width=WIDTH, height=HEIGHT)
    many, mixed = job("jumps", files=files.arguments, width=WIDTH, height=HEIGHT)
    for height in sorted(settings.frames):
        what = f"at {height / 1e6:g} M records, {WIDTH}x{HEIGHT}"
        worst = f"worst {as_seconds(found[f'worst_{height}'])}"
        for name, words, budget, note in (
            ("step", "frame, one row scrolled", "10 ms", ""),
            ("paint", "frame, every row new", "10 ms", worst),
            ("jump", "jump to a random place until it is read", "", ""),
        ):
            yield Figure(
                f"{words}, {what}",
                "logscope",
                as_seconds(found[f"{name}_{height}"]),
                "",
                as_bytes(run.memory),
                budget,
                note,
            )
    yield Figure(
        f"jump to a random place until it is read, {len(files.files)} sources, {mixed['records'] / 1e6:.2f} M records",
        "logscope",
        as_seconds(mixed["jump"]),
        "",
        as_bytes(many.memory),
        "",
        f"worst {as_seconds(mixed['worst_jump'])}",
    )
