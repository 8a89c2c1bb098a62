"""Logs of a fresh seed, live against their truth: made, replayed to a `watch`, and what it told compared.

Each round is a shop's hour that nobody has seen before. The rule of silent payment failures must fire for exactly the
orders that the truth says have failed, with their amounts and references; what was told must be what `scan`
finds on the spool and in the files; and what was sent must be what was received and stored.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path

from sample_logs import generate
from tests.certificates import Authority
from tests.cli.process import SHIPPED, Program, Watch, stories

TRANSPORTS = ("tcp", "tls", "unix", "udp")


def round_of(seed: int, transport: str, home: Path, speed: str = "max") -> tuple[str, list[str]]:
    """One hour of a seed through a transport.

    Args:
        seed: Of the logs.
        transport: One of `TRANSPORTS`.
        home: For logs, configuration and state.
        speed: As `replay --speed` takes it; datagrams are sent 2000 times as fast as they were, since nobody holds
            their sender back.

    Returns:
        A line of figures, and what was wrong.
    """
    sample = generate.make(seed)
    truth = json.loads(sample.truth)
    logs = []
    for name, text in sorted(sample.logs.items()):
        logs.append(home / name)
        logs[-1].write_text(text, encoding="utf-8")
    program = Program(home)
    try:
        plan = home / "plan.toml"
        saved = program("keys", *logs, "--grain", "order_id", "--save", plan)
        if saved.code:
            return "no plan", [saved.talk]
        asked, trusted = f"syslog+{transport}://127.0.0.1:0", ""
        if transport == "tls":
            authority = Authority(home)
            asked, trusted = f"{asked}?{authority.issue('127.0.0.1')}", f"?ca={authority.file}"
        if transport == "unix":
            asked = f"syslog+unix://{home}/log.sock?type=stream"
        began = time.monotonic()
        watch = Watch(program, "--rules", SHIPPED, "--plan", plan, asked)
        url = watch.url()
        sent = program("replay", *logs, "--to", url + trusted, "--speed", "2000x" if transport == "udp" else speed)
        code = watch.end()
        seconds = time.monotonic() - began
        wrong = [] if (sent.code, code) == (0, 0) else [f"ended with {sent.code}, {code}: {sent.talk} {watch.said}"]
        counters = watch.counters
        if not counters["received"] == counters["stored"] == truth["records"] or counters["dropped"]:
            wrong.append(f"{truth['records']} sent, but {counters}")
        failed = sorted((one["order_id"], one["amount"], one["psp_ref"]) for one in truth["failed"])
        told = sorted(
            (one["output"]["order_id"], float(one["output"]["amount"]), one["output"]["psp_ref"]) for one in watch.told
        )
        if told != failed:
            wrong.append(f"told {len(told)}, not {len(failed)}: {sorted(set(told) ^ set(failed))[:5]}")
        spool = program("scan", "--json", "--rules", SHIPPED, f"spool://{url}")
        if stories(spool.objects) != stories(watch.told):
            wrong.append("what was told is not what is on the spool")
        files = program("scan", "--json", "--rules", SHIPPED, "--plan", plan, *logs)
        if [(one["rule"], one["time"]) for one in files.objects] != [
            (one["rule"], one["time"]) for one in spool.objects
        ]:
            wrong.append("the spool does not give what the files give")
    finally:
        program.close()
    return f"{truth['records']} records, {len(told)} of {len(failed)} failures told, {seconds:.0f} s", wrong


def main(arguments: list[str]) -> int:
    """Run what is asked for; exit code 1 if anything was wrong."""
    parser = argparse.ArgumentParser("python -m tests.soak live")
    parser.add_argument("--rounds", type=int, default=4, help="each by another transport")
    parser.add_argument("--seed", type=int, default=None, help="of the first round; default: any")
    parser.add_argument("--speed", default="max", help="of the replay")
    options = parser.parse_args(arguments)
    first = random.randrange(1_000_000) if options.seed is None else options.seed
    bad = 0
    for number in range(options.rounds):
        transport = TRANSPORTS[number % len(TRANSPORTS)]
        with tempfile.TemporaryDirectory(prefix="logscope-live-") as home:
            figures, wrong = round_of(first + number, transport, Path(home), options.speed)
        print(
            f"seed {first + number} by {transport}: {figures}{'' if wrong else ', all as the truth has it'}", flush=True
        )
        for text in wrong:
            print(f"  wrong: {text}")
        bad += len(wrong)
    return int(bad > 0)
