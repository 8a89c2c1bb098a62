"""The grain that is found without being told, on many small worlds, and how well it links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from tests.conformance.pairs import Agreement, agreement
from tests.odd_worlds import burst, long_traces, tickets, versions, visits, without_digits
from tests.worlds import (
    Shop,
    World,
    agents,
    bank,
    calls,
    daemon,
    no_names,
    one_name,
    shop,
    strangers,
    thinned,
    traces,
    write,
)


@dataclass(frozen=True)
class Variant:
    """A world, how it is written, and what its transactions are."""

    make: Callable[[], World]
    grain: str | None
    """The kind of id that the grain must be made of, or be 1:1 with; None: no grain."""
    writing: dict[str, Any] = field(default_factory=dict)
    least: float = 0.98
    twins: tuple[str, ...] = ()
    """Kinds that are one to one with it here."""
    """F1 with no option."""


def _shop(seed: int = 1, **switches: Any) -> Callable[[], World]:
    return lambda: shop(seed, Shop(**switches))


def _some(make: Callable[[], World], **thin: Any) -> Callable[[], World]:
    return lambda: thinned(make(), **thin)


VARIANTS: dict[str, Variant] = {
    "shop": Variant(_shop(), "order"),
    "shop json": Variant(_shop(2), "order", {"style": "json"}),
    "shop free text": Variant(_shop(3), "order", {"style": "free"}),
    "shop one file": Variant(_shop(4), "order", {"single": True}),
    "shop other order of files": Variant(_shop(1), "order", {"reverse": True}),
    "session at the edge only": Variant(_shop(5, edge_session=True), "order"),
    "session at the edge only, free text": Variant(_shop(6, edge_session=True), "order", {"style": "free"}),
    "no request in the webhook": Variant(_shop(7, hook_request=False), "order", twins=("request",), least=0.97),
    "no request in the webhook, json": Variant(
        _shop(8, hook_request=False), "order", {"style": "json"}, twins=("request",)
    ),
    "polling": Variant(_shop(9, polls=4), "order"),
    "heavy polling": Variant(_shop(10, polls=15), "order"),
    "mdc": Variant(_shop(11, mdc=True), "order"),
    "mdc and polling": Variant(_shop(12, mdc=True, polls=5), "order"),
    "mdc, json": Variant(_shop(13, mdc=True), "order", {"style": "json"}),
    "login mints the session": Variant(_shop(14, login=True), "order"),
    "login, mdc": Variant(_shop(15, login=True, mdc=True), "order"),
    "trace beside request": Variant(_shop(16, trace=True), "order"),
    "settlement job": Variant(_shop(17, job=True), "order"),
    "trace and settlement job": Variant(_shop(18, trace=True, job=True), "order"),
    "polling and settlement job": Variant(_shop(19, polls=4, job=True), "order"),
    "names say nothing": Variant(_shop(20), "order", {"names": no_names}),
    "names say nothing, job": Variant(_shop(21, job=True), "order", {"names": no_names}),
    "names say nothing, mdc": Variant(_shop(22, mdc=True), "order", {"names": no_names, "style": "json"}),
    "each service calls its own id": Variant(_shop(23), "order", {"names": one_name}),
    "front services": Variant(_some(_shop(24), services=("gate", "auth", "stock")), "request", least=0.0),
    "back services": Variant(_some(_shop(25), services=("pay", "ship", "orders")), "order", least=0.9),
    "job and shipping": Variant(_some(_shop(26, job=True, sessions=90), services=("settle", "ship")), "order"),
    "payments alone": Variant(_some(_shop(27), services=("pay",)), "order", least=0.0),
    "gate alone": Variant(_some(_shop(28, trace=True, mdc=True), services=("gate", "orders")), "order", least=0.0),
    "eight sessions": Variant(_shop(29, sessions=8), "order"),
    "thirty sessions": Variant(_shop(30, sessions=30), "order"),
    "no lists": Variant(_shop(31, lists=0.0), "order"),
    "many lists": Variant(_shop(32, lists=0.8), "order", least=0.95),
    "few orders, each by a new user": Variant(_shop(56, sessions=25, strangers=True), "order", least=0.95),
    "a slice of 500": Variant(_some(_shop(33, sessions=120), keep=slice(300, 800)), "order"),
    "a slice of 1000": Variant(_some(_shop(34, sessions=120), keep=slice(500, 1500)), "order"),
    "numbers for orders": Variant(_shop(35, order="number"), "order"),
    "numbers for orders, free text": Variant(_shop(36, order="number"), "order", {"style": "free"}),
    "uuids for orders": Variant(_shop(37, order="uuid"), "order", {"style": "free"}),
    "retries": Variant(_shop(38, retries=True), "order"),
    "support looks later": Variant(_shop(39, support=True), "order"),
    "clocks disagree": Variant(_shop(40), "order", {"skew": {"pay": 3.0, "orders": -2.5}}),
    "masked": Variant(_some(_shop(41, sessions=90), mask=0.3), "order", least=0.8),
    "lossy": Variant(_some(_shop(42), loss=0.02), "order", least=0.95),
    "traces": Variant(lambda: traces(43), "trace"),
    "traces, json": Variant(lambda: traces(44), "trace", {"style": "json"}),
    "traces in brackets": Variant(lambda: traces(45), "trace", {"style": "bracket"}),
    "traces in the header": Variant(lambda: traces(46), "trace", {"style": "header"}),
    "traces between bars": Variant(lambda: traces(47), "trace", {"style": "bar"}),
    "traces between tabs": Variant(lambda: traces(48), "trace", {"style": "tab"}),
    "traces, names say nothing": Variant(lambda: traces(49), "trace", {"names": no_names}),
    "calls of two legs": Variant(lambda: calls(50), "call"),
    "calls, free text": Variant(lambda: calls(51), "call", {"style": "free"}),
    "bank in sentences": Variant(lambda: bank(52), "transfer", {"style": "free"}),
    "bank with clearing files": Variant(lambda: bank(53, file=True), "transfer", {"style": "free"}),
    "a daemon": Variant(lambda: daemon(54), "pid", {"style": "syslog"}),
    "traces of hundreds of records": Variant(lambda: long_traces(57), "trace"),
    "links that come again": Variant(lambda: visits(58), None),
    "all begun at once": Variant(lambda: burst(59), "work"),
    "all begun at once, json": Variant(lambda: burst(60), "work", {"style": "json"}),
    "a version that runs": Variant(lambda: versions(61), "request"),
    "tickets of offices": Variant(lambda: tickets(62), "ticket of an office"),
    "references without a digit": Variant(lambda: without_digits(bank(63), "transfer"), "transfer", {"style": "free"}),
    "an agent's resources": Variant(lambda: agents(64), None),
    "each id once": Variant(lambda: strangers(55), None),
}


@dataclass
class Found:
    """What came out of one variant."""

    world: World
    session: Session
    truth: pl.DataFrame

    def kind(self, key: str) -> str | None:
        """What kind of id a key's values are, mostly."""
        values = self.session.correlating.key_values(key).get_column("value").unique()
        counts = Counter(self.world.kinds.get(value, "?") for value in values)
        return counts.most_common(1)[0][0] if counts else None

    def agreement(self, grain: str | None = None) -> Agreement:
        """With no option, or at a grain."""
        if grain is not None:
            self.session.set_grain(grain)
            self.session.prepare_keys(cancel=Cancel())
        return agreement(self.session.correlating.members(), self.truth)


