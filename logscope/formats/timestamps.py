"""Texts of times to instants: well-known shapes by vectorised slices, others by strptime layouts.

Shapes exclude one another by their guards, so a text is read the same in any company. Nothing here
raises on any text: an impossible date is null. A naive time is in the source's zone: in the gap of
a change to summer time it does not exist (null), in the overlap it is the earlier one. A leap second
`:60` is the next minute's first. Sources: ISO 8601, RFC 3164 4.1.2, RFC 3339, RFC 5322 3.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from logscope.records.schema import TIME

DAY_US = 86_400_000_000
_FIRST_US, _LAST_US = 0, 7_258_118_400_000_000
"""1970 and the end of 2199."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What a time text leaves out."""

    zone: str = "UTC"
    """IANA name of the zone of times without one."""
    reference_us: int = 0
    """Microseconds since 1970 UTC: a year left out makes the latest time not a day after this."""
    layouts: tuple[str, ...] = ()
    """strptime layouts of this source beyond the well-known shapes."""


def to_times(text: pl.Series, clock: Clock, received: pl.Series | None = None) -> pl.Series:
    """Instants (Datetime us UTC) of time texts; null where there is none.

    Args:
        text: String column; blanks and brackets around a time do not matter.
        clock: Zone, reference time and layouts of the source.
        received: Datetime us UTC of the same height: years left out are those nearest to it.
    """
    result = pl.Series(text.name, [None], dtype=TIME).new_from_index(0, len(text))
    present = text.is_not_null()
    if not present.any():
        return result
    exact = None if clock.layouts or text.null_count() else ISO_SHAPE.fullmatch(text[0])
    if exact is not None and text.str.contains(f"^{shape_regex(exact[0])}$").all():
        return iso_times(text, exact[0], clock).alias(text.name)
    if text.str.contains(_NAMED).any():
        return _in_named_zones(text, clock, received)
    if not clock.layouts and not text.str.contains(_ANY_SHAPE).any():
        return result
    for position, (guard, read) in enumerate(_likely_first(text, clock)):
        pending = present & result.is_null()
        if position == 0 and text.str.contains(guard).all() and present.all():
            result = read(text, clock, received)
            continue
        rows = (pending & text.str.contains(guard)).fill_null(False).arg_true()
        if len(rows):
            part = read(text.gather(rows), clock, None if received is None else received.gather(rows))
            result = part if len(rows) == len(text) else result.clone().scatter(rows, part)
        if not (present & result.is_null()).any():
            break
    return _in_calendar(result).alias(text.name)


def _in_named_zones(text: pl.Series, clock: Clock, received: pl.Series | None) -> pl.Series:
    """Times some of which end in a zone's abbreviation; those of unknown ones are in the source's zone."""
    offsets = text.str.extract(_NAMED, 1).replace_strict(ZONES, default=None, return_dtype=pl.Duration("us"))
    bare = text.str.replace(_NAMED, "")
    known = offsets.is_not_null()
    universal = Clock("UTC", clock.reference_us, clock.layouts)
    times = to_times(bare.set(known, None), clock, received)
    return times.zip_with(~known, to_times(bare.set(~known, None), universal, received) - offsets)


def _in_calendar(times: pl.Series) -> pl.Series:
    """Without years before 1970 and after 2199: a number that was taken for a year, not the time of a record."""
    low, high = times.to_physical().min(), times.to_physical().max()
    if not isinstance(low, int) or not isinstance(high, int) or (low >= _FIRST_US and high <= _LAST_US):
        return times
    return times.set(~times.to_physical().is_between(_FIRST_US, _LAST_US), None)


_Read = Callable[[pl.Series, Clock, "pl.Series | None"], pl.Series]


def _likely_first(text: pl.Series, clock: Clock) -> list[tuple[str, _Read]]:
    own = [(r"\S", layout_reader(layout)) for layout in clock.layouts]
    first = str(text.drop_nulls()[0])
    return [*own, *sorted(SHAPES, key=lambda shape: re.search(shape[0], first) is None)]


def in_zone(naive: pl.Series, zone: str) -> pl.Series:
    """Wall-clock times of a zone as instants (Datetime us UTC)."""
    if zone == "UTC":
        return naive.dt.replace_time_zone("UTC")
    return naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")


