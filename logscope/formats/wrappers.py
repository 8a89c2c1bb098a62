"""Formats that hold another text: docker's json-file and the two syslogs. The inside is read in turn.

Sources: RFC 5424 section 6, RFC 3164 section 4 with what rsyslog and syslog-ng accept beyond it
(ISO times, years, fractions, no host, IPv6 hosts, Cisco's sequence numbers, AIX's forwarding, macOS' names).
"""

from __future__ import annotations

import re
from collections.abc import Collection

import polars as pl

from logscope.formats import frames, keyvalue
from logscope.formats.colours import without_colours
from logscope.formats.going import CONTINUES
from logscope.formats.levels import to_levels
from logscope.formats.lines import Lines, begins_by_format, begins_within
from logscope.formats.model import Format
from logscope.formats.patterns import Pattern, compile_pattern
from logscope.formats.readers import BEGINS, INDEXED, Columns, Reader, fields_of
from logscope.formats.timestamps import ISO_SHAPE, ZONES, Clock, iso_times, to_times
from logscope.records import severity
from logscope.records.schema import FIELD_PREFIX

PRI = r"(?:<(?P<pri>0{0,2}[0-9]|0?[1-9][0-9]|1[0-8][0-9]|19[01])>[ \t]?)"
"""A PRI part with a valid priority, 0 to 191."""

_BSD = r"[A-Z][A-Za-z]{2} [ 0-9]?[0-9] (?:[0-9]{4} )?[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9}|\.)?"
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})"
_ZONE = rf"(?: (?:{'|'.join(ZONES)}))?(?: (?:19|20)[0-9]{{2}})?"
_NAME = r"(?:[^ \t\[\]:={}\"0-9.-]|[0-9.-]+[^ \t\[\]:={}\"0-9.T-])[^ \t\[\]:={}\"]*"
"""A program's name: `10.0.0.7:51234` and `10:00:00` of a body without a tag begin with none."""
_TAG = rf"(?P<app>{_NAME}(?:\([^) ]*\))?)(?:\[(?P<pid>[^\] ]*)\])?:"
_APPLE = r"(?P<app>[^ \t\[\]:={}\"]+(?: [^ \t\[\]:={}\"]+){0,3})\[(?P<pid>[0-9]+)\](?: \((?P<job>[^)]*)\))?:"
"""A process of macOS: names of programs hold blanks, launchd names its job."""
_HOST = r"(?P<host>[^ \t\[\]={}\"]*[^ \t\[\]:={}\"])"
_LEVEL = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|FATAL|CRITICAL|SEVERE)"

_SD = r"(?:-|(?:\[[^\]\" ]+(?: [^\] =\"]+=\"(?:[^\"\\]|\\.)*\")*[ ]?\])+)"

RFC5424 = (
    rf"^(?:{PRI}[1-9][0-9]{{0,2}}|1) (?P<time>-|[0-9]{{4}}-[^ ]+) (?P<host>[^ ]+) (?P<app>[^ ]+) (?P<pid>[^ ]+) (?P<msgid>[^ ]+)"
    rf"(?: (?P<sd>{_SD}))?(?: |$)"
)
_QUICK = {
    RFC5424: r"^<(?P<pri>0|1(?:[0-8][0-9]?|9[01]?)?|[2-9][0-9]?)>1 (?P<time>[0-9]{4}-[^ ]+) (?P<host>[^ ]+) (?P<app>[^ ]+) (?P<pid>[^ ]+) (?P<msgid>[^ ]+) "
}
"""Narrower regexes for the usual case: a priority, and something after the header."""
RFC3164 = (
    rf"^{PRI}?(?:[0-9]+: )?[*.]?(?P<time>{_BSD}{_ZONE}):? (?:{_HOST} )?{_TAG}[ \t]?",
    rf"^{PRI}?(?P<time>{_BSD}{_ZONE}):? (?:{_HOST} )?(?P<app>[0-9.-]+)(?:\[(?P<pid>[^\] ]*)\])?:(?:[ \t:]|$)",
    rf"^{PRI}?(?P<time>{_BSD}{_ZONE}):? (?:Message forwarded from {_HOST}: | +){_TAG}[ \t]?",
    rf"^{PRI}?(?P<time>{_BSD}{_ZONE}):? {_HOST} {_APPLE}[ \t]?",
    rf"^{PRI}?(?P<time>{_BSD}{_ZONE}):? +{_HOST}(?: |$)",
    rf"^{PRI}?(?P<time>{_ISO}) {_HOST} {_TAG}[ \t]?",
)
RFC3164_BARE = (
    rf"^{PRI}(?:{_HOST} )?{_TAG}(?:[ \t]|$)",
    rf"^{PRI}",
)
RELAYED = tuple(regex.replace(f"^{PRI}?", "^") for regex in RFC3164)
"""Lines of a syslog file as bodies: a forwarder that reads files, and `replay`, send them whole."""
_RELAYED = rf"(?:{_BSD}|{_ISO})[: ]"
_VETO = {RFC3164[-1]: rf"^(?:<[0-9]+>)?[^ ]+ \[?{_LEVEL}\]?[ :]"}
_VETO[RELAYED[-1]] = _VETO[RFC3164[-1]]

FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "audit", "alert", "clock"),
    *(f"local{number}" for number in range(8)),
)

_HEADER = {"time", "level", "host", "app", "pid", "pri", "msgid", "sd"}
_MNEMONIC = " %"
_SD_PARAM = r"(?s)[ ]([^\] =\"]+)=\"((?:[^\"\\]|\\.)*)\""


class SyslogReader(Reader):
    """One header pattern of either syslog; the body is read in turn."""

    def __init__(self, form: Format, clock: Clock, regex: str, inner: Lines, *, joined: bool = False) -> None:
        """Compile the header; `inner` reads bodies. Groups: `app host pid time pri`, others are fields.

        Of a format that joins, `joined` is as `begins_within` has it.
        """
        super().__init__(form, clock)
        self.pattern: Pattern = compile_pattern(regex, _QUICK.get(regex, form.quick))
        self.inner = inner
        self.joined = joined
        self.veto = _VETO.get(regex)
        self.bare_tag = regex == RFC3164_BARE[0]
        self.given = "pri" if "pri" in self.pattern.groups else "level"
        """The group that gives a level where the body states none."""
        self.further = tuple(name for name in self.pattern.groups if name not in _HEADER)
        self.quick = re.sub(r"\(\?P<[a-z]+>", "(?:", self.pattern.quick)
        """The quick regex without groups."""
        self.levelled = rf"{self.quick}(?:{_SD} )?\x{{feff}}?(?:@cee: ?)?(?:{inner.stating()})"
        """Of texts that the quick regex matches: where the body may state a level, which then is not the priority's."""
        before, tag, _ = regex.partition(_TAG)
        self.before = re.sub(r"\(\?P<[a-z]+>", "(?:", before) if tag else ""
        """What stands before the tag."""

    def match(self, raw: pl.Series) -> pl.Series:
        """The header matches, and what it would take for host and tag is no inner format's."""
        found = self.pattern.match(raw)
        if self.veto and found.any():
            found = found & ~raw.str.contains(self.veto).fill_null(False)
        if self.bare_tag and found.any():
            rows = found.arg_true()
            body = raw.gather(rows).str.replace(r"^<[0-9]+>[ \t]?", "")
            taken = self.inner.structured(body)
            found = found.clone().scatter(rows, ~taken)
        return found

    def opening(self) -> str | None:
        """The header."""
        return self.pattern.plain

    def scan(self, raw: pl.Series, want: Collection[str]) -> tuple[pl.Series, Columns]:
        """By the quick regex, the body left alone where it states no level; the rest in two passes."""
        if self.format.joins and INDEXED.issuperset(want) and self.given not in self.pattern.groups:
            return self._scan_joining(raw, want)
        head = self.pattern.quick_captures(raw, {"time", "pri"}) if {"time", "level"}.issubset(want) else None
        if head is None or not INDEXED.issuperset(want):
            return super().scan(raw, want)
        times = to_times(head["time"], self.clock)
        found = head["pri"].is_not_null() & times.is_not_null() & ~raw.str.contains(self.levelled).fill_null(True)
        level = _level_of(head["pri"])
        if not found.all():
            times, level = times.filter(found), level.filter(found)
        return self._rest(raw, want, found, {"time": times, "level": level})

    def _scan_joining(self, raw: pl.Series, want: Collection[str]) -> tuple[pl.Series, Columns]:
        """In one pass over the bodies, which tells the level and whether a record begins."""
        out: Columns = {}
        heads = self._heads(raw)
        if heads is None:
            found = self.match(raw)
            if not found.any():
                return found, {}
            texts = raw if found.all() else raw.filter(found)
            body = self.body(texts)
            if "time" in want:
                out["time"] = to_times(self._header(texts, {"time"})["time"], self.clock)
        else:
            found = pl.Series([True]).new_from_index(0, len(raw))
            body = _bare(raw.str.slice(len(heads[0])))
            if "time" in want:
                stamp = str(heads[0]).partition(" ")[0]
                out["time"] = iso_times(heads.str.head(len(stamp)), stamp, self.clock)
        inside = self.inner.extract(body, {"level", "format"}, None)
        if "time" in want and out["time"].null_count():
            self._fill_times(body, out, None)
        if "level" in want and "level" in inside:
            out["level"] = inside["level"]
        out[BEGINS] = begins_by_format(self.inner, body, inside["format"], joined=self.joined)
        return found, out

    def _heads(self, raw: pl.Series) -> pl.Series | None:
        """The headers of texts all of which have one that the quick regex matches, of the first one's length; else None.

        A slice costs a tenth of what a regex does.
        """
        first = re.match(self.quick, raw[0] or "") if self.quick and len(raw) else None
        if first is None or ISO_SHAPE.fullmatch(first[0].partition(" ")[0]) is None:
            return None
        heads = raw.str.head(first.end())
        return heads if heads.str.contains(f"{self.quick}$").fill_null(False).all() else None

    def _header(self, raw: pl.Series, names: Collection[str]) -> Columns:
        found = self.pattern.captures(raw, names)
        return {name: values.set((values == "-").fill_null(False), None) for name, values in found.items()}

    def begins(self, raw: pl.Series) -> pl.Series | None:
        """By what the lines hold, where the format joins."""
        if not self.format.joins:
            return None
        if not self.joined and not raw.str.contains(self.pattern.plain + f"(?:{CONTINUES[1:]})").any():
            return None
        return begins_within(self.inner, self.body(raw), joined=self.joined)

    def _unwrapped(self, raw: pl.Series) -> pl.Series:
        """Without the headers of all lines; what goes on is joined without a line end."""
        rows = raw.str.contains("\n", literal=True).fill_null(False).arg_true()
        if not self.format.joins or not len(rows):
            return raw.str.replace(self.pattern.plain, "")
        lines = pl.DataFrame({"row": frames.rows(len(raw)), "line": raw.str.split("\n")}).explode("line")
        told = self.goes_on(lines["line"])
        ends = pl.Series(["\n"]).new_from_index(0, lines.height)
        if told is not None:
            both = lines.with_columns(told=told)
            behind = both.select(pl.col("line").shift(-1).str.contains(pl.col("told"), literal=True)).to_series()
            ends = ends.set(behind.fill_null(False), "")
        bare = lines["line"].str.strip_suffix("\r").str.replace(self.pattern.plain, "")
        lines = lines.with_columns(line=pl.concat_str(bare, ends))
        return lines.group_by("row", maintain_order=True).agg(pl.col("line").str.join())["line"].str.strip_suffix("\n")

    def body(self, raw: pl.Series) -> pl.Series:
        """What stands behind the header of texts it matches."""
        body = without_colours(self._unwrapped(raw))
        if self.before and raw.str.contains(_MNEMONIC, literal=True).any():
            # Cisco's mnemonic stands where others have a tag, but what reads its messages wants it.
            rows = raw.str.contains(f"{self.before}{_MNEMONIC[1:]}[A-Z]").fill_null(False).arg_true()
            body = body.clone().scatter(rows, raw.gather(rows).str.replace(self.before, ""))
        return _bare(body)

    def extract(self, raw: pl.Series, want: Collection[str], received: pl.Series | None) -> Columns:
        """The header's columns over the body's (level and fields: the body's over the header's)."""
        names = {"service": "app", "host": "host", "pid": "pid", "time": "time", "level": self.given}
        sought = {group for column, group in names.items() if column in want and group in self.pattern.groups}
        fields = fields_of(want)
        if fields:
            sought |= self._asked(raw, fields) & set(self.pattern.groups)
        head = self._header(raw, sought)
        out: Columns = {c: head[g] for c, g in names.items() if c in want and c not in {"time", "level"} and g in head}
        if "time" in want and "time" in head:
            out["time"] = to_times(head["time"], self.clock, received)
        missing = {name for name in want if name in names and (name not in out or out[name].null_count())}
        rest = (missing | {name for name in want if name == "message" or name.startswith(FIELD_PREFIX)}) - {
            "format",
            "level",
        }
        if rest or "level" in want:
            body = self.body(raw)
            if rest == {"time"} and "time" in out:
                self._fill_times(body, out, received)
                rest = set()
            inside = self.inner.extract(body, rest, received) if rest else {}
            for name in rest & set(inside):
                out[name] = frames.coalesce(out[name], inside[name]) if name in out else inside[name]
            if "level" in want:
                out["level"] = self._level(body, head.get(self.given))
        for name in fields:
            own = self._field(name, head, len(raw))
            if own is not None:
                column = FIELD_PREFIX + name
                out[column] = frames.coalesce(out.get(column, frames.nothing(len(raw))), own)
        return out

    def _asked(self, raw: pl.Series, fields: Collection[str]) -> set[str]:
        """Groups of the header that can hold one of these fields: captures cost more than all else of a header."""
        groups = {name for name in ("msgid", *self.further) if name in fields}
        if not {"severity", "facility"}.isdisjoint(fields):
            groups.add("pri")
        names = "|".join(keyvalue.escape(name) for name in fields if "=" not in name)
        if names and raw.str.contains(rf'[ ](?:{names})="').any():
            groups.add("sd")
        return groups

    def _fill_times(self, body: pl.Series, out: Columns, received: pl.Series | None) -> None:
        """The body's time where the header's is none."""
        rows = out["time"].is_null().arg_true()
        some = None if received is None else received.gather(rows)
        inside = self.inner.extract(body.gather(rows), {"time"}, some)
        if "time" in inside:
            out["time"] = out["time"].clone().scatter(rows, inside["time"])

    def _level(self, body: pl.Series, given: pl.Series | None) -> pl.Series:
        stated = self.inner.states_level(body)
        if given is not None:
            numbers = _level_of(given) if self.given == "pri" else to_levels(given, self.format.levels)
            stated = stated.zip_with(stated > 0, numbers)
        open_rows = (stated == 0).arg_true()
        if len(open_rows):
            guess = self.inner.extract(body.gather(open_rows), {"level"}, None).get("level")
            if guess is not None:
                stated = stated.clone().scatter(open_rows, guess)
        return stated

    def stating(self) -> str:
        """A relayed line's stamp: what is behind it may state a level."""
        return _RELAYED

    def states_level(self, raw: pl.Series) -> pl.Series:
        """What the body states; a relayed line has no priority of its own."""
        return self.inner.states_level(self.body(raw))

    def _field(self, name: str, head: Columns, height: int) -> pl.Series | None:
        own: pl.Series | None = None
        if "sd" in head and "=" not in name and head["sd"].str.contains(f'{name}="', literal=True).any():
            found = head["sd"].str.extract(rf"(?s)[ ]{keyvalue.escape(name)}=\"((?:[^\"\\]|\\.)*)\"", 1)
            own = found.str.replace_all(r"\\([\"\\\]])", "$1")
        extra = head[name] if name in self.further else None
        if name in {"severity", "facility"} and "pri" in head:
            extra = _priority(head["pri"], name)
        elif name == "msgid" and "msgid" in head:
            extra = head["msgid"]
        if extra is None:
            return own
        return extra if own is None else frames.coalesce(own, extra)

    def long(self, raw: pl.Series) -> pl.DataFrame:
        """The body's fields, then the structured data's, then the header's."""
        head = self._header(raw, {"pri", "msgid", "sd", *self.further})
        parts = [self.inner.long(self.body(raw))]
        if "sd" in head:
            parts.append(_parameters(head["sd"]))
        named = [name for name in ("msgid", *self.further) if name in head]
        parts += [frames.long_of(name, head[name], keyvalue.TEXT) for name in named]
        if "pri" in head:
            for name in ("severity", "facility"):
                parts.append(frames.long_of(name, _priority(head["pri"], name), keyvalue.TEXT))
        return pl.concat(parts)


