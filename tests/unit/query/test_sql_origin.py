"""A row of an SQL result and the records behind it: the filter keeps as many as the query counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.query.sql_origin import Origin, origin_of

LINES = [
    '{"ts": "2026-11-01T10:00:00Z", "level": "error", "msg": "a/b failed: 50%", "service": "pay", "user": "ann", "n": 5}',
    '{"ts": "2026-11-01T10:00:01Z", "level": "info", "msg": "Invalid user x", "service": "pay", "user": "bob", "n": 7}',
    '{"ts": "2026-11-01T10:00:02Z", "level": "info", "msg": "invalid user x", "service": "web", "user": "o\'neil"}',
    '{"ts": "2026-11-01T10:00:03Z", "level": "warn", "msg": "a.b (c) [d]", "service": "web", "n": -3}',
    '{"ts": "2026-11-01T10:00:04Z", "level": "error", "msg": "last", "user": "ann", "n": 12}',
]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    path = tmp_path_factory.mktemp("sql") / "some.log"
    path.write_text("\n".join(LINES) + "\n")
    made = Session(Options(sources=(str(path),), cache=False))
    made.open()
    made.read_all()
    yield made
    made.close()


@pytest.mark.parametrize(
    "where",
    [
        "level = 'error'",
        "level <> 'error'",
        "level IN ('error', 'warn')",
        "message LIKE 'Invalid%'",
        "message ILIKE 'invalid%'",
        "message LIKE 'a_b%'",
        "message LIKE 'a.b (c) [d]'",
        "message LIKE 'a/b%50\\%'",
        "message NOT LIKE '%user%'",
        "\"fields.user\" = 'o''neil'",
        "\"fields.user\" != 'ann'",
        '"fields.user" IS NULL',
        "\"fields.user\" IS NOT NULL AND service = 'pay'",
        "service = 'pay' OR level = 'warn'",
        "(service = 'pay' OR level = 'warn') AND NOT message = 'a.b (c) [d]'",
        "service NOT IN ('pay')",
        "\"time\" >= '2026-11-01T10:00:02Z'",
    ],
)
def test_conditions_keep_what_the_query_counts(session: Session, where: str) -> None:
    query = f"SELECT COUNT(*) AS n FROM records WHERE {where}"
    origin = origin_of(query)
    assert origin.whole
    counted = session.sql(query, cancel=Cancel())["n"][0]
    assert session.view(origin.where, cancel=Cancel()).rows.len() == counted, origin.where


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM records WHERE LENGTH(message) > 5",
        "SELECT * FROM records WHERE level >= 'warn'",
        "SELECT * FROM records WHERE NOT (service = 'a' OR service = 'b')",
        "SELECT * FROM records WHERE service = message",
        "SELECT * FROM records a JOIN transactions b ON a.x = b.x",
        "SELECT * FROM (SELECT * FROM records)",
        "SELECT * FROM transactions WHERE errors > 1",
        "SELECT 1",
    ],
)
def test_what_cannot_be_said_is_not_said(query: str) -> None:
    origin = origin_of(query)
    assert not origin.whole
    assert origin.where == ""


def test_columns_under_another_name_are_known() -> None:
    origin = origin_of('SELECT "fields.user" AS u, service AS "the service", COUNT(*) AS n FROM records GROUP BY 1, 2;')
    assert origin == Origin({"u": "fields.user", "the service": "service"}, "", True)