def _parsed(text: pl.Series, layout: str) -> pl.Series:
    # The cache pays, since stamps cut to seconds repeat from line to line.
    return text.str.to_datetime(layout, time_unit="us", strict=False, cache="%.f" not in layout)


def _fraction(digits: pl.Series) -> pl.Series:
    """Microseconds (Duration) of one to nine digits after the point."""
    whole = digits.str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64, strict=False).fill_null(0)
    return whole.cast(pl.Duration("us"))


def _offsets(zones: pl.Series) -> pl.Series:
    """Duration east of UTC of `Z`, `+02`, `+0200`, `+02:00`; null for anything else."""
    table: dict[str, timedelta] = {}
    for zone in zones.drop_nulls().unique():
        found = re.fullmatch(r"\s*([+-])(\d\d):?(\d\d)?", zone)
        if found:
            minutes = int(found[2]) * 60 + int(found[3] or 0)
            table[zone] = timedelta(minutes=-minutes if found[1] == "-" else minutes)
        elif zone.strip() in {"Z", "z", "UTC", "GMT"}:
            table[zone] = timedelta(0)
    if not table:
        return pl.Series(zones.name, [None], dtype=pl.Duration("us")).new_from_index(0, len(zones))
    if len(table) == 1 and zones.null_count() == 0 and zones.n_unique() == 1:
        return pl.Series(zones.name, [next(iter(table.values()))], dtype=pl.Duration("us")).new_from_index(
            0, len(zones)
        )
    return zones.replace_strict(table, default=None, return_dtype=pl.Duration("us"))


def _zoned(naive: pl.Series, zones: pl.Series, zone: str) -> pl.Series:
    offsets = _offsets(zones)
    if offsets.null_count() == len(offsets):
        return in_zone(naive, zone)
    instants = (naive - offsets).dt.replace_time_zone("UTC")
    if offsets.null_count() == 0:
        return instants
    return instants.zip_with(offsets.is_not_null(), in_zone(naive, zone))


def _iso(text: pl.Series, clock: Clock, received: pl.Series | None) -> pl.Series:
    # Seconds by strptime and the fraction by a cast: three times faster than `%.f`.
    head = text.str.slice(0, 19)
    naive = _parsed(head, f"%Y-%m-%d{text[0][10]}%H:%M:%S")
    if naive.null_count():
        again = _parsed(
            head.str.replace(r"^([0-9]{4})[-/.]([0-9]{2})[-/.]([0-9]{2})[Tt _]", "$1-$2-${3}T"), "%Y-%m-%dT%H:%M:%S"
        )
        naive = naive.zip_with(naive.is_not_null(), again)
    rest = text.str.slice(19)
    if not (rest.str.len_bytes() > 0).any():
        return in_zone(naive, clock.zone)
    fraction, zones = _fixed_rest(rest) or (
        rest.str.extract(r"^[.,:]([0-9]{1,9})", 1),
        rest.str.extract(r"([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?| UTC| GMT)$", 1),
    )
    return _zoned(naive + _fraction(fraction), zones, clock.zone)


ISO_SHAPE = re.compile(
    r"([0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2})([.,:][0-9]{1,9})?(Z| ?[+-][0-9]{2}:?[0-9]{2})?",
    re.ASCII,
)
"""A time that `iso_times` reads: date and clock, fraction, zone."""


def shape_regex(example: str) -> str:
    """A Rust regex of the times that have the example's shape, not anchored."""
    return re.sub("[0-9]", "0", example).replace("0", "[0-9]").replace(".", r"\.").replace("+", r"\+")


def iso_times(text: pl.Series, example: str, clock: Clock) -> pl.Series:
    """Instants of ISO times that all have one shape, by slices; no text is null.

    Args:
        text: String column, each text the example's but for the digits and the zone's sign.
        example: A time as ISO 8601 has it, blanks, commas and slashes allowed for.
        clock: Zone of times that name none.
    """
    naive = _parsed(text.str.slice(0, 19), f"%Y{example[4]}%m{example[7]}%d{example[10]}%H:%M:%S")
    rest = example[19:]
    digits = len(rest) - len(rest[1:].lstrip("0123456789")) - 1 if rest[:1] in {".", ",", ":"} else 0
    if digits:
        naive = naive + _fraction(text.str.slice(20, digits))
    zoned = len(rest) > (digits + 1 if digits else 0)
    if not zoned:
        return _in_calendar(in_zone(naive, clock.zone))
    if rest.endswith("Z"):
        return _in_calendar(naive.dt.replace_time_zone("UTC"))
    return _in_calendar(_zoned(naive, text.str.slice(20 + digits if digits else 19), clock.zone))


