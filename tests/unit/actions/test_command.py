"""The action `command`: hostile values, hanging programs, floods of output."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logscope.actions.command import CommandSender
from logscope.actions.settings import Reader
from logscope.config import ActionTable
from logscope.errors import ConfigError
from tests.unit.actions.conftest import Bench, event, until

SHOW = """
import json, os, sys
with open(sys.argv[1], "a") as out:
    out.write(json.dumps([sys.argv[2:], sys.stdin.read(), dict(os.environ), os.getcwd()]) + "\\n")
"""


def program(folder: Path, code: str) -> list[str]:
    path = folder / "program.py"
    path.write_text(code)
    return [sys.executable, "-S", str(path)]


def run(bench: Bench, code: str, *arguments: str, **more: Any) -> dict[str, Any]:
    return {"type": "command", "argv": [*program(bench.folder, code), *arguments]} | more


def shown(bench: Bench) -> list[Any]:
    return bench.lines("shown")


HOSTILE = [
    "; touch P", "$(touch P)", "`touch P`", "| touch P", "&& touch P", "-rf", "--", "a\nb", "%s", "{0.__class__}",
    "'\"\\", "> P", "\u202e\x1b[2J", "x" * 20_000, "{message}", "", "é", "*", "~",
]  # fmt: skip


def test_what_a_log_says_is_one_argument_whatever_it_holds(bench: Bench) -> None:
    dispatcher = bench.start(run=run(bench, SHOW, str(bench.folder / "shown"), "--title", "{message}", "of={output.x}"))
    bodies = [{"message": text or "none", "output": {"x": text}} for text in HOSTILE]
    events = [event(n, **body) for n, body in enumerate(bodies)]
    dispatcher.put([("run", each) for each in events])
    assert dispatcher.drain(60, patient=True) == 0
    found = shown(bench)
    for text, each, (arguments, stdin, _, _) in zip(HOSTILE, events, found, strict=True):
        assert arguments == ["--title", text or "none", f"of={text}"]
        assert json.loads(stdin) == json.loads(each.body)
    assert not (bench.folder / "P").exists()


def test_it_inherits_little_and_never_other_secrets(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_TOKEN", "s3cret")
    monkeypatch.setenv("OWN", "0wn")
    settings = run(bench, SHOW, str(bench.folder / "shown"), env={"TICKET_TOKEN": "env:OWN", "MODE": "fast"})
    dispatcher = bench.start(run=settings)
    dispatcher.put([("run", event(1))])
    assert dispatcher.drain(60, patient=True) == 0
    ((_, _, environment, folder),) = shown(bench)
    assert environment["TICKET_TOKEN"] == "0wn"
    assert environment["MODE"] == "fast"
    assert "OTHER_TOKEN" not in environment
    assert "OWN" not in environment
    assert folder == "/"


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
    except OSError:
        return False


FORKS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
with open(sys.argv[1], "a") as out:
    out.write(f"{os.getpid()}\\n")
time.sleep(60)
"""


def test_one_that_hangs_is_ended_with_all_its_children(bench: Bench) -> None:
    dispatcher = bench.start(run=run(bench, FORKS, str(bench.folder / "pids"), timeout="3s", tries=1))
    dispatcher.put([("run", event(1))])
    until(lambda: bench.depth("run").dead == 1)
    pids = [int(line) for line in (bench.folder / "pids").read_text().split()]
    assert len(pids) == 2
    until(lambda: not any(map(_alive, pids)))
    assert "not done in 3 s" in bench.depth("run").reason


def test_stopping_ends_what_runs_and_keeps_the_event(bench: Bench) -> None:
    code = "import os, sys, time\nopen(sys.argv[1], 'w').write(str(os.getpid()))\ntime.sleep(60)"
    dispatcher = bench.start(run=run(bench, code, str(bench.folder / "pid")))
    dispatcher.put([("run", event(1))])
    pid = int(until(lambda: (bench.folder / "pid").exists() and (bench.folder / "pid").read_text()))
    began = time.monotonic()
    dispatcher.stop(20)
    assert time.monotonic() - began < 15
    assert not _alive(pid)
    assert bench.depth("run").waiting == 1


