"""The fuzzing command finds what is there to be found, keeps it, and runs it again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import targets
from tests.fuzz.__main__ import main


def test_a_finding_is_shrunk_kept_and_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(data: bytes) -> None:
        assert b"!" not in data

    monkeypatch.setitem(targets.TARGETS, "yaml", targets.Target(check, lambda: (b"a: b", b"c: d"), (b"!!int ",)))
    assert main(["yaml", "--minutes", "0.5", "--findings", str(tmp_path)]) == 1
    (found,) = tmp_path.iterdir()
    assert b"!" in found.read_bytes()
    with pytest.raises(AssertionError):
        main(["yaml", "--input", str(found)])
    capsys.readouterr()
    found.write_bytes(b"a: b")
    assert main(["yaml", "--input", str(found)]) == 0


@pytest.mark.parametrize("name", ["frames", "filter", "yaml", "sigma"])
def test_seeds_are_taken_well(name: str) -> None:
    target = targets.TARGETS[name]
    seeds = list(target.seeds())
    assert seeds
    for seed in seeds:
        target.check(seed)
