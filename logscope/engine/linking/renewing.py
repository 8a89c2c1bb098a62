"""Keys that were found while records still came are found again once all are there, or twice as many.

A plan that the user gave or changed, or that a watch has frozen, stays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from logscope.engine.linking.remembered import ENOUGH, GROWN

if TYPE_CHECKING:
    from logscope.correlation.plan import Plan
    from logscope.engine.api import Cancel
    from logscope.engine.session import Session

_MOST_NAMED = 5


class Renewing:
    """When the plan of a session is found again.

    Args:
        session: The whole, of which this is a part.
    """

    def __init__(self, session: Session) -> None:
        """No plan is found yet."""
        self._session = session
        self._records: int | None = None
        self._whole = True

    def standing(self) -> tuple[int, bool]:
        """How many records there are, and whether they are all: to be asked before keys are looked for in them."""
        loaded = self._session.loading.loaded
        return self._session.store.view.records, loaded

    def found(self, standing: tuple[int, bool]) -> None:
        """The plan was found in what there was; more may have come meanwhile.

        Args:
            standing: From `standing`, before.
        """
        self._records, self._whole = standing

    def settle(self) -> None:
        """The plan stays as it is: it was given, changed by the user, or frozen."""
        self._records = None

    @property
    def provisional(self) -> bool:
        """Whether the plan was found in a part, and may be found again."""
        return self._records is not None

    def due(self) -> bool:
        """Whether the plan was found in so much less than there is now that it is found again."""
        if self._records is None:
            return False
        records, loaded = self._session.store.view.records, self._session.loading.loaded
        if records <= self._records:
            self._whole = self._whole or loaded
            return False
        return (loaded and not self._whole) or (self._records < ENOUGH and records >= GROWN * self._records)

    def renew(self, cancel: Cancel) -> None:
        """Find keys and grain again; said is what became another."""
        correlating = self._session.correlating
        before, then = correlating.plan, self._records
        if before is None or then is None:
            return
        cancel.check()
        cancel.tell("finding keys again")
        standing = self.standing()
        after = correlating.found_again(keep=standing[1])
        self.found(standing)
        said = (
            f"keys were found in the first {then:,} records, and again in {standing[0]:,}: {_difference(before, after)}"
        )
        after = replace(after, notices=(said, *after.notices))
        if after == before:
            correlating.say(after)
        else:
            correlating.use(after)
            self._session.detecting.reset()


def _difference(before: Plan, after: Plan) -> str:
    """What is another about a plan, in words."""
    old, new = ({key.name: key for key in plan.keys} for plan in (before, after))
    parts = []
    if before.grain != after.grain:
        parts.append(f"the grain is {after.grain or 'none'}, no more {before.grain or 'none'} ({after.grain_why})")
    else:
        parts.append(f"the grain is still {after.grain or 'none'}")
    for told, names in (
        ("new", [name for name in new if name not in old]),
        ("no more", [name for name in old if name not in new]),
        ("links now", [n for n in after.linking if n in old and n not in before.linking]),
        ("links no more", [n for n in before.linking if n in new and n not in after.linking]),
    ):
        if names:
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            parts.append(f"{told}: {', '.join(names[:_MOST_NAMED])}{more}")
    return "; ".join(parts)