@pytest.fixture
def found(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Found]:
    """The session over a variant's logs."""
    yield from opened(VARIANTS[request.param], tmp_path)


def opened(variant: Variant, folder: Path) -> Iterator[Found]:
    world = variant.make()
    files, told = write(world, folder, **variant.writing)
    session = Session(Options(sources=tuple(map(str, files))))
    try:
        session.open()
        session.read_all()
        session.prepare_keys(cancel=Cancel())
        view = session.store.view
        places = session.frames.rows_bulk(session.store.ordered(view), view, ["source", "line"])
        names = [(Path(source).name, line) for source, line in places.select("source", "line").iter_rows()]
        truth = pl.Series("truth", [told[name] for name in names], dtype=pl.String)
        yield Found(world, session, places.select("row").with_columns(truth).drop_nulls())
    finally:
        session.close()


@pytest.mark.parametrize(("name", "found"), [(name, name) for name in VARIANTS], indirect=["found"], ids=list(VARIANTS))
def test_the_right_grain_is_found(name: str, found: Found) -> None:
    variant = VARIANTS[name]
    grain, why = found.session.grain()
    if variant.grain is None:
        assert grain == "none", why
        return
    assert grain != "none", why
    plan = found.session.correlating.plan
    assert plan is not None
    auto = found.agreement()
    true = [key.name for key in plan.keys if key.links and found.kind(key.name) == variant.grain]
    # A key that is one to one with the true one is as good: it makes the same transactions.
    twins = {"order": {"order", "ref"}, "request": {"request", "trace"}}.get(variant.grain, {variant.grain}) | set(
        variant.twins
    )
    assert found.kind(grain) in twins, f"{grain}: {why}"
    assert auto.f1 >= variant.least
    if true:
        assert auto.f1 >= found.agreement(true[0]).f1 - (0.01 if not variant.twins else 0.02)
