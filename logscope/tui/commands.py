"""Everything by name: the `:` command line and the palette."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.screen import Screen

from logscope.errors import UsageError

if TYPE_CHECKING:
    from logscope.tui.app import LogscopeApp
    from logscope.tui.screens.base import InvestigatorScreen


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the command line."""

    name: str
    argument: str
    """How its argument is called in help; empty: none."""
    help: str


COMMANDS = (
    Command("goto", "TIME|N", "Go to a time (10:17, +5m) or to row N"),
    Command("filter", "FILTER", "Keep records that match"),
    Command("exclude", "FILTER", "Drop records that match"),
    Command("find", "FILTER", "Search forward"),
    Command("facet", "[FIELD]", "Values of a field, with counts"),
    Command("columns", "[NAME, ...]", "Fields as columns"),
    Command("context", "[N]", "N records before and after each that matches"),
    Command("highlight", "NAME: FILTER", "Keep a search painted in a colour of its own"),
    Command("unhighlight", "[NAME]", "Forget a named search, or all"),
    Command("note", "TEXT", "Write on the record; #words are tags"),
    Command("notes", "", "The list of marks and notes"),
    Command("wrap", "", "Wrap long messages, or cut them"),
    Command("split", "", "All records below those that match"),
    Command("zone", "[ZONE]", "Times in another zone, like Europe/Berlin"),
    Command("offset", "[SOURCE] ±D", "Set a clock right that is off (:offset web.log -2s)"),
    Command("step", "SPAN", "How far a step in time goes (10s, 1m, 1h)"),
    Command("zoom", "[out]", "Zoom into the time round the record, or out"),
    Command("undo", "", "Undo the last change of the view"),
    Command("redo", "", "Do it again"),
    Command("since", "TIME", "Keep records from a time on"),
    Command("until", "TIME", "Keep records up to a time"),
    Command("transactions", "[FILTER]", "The list of transactions"),
    Command("detections", "", "The list of detections"),
    Command("rules", "", "The rules: which run, what they cost"),
    Command("rule", "[seq ...]", "Save as rule: the marks, the filter, or a line seq by ...: [a] not [b]"),
    Command("grain", "KEY|auto|none", "Make transactions by another key"),
    Command("sort", "COLUMN", "Sort the list of transactions"),
    Command("shapes", "", "The ways that transactions go"),
    Command("compare", "", "A transaction beside a normal one"),
    Command("map", "[FILTER]", "The service map; of some transactions beside all others"),
    Command("keys", "", "The correlation keys, to be changed"),
    Command("clocks", "", "Clocks that are off"),
    Command("save", "FILE", "A report of the transaction, or the plan of the keys"),
    Command("bell", "", "Ring at each new detection, or cease to"),
    Command("case", "[NAME|new [NAME]]", "What was pinned; another case, a new one"),
    Command("pin", "", "Pin what is under the cursor into the case, or take its pin away"),
    Command("dashboard", "[KIND|KEY]", "Figures over time, by service, rule, shape or a key's values"),
    Command("sources", "", "The sources: format, clock, off and on"),
    Command("sql", "[QUERY]", "SQL over records, transactions, detections"),
    Command("open", "[SOURCE]", "Open other sources"),
    Command("session", "NAME|save NAME|new", "Bring back a named session, keep one, begin anew"),
    Command("sessions", "", "The list of sessions"),
    Command("messages", "", "What was said so far"),
    Command("actions", "", "The outbox: what was delivered, what waits and why"),
    Command("theme", "NAME", "Another theme"),
    Command("follow", "", "Stay at the end as records come"),
    Command("help", "", "All keys of this screen"),
    Command("tour", "[skip]", "Leave the tour or take it up again; or its next lesson"),
    Command("quit", "", "Leave logscope"),
)

SHORT = {"q": "quit", "quit!": "quit", "q!": "quit", "f": "filter", "t": "transactions", "d": "detections", "h": "help"}


def run_line(screen: InvestigatorScreen, text: str) -> None:
    """Run what was typed after `:`.

    Raises:
        UsageError: There is no such command, or its argument does not fit.
    """
    name, _, argument = text.strip().partition(" ")
    argument = argument.strip()
    if not name:
        return
    if name.isdigit():
        name, argument = "goto", name
    name = SHORT.get(name, name)
    app = screen.scope
    if name == "quit":
        app.exit(0)
    elif name == "help":
        screen.action_help()
    elif name == "tour":
        _tour(screen, argument)
    elif name == "theme":
        set_theme(app, argument)
    elif name == "bell":
        app.news.turn_bell()
    elif screen.run_command(name, argument):
        return
    elif name in ("case", "pin", "dashboard"):
        _case(screen, name, argument)
    elif name == "rules":
        screen.action_rules()
    elif name == "rule":
        _rule(screen, argument)
    elif name == "sources":
        _show_sources(screen)
    elif name == "messages":
        _show_told(screen)
    elif name == "actions":
        _show_actions(screen)
    elif name in ("keys", "map", "clocks"):
        _open(screen, name, argument)
    else:
        known = [command.name for command in COMMANDS]
        if name in known:
            raise UsageError(f"{name} is not for this screen", mend="go back with q first")
        near = get_close_matches(name, known, n=3, cutoff=0.5)
        told = f"perhaps {' or '.join(near)}; " if near else ""
        raise UsageError(f"no command {name!r}", mend=f"{told}{app.keys.shown('app.palette')} lists them all")


