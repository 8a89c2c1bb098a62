"""What stands above a transaction's waterfall, and what a report of it is called."""

from __future__ import annotations

from textual.content import Content

from logscope.engine.answers import TransactionDetail
from logscope.text import human_duration, several
from logscope.tui.safe import line

_WAITS_SHOWN = 4
_FILE_NAME_MOST = 60
_VALUE_CAP = 20
"""Characters of a key's value in the line that says what holds a transaction together."""

_Part = Content | str | tuple[str, str]


def file_name(title: str) -> str:
    """A name for a file from what a log called a transaction: letters, digits, and a few signs."""
    kept = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in title)
    return "-".join(part for part in kept[:_FILE_NAME_MOST].split("-") if part) or "transaction"


def title_of(detail: TransactionDetail) -> Content:
    """What it is called, how long it took, its errors, records and services."""
    services = len({member.line.service for member in detail.members})
    parts: list[_Part] = [
        (detail.title, "bold $log-key"),
        f"  {human_duration(detail.end - detail.start)} · ",
        (
            f"▲ {detail.errors} error{'s' * (detail.errors != 1)}" if detail.errors else "0 errors",
            "bold $log-error" if detail.errors else "",
        ),
        f" · {several(len(detail.members) + detail.left_out, 'record')} · {services} service{'s' * (services != 1)}",
    ]
    if detail.left_out:
        parts.append((f" · {detail.left_out:,} in the middle are left out", "$log-warn"))
    return line(*parts)


def rules_of(detail: TransactionDetail) -> Content:
    """The rules that found something in it."""
    return line(*([(f"✖ {', '.join(detail.rules)}", "bold $log-detection")] if detail.rules else []))


def held_of(detail: TransactionDetail) -> Content:
    """The keys that hold it together, and the value that makes it too long."""
    held: list[_Part] = [("held by ", "$log-dim")]
    for place, name in enumerate(name for name in detail.keys if name in detail.held_by):
        values = detail.keys[name]
        more = f" +{len(values) - 1}" if len(values) > 1 else ""
        held += [
            (" ⇄ " if place else "", "$log-dim"),
            (f"{name} ", "$log-name"),
            (values[0][:_VALUE_CAP] + ("…" if len(values[0]) > _VALUE_CAP else "") + more, "$log-key"),
        ]
    if detail.oversize:
        held.append((f"   ⚠ oversize: bridged by {detail.oversize}", "$log-warn"))
    return line(*held)


def waits_of(detail: TransactionDetail) -> Content:
    """What its end waited for, most first."""
    parts: list[_Part] = [("waited for ", "$log-dim")]
    for place, wait in enumerate(detail.critical[:_WAITS_SHOWN]):
        parts += [("  " if place else "", ""), (f"◷ {wait.share:.0%} ", "bold $log-warn"), (wait.text, "")]
    return line(*parts)
