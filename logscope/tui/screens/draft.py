"""Save as rule: what was marked or typed becomes a rule, its effect beside it while it is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from logscope.engine.answers import Preview
from logscope.engine.api import Cancel, Investigation
from logscope.engine.rulework.desk import Proposal, StepSpan, nice_step, retold, turned
from logscope.errors import FilterError, LogscopeError
from logscope.language.units import parse_duration
from logscope.rules.drafts import Draft, rule_text
from logscope.rules.model.rule import LEVELS
from logscope.tui.effect import effect_rows, verdict
from logscope.tui.messages import CursorMoved, RowChosen
from logscope.tui.safe import line
from logscope.tui.screens.base import InvestigatorScreen
from logscope.tui.screens.draft_keys import BINDINGS, HINTS
from logscope.tui.widgets.chrome import Chrome, Footer
from logscope.tui.widgets.draft_table import DraftTable
from logscope.tui.widgets.query_bar import QueryBar
from logscope.tui.widgets.text_rows import TextRows

WIDE = 110
"""Columns from which the effect stands beside the rule."""

Propose = Callable[[Cancel], Proposal]


class DraftScreen(InvestigatorScreen):
    """A rule that is being made."""

    CSS_PATH = "draft.tcss"
    BINDINGS = BINDINGS
    HINTS = HINTS
    ABOUT = (
        "Save as rule",
        (
            "Steps happen in this order; an absent one (✖) must not. Enter changes a part. What it would find and how "
            "long its steps take is counted while you change it; the YAML below is what will be written."
        ),
    )

    def __init__(self, investigation: Investigation, propose: Propose) -> None:
        """A draft that `propose` makes, on a thread."""
        super().__init__(investigation)
        self._propose = propose
        self._draft: Draft | None = None
        self._before: list[Draft] = []
        self._spans: tuple[StepSpan, ...] = ()
        self._notes: tuple[str, ...] = ()
        self._preview: Preview | None = None
        self._fault: LogscopeError | None = None

    def compose(self) -> ComposeResult:
        """Title, the parts, the effect, the YAML, bar, footer."""
        yield Chrome(id="title")
        with Container(id="rule"):
            yield DraftTable(id="parts")
            yield Static(id="live")
        yield TextRows(id="yaml")
        yield QueryBar(id="bar")
        yield Footer()

    @property
    def main_list(self) -> DraftTable:
        """The parts."""
        return self.query_one(DraftTable)

    @property
    def yaml(self) -> TextRows:
        """The text as it will be written."""
        return self.query_one(TextRows)

    @property
    def yaml_text(self) -> str:
        """The rule as it will be written; empty until there is one."""
        return rule_text(self._draft) if self._draft is not None else ""

    def on_mount(self) -> None:
        """Ask for the proposal."""
        self.yaml.border_title = "as it will be written"
        self.set_class(self.app.size.width >= WIDE, "wide")
        self._tell_title()
        self.queries.ask("propose", self._propose, self._proposed, label="proposing steps", failed=self._refused)

    def on_resize(self, event: events.Resize) -> None:
        """Beside each other where there is room."""
        self.set_class(event.size.width >= WIDE, "wide")

    def _refused(self, error: LogscopeError) -> None:
        self.scope.say(str(error), "error")
        self.dismiss()

    def _proposed(self, proposal: Proposal) -> None:
        self._spans, self._notes = proposal.spans, proposal.notes
        self._show(proposal.draft)
        self._ask_preview()

    # Changes

    def _change(self, draft: Draft, *, steps: bool = True) -> None:
        """Another draft; `steps`: how long they take has to be looked at again."""
        if self._draft is None or draft == self._draft:
            return
        self._before.append(self._draft)
        self._show(draft)
        self._ask_preview()
        if steps and draft.kind == "sequence":
            desk = self.investigation.desk
            self.queries.ask("spans", lambda cancel: desk.spans(draft, cancel=cancel), self._measured)

    def _show(self, draft: Draft) -> None:
        self._draft = draft
        self.main_list.show(draft)
        self.yaml.show(rule_text(draft))
        self._tell_title()
        self._tell_live()
        self.show_status()

    def _measured(self, spans: tuple[StepSpan, ...]) -> None:
        self._spans = spans
        self._tell_live()

    def _ask_preview(self) -> None:
        draft = self._draft
        if draft is None:
            return
        text = rule_text(draft)
        investigation = self.investigation
        self._preview = self._fault = None
        self._tell_live()
        self.queries.ask(
            "preview",
            lambda cancel: investigation.preview(text, cancel=cancel),
            self._previewed,
            label="trying the rule",
            failed=self._faulty,
        )

    def _previewed(self, preview: Preview) -> None:
        self._preview, self._fault = preview, None
        self._tell_live()

    def _faulty(self, error: LogscopeError) -> None:
        self._preview, self._fault = None, error
        self.yaml.fault(error.line)
        self._tell_live()

    # What it says

    def _tell_title(self) -> None:
        draft = self._draft
        left = line(("Save as rule", "bold $primary"), ("  " + draft.name if draft else "", "$log-detection"))
        self.query_one("#title", Chrome).show(left, self._verdict())

    def _verdict(self) -> Content:
        kind = self._draft.kind if self._draft is not None else ""
        return verdict(self._fault or self._preview, self.scope.snapshot, kind)

    def _tell_live(self) -> None:
        if not self.lives:
            return
        self._tell_title()
        head = self._verdict() if self.has_class("wide") else None
        rows = effect_rows(self._fault or self._preview, self._spans, self._notes, self.scope.clock, head)
        self.query_one("#live", Static).update(Content("\n").join(rows))

    def status_parts(self) -> tuple[Content, Content]:
        """What is written where, and what the last count took."""
        draft = self._draft
        left = line((f"writes {draft.name}.yml into your rules" if draft else "", "$log-dim"))
        took = f"{self._preview.seconds:.2f} s" if self._preview is not None else ""
        return left, line((took, "$log-dim"))

    @on(CursorMoved)
    def _moved(self, event: CursorMoved) -> None:
        event.stop()
        self.show_status()

    # Actions

    @on(RowChosen)
    def _chosen(self, event: RowChosen) -> None:
        event.stop()
        part, draft = self.main_list.part, self._draft
        if event.rows is not self.main_list or part is None or draft is None:
            return
        if part.kind == "level":
            place = LEVELS.index(draft.level) + 1
            self._change(replace(draft, level=LEVELS[place % len(LEVELS)]), steps=False)
        elif part.kind == "field":
            self.action_emit()
        elif part.kind == "maxspan":
            self.action_window()
        elif part.kind == "step":
            self._ask_filter("step", f"{draft.steps[part.place].name} where", draft.steps[part.place].where)
        elif part.kind in ("where", "until"):
            self._ask_filter(part.kind, part.kind, str(getattr(draft, part.kind)))
        else:
            helps = {"title": "what a person reads", "message": "text with {step.field}"}
            self.ask_text(part.kind, part.kind, helps[part.kind], str(getattr(draft, part.kind)))

    def _ask_filter(self, purpose: str, prompt: str, value: str) -> None:
        self.ask_text(purpose, prompt, 'service:payments "charge begin" code>=400 -"retry"   → completes names', value)
        self.bar.complete(self._names())

    def _names(self) -> list[str]:
        """Names that a filter may use here."""
        draft = self._draft
        fields = [one.source.rpartition(".")[2] for one in draft.fields] if draft else []
        columns = ["service", "level", "message", "host", "source", "time", "format"]
        return list(dict.fromkeys([*fields, *(draft.keys if draft else ()), *columns]))

    def submitted(self, purpose: str, text: str) -> None:
        """A part was typed."""
        draft, part = self._draft, self.main_list.part
        if draft is None or part is None:
            return
        if purpose == "save":
            self._save(text)
        elif purpose in ("step", "where", "until"):
            self._set_filter(purpose, text)
        elif purpose == "window":
            self._set_window(text)
        elif purpose == "rename":
            self.close_bar()
            self._change(draft.with_step(part.place, replace(draft.steps[part.place], name=text)), steps=False)
        else:
            self.close_bar()
            change = replace(draft, title=text) if purpose == "title" else replace(draft, message=text)
            self._change(change, steps=False)

    def _set_filter(self, purpose: str, text: str) -> None:
        draft, part = self._draft, self.main_list.part
        assert draft is not None
        assert part is not None
        try:
            # Only what stands in the text can be told at once; what it finds is counted on a thread.
            if text or purpose != "until":
                self.investigation.highlights(text)
        except FilterError as error:
            self.bar.fail(error)
            return
        self.close_bar()
        if purpose == "step":
            self._change(draft.with_step(part.place, replace(draft.steps[part.place], where=text)))
        else:
            self._change(replace(draft, where=text) if purpose == "where" else replace(draft, until=text))

    def _set_window(self, text: str) -> None:
        draft, part = self._draft, self.main_list.part
        assert draft is not None
        assert part is not None
        try:
            bound = parse_duration(text) if text else None
        except FilterError as error:
            self.bar.fail(error)
            return
        self.close_bar()
        self._set_bound(bound)

    def _set_bound(self, bound: int | None) -> None:
        draft, part = self._draft, self.main_list.part
        if draft is None or part is None:
            return
        if part.kind == "step":
            self._change(draft.with_step(part.place, replace(draft.steps[part.place], bound=bound)), steps=False)
        elif part.kind == "maxspan":
            self._change(replace(draft, maxspan=bound), steps=False)

    def _step_place(self) -> int | None:
        part = self.main_list.part
        if part is None or part.kind != "step":
            self.scope.say("go to a step first")
            return None
        return part.place

    def action_absent(self) -> None:
        """The step must not happen, or must."""
        place, draft = self._step_place(), self._draft
        if place is None or draft is None:
            return
        step = draft.steps[place]
        if not step.absent and len(draft.present) == 1:
            self.scope.say("one step at least must happen")
            return
        self._change(retold(draft, turned(draft, place, self._spans)))

    def action_emit(self) -> None:
        """The field is emitted, or not."""
        part, draft = self.main_list.part, self._draft
        if draft is None or part is None or part.kind != "field":
            self.scope.say("go to a field below emit first")
            return
        one = draft.fields[part.place]
        fields = (*draft.fields[: part.place], replace(one, chosen=not one.chosen), *draft.fields[part.place + 1 :])
        self._change(replace(draft, fields=fields), steps=False)

    def action_bound(self, direction: int) -> None:
        """The next longer or shorter bound."""
        draft, part = self._draft, self.main_list.part
        if draft is None or part is None:
            return
        if part.kind == "maxspan":
            self._set_bound(nice_step(draft.maxspan, direction))
        elif (place := self._step_place()) is not None:
            self._set_bound(nice_step(draft.steps[place].bound, direction))

    def action_window(self) -> None:
        """Type a bound."""
        draft, part = self._draft, self.main_list.part
        if draft is None or part is None or part.kind not in ("step", "maxspan"):
            self.scope.say("go to a step or to maxspan first")
            return
        name = "maxspan"
        if part.kind == "step":
            name = "within" if draft.steps[part.place].absent else "maxpause"
        self.ask_text("window", name, "30s  2m  1h30m; nothing: no bound")

    def action_rename(self) -> None:
        """Another name for the step."""
        place, draft = self._step_place(), self._draft
        if place is not None and draft is not None:
            self.ask_text("rename", "name of the step", "letters, digits, _ and -", draft.steps[place].name)

    def action_drop(self) -> None:
        """Without the step."""
        place, draft = self._step_place(), self._draft
        if place is None or draft is None:
            return
        left = draft.with_step(place, None)
        if not left.present:
            self.scope.say("one step at least must happen")
            return
        self._change(retold(draft, left))

    def action_undo(self) -> None:
        """As it was before the last change."""
        if not self._before:
            self.scope.say("nothing to undo")
            return
        draft = self._before.pop()
        self._change(draft)
        self._before.pop()

    def action_switch(self) -> None:
        """To the YAML and back."""
        (self.main_list if self.yaml.has_focus else self.yaml).focus()

    def action_copy(self) -> None:
        """The YAML."""
        if self._draft is not None:
            self.scope.copy(rule_text(self._draft), "the rule")

    # Saving

    def action_save(self) -> None:
        """Ask for the name, then write."""
        if self._draft is None:
            return
        if self._fault is not None:
            self.scope.say(f"not yet: {self._fault.message}", "error")
            return
        self.ask_text(
            "save", "save as", "the file's name in your rules; a test of these records is added", self._draft.name
        )

    def _save(self, name: str) -> None:
        draft = self._draft
        if draft is None or not name:
            self.close_bar()
            return
        desk, wanted = self.investigation.desk, replace(draft, name=name)

        def call(cancel: Cancel) -> tuple[Path, str | None]:
            tested, why = desk.tested(wanted, cancel=cancel)
            return desk.save(tested), why

        self.queries.ask("save", call, lambda saved: self._saved(*saved), label="testing and saving", failed=self.tell)

    def _saved(self, path: Path, why: str | None) -> None:
        self.close_bar()
        scope = self.scope
        scope.step_marks.clear()
        scope.rules_changed()
        scope.say(f"saved to {path} · {why or 'its tests pass'} · it runs")
        self.dismiss()
