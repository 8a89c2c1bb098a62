"""A `watch` of a listener that ended and is begun again."""

from __future__ import annotations

import os
from collections.abc import Iterator

from tests.cli.process import SHIPPED
from tests.perf.investigator import homes
from tests.perf.measuring import Figure, Settings, as_bytes, as_seconds, job

_SINCE = 20_000


def restart(settings: Settings) -> Iterator[Figure]:
    """Until everything on the spool is decided, with and without what the run before has written down."""
    count = settings.records // 10
    with homes(settings.data) as (_, environment):
        before = dict(os.environ)
        os.environ.update(environment)
        try:
            done, found = job("restart", messages=count, since=_SINCE, rules=[SHIPPED])
        finally:
            os.environ.clear()
            os.environ.update(before)
    memory = as_bytes(done.memory)
    for name, what in (
        ("first", "nothing kept"),
        ("again", "from its checkpoint"),
        ("after", f"from its checkpoint, {_SINCE:,} records more"),
    ):
        one = found[name]
        yield Figure(
            f"a watch begun again over {count / 1e6:g} M records, {what}",
            "logscope",
            as_seconds(one["caught up"]),
            f"{one['cpu']:.2f} s",
            memory,
            "",
            f"{one['told']} told; ended in {as_seconds(one['ended'])}, checkpoint of {as_bytes(found['bytes'])} written",
        )
