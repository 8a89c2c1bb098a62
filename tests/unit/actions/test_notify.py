"""The action `notify`, through apprise to a receiver on loopback."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from logscope.errors import ConfigError
from tests.receivers import Receiver, status
from tests.unit.actions.conftest import Bench, event


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver(status(500), status(200))
    yield made
    made.close()


@pytest.mark.filterwarnings("ignore")
def test_people_are_notified_in_clean_text(bench: Bench, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_URL", f"json://s3cret:pass@127.0.0.1:{receiver.port}/path")
    dispatcher = bench.start(people={"type": "notify", "urls": ["env:NOTIFY_URL"]})
    dispatcher.put([("people", event(1, message="gone \x1b[2J [x](http://evil) <b>"))])
    assert dispatcher.drain(60, patient=True) == 0
    assert receiver.events[0]["title"] == "high: Charge begun, never settled"
    assert receiver.events[0]["message"] == "gone ␛[2J [x](http://evil) <b>"
    assert "s3cret" not in dispatcher.actions["people"].sender.target
    assert bench.depth("people").failures == 1


def test_without_apprise_it_says_what_to_install(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigError, match=r"pip install 'logscope-tui\[notify\]'"):
        bench.start(people={"type": "notify", "urls": ["json://127.0.0.1"]})


@pytest.mark.parametrize("urls", [[], ["nothing"], "json://h"])
def test_settings_that_cannot_be_are_refused(bench: Bench, urls: object) -> None:
    with pytest.raises(ConfigError, match="urls"):
        bench.actions(people={"type": "notify", "urls": urls})


def test_a_url_that_apprise_does_not_know_is_refused_without_its_text(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_URL", "nosuchservice://s3cret")
    with pytest.raises(ConfigError, match="does not know") as caught:
        bench.start(people={"type": "notify", "urls": ["env:NOTIFY_URL"]})
    assert "s3cret" not in str(caught.value)
