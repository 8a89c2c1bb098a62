"""The action `webhook`, against receivers of every temper."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import trustme

from logscope.actions.base import Down, Failed, Refused
from logscope.errors import ConfigError
from tests.receivers import Receiver, drip, echo, flood, free_port, garbage, hang, status
from tests.unit.actions.conftest import Bench, event, until


@pytest.fixture
def receivers() -> Iterator[Any]:
    made: list[Receiver] = []

    def make(*answers: Any, **more: Any) -> Receiver:
        made.append(Receiver(*answers, **more))
        return made[-1]

    yield make
    for receiver in made:
        receiver.close()


def hook(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "webhook", "url": url, "timeout": "30s", "total": "60s"} | more


RUDE = {"timeout": "400ms", "total": "600ms"}
"""For receivers that answer too late, or never."""


def test_an_event_is_the_detection_with_headers_and_a_key(
    bench: Bench, receivers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGER_TOKEN", "s3cret-token")
    receiver = receivers()
    headers = {"Authorization": "Bearer env:PAGER_TOKEN", "X-Team": "payments"}
    dispatcher = bench.start(hook=hook(receiver.url, headers=headers))
    dispatcher.put([("hook", event(1)), ("hook", event(1, "retracted"))])
    assert dispatcher.drain(60, patient=True) == 0
    assert receiver.events == [event(1).data(), event(1, "retracted").data()]
    assert receiver.headers[0]["Authorization"] == "Bearer s3cret-token"
    assert receiver.headers[0]["X-Team"] == "payments"
    assert [sent["Idempotency-Key"] for sent in receiver.headers] == ["d000001-matched", "d000001-retracted"]
    assert receiver.headers[0]["Content-Type"] == "application/json"


def test_a_receiver_that_is_down_for_the_first_half_gets_all_in_order(bench: Bench, receivers: Any) -> None:
    port = free_port()
    dispatcher = bench.start(hook=hook(f"http://127.0.0.1:{port}/hook"))
    dispatcher.put([("hook", event(n)) for n in range(100)])
    until(lambda: bench.depth("hook").failures >= 3)
    assert bench.depth("hook").waiting == 100
    assert "refused" in bench.depth("hook").reason
    receiver = receivers(port=port)
    dispatcher.put([("hook", event(n)) for n in range(100, 200)])
    assert dispatcher.drain(60, patient=True) == 0
    assert [each["output"]["order_id"] for each in receiver.events] == [f"ORD-{n}" for n in range(200)]
    assert [what[0] for what in bench.said] == ["fails", "works"]


def test_a_batch_is_a_list(bench: Bench, receivers: Any) -> None:
    receiver = receivers()
    dispatcher = bench.start(hook=hook(receiver.url, batch=50))
    dispatcher.put([("hook", event(n)) for n in range(120)])
    assert dispatcher.drain(60, patient=True) == 0
    assert [len(body) for body in receiver.bodies] == [50, 50, 20]
    assert len({sent["Idempotency-Key"] for sent in receiver.headers}) == 3


def test_one_that_is_refused_is_a_dead_letter_and_the_others_of_its_batch_pass(bench: Bench, receivers: Any) -> None:
    def choosy(handler: Any) -> None:
        found = handler.body if isinstance(handler.body, list) else [handler.body]
        poison = any(each["detection"] == "d000003" for each in found)
        (status(422, b"no such order") if poison else status(202))(handler)

    receiver = receivers(choosy)
    dispatcher = bench.start(hook=hook(receiver.url, batch=5))
    dispatcher.put([("hook", event(n)) for n in range(12)])
    assert dispatcher.drain(60, patient=True) == 0
    assert sorted(each["detection"] for each in receiver.events) == [f"d{n:06}" for n in range(12) if n != 3]
    depth = bench.depth("hook")
    assert (depth.delivered, depth.dead) == (11, 1)
    assert depth.reason == "answered 422 Unprocessable Entity: no such order"
    assert ("dead", "hook") in [what[:2] for what in bench.said]


def test_one_that_always_fails_lets_the_others_pass_and_is_given_up(bench: Bench, receivers: Any) -> None:
    def choosy(handler: Any) -> None:
        (status(500) if handler.body["detection"] == "d000001" else status(200))(handler)

    receiver = receivers(choosy)
    dispatcher = bench.start(hook=hook(receiver.url, tries=6))
    dispatcher.put([("hook", event(n)) for n in range(1, 6)])
    until(lambda: len(receiver.events) == 4)
    # It is given up only since others were taken meanwhile.
    for number in range(10, 20):
        dispatcher.put([("hook", event(number))])
        time.sleep(0.05)
    until(lambda: bench.depth("hook").dead == 1)
    assert dispatcher.drain(60, patient=True) == 0
    assert len(receiver.events) == 14


def test_while_all_fail_none_is_given_up(bench: Bench, receivers: Any) -> None:
    receiver = receivers(*[status(503)] * 25, status(200))
    dispatcher = bench.start(hook=hook(receiver.url, tries=2, retry_max="20ms"))
    dispatcher.put([("hook", event(n)) for n in range(5)])
    assert dispatcher.drain(60, patient=True) == 0
    assert sorted(each["detection"] for each in receiver.events) == [f"d{n:06}" for n in range(5)]
    assert bench.depth("hook").dead == 0


@pytest.mark.parametrize("wait", ["seconds", "date"])
def test_retry_after_is_honoured(bench: Bench, receivers: Any, wait: str) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    receiver = receivers(status(429, Retry_After="1" if wait == "seconds" else later), status(200))
    dispatcher = bench.start(hook=hook(receiver.url))
    dispatcher.put([("hook", event(1))])
    assert dispatcher.drain(60, patient=True) == 0
    assert receiver.times[1] - receiver.times[0] > 0.8


def test_a_redirect_is_not_followed(bench: Bench, receivers: Any) -> None:
    inner = receivers()
    outer = receivers(status(302, Location=inner.url))
    dispatcher = bench.start(hook=hook(outer.url))
    dispatcher.put([("hook", event(1))])
    until(lambda: bench.depth("hook").failures >= 2)
    assert inner.requests == 0
    assert "redirect is not followed" in bench.depth("hook").reason


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (hang(60), "no answer in 0.4 s"),
        (drip, "not done in 0.6 s"),
        (garbage, "broke off"),
        (flood(500), "answered 500"),
    ],
    ids=["hangs", "drips", "garbage", "floods"],
)
def test_a_rude_one_costs_its_own_time_only(bench: Bench, receivers: Any, answer: Any, words: str) -> None:
    rude, kind = receivers(answer), receivers()
    dispatcher = bench.start(rude=hook(rude.url, **RUDE), kind=hook(kind.url))
    began = time.monotonic()
    dispatcher.put([(name, event(n)) for n in range(20) for name in ("rude", "kind")])
    assert time.monotonic() - began < 5, "who puts in does not wait"
    until(lambda: len(kind.events) == 20)
    until(lambda: bench.depth("rude").failures >= 2)
    assert words in bench.depth("rude").reason
    assert bench.depth("rude").reason.isprintable()
    assert bench.depth("rude").waiting == 20


def test_an_endless_answer_to_a_delivery_is_one(bench: Bench, receivers: Any) -> None:
    receiver = receivers(flood(200))
    dispatcher = bench.start(hook=hook(receiver.url))
    dispatcher.put([("hook", event(n)) for n in range(3)])
    assert dispatcher.drain(60, patient=True) == 0
    assert len(receiver.events) == 3


def test_stopping_does_not_wait_for_one_that_hangs(bench: Bench, receivers: Any) -> None:
    receiver = receivers(hang(60))
    dispatcher = bench.start(hook=hook(receiver.url, timeout="30s", total="60s"))
    dispatcher.put([("hook", event(1))])
    until(lambda: receiver.requests)
    began = time.monotonic()
    dispatcher.stop(15)
    assert time.monotonic() - began < 12
    assert not any(thread.name == "logscope-action-hook" for thread in threading.enumerate())
    assert bench.depth("hook").waiting == 1


def test_secrets_are_in_nothing_that_is_kept_or_said(
    bench: Bench, receivers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bench.folder / "token").write_text("f1le-secret\n")
    (bench.folder / "token").chmod(0o600)
    receiver = receivers(echo)
    monkeypatch.setenv("TOKEN", "s3cret-token")
    monkeypatch.setenv("HOOK", f"{receiver.url}/u5l-secret")
    dispatcher = bench.start(
        hook=hook("env:HOOK", headers={"Authorization": "Bearer env:TOKEN", "X-Key": "file:token"})
    )
    dispatcher.put([("hook", event(1))])
    until(lambda: bench.depth("hook").dead)
    assert "***" in bench.depth("hook").reason
    dispatcher.stop()
    bench.outbox.close()
    kept = b"".join(path.read_bytes() for path in (bench.folder / "actions").iterdir())
    for secret in ("s3cret-token", "f1le-secret", "u5l-secret"):
        assert secret.encode() not in kept
        assert secret not in str(bench.said)
        assert secret not in repr(dispatcher.actions["hook"])
        assert secret not in dispatcher.actions["hook"].sender.target


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"url": "ftp://h/"}, "no http or https URL"),
        ({"url": "https://h/{host}"}, "the URL is fixed"),
        ({"url": "https://u:p@h/"}, "env:NAME"),
        ({"url": "https://h:99999/"}, "no http or https URL"),
        ({"url": "https:///x"}, "no http or https URL"),
        ({"headers": {"X-A": "a\r\nX-B: c"}}, "no header"),
        ({"headers": {"X A": "a"}}, "no header"),
        ({"headers": {"X-A": 3}}, "table of texts"),
        ({"batch": 0}, "between 1 and 1000"),
        ({"batch": True}, "whole number"),
        ({"timeout": "soon"}, "no duration"),
        ({"body": "x"}, "is not a table"),
        ({"body": {"text": "{a.b"}}, "not closed"),
        ({"key": "k.pem"}, "no certificate"),
    ],
)
def test_settings_that_cannot_be_are_refused(bench: Bench, more: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        bench.actions(hook=hook("https://example.org/") | more)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"headers": {"A": "env:NO_SUCH_THING"}}, "the environment has no NO_SUCH_THING"),
        ({"headers": {"A": "file:open"}}, "others may read"),
        ({"headers": {"A": "file:missing"}}, "cannot be read"),
        ({"headers": {"A": "file:."}}, "no regular file"),
        ({"headers": {"A": "env:TWO_LINES"}}, "more than one line"),
        ({"headers": {"A": "env:GREEK"}}, "no header may have"),
        ({"url": "env:NO_URL"}, "the value is no http"),
        ({"ca": "missing.pem"}, "PEM"),
    ],
)
def test_secrets_that_are_not_there_are_said_at_the_start(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], words: str
) -> None:
    (bench.folder / "open").write_text("x")
    (bench.folder / "open").chmod(0o644)
    monkeypatch.setenv("TWO_LINES", "a\nb: c")
    monkeypatch.setenv("GREEK", "αβγδ")
    monkeypatch.setenv("NO_URL", "gopher://s3cret")
    with pytest.raises(ConfigError, match=words) as caught:
        bench.start(hook=hook("https://example.org/") | more)
    assert "s3cret" not in str(caught.value)
    assert "αβγδ" not in str(caught.value)


def test_a_body_of_ones_own_is_json_whatever_the_log_says(bench: Bench, receivers: Any) -> None:
    receiver = receivers()
    body = {"text": "{rule}: {order_id} {missing}", "blocks": [{"n": 1, "of": "{keys.psp_ref}"}]}
    dispatcher = bench.start(hook=hook(receiver.url, body=body))
    hostile = '"},{"admin":true,"x":"\x00\ud800'.encode("utf-8", "replace").decode()
    dispatcher.put([("hook", event(1)), ("hook", event(2, output={"order_id": hostile}))])
    assert dispatcher.drain(60, patient=True) == 0
    assert receiver.bodies[0] == {
        "text": "charge_never_settled: ORD-1 ", "blocks": [{"n": 1, "of": "PSP-1, PSP-X"}]
    }  # fmt: skip
    assert receiver.bodies[1]["text"] == f"charge_never_settled: {hostile} "


@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"])
def test_private_addresses_can_be_denied(bench: Bench, receivers: Any, address: str) -> None:
    receiver = receivers()
    sender = bench.actions(hook=hook(f"http://{address}:{receiver.port}/", deny_private=True))["hook"].sender
    sender.open("")
    with pytest.raises(Refused, match="private address"):
        sender.send([event(1)])
    assert receiver.requests == 0


class Certificates:
    """An authority and what it signed."""

    def __init__(self, folder: Any) -> None:
        self.authority = trustme.CA()
        self.ca = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(self.ca)

    def context(self, *names: str, **more: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(*names, **more).configure_cert(context)
        return context


def test_tls_is_verified(bench: Bench, receivers: Any) -> None:
    certificates = Certificates(bench.folder)
    good = receivers(context=certificates.context("127.0.0.1"))
    wrong = receivers(context=certificates.context("example.org"))
    expired = receivers(context=certificates.context("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC)))
    for receiver, ca, trouble in (
        (good, "ca.pem", None),
        (good, None, "not believed"),
        (wrong, "ca.pem", "not believed"),
        (expired, "ca.pem", "not believed.*expired"),
    ):
        more = {"ca": ca} if ca else {}
        sender = bench.actions(hook=hook(receiver.url, **more))["hook"].sender
        sender.open("")
        if trouble is None:
            sender.send([event(1)])
        else:
            with pytest.raises(Down, match=trouble):
                sender.send([event(1)])
    assert [len(receiver.events) for receiver in (good, wrong, expired)] == [1, 0, 0]


def test_a_handshake_that_never_ends_does(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}/"
        sender = bench.actions(hook=hook(url, **RUDE))["hook"].sender
        sender.open("")
        began = time.monotonic()
        with pytest.raises((Down, Failed)):
            sender.send([event(1)])
        assert time.monotonic() - began < 10


def test_no_more_calls_than_the_rate(bench: Bench, receivers: Any) -> None:
    receiver = receivers()
    dispatcher = bench.start(hook=hook(receiver.url, rate="20/s"))
    dispatcher.put([("hook", event(n)) for n in range(8)])
    assert dispatcher.drain(60, patient=True) == 0
    gaps = [after - before for before, after in zip(receiver.times, receiver.times[1:], strict=False)]
    assert sum(gaps) > 0.3