def set_theme(app: LogscopeApp, name: str) -> None:
    """Another theme by its name, with or without `logscope-`.

    Raises:
        UsageError: There is none.
    """
    for wanted in (name, f"logscope-{name}"):
        if wanted in app.available_themes:
            app.theme = wanted
            return
    raise UsageError(f"no theme {name!r}", mend=f"there are {', '.join(sorted(app.own_themes))}")


def _show_sources(screen: InvestigatorScreen) -> None:
    from logscope.tui.screens.facts import FactsScreen, source_facts

    screen.app.push_screen(FactsScreen("Sources", source_facts(screen.scope.snapshot, screen.scope.clock)))


def _show_told(screen: InvestigatorScreen) -> None:
    from logscope.tui.screens.facts import FactsScreen
    from logscope.tui.telling import told_facts

    kept = list(screen.scope.telling.kept)
    screen.app.push_screen(FactsScreen("What was said", told_facts(kept, screen.scope.clock)))


def _show_actions(screen: InvestigatorScreen) -> None:
    from logscope.engine.service.outboxes import outbox_depths
    from logscope.tui.screens.facts import FactsScreen, action_facts

    clock = screen.scope.clock
    screen.queries.ask(
        "outbox",
        lambda _: outbox_depths(),
        lambda depths: screen.app.push_screen(FactsScreen("Actions", action_facts(depths, clock))),
        label="looking into the outbox",
    )


def _tour(screen: InvestigatorScreen, argument: str) -> None:
    guide = screen.scope.guide
    if argument == "skip" and guide is not None:
        guide.skip()
    else:
        screen.action_tour()


def _rule(screen: InvestigatorScreen, argument: str) -> None:
    if argument:
        screen.open_sequence(argument)
    elif screen.scope.step_marks:
        screen.open_draft()
    else:
        raise UsageError("nothing is marked", mend="mark records with . first, or write the line seq by ...")


def _case(screen: InvestigatorScreen, name: str, argument: str) -> None:
    if name == "pin":
        pin = getattr(screen, "action_pin", None)
        if pin is None:
            raise UsageError(
                "nothing can be pinned here", mend="pin in the records, the transactions or the detections"
            )
        pin()
    elif name == "dashboard":
        from logscope.tui.screens.dashboard import DashboardScreen

        screen.app.push_screen(DashboardScreen(screen.investigation, over=argument or "service"))
    elif argument:
        screen.scope.casebook.take(screen, argument, screen.action_case)
    else:
        screen.action_case()


def _open(screen: InvestigatorScreen, name: str, argument: str) -> None:
    if name == "keys":
        screen.action_keys()
    elif name == "clocks":
        screen.action_clocks()
    elif argument:
        from logscope.tui.screens.service_map import MapScreen

        screen.app.push_screen(MapScreen(screen.investigation, argument))
    else:
        screen.action_map()


class InvestigatorCommands(Provider):
    """The palette: what the screen's keys do, the commands, the themes."""

    def _entries(self) -> Iterator[tuple[str, str, Callable[[], None]]]:
        from logscope.tui.keymap import all_bindings
        from logscope.tui.screens.base import InvestigatorScreen

        screen: Screen[object] = self.screen
        if not isinstance(screen, InvestigatorScreen):
            return
        keys = screen.scope.keys
        for binding in (*screen.own_bindings(), *vars(InvestigatorScreen)["BINDINGS"]):
            doc = all_bindings()[binding.id]
            yield doc.description, f"key {keys.shown(doc.id)}", partial(_act, screen, doc.action)
        for command in COMMANDS:
            if not command.argument.strip("[]") or command.argument.startswith("["):
                yield f":{command.name}", command.help, partial(_line, screen, command.name)
            else:
                yield f":{command.name} {command.argument}", command.help, partial(_prefill, screen, command.name)
        for name in screen.scope.own_themes:
            yield f"Theme {name}", "switch the colours", partial(_line, screen, f"theme {name}")

    async def discover(self) -> Hits:
        """Everything, before something is typed."""
        for name, help_text, call in self._entries():
            yield DiscoveryHit(name, call, help=help_text)

    async def search(self, query: str) -> Hits:
        """What resembles the query."""
        matcher = self.matcher(query)
        for name, help_text, call in self._entries():
            if score := matcher.match(name):
                yield Hit(score, matcher.highlight(name), call, help=help_text)


def _act(screen: InvestigatorScreen, action: str) -> None:
    screen.call_later(screen.run_action, action)


def _line(screen: InvestigatorScreen, text: str) -> None:
    try:
        run_line(screen, text)
    except UsageError as error:
        screen.tell(error)


def _prefill(screen: InvestigatorScreen, name: str) -> None:
    screen.action_command_line()
    screen.bar.prefill(f"{name} ")
