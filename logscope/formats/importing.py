r"""Grok patterns and lnav's format files as a start for a format of one's own, in TOML.

Grok: a pattern (`%{IP:client} %{GREEDYDATA:message}`), or a file of `NAME PATTERN` lines. lnav: its JSON, where
each regex becomes a pattern and each sample line a sample. What Rust's regexes lack (look-around, back references)
is said; it has to be written otherwise.
Sources: the pattern files of logstash-patterns-core (Apache-2.0), docs.lnav.org/en/latest/formats.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from logscope.errors import FormatError
from logscope.formats.definition import MAX_PATTERN
from logscope.formats.patterns import PatternError, compile_pattern
from logscope.formats.pieces import PIECES

_DEPTH = 12
GROK = {
    "USERNAME": r"[a-zA-Z0-9._-]+",
    "USER": r"[a-zA-Z0-9._-]+",
    "EMAILADDRESS": r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~.-]+@[a-zA-Z0-9.-]+",
    "INT": r"[+-]?[0-9]+",
    "BASE10NUM": r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)",
    "NUMBER": r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)",
    "BASE16NUM": r"[+-]?(?:0x)?[0-9A-Fa-f]+",
    "POSINT": r"[1-9][0-9]*",
    "NONNEGINT": r"[0-9]+",
    "WORD": r"\w+",
    "NOTSPACE": r"\S+",
    "SPACE": r"\s*",
    "DATA": r".*?",
    "GREEDYDATA": r".*",
    "QUOTEDSTRING": r'"(?:[^"\\]|\\.)*"',
    "QS": r'"(?:[^"\\]|\\.)*"',
    "UUID": r"[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}",
    "MAC": r"(?:[A-Fa-f0-9]{2}[:-]){5}[A-Fa-f0-9]{2}|(?:[A-Fa-f0-9]{4}\.){2}[A-Fa-f0-9]{4}",
    "IP": PIECES["ip"],
    "IPV4": r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}",
    "IPV6": r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}",
    "HOSTNAME": r"[0-9A-Za-z][0-9A-Za-z_.-]*",
    "IPORHOST": rf"(?:{PIECES['ip']}|[0-9A-Za-z][0-9A-Za-z_.-]*)",
    "HOSTPORT": r"[0-9A-Za-z][0-9A-Za-z_.-]*:[0-9]+",
    "PATH": r"(?:/[^\s]*|[A-Za-z]:\\[^\s]*)",
    "UNIXPATH": r"/[^\s]*",
    "URIPROTO": r"[A-Za-z][A-Za-z0-9+.-]+",
    "URI": r"[A-Za-z][A-Za-z0-9+.-]+://[^\s]+",
    "URIPATH": r"/[^\s?#]*",
    "URIPARAM": r"\?[^\s]*",
    "URIPATHPARAM": r"/[^\s]*",
    "MONTH": r"[A-Z][a-z]{2,8}",
    "MONTHNUM": r"(?:0?[1-9]|1[0-2])",
    "MONTHDAY": r"(?:0[1-9]|[12][0-9]|3[01]|[1-9])",
    "DAY": r"[A-Z][a-z]{2,8}",
    "YEAR": r"[0-9]{2,4}",
    "HOUR": r"[0-9]{1,2}",
    "MINUTE": r"[0-9]{2}",
    "SECOND": r"[0-9]{1,2}(?:[:.,][0-9]+)?",
    "TIME": r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[:.,][0-9]+)?)?",
    "DATE": r"[0-9]{1,4}[/.-][0-9]{1,2}[/.-][0-9]{1,4}",
    "ISO8601_TIMEZONE": r"(?:Z|[+-][0-9]{2}:?[0-9]{2})",
    "TIMESTAMP_ISO8601": PIECES["iso"],
    "HTTPDATE": PIECES["clf"],
    "SYSLOGTIMESTAMP": PIECES["bsd"],
    "HTTPDERROR_DATE": PIECES["ctime"],
    "TZ": r"[A-Z]{2,5}",
    "MONTHNUM2": r"(?:0[1-9]|1[0-2])",
    "ISO8601_SECOND": r"[0-9]{1,2}(?:[:.,][0-9]+)?",
    "DATE_US": r"[0-9]{1,2}[/-][0-9]{1,2}[/-][0-9]{2,4}",
    "DATE_EU": r"[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}",
    "DATESTAMP": r"%{DATE}[- ]%{TIME}",
    "DATESTAMP_RFC822": r"%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}",
    "DATESTAMP_RFC2822": r"%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}",
    "DATESTAMP_OTHER": r"%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}",
    "DATESTAMP_EVENTLOG": r"%{YEAR}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}",
    "CISCOMAC": r"(?:[A-Fa-f0-9]{4}\.){2}[A-Fa-f0-9]{4}",
    "WINDOWSMAC": r"(?:[A-Fa-f0-9]{2}-){5}[A-Fa-f0-9]{2}",
    "COMMONMAC": r"(?:[A-Fa-f0-9]{2}:){5}[A-Fa-f0-9]{2}",
    "WINPATH": r"(?:[A-Za-z]+:|\\)(?:\\[^\\?*]*)+",
    "URIHOST": r"%{IPORHOST}(?::%{POSINT})?",
    "URIQUERY": r"[^\s]*",
    "EMAILLOCALPART": r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~.-]+",
    "SYSLOGFACILITY": r"<%{NONNEGINT:facility}.%{NONNEGINT:priority}>",
    "PROG": r"[^\s\[\]]+",
    "SYSLOGPROG": r"%{PROG:service}(?:\[%{POSINT:pid}\])?",
    "SYSLOGHOST": r"%{IPORHOST}",
    "SYSLOGBASE": r"%{SYSLOGTIMESTAMP:timestamp} %{SYSLOGHOST:host} %{SYSLOGPROG}:",
    "LOGLEVEL": PIECES["anylevel"],
    "JAVACLASS": r"[A-Za-z_$][A-Za-z0-9_.$-]*",
    "COMMONAPACHELOG": (
        r'%{IPORHOST:client_ip} %{NOTSPACE:ident} %{NOTSPACE:user} \[%{HTTPDATE:timestamp}\] "(?:%{WORD:method} '
        r'%{NOTSPACE:path}(?: HTTP/%{NUMBER:version})?|%{DATA:request})" %{NUMBER:status} (?:%{NUMBER:bytes}|-)'
    ),
    "COMBINEDAPACHELOG": r"%{COMMONAPACHELOG} %{QS:referer} %{QS:agent}",
}
"""The patterns that grok expressions are mostly made of, in Rust's syntax."""

