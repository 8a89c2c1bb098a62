"""`actions status|retry|drop|test`: the outbox and the actions that are configured."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from logscope.cli.dispatch import SCAN_PATIENCE, say_event
from logscope.cli.output import Object, print_lines, say, table
from logscope.config import load_config

if TYPE_CHECKING:
    from logscope.actions.settings import Action


def run_actions(arguments: argparse.Namespace) -> int:
    """Show the outbox, send it again, empty it, or try an action."""
    from logscope.actions.settings import read_actions
    from logscope.engine.service.dispatching import unknown_action

    tables = load_config(arguments.config).actions
    if arguments.name and arguments.name not in tables and not _in_outbox(arguments.name):
        raise unknown_action(arguments.name, tables)
    actions = read_actions({name: entry for name, entry in tables.items() if arguments.name in (None, name)})
    commands = {"status": _status, "retry": _retry, "drop": _drop, "test": _test}
    return commands[arguments.action](arguments, actions)


def _in_outbox(name: str) -> bool:
    from logscope.actions.outbox import Outbox

    outbox = Outbox()
    try:
        return any(depth.action == name for depth in outbox.depths())
    finally:
        outbox.close()


def _status(arguments: argparse.Namespace, actions: Mapping[str, Action]) -> int:
    from logscope.actions.outbox import Depth, Outbox
    from logscope.engine.rendering import iso, json_line, present

    outbox = Outbox()
    depths = {depth.action: depth for depth in outbox.depths() if arguments.name in (None, depth.action)}
    outbox.close()
    objects: list[Object] = []
    for name in sorted({*actions, *depths}):
        depth = depths.get(name, Depth(name))
        action = actions.get(name)
        objects.append(
            present(
                {
                    "action": name,
                    "type": action.kind if action else None,
                    "target": action.sender.target if action else None,
                    "waiting": depth.waiting,
                    "delivered": depth.delivered,
                    "dead": depth.dead,
                    "dropped": depth.dropped,
                    "refused": depth.refused,
                    "failures": depth.failures,
                    "oldest": iso(int(depth.oldest * 1e6)) if depth.oldest else None,
                    "reason": depth.reason,
                }
            )
        )
    if arguments.json:
        print_lines(map(json_line, objects))
    elif objects:
        numbers = ("waiting", "delivered", "dead", "failures")
        rows = [
            [entry["action"], entry.get("type", "not configured"), *(str(entry[name]) for name in numbers),
             entry.get("target", ""), entry.get("reason", "")]
            for entry in objects
        ]  # fmt: skip
        print_lines(table(rows, ["action", "type", *numbers, "target", "last failure"], right=(2, 3, 4, 5)))
    else:
        say("no action is configured, and the outbox is empty")
    return 0


def _retry(arguments: argparse.Namespace, actions: Mapping[str, Action]) -> int:
    """Dead letters too are sent, now, as far as their receivers take them."""
    from logscope.actions.dispatcher import Dispatcher
    from logscope.actions.outbox import Outbox
    from logscope.engine.rendering import json_line

    outbox = Outbox()
    try:
        waiting = outbox.retry(arguments.name)
        dispatcher = Dispatcher(outbox, actions.values() if waiting else (), say_event)
        dispatcher.start()
        left = dispatcher.drain(SCAN_PATIENCE, patient=False)
        dispatcher.stop()
        left += sum(depth.waiting for depth in outbox.depths() if depth.action not in actions and not arguments.name)
        dead = sum(depth.dead for depth in outbox.depths() if arguments.name in (None, depth.action))
    finally:
        outbox.close()
    if arguments.json:
        told = {"waiting": waiting, "delivered": waiting - left - dead, "left": left, "dead": dead}
        print_lines([json_line(told)])
    else:
        say(
            f"{waiting - left - dead} of {waiting} delivered"
            + (f", {left} wait" if left else "")
            + (f", {dead} dead" if dead else "")
        )
    return 1 if left or dead else 0


def _drop(arguments: argparse.Namespace, _actions: Mapping[str, Action]) -> int:
    """Give up what waits and what is dead."""
    from logscope.actions.outbox import Outbox
    from logscope.engine.rendering import json_line

    outbox = Outbox()
    try:
        dropped = outbox.drop(arguments.name)
    finally:
        outbox.close()
    if arguments.json:
        print_lines([json_line({"dropped": dropped})])
    else:
        say(f"{dropped} events dropped")
    return 0


def _test(arguments: argparse.Namespace, actions: Mapping[str, Action]) -> int:
    """Send each an event of its own, past the outbox."""
    from logscope.actions.testing import try_action
    from logscope.engine.rendering import json_line

    if not actions:
        say("no action is configured")
        return 0
    objects: list[Object] = []
    for action in actions.values():
        trouble = try_action(action)
        objects.append({"action": action.name, "delivered": trouble is None} | ({"reason": trouble} if trouble else {}))
    if arguments.json:
        print_lines(map(json_line, objects))
    else:
        rows = [
            [entry["action"], "delivered" if entry["delivered"] else "FAILED", entry.get("reason", "")]
            for entry in objects
        ]
        print_lines(table(rows, ["action", "test", "reason"]))
    return 1 if any(not entry["delivered"] for entry in objects) else 0
