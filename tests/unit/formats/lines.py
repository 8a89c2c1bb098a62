"""Lines of each format, as many as wanted, for the tests of this package."""

from __future__ import annotations

import json
from collections.abc import Callable

ISO = "2026-11-01T10:{m:02}:{s:02}.{ms:03}Z"


def _iso(number: int) -> str:
    return ISO.format(m=number // 60 % 60, s=number % 60, ms=number % 1000)


def json_line(number: int) -> str:
    return json.dumps(
        {
            "time": _iso(number),
            "level": ("info", "warn", "error")[number % 3],
            "service": "orders",
            "msg": f"order placed attempt={number % 4}",
            "order_id": f"ORD-{number}",
            "amount": number * 1.5,
            "ctx": {"trace_id": f"{number:032x}"},
        }
    )


MAKERS: dict[str, Callable[[int], str]] = {
    "json": json_line,
    "logfmt": lambda n: (
        f'time={_iso(n)} level=info service=cart msg="cart \\"{n}\\" filled" order_id=ORD-{n} user={n % 9}'
    ),
    "rfc5424": lambda n: f'<134>1 {_iso(n)} pay-1 payments {n} ID1 [x@1 psp_ref="P{n}"] charge begin order_id=ORD-{n}',
    "rfc3164": lambda n: f"<13>Nov  1 10:{n // 60 % 60:02}:{n % 60:02} web-1 mailer[{n}]: mail sent order_id=ORD-{n}",
    "docker": lambda n: json.dumps(
        {"log": f"shipped order_id=ORD-{n}\n", "stream": "stdout", "time": _iso(n)}, separators=(",", ":")
    ),
    "access": lambda n: (
        f'10.0.0.{n % 200} - - [01/Nov/2026:10:{n // 60 % 60:02}:{n % 60:02} +0000] "GET /o?ref=P{n} HTTP/1.1" {200 + n % 4 * 100} {n} "-" "curl" rt=0.{n % 1000:03}'
    ),
    "log4j": lambda n: f"{_iso(n)} INFO  [exec-{n % 9}] com.shop.OrderService - order placed order_id=ORD-{n}",
    "python": lambda n: (
        f"2026-11-01 10:{n // 60 % 60:02}:{n % 60:02},{n % 1000:03} INFO [shop.stock] reserved order_id=ORD-{n}"
    ),
    "iso_text": lambda n: f"{_iso(n)} settled the charge order_id=ORD-{n}",
    "glog": lambda n: f"I1101 10:{n // 60 % 60:02}:{n % 60:02}.{n % 1000000:06} {n} main.cc:12] tick order_id=ORD-{n}",
    "apache_error": lambda n: (
        f"[Sun Nov 01 10:{n // 60 % 60:02}:{n % 60:02}.{n % 1000000:06} 2026] [core:error] [pid {n}:tid 1] gone order_id=ORD-{n}"
    ),
    "text": lambda n: f"worker {n % 7}: ERROR cannot settle order_id=ORD-{n} now",
}
