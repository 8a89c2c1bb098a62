"""What is foreseen is found in the pass in which a block is read, and is what a later pass would find."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from logscope.engine.loading import ingest as module
from logscope.engine.loading.ingest import Ingest
from logscope.engine.viewing.frames import Frames
from logscope.engine.viewing.fresh import Fresh
from logscope.formats.assignment import Assignment
from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import make_parser
from logscope.records.model import SourceRef
from logscope.records.pieces import Binding
from logscope.records.store import Store
from tests.growing import Growing

_REFERENCE = 1_793_620_800_000_000
_NAMES = ("raw", "message", "service", "host", "source", "format", "fields.order_id", "fields.amount", "fields.peer")
_FILE = (
    '{"time":"2026-11-01T10:00:00Z","service":"cart","msg":"put","order_id":"ORD-1","amount":4}',
    '{"time":"2026-11-01T10:00:01Z","msg":"no amount=none"}',
    "2026-11-01T10:00:01.456Z ERROR [main] shop.Pay - failed order_id=ORD-2 amount=7.5",
    "\tat shop.Pay.charge(Pay.java:17)",
    "java.lang.IllegalStateException: amount=9",
    "",
)
_MESSAGES = (
    "1793620800000000 127.0.0.1 - <14>1 2026-11-01T10:00:00Z pay-1 pay 3 - - begin order_id=ORD-1 amount=4",
    "1793620800000001 10.0.0.9 e <13>Nov  1 10:00:02 web-1 mailer[7]: sent\\n  order_id=ORD-2",
    '1793620800000002 - t <14>1 2026-11-01T10:00:00Z h a - - - {"order_id":"ORD-3","amount":2.5,"msg":"x"}',
    "no line of ours amount=1",
)


def _reading(kind: str, fresh: Fresh) -> tuple[Growing, Store, Ingest]:
    formats = load_formats()
    source, store = Growing(kind, _REFERENCE), Store()
    source.kind, source.follow = ("messages" if kind == "spool" else "file"), True
    assignment: Assignment = (
        formats.for_messages() if kind == "spool" else detect(formats, list(_FILE[:3]), name="a.log")
    )

    def bind(lines: list[str]) -> Binding:
        parser = make_parser(assignment, zone="UTC", reference_us=_REFERENCE, source_name=source.name)
        return Binding(SourceRef(0, source.name, source.kind), source, parser, tuple(parser.formats))

    return source, store, Ingest(source, store, bind, foreseen=fresh)


@pytest.mark.parametrize("cuts", [(), (120, 260, 300), range(40, 900, 90)], ids=["whole", "some", "many"])
@pytest.mark.parametrize(("kind", "lines"), [("file", _FILE * 3), ("spool", _MESSAGES * 2)], ids=["file", "spool"])
def test_columns_found_while_reading_are_those_of_a_later_pass(
    kind: str, lines: tuple[str, ...], cuts: Sequence[int]
) -> None:
    text = ("\n".join(lines) + "\n").encode()
    fresh = Fresh(lambda asked: _NAMES)
    source, store, ingest = _reading(kind, fresh)
    for cut in cuts:
        source.data = text[:cut]
        ingest.step()
    source.data = text
    ingest.finish()
    view = store.view
    for segment in view.segments():
        found = Frames(1 << 20, fresh).segment(segment, view, _NAMES)
        again = Frames(1 << 20).segment(segment, view, _NAMES)
        # Of parts a column may be text where one of the whole is a number: keys and rules take both as text.
        assert found.cast(dict.fromkeys(_NAMES, str)).equals(again.cast(dict.fromkeys(_NAMES, str)))


def test_the_text_of_a_live_block_is_read_and_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Fresh(lambda kind: _NAMES)
    source, store, ingest = _reading("spool", fresh)
    source.data = ("\n".join(_MESSAGES) + "\n").encode()
    assert ingest.step()
    binding = ingest.binding
    assert binding is not None

    def never(*arguments: object) -> None:
        raise AssertionError("read or parsed a second time")

    monkeypatch.setattr(source, "pread", never)
    monkeypatch.setattr(type(binding.parser), "_extract", never)
    (segment,) = store.view.segments()
    frame = Frames(1 << 20, fresh).segment(segment, store.view, ["fields.order_id", "message"])
    assert frame["fields.order_id"].to_list() == ["ORD-1", "ORD-2", "ORD-3", None]


def test_the_oldest_blocks_are_given_up_and_read_again() -> None:
    fresh = Fresh(lambda kind: _NAMES, budget=1)
    source, store, ingest = _reading("spool", fresh)
    source.data = ("\n".join(_MESSAGES) + "\n").encode()
    assert ingest.step()
    (segment,) = store.view.segments()
    assert fresh.columns(segment.pieces, ["raw"]) is None
    frame = Frames(1 << 20, fresh).segment(segment, store.view, ["fields.order_id"])
    assert frame["fields.order_id"].to_list() == ["ORD-1", "ORD-2", "ORD-3", None]


def test_a_record_that_grows_is_not_what_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OPEN_SECONDS", 0.0)
    fresh = Fresh(lambda kind: _NAMES)
    source, store, ingest = _reading("file", fresh)
    source.data = f"{_FILE[2]}\n".encode()
    assert ingest.step()
    source.data += f"{_FILE[3]}\n{_FILE[0]}\n".encode()
    while ingest.step():
        pass
    texts = [
        Frames(1 << 20, fresh).segment(each, store.view, ["raw"])["raw"].to_list() for each in store.view.segments()
    ]
    assert texts == [[f"{_FILE[2]}\n{_FILE[3]}", _FILE[0]]]
