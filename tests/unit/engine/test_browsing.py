from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logscope.engine.api import Cancel, Cancelled
from logscope.engine.browsing import Facet
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.errors import FilterError

LEVELS = ("INFO", "INFO", "WARN", "ERROR")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("logs")
    for part in ("one", "two"):
        lines = [
            f"2026-11-01T10:{n // 60:02d}:{n % 60:02d}.{500 if part == 'two' else 0:03d}Z {LEVELS[n % 4]} took={n % 5} path=/p/{n % 7} say={part}"
            for n in range(200)
        ]
        (folder / f"{part}.log").write_text("\n".join(lines) + "\n")
    found = Session(Options(sources=(str(folder / "one.log"), str(folder / "two.log")), cache=False))
    found.open()
    found.read_all()
    yield found
    found.close()


def test_a_facet_counts_the_values_of_a_view(session: Session) -> None:
    view = session.view("level=info", cancel=Cancel())
    lines = session.lines(view, 0, 1000)
    expected = Counter(line.raw.partition("path=")[2].split()[0] for line in lines)
    facet = session.facet(view, "path", cancel=Cancel())
    assert dict(facet.values) == expected
    assert (facet.distinct, facet.present, facet.records, facet.complete) == (7, 200, 200, True)
    assert facet.numbers is None


def test_a_facet_of_numbers_says_how_they_are_spread(session: Session) -> None:
    everything = session.view("", cancel=Cancel())
    numbers = session.facet(everything, "took", cancel=Cancel()).numbers
    assert numbers is not None
    assert (numbers.least, numbers.p50, numbers.p95, numbers.most) == (0, 2, 4, 4)
    levels = session.facet(everything, "level", cancel=Cancel())
    assert dict(levels.values) == {"info": 200, "warn": 100, "error": 100}


def test_a_facet_can_be_given_up_and_tells_parts(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = session.view("", cancel=Cancel())
    given_up = Cancel()
    given_up.set()
    with pytest.raises(Cancelled):
        session.facet(everything, "took", cancel=given_up)
    monkeypatch.setattr("logscope.engine.viewing.facets._PARTIAL_SECONDS", 0.0)
    parts: list[Facet] = []
    whole = session.facet(everything, "took", cancel=Cancel(), partial=parts.append)
    assert [part.records for part in parts] == [200, 400]
    assert not parts[0].complete
    assert whole.values == parts[-1].values


@pytest.mark.parametrize(("name", "value"), [("path", "/p/3"), ("level", "warn"), ("took", "4"), ("say", "two")])
def test_the_filter_of_a_value_keeps_as_many_as_the_facet_says(session: Session, name: str, value: str) -> None:
    everything = session.view("", cancel=Cancel())
    counts = dict(session.facet(everything, name, cancel=Cancel()).values)
    kept = session.view(session.value_filter(name, value), cancel=Cancel())
    assert len(kept.rows) == counts[value] > 0


def test_cells_and_field_names(session: Session) -> None:
    view = session.view("level=error", cancel=Cancel())
    rows = view.rows[:2].to_list()
    assert session.cells(rows, ["level", "took", "absent"]) == {
        rows[0]: ("error", "3", ""),
        rows[1]: ("error", "3", ""),
    }
    names = [one.name for one in session.field_names(view, cancel=Cancel())]
    assert names.index("level") < names.index("took")
    assert {"source", "format", "path", "say"} <= set(names)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.integers(0, 9), st.sampled_from(["took=3", "path:/p/6 level=error", "", "nothing"]))
def test_context_is_what_stands_round_the_hits(session: Session, around: int, text: str) -> None:
    order = session.view("", cancel=Cancel()).rows.to_list()
    view = session.view(text, cancel=Cancel())
    hits = set(view.rows.to_list())
    places = [place for place, row in enumerate(order) if row in hits]
    near = {at for place in places for at in range(place - around, place + around + 1) if 0 <= at < len(order)}
    shown = session.with_context(view, around)
    assert shown.rows.to_list() == [order[at] for at in sorted(near)]
    context = shown.context.to_list() if shown.context is not None else [False] * len(shown.rows)
    assert context == [row not in hits for row in shown.rows.to_list()]


def test_records_are_found_again_by_their_place(session: Session) -> None:
    lines = session.lines(session.view("", cancel=Cancel()), 10, 13)
    places = [(line.source, line.line) for line in lines]
    found = session.located([*places, ("gone.log", 1), (lines[0].source, 99_999)])
    assert found == {place: line.row for place, line in zip(places, lines, strict=True)}


def test_hidden_sources_have_no_records_in_views(session: Session) -> None:
    name = session.snapshot.sources[0].name
    try:
        session.hide_sources([name])
        for text in ("", "level=error"):
            shown = session.lines(session.view(text, cancel=Cancel()), 0, 1000)
            assert shown
            assert {line.source for line in shown} == {session.snapshot.sources[1].name}
        view = session.with_context(session.view("took=3", cancel=Cancel()), 1)
        assert {line.source for line in session.lines(view, 0, 1000)} == {session.snapshot.sources[1].name}
    finally:
        session.hide_sources([])
    assert len(session.view("", cancel=Cancel()).rows) == 400


def test_sql_reads_and_can_be_given_up(session: Session) -> None:
    found = session.sql(
        "SELECT level, COUNT(*) AS n FROM records GROUP BY level ORDER BY n DESC, level", cancel=Cancel()
    )
    assert found.rows() == [("info", 200), ("error", 100), ("warn", 100)]
    given_up = Cancel()
    given_up.set()
    with pytest.raises(Cancelled):
        session.sql("SELECT level FROM records", cancel=given_up)
    with pytest.raises(FilterError):
        session.sql("DROP TABLE records", cancel=Cancel())


def test_the_fingerprint_tells_sets_of_sources_apart(session: Session, tmp_path: Path) -> None:
    (tmp_path / "other.log").write_text("2026-11-01T10:00:00Z INFO other\n")
    other = Session(Options(sources=(str(tmp_path / "other.log"),), cache=False))
    other.open()
    try:
        assert session.fingerprint() == session.fingerprint() != other.fingerprint() != ""
    finally:
        other.close()
