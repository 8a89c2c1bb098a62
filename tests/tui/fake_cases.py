"""Cases and figures over time of the fake investigation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from logscope.engine.answers import Line, TransactionDetail
from logscope.engine.api import Cancel
from logscope.engine.overtime import Figures, Trend, Trends
from logscope.engine.pinned import CaseFile, Found, Pin
from logscope.errors import UsageError


class FakeFolder:
    """Cases in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, CaseFile] = {}

    def load(self, wanted: str) -> CaseFile:
        if wanted not in self.kept:
            raise UsageError(f"no case {wanted!r}", mend="name one that is kept")
        return self.kept[wanted]

    def save(self, case: CaseFile) -> CaseFile:
        self.kept[case.name] = case
        return case

    def all(self) -> Sequence[CaseFile]:
        return list(self.kept.values())[::-1]

    def of_sources(self, sources: Sequence[str]) -> CaseFile | None:
        return next((one for one in self.all() if set(one.sources) == set(sources)), None)

    def free_name(self, sources: Sequence[str]) -> str:
        return f"case-{len(self.kept) + 1}"


class FakeCases:
    """Pins by source and line, transactions by number."""

    cases: FakeFolder
    exported: list[tuple[Path, tuple[int, ...]]]
    reports: list[tuple[Path, CaseFile, bool]]
    text: str

    def transaction(self, number: int) -> TransactionDetail:
        raise NotImplementedError

    def located(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
        raise NotImplementedError

    def transactions_of(self, row: int) -> Sequence[int]:
        raise NotImplementedError

    def new_case(self, name: str = "", sources: Sequence[str] = ()) -> CaseFile:
        return CaseFile(name, tuple(sources))

    def pin_record(self, line: Line) -> Pin:
        return Pin("record", line.source, line.line, "", line.message)

    def pin_transaction(self, number: int) -> Pin:
        detail = self.transaction(number)
        first = detail.members[0].line
        return Pin("transaction", first.source, first.line, "", detail.title, detail.transaction)

    def find_pins(self, pins: Sequence[Pin], *, cancel: Cancel) -> Sequence[Found]:
        rows = self.located([(pin.source, pin.line) for pin in pins])
        found = []
        for pin in pins:
            row = rows.get((pin.source, pin.line))
            numbers = self.transactions_of(row) if row is not None and pin.kind == "transaction" else []
            found.append(Found(pin, row, numbers[0] if numbers else None))
        return found

    def export(
        self,
        path: Path,
        numbers: Sequence[int] = (),
        *,
        case: CaseFile | None = None,
        kept: str = "",
        notes: str = "",
        redact: bool = False,
        cancel: Cancel,
    ) -> None:
        if path.suffix not in (".md", ".html", ".json"):
            raise UsageError(f"{path.suffix} is no kind of report", mend="use .md, .html or .json")
        if case is not None:
            self.reports.append((path, replace(case), redact))
        else:
            self.exported.append((path, tuple(numbers)))

    def trends(
        self, over: str = "all", *, every: int | None = None, most: int = 20, where: str = "", cancel: Cancel
    ) -> Trends:
        every = every or 60_000_000
        stretches = {
            place: Figures(60 + place, place, 5, 1, 1_000 * place, 2_000, 3_000, place % 2) for place in range(10)
        }
        whole = Figures(645, 45, 50, 10, 5_000, 9_000, 9_900, 5)
        names = [f"payments{self.text}", "orders"] if over != "all" else ["all"]
        series = tuple(Trend(name, whole, stretches) for name in names)
        return Trends(over, 1_793_527_200_000_000, every, 10, series, left_out=3)
