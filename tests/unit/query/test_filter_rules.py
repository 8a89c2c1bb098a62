"""The filter language sentence by sentence, on one small frame."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from logscope.errors import FilterError
from logscope.query.filters import check_fields, compile_filter

T0 = dt.datetime(2026, 11, 1, 10, 0, tzinfo=dt.UTC)
NOW = int(T0.timestamp() * 1e6)

FRAME = pl.DataFrame(
    {
        "raw": [
            "GET /api/orders Charge Begin order_id=ORD-12 see http://x at 10:17:41",
            "time d out; Timeout K\u00d6LN",
            "multi\nline charge\nbegin",
            None,
        ],
        "message": ["Charge Begin", "time d out", "other", None],
        "level": pl.Series([4, 5, 0, 3], dtype=pl.UInt8),
        "time": [T0, T0 - dt.timedelta(minutes=10), T0 - dt.timedelta(minutes=20), None],
        "time_from": pl.Series([0, 1, 3, 4], dtype=pl.UInt8),
        "host": ["web-3", "WEB-4", "10.1.2.3", None],
        "service": ["payments", "Orders", None, "payments"],
        "line": pl.Series([1, 2, 30, 4], dtype=pl.UInt32),
        "fields.host": ["inner", None, None, None],
        "fields.order_id": ["ORD-12", "ord-129", "ORD-2", None],
        "fields.status": pl.Series([500, 200, None, 503]),
        "fields.code": ["200", "0200", "abc", None],
        "fields.long": ["12345678901234567890", "12345678901234567891", "x", None],
        "fields.ok": [True, False, None, True],
        "fields.wait_ms": [1500.0, 20.0, None, 0.0],
        "fields.took": ["1.5s", "20ms", "1m", "-"],
        "fields.size": ["10 kB", "3MiB", None, "12"],
        "fields.plain": pl.Series([5, 6, 7, None]),
        "fields.ip": ["10.200.0.1", "::ffff:10.0.0.9", "fe80::1", "11.0.0.1"],
        "keys.trace": ["t1", None, "t2", None],
    }
)

RULES: list[tuple[str, list[int]]] = [
    # words and phrases
    ("charge", [0, 2]), ('"charge begin"', [0]), ("köln", [1]), ("message:charge", [0]), ('message:"D OUT"', [1]),
    ("message:ch*gin", [0]), ("message:(charge or out)", [0, 1]), ("charge begin", [0, 2]),
    # regexes
    ("/time(d )?out/", [1]), ("/charge begin/", [0]), ("/charge begin/c", []), ("/Charge Begin/c", [0]),
    ("/api/orders", [0]), ("/api/orders /web/", []), ("/(?s)multi.*begin$/", [2]),
    # a name is one only where it can be
    ("http://x", [0]), ("10:17:41", [0]),
    # equals, wildcards, lists, networks
    ("service:PAYMENTS", [0, 3]), ("service:p*", [0, 3]), ("order_id:ORD-12*", [0, 1]), ("order_id:ord-1?", [0]),
    ('order_id:"ORD-12*"', []), ("service:(orders or payments)", [0, 1, 3]), ("service:(not orders)", [0, 2, 3]),
    ("order_id:*", [0, 1, 2]), ("level:*", [0, 1, 3]), ("status:5??", [0, 3]), ("status:2*", [1]), ("status:200", [1]),
    ("host:10.0.0.0/8", [2]), ("ip:10.0.0.0/8", [0, 1]), ("ip:fe80::/10", [2]), ("ip:10.200.0.1", [0]),
    ("ok:true", [0, 3]), ("ok=false", [1]), ("ok:TRUE", [0, 3]),
    # exact and ordered
    ("service=payments", [0, 3]), ("service=PAYMENTS", []), ("status=200", [1]), ("status!=200", [0, 3]),
    ("status > 200", [0, 3]), ("status>=5e2", [0, 3]), ("status<500", [1]), ("code=200", [0, 1]), ("code:200", [0]),
    ('code="200"', [0]), ("code>100", [0, 1]), ("code!=200", [2]), ("order_id>ORD-12", [1, 2]),
    ("long=12345678901234567890", [0]), ("line>=4", [2, 3]),
    # levels
    ("level>=warn", [0, 1]), ("level:warn", [0]), ("level=error", [1]), ("level!=error", [0, 3]), ("level<=info", [3]),
    ("level:(warn or err)", [0, 1]), ("level:e*", [1]), ("level~/^(warn|error)$/", [0, 1]), ("level:warning", [0]),
    # times
    ("time>-15m", [0, 1]), ("time>=2026-11-01T09:50:00Z", [0, 1]), ("time<2026-11-01T11:00:00+02:00", []),
    ("time>9:45", [0, 1]), ("time:*", [0, 1, 2]), ("time:2026-11-01T09*", [1, 2]), ("time_from:file", [2]),
    ("time_from!=record", [1, 2, 3]),
    # durations and sizes with units: by the field's name, by the value
    ("wait_ms>1s", [0]), ("wait_ms>=20ms", [0, 1]), ("wait_ms=1.5s", [0]), ("wait_ms>1000", [0]), ("took>1s", [0, 2]),
    ("took<=20ms", [1]), ("took=1.5s", [0]), ("size>10k", [1]), ("size>=10k", [0, 1]), ("size<4MiB", [0, 1]),
    # a field's regex
    ("order_id~/^ord-12/", [0, 1]), ("order_id~/^ord-12/c", [1]), ("status~/^5/", [0, 3]),
    # and, or, not, -, ( )
    ("service:payments or level:error status:200", [0, 1, 3]), ("(service:payments or level:error) status:200", [1]),
    ("charge and begin", [0, 2]), ("-charge", [1, 3]), ("not charge", [1, 3]), ('-"charge begin" charge', [2]),
    ("not (charge or timeout)", [3]), ("not service:orders charge", [0, 2]), ("--charge", [0, 2]), ("-/time/", [0, 2, 3]),
    # the empty filter, true or false, lacking fields
    ("", [0, 1, 2, 3]), ("   ", [0, 1, 2, 3]), ("not host:x", [0, 1, 2, 3]), ("host!=x", [0, 1, 2]), ("absent!=x", []),
    ("not absent:x", [0, 1, 2, 3]), ("absent:*", []), ("not status>0", [2]),
    # columns win, fields. reaches the extracted one, keys. the key's value
    ("host:inner", []), ("fields.host:inner", [0]), ("keys.trace:t2", [2]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "rows"), RULES)
def test_what_matches(text: str, rows: list[int]) -> None:
    compiled = compile_filter(text, now_us=NOW)
    assert compiled.mask(FRAME).arg_true().to_list() == rows
    assert compiled.mask(FRAME.clear()).to_list() == []


ERRORS: list[tuple[str, int, str]] = [
    ("a (b", 3, "not closed"), ("a )", 3, "opens"), ('a "b', 3, "quote"), ("a or", 4, "missing"), ("or a", 1, "before"),
    ("x host:", 7, "missing"), ("level>=loud", 8, "no level"), ("time>soon", 6, "no time"), ("x /(/", 3, "regex"),
    ("a host~/[/", 3, "regex"), ("/a{9999}{9999}/", 1, "regex"), ("/(?<!a)b/", 1, "look-around"), ("a==b", 3, "="),
    ("has(x)", 1, "transactions"), ("wait_ms>2MiB", 9, "duration"), ("host!=(a or b)", 7, "one value"),
    ("/" + "a" * 5000 + "/", 1, "longer"), ("time_from:moon", 11, "time_from"), ("(" * 200, 101, "nested"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "column", "says"), ERRORS)
def test_errors_point_at_the_column(text: str, column: int, says: str) -> None:
    with pytest.raises(FilterError, match=says) as caught:
        compile_filter(text)
    assert caught.value.column == column


def test_a_unit_that_nothing_tells_is_an_error_unless_the_format_tells_it() -> None:
    with pytest.raises(FilterError, match="unit of plain") as caught:
        compile_filter("line>0 plain>5s").mask(FRAME)
    assert caught.value.column == 14
    assert compile_filter("plain>5s", units={"plain": "s"}).mask(FRAME).arg_true().to_list() == [1, 2]
    assert compile_filter("plain>5ms", units={"plain": "ms"}).mask(FRAME).arg_true().to_list() == [1, 2]


def test_an_unknown_field_is_told_with_its_nearest_names() -> None:
    compiled = compile_filter("orderid:x status:200 hst:a keys.trce:x host:y")
    errors = check_fields(compiled, ["order_id", "status", "keys.trace"])
    assert [(error.column, error.mend) for error in errors] == [
        (1, "did you mean order_id?"), (22, "did you mean host?"), (28, "did you mean keys.trace?"),
    ]  # fmt: skip
    both = ["client_ip", "keys.client_ip"]
    assert [error.mend for error in check_fields(compile_filter("clint_ip:x keys.clint_ip:x"), both)] == [
        "did you mean client_ip?", "did you mean keys.client_ip?",
    ]  # fmt: skip
    with pytest.raises(FilterError, match="orderid"):
        compile_filter("orderid:x", known_fields=["order_id"])


def test_a_filter_tells_what_it_needs() -> None:
    compiled = compile_filter('level>=warn "a b" message:x fields.host:y order_id~/x/ not took>5s')
    assert compiled.columns == {"level", "raw", "message", "fields.host", "fields.order_id", "fields.took"}
    assert compiled.field_terms == (("level", 1), ("fields.host", 29), ("order_id", 43), ("took", 60))


def test_one_filter_serves_frames_of_other_dtypes() -> None:
    compiled = compile_filter("a>5")
    assert compiled.mask(pl.DataFrame({"fields.a": [4, 6]})).to_list() == [False, True]
    assert compiled.mask(pl.DataFrame({"fields.a": ["10", "x"]})).to_list() == [True, False]
    assert compiled.mask(pl.DataFrame({"raw": ["a"]})).to_list() == [False]
    assert compiled.mask(pl.DataFrame({"fields.a": [None]})).to_list() == [False]
