"""Runs a program and notes what it used: `python -S -E launch.py REPORT PROGRAM [ARGUMENT...]`.

A process of its own, since a child's peak memory begins with that of the process it was forked from:
started by the benchmark itself, ripgrep would seem to need as much as the benchmark.
"""

import os
import sys
import time


def main(report: str, argv: list[str]) -> None:
    """Run `argv`; write seconds, processor seconds, peak bytes and exit code to `report`, as JSON."""
    begun = time.perf_counter()
    pid = os.posix_spawnp(argv[0], argv, os.environ)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - begun
    memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    with open(report, "w") as file:  # noqa: PTH123  (pathlib takes longer to import than ripgrep to run)
        file.write(f"[{seconds}, {usage.ru_utime + usage.ru_stime}, {memory}, {os.waitstatus_to_exitcode(status)}]")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
