"""Sample shops that several tests read (made once a run, with the truth beside them), and how Hypothesis runs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from sample_logs import generate, traffic

# A busy machine makes any example slow: how long one takes is no sign of a fault.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: many tests wait for sockets, files and processes."""
    return min(4, (os.cpu_count() or 1) + 1)


@dataclass(frozen=True)
class Shop:
    """Logs of a sample shop in a folder of their own, and what is true of them."""

    folder: Path
    truth: dict[str, Any]

    @property
    def logs(self) -> list[str]:
        """Paths of the logs, in the order of their names."""
        return sorted(str(path) for path in self.folder.glob("*.log"))

    @property
    def failed(self) -> list[tuple[str, float, str]]:
        """Order, amount and reference of each silent failure."""
        return sorted((one["order_id"], float(one["amount"]), one["psp_ref"]) for one in self.truth["failed"])

    def members(self, order: str) -> list[tuple[str, int]]:
        """Source (as a path) and line of an order's records."""
        return sorted((str(self.folder / one["source"]), one["line"]) for one in self.truth["transactions"][order])


def _made(seed: int, folder: Path) -> Shop:
    sample = generate.make(seed)
    for name, text in sample.logs.items():
        (folder / name).write_text(text)
    return Shop(folder, json.loads(sample.truth))


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A quiet hour: some 40 orders, five of them silent failures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(traffic, "_VISITS", 20)
        yield _made(20261101, tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def fresh_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop of usual size whose seed nothing was tuned on."""
    return _made(777_001, tmp_path_factory.mktemp("fresh"))
