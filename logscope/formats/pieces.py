"""Pieces of regexes that formats share: `{{NAME}}` in a pattern stands for one."""

from __future__ import annotations

import re

_DATE = r"[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}"

_ISO = rf"{_DATE}[T ]{_CLOCK}(?:[.,:][0-9]{{1,9}})?(?:Z| ?[+-][0-9]{{2}}:?[0-9]{{2}})?"
_BSD = rf"[A-Z][a-z]{{2}} [ 0-9]?[0-9] (?:[0-9]{{4}} )?{_CLOCK}(?:[.,][0-9]{{1,9}})?"

PIECES = {
    "iso": _ISO,
    "clf": r"[0-9]{1,2}/[A-Z][a-z]{2}/[0-9]{4}[: ][0-9:]{8}(?:\.[0-9]+)?(?: [+-][0-9]{4})?",
    "clock": rf"{_CLOCK}(?:[.,:][0-9]{{1,9}})?",
    "bsd": _BSD,
    "ctime": rf"[A-Z][a-z]{{2}} [A-Z][a-z]{{2}} [ 0-9]?[0-9] {_CLOCK}(?:[.,:][0-9]+)? [0-9]{{4}}",
    "levels": "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|FATAL|CRITICAL|FINE|FINER|FINEST|CONFIG",
    "anylevel": r"(?i:trace|debug|info|notice|warn|warning|error|err|fatal|critical|crit|severe|panic|alert|emerg)",
    "ip": r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.[0-9]{1,3}){0,3}",
    "asa": (
        rf"^(?:<[0-9]+>)?(?:[0-9]+: )?[.*]?(?:(?P<time>(?:{_BSD}|{_ISO})(?: [A-Z]{{3,5}})?):?[ ]+)?(?:(?P<host>[^ :%]+)[ :]+|: )?"
        r"(?:[0-9]+: )?%(?P<product>ASA|FTD|PIX|FWSM|NGIPS)-(?:[a-zA-Z]+-|-)?(?P<level>[0-7])-(?P<code>[0-9]+):? ?"
    ),
    "quoted": r'"(?:[^"\\]|\\.|"")*"',
    "inquotes": r'(?:[^"\\]|\\.)*',
}
"""By name. `iso` is what `stamped.ISO` is told from; `levels` the words of log4j's relatives."""

_PLACE = re.compile(r"\{\{([a-z]+)\}\}")


def expand(regex: str) -> str:
    """A pattern with its pieces put in.

    Raises:
        KeyError: There is no piece of that name.
    """
    return _PLACE.sub(lambda found: PIECES[found[1]], regex)