def _bare(body: pl.Series) -> pl.Series:
    """Bodies without a byte order mark, and without what announces JSON."""
    if body.str.starts_with("\ufeff").any():
        body = body.str.replace("^\ufeff", "")
    return body.str.replace(r"^@cee:[ ]?", "") if body.str.starts_with("@cee:").any() else body


def _level_of(pri: pl.Series) -> pl.Series:
    number = pri.cast(pl.Int32, strict=False)
    table = dict(enumerate(severity.SYSLOG))
    return (number % 8).replace_strict(table, default=None, return_dtype=pl.UInt8).fill_null(0)


def _priority(pri: pl.Series, name: str) -> pl.Series:
    number = pri.cast(pl.Int32, strict=False)
    if name == "severity":
        return (number % 8).replace_strict(dict(enumerate(severity.SYSLOG_NAMES)), default=None, return_dtype=pl.String)
    return (number // 8).replace_strict(dict(enumerate(FACILITIES)), default=None, return_dtype=pl.String)


def _parameters(data: pl.Series) -> pl.DataFrame:
    frame = pl.DataFrame({"row": frames.rows(len(data)), "pair": data.str.extract_all(_SD_PARAM)})
    frame = frame.explode("pair").drop_nulls("pair")
    return frame.select(
        "row",
        pl.col("pair").str.extract(_SD_PARAM, 1).alias("name"),
        pl.col("pair").str.extract(_SD_PARAM, 2).str.replace_all(r"\\([\"\\\]])", "$1").alias("value"),
        pl.lit(keyvalue.TEXT, pl.UInt8).alias("kind"),
    )
