"""A file without any time beside files that have times: its records are there, and stretch nothing."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from logscope.engine.analysis.statistics import over_time, source_objects
from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session

SECOND = 1_000_000
NEVER = Cancel()


def written(folder: Path) -> tuple[str, str]:
    """A log of 2023 and a list of its requests, written years after it."""
    log, ids = folder / "app.log", folder / "requests.txt"
    times = [f"2023-01-29T08:{n // 60:02d}:{n % 60:02d}Z" for n in range(120)]
    steps = "".join(f"{time} INFO orders: step {n % 4} request_id=req-{n // 4:08x}\n" for n, time in enumerate(times))
    log.write_text(steps)
    ids.write_text("".join(f"request_id=req-{n:08x} is one of those\n" for n in range(30)))
    os.utime(ids, (1_790_000_000, 1_790_000_000))
    return str(log), str(ids)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    opened = Session(Options(sources=written(tmp_path_factory.mktemp("logs")), cache=False))
    opened.open()
    opened.read_all()
    yield opened
    opened.close()


def test_span_and_histogram_leave_it_out_and_the_list_does_not(session: Session) -> None:
    snapshot = session.snapshot
    assert snapshot.start is not None
    assert snapshot.end == snapshot.start + 119 * SECOND
    assert [text for text in snapshot.remarks if "requests.txt" in text and "no times" in text]
    view = session.view("", cancel=NEVER)
    bars = session.histogram(view, 40)
    assert sum(sum(bar.levels) for bar in bars) == 120
    assert bars[-1].start <= snapshot.end
    last = session.lines(view, 0, 200)[-30:]
    assert {line.source.rpartition("/")[2] for line in last} == {"requests.txt"}
    alone = session.view("source:*requests.txt", cancel=NEVER)
    assert sum(sum(bar.levels) for bar in session.histogram(alone, 40)) == 30


def test_what_is_relative_counts_from_the_newest_that_has_a_time(session: Session) -> None:
    found = session.view("time>-10s", cancel=NEVER)
    assert len(found.rows) == 10 + 30


def test_stats_tell_no_span_of_it(session: Session) -> None:
    log, ids = source_objects(session)
    assert log["end"] == "2023-01-29T08:01:59.000000Z"
    assert ids["records"] == 30
    assert not {"start", "end", "rate"} & ids.keys()
    whole = next(iter(over_time(session, "all", every=None, most=1)))
    assert (whole["records"], whole["start"][:10], whole["end"][:10]) == (120, "2023-01-29", "2023-01-29")


def test_transactions_are_as_long_as_what_has_times(session: Session) -> None:
    session.prepare_transactions(cancel=NEVER)
    table = session.transactions(cancel=NEVER)
    assert table.get_column("records").to_list() == [5] * 30
    assert table.get_column("duration").dt.total_seconds().unique().to_list() == [3]
    assert table.get_column("oversize").null_count() == 30
    detail = session.transaction(int(table.item(7, "number")))
    assert detail.end - detail.start == 3 * SECOND
    assert [member.since_start // SECOND for member in detail.members] == [0, 1, 2, 3, 3]
    assert detail.members[-1].line.source.endswith("requests.txt")
    assert all(load.p95 <= 3 * SECOND for load in session.service_map(cancel=NEVER).services)


@pytest.mark.parametrize(("within", "told"), [("10m", 0), ("10s", 28)])
def test_it_decides_no_absence(tmp_path: Path, within: str, told: int) -> None:
    rule = f'seq by request_id: ["step 0"] not ["step 9"] within {within}'
    opened = Session(Options(sources=written(tmp_path), cache=False, rule=(rule,)))
    opened.open()
    opened.read_all()
    opened.prepare_transactions(cancel=NEVER)
    assert Counter(one.state for one in opened.detections()) == Counter(matched=told, pending=30 - told)
    opened.close()
