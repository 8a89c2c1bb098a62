from __future__ import annotations

import polars as pl
import pytest

from logscope.errors import RuleError
from logscope.rules.having import compile_having
from logscope.rules.operands import value_column

STEPS = ("begin", "psp")
SECOND = 1_000_000


def holds(text: str, **values: str | None) -> bool:
    """Values by `step__field`."""
    having = compile_having(text, STEPS, ("settled",))
    given = {name.replace("__", "."): value for name, value in values.items()}
    frame = pl.DataFrame(
        {
            value_column(step, field): pl.Series([given.get(f"{step}.{field}")], dtype=pl.String)
            for step, field in having.names
        }
    )
    return bool(having.mask(frame)[0])


@pytest.mark.parametrize(
    ("text", "values", "wanted"),
    [
        ("psp.code >= 400", {"psp__code": "402"}, True),
        ("psp.code >= 400", {"psp__code": "99"}, False),
        ("psp.code >= 400", {"psp__code": "none"}, False),
        ("psp.code >= 400", {}, False),
        ("psp.code != 400", {}, False),
        ("psp.code != 400", {"psp__code": "none"}, True),
        ("not psp.code = 400", {}, True),
        ("psp.amount != begin.amount", {"psp__amount": "5.0", "begin__amount": "5"}, False),
        ("psp.amount != begin.amount", {"psp__amount": "5.01", "begin__amount": "5"}, True),
        ("psp.amount != begin.amount", {"psp__amount": "5"}, False),
        ("psp.id = begin.id", {"psp__id": "9007199254740993", "begin__id": "9007199254740992"}, False),
        ("psp.status = declined", {"psp__status": "declined"}, True),
        ("psp.status = 'not now'", {"psp__status": "not now"}, True),
        ("psp.day > begin.day", {"psp__day": "2026-02-01", "begin__day": "2026-01-31"}, True),
        ("psp.time - begin.time > 5s", {"psp__time": str(6 * SECOND), "begin__time": "0"}, True),
        ("psp.time - begin.time > 5s", {"psp__time": str(5 * SECOND), "begin__time": "0"}, False),
        ("psp.time > begin.time + 5s", {"psp__time": str(6 * SECOND), "begin__time": "0"}, True),
        ("psp.took_ms > 2s", {"psp__took_ms": "2500"}, True),
        ("psp.took > 2s", {"psp__took": "2500ms"}, True),
        ("psp.took > 2s", {"psp__took": "2500"}, False),
        ("psp.amount - begin.amount >= 0.5", {"psp__amount": "2", "begin__amount": "1.5"}, True),
        ("psp.amount + 1 - -1 = 4", {"psp__amount": "2"}, True),
        ("psp.level >= warn", {"psp__level": "error"}, True),
        ("psp.level >= warn", {"psp__level": "info"}, False),
        ("psp.a = 1 or psp.b = 1 and psp.c = 1", {"psp__a": "1"}, True),
        ("(psp.a = 1 or psp.b = 1) and psp.c = 1", {"psp__a": "1"}, False),
        ("(psp.a + 1) = 2", {"psp__a": "1"}, True),
        ("psp.ok = true", {"psp__ok": "true"}, True),
    ],
)
def test_value_by_value(text: str, values: dict[str, str], wanted: bool) -> None:
    assert holds(text, **values) is wanted


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "ends here"),
        ("psp.code >=", 12, "ends here"),
        ("psp.code", 1, "condition is expected"),
        ("pps.code = 1", 1, "no step pps"),
        ("psp.code = 1 and settled.code = 1", 18, "absent"),
        ("psp = 1", 1, "is a step"),
        ("psp.code = 1 psp.code = 2", 14, "not expected"),
        ("(psp.code = 1", 14, ") is missing"),
        ("psp.code = 5q", 12, "neither a number nor a duration"),
        ("psp.code ? 1", 10, "not expected"),
        ("psp.time > 5s", 10, "compared"),
        ("psp.time - begin.time > 5", 23, "compared"),
        ("psp.status + 'x' = 'yx'", 12, "is for numbers"),
        ("psp.time + 5 > begin.time", 10, "without a unit"),
        ("(psp.a = 1) = 2", 13, "cannot be compared"),
        ("1 and psp.a = 1", 1, "condition is expected"),
        ("(" * 60 + "psp.a" + ")" * 60, 52, "levels deep"),
    ],
)
def test_errors_point_at_the_column(text: str, column: int, words: str) -> None:
    with pytest.raises(RuleError) as caught:
        compile_having(text, STEPS, ("settled",))
    assert words in str(caught.value)
    assert caught.value.column == column


def test_nothing_but_values_is_reached() -> None:
    assert compile_having("psp.__class__ = 1", STEPS).names == {("psp", "__class__")}
