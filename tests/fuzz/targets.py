"""What is fuzzed: each target takes any bytes and raises only where logscope is wrong."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl

from logscope.errors import FilterError, RuleError, SourceError
from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import SourceParser, make_parser
from logscope.language.filter import parse_filter, to_text
from logscope.language.sequence import parse_sequence, sequence_to_text
from logscope.query.filters import compile_filter
from logscope.query.transactions import compile_transaction_filter
from logscope.records.schema import TIME
from logscope.rules.deciders import decider_of
from logscope.rules.documents import documents
from logscope.rules.loader import BUILTIN, load_text
from logscope.sources.archives import open_archive
from logscope.sources.opening import open_source
from logscope.sources.scratch import CopyLimits
from logscope.syslog.frames import FrameCutter
from tests.unit.formats.lines import MAKERS

PATIENCE = 20.0
"""Seconds after which one input has taken too long."""
_REFERENCE = 1_798_675_200_000_000
_NAMES = ("message", "host", "service", "pid", "format", "time", "fields.order_id", "fields.a.b")
_MOST_LINES = 200


@dataclass(frozen=True)
class Target:
    """One thing to be fuzzed."""

    check: Callable[[bytes], None]
    """Raises where something is wrong with an input."""
    seeds: Callable[[], Iterable[bytes]]
    """Inputs that are mutated."""
    words: tuple[bytes, ...]
    """What is put in here and there."""


# --- logs


@cache
def _all() -> SourceParser:
    return make_parser(load_formats().for_messages(), zone="UTC", reference_us=_REFERENCE, source_name="")


def _parses(parser: SourceParser, raw: pl.Series) -> None:
    starts, index, scanned = parser.starts(raw), parser.index(raw), parser.scan(raw)
    assert len(starts) == index.height == scanned.height == len(parser.fields(raw)) == raw.len()
    assert parser.columns(raw, _NAMES).height == raw.len()
    assert starts.null_count() == index["level"].null_count() == index["format"].null_count() == 0
    assert scanned["starts"].to_list() == starts.to_list()
    assert scanned.filter(starts).drop("starts").equals(index.filter(starts))


def parsers(data: bytes) -> None:
    """Lines are read by the format that is told for them, or as messages of a socket."""
    lines = data.decode("utf-8", "replace").split("\n")[:_MOST_LINES]
    raw = pl.Series(lines, dtype=pl.String)
    if len(data) % 2:
        _parses(_all(), raw)
        return
    found = detect(load_formats(), lines, name="fuzz.log")
    _parses(make_parser(found, zone="America/New_York", reference_us=_REFERENCE, source_name="fuzz.log"), raw)


def _lines() -> Iterable[bytes]:
    # A parse costs hardly more for many lines than for one.
    for number in range(3):
        yield "\n".join(maker(number) for maker in MAKERS.values()).encode()
    for maker in MAKERS.values():
        yield "\n".join(maker(number) for number in range(3)).encode()


# --- frames


def frames(data: bytes) -> None:
    """Wherever a stream is cut, its frames are the same, and within the limit."""
    limit = 40 + (data[0] if data else 0)
    step = 1 + (data[1] if len(data) > 1 else 0) % 17

    def cut(chunks: Iterable[bytes]) -> list[tuple[bytes, str]]:
        cutter = FrameCutter(limit)
        return [frame for chunk in chunks for frame in cutter.feed(chunk)] + cutter.close()

    whole = cut([data])
    assert cut(data[at : at + step] for at in range(0, len(data), step)) == whole
    assert all(0 < len(message) <= limit for message, _ in whole)


_FRAMES = (
    b"<13>one\n<13>two\r\n<12>nul\0",
    b"12 <34>counted 5 <34>short",
    b'<165>1 2026-11-01T10:00:00Z host app 7 ID [a@1 b="c\\]"] \xef\xbb\xbfmsg\n',
    b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed\n",
)

# --- the filter language

_FRAME = pl.DataFrame(
    {
        "row": pl.Series(range(4), dtype=pl.UInt32),
        "source_id": pl.Series([0] * 4, dtype=pl.UInt16),
        "line": pl.Series(range(1, 5), dtype=pl.UInt32),
        "time": pl.Series([0, 1, 2, 3_600_000_000], dtype=pl.Int64).cast(TIME),
        "time_from": pl.Series(["record"] * 4, dtype=pl.String),
        "level": pl.Series([0, 9, 13, 17], dtype=pl.UInt8),
        "message": pl.Series(["charge begin", "K\u212a \u017f", "", None], dtype=pl.String),
        "raw": pl.Series(["a charge begin", "K\u212a \u017f", "10.0.0.1", "x" * 50], dtype=pl.String),
        "host": pl.Series(["a", None, "10.0.0.1", "::1"], dtype=pl.String),
        "service": pl.Series(["sshd", "orders", None, "orders"], dtype=pl.String),
        "source": pl.Series(["a.log"] * 4, dtype=pl.String),
        "fields.status": pl.Series(["200", "5e2", "nan", None], dtype=pl.String),
        "fields.took_ms": pl.Series(["1", "250ms", "-1", "9" * 400], dtype=pl.String),
    }
)


def filters(data: bytes) -> None:
    """A text is a filter whose text says the same, or refused with its place; likewise a sequence."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(FilterError):
        tree = parse_filter(text)
        assert parse_filter(to_text(tree)) == tree
        mask = compile_filter(text).mask(_FRAME)
        assert mask.len() == _FRAME.height
        assert mask.null_count() == 0
    with contextlib.suppress(FilterError):
        compile_transaction_filter(text)
    with contextlib.suppress(FilterError):
        sequence = parse_sequence(text)
        assert parse_sequence(sequence_to_text(sequence)) == sequence


