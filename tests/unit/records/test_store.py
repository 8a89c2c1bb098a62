"""The store: order by merging is order by sorting, whatever comes when."""

from __future__ import annotations

import string
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.records import schema
from logscope.records import store as module
from logscope.records.messages import split_messages
from logscope.records.model import SourceRef
from logscope.records.pieces import INDEX, Binding
from logscope.records.spilling import Spill
from logscope.records.store import Store


def binding(place: int) -> Binding:
    nothing: Any = None
    return Binding(SourceRef(place, f"{place}.log", "file"), nothing, nothing, ("text",))


def index(source: int, first: int, times: list[int]) -> pl.DataFrame:
    count = len(times)
    return pl.DataFrame(
        {
            "source_id": [source] * count,
            "line": range(first, first + count),
            "time": pl.Series(times, dtype=pl.Int64).cast(schema.TIME),
            "time_from": [0] * count,
            "level": [0] * count,
            "format": [0] * count,
            "offset": range(count),
        },
        schema_overrides=INDEX,
    )


def test_spilled_columns_are_the_same_and_leave_no_file(tmp_path: Path) -> None:
    held, spilled = Store(), Store(1000, Spill(tmp_path / "spill"))
    for batch in range(20):
        part = index(0, batch * 50 + 1, [batch * 50 + n for n in range(50)])
        for store in (held, spilled):
            store.append(binding(0), batch, batch + 1, part)
    assert spilled.view.index.equals(held.view.index)
    assert spilled.view.index.schema == held.view.index.schema
    assert spilled.ordered().equals(held.ordered())
    assert list((tmp_path / "spill").iterdir()) == []
    spilled.release()
    assert spilled.view.index.equals(held.view.index)
    assert spilled.ordered().equals(held.ordered())


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs /proc")
def test_what_is_spilled_and_released_is_not_resident(tmp_path: Path) -> None:
    spill = Spill(tmp_path)
    column = pl.int_range(1 << 20, dtype=pl.Int64, eager=True).alias("number").to_frame()
    mapped = spill.mapped(column)
    assert mapped.equals(column)
    assert _resident_in(tmp_path) == column.estimated_size() // 1024
    spill.release()
    assert _resident_in(tmp_path) == 0
    assert mapped.equals(column)


def _resident_in(folder: Path) -> int:
    """KiB of this process's mappings of files that lie, or lay, in a folder."""
    found, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if line[0] not in string.ascii_uppercase:
            inside = str(folder) in line
        elif inside and line.startswith("Rss:"):
            found += int(line.split()[1])
    return found


def test_where_nothing_can_be_written_the_index_stays_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(0, Spill(tmp_path / "file" / "spill"))
    store.append(binding(0), 0, 1, index(0, 1, [5, 6]))
    assert store.view.index.get_column("time").to_physical().to_list() == [5, 6]


BATCHES = st.lists(
    st.tuples(st.integers(0, 2), st.lists(st.integers(0, 9), min_size=1, max_size=6), st.booleans()), max_size=12
)


@settings(max_examples=100)
@given(BATCHES, st.sampled_from([None, 0, 100]))
def test_merging_is_sorting(batches: list[tuple[int, list[int], bool]], budget: int | None) -> None:
    store, lines = Store(budget, Spill(Path(tempfile.gettempdir()))), [1, 1, 1]
    bindings = [binding(place) for place in range(3)]
    for source, times, look in batches:
        store.append(bindings[source], lines[source], lines[source] + len(times), index(source, lines[source], times))
        lines[source] += len(times)
        if look:
            store.ordered()
    view = store.view
    keys = view.index.select("time", "source_id", "line").with_row_index("row")
    assert store.ordered(view).to_list() == keys.sort("time", "source_id", "line").get_column("row").to_list()
    assert sorted(row for segment in view.segments() for row in segment.rows()) == list(range(view.records))
    for row in range(view.records):
        piece = view.piece_of(row)
        assert piece.row <= row < piece.row + piece.records


@settings(max_examples=60)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(1, 20), st.integers(1, 60))
def test_sorting_in_parts_is_sorting(times: list[int], part: int, sample: int) -> None:
    store, half = Store(), len(times) // 2
    for place, some in enumerate((times[:half], times[half:])):
        if some:
            store.append(binding(place), 1, 1 + len(some), index(place, 1, some))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PART", part)
        patch.setattr(module, "_SAMPLE", sample)
        order = store.ordered().to_list()
    keys = store.view.index.select("time", "source_id", "line").with_row_index("row")
    assert order == keys.sort("time", "source_id", "line").get_column("row").to_list()


@pytest.mark.parametrize("budget", [None, 0])
def test_a_view_does_not_change_under_its_reader(tmp_path: Path, budget: int | None) -> None:
    store, source = Store(budget, Spill(tmp_path)), binding(0)
    piece = store.append(source, 0, 10, index(0, 1, [5, 6]))
    before = store.view
    store.lengthen(piece, 30)
    store.append(source, 30, 40, index(0, 3, [1]))
    store.retime([store.view.pieces[0]], 2)
    assert (before.records, before.pieces[0].end) == (2, 10)
    assert before.index.get_column("time").to_physical().to_list() == [5, 6]
    assert store.view.pieces[0].end == 30
    assert store.view.index.get_column("time").to_physical().to_list() == [2, 2, 1]
    assert store.ordered().to_list() == [2, 0, 1]


def test_spool_lines() -> None:
    lines = [
        "1793620800000000 127.0.0.1 - <13>plain text",
        "1793620800000001 ::1 e <13>two\\nlines and \\\\n",
        "1793620800000002 10.0.0.1 tp ",
        "torn",
    ]
    frame = split_messages(pl.Series(lines))
    assert frame.get_column("raw").to_list()[:3] == ["<13>plain text", "<13>two\nlines and \\n", ""]
    assert frame.get_column("peer").to_list()[:3] == ["127.0.0.1", "::1", "10.0.0.1"]
    assert frame.get_column("flags").to_list()[:3] == ["-", "e", "tp"]
    assert frame.height == 4
