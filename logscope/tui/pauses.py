"""The garbage collector: so little at a time that no frame waits for it, and all of it while nobody types."""

from __future__ import annotations

import gc
import time

THRESHOLDS = (10_000, 4, 100_000)
"""Measured: at 50,000 new objects the youngest generation alone takes 10 to 24 ms, at 10,000 it takes 3."""
EVERY_SECONDS = 15.0
"""How often it is looked whether to collect everything."""
_QUIET_SECONDS = 5.0
_WORTH = 20
"""Collections of the middle generation after which the oldest is worth a look."""


def settle() -> None:
    """What start-up made is no garbage; from now on collect in small steps."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(*THRESHOLDS)


class Quiet:
    """Collects everything while nobody types."""

    def __init__(self) -> None:
        """A key has just been pressed."""
        self._pressed = time.monotonic()

    def pressed(self) -> None:
        """Somebody is there."""
        self._pressed = time.monotonic()

    def collect(self) -> None:
        """Collect everything, if there is enough and nobody would notice."""
        if gc.get_count()[2] >= _WORTH and time.monotonic() - self._pressed >= _QUIET_SECONDS:
            gc.collect()