_FILTERS = (
    b'level>=warn service:payments "charge begin" order_id:ORD-12* -host:web-3 (status:5?? or took_ms>2s) /time(d )?out/',
    b"a or not b and c host:(a or b) host:10.0.0.0/8 host:* status!=5 took_ms<250ms status~/x/c time>-15m bytes>2MiB",
    b'duration>5s has("charge begin") not has(x) count(level:error)>2 first(a).host:b services:payments',
    b'seq by transaction maxspan 5m: [service:payments "charge begin"] ["psp"] not [x] within 30s until [y]',
)

# --- rules


def rules(data: bytes) -> None:
    """A text is rules that run, or refused with file and line."""
    loaded = load_text(data.decode("utf-8", "replace"), compile_filter, compile_transaction_filter, where="fuzz.yml")
    for error in loaded.errors:
        assert isinstance(error, RuleError)
        assert error.where
    for rule in loaded.rules:
        if rule.sequence is None and rule.windows is None:
            continue
        decider = decider_of(rule)
        hits = decider.hits(_FRAME.select(name for name in _FRAME.columns if name in decider.columns or name == "row"))
        if not rule.uses and (rule.sequence is None or not rule.sequence.by_transaction):
            decider.step(hits, watermark=3_600_000_000, begin=0, final=True, decide=True)


def _rules() -> Iterable[bytes]:
    for file in sorted(BUILTIN.glob("*.yml")):
        for document in file.read_text().split("\n---\n"):
            yield document.split("\ntests:")[0].encode()


_SIGMA = (
    """title: x
name: x
logsource: {product: linux, service: sshd}
detection:
  selection:
    message|contains|all: [failed, 'pass*word']
    status|gte: 400
    host|cidr: 10.0.0.0/8
    service|re|i: '^s.hd$'
  keywords: ['charge begin', 'a?b']
  condition: selection and not 1 of keywords*
""",
    """title: y
logsource: {category: webserver}
detection:
  a: {cs-uri-query|windash|contains: ' -x', sc-status: null, cs-method|exists: true}
  b: {c-uri|base64offset|contains: abc, c-ip|fieldref: cs-host, cs-host|startswith|cased: A}
  condition: all of them
---
title: z
name: z
correlation:
  type: value_percentile
  rules: [x]
  group-by: [host]
  timespan: 5m
  condition: {gte: 5, field: status, percentile: 90}
""",
)