_BORDER = re.compile(r"\(\?(?:<!|!<|!)\[[^\]]*\]\)")
"""Look-around for one sign that must not stand beside a number: what stands there in a line's pattern is written anyway."""

_BRACE = re.compile(r"(?<![\\xpP])\{(?![0-9]+(?:,[0-9]*)?\})")
"""A brace that counts nothing, which Ruby's regexes take for itself."""

_TIMES = {"timestamp", "ts", "@timestamp", "time", "date", "syslog_timestamp", "logdate", "timestamp8601"}
_COLUMNS = {
    **dict.fromkeys(_TIMES, "time"),
    **dict.fromkeys(("loglevel", "severity", "log_level", "lvl", "level", "log.level"), "level"),
    **dict.fromkeys(("msg", "body", "log_message", "syslog_message"), "message"),
    **dict.fromkeys(("program", "app", "syslog_program", "process.name"), "service"),
    **dict.fromkeys(("hostname", "log_hostname", "logsource", "syslog_hostname", "host.hostname"), "host"),
    **dict.fromkeys(("syslog_pid", "process.pid"), "pid"),
}


def imported(path: Path) -> str:
    """TOML for what a file holds: an lnav format file, a grok pattern file, or one grok pattern.

    Raises:
        FormatError: It cannot be read, or nothing of it can be used.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise FormatError(f"cannot be read: {why}", where=str(path)) from None
    if text.lstrip().startswith("{"):
        return _lnav(text, str(path))
    return _grok(text, path)


def _grok(text: str, path: Path) -> str:
    own: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        found = re.fullmatch(r"([A-Z][A-Z0-9_]*)\s+(\S.*)", line)
        last = found[1] if found else "LINE"
        own[last] = found[2] if found else line
    if not own:
        raise FormatError("holds no pattern", where=str(path), mend="write a grok pattern, '%{IP:client_ip} ...'")
    known = {**GROK, **own}
    regexes = [_anchored(_expanded(own[name], known, str(path))) for name in _outermost(own) or [last]]
    return _toml(path.stem.replace(".", "_"), f"imported from {path.name}", regexes, {}, [])


def _outermost(own: Mapping[str, str]) -> list[str]:
    """Patterns that name something and that no other one of the file is made of."""
    used = {name for pattern in own.values() for name in re.findall(r"%\{([A-Z0-9_]+)", pattern)}
    return [name for name, pattern in own.items() if name not in used and re.search(r"%\{\w+:|\(\?P?<\w", pattern)]


def _expanded(pattern: str, known: Mapping[str, str], where: str) -> str:
    for _ in range(_DEPTH):
        found = re.search(r"%\{([A-Z0-9_]+)(?::([^}:]+))?(?::(?:int|float))?\}", pattern)
        if found is None:
            return _groups(pattern)
        if found[1] not in known:
            raise FormatError(
                f"there is no grok pattern {found[1]}", where=where, mend=f"add a line '{found[1]} REGEX' to the file"
            )
        pattern = re.sub(
            r"%\{([A-Z0-9_]+)(?::([^}:]+))?(?::(?:int|float))?\}",
            lambda each: _piece(each, known),
            pattern,
        )
    raise FormatError("grok patterns refer to one another without end", where=where, mend="take the circle out")


def _piece(found: re.Match[str], known: Mapping[str, str]) -> str:
    inside = known.get(found[1], found[0])
    return f"(?P<{found[2]}>{inside})" if found[2] else f"(?:{inside})"


def _groups(regex: str) -> str:
    """Groups by our names, each once; unnamed ones do not capture."""
    used: set[str] = set()
    apart = {"date", "time"}.issubset(re.findall(r"\(\?P?<([^>=!]+)>", regex))

    def named(found: re.Match[str]) -> str:
        name = found[1].strip("[]").replace("][", ".")
        # A date and a time are put together: see `Format`.
        name = name if apart and name == "date" else _COLUMNS.get(name, re.sub(r"[^A-Za-z0-9_.]", "_", name))
        if name in used:
            return "(?:"
        used.add(name)
        return f"(?P<{name}>"

    regex = _BRACE.sub(r"\\{", _BORDER.sub("", regex))
    regex = re.sub(r"\(\?P?<([^>=!]+)>", named, regex)
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", regex)


def _anchored(regex: str) -> str:
    regex = re.sub(r"\(\?P<message>\.\*\)\$?$", "(?P<message>.*)$", regex)
    return regex if regex.startswith("^") else "^" + regex


def _lnav(text: str, where: str) -> str:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise FormatError(f"is not JSON: {error}", where=where, mend="mend the syntax") from None
    formats = {name: form for name, form in document.items() if isinstance(form, dict)}
    chosen = next(((name, form) for name, form in formats.items() if "regex" in form), None)
    if chosen is None:
        chosen = next(((name, form) for name, form in formats.items() if _is_json(form)), None)
    if chosen is None:
        raise FormatError("has no format with a regex or of JSON", where=where, mend="import a format file of lnav")
    name, form = chosen
    levels = {
        str(words): _LEVELS[level]
        for level, words in (form.get("level") or {}).items()
        if level in _LEVELS and isinstance(words, str | int) and re.fullmatch(r"[\w.*#-]+", str(words))
    }
    samples = [str(sample["line"]) for sample in form.get("sample") or () if "line" in sample]
    title = str(form.get("title", name))
    if "regex" not in form:
        return _json_toml(name, title, form, levels, samples)
    renamed = {form.get(f"{column}-field", default): column for column, default in _LNAV.items()}
    patterns = []
    for one in form["regex"].values():
        regex = one["pattern"]
        for theirs, ours in renamed.items():
            regex = re.sub(rf"\(\?P?<{re.escape(theirs)}>", f"(?P<{ours}>", regex)
        patterns.append(_anchored(_groups(regex)))
    return _toml(name, title, patterns, levels, samples, _layouts(form))


def _is_json(form: Mapping[str, Any]) -> bool:
    return form.get("file-type") == "json" or form.get("json") is True


def _json_toml(name: str, title: str, form: Mapping[str, Any], levels: Mapping[str, str], samples: list[str]) -> str:
    """A format of JSON objects: lnav's fields as names of columns; `/` between the names of nested members."""
    columns = {
        column: str(form[key]).replace("/", ".")
        for column, key in (("time", "timestamp-field"), ("level", "level-field"), ("message", "body-field"))
        if isinstance(form.get(key), str)
    }
    members = sorted({path.partition(".")[0] for column, path in columns.items() if column != "level"})
    lines = [f"name = {_quoted(name)}", "kind = 'json'", f"title = {_quoted(title)}", "order = 1"]
    lines.append(f"members = [{', '.join(map(_quoted, members))}]")
    if layouts := _layouts(form):
        lines.append(f"layouts = [{', '.join(map(_quoted, layouts))}]")
    lines += _levels_line(levels)
    lines += ["", "[names]", *(f"{column} = [{_quoted(path)}]" for column, path in columns.items())]
    return "\n".join([*lines, *_sample_lines(samples)]) + "\n"