def _fixed_rest(rest: pl.Series) -> tuple[pl.Series, pl.Series] | None:
    """Fraction and zone by slices where all rests have the first one's layout; else None."""
    found = re.fullmatch(r"(?:[.,:](\d{1,9}))?([Zz]|[+-]\d\d:?\d\d)?", rest[0])
    if found is None or not (rest.str.len_bytes() == len(rest[0])).all():
        return None
    digits = len(found[1] or "")
    zones = rest.str.slice(digits + 1 if digits else 0)
    if zones.n_unique() != 1:
        return None
    fraction = rest.str.slice(1, digits)
    if digits and not fraction.str.contains(r"^[0-9]+$").all():
        return None
    return fraction, zones


def _clf(text: pl.Series, clock: Clock, received: pl.Series | None) -> pl.Series:
    if text.str.slice(1, 1).eq("/").any():
        # Some servers write one digit for the first days of a month.
        text = text.str.replace(r"^([0-9])/", "0${1}/")
    head = text.str.slice(0, 20)
    if head.str.contains(" ", literal=True).any():
        head = head.str.replace(" ", ":", literal=True)
    naive = _parsed(head, "%d/%b/%Y:%H:%M:%S")
    rest = text.str.slice(20)
    if rest.n_unique() == 1 and rest[0] is not None:
        # The usual case: no fraction, and one zone throughout.
        rest = rest.head(1)
    fraction = rest.str.extract(r"^[.,]([0-9]{1,9})", 1)
    zones = rest.str.extract(r"([+-][0-9]{4})$", 1)
    return _zoned(
        naive + _fraction(fraction), zones.new_from_index(0, len(text)) if len(rest) == 1 else zones, clock.zone
    )


def layout_reader(layout: str) -> _Read:
    """A reader of times of one strptime layout; null where a text has it not, or is none."""
    aware = "%z" in layout or "%#z" in layout or "%:z" in layout or layout == "%+"

    def read(text: pl.Series, clock: Clock, received: pl.Series | None) -> pl.Series:
        point = text.str.replace(r"(:[0-9]{2}),([0-9])", "$1.$2") if "%.f" in layout else text
        if "%Y" not in layout and "%y" not in layout and layout not in {"%s", "%+"}:
            return _yearless(point, layout, clock, received)
        times = _parsed(point, layout)
        return times.dt.convert_time_zone("UTC") if aware else in_zone(times, clock.zone)

    return read


def _yearless(text: pl.Series, layout: str, clock: Clock, received: pl.Series | None) -> pl.Series:
    reference = datetime.fromtimestamp(clock.reference_us / 1_000_000, UTC)
    frame = pl.DataFrame({"text": text})
    if received is None:
        limit = pl.Series("limit", [clock.reference_us + DAY_US]).new_from_index(0, len(text)).cast(pl.Int64)
        years = pl.Series("year", [reference.year]).new_from_index(0, len(text))
        steps: Sequence[int] = (1, 0, -1, -2, -3, -4)
    else:
        known = received.fill_null(reference)
        limit = known.dt.epoch("us")
        years = known.dt.year()
        steps = (-1, 0, 1)
    best = pl.Series([None], dtype=TIME).new_from_index(0, len(text))
    for step in steps:
        year = frame.with_columns((years + step).alias("year")).select(pl.format("{} {}", "year", "text"))
        times = in_zone(_parsed(year.to_series(), f"%Y {layout}"), clock.zone)
        if received is None:
            fits = best.is_null() & (times.dt.epoch("us") <= limit)
        else:
            fits = best.is_null() | ((times.dt.epoch("us") - limit).abs() < (best.dt.epoch("us") - limit).abs())
        fits = (fits & times.is_not_null()).fill_null(False)
        best = times.zip_with(fits, best)
        if received is None and not (best.is_null() & text.is_not_null()).any():
            break
    return best


