"""A watch that lets go of records tells what one tells that keeps them all, but for rules that it says are incomplete."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.correlation.plan import Plan
from logscope.engine.service.lettinggo import LettingGo
from tests.properties.test_engine_equality import (
    COMPONENTS,
    NAMES,
    PLAN,
    QUICK,
    SECOND,
    Story,
    World,
    line,
    scanned,
    stories,
)

_WAVE = 1200
"""Seconds from one wave of orders to the next: none of its values comes again."""
_NEWEST = 300 * SECOND
"""What is not older than that is kept whatever it is."""

_IDS = ("order_id", "psp_ref", "ref", "request_id")


def shifted(story: Story, wave: int) -> Story:
    """A story some time later, about other orders; of no source anything is held back at its end."""
    logs = {}
    for name, lines in story.logs.items():
        logs[name] = []
        for at, text in lines:
            fields = json.loads(text)
            own = {key: f"{value}-w{wave}" if key in _IDS else value for key, value in fields.items()}
            del own["time"], own["level"]
            logs[name].append(line(at / SECOND + wave * _WAVE, own.pop("message"), **own))
        logs[name].append(line((wave + 0.5) * _WAVE, "nothing happens"))
    return Story(logs)


def bounded(world: World) -> LettingGo:
    """Lets go of what a world holds."""
    session = SimpleNamespace(
        store=world.store,
        correlating=world.correlating,
        detecting=world.detecting,
        frames=world.frames,
        loading=SimpleNamespace(sources=[], ingests=world.ingests),
        options=SimpleNamespace(memory=None),
    )
    return LettingGo(cast("Any", session), lambda text: None, lambda: None)


def newest(world: World) -> pl.Series:
    """Which records are not old."""
    times = world.store.view.index["time"].to_physical()
    return times >= (world.detecting.watermark.value or 0) - _NEWEST


@settings(max_examples=2, phases=QUICK, deadline=None)
@given(
    st.lists(stories(), min_size=2, max_size=4),
    st.sampled_from((PLAN, COMPONENTS)),
    st.lists(st.integers(1, 3), min_size=4, max_size=4),
)
def test_what_is_let_go_changes_nothing_that_is_told(told: list[Story], plan: Plan, parts: list[int]) -> None:
    waves = [shifted(story, wave) for wave, story in enumerate(told)]
    world, went = World(plan), 0
    for wave, cuts in zip(waves, parts, strict=False):
        for cut in range(1, cuts + 1):
            for source, name in zip(world.sources, NAMES, strict=True):
                lines = wave.logs[name]
                first = len(lines) * (cut - 1) // cuts
                source.data += "".join(f"{text}\n" for _, text in lines[first : len(lines) * cut // cuts]).encode()
            world.turn(0)
            if world.detecting.settled and world.correlating.linked == world.store.view.records:
                went += bounded(world).let_go(newest(world))
    for source in world.sources:
        source.ended = True
    world.turn(0, final=True, least=world.reached)
    whole = Story({name: [entry for wave in waves for entry in wave.logs[name]] for name in NAMES})
    once = scanned(whole, plan, world.reached)
    given_up = world.detecting.evicted()
    assert [one for one in world.detections() if one[1] not in given_up] == [
        one for one in once.detections() if one[1] not in given_up
    ]
    assert world.store.ever == once.store.ever
