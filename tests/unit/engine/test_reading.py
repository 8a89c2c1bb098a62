"""Records for screens: sources that are read alike are read together, and each keeps what is its own."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from logscope.engine.api import Cancel
from logscope.engine.loading.courtesy import Courtesy
from logscope.engine.options import Options
from logscope.engine.session import Session


def test_sources_read_together_keep_their_own_source_and_service(tmp_path: Path) -> None:
    names = ("carts-1", "orders-1", "payments-1")
    for name in names:
        (tmp_path / f"{name}.log").write_text(
            "".join(f"2026-11-01T10:00:{second:02d}Z INFO {name} did {second}\n" for second in range(20))
        )
    session = Session(Options(sources=tuple(str(tmp_path / f"{name}.log") for name in names), cache=False))
    session.open()
    session.read_all()
    view = session.view("", cancel=Cancel())
    lines = session.lines(view, 0, 60)
    session.close()
    assert len(lines) == 60
    for line in lines:
        name = Path(line.source).stem
        assert (line.service, line.raw.split()[2]) == (name.removesuffix("-1"), name)
    assert [line.time for line in lines] == [session.time_at(view, place) for place in range(60)]
    assert session.time_at(view, 60) is None


def test_the_background_makes_way_and_goes_on_all_the_same() -> None:
    courtesy = Courtesy()
    courtesy.give_way()  # nobody waits: it returns
    went_on = threading.Event()
    with courtesy:
        threading.Thread(target=lambda: (courtesy.give_way(), went_on.set()), daemon=True).start()
        assert not went_on.wait(0.01)
        assert went_on.wait(5)


def test_parts_of_a_line_are_joined_though_the_first_lines_have_none(tmp_path: Path) -> None:
    stamp, big = "2026-11-01T10:00:00.5Z", json.dumps({"msg": "big", "blob": "x" * 20_000, "order_id": "ORD-1"})
    halves = big[:16_384], big[16_384:] + "\n"
    docker = [json.dumps({"log": text, "stream": "stdout", "time": stamp}, separators=(",", ":")) for text in halves]
    cri = [f"{stamp} stdout P {halves[0]}", f"{stamp} stdout F {halves[1].strip()}"]
    small = '{"msg": "say stdout P to nobody"}'
    for name, parts, line in (
        ("docker", docker, json.dumps({"log": small + "\n", "stream": "stdout", "time": stamp}, separators=(",", ":"))),
        ("cri", cri, f"{stamp} stdout F {small}"),
    ):
        path = tmp_path / f"{name}.log"
        path.write_text("\n".join([*[line] * 600, *parts, line]) + "\n")
        session = Session(Options(sources=(str(path),), cache=False))
        session.open()
        session.read_all()
        view = session.view("order_id:ORD-1", cancel=Cancel())
        found = session.lines(view, 0, 9)
        session.close()
        assert [(each.line, each.message.split()[0]) for each in found] == [(601, "big")]
