"""Steps that name their parents: found by behaviour, and used for depth, waits and calls."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from logscope.analysis.spans import Tree
from logscope.analysis.waits import critical_path
from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session


def test_depths_and_a_ring_of_parents() -> None:
    tree = Tree([("a", None), ("b", "a"), ("c", "b"), (None, None), ("d", "gone"), ("e", "f"), ("f", "e")])
    assert tree.depths() == [0, 1, 2, 0, 0, 1, 0]
    assert tree.told
    assert not Tree([("a", None), ("b", "gone")]).told


def test_the_end_waits_for_what_it_called_not_for_what_ran_beside() -> None:
    # a calls b (long) and c (short) at once; d goes on by itself and is done before anybody asks.
    spans = [("a", None), ("b", "a"), ("c", "a"), ("d", "a"), ("c", "a"), ("d", "a"), ("b", "a"), ("a", None)]
    times = [0, 10, 11, 12, 40, 60, 500, 510]
    path = critical_path(times, Tree(spans).before)
    assert [(pause.before, pause.after) for pause in path] == [(1, 6)]
    assert path[0].duration == 490


def _write(folder: Path, names: tuple[str, str, str], shuffle: bool, *, apart: int = 2_000, slow: int = 1) -> list[str]:
    """A front that asks two services beside one another, of which one asks a third; names are free."""
    rng = random.Random(3)
    trace, span, parent = names
    lines: list[tuple[int, dict[str, str]]] = []
    for number in range(60):
        ids = {name: f"{rng.getrandbits(64):016x}" for name in ("trace", "front", "stock", "price", "tax")}
        base = number * apart
        for at, service, step, above, text in (
            (0, "front", "front", None, "asked"), (10, "stock", "stock", "front", "looking"),
            (11, "price", "price", "front", "reckoning"), (20, "tax", "tax", "price", "looking up"),
            (30, "stock", "stock", "front", "found"), (300, "tax", "tax", "price", "looked up"),
            (310, "price", "price", "front", "reckoned"), (320, "front", "front", None, "answered"),
        ):  # fmt: skip
            when = base + at * slow
            fields = {"time": f"2026-11-01T10:{when // 60_000:02d}:{when // 1000 % 60:02d}.{when % 1000:03d}Z",
                      "service": service, "message": text, trace: ids["trace"], span: ids[step]}  # fmt: skip
            lines.append((when, fields | ({parent: ids[above]} if above else {})))
    if shuffle:
        rng.shuffle(lines)
    path = folder / "app.log"
    path.write_text("".join(json.dumps(fields) + "\n" for _, fields in lines))
    return [str(path)]


@pytest.mark.parametrize("names", [("trace_id", "span_id", "parent_span_id"), ("k1", "k2", "k3")])
def test_spans_are_found_under_any_name_and_tell_calls_depth_and_waits(tmp_path: Path, names: tuple[str, ...]) -> None:
    session = Session(Options(sources=tuple(_write(tmp_path, (names[0], names[1], names[2]), True)), remember=False))
    try:
        session.open()
        session.read_all()
        session.prepare_transactions(cancel=Cancel(), asked=True)
        plan = session.correlating.plan
        assert plan is not None
        assert plan.spans is not None
        assert [plan.key(name).fields for name in plan.spans] == [(names[1],), (names[2],)]
        hops = {(hop.caller, hop.callee): hop for hop in session.service_map(cancel=Cancel()).hops}
        # By their order alone stock would seem to hand to price.
        assert set(hops) == {("front", "stock"), ("front", "price"), ("price", "tax")}
        assert {hop.transactions for hop in hops.values()} == {60}
        assert hops["front", "price"].p50 == 11_000
        number = session.transactions("", cancel=Cancel()).get_column("number")[0]
        detail = session.transaction(number)
        assert [member.depth for member in detail.members] == [0, 1, 1, 2, 1, 2, 1, 0]
        assert detail.critical[0].duration == 280_000
        assert "tax waited" in detail.critical[0].text
    finally:
        session.close()


def test_trees_of_spans_are_transactions_where_no_trace_is_named(tmp_path: Path) -> None:
    (path,) = _write(tmp_path, ("trace_id", "k2", "k3"), False)
    lines = [json.loads(line) for line in Path(path).read_text().splitlines()]
    truth = {number: line.pop("trace_id") for number, line in enumerate(lines, 1)}
    for number, line in enumerate(lines):
        # Neither a user nor what stands for a root's parent joins two trees.
        line["user"] = f"u{number // 8 % 9}"
        line.setdefault("k3", "root")
    Path(path).write_text("".join(json.dumps(line) + "\n" for line in lines))
    session = Session(Options(sources=(path,), remember=False))
    try:
        session.open()
        session.read_all()
        session.prepare_transactions(cancel=Cancel(), asked=True)
        grain, why = session.grain()
        assert grain == "none"
        assert "60 trees" in why
        assert sorted(session.transactions("", cancel=Cancel())["records"]) == [8] * 60
        members = session.correlating.members()
        view = session.store.view
        lines_of = dict(
            session.frames.rows_bulk(session.store.ordered(view), view, ["line"]).select("row", "line").rows()
        )
        named = members.group_by("transaction").agg("row")["row"].to_list()
        assert all(len({truth[lines_of[row]] for row in rows}) == 1 for rows in named)
        detail = session.transaction(session.transactions("", cancel=Cancel()).get_column("number")[0])
        assert [member.depth for member in detail.members] == [0, 1, 1, 2, 1, 2, 1, 0]
    finally:
        session.close()


def test_traces_that_all_run_side_by_side_are_told_by_their_trees(tmp_path: Path) -> None:
    sources = _write(tmp_path, ("k1", "k2", "k3"), False, apart=0, slow=1_000)
    path = Path(sources[0])
    # What they say tells nothing: every record is alike.
    lines = [json.loads(line) | {"message": "step", "service": "app"} for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    session = Session(Options(sources=tuple(sources), remember=False))
    try:
        session.open()
        session.read_all()
        session.prepare_keys(cancel=Cancel())
        grain, why = session.grain()
        assert (grain, session.correlating.members()["transaction"].n_unique()) == ("k1", 60), why
    finally:
        session.close()


def test_without_a_parent_there_are_no_spans(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    rng = random.Random(5)
    lines = []
    for number in range(100):
        trace = f"{rng.getrandbits(64):016x}"
        for step in range(3):
            span = trace if step == 0 else f"{rng.getrandbits(64):016x}"
            for half in range(2):
                at = number * 6 + step * 2 + half
                lines.append(json.dumps({
                    "time": f"2026-11-01T10:{at // 60:02d}:{at % 60:02d}Z", "service": f"s{step}",
                    "message": "step", "trace": trace, "span": span,
                }))  # fmt: skip
    path.write_text("\n".join(lines) + "\n")
    session = Session(Options(sources=(str(path),), remember=False))
    try:
        session.open()
        session.read_all()
        session.prepare_transactions(cancel=Cancel(), asked=True)
        assert session.correlating.plan is not None
        assert session.correlating.plan.spans is None
    finally:
        session.close()
