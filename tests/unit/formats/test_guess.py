"""Times of layouts that no format knows are found on a sample, also where the sample has to tell day from month."""

from __future__ import annotations

import polars as pl
import pytest

from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import make_parser
from logscope.formats.timestamps import Clock, to_times

FORMATS = load_formats()
REFERENCE = 1_798_675_200_000_000


def times(lines: list[str], zone: str = "UTC") -> list[str | None]:
    parser = make_parser(detect(FORMATS, lines, name="x"), zone=zone, reference_us=REFERENCE, source_name="x")
    return parser.index(pl.Series(lines))["time"].dt.to_string("%Y-%m-%dT%H:%M:%S%.3f").to_list()


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("9/27/2013\t2:42:39 PM\tBlocked by a rule", "2013-09-27T14:42:39.000"),
        ("9/27/2013 12:42:39 am Blocked by a rule", "2013-09-27T00:42:39.000"),
        ("08-13-13,02:52:32.976,291,1358,WNS,Received", "2013-08-13T02:52:32.976"),
        ("2303,27.05.2019,10:09:04:540,1012301,4,,BMS001", "2019-05-27T10:09:04.540"),
        ("[15/04/2024 12:50:04] opened", "2024-04-15T12:50:04.000"),
        ("[15/04/2024 12:50:04 +0200] opened", "2024-04-15T10:50:04.000"),
        ("15/04/2024 12:50:04Z opened", "2024-04-15T12:50:04.000"),
        ("1.2.3.14 - jo [15/04/2024 12:50:04] CONNECT a.example", "2024-04-15T12:50:04.000"),
        ("amMonitoring:06/19/2014 02:49:59:447 PM UTC: Thread[http-80-1,5,main]", "2014-06-19T14:49:59.447"),
        ("20100720 183814 Scan finished", "2010-07-20T18:38:14.000"),
        ("[07.27 10:23:42] chrome.exe close", "2026-07-27T10:23:42.000"),
        ("1362692527.009512\tFakNcS1Jfe01uljb3\t192.150.187.43\tCXWv6p\tHTTP", "2013-03-07T21:42:07.009"),
        ("[1362692527] disk is full", "2013-03-07T21:42:07.000"),
        ("x1660360496     20-02-2024 13:10:33     20-02-2024 13:11:52", "2024-02-20T13:10:33.000"),
    ],
)
def test_a_date_in_digits(line: str, time: str) -> None:
    assert times([line]) == [time]


@pytest.mark.parametrize(
    "line",
    [
        "stm[8447]: <501093> <NOTI> AP 1.2.3.4-02:00:00:00:00:03-02:00:00:00:00:01",
        "build 1.2-10:11:12 done",
        "ratio 3/4 12:30:45",
        "id 20241345 999999",
    ],
)
def test_addresses_and_numbers_are_no_times(line: str) -> None:
    assert times([line]) == [None]


def test_one_line_tells_day_from_month_for_all() -> None:
    assert times(["05/04/2024 10:00:00 a", "13/04/2024 10:00:00 b"])[0] == "2024-04-05T10:00:00.000"
    assert times(["05/04/2024 10:00:00 a", "05/13/2024 10:00:00 b"])[0] == "2024-05-04T10:00:00.000"


def test_lines_of_a_log_lie_close_together_where_nothing_else_tells() -> None:
    assert times(["02/07/2024 10:00:00 a", "03/07/2024 10:00:00 b"])[0] == "2024-07-02T10:00:00.000"
    assert times(["07/02/2024 10:00:00 a", "07/03/2024 10:00:00 b"])[0] == "2024-07-02T10:00:00.000"


def test_the_first_line_need_not_have_a_time() -> None:
    lines = ["Program started by Jo", *(f"worker {n} at 15/04/2024 12:50:{n:02} done" for n in range(10))]
    assert times(lines)[1:3] == ["2024-04-15T12:50:00.000", "2024-04-15T12:50:01.000"]


def test_the_basic_form_of_iso_8601_is_no_number_of_milliseconds() -> None:
    texts = ["20241029112721.500", "20241029T112721Z", "20241029112721", "1730201241500", "20241029T112721+0100"]
    found = to_times(pl.Series(texts), Clock()).dt.to_string("%Y-%m-%dT%H:%M:%S%.3f").to_list()
    assert found == [
        "2024-10-29T11:27:21.500",
        "2024-10-29T11:27:21.000",
        "2024-10-29T11:27:21.000",
        "2024-10-29T11:27:21.500",
        "2024-10-29T10:27:21.000",
    ]
