"""From detections to events in the outbox: which actions a detection is for, and which it is not for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from logscope.actions.dispatcher import Dispatcher
from logscope.actions.event import Event
from logscope.actions.floods import Floods
from logscope.actions.outbox import Depth, Outbox, OutboxError, retraction_of_nothing
from logscope.actions.settings import Action, read_action, read_actions
from logscope.engine.linking.listing import with_members
from logscope.engine.rendering import json_line
from logscope.engine.service.ownoutput import OwnOutput, refuse_loops
from logscope.errors import ConfigError, LogscopeError, UsageError

if TYPE_CHECKING:
    from logscope.config import ActionTable
    from logscope.engine.answers import Detection
    from logscope.engine.session import Session
    from logscope.rules.model.rule import Rule

_CHUNK = 500
_KEPT = 10_000
_RELOAD_SECONDS = 5.0
_PROJECT = Path(".logscope")


class Dispatching:
    """The actions of a session.

    Args:
        session: Whose detections are dispatched.
        tables: The actions that are configured.
        named: Actions that get the detections of every rule (`--action`).
        by_rules: Whether rules' own `actions` count: `watch` listens and dispatches, a scan looks at what is there.
        say: Told what people should know: kind of event, action, words.
    """

    def __init__(
        self,
        session: Session,
        tables: Mapping[str, ActionTable],
        named: Sequence[str],
        say: Callable[[str, str, str], None],
        *,
        by_rules: bool,
    ) -> None:
        """Read the actions in use.

        Raises:
            LogscopeError: An action that is not configured as it must be.
        """
        self._session = session
        self._say = say
        self._named = tuple(dict.fromkeys(named))
        self._by_rule: dict[str, tuple[str, ...]] = {}
        self._held: list[tuple[str, Event]] = []
        self.lost = 0
        """Events that were given up because the outbox could not be written for long."""
        self._by_rules = by_rules
        self._floods = Floods()
        self.looped = 0
        """Detections on own output, which were not dispatched."""
        self.known = 0
        """Events that the outbox had already."""
        self._outbox: Outbox | None = None
        self._dispatcher: Dispatcher | None = None
        self._own: OwnOutput | None = None
        self._actions = self._read(tables)

    def _read(self, tables: Mapping[str, ActionTable]) -> dict[str, Action]:
        """The actions in use.

        Raises:
            LogscopeError: One that cannot be.
        """
        for name in self._named:
            if name not in tables:
                raise unknown_action(name, tables)
        if self._by_rules:
            self._by_rule = self._actions_of_rules(self._session.detecting.rules, tables)
        used = dict.fromkeys([*self._named, *(name for names in self._by_rule.values() for name in names)])
        actions = read_actions({name: tables[name] for name in used})
        refuse_loops(self._session, actions)
        self._tables = tables
        return actions

    def _actions_of_rules(self, rules: Iterable[Rule], tables: Mapping[str, ActionTable]) -> dict[str, tuple[str, ...]]:
        strange = [path.resolve() for path in (_PROJECT, *map(Path, self._session.options.strange_rules))]
        found = {}
        for rule in rules:
            if not rule.actions:
                continue
            path = Path(rule.path).resolve() if rule.path else None
            if path is not None and any(path.is_relative_to(folder) for folder in strange):
                self._say("rule", "", f"rule {rule.name} comes with the project: its actions do not count")
                continue
            for name in rule.actions:
                if name not in tables:
                    self._say("rule", name, f"rule {rule.name} names the action {name}, which is not configured")
            found[rule.name] = tuple(name for name in dict.fromkeys(rule.actions) if name in tables)
        return found

    def _left_over(self, outbox: Outbox, tables: Mapping[str, ActionTable]) -> dict[str, Action]:
        """Actions that no rule names here, with events of other runs that wait."""
        found = {}
        for depth in outbox.depths():
            if depth.waiting and depth.action in tables and depth.action not in self._actions:
                try:
                    action = read_action(tables[depth.action])
                    action.sender.open(outbox.origin)
                except ConfigError as error:
                    self._say("action", depth.action, str(error))
                else:
                    found[depth.action] = action
        return found

    def start(self) -> None:
        """Open the outbox, look up secrets, and deliver from now on.

        Raises:
            LogscopeError: A secret is not there, or the outbox cannot be used.
        """
        if not self._actions:
            return
        if self._outbox is None:
            self._outbox = Outbox()
            if self._outbox.laid_aside:
                self._say(
                    "outbox", "", f"the outbox was damaged and is now {self._outbox.laid_aside}; a new one is begun"
                )
            self._outbox.forget()
        others = self._left_over(self._outbox, self._tables) if self._by_rules else {}
        dispatcher = Dispatcher(self._outbox, [*self._actions.values(), *others.values()], self._say)
        dispatcher.start()
        self._dispatcher = dispatcher
        self._own = OwnOutput(self._session, self._actions.values(), self._outbox.origin)

    def reload(self, tables: Mapping[str, ActionTable]) -> None:
        """Other actions from now on; what waits goes on waiting.

        Raises:
            LogscopeError: They cannot be used; those that were go on.
        """
        before, before_rules = self._actions, self._by_rule
        try:
            self._actions = self._read(tables)
            for action in self._actions.values():
                action.sender.open(self._outbox.origin if self._outbox else "")
        except LogscopeError:
            self._actions, self._by_rule = before, before_rules
            raise
        if self._dispatcher:
            self._dispatcher.stop(_RELOAD_SECONDS, gently=True)
            self._dispatcher = None
        self.start()

    def depths(self) -> tuple[Depth, ...]:
        """What the outbox holds of each action."""
        return tuple(self._outbox.depths()) if self._outbox else ()

    @property
    def folded(self) -> int:
        """Events that are told of in summaries only."""
        return self._floods.folded

    def put(self, detections: Sequence[Detection]) -> bool:
        """Take detections that were told into the outbox.

        What the outbox does not take (no space) is kept in memory and tried again with the next.

        Returns:
            Whether all that was ever given is in the outbox.
        """
        if self._outbox is None:
            return True
        for start in range(0, len(detections), _CHUNK):
            self._held += self._events(detections[start : start + _CHUNK])
            self._flush()
        return not self._held

    def _events(self, detections: Sequence[Detection]) -> Iterable[tuple[str, Event]]:
        assert self._outbox is not None
        own = self._own.of(detections) if self._own else set()
        for detection in detections:
            names = dict.fromkeys([*self._named, *self._by_rule.get(detection.rule, ())])
            wanted = [name for name in names if detection.state in self._actions[name].on]
            if not wanted or detection.suppressed:
                continue
            if detection.detection in own:
                self.looped += 1
                if self.looped == 1:
                    self._say(
                        "loop", "", f"rule {detection.rule} matches own output: such detections are not dispatched"
                    )
                continue
            body = json_line(with_members(self._session, detection)).encode()
            event = Event(detection.detection, detection.state, detection.rule, body)
            for name in wanted:
                action = self._actions[name]
                if retraction_of_nothing(self._outbox, name, event, action.on):
                    continue
                if self._outbox.knows(name, event.detection, event.state):
                    self.known += 1
                elif self._floods.admits(name, event, action.flood):
                    yield name, event

    def _flush(self, *, final: bool = False) -> None:
        assert self._outbox is not None
        limits = {name: action.flood for name, action in self._actions.items() if action.flood is not None}
        try:
            if self._held:
                self._outbox.put(self._held)
            for name, summary, due in self._floods.summaries(limits, final=final):
                self._outbox.replace(name, summary, due)
        except OutboxError as error:
            self._say("outbox", "", str(error))
            over = len(self._held) - _KEPT
            if over > 0:
                self.lost += over
                del self._held[:over]
        else:
            names = {name for name, _ in self._held}
            self._held = []
            if self._dispatcher:
                self._dispatcher.wake(names)

    def finish(self, seconds: float, *, patient: bool) -> int:
        """Deliver what can be delivered in time, then stop; how many events still wait.

        Args:
            seconds: To wait at most.
            patient: Also wait for receivers that take nothing just now.
        """
        if self._outbox is None:
            return 0
        self._flush(final=True)
        left = 0
        if self._dispatcher:
            left = self._dispatcher.drain(seconds, patient=patient)
            self._dispatcher.stop()
        self._outbox.close()
        self._outbox = self._dispatcher = None
        return left + len(self._held)


def unknown_action(name: str, tables: Mapping[str, ActionTable]) -> LogscopeError:
    """No such action is configured."""
    from difflib import get_close_matches

    near = get_close_matches(name, tables, n=1)
    known = f"known are {', '.join(tables)}" if tables else "configure it as [actions.NAME] in logscope.toml"
    return UsageError(f"no action {name!r}", mend=f"did you mean {near[0]}?" if near else known)
