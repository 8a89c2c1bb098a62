"""What the outbox holds, for the screens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logscope.actions.outbox import Depth


def outbox_depths() -> Sequence[Depth]:
    """What the user's outbox holds of each action.

    Raises:
        LogscopeError: It cannot be read.
    """
    from logscope.actions.outbox import read_depths

    return read_depths()
