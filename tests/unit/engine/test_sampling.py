"""What is looked at to find keys is bounded by records and by bytes."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.engine.viewing.sampling import light_sample

KIB = 1024


def _opened(path: Path) -> Session:
    session = Session(Options(sources=(str(path),)))
    session.open()
    session.read_all()
    return session


def _bytes(session: Session, rows: pl.Series) -> int:
    return sum(len(text) + 1 for text in session.frames.raw(rows, session.store.view))


def test_a_sample_is_bounded_by_the_bytes_of_its_records_and_spans_the_log(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text(
        "".join(
            f"2026-11-01T10:{n // 60 % 60:02}:{n % 60:02}Z INFO step {n} {'x' * (n % 7) * 20}\n" for n in range(3000)
        )
    )
    session = _opened(log)
    view = session.store.view
    every = session.store.ordered(view)
    assert light_sample(every, view).equals(every)
    rows = light_sample(every, view, 40 * KIB)
    assert 20 * KIB < _bytes(session, rows) <= 44 * KIB
    assert rows.min() == 0
    assert int(rows.max() or 0) > 2980
    assert (rows.diff().drop_nulls() > 1).sum() == 9  # ten stretches
    session.close()


def test_huge_records_do_not_make_a_sample_huge(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("".join(f"2026-11-01T10:00:{n:02}Z INFO dump {'x' * 20_000}\n" for n in range(60)))
    session = _opened(log)
    view = session.store.view
    rows = light_sample(session.store.ordered(view), view, 100 * KIB)
    assert len(rows) == 10
    session.close()