def _epoch(text: pl.Series, clock: Clock, received: pl.Series | None) -> pl.Series:
    """Seconds, milli-, micro- or nanoseconds since 1970, told apart by their size."""
    parts = text.str.extract_groups(r"^([0-9]+)(?:\.([0-9]+))?")
    number = parts.struct.field("1").cast(pl.Int64, strict=False)
    frame = pl.DataFrame({"n": number, "f": _fraction(parts.struct.field("2").fill_null("0")).cast(pl.Int64)})
    scaled = frame.select(
        pl.when(pl.col("n") < 100_000_000_000)
        .then(pl.col("n") * 1_000_000 + pl.col("f"))
        .when(pl.col("n") < 100_000_000_000_000)
        .then(pl.col("n") * 1_000 + pl.col("f") // 1_000)
        .when(pl.col("n") < 100_000_000_000_000_000)
        .then(pl.col("n"))
        .otherwise(pl.col("n") // 1_000)
    ).to_series()
    return scaled.cast(TIME)


def _ctime(text: pl.Series, clock: Clock, received: pl.Series | None) -> pl.Series:
    """Ctime's with the fraction behind a colon, as SSSD writes them."""
    point = text.str.replace(r"(:[0-9]{2}):([0-9]+) ", "$1.$2 ")
    return layout_reader("%a %b %e %H:%M:%S%.f %Y")(point, clock, received)


def _erlang(text: pl.Series, clock: Clock, received: pl.Series | None) -> pl.Series:
    """Erlang's reports: two colons between date and time, one digit for the first days of a month."""
    return layout_reader("%d-%b-%Y::%H:%M:%S%.f")(text.str.replace(r"^([0-9])-", "0${1}-"), clock, received)


def _year_last(text: pl.Series, clock: Clock, received: pl.Series | None) -> pl.Series:
    """RFC 3164's with a zone and the year behind it, as its examples have them."""
    return to_times(text.str.replace(r"^(.{3} [ 0-9]?[0-9]) (\S+)(.*) ([0-9]{4})$", "$1 $4 $2$3"), clock, received)


def _compact(text: pl.Series, clock: Clock, received: pl.Series | None) -> pl.Series:
    """ISO 8601's basic form, its T left out or not."""
    parts = text.str.extract_groups(r"^([0-9]{8})T?([0-9]{6})(?:[.,]([0-9]{1,9}))?[0-9]*(Z|[+-][0-9]{4})?$").struct
    naive = _parsed(parts.field("1") + parts.field("2"), "%Y%m%d%H%M%S") + _fraction(parts.field("3").fill_null("0"))
    return _zoned(naive, parts.field("4"), clock.zone)


def _exponent(text: pl.Series, clock: Clock, received: pl.Series | None) -> pl.Series:
    """Seconds since 1970 as a float with an exponent, as zap writes them."""
    return (text.cast(pl.Float64, strict=False) * 1_000_000).round().cast(pl.Int64, strict=False).cast(TIME)


def _biased(text: pl.Series, clock: Clock, received: pl.Series | None) -> pl.Series:
    """Configuration Manager's, behind which stands how many minutes later it is in UTC."""
    parts = text.str.extract_groups(r"^(.*)([+-][0-9]{1,3})$").struct
    later = (parts.field("2").cast(pl.Int64, strict=False) * 60_000_000).cast(pl.Duration("us"))
    return layout_reader("%m-%d-%Y %H:%M:%S%.f")(parts.field("1"), Clock("UTC"), received) + later


_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}"

SHAPES: tuple[tuple[str, _Read], ...] = (
    (rf"^[0-9]{{4}}[-/.][0-9]{{2}}[-/.][0-9]{{2}}[Tt _]{_TIME}", _iso),
    (rf"^[A-Z][A-Za-z]{{2}} [ 0-9]?[0-9] {_TIME}[.,]?[0-9]*$", layout_reader("%b %e %H:%M:%S%.f")),
    (rf"^[0-9]{{1,2}}/[A-Z][a-z]{{2}}/[0-9]{{4}}[: ]{_TIME}", _clf),
    # Of fourteen digits milliseconds would be in the year 2286 and after.
    (r"^(?:[0-9]{9,13}|[0-9]{15,19})(?:\.[0-9]+)?$", _epoch),
    (r"^(?:19|20)[0-9]{6}T?[0-9]{6}(?:[.,][0-9]+)?(?:Z|[+-][0-9]{4})?$", _compact),
    (rf"^[0-9]{{2}}/[0-9]{{2}}/[0-9]{{2}} {_TIME}", layout_reader("%y/%m/%d %H:%M:%S%.f")),
    (
        rf"^[A-Z][a-z]{{2}} [A-Z][a-z]{{2}} [ 0-9][0-9] {_TIME}[.,]?[0-9]* [0-9]{{4}}$",
        layout_reader("%a %b %e %H:%M:%S%.f %Y"),
    ),
    (rf"^[A-Z][a-z]{{2}} [A-Z][a-z]{{2}} [ 0-9][0-9] {_TIME}:[0-9]+ [0-9]{{4}}$", _ctime),
    (rf"^[A-Z][A-Za-z]{{2}} [ 0-9]?[0-9] [0-9]{{4}} {_TIME}", layout_reader("%b %e %Y %H:%M:%S%.f")),
    (rf"^[A-Z][a-z]{{2}} [ 0-9]?[0-9], [0-9]{{4}} {_TIME}", layout_reader("%b %e, %Y %H:%M:%S%.f")),
    (rf"^[A-Z][A-Za-z]{{2}} [ 0-9]?[0-9] {_TIME}[.,]?[0-9]*(?: [A-Z]{{3,5}})? (?:19|20)[0-9]{{2}}$", _year_last),
    (rf"^[0-9]{{2}}-[0-9]{{2}} {_TIME}[.,]?[0-9]*$", layout_reader("%m-%d %H:%M:%S%.f")),
    (rf"^[0-9]{{4}} {_TIME}", layout_reader("%m%d %H:%M:%S%.f")),
    (rf"^[0-9]{{8}} {_TIME}", layout_reader("%Y%m%d %H:%M:%S%.f")),
    (rf"^[0-9]{{1,2}}-[A-Z][a-z]{{2}}-[0-9]{{4}}::{_TIME}", _erlang),
    (r"^[0-9]\.[0-9]+[eE]\+0?9$", _exponent),
    (r"^[0-9]{6} [0-9]{6}$", layout_reader("%y%m%d %H%M%S")),
    (
        rf"^[A-Z][a-z]{{2}}, [ 0-9]?[0-9] [A-Z][a-z]{{2}} [0-9]{{4}} {_TIME} [+-][0-9]{{4}}$",
        layout_reader("%a, %d %b %Y %H:%M:%S %z"),
    ),
    (rf"^[0-9]{{2}} [A-Z][a-z]{{2}} [0-9]{{4}} {_TIME}[.,]?[0-9]*$", layout_reader("%d %b %Y %H:%M:%S%.f")),
    (rf"^[0-9]{{2}}-[A-Z][a-z]{{2}}-[0-9]{{4}} {_TIME}[.,]?[0-9]*$", layout_reader("%d-%b-%Y %H:%M:%S%.f")),
    (rf"^[0-9]{{1,2}}-[0-9]{{1,2}}-[0-9]{{4}} {_TIME}(?:\.[0-9]+)?[+-][0-9]{{1,3}}$", _biased),
)
"""Guard (Rust regex) and reader of each well-known shape; no two guards match the same text."""

_NAMED = r" ([A-Z]{3,5}|UT)$"
_HOURS = {
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "WET": 0,
    "WEST": 1,
    "CET": 1,
    "CEST": 2,
    "MEZ": 1,
    "MESZ": 2,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
    "JST": 9,
    "AEST": 10,
    "AEDT": 11,
    "NZST": 12,
    "NZDT": 13,
    "GMT": 0,
    "UTC": 0,
    "UT": 0,
}
ZONES = {name: timedelta(hours=hours) for name, hours in _HOURS.items()}
"""Abbreviations of zones that mean one offset: RFC 5322 4.3's, and those of the tz database that no two zones share."""
_ANY_SHAPE = "|".join(guard for guard, _ in SHAPES)
