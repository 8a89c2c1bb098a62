"""Rules are asked only of stretches that hold records of their logsource; what they find is the same."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import polars as pl
import pytest

from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.records.pieces import Segment, StoreView

RULES = """title: Scanner
logsource: {category: webserver}
detection:
  a: {cs-user-agent|contains: sqlmap}
  condition: a
---
title: Failed login
logsource: {product: linux, service: sshd}
detection:
  a: [Failed password]
  condition: a
---
title: Shell
logsource: {product: linux, category: process_creation}
detection:
  a: {Image|endswith: /sh}
  condition: a
---
title: Audited
logsource: {product: linux, service: auditd}
detection:
  a: {type: SYSCALL, exe|endswith: /curl}
  condition: a
---
title: Of syslog
logsource: {product: linux, service: syslog}
detection:
  a: [Failed password]
  condition: a
---
title: Downloaded
logsource: {category: proxy}
detection:
  a: {c-uri|contains: id=8, sc-status: 200}
  condition: a
---
title: A word in a request
logsource: {category: webserver}
detection:
  a: [password]
  condition: a
---
title: Own
record: {where: 'Failed password'}
"""
SYSLOG = "Nov  1 10:00:{:02} web-1 sshd[7]: Failed password for root from 10.0.0.9 port {} ssh2\n"
ACCESS = '10.0.0.9 - - [01/Nov/2026:10:00:{:02} +0000] "GET /?id={} HTTP/1.1" 200 5 "-" "{}"\n'
JSON = '{{"time":"2026-11-01T10:00:{:02}Z","level":"info","message":"run {}","Image":"/bin/{}"}}\n'


@pytest.mark.parametrize("many", [1, 1_000_000])
def test_what_is_found_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    monkeypatch.setattr("logscope.engine.detection.detecting._MANY", many)
    (tmp_path / "r.yml").write_text(RULES)
    audit = 'type=SYSCALL msg=audit(1793527200.{:03}:{}): arch=c000003e syscall=59 success=yes exe="/usr/bin/{}"\n'
    logs = {
        "audit.log": "".join(audit.format(n, n, "curl" if n == 3 else "ls") for n in range(9)),
        "auth.log": "".join(SYSLOG.format(n, 1000 + n) for n in range(9)),
        "access.log": "".join(ACCESS.format(n, n, "sqlmap/1" if n % 3 == 0 else "curl/8") for n in range(9)),
        "app.log": "".join(JSON.format(n, n, "sh" if n % 2 else "ls") for n in range(9)),
    }
    for name, text in logs.items():
        (tmp_path / name).write_text(text)
    sources = tuple(str(tmp_path / name) for name in logs)
    session = Session(Options(sources=sources, rules=(str(tmp_path / "r.yml"),), cache=False))
    session.open()
    session.read_all()
    asked: set[str] = set()
    segment = session.frames.segment

    def noted(one: Segment, view: StoreView, names: Collection[str], **how: bool) -> pl.DataFrame:
        if "fields.user_agent" in names:
            asked.add(Path(one.binding.ref.name).name)
        return segment(one, view, names, **how)

    monkeypatch.setattr(session.frames, "segment", noted)
    session.prepare_transactions(cancel=Cancel(), asked=True)
    found: dict[str, int] = {}
    for one in session.detecting.told.values():
        found[one.rule] = found.get(one.rule, 0) + 1
    assert found == {
        "scanner": 3, "failed_login": 9, "shell": 4, "audited": 1, "of_syslog": 9, "downloaded": 1, "own": 9,
    }  # fmt: skip
    # Where there are no requests nobody's agent is read.
    assert asked == ({"access.log"} if many == 1 else set(logs))
    session.close()
