"""SigmaHQ's rules over the shop's records, and twenty of them over blocks as they come."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.perf.inputs import shop
from tests.perf.measuring import ROOT, Figure, Settings, as_bytes, as_seconds, job
from tests.pipelines import all_records

RULES, LIVE_RULES = 300, 20
SHARED = Path(os.environ.get("LOGSCOPE_SHARED", ROOT.parent / "shared")) / "data" / "sigma" / "rules"


def sigma(settings: Settings) -> Iterator[Figure]:
    """300 rules over a tenth of `--records`, indexing apart: with the shipped pipelines, and each over every record."""
    if not SHARED.is_dir():
        yield Figure(f"{RULES} Sigma rules", "logscope", "left out", note=f"no rules at {SHARED}")
        return
    files = shop(settings.data, lines=settings.records // 10)
    arguments: dict[str, Any] = {"files": files.arguments, "folder": str(SHARED), "count": RULES}
    done, found = job("sigma_rules", **arguments)
    yield from _figures("the shipped pipelines", done.memory, found)
    with all_records():
        done, found = job("sigma_rules", **arguments)
        yield from _figures("each over every record", done.memory, found)
        done, found = job("live_sigma", file=files.arguments[0], folder=str(SHARED), count=LIVE_RULES, blocks=40)
    yield Figure(
        f"a block of 5,000 live records, {LIVE_RULES} Sigma rules, each over every record",
        "logscope",
        as_seconds(found["median"]),
        f"{found['cpu']:.3f} s",
        as_bytes(done.memory),
        "0.1 s (50,000 a second)",
        f"worst {as_seconds(found['worst'])} of {found['blocks']} blocks; parsing is apart",
    )


def _figures(how: str, memory: int, found: dict[str, Any]) -> Iterator[Figure]:
    what = f"{found['rules']} Sigma rules over {found['records'] / 1e6:.2g} M records, {how}"
    for name, words, note in (
        ("load", "reading the rules", f"{found['mapped']} of them mean some record"),
        ("index", "index", ""),
        ("rules_take", "rules, with the columns that they read", f"{found['detections']} detections"),
    ):
        yield Figure(
            f"{what}: {words}", "logscope", as_seconds(found[name]), f"{found[name + '_cpu']:.1f} s", as_bytes(memory), "", note
        )  # fmt: skip
