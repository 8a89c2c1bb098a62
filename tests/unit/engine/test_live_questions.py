"""Every question of the investigator while records come in: an answer each time, never a fault."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from logscope.engine.api import Cancel
from logscope.engine.linking.pivots import key_objects
from logscope.engine.options import Options
from logscope.engine.session import Session

RULE = """\
title: Never settled
name: never_settled
sequence:
  by: [transaction]
  maxspan: 5m
  steps:
    - name: begin
      where: |-
        "charge begin"
    - name: settled
      where: |-
        "charge settled"
      absent: true
      within: 1s
"""


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session that gets a dozen records of new orders every few milliseconds."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    (tmp_path / "rule.yml").write_text(RULE)
    session = Session(
        Options(sources=("syslog+tcp://127.0.0.1:0",), rules=(str(tmp_path / "rule.yml"),), grain="order_id")
    )
    session.open()
    session.start()
    host, port = session.loading.sources[0].name.rpartition("/")[2].split(":")
    ended = threading.Event()

    def feed() -> None:
        first = 0
        with socket.create_connection((host, int(port))) as connection:
            while not ended.wait(0.004):
                lines = []
                for number in range(first, first + 3):
                    at = f"2026-11-01T{10 + number // 36_000:02}:{number // 600 % 60:02}:{number // 10 % 60:02}.{number % 10}Z"
                    for service, text in (("orders", "created"), ("pay", "charge begin"), ("pay", "psp response"),
                                          ("pay", "charge settled" if number % 9 else "nothing")):  # fmt: skip
                        lines.append(
                            f"<14>1 {at} h{number % 3} {service} 1 - - {text} order_id=ORD-{number} amount=5\n"
                        )
                first += 3
                connection.sendall("".join(lines).encode())

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield session
    finally:
        ended.set()
        thread.join()
        session.close()


def test_every_question_is_answered_while_records_come(live: Session) -> None:
    end = time.monotonic() + 20
    while live.snapshot.records < 300 and time.monotonic() < end:
        time.sleep(0.02)
    cancel = Cancel()
    live.prepare_transactions(cancel=cancel)
    everything = live.view("", cancel=cancel)

    def view(text: str) -> Callable[[], object]:
        def ask() -> object:
            seen = live.view(text, cancel=cancel)
            last = max(0, len(seen.rows) - 1)
            row = live.lines(seen, last, last + 1)[0].row
            return [
                live.lines(seen, 0, 40), live.histogram(seen, 100), live.position(seen, row), live.fields(row),
                live.find(seen, "charge", last, backwards=True, cancel=cancel), live.transactions_of(row),
                live.facet(seen, "service", cancel=cancel), live.field_names(seen, cancel=cancel),
                live.marks([row]), live.with_context(seen, 2).rows,
            ]  # fmt: skip

        return ask

    def one() -> object:
        row = live.lines(everything, 5, 6)[0].row
        for _ in range(5):
            # Linked anew between the two questions, a transaction may have another number: that is an answer, too.
            with suppress(KeyError):
                return [
                    (live.transaction(number), live.compare(number, cancel=cancel))
                    for number in live.transactions_of(row)[:1]
                ]
        raise AssertionError("a transaction was never found by the number just told")

    questions: dict[str, Callable[[], object]] = {
        "all": view(""),
        "filtered": view("service:pay charge"),
        "transactions": lambda: live.transactions("", sort="start", cancel=cancel),
        "of a filter": lambda: live.transactions('has("charge begin")', sort="start", cancel=cancel),
        "shapes": lambda: live.shapes(cancel=cancel),
        "map": lambda: live.service_map(cancel=cancel),
        "skews": lambda: live.skews(cancel=cancel),
        "templates": lambda: live.templates(cancel=cancel),
        "absences": lambda: live.absences(cancel=cancel),
        "one": one,
        "keys": live.keys,
        "detections": live.detections,
        "near misses": lambda: live.near_misses("never_settled", cancel=cancel),
        "sql": lambda: live.sql("select service, count(*) as n from records group by service", cancel=cancel),
    }
    asked = dict.fromkeys(questions, 0)
    before = live.snapshot.records
    until = time.monotonic() + 1.0
    while time.monotonic() < until or not all(asked.values()):
        for name, question in questions.items():
            question()
            asked[name] += 1
    assert live.snapshot.records > before


def test_keys_of_an_older_view_count_its_records_alone(live: Session) -> None:
    live.keys()
    end = time.monotonic() + 20
    while live.correlating.plan is None and time.monotonic() < end:
        live.prepare_transactions(cancel=Cancel(), asked=True)
    older = live.store.view
    while live.store.view.records < older.records + 300 and time.monotonic() < end:
        time.sleep(0.02)
    live.prepare_transactions(cancel=Cancel(), asked=True)
    assert live.correlating.plan is not None
    told = key_objects(live.correlating.plan, live.correlating._codes_of_key, older, live.frames)
    (order,) = [one for one in told if one["key"] == "order_id"]
    assert order["records"] == older.records
