"""A small Investigation in memory, over a shop's records: what the screens are tested against."""

from __future__ import annotations

import random
import re
import time as clock
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from logscope.engine.answers import (
    Absence,
    AbsentStep,
    Bucket,
    Detection,
    FieldValue,
    Line,
    Mark,
    Member,
    NearMiss,
    Newest,
    Preview,
    RuleState,
    Snapshot,
    SourceStatus,
    TransactionDetail,
    View,
)
from logscope.engine.api import Cancel
from logscope.engine.detection.marking import last_row
from logscope.engine.pinned import CaseFile
from logscope.errors import FilterError
from logscope.records import severity
from logscope.records.schema import TIME
from tests.tui.fake_analysis import FakeAnalysis
from tests.tui.fake_browsing import FakeBrowsing
from tests.tui.fake_cases import FakeCases, FakeFolder
from tests.tui.fake_desk import FakeDesk

START = 1_793_527_200_000_000  # 2026-11-01 10:00:00 UTC
MS = 1_000
TOKEN = re.compile(r'\s*(\(|\)|"[^"]*"|/(?:[^/]+)/|(?:not|has|and|or)\b|-(?=\S)|[^\s()]+)')
STRONG = {"order_id": "strong", "req": "strong", "psp_ref": "strong", "user": "weak"}


class Filter:
    """Words, phrases, /regex/, field:value, level>=, time>=, not, -, ( ), or, has( )."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.patterns: list[str] = []
        self.tokens: list[tuple[str, int]] = []
        place = 0
        while place < len(text):
            match = TOKEN.match(text, place)
            if match is None:
                break
            token = match.group(1)
            if token.startswith('"') and not (len(token) > 1 and token.endswith('"')):
                raise FilterError("this quote is never closed", column=match.start(1) + 1)
            self.tokens.append((token, match.start(1) + 1))
            place = match.end()
        self.place = 0
        self.expr = self._any()
        if self.place < len(self.tokens):
            raise FilterError("nothing opens this ')'", column=self.tokens[self.place][1])

    def _peek(self) -> str:
        return self.tokens[self.place][0] if self.place < len(self.tokens) else ""

    def _any(self) -> pl.Expr:
        found = self._all()
        while self._peek() == "or":
            self.place += 1
            found = found | self._all()
        return found

    def _all(self) -> pl.Expr:
        found = pl.lit(True)
        while self._peek() not in ("", ")", "or"):
            found = found & self._one()
        return found

    def _one(self) -> pl.Expr:
        token, column = self.tokens[self.place]
        self.place += 1
        if token in ("not", "-"):
            return ~self._one()
        if token == "and":
            return self._one()
        if token == "has":
            return self._one()
        if token == "(":
            inner = self._any()
            if self._peek() != ")":
                raise FilterError("this '(' is never closed", column=column)
            self.place += 1
            return inner
        if token.startswith('"'):
            return self._word(token[1:-1])
        if token.startswith("/") and token.endswith("/") and len(token) > 2:
            self.patterns.append(token[1:-1])
            return pl.col("raw").str.contains(token[1:-1])
        if match := re.match(r"level>=(\w+)$", token):
            return pl.col("level") >= (severity.level_number(match.group(1)) or 0)
        if match := re.match(r"time(>=|<)(\S+)$", token):
            bound = pl.lit(match.group(2)).str.to_datetime(time_unit="us", time_zone="UTC").dt.epoch("us")
            return pl.col("time") >= bound if match.group(1) == ">=" else pl.col("time") < bound
        if match := re.match(r"([A-Za-z_]\w*):(\S+)$", token):
            name, value = match.groups()
            if name == "service":
                return pl.col("service") == value
            return self._word(f"{name}={value}")
        return self._word(token)

    def _word(self, word: str) -> pl.Expr:
        self.patterns.append("(?i)" + re.escape(word).replace("\\ ", " ").replace("\\-", "-"))
        return pl.col("raw").str.to_lowercase().str.contains(word.lower(), literal=True)


def shop(transactions: int = 40, seed: int = 7, extra: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Records of orders through six services; some payments never settle."""
    chance = random.Random(seed)
    records: list[dict[str, Any]] = []

    def say(at: int, level: int, service: str, host: str, message: str, number: int | None) -> None:
        records.append(
            {"time": at, "level": level, "service": service, "host": host, "message": message, "number": number}
        )

    for number in range(transactions):
        at = START + number * 2_700 * MS + chance.randrange(900) * MS
        order, req, psp = f"ORD-{4711 + number}", f"{chance.getrandbits(48):012x}", f"PSP{8812 + number}"
        failed = number % 9 == 4
        say(at, 3, "gateway", "g-2", f"POST /api/orders 201 req={req}", number)
        say(at + 2 * MS, 2, "auth", "a-1", f"token ok user=u{number % 7} req={req}", number)
        say(at + 6 * MS, 3, "orders", "o-1", f"order created order_id={order} req={req} items=3", number)
        say(at + 60 * MS, 2, "inventory", "i-1", f"reserve sku=SKU-{chance.randrange(99)} order_id={order}", number)
        say(at + 184 * MS, 3, "payments", "p-1", f"charge begin order_id={order} amount=129.90 EUR", number)
        code = 202 if failed else 200
        say(
            at + 816 * MS,
            4 if failed else 3,
            "payments",
            "p-1",
            f"psp response code={code} order_id={order} psp_ref={psp}",
            number,
        )
        if failed:
            say(at + 81_000 * MS, 3, "orders", "o-2", f"state change order_id={order} from=NEW to=EXPIRED", number)
        else:
            say(at + 1_900 * MS, 3, "payments", "p-2", f"charge settled psp_ref={psp} order_id={order}", number)
            say(at + 1_950 * MS, 3, "orders", "o-2", f"state change order_id={order} from=NEW to=PAID", number)
        if number % 11 == 7:
            trace = (
                "upstream timed out\njava.net.SocketTimeoutException: Read timed out\n\tat shop.Mail.send(Mail.java:88)"
            )
            say(at + 2_100 * MS, 5, "mailer", "m-1", f"{trace} order_id={order}", number)
    for place, text in enumerate(extra):
        say(START + place * 400 * MS + 100, 5, text[:40], text, text, place % max(1, transactions))
    records.sort(key=lambda one: one["time"])
    return records


