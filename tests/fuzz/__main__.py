"""`python -m tests.fuzz [--minutes N] [--engine hypothesis|atheris] [TARGET...]`: looks for inputs that break logscope.

Each target gets an equal share of the time. Hypothesis mutates known inputs and shrinks what it finds; atheris (the extra
`fuzz`) follows which lines an input reaches. A finding is written to the folder of `--findings`; `--input FILE` runs one
again. Exit 1 if there was one.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

ENGINES = ("hypothesis", "atheris")
_NAMES = ("parsers", "frames", "filter", "rules", "sigma", "archives", "yaml")
_LONGEST = 16_384
_ROUND = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{', '.join(_NAMES)}; all without one")
    parser.add_argument("--minutes", type=float, default=7.0, help="altogether")
    parser.add_argument("--engine", choices=ENGINES, default="hypothesis")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--input", type=Path, help="run one input of one target again")
    asked = parser.parse_args(arguments)
    names = asked.targets or [*_NAMES]
    if unknown := [name for name in names if name not in _NAMES]:
        parser.error(f"there is no target {unknown[0]}")
    seconds = asked.minutes * 60 / len(names)
    # Caches and spools of inputs are nobody's.
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="logscope-fuzz-home-") as home:
        try:
            os.environ.update({f"XDG_{name}_HOME": f"{home}/{name.lower()}" for name in ("STATE", "CACHE", "CONFIG")})
            if asked.input is not None:
                return _again(names[0], asked.input)
            run = _atheris if asked.engine == "atheris" else _hypothesis
            return max([run(name, seconds, asked.findings) for name in names])
        finally:
            os.environ.clear()
            os.environ.update(before)


def _again(name: str, path: Path) -> int:
    from tests.fuzz.targets import TARGETS

    TARGETS[name].check(path.read_bytes())
    print(f"{name}: {path} is taken well")
    return 0


def _hypothesis(name: str, seconds: float, findings: Path) -> int:
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import strategies as st

    from tests.fuzz.targets import PATIENCE, TARGETS

    target = TARGETS[name]
    seeds = list(target.seeds())
    piece = st.sampled_from(target.words) | st.binary(max_size=8) | st.sampled_from(seeds).map(lambda text: text[:64])
    place = st.floats(0, 1)
    edit = st.tuples(place, place, piece, st.sampled_from(["insert", "replace", "cut", "double"]))
    last = [b""]
    tried = [0]

    def mutated(text: bytes, edits: list[tuple[float, float, bytes, str]]) -> bytes:
        for first, second, new, how in edits:
            at = int(first * len(text))
            end = at + int(second * min(32, len(text) - at))
            middle = {"insert": new, "replace": new, "cut": b"", "double": text[at:end] * 2}[how]
            text = text[:at] + middle + text[at if how == "insert" else end :]
        return text[:_LONGEST]

    @settings(
        max_examples=_ROUND, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )  # fmt: skip
    @given(st.builds(mutated, st.sampled_from(seeds), st.lists(edit, max_size=6)) | st.binary(max_size=200))
    def check(data: bytes) -> None:
        if time.monotonic() - begun > seconds:
            return
        last[0] = data
        tried[0] += 1
        faulthandler.dump_traceback_later(PATIENCE * 2, exit=True, file=2)
        target.check(data)

    begun = time.monotonic()
    turn = int(time.time())
    try:
        while time.monotonic() - begun < seconds:
            turn += 1
            seed(turn)(check)()
    except Exception:
        traceback.print_exc()
        path = _kept(findings, name, last[0])
        print(f"{name}: found after {tried[0]:,} inputs: {path}")
        return 1
    finally:
        faulthandler.cancel_dump_traceback_later()
    print(f"{name}: {tried[0]:,} inputs in {time.monotonic() - begun:.0f} s, nothing found")
    return 0


def _kept(findings: Path, name: str, data: bytes) -> Path:
    findings.mkdir(parents=True, exist_ok=True)
    path = findings / f"{name}-{hashlib.blake2b(data, digest_size=6).hexdigest()}"
    path.write_bytes(data)
    return path


def _atheris(name: str, seconds: float, findings: Path) -> int:
    """Each target in a process of its own: the engine ends it."""
    findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="logscope-fuzz-corpus-") as corpus:
        command = [sys.executable, "-c", "from tests.fuzz.__main__ import led; led()", name, str(int(seconds)), corpus]
        run = subprocess.run([*command, str(findings.resolve())], check=False, capture_output=True, text=True)
    said = run.stderr.splitlines()
    done = [line for line in said if "Done" in line or line.startswith("stat::number_of_executed_units")]
    if run.returncode:
        print("\n".join([*said[-40:], run.stdout[-2000:]]))
    print(f"{name}: {done[0].strip('# ') if done else f'exit {run.returncode}'}")
    return 1 if run.returncode else 0


def led() -> None:
    """One target by atheris; the arguments are its name, seconds, a folder for the corpus, one for findings."""
    import atheris

    name, seconds, corpus, findings = sys.argv[1:5]
    with atheris.instrument_imports(include=["logscope"]), contextlib.suppress(ImportError):
        from tests.fuzz import targets
    target = targets.TARGETS[name]
    for number, text in enumerate(target.seeds()):
        (Path(corpus) / f"seed-{number}").write_bytes(text)
    words = Path(corpus).with_name(Path(corpus).name + ".words")
    quoted = ["".join(map("\\x{:02x}".format, word)) for word in target.words]
    words.write_text("".join(f'"{text}"\n' for text in quoted))
    limits = [
        f"-max_total_time={seconds}",
        f"-max_len={_LONGEST}",
        f"-timeout={int(targets.PATIENCE)}",
        "-rss_limit_mb=4096",
    ]
    atheris.Setup(
        [
            sys.argv[0],
            *limits,
            f"-dict={words}",
            f"-artifact_prefix={findings}/{name}-",
            "-print_final_stats=1",
            corpus,
        ],
        target.check,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
