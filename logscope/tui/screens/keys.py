"""The correlation keys: why each links or not, and what a change would make, before it is applied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from logscope.engine.answers import Effect, PlanChange
from logscope.engine.api import Cancel, Investigation
from logscope.errors import LogscopeError
from logscope.tui import staging
from logscope.tui.grains import finer_than, hierarchy
from logscope.tui.safe import line
from logscope.tui.screens.chooser import MOST, ChooserScreen
from logscope.tui.screens.listing import ListScreen
from logscope.tui.widgets.chrome import Chrome
from logscope.tui.widgets.key_table import CLASSES, KeyTable


@dataclass(frozen=True, slots=True)
class Found:
    """What the engine answered."""

    keys: Sequence[Mapping[str, Any]]
    grain: tuple[str, str]
    changes: int
    """Changes that can be undone."""
    beside: Mapping[str, str]
    """Coarser and finer keys, and why they are not the grain."""


class KeysScreen(ListScreen):
    """Keys, and changes of them that are tried before they apply."""

    ROW = "key"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "switch", "Let it link, or not", id="keys.switch", show=False),
        Binding("c", "klass", "Another class", id="keys.class", show=False),
        Binding("a", "join", "Another name of the same key", id="keys.join", show=False),
        Binding("A", "split", "A name of it as a key of its own", id="keys.split", show=False),
        Binding("plus", "grain(-1)", "A coarser grain", id="keys.grain-up", show=False),
        Binding("minus", "grain(1)", "A finer grain", id="keys.grain-down", show=False),
        Binding("B", "hub", "Let the bridging value not link", id="keys.hub", show=False),
        Binding("asterisk", "pivot", "The records of the bridging value", id="keys.pivot", show=False),
        Binding("U", "undo", "Take the last change back", id="keys.undo", show=False),
        Binding("s", "save", "Save the plan", id="keys.save", show=False),
        Binding("T", "transactions", "List of transactions", id="keys.transactions", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("keys.switch", "on/off"),
        ("keys.class", "class"),
        ("list.choose", "make it the grain"),
        ("keys.join", "alias"),
        ("keys.split", "split"),
        ("keys.hub", "unbridge"),
        ("keys.undo", "undo"),
        ("keys.save", "save"),
        ("screen.leave", "back"),
    )
    ABOUT = (
        "Correlation keys",
        (
            "What ties records together. A change is tried first: its effect is shown below, Enter applies it, Esc drops it, "
            "and what was applied can be undone. ◆ the grain, ✎ about to be changed."
        ),
    )

    def __init__(self, investigation: Investigation) -> None:
        """The keys of `investigation`."""
        super().__init__(investigation)
        self._found: Found | None = None
        self._staged: PlanChange = staging.EMPTY
        self._effect: Effect | None = None

    def parts(self) -> Iterable[Widget]:
        """The keys, why, and the effect."""
        yield KeyTable(id="keys")
        yield Chrome(id="effect")
        yield Chrome(id="examples")
        yield Static(id="output")
        yield Chrome(id="summary")

    @property
    def main_list(self) -> KeyTable:
        """The keys."""
        return self.query_one(KeyTable)

    def hints(self) -> Sequence[tuple[str, str]]:
        """While a change is tried: apply it or drop it."""
        if self._staged == staging.EMPTY:
            return self.HINTS
        return (("list.choose", "apply"), ("screen.escape", "drop"), *self.HINTS[:2], *self.HINTS[3:6])

    def heading(self) -> Content:
        """The column titles."""
        return line(*self.main_list.titles())

    def reload(self) -> None:
        """Ask for the keys, and for what ties most together as they are."""
        investigation = self.investigation

        def call(_: Cancel) -> Found:
            ways = {"up": "coarser", "down": "finer"}
            told = [
                (ways[label], words.partition(": ")) for label, words in investigation.grain_lines() if label in ways
            ]
            beside = {name: f"{way} than the grain, {why}" for way, (name, _, why) in told if why}
            return Found(investigation.keys(), investigation.grain(), len(investigation.plan_changes()), beside)

        self.ask_linked(call, self._arrived, label="finding keys")

    def _arrived(self, found: Found) -> None:
        self._found = found
        self.main_list.show(found.keys)
        self._try(self._staged)

    # What it says

    def cursor_moved(self) -> None:
        """Why the key under the cursor links, and what the staged change would make."""
        self._show_effect()

    def _why(self) -> Content:
        key = self.main_list.key
        if key is None:
            return Content("")
        names = ", ".join(map(str, key.get("aliases") or ()))
        parts: list[Content | str | tuple[str, str]] = [
            (f"{key.get('key')} ", "bold $log-key"),
            (str(key.get("why", "")), ""),
        ]
        if self._found is not None and (beside := self._found.beside.get(str(key.get("key")))):
            parts.append((f" · {beside}", "$log-hint"))
        if names:
            parts.append((f" · also called {names}", "$log-time"))
        if pattern := key.get("pattern"):
            parts.append((f" · /{pattern}/", "$log-dim"))
        parts.append((f" · {key.get('origin', '')}", "$log-dim"))
        return line(*parts)

    def _show_effect(self) -> None:
        """The change with its figures, what changes most, and why the key links or not."""
        head, examples = self._effect_lines()
        self.query_one("#effect", Chrome).show(head)
        self.query_one("#examples", Chrome).show(examples)
        self.query_one("#output", Static).update(self._why(), layout=False)
        found = self._found
        if found is not None:
            right = line(
                (f"{found.changes} changed · {self._key('keys.undo')} undoes" if found.changes else "", "$log-dim")
            )
            left = line(("grain ", "$log-dim"), (found.grain[0], "bold $log-key"), (f"  {found.grain[1]}", "$log-dim"))
            self.query_one("#summary", Chrome).show(left, right)

    def _effect_lines(self) -> tuple[Content, Content]:
        effect, staged = self._effect, self._staged
        trying = staged != staging.EMPTY
        if effect is None:
            return line((f"✎ {staging.words(staged)}: counting …" if trying else "", "$log-hint")), Content("")
        about = "about " if effect.sampled else ""
        counts = f"{effect.before:,} → {about}{effect.transactions:,}" if trying else f"{about}{effect.transactions:,}"
        head: list[Content | str | tuple[str, str]] = (
            [(f"✎ {staging.words(staged)}: ", "bold $log-hint")] if trying else []
        )
        head += [
            (f"{counts} transactions", "bold"),
            f" · median {effect.median:,} records · largest {effect.largest:,}",
            (f" · most tied by {effect.bridging}" if effect.bridging else "", "$log-warn"),
        ]
        examples = " · ".join(effect.examples) if trying else ""
        if trying and not examples:
            examples = "no transaction changes"
        return line(*head), line((examples, "$log-time"))

    def _key(self, name: str) -> str:
        return self.scope.keys.shown(name)

    # Trying

    def _try(self, change: PlanChange) -> None:
        """Stage a change and count what it would make."""
        self._staged, self._effect = change, None
        self.main_list.mark(staging.touched(change))
        self.show_hints()
        self._show_effect()
        investigation = self.investigation
        self.queries.ask(
            "effect",
            lambda cancel: investigation.effect(change, cancel=cancel),
            self._counted,
            label="counting the effect" if change != staging.EMPTY else "",
            failed=self._refused,
        )

    def _counted(self, effect: Effect) -> None:
        self._effect = effect
        self._show_effect()

    def _refused(self, error: LogscopeError) -> None:
        self.scope.say(str(error), "error")
        if self._staged != staging.EMPTY:
            self._try(staging.EMPTY)

    def _with_key(self, make: Callable[[PlanChange, str], PlanChange]) -> None:
        key = self.main_list.key
        if key is not None:
            self._try(make(self._staged, str(key["key"])))

    def action_switch(self) -> None:
        """Let the key link, or not."""
        key = self.main_list.key
        on = bool(key.get("active", True)) if key else True
        self._with_key(lambda change, name: staging.with_active(change, name, not on))

    def action_klass(self) -> None:
        """Another class, chosen by number."""
        key = self.main_list.key
        if key is None:
            return
        name = str(key["key"])
        self._choose(
            f"What is {name}?",
            [f"{klass:<7} {meaning}" for klass, meaning in CLASSES],
            lambda place: self._try(staging.with_class(self._staged, name, CLASSES[place][0])),
        )

    def action_join(self) -> None:
        """Another key that is the same under another name."""
        key = self.main_list.key
        if key is None:
            return
        name = str(key["key"])
        others = [str(one["key"]) for one in self.main_list.keys_shown if one["key"] != name][:MOST]
        self._choose(
            f"Which key is {name} by another name?",
            others,
            lambda place: self._try(staging.with_join(self._staged, name, others[place])),
        )

    def action_split(self) -> None:
        """One of its names as a key of its own."""
        key = self.main_list.key
        names = [str(one) for one in (key.get("aliases") or ())][:MOST] if key else []
        if key is None or not names:
            self.scope.say("it has one name only: there is nothing to split off")
            return
        name = str(key["key"])
        self._choose(
            f"Which name of {name} is a key of its own?",
            names,
            lambda place: self._try(staging.with_split(self._staged, name, names[place])),
        )

    def _choose(self, question: str, answers: Sequence[str], then: Callable[[int], object]) -> None:
        def chosen(place: int | None) -> None:
            if place is not None:
                then(place)

        if answers:
            self.app.push_screen(ChooserScreen(question, answers), chosen)
        else:
            self.scope.say("there is nothing to choose from")

    def action_grain(self, step: int) -> None:
        """A coarser or finer grain than now, or than the staged one."""
        if self._found is None:
            return
        now = self._staged.grain or self._found.grain[0]
        name = finer_than(hierarchy(self._found.keys), now, step)
        if name is None:
            self.scope.say("no coarser key" if step < 0 else "no finer key")
        else:
            self._try(staging.with_grain(self._staged, name))

    def _bridge(self) -> tuple[str, str] | None:
        bridging = self._effect.bridging if self._effect else None
        if not bridging:
            self.scope.say("no value is known yet that ties much together")
            return None
        name, _, value = bridging.partition("=")
        return name, value

    def action_hub(self) -> None:
        """The value that ties most together does not link any more."""
        if (bridge := self._bridge()) is not None:
            self._try(staging.with_hub(self._staged, *bridge))

    def action_pivot(self) -> None:
        """The records that hold the bridging value."""
        if (bridge := self._bridge()) is not None:
            self.pivot(*bridge)

    # Applying

    def action_open(self) -> None:
        """Apply what is tried; if nothing is, try the key under the cursor as the grain."""
        if self._staged == staging.EMPTY:
            self._with_key(staging.with_grain)
            return
        investigation, change = self.investigation, self._staged
        self._change("applied " + staging.words(change), lambda cancel: investigation.apply(change, cancel=cancel))

    def action_undo(self) -> None:
        """Take the last change back."""
        investigation = self.investigation
        self.queries.ask("change", lambda _: investigation.undo_change(), self._undone, failed=self._refused)

    def _undone(self, done: bool) -> None:
        if done:
            self._changed("taken back")
        else:
            self.scope.say("nothing was changed yet")

    def _change(self, told: str, call: Callable[[Cancel], object]) -> None:
        self.queries.ask("change", call, lambda _: self._changed(told), label="linking", failed=self._refused)

    def _changed(self, told: str) -> None:
        self.scope.changes += 1
        self._staged = staging.EMPTY
        self.scope.say(told)
        self.show_hints()
        self.reload()

    def close_something(self) -> bool:
        """The bar, or what is tried."""
        if super().close_something():
            return True
        if self._staged != staging.EMPTY:
            self._try(staging.EMPTY)
            return True
        return False

    def action_save(self) -> None:
        """Save the plan to a file."""
        self.ask_text("save", "save plan as", "a file for --plan, and for `watch` to run by", "plan.toml")

    def submitted(self, purpose: str, text: str) -> None:
        """The name of the file."""
        path, investigation = Path(text).expanduser(), self.investigation
        self.close_bar()
        if text:
            self.queries.ask(
                "save",
                lambda _: investigation.save_plan(path),
                lambda _: self.scope.say(f"saved {path}: use it with --plan {path}"),
                failed=self.tell,
            )

    # Ways on

    def action_transactions(self) -> None:
        """The list of transactions."""
        from logscope.tui.screens.transactions import TransactionsScreen

        self.go_to(TransactionsScreen)

    def run_command(self, name: str, argument: str) -> bool:
        """Commands of this screen."""
        if name == "grain" and argument:
            self._try(staging.with_grain(self._staged, argument))
        elif name == "save":
            self.submitted("save", argument or "plan.toml")
        elif name == "transactions":
            self.action_transactions()
        else:
            return False
        return True
