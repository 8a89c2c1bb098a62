"""Ways to the text of a rule: the editor in the app, or the user's own."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from logscope.engine.api import Cancel
from logscope.text import clean

if TYPE_CHECKING:
    from logscope.engine.answers import RuleState
    from logscope.tui.screens.base import InvestigatorScreen


def edit_rule(screen: InvestigatorScreen, rule: RuleState) -> None:
    """Open a rule's file in the app; of a shipped one a copy of the user's own."""
    desk = screen.investigation.desk

    def call(_: Cancel) -> tuple[str, str]:
        path = _own(screen, rule)
        return path, desk.text_of(path)

    def arrived(found: tuple[str, str]) -> None:
        from logscope.tui.screens.editor import EditorScreen

        path, text = found
        if clean(text, lines=True) != text:
            screen.scope.say(f"{path} holds signs that a terminal would act upon: E opens it in $EDITOR", "warning")
            return
        screen.app.push_screen(EditorScreen(screen.investigation, path, text, rule.line))

    screen.queries.ask("edit", call, arrived, failed=screen.tell)


def _own(screen: InvestigatorScreen, rule: RuleState) -> str:
    """The file to edit: a shipped rule is copied into the user's first."""
    from logscope.errors import RuleError

    if rule.path is None:
        raise RuleError("it was typed on the command line", mend="save it as a rule first")
    if rule.origin != "shipped":
        return rule.path
    return str(screen.investigation.desk.own_copy(rule.path))


def edit_outside(screen: InvestigatorScreen, rule: RuleState) -> None:
    """Open a rule's file in `$VISUAL` or `$EDITOR` while the app waits; what changed is read anew."""
    screen.queries.ask("edit", lambda _: _own(screen, rule), lambda path: _suspend(screen, path), failed=screen.tell)


def _suspend(screen: InvestigatorScreen, path: str) -> None:
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        with screen.app.suspend():
            done = subprocess.run([*shlex.split(command), path], check=False).returncode
    except SuspendNotSupported:
        screen.scope.say("this terminal cannot be handed over: e edits the rule here", "error")
        return
    except (OSError, ValueError) as error:
        screen.scope.say(f"{command} cannot be started: {error}; set EDITOR", "error")
        return
    screen.scope.forget_terminal()
    screen.refresh(layout=True)
    if done:
        screen.scope.say(f"{command} ended with {done}", "warning")
    desk = screen.investigation.desk
    screen.queries.ask("reload", lambda _: desk.reload(), screen.scope.rules_reloaded, label="reading rules")
