"""A filter over growing sources that looks only at what is new finds what a search of everything finds."""

from __future__ import annotations

import pytest

from logscope.engine.api import Cancel
from logscope.engine.loading import ingest as module
from logscope.engine.loading.ingest import Ingest
from logscope.engine.viewing.frames import Frames
from logscope.engine.viewing.searching import Searching
from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import make_parser
from logscope.query.filters import compile_filter
from logscope.records.model import SourceRef
from logscope.records.pieces import Binding
from logscope.records.store import Store
from tests.growing import Growing

_REFERENCE = 1_793_620_800_000_000
_STEPS = (
    ("2026-11-01T10:00:05Z ERROR [main] shop.Pay - failed", ""),
    ("\tat shop.Pay.charge(Pay.java:17)", "1793620801000000 ::1 - <14>1 2026-11-01T10:00:01Z h mail 3 - - failed late"),
    ("2026-11-01T10:00:02Z INFO  [main] shop.Pay - begin", "1793620802000000 ::1 - <14>1 2026-11-01T10:00:09Z h mail 3 - - sent"),
    ("Caused by: charge failed", "1793620803000000 ::1 - <11>1 2026-11-01T10:00:05Z h mail 3 - - failed"),
    ("2026-11-01T10:00:07Z INFO  [main] shop.Pay - end", ""),
)  # fmt: skip


def _sources(store: Store) -> list[tuple[Growing, Ingest]]:
    formats = load_formats()
    made = []
    for place, (name, assignment) in enumerate(
        (("app.log", detect(formats, [_STEPS[0][0]] * 5, name="app.log")), ("spool", formats.for_messages()))
    ):
        source = Growing(name, _REFERENCE)
        source.kind = "messages" if name == "spool" else "file"
        parser = make_parser(assignment, zone="UTC", reference_us=_REFERENCE, source_name=name)
        binding = Binding(SourceRef(place, name, source.kind), source, parser, tuple(parser.formats))
        made.append((source, Ingest(source, store, lambda lines, binding=binding: binding)))
    return made


def _searching(store: Store) -> Searching:
    return Searching(store, Frames(1 << 20), lambda frame, names: frame, lambda wanted: None)


@pytest.mark.parametrize("text", ["failed", "-failed", "level>=error", "/charge/", "service:mail or Caused"])
def test_what_is_new_is_merged_into_what_was_found(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OPEN_SECONDS", 0.0)
    store = Store()
    sources = _sources(store)
    kept, wanted = _searching(store), compile_filter(text)
    found = []
    for lines in _STEPS:
        for (source, ingest), line in zip(sources, lines, strict=True):
            source.data += f"{line}\n".encode() if line else b""
            while ingest.step():
                pass
        view = kept.view(wanted, cancel=Cancel())
        assert view.rows.to_list() == _searching(store).view(wanted, cancel=Cancel()).rows.to_list()
        found.append(len(view.rows))
    assert found[-1]
    assert kept.view(wanted, cancel=Cancel()).generation == store.view.generation


def test_a_record_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    (_, (source, ingest)) = _sources(store)
    searching, wanted = _searching(store), compile_filter("message:sent")
    looked = []
    segment = Frames.segment
    monkeypatch.setattr(
        Frames,
        "segment",
        lambda self, one, *rest, **more: looked.append(one.records) or segment(self, one, *rest, **more),
    )
    for _, line in _STEPS * 2:
        source.data += f"{line}\n".encode() if line else b""
        while ingest.step():
            pass
        searching.view(wanted, cancel=Cancel())
    assert sum(looked) == store.view.records == 6


def test_records_that_get_other_times_are_searched_again() -> None:
    store = Store()
    (_, (source, ingest)) = _sources(store)
    source.data = "".join(f"{line}\n" for _, line in _STEPS if line).encode()
    assert ingest.step()
    searching, wanted = _searching(store), compile_filter("failed or sent")
    before = searching.view(wanted, cancel=Cancel()).rows
    store.shift(before.head(1), 3_600_000_000)
    assert searching.view(wanted, cancel=Cancel()).rows.to_list() == [*before[1:], before[0]]
