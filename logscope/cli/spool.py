"""`spool list|drop`: what listeners left behind."""

from __future__ import annotations

import argparse

from logscope.cli.output import print_lines, table
from logscope.errors import UsageError


def run_spool(arguments: argparse.Namespace) -> int:
    """List the spools, or drop some."""
    from logscope.engine.rendering import json_line
    from logscope.engine.service.checkpoint import forget_spool
    from logscope.sources.spool import drop_spool, list_spools

    if arguments.action == "drop":
        if not arguments.names:
            raise UsageError("no spool is named", mend="see `logscope spool list`")
        for name in arguments.names:
            forget_spool(drop_spool(name))
        return 0
    spools = list_spools()
    entries = [
        {"spool": spool.name, "bytes": spool.bytes, "created": spool.created, "in_use": spool.in_use}
        for spool in spools
    ]
    if arguments.json:
        print_lines(json_line(entry) for entry in entries)
    elif entries:
        rows = [
            [f"spool://{e['spool']}", str(e["bytes"]), str(e["created"]), "in use" if e["in_use"] else ""]
            for e in entries
        ]
        print_lines(table(rows, ["source", "bytes", "created", ""], right=(1,)))
    return 0