def test_a_flood_of_output_is_cut_and_the_reason_clean(bench: Bench) -> None:
    code = "import sys\nsys.stdout.write('\\x1b[2J no money \\x00' + 'x' * 50_000_000)\nsys.exit(3)"
    dispatcher = bench.start(run=run(bench, code, tries=1))
    dispatcher.put([("run", event(1))])
    until(lambda: bench.depth("run").dead == 1)
    reason = bench.depth("run").reason
    assert reason.startswith("exit code 3: ␛[2J no money ␀")
    assert len(reason) < 300


def test_it_is_tried_again_then_a_dead_letter_and_the_next_runs(bench: Bench) -> None:
    code = "import json, sys\nsys.exit(1 if 'ORD-1\"' in sys.stdin.read() else 0)"
    dispatcher = bench.start(run=run(bench, code, tries=3))
    dispatcher.put([("run", event(1)), ("run", event(2))])
    until(lambda: bench.depth("run").dead == 1 and bench.depth("run").delivered == 1)
    assert bench.depth("run").failures == 3


def test_one_that_reads_nothing_and_leaves_a_child_with_the_pipes(bench: Bench) -> None:
    code = "import os, sys, time\nos.close(0)\nif os.fork() == 0:\n    time.sleep(30)"
    dispatcher = bench.start(run=run(bench, code))
    began = time.monotonic()
    dispatcher.put([("run", event(1, message="x" * 1_000_000))])
    assert dispatcher.drain(60, patient=True) == 0
    assert time.monotonic() - began < 25


def test_a_program_that_goes_away_waits(bench: Bench) -> None:
    path = bench.folder / "tool"
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(0o700)
    dispatcher = bench.start(run={"type": "command", "argv": [str(path)]})
    path.unlink()
    dispatcher.put([("run", event(1))])
    until(lambda: bench.depth("run").failures >= 6)
    assert bench.depth("run").dead == 0
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(0o700)
    assert dispatcher.drain(60, patient=True) == 0


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["{message}"], "the program is fixed"),
        (["/no/such/program"], "there is no program"),
        ([], "list of texts"),
        (["/bin/true", 3], "list of texts"),
        (["/bin/true", "{a"], "not closed"),
        (["/bin/true", "{a.__class__()}"], "is not a name"),
        (["/bin/true", "a\0b"], "program is fixed"),
    ],
)
def test_settings_that_cannot_be_are_refused(bench: Bench, argv: list[Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        bench.actions(run={"type": "command", "argv": argv})


ITEMS = ["/bin/true", "--", "{message}", "{output.x} of it", "{output.x}{message}", "is {output.x}", "{{}}"]
MIXED = CommandSender.read(Reader(ActionTable("run", {"argv": ITEMS}, Path(os.devnull))))


@settings(deadline=None)
@given(st.text(max_size=200), st.text(max_size=50))
def test_templates_give_each_item_one_argument_that_is_no_option_of_its_own(message: str, value: str) -> None:
    arguments = MIXED.arguments(event(1, message=message, output={"x": value}))
    title = message or "Charge begun, never settled"
    wanted = ["/bin/true", "--", title, f"{value} of it", f"{value}{title}", f"is {value}", "{}"]
    wanted = [text.replace("\0", "") for text in wanted]
    for place in (3, 4):
        if wanted[place].startswith("-"):
            wanted[place] = f" {wanted[place]}"
    assert arguments == wanted


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.dictionaries(st.text(), inner))
)
def test_lookup_never_fails_and_gives_text(output: Any) -> None:
    body = {"output": output, "keys": output, "steps": output}
    made = event(1)
    for name in ("output.a", "keys.", "steps.a.b.c", "a.b", "output", "message", "__class__", "output.__class__"):
        found = made.lookup(body, name)
        assert found is None or isinstance(found, str)
