"""Rules: twenty over a million transactions, live blocks, and the same absence in SEC."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from tests.perf.measuring import Figure, Settings, as_bytes, as_seconds, job, logscope, median_of, run

RULES = 20
BLOCK = 5_000
SEC_RECORDS = 100_000
_SEC = """\
type=PairWithWindow
ptype=RegExp
pattern=charge begin order_id=(\\S+)
desc=$1
action=write - lost $1
ptype2=RegExp
pattern2=charge settled order_id=$1
desc2=settled
action2=none
window=30
"""


def rules(settings: Settings) -> Iterator[Figure]:
    """Many rules at once, over what is there and over what comes."""
    transactions = settings.records // 10
    done, found = job("transaction_rules", transactions=transactions, rules=RULES)
    yield Figure(
        f"{RULES} transaction rules over {transactions / 1e6:g} M transactions",
        "logscope",
        as_seconds(found["seconds"]),
        f"{found['cpu']:.1f} s",
        as_bytes(done.memory),
        "",
        f"{found['records'] / 1e6:g} M records, each rule three steps with an absence; {found['detections']} detections",
    )
    done, found = job("live_blocks", blocks=60, height=BLOCK, rules=RULES)
    yield Figure(
        f"a block of {BLOCK:,} live records, {RULES} transaction rules",
        "logscope",
        as_seconds(found["median"]),
        f"{found['cpu']:.3f} s",
        as_bytes(done.memory),
        "",
        f"worst {as_seconds(found['worst'])} of 60 blocks; {found['detections']} detections",
    )
    yield from _absence(settings)


def _absence(settings: Settings) -> Iterator[Figure]:
    log = settings.data / "absence.log"
    if not log.exists():
        log.write_text("".join(_line(number) for number in range(SEC_RECORDS)))
    what = f"begin without settlement in 30 s, {SEC_RECORDS:,} records"
    text = 'seq by order_id: ["charge begin"] not ["charge settled"] within 30s'
    done = median_of(settings.repeat, lambda: logscope("scan", str(log), "--rule", text, "--json", "--no-cache"))
    found = logscope("scan", str(log), "--rule", text, "--json", keep=True).output.count("\n")
    yield Figure(what, "logscope scan", as_seconds(done.seconds), f"{done.cpu:.1f} s", as_bytes(done.memory), "",
                 f"{found} detections, from start to end of the program")  # fmt: skip
    sec = shutil.which("sec")
    if sec is None:
        yield Figure(what, "SEC", "left out", note="sec is not installed (Debian package sec)")
        return
    conf = settings.data / "absence.sec"
    conf.write_text(_SEC)
    arguments = [sec, f"--conf={conf}", f"--input={log}", "--fromstart", "--notail"]
    done = median_of(settings.repeat, lambda: run(arguments))
    yield Figure(what, "SEC, PairWithWindow", as_seconds(done.seconds), f"{done.cpu:.1f} s", as_bytes(done.memory), "",
                 "it goes by the clock on the wall, so nothing expires while it reads a file")  # fmt: skip


def _line(number: int) -> str:
    """Ten thousand lines a minute; every other one settles the order before it, but for one order in a thousand."""
    order, settles = divmod(number, 2)
    minute, second = divmod(number * 6 // 1000, 60)
    words = ("charge settled" if order % 1000 != 7 else "mail queued") if settles else "charge begin"
    hour, minute = divmod(minute, 60)
    return f"2026-11-01T{10 + hour:02}:{minute:02}:{second:02}Z INFO {words} order_id=ORD-{order}\n"
