"""Programs run and timed: wall clock, processor time, peak memory; medians of several runs."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class Run:
    """One process, from its start to its end."""

    seconds: float
    """Wall clock."""
    cpu: float
    """Processor seconds, user and system, its children's too."""
    memory: int
    """Peak resident bytes of the largest process."""
    output: str
    """What it printed, if it was kept."""
    code: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    what: str
    """What was done."""
    tool: str
    value: str
    """What was measured, with its unit."""
    cpu: str = ""
    memory: str = ""
    budget: str = ""
    """What design section 8 allows."""
    note: str = ""


@dataclass(slots=True)
class Settings:
    """What the user asked for."""

    data: Path
    size: int
    records: int
    """Of the inputs that are made for linking and sequences."""
    frames: tuple[int, ...]
    """Heights of the views whose frame time is measured."""
    big: tuple[Path, ...] = ()
    literal: str = "connection reset"
    regex: str = r"rt=[1-9]\.[0-9]+ req=[0-9a-f]{4}"
    repeat: int = 3
    lnav: bool = True
    memory: int = 2 << 30
    """Bytes that a session over more text than that may take."""
    words: dict[str, str] = field(default_factory=dict)


def run(argv: Sequence[str], *, keep: bool = False) -> Run:
    """Run a program; its standard error is dropped.

    Args:
        argv: Program and arguments.
        keep: Whether to keep what it prints.
    """
    with tempfile.TemporaryFile() as kept, tempfile.NamedTemporaryFile() as told:
        subprocess.run(
            [sys.executable, "-S", "-E", str(LAUNCH), told.name, *argv],
            stdin=subprocess.DEVNULL,
            stdout=kept if keep else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            check=True,
        )
        seconds, cpu, memory, code = json.loads(told.read())
        kept.seek(0)
        output = kept.read().decode("utf-8", "replace")
    return Run(seconds, cpu, memory, output, code)


def logscope(*arguments: str, keep: bool = False) -> Run:
    """Run a command of logscope in a fresh process."""
    return run([sys.executable, "-m", "logscope", *arguments], keep=keep)


def job(name: str, **arguments: Any) -> tuple[Run, dict[str, Any]]:
    """Run one of `tests.perf.jobs` in a fresh process.

    Returns:
        The run, and the figures that the job printed as JSON.
    """
    done = run([sys.executable, "-m", "tests.perf.jobs", name, json.dumps(arguments)], keep=True)
    if done.code:
        raise RuntimeError(f"job {name} ended with {done.code}")
    return done, json.loads(done.output.splitlines()[-1])


def median_of(repeat: int, once: Callable[[], Run]) -> Run:
    """The run with the median wall clock of several."""
    runs = sorted((once() for _ in range(repeat)), key=lambda one: one.seconds)
    return runs[(len(runs) - 1) // 2]


def median(values: Iterable[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def as_seconds(value: float) -> str:
    """`1.23 s`, or milliseconds below a tenth."""
    return f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.1f} ms"


def as_bytes(value: float) -> str:
    """`512 MiB`."""
    return f"{value / (1 << 20):.0f} MiB"
