"""Bytes to records: cuts, open last records, inherited times, and bad input do not change what a record is."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.engine.loading import bulk
from logscope.engine.loading import ingest as module
from logscope.engine.loading.ingest import Ingest
from logscope.engine.viewing.frames import Frames
from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import make_parser
from logscope.records import blocks, schema
from logscope.records.model import SourceRef
from logscope.records.pieces import Binding
from logscope.records.store import Store
from tests.growing import Growing

_REFERENCE = 1_793_620_800_000_000


def _ingest(source: Growing, store: Store) -> Ingest:
    formats = load_formats()

    def bind(lines: list[str]) -> Binding:
        assignment = detect(formats, _FIRST, name=source.name)
        parser = make_parser(assignment, zone="UTC", reference_us=_REFERENCE, source_name=source.name)
        return Binding(SourceRef(0, source.name, source.kind), source, parser, tuple(parser.formats))

    return Ingest(source, store, bind)


_FIRST = ["2026-11-01T10:00:00.123Z INFO  [main] shop.Pay - charge begin order_id=ORD-1"] * 5
_LINES = st.sampled_from(
    [
        "2026-11-01T10:00:00.123Z INFO  [main] shop.Pay - charge begin order_id=ORD-1",
        "2026-11-01T10:00:01.456Z ERROR [main] shop.Pay - failed",
        "java.lang.IllegalStateException: no",
        "\tat shop.Pay.charge(Pay.java:17)",
        "Caused by: java.io.IOException",
        "2026-11-01T10:00:02.789Z WARN  [http-1] shop.Pay - größer ✓",
        "",
        "   ",
    ]
)


def _records(store: Store) -> list[tuple[object, ...]]:
    view = store.view
    frames = Frames(1 << 20)
    rows = pl.int_range(view.records, dtype=pl.UInt32, eager=True).alias(schema.ROW)
    frame = frames.rows(rows, view, ["line", "time", "time_from", "level", "raw", "message"])
    return frame.drop(schema.ROW).rows()


@settings(max_examples=60)
@given(st.lists(_LINES, min_size=1, max_size=30), st.lists(st.integers(1, 400), max_size=12))
def test_cuts_do_not_change_records(lines: list[str], cuts: list[int]) -> None:
    data = ("\n".join(lines) + "\n").encode()
    whole, whole_store = Growing("app.log", _REFERENCE), Store()
    whole.data, whole.ended = data, True
    _ingest(whole, whole_store).finish()

    parts, parts_store = Growing("app.log", _REFERENCE), Store()
    ingest = _ingest(parts, parts_store)
    for cut in sorted({cut for cut in cuts if cut < len(data)}):
        parts.data = data[:cut]
        ingest.step()
    parts.data, parts.ended = data, True
    ingest.finish()

    assert _records(parts_store) == _records(whole_store)


@settings(max_examples=60)
@given(st.lists(_LINES, min_size=1, max_size=30), st.integers(90, 600), st.sampled_from(["", "\n"]))
def test_blocks_parsed_ahead_give_the_same_records(lines: list[str], size: int, end: str) -> None:
    data = ("\n".join(lines) + end).encode()
    whole, whole_store = Growing("app.log", _REFERENCE), Store()
    whole.data, whole.ended = data, True
    _ingest(whole, whole_store).finish()

    ahead, ahead_store = Growing("app.log", _REFERENCE), Store()
    ahead.data, ahead.ended = data, True
    ingest = _ingest(ahead, ahead_store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "_SIZE", size)
        patch.setattr(blocks, "_TAILS", (60, 200))
        done = [bulk.parsed(block) for block in bulk.blocks_of(ingest)]
    for _, base, parsed in done:
        if parsed is None:
            break
        ingest.keep(base, parsed)
    ingest.finish()

    assert _records(ahead_store) == _records(whole_store)


def test_a_continuation_that_comes_later_lengthens_its_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OPEN_SECONDS", 0.0)
    source, store = Growing("app.log", _REFERENCE), Store()
    ingest = _ingest(source, store)
    source.data = f"{_FIRST[0]}\n".encode()
    assert ingest.step()
    assert store.view.records == 1
    source.data += b"\tat shop.Pay.charge(Pay.java:17)\n2026-11-01T10:00:05Z INFO  [main] shop.Pay - next\n"
    while ingest.step():
        pass
    records = _records(store)
    assert len(records) == 2
    assert records[0][0] == 1
    assert str(records[0][4]).endswith("\tat shop.Pay.charge(Pay.java:17)")
    assert records[1][0] == 3


def test_records_without_a_time_inherit_it() -> None:
    source, store = Growing("app.log", _REFERENCE), Store()
    source.data = b"starting up\nhello\n" + b'{"ts":"2026-11-01T10:00:00Z","msg":"x"}\n' * 5
    source.ended = True
    ingest = Ingest(source, store, _plain(source))
    ingest.finish()
    times = _records(store)
    assert [schema.TIME_FROM[int(str(row[2]))] for row in times] == ["next", "next"] + ["record"] * 5
    assert len({row[1] for row in times}) == 1


def test_a_file_without_any_time_has_the_files() -> None:
    source, store = Growing("app.log", _REFERENCE), Store()
    source.data, source.ended = b"one\ntwo\n", True
    Ingest(source, store, _plain(source)).finish()
    assert [schema.TIME_FROM[int(str(row[2]))] for row in _records(store)] == ["file", "file"]
    assert store.view.index.get_column("time").to_physical().to_list() == [_REFERENCE] * 2


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\xff\xfe b\nc\n", ["a\ufffd\ufffd b", "c"]),
        (b"a\x00b\nlast without end", ["a\x00b", "last without end"]),
        ("größe\x85x\u2028y\x0bz\n".encode(), ["größe\x85x\u2028y\x0bz"]),
    ],
)
def test_awkward_bytes(data: bytes, texts: list[str]) -> None:
    source, store = Growing("app.log", _REFERENCE), Store()
    source.data, source.ended = data, True
    Ingest(source, store, _plain(source)).finish()
    assert [row[4] for row in _records(store)] == texts


def test_a_shrunken_file_gives_empty_text_and_no_error() -> None:
    source, store = Growing("app.log", _REFERENCE), Store()
    source.data, source.ended = b"first line\nsecond line\nthird line\n", True
    Ingest(source, store, _plain(source)).finish()
    source.data = source.data[:14]
    assert [row[4] for row in _records(store)] == ["first line", "sec", ""]
    segment = next(store.view.segments())
    assert Frames(1 << 20).segment(segment, store.view, ["raw"]).get_column("raw").to_list() == [
        "first line",
        "sec",
        "",
    ]


def _plain(source: Growing):  # type: ignore[no-untyped-def]
    formats = load_formats()

    def bind(lines: list[str]) -> Binding:
        assignment = detect(formats, lines, name=source.name)
        parser = make_parser(assignment, zone="UTC", reference_us=_REFERENCE, source_name=source.name)
        return Binding(SourceRef(0, source.name, source.kind), source, parser, tuple(parser.formats))

    return bind
