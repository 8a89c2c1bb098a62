"""The trail: every narrowing and pivot of an investigation, with back and forward.

A pivot looks at all records again (in any service), so what stands before it no longer narrows; it
stays in the trail as the way that led there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

UNDO_MOST = 100


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the trail."""

    kind: str
    """`filter`, `exclude`, `time` or `pivot`."""
    text: str
    """In the filter language."""
    label: str
    enabled: bool = True
    count: int | None = None
    """Records in view after it; None: not counted yet."""

    @property
    def term(self) -> str:
        """The step within a larger filter."""
        return f"not ({self.text})" if self.kind == "exclude" else f"({self.text})"


class Trail:
    """Steps in order, and how many of them one stands behind."""

    def __init__(self) -> None:
        """Nothing narrowed."""
        self.steps: list[Step] = []
        self.position = 0
        self.total: int | None = None
        """Records without any step."""
        self._before: list[tuple[list[Step], int]] = []

    @property
    def present(self) -> list[Step]:
        """Steps up to where one stands."""
        return self.steps[: self.position]

    @property
    def pivot(self) -> Step | None:
        """The pivot in effect."""
        return next((step for step in reversed(self.present) if step.kind == "pivot" and step.enabled), None)

    @property
    def effective(self) -> list[Step]:
        """Steps that make the view: from the last enabled pivot on, those that are switched on."""
        found: list[Step] = []
        for step in reversed(self.present):
            if step.enabled:
                found.append(step)
                if step.kind == "pivot":
                    break
        return found[::-1]

    @property
    def filter_text(self) -> str:
        """The view as one filter."""
        steps = self.effective
        if len(steps) == 1 and steps[0].kind != "exclude":
            return steps[0].text
        return " ".join(step.term for step in steps)

    @property
    def stretch(self) -> str:
        """The stretch of time that the view is narrowed to, as a filter on transactions; empty: all."""
        texts = [step.text for step in self.effective if step.kind == "time"]
        return " ".join(texts).replace("time>=", "start>=").replace("time<", "start<")

    def keep(self) -> None:
        """What is now can be come back to with `undo`."""
        self._before.append((list(self.steps), self.position))
        del self._before[:-UNDO_MOST]

    def undo(self) -> bool:
        """As it was before the last change, whatever that was; False if there was none."""
        if not self._before:
            return False
        self.steps, self.position = self._before.pop()
        return True

    def add(self, step: Step) -> None:
        """Go one step on; what was ahead is forgotten."""
        self.keep()
        del self.steps[self.position :]
        self.steps.append(step)
        self.position += 1

    def back(self) -> bool:
        """One step back; False at the beginning."""
        if self.position == 0:
            return False
        self.keep()
        self.position -= 1
        return True

    def forward(self) -> bool:
        """One step forward again; False at the end."""
        if self.position == len(self.steps):
            return False
        self.keep()
        self.position += 1
        return True

    def toggle(self, place: int) -> None:
        """Switch a step on or off; the counts from it on are not known any more."""
        self.keep()
        for after in range(place + 1, len(self.steps)):
            self.steps[after] = replace(self.steps[after], count=None)
        self.steps[place] = replace(self.steps[place], enabled=not self.steps[place].enabled, count=None)

    def stand(self, position: int) -> None:
        """Stand behind so many steps."""
        self.keep()
        self.position = position

    def drop_last(self) -> None:
        """Forget the step that one stands behind: it was never in force."""
        self.undo()

    def counted(self, count: int) -> None:
        """Remember how many records the present view holds."""
        if self.position == 0:
            self.total = count
        else:
            self.steps[self.position - 1] = replace(self.steps[self.position - 1], count=count)
