"""What a suite of cases comes to: agreed, wrong (each with its line) and, by reason, what does not apply."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

ALLOWED = 0.02
"""The share of the cases that apply which may be wrong."""


@dataclass
class Tally:
    """Counts of one suite."""

    name: str
    agreed: int = 0
    wrong: list[str] = field(default_factory=list)
    """Where each stands and what differs."""
    passed_over: Counter[str] = field(default_factory=Counter)
    """Cases that do not apply, by why."""

    def take(self, where: str, expected: object, found: object) -> None:
        """Count a case that applies."""
        if expected == found:
            self.agreed += 1
        else:
            self.wrong.append(f"{where}: expected {expected}, found {found}")

    @property
    def applied(self) -> int:
        """Cases that apply."""
        return self.agreed + len(self.wrong)

    def told(self) -> bool:
        """Print the counts.

        Returns:
            Whether no more than `ALLOWED` is wrong.
        """
        print(f"{self.name}: {self.agreed} of {self.applied} agree; {self.passed_over.total()} do not apply")
        for line in self.wrong:
            print(f"  wrong: {line}")
        for reason, count in self.passed_over.most_common():
            print(f"  does not apply: {count}: {reason}")
        return len(self.wrong) <= ALLOWED * self.applied and self.applied > 0
