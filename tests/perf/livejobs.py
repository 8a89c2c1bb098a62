"""A watch's work measured stage by stage, in one process and with nothing else on it: what a message costs."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.perf.liveinputs import plan_text, rules_text

Result = dict[str, Any]

_URL = "syslog+tcp://127.0.0.1:1"


def live_stages(messages: str, block: int, rules: int) -> Result:
    """Messages go onto a spool block by block; after each it is read, linked and decided: processor time by stage.

    Args:
        messages: A file of them, one a line.
        block: Messages that have come at each turn.
        rules: How many are in force.
    """
    from logscope.engine.api import Cancel
    from logscope.engine.options import Options
    from logscope.engine.session import Session
    from logscope.sources.spool_writer import SpoolWriter

    lines = Path(messages).read_bytes().splitlines(keepends=True)
    spent = dict.fromkeys(("read", "link", "rules"), 0.0)
    turns, told = [], 0
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_STATE_HOME"] = home  # whoever measures keeps the spools they have
        for name, text in (("rules.yml", rules_text(rules)), ("plan.toml", plan_text())):
            Path(home, name).write_text(text)
        writer = SpoolWriter(_URL)
        sources, given = (f"spool://{_URL}",), (f"{home}/rules.yml",)
        session = Session(Options(sources, follow=True, rules=given, plan=f"{home}/plan.toml", cache=False))
        session.open()
        session.correlating.prepare(cancel=Cancel())
        for begin in range(0, len(lines), block):
            part = lines[begin : begin + block]
            stamp = b"%016d 127.0.0.1 - " % (1_793_000_000_000_000 + begin)
            writer.add(stamp + stamp.join(part), len(part))
            writer.flush()
            marks = [time.process_time()]
            while session.loading.step():
                pass
            marks.append(time.process_time())
            delta = session.correlating.update(cancel=Cancel())
            marks.append(time.process_time())
            told += len(session.detecting.update(delta, cancel=Cancel(), final=False).raised)
            marks.append(time.process_time())
            turns.append(marks[-1] - marks[0])
            for name, begun, ended in zip(spent, marks, marks[1:], strict=False):
                spent[name] += ended - begun
        records = session.store.view.records
        session.close()
        writer.close()
    each = {name: seconds / records * 1e6 for name, seconds in spent.items()}
    middle = sorted(turns)[len(turns) // 2]
    return {"records": records, "detections": told, "turns": len(turns), "worst": max(turns), "median": middle} | each