def yaml(data: bytes) -> None:
    """A text is documents, or refused."""
    with contextlib.suppress(RuleError):
        for document in documents(data.decode("utf-8", "replace"), "fuzz.yml"):
            document.plain()


# --- archives


def archives(data: bytes) -> None:
    """Bytes are an archive whose members are read within limits, or are refused."""
    with tempfile.TemporaryDirectory(prefix="logscope-fuzz-") as folder:
        path = Path(folder) / "x.bin"
        path.write_bytes(data)
        limits = CopyLimits(ratio=100, ratio_from=1 << 20, members=20)
        try:
            archive = open_archive(path, "x.bin", data[:8192], limits)
        except SourceError:
            return
        if archive is None:
            return
        try:
            for spec in archive.specs()[:3]:
                _read(spec)
        finally:
            archive.close()
        assert [path] == [*Path(folder).iterdir()]


def _read(spec: object) -> None:
    try:
        source = open_source(spec)  # type: ignore[arg-type]
    except SourceError:
        return
    try:
        end = time.monotonic() + PATIENCE
        while not source.finished():
            source.poll()
            assert time.monotonic() < end, "a member is not read to its end"
            time.sleep(0.001)
        source.poll()
        assert source.size() < 64 << 20
    finally:
        source.close()


def _archives() -> Iterable[bytes]:
    text = b"2026-11-01T10:00:00Z INFO one\n" * 5
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=form) as tar:
            for name in ("a.log", "b" * 120 + "/c.log"):
                info = tarfile.TarInfo(name)
                info.size = len(text)
                tar.addfile(info, io.BytesIO(text))
        yield file.getvalue()
        yield gzip.compress(file.getvalue(), mtime=0)
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as packed:
            packed.writestr("a.log", text)
            packed.writestr("d/b.log.gz", gzip.compress(text, mtime=0))
        yield file.getvalue()


def _words(*texts: str) -> tuple[bytes, ...]:
    return tuple(text.encode() for text in texts)


_ODD = (
    "\0",
    "\ufeff",
    "\u202e",
    "\x1b[31m",
    "\U0001f600",
    "9" * 30,
    "-1",
    "1e999",
    "nan",
    "'",
    '"',
    "\\",
    "{",
    "}",
    "[",
    "]",
)
_RULE_WORDS = _words(
    *_ODD, ": ", "- ", "|-\n", "&a ", "*a", "!!int ", "---\n", "sequence:", "record:", "silence:", "correlation:",
    "absent: true", "within: 0s", "maxspan: 1d", "by: [transaction]", "rule: x", "|all", "|re: ", "|cidr: ", "null",
    "1 of them", "not ", "condition: ", "timespan: 1s", "{step.field}", "tests:", "times: 1",
)  # fmt: skip

TARGETS = {
    "parsers": Target(
        parsers, _lines, _words(*_ODD, "\n", "\r\n", "\t", "=", ",", "<34>", "2026-11-01T10:00:00Z", "Oct 11 22:14:15",
                                '{"a":', "at x.y(Z.java:1)", "Traceback (most recent call last):")
    ),
    "frames": Target(frames, lambda: _FRAMES, (b"\n", b"\0", b"\r", b" ", b"<13>", b"12 ", b"999999999999 ", b"\xff", b"0 ")),
    "filter": Target(
        filters, lambda: _FILTERS, _words(*_ODD, "and", "or", "not", "-", "(", ")", ":", "~/", "/", ">=", "has(", "count(",
                                          "seq by ", "within 1s", "10.0.0.0/33", "::/0", "*", "?", "\u212a", "1h")
    ),
    "rules": Target(rules, _rules, _RULE_WORDS),
    "sigma": Target(rules, lambda: (text.encode() for text in _SIGMA), _RULE_WORDS),
    "archives": Target(archives, _archives, (b"\0" * 8, b"\xff" * 8, b"PK\x03\x04", b"PK\x01\x02", b"ustar", b"7777777", b"../")),
    "yaml": Target(yaml, _rules, _RULE_WORDS),
}  # fmt: skip
"""By the name that the command knows them by."""

os.environ.setdefault("POLARS_MAX_THREADS", "1")