class FakeInvestigation(FakeAnalysis, FakeBrowsing, FakeCases):
    """Everything in memory; `delay` seconds per query, to be cancelled."""

    def __init__(
        self, transactions: int = 40, *, extra: Sequence[str] = (), loading: bool = False, live: bool = False,
        delay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.records = shop(transactions, extra=extra)
        self.extra = list(extra)
        self.delay = delay
        self.live, self.loading = live, loading
        self.generation = 1
        self._callbacks: list[Callable[[Snapshot], None]] = []
        self.prepared = False
        self.grain_name = "order_id"
        self.messages: tuple[str, ...] = ()
        self.asked: list[str] = []
        self.desk = FakeDesk(self)
        self.cases = FakeFolder()
        self.reports: list[tuple[Path, CaseFile, bool]] = []
        self.text = self.extra[0] if self.extra else ""
        self._index()

    def _index(self) -> None:
        self._by_number: dict[int, list[int]] = {}
        for row, one in enumerate(self.records):
            if one["number"] is not None:
                self._by_number.setdefault(one["number"], []).append(row)
        self._detections: list[Detection] | None = None
        self.frame = pl.DataFrame(
            [
                {**one, "row": row, "raw": f"{one['service']}[{one['host']}]: {one['message']}"}
                for row, one in enumerate(self.records)
            ],
            schema_overrides={"row": pl.UInt32, "number": pl.Int64},
            infer_schema_length=None,
        )

    @property
    def snapshot(self) -> Snapshot:
        names = sorted({one["service"] for one in self.records}) if self.records else []
        first = self.records[0]["time"] if self.records else None
        last = self.records[-1]["time"] if self.records else None
        sources = tuple(
            SourceStatus(f"{name}-1.log", "logfmt", 100, 0, 9_000, 9_000, first, last, self.live) for name in names
        )
        return Snapshot(
            self.generation, len(self.records), sources, first, last, self.loading, self.live,
            0.4 if self.loading else 1.0, {"received": 412, "late": 2} if self.live else {},
            412.0 if self.live else 0.0, transactions=self._count() if self.prepared else None,
            detections=len(self._found()) if self.prepared else 0, rules=12, messages=self.messages,
            findings=len(self._found()) if self.prepared else 0,
        )  # fmt: skip

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def publish(self) -> None:
        self.generation += 1
        for callback in self._callbacks:
            callback(self.snapshot)

    def append(self, message: str, *, level: int = 3) -> None:
        last = self.records[-1]["time"] if self.records else START
        self.records.append(
            {
                "time": last + 50 * MS,
                "level": level,
                "service": "orders",
                "host": "o-1",
                "message": message,
                "number": None,
            }
        )
        self._index()

    def start(self) -> None: ...

    def close(self) -> None: ...

    def _wait(self, cancel: Cancel) -> None:
        until = clock.monotonic() + self.delay
        while clock.monotonic() < until:
            cancel.check()
            clock.sleep(0.005)
        cancel.check()

    def view(
        self, filter_text: str, *, cancel: Cancel, base: View | None = None,
        partial: Callable[[View], None] | None = None,
    ) -> View:  # fmt: skip
        self.asked.append(filter_text)
        compiled = Filter(filter_text)
        if partial is not None and self.delay:
            partial(View(self.frame["row"][:5], filter_text, self.generation, complete=False))
        self._wait(cancel)
        rows = self.frame.filter(compiled.expr)["row"] if self.records else pl.Series([], dtype=pl.UInt32)
        if base is not None:
            rows = rows.filter(rows.is_in(base.rows.implode()))
        return View(self._shown(rows), filter_text, self.generation)

    def _line(self, row: int) -> Line:
        one = self.records[row]
        raw = f"{one['service']}[{one['host']}]: {one['message']}"
        return Line(
            row,
            one["time"],
            0,
            one["level"],
            f"logs/{one['service']}-1.log",
            row + 1,
            one["service"],
            one["host"],
            one["message"],
            raw,
        )

    def lines(self, view: View, start: int, stop: int) -> Sequence[Line]:
        return [self._line(row) for row in view.rows[start:stop]]

    def time_at(self, view: View, position: int) -> int | None:
        return self.records[int(view.rows[position])]["time"] if 0 <= position < len(view.rows) else None

    def position(self, view: View, row: int) -> int:
        return min(int(view.rows.search_sorted(row)), max(0, len(view.rows) - 1))

    def position_of_time(self, view: View, time: int) -> int:
        return next(
            (place for place, row in enumerate(view.rows) if self.records[row]["time"] >= time), len(view.rows) - 1
        )

    def find(self, view: View, filter_text: str, start: int, *, backwards: bool, cancel: Cancel) -> int | None:
        self._wait(cancel)
        hits = set(self.frame.filter(Filter(filter_text).expr)["row"])
        places = [place for place, row in enumerate(view.rows) if row in hits]
        ahead = [place for place in places if (place < start if backwards else place > start)]
        return (max(ahead) if backwards else min(ahead)) if ahead else None

    def highlights(self, filter_text: str) -> Sequence[str]:
        return Filter(filter_text).patterns

    def next_level(self, view: View, start: int, level: int, *, backwards: bool) -> int | None:
        places = [place for place, row in enumerate(view.rows) if self.records[row]["level"] >= level]
        ahead = [place for place in places if (place < start if backwards else place > start)]
        return (max(ahead) if backwards else min(ahead)) if ahead else None

    def histogram(self, view: View, buckets: int) -> Sequence[Bucket]:
        times = [self.records[row]["time"] for row in view.rows]
        if not times:
            return []
        low, high = times[0], times[-1] + 1
        span = max(1, -(-(high - low) // buckets))
        counts = [[0] * 7 for _ in range(buckets)]
        for row in view.rows:
            counts[(self.records[row]["time"] - low) // span][self.records[row]["level"]] += 1
        found = [0] * buckets
        for one in self.detections():
            if low <= one.time < high:
                found[(one.time - low) // span] += 1
        return [
            Bucket(low + place * span, low + (place + 1) * span, tuple(count), found[place])
            for place, count in enumerate(counts)
        ]

    def fields(self, row: int) -> Sequence[FieldValue]:
        one = self.records[row]
        found = []
        for name, value in re.findall(r"(\w+)=(\S+)", one["message"]):
            key = name if name in STRONG else None
            count = self.frame.filter(pl.col("message").str.contains(f"{name}={value}", literal=True)).height
            found.append(FieldValue(name, value, key, STRONG.get(name), count if key else None))
        if one["message"] in self.extra:
            found.append(FieldValue(one["message"], one["message"], one["message"], "strong", 3))
        found.sort(key=lambda field: field.key is None)
        return [
            *found,
            FieldValue("service", one["service"], None, None, None),
            FieldValue("host", one["host"], None, None, None),
        ]

    def pivot_filter(self, key: str | None, name: str, value: str) -> str:
        return f'"{name}={value}"' if (name in STRONG) else f"{name}:{value}"

    def prepare_transactions(self, *, cancel: Cancel) -> None:
        if self.prepared:
            return
        cancel.tell("linking", 0.5)
        self._wait(cancel)
        self.prepared = True

    def _count(self) -> int:
        return len(self._by_number)

    def _rows(self, number: int) -> list[int]:
        return self._by_number.get(number, [])

    def with_columns(self, transactions: pl.DataFrame) -> pl.DataFrame:
        if transactions.is_empty():
            return transactions
        whole = self.transactions(cancel=Cancel())
        more = [name for name in whole.columns if name not in transactions.columns]
        return transactions.join(whole.select("number", *more), on="number", how="left", maintain_order="left")

    def transactions(
        self,
        where: str = "",
        *,
        sort: str = "start",
        descending: bool = False,
        cancel: Cancel,
        columns: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        self._wait(cancel)
        wanted = self._having(where)
        rules = {one.number: [one.rule] for one in self._found()}
        ways = self.shape_numbers()
        out = []
        for number in sorted({one["number"] for one in self.records if one["number"] is not None}):
            if number not in wanted:
                continue
            rows = self._rows(number)
            members = [self.records[row] for row in rows]
            out.append(
                {
                    "number": number, "transaction": f"tx{number:04x}", "start": members[0]["time"],
                    "end": members[-1]["time"], "duration": members[-1]["time"] - members[0]["time"],
                    "records": len(rows), "errors": sum(one["level"] >= 5 for one in members),
                    "level": max(one["level"] for one in members),
                    "services": list(dict.fromkeys(one["service"] for one in members)),
                    "sources": list(dict.fromkeys(one["host"] for one in members)),
                    "first": members[0]["message"], "last": members[-1]["message"], "oversize": None, "cut": None,
                    "state": "closed", "keys.order_id": [f"ORD-{4711 + number}"], "rules": rules.get(number, []),
                    "shape": ways[number],
                }
            )  # fmt: skip
        frame = pl.DataFrame(
            out,
            schema_overrides={"number": pl.UInt32, "records": pl.UInt32, "errors": pl.UInt32, "level": pl.UInt8,
                              "oversize": pl.String, "cut": pl.String, "rules": pl.List(pl.String)},
            infer_schema_length=None,
        )  # fmt: skip
        if frame.is_empty():
            return frame
        frame = frame.with_columns(
            pl.from_epoch("start", time_unit="us").dt.replace_time_zone("UTC").cast(TIME),
            pl.from_epoch("end", time_unit="us").dt.replace_time_zone("UTC").cast(TIME),
            pl.col("duration").cast(pl.Duration("us")),
        )
        if columns is not None:
            texts = {"transaction", "services", "sources", "first", "last", "keys.order_id"}
            frame = frame.drop(texts.difference({*columns, sort}))
        return frame.sort(sort, descending=descending)

    def _having(self, where: str) -> set[int]:
        wanted = {one["number"] for one in self.records if one["number"] is not None}
        if match := re.fullmatch(r"not \((.*)\)", where):
            return wanted - self._having(match.group(1))
        Filter(where)
        for negated, inner in re.findall(r"(not |-)?has\(([^)]*)\)", where):
            held = set(self.frame.filter(Filter(inner).expr)["number"].drop_nulls())
            wanted = wanted - held if negated else wanted & held
        if match := re.search(r"shape=(\d+)", where):
            wanted &= {n for n, shape in self.shape_numbers().items() if shape == int(match.group(1))}
        for service in re.findall(r'services:"([^"]+)"', where):
            wanted = {n for n in wanted if any(self.records[r]["service"] == service for r in self._rows(n))}
        for way, bound in re.findall(r"start(>=|<)(\S+)", where):
            limit = datetime.fromisoformat(bound.replace("Z", "+00:00")).timestamp() * 1e6
            begun = {n: self.records[self._rows(n)[0]]["time"] for n in wanted}
            wanted = {n for n, at in begun.items() if (at >= limit if way == ">=" else at < limit)}
        if match := re.search(r"errors>(\d+)", where):
            wanted = {
                n for n in wanted if sum(self.records[r]["level"] >= 5 for r in self._rows(n)) > int(match.group(1))
            }
        return wanted

    def transaction(self, number: int) -> TransactionDetail:
        rows = self._rows(number)
        lines = [self._line(row) for row in rows]
        found = next((one for one in self._found() if one.number == number), None)
        steps = {step["row"]: (found.rule, name) for name, step in found.steps.items()} if found else {}
        members, previous = [], None
        for one in lines:
            assert one.time is not None
            since = None if previous is None else one.time - previous
            members.append(Member(one, since, one.time - (lines[0].time or 0), one.level >= 5, steps.get(one.row)))
            previous = one.time
        absent = ()
        if found:
            begin = found.steps["psp"]["time"]
            absent = (
                AbsentStep(
                    found.rule, "settled", begin, begin + 30_000 * MS, self._text("expected within 30 s, nothing came")
                ),
            )
        return TransactionDetail(
            number, f"tx{number:04x}", self._text(f"ORD-{4711 + number}"), lines[0].time or 0, lines[-1].time or 0,
            tuple(members), {"order_id": (f"ORD-{4711 + number}",), "psp_ref": (f"PSP{8812 + number}",)},
            ("req 9f1c…", "order_id", "psp_ref"), absent, (found.rule,) if found else (),
            sum(member.error for member in members), None, self.waits(number),
        )  # fmt: skip

    def _text(self, text: str) -> str:
        return f"{text} {' '.join(self.extra)}" if self.extra else text

    def absences(self, *, cancel: Cancel) -> Sequence[Absence]:
        return [Absence(self._text("charge begin"), "charge settled", 22, 200)]

    def transactions_of(self, row: int) -> Sequence[int]:
        number = self.records[row]["number"]
        return [] if number is None else [number]

    def explain(self, row: int, other: int) -> Sequence[str]:
        return [f"{row} and {other} both hold order_id"]

    def keys(self) -> Sequence[dict[str, Any]]:
        return [
            {"key": "order_id", "class": "strong", "values": self._count(), "records": 200, "origin": "found",
             "active": True, "grain": True, "services": ["orders", "payments"], "records_per_value_p50": 6,
             "records_per_value_max": 7, "aliases": ["orderId", *self.extra], "why": self._text("links: 6 records per value over 4 services")},
            {"key": "user", "class": "weak", "values": 7, "records": 40, "origin": "found", "active": False,
             "why": "never links: 6 orders per value"},
        ]  # fmt: skip

    def grain(self) -> tuple[str, str]:
        return self.grain_name, self._text("each order has a transaction of its own")

    def grain_lines(self) -> Sequence[tuple[str, str]]:
        return (
            ("grain", self.grain_name),
            ("up", "session_id: " + self._text("over request_id: description 72% longer")),
            ("down", "request_id: " + self._text("71% of the records; order_id over it: description 84% shorter")),
        )

    def set_grain(self, grain: str) -> None:
        self.grain_name = "order_id" if grain == "auto" else grain

    def _found(self) -> list[Detection]:
        if self._detections is None:
            self._detections = self._detect()
        return self._detections

    def _detect(self) -> list[Detection]:
        out = []
        for number in range(4, self._count(), 9):
            rows = self._rows(number)
            begin = next((r for r in rows if "charge begin" in self.records[r]["message"]), None)
            psp = next((r for r in rows if "psp response" in self.records[r]["message"]), None)
            if begin is None or psp is None:
                continue
            decided = self.records[psp]["time"] + 30_000 * MS
            order = f"ORD-{4711 + number}"
            steps = {
                name: {"time": self.records[row]["time"], "source": "logs/payments-1.log", "line": row + 1, "row": row}
                for name, row in (("begin", begin), ("psp", psp))
            }
            out.append(
                Detection(
                    f"d{number}", "silent_payment_failure", self._text("Charge begun, never settled"), "high", decided,
                    self.records[begin]["time"], decided, f"tx{number:04x}", {"order_id": [order]},
                    {"order_id": order, "amount": "129.90", "psp_ref": f"PSP{8812 + number}"},
                    self._text(f"order {order}: 129.90 EUR charged, PSP said 202, never settled"), steps, "matched",
                    "nothing for 30 s", number,
                )
            )  # fmt: skip
        return out

    def detections(self, *, pending: bool = True) -> Sequence[Detection]:
        return self._found() if self.prepared else []

    def installed_rules(self) -> Sequence[RuleState]:
        found = self._found() if self.prepared else []
        silent = RuleState(
            "silent_payment_failure", self._text("Charge begun, never settled"), "high", "sequence",
            "/rules/silent.yml", 1, "yours", True, len(found), 3, 0.012, {"evicted": 5},
            found[-1].time if found else None,
        )  # fmt: skip
        off = RuleState(
            "disk_full",
            "A disk is full",
            "low",
            "record",
            "/rules/silent.yml",
            1,
            "shipped",
            False,
            0,
            0,
            0.0,
            {},
            None,
        )
        told = self._text("/rules/bad.yml:3: unknown key 'stepz'; mend: steps")
        bad = RuleState(
            self._text("/rules/bad.yml"), told, "", "", "/rules/bad.yml", 3, "yours", True, 0, 0, 0.0, {}, None, told
        )
        return [silent, off, bad]

    def near_misses(self, rule: str, *, cancel: Cancel, number: int | None = None) -> Sequence[NearMiss]:
        rows = self._rows(0)
        told = self._text("settled after 29.0 s, within is 30.0 s")
        return [NearMiss(rule, "settled", "tx0000", 0, START, (("begin", rows[4]),), rows[6], 1_000_000, told)]

    def preview(self, rule_text: str, *, cancel: Cancel, name: str | None = None) -> Preview:
        return self.desk.preview(rule_text, cancel=cancel)

    def next_step(self, view: View, start: int, *, backwards: bool) -> int | None:
        marked = [place for place, row in enumerate(view.rows.to_list()) if self.marks([row])]
        ahead = [place for place in marked if (place < start if backwards else place > start)]
        return (ahead[-1] if backwards else ahead[0]) if ahead else None

    def newest(self) -> Newest:
        found = [one for one in self.detections() if one.state == "matched"]
        return Newest(len(found), tuple(found))

    def marks(self, rows: Sequence[int]) -> dict[int, Mark]:
        steps = {
            step["row"]: Mark(one.rule, name, one.level, one.state, step["row"] == last_row(one.steps))
            for one in self.detections()
            for name, step in one.steps.items()
        }
        return {row: steps[row] for row in rows if row in steps}


class TallInvestigation(FakeInvestigation):
    """Any number of records, made as they are asked for: for frame times."""

    def __init__(self, height: int) -> None:
        super().__init__(20)
        self.height = height
        self._all = pl.int_range(0, height, dtype=pl.UInt32, eager=True)

    @property
    def snapshot(self) -> Snapshot:
        return replace(super().snapshot, records=self.height)

    def view(
        self, filter_text: str, *, cancel: Cancel, base: View | None = None,
        partial: Callable[[View], None] | None = None,
    ) -> View:  # fmt: skip
        return View(self._all, filter_text, self.generation)

    def _line(self, row: int) -> Line:
        return replace(super()._line(row % len(self.records)), row=row, time=START + row * MS, line=row + 1)

    def histogram(self, view: View, buckets: int) -> Sequence[Bucket]:
        return [Bucket(START + i, START + i + 1, (0, 0, 0, 9 + i % 5, 0, 0, 0)) for i in range(buckets)]

    def marks(self, rows: Sequence[int]) -> dict[int, Mark]:
        return {}

    def detections(self, *, pending: bool = True) -> Sequence[Detection]:
        return []
