"""Silent failures of the shop, live over TCP, through kills: in the list once, at the webhook all of them."""

from __future__ import annotations

from pathlib import Path

from tests.soak.actions import payments, soak


def test_what_fails_silently_arrives_through_kills(tmp_path: Path) -> None:
    outcome = soak(payments(60), tmp_path, rounds=2, seed=7)
    assert outcome.good, str(outcome)
    assert (outcome.listed, outcome.delivered) == (30, 30)
