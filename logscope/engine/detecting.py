"""Rules over the store: hits as records come, one step of every detector, what was told."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.answers import AbsentStep, Detection
from logscope.engine.api import Cancel
from logscope.engine.correlating import Correlating, Progress
from logscope.engine.selection import Selection
from logscope.engine.watermark import Watermark
from logscope.errors import LogscopeError, PlanError, RuleError
from logscope.paths import PACKAGE, config_folder
from logscope.query.filters import compile_filter
from logscope.records import schema
from logscope.rules.detector import Detector
from logscope.rules.enabled import enabled_rules
from logscope.rules.model import Detection as Found
from logscope.rules.model import Rule
from logscope.text import human_duration

if TYPE_CHECKING:
    from logscope.correlation.linker import Delta
    from logscope.engine.frames import Frames
    from logscope.engine.options import Options
    from logscope.records.store import Segment, Store, StoreView

_WATERMARK_COLUMNS = ("fields.peer", "fields.received", "host")


@dataclass(frozen=True, slots=True)
class Told:
    """What a step told."""

    raised: tuple[Detection, ...]
    retracted: tuple[Detection, ...]


@dataclass
class _Running:
    """A rule at work."""

    rule: Rule
    detector: Detector
    linked: Correlating | None


class Detecting:
    """Runs the rules of a session.

    Args:
        store: The records.
        frames: Their columns.
        correlating: The session's transactions.
        options: With rules and limits.
        source_name: A source's name by its place.
    """

    def __init__(
        self,
        store: Store,
        frames: Frames,
        correlating: Correlating,
        options: Options,
        source_name: Callable[[int], str],
    ) -> None:
        """Loads the rules; errors are in `rule_errors`."""
        self._store = store
        self._frames = frames
        self._correlating = correlating
        self._options = options
        self._selection = Selection(options)
        self._source_name = source_name
        self.rules, self.rule_errors = load(options)
        self.notices: list[str] = []
        self.told: dict[str, Detection] = {}
        self.watermark = Watermark(options.lateness, options.max_skew, options.source_idle)
        self.begin: int | None = None
        self._running: list[_Running] | None = None
        self._others: dict[str, Correlating] = {}
        self._next_row = 0
        self._rows: dict[int, tuple[str, str, str]] = {}

    @property
    def late(self) -> int:
        """Records that came behind the watermark."""
        return self.watermark.late

    def reset(self) -> None:
        """Forget what was told: the transactions are others now."""
        self.told = {}
        self._rows = {}
        self._running = None
        self._others = {}
        self._next_row = 0

    def update(
        self,
        delta: Delta | None,
        *,
        cancel: Cancel,
        progress: Progress | None = None,
        final: bool,
        decide: bool = False,
        least: int | None = None,
        now: int | None = None,
    ) -> Told:
        """Take in what came since the last call and tell what is decided.

        Args:
            delta: What linking changed meanwhile.
            cancel: Looked at between segments.
            progress: Told how far it is.
            final: This is all there is: the watermark is the newest record's time.
            decide: With `final`, what is pending is decided too.
            least: With `final`, the watermark is not less than that (what a watch had reached).
            now: The monotonic clock, microseconds.
        """
        if not self.rules:
            return Told((), ())
        running = self._start(cancel)
        view = self._store.view
        changed = {id(self._correlating): delta}
        for other in self._others.values():
            changed[id(other)] = other.update(cancel=cancel)
        now = clock.monotonic_ns() // 1000 if now is None else now
        hits = self._hits(running, view, cancel, progress, now)
        watermark = self._final_watermark(least) if final else self.watermark.advance(now)
        if watermark is None or self.begin is None:
            return Told((), ())
        raised: list[Detection] = []
        retracted: list[Detection] = []
        for work, found in zip(running, hits, strict=True):
            cancel.check()
            linked = work.linked
            moved = changed.get(id(linked)) if linked is not None else None
            result = work.detector.step(
                found,
                watermark=watermark,
                begin=self.begin,
                final=final,
                decide=decide,
                membership=None if linked is None else linked.groups_of,
                identity=str if linked is None else linked.identity,
                **({} if moved is None else {"changed": moved.rows}),
            )
            raised.extend(self._shown(detection, work) for detection in result.raised)
            retracted.extend(self._shown(detection, work) for detection in result.retracted)
        for detection in retracted:
            self.told.pop(detection.detection, None)
        for detection in raised:
            self.told[detection.detection] = detection
        if raised or retracted:
            self._mark()
        return Told(tuple(raised), tuple(retracted))

    def pending(self) -> list[Detection]:
        """What the end or the beginning of the data leaves open."""
        found: list[Detection] = []
        for work in self._running or []:
            identity = str if work.linked is None else work.linked.identity
            found.extend(self._shown(detection, work) for detection in work.detector.pending(identity))
        return found

    def provisional(self) -> list[Detection]:
        """What would be told if what has come were all."""
        newest = self.watermark.newest
        found: list[Detection] = []
        for work in self._running or [] if newest is not None else []:
            linked = work.linked
            early = work.detector.provisional(
                newest or 0,
                membership=None if linked is None else linked.groups_of,
                identity=str if linked is None else linked.identity,
            )
            shown = (self._shown(detection, work) for detection in early)
            found.extend(replace(one, state="provisional") for one in shown if one.detection not in self.told)
        return found

    def _final_watermark(self, least: int | None) -> int | None:
        newest = self.watermark.newest
        if newest is None:
            return least
        return newest if least is None else max(newest, least)

    def _start(self, cancel: Cancel) -> list[_Running]:
        """Detectors of all rules, each with the transactions of its grain."""
        if self._running is None:
            plan = self._correlating.prepare(cancel=cancel)
            running = []
            for rule in self.rules:
                assert rule.sequence is not None
                linked = None
                if rule.sequence.by_transaction:
                    linked = self._correlating
                    grain = rule.sequence.grain
                    if grain and self._options.grain == "auto":
                        linked = self._at_grain(rule, grain, plan.grain, cancel)
                running.append(_Running(rule, Detector(rule), linked))
            self._running = running
        return self._running

    def _at_grain(self, rule: Rule, grain: str, chosen: str | None, cancel: Cancel) -> Correlating:
        plan = self._correlating.plan
        assert plan is not None
        try:
            wanted = plan.with_grain(grain, why=f"rule {rule.name}")
        except PlanError as error:
            self.notices.append(f"rule {rule.name}: {error.message}; it runs at grain {chosen or 'none'}")
            return self._correlating
        if wanted.grain == chosen or wanted.grain is None:
            return self._correlating
        if wanted.grain not in self._others:
            other = Correlating(self._store, self._frames, replace(self._options, grain=wanted.grain))
            other.prepare(cancel=cancel, plan=wanted)
            other.update(cancel=cancel)
            self._others[wanted.grain] = other
        return self._others[wanted.grain]

    def _hits(
        self, running: Sequence[_Running], view: StoreView, cancel: Cancel, progress: Progress | None, now: int
    ) -> list[pl.DataFrame | None]:
        """Per rule the new records that matter to it; the watermark sees all of them."""
        found: list[list[pl.DataFrame]] = [[] for _ in running]
        columns = frozenset[str]().union(*(work.detector.columns for work in running))
        segments = list(view.since(self._next_row)) if view.records > self._next_row else []
        for number, segment in enumerate(segments):
            cancel.check()
            if progress:
                progress("applying rules", number / len(segments))
            frame = self._frame(segment, view, columns)
            frame = self._selection.inside(frame, view)
            self._observe(segment, frame, now)
            frame = self._correlating.key_columns(frame, columns)
            for place, work in enumerate(running):
                hits = work.detector.hits(frame)
                if hits.height:
                    found[place].append(hits)
        self._next_row = view.records
        return [pl.concat(parts, how="diagonal_relaxed") if parts else None for parts in found]

    def _frame(self, segment: Segment, view: StoreView, columns: Collection[str]) -> pl.DataFrame:
        wanted = {name for name in columns if not name.startswith(schema.KEY_PREFIX)}
        wanted |= {"time", "time_from", "source_id", "line", schema.ROW}
        if segment.binding.ref.kind == "messages":
            wanted.update(_WATERMARK_COLUMNS)
        return self._frames.segment(segment, view, wanted)

    def _observe(self, segment: Segment, frame: pl.DataFrame, now: int) -> None:
        timed = frame.filter(pl.col("time_from") != schema.FROM_FILE)
        if timed.is_empty():
            return
        earliest = timed.get_column("time").to_physical().min()
        if isinstance(earliest, int):
            self.begin = earliest if self.begin is None else min(self.begin, earliest)
        names = {"time": "time", "source_id": "source_id"}
        if segment.binding.ref.kind == "messages":
            names |= {"peer": "fields.peer", "received": "fields.received", "host": "host"}
        self.watermark.observe(timed.select(**names), now)

    def _shown(self, found: Found, work: _Running) -> Detection:
        index = self._store.view.index
        steps = {}
        for name, step in found.steps.items():
            source_id, line = index.select("source_id", "line").row(step.row)
            steps[name] = {"time": step.time, "source": self._source_name(source_id), "line": line, "row": step.row}
        keys = {
            name: list(values) if isinstance(values, tuple | list) else [values] for name, values in found.keys.items()
        }
        if found.number is not None and work.linked is not None:
            keys |= work.linked.keys_of(found.number)
        # Numbers are those of the session's own transactions, whatever grain the rule runs at.
        number = found.number
        if work.linked is not None and work.linked is not self._correlating:
            rows = pl.Series([step.row for step in found.steps.values()], dtype=pl.UInt32)
            own = self._correlating.groups_of(rows).get_column("transaction")
            number = int(own[0]) if len(own) else None
        return Detection(
            detection=found.id,
            rule=found.rule,
            title=found.title,
            level=found.level,
            time=found.time,
            start=found.start,
            end=found.end,
            transaction=found.transaction,
            keys=keys,
            output=dict(found.output),
            message=found.message,
            steps=steps,
            state=found.state,
            reason=found.reason,
            number=number,
        )

    # --- what the screens ask

    def _mark(self) -> None:
        rows: dict[int, tuple[str, str, str]] = {}
        for detection in self.told.values():
            for name, step in detection.steps.items():
                rows[step["row"]] = (detection.rule, name, detection.level)
        self._rows = rows

    def marks(self, rows: Sequence[int]) -> dict[int, tuple[str, str, str]]:
        """Of these rows those that are matched steps: row -> (rule, step, level)."""
        known = self._rows
        return {row: known[row] for row in rows if row in known}

    def of_transaction(self, number: int) -> list[Detection]:
        """Detections of one transaction."""
        return [detection for detection in self.told.values() if detection.number == number]

    def absent_steps(self, detection: Detection) -> list[AbsentStep]:
        """The steps that did not happen, with the window that stayed empty."""
        rule = next((rule for rule in self.rules if rule.name == detection.rule), None)
        if rule is None or rule.sequence is None:
            return []
        steps = rule.sequence.steps
        found = []
        for place, step in enumerate(steps):
            if not step.absent:
                continue
            before = next((s for s in reversed(steps[:place]) if not s.absent), None)
            after = next((s for s in steps[place + 1 :] if not s.absent), None)
            start = detection.steps[before.name]["time"] if before else detection.start - (step.within_us or 0)
            end = detection.steps[after.name]["time"] if after else max(detection.time, start)
            found.append(AbsentStep(rule.name, step.name, start, end, f"nothing for {human_duration(end - start)}"))
        return found

    def with_rules(self, table: pl.DataFrame) -> pl.DataFrame:
        """A transaction frame with the names of the rules that matched."""
        names: dict[int, list[str]] = {}
        for detection in self.told.values():
            if detection.number is not None and detection.rule not in names.setdefault(detection.number, []):
                names[detection.number].append(detection.rule)
        rules = pl.DataFrame(
            {"number": list(names), "rules": list(names.values())},
            schema={"number": pl.UInt32, "rules": pl.List(pl.String)},
        )
        return table.join(rules, on="number", how="left", maintain_order="left").with_columns(
            pl.col("rules").fill_null([])
        )


def load(options: Options) -> tuple[tuple[Rule, ...], tuple[LogscopeError, ...]]:
    """The rules that the options and the user's folders name.

    Returns:
        Those that compile, and the errors of the others.
    """
    paths = rule_paths(options)
    if not paths and not options.rule:
        return (), ()
    # YAML costs a tenth of the time to the first screen, and most who open a log run no rule.
    from logscope.rules.loader import load_rules, rule_from_sequence

    loaded = load_rules(paths, compile_filter)
    errors: list[LogscopeError] = list(loaded.errors)
    rules = [rule for rule in loaded.rules if rule.enabled]
    for text in options.rule:
        try:
            rules.append(rule_from_sequence(text, compile_filter))
        except LogscopeError as error:
            errors.append(error)
    runnable = []
    for rule in rules:
        if rule.sequence is None:
            errors.append(
                RuleError(
                    f"rule {rule.name} is over whole transactions, which this version does not run",
                    rule.path,
                    rule.line,
                    mend="write it as a sequence",
                )
            )
        else:
            runnable.append(rule)
    return tuple(runnable), tuple(errors)


def rule_paths(options: Options) -> list[Path]:
    """Rule files and folders in force, the shipped ones that are enabled among them."""
    if options.rules:
        paths = [Path(path) for path in options.rules]
    else:
        paths = [path for path in (config_folder() / "rules", Path(".logscope/rules")) if path.is_dir()]
    shipped = sorted((PACKAGE / "rules" / "builtin").glob("*.yml"))
    names = enabled_rules()
    return [*paths, *(path for path in shipped if options.shipped_rules or path.stem in names)]


__all__ = ["Detecting", "Told", "load", "rule_paths"]
