"""Plots of a report: what went on around the time that it tells of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from logscope.engine.analysis.trends import trends
from logscope.reports.case import CaseSeries

if TYPE_CHECKING:
    from logscope.engine.answers import TransactionDetail
    from logscope.engine.api import Cancel
    from logscope.engine.session import Session

_MOST_SERVICES = 6


def case_series(session: Session, details: Sequence[TransactionDetail], cancel: Cancel) -> Iterator[CaseSeries]:
    """Records, share of errors and durations over time, then the durations of the services concerned.

    Args:
        session: With transactions made.
        details: The transactions told.
        cancel: Looked at now and then.
    """
    if not session.store.view.records:
        return
    told = trends(session, "all", cancel=cancel)
    start, end = told.start, told.start + told.every * told.count
    marks = tuple(each.end for each in session.detecting.told.values() if each.state != "retracted")
    for series in told.series:
        yield CaseSeries("Records a second", "/s", start, end, told.values(series, "rate"), marks)
        if series.whole.transactions:
            shares = told.values(series, "error_share")
            yield CaseSeries("Transactions with an error", "share", start, end, shares)
            spans = told.values(series, "p95")
            yield CaseSeries("Duration, p95 of all transactions", "us", start, end, spans)
    mine = {member.line.service for detail in details for member in detail.members}
    if len(mine) > 1:
        services = trends(session, "service", most=1_000, cancel=cancel)
        told_of = [one for one in services.series if one.value in mine and one.whole.p99]
        for series in told_of[:_MOST_SERVICES]:
            yield CaseSeries(f"Time in {series.value}, p95", "us", start, end, services.values(series, "p95"))