def _layouts(form: Mapping[str, Any]) -> list[str]:
    """Lnav's timestamp formats as strptime's; those of the epoch and of a clock without a date are left out."""
    out = []
    for layout in form.get("timestamp-format") or ():
        ours = re.sub(r"[.,]%[LfN]", "%.f", str(layout))
        if re.search(r"%[de]", ours) and not re.search(r"%[0-9sLNqi]", ours):
            out.append(ours)
    return list(dict.fromkeys(out))


_LNAV = {"time": "timestamp", "level": "level", "message": "body", "host": "hostname"}
_LEVELS = {
    **dict.fromkeys(("trace",), "trace"),
    **dict.fromkeys(("debug", "debug2", "debug3", "debug4", "debug5"), "debug"),
    **dict.fromkeys(("info", "notice", "stats"), "info"),
    **dict.fromkeys(("warning",), "warn"),
    **dict.fromkeys(("error",), "error"),
    **dict.fromkeys(("critical", "fatal"), "fatal"),
}


def _toml(
    name: str,
    title: str,
    patterns: list[str],
    levels: Mapping[str, str],
    samples: list[str],
    layouts: Sequence[str] = (),
) -> str:
    lines = [f"name = {_quoted(name)}", f"title = {_quoted(title)}"]
    good: list[str] = []
    for pattern in patterns:
        try:
            if len(pattern) > MAX_PATTERN:
                raise PatternError(f"longer than {MAX_PATTERN} characters")
            compile_pattern(pattern, trusted=False)
            good.append(pattern)
        except PatternError as error:
            lines += [f"# not taken over: {error}", f"# {pattern}".replace("\n", " ")]
    if not good:
        why = (
            lines[2].rpartition("error: ")[2].removeprefix("# not taken over: ").strip()
            if len(lines) > 2
            else "there is none"
        )
        raise FormatError(f"no pattern can be taken over: {why}", mend="write the pattern without look-around")
    lines += ["patterns = [", *(f"  {_quoted(pattern)}," for pattern in good), "]"]
    if layouts:
        lines.append(f"layouts = [{', '.join(map(_quoted, layouts))}]")
    read = [sample for sample in samples if _reads(good, sample)]
    lines += [*_levels_line(levels), *_sample_lines(read)]
    for sample in samples:
        if sample not in read:
            lines += ["", "# a sample that none of the patterns matches:", f"# {_quoted(sample.rstrip())}"]
    return "\n".join(lines) + "\n"


def _reads(patterns: Sequence[str], sample: str) -> bool:
    """Whether one of the patterns matches a sample: a file with one that none does is refused."""
    text = pl.Series([sample.rstrip()])
    return any(compile_pattern(pattern, trusted=False).match(text)[0] for pattern in patterns)


def _levels_line(levels: Mapping[str, str]) -> list[str]:
    pairs = ", ".join(f"{_quoted(word)} = {_quoted(level)}" for word, level in levels.items())
    return [f"levels = {{{pairs}}}"] if levels else []


def _sample_lines(samples: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for sample in samples:
        lines += ["", "[[samples]]", f"line = {_quoted(sample.rstrip())}", "[samples.expect]"]
    if not samples:
        lines += ["", "# Add a line and what must come out of it:", "# [[samples]]", "# line = '...'"]
        lines += ["# [samples.expect]", '# level = "error"']
    return lines


def _quoted(text: str) -> str:
    if "'" not in text and "\n" not in text and "\t" not in text:
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False)
