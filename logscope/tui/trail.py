"""The trail: every narrowing and pivot of an investigation, with back and forward.

A pivot looks at all records again (in any service), so what stands before it no longer narrows; it
stays in the trail as the way that led there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


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

    def add(self, step: Step) -> None:
        """Go one step on; what was ahead is forgotten."""
        del self.steps[self.position :]
        self.steps.append(step)
        self.position += 1

    def back(self) -> bool:
        """One step back; False at the beginning."""
        if self.position == 0:
            return False
        self.position -= 1
        return True

    def forward(self) -> bool:
        """One step forward again; False at the end."""
        if self.position == len(self.steps):
            return False
        self.position += 1
        return True

    def toggle(self, place: int) -> None:
        """Switch a step on or off."""
        self.steps[place] = replace(self.steps[place], enabled=not self.steps[place].enabled, count=None)

    def counted(self, count: int) -> None:
        """Remember how many records the present view holds."""
        if self.position == 0:
            self.total = count
        else:
            self.steps[self.position - 1] = replace(self.steps[self.position - 1], count=count)
