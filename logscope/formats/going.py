"""What continues a record, and what begins one, whatever the format: told by the line alone.

Lines of stack traces and of crashes as runtimes print them: Java's `printStackTrace`, Python's traceback module, Node's `Error.stack`,
Go's runtime/panic.go, Rust's std/src/panicking.rs.
"""

from __future__ import annotations

import polars as pl

_PYTHON = (
    "Value|Key|Attribute|Index|Lookup|Import|ModuleNotFound|Name|UnboundLocal|OS|IO|FileNotFound|FileExists|NotADirectory|IsADirectory"
    "|Permission|ProcessLookup|BlockingIO|ChildProcess|Connection|BrokenPipe|ConnectionAborted|ConnectionRefused|ConnectionReset"
    "|Interrupted|Timeout|Runtime|NotImplemented|Recursion|Arithmetic|ZeroDivision|Overflow|FloatingPoint|Memory|Buffer|EOF|System"
    "|Indentation|Tab|Unicode|UnicodeDecode|UnicodeEncode"
)
_LAST = (
    rf"(?:(?:{_PYTHON})Error|(?:Base)?Exception|StopIteration|KeyboardInterrupt|SystemExit|(?:Base)?ExceptionGroup"
    r"|[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*\.[A-Z][A-Za-z0-9_]*(?:Error|Exception|Warning|Exit|Interrupt|Timeout|Refused|Failed))(?::|\r?$)"
)
"""A Python traceback's last line. What JavaScript names as well (`TypeError`) may begin a record there."""
_JAVA = r"^(?:com|org|net|io|java|javax|jakarta|jdk|sun|kotlin|kotlinx|scala|akka|dev|edu|gov|me|co|app|ai|eu|de|fr|uk|ch|cn)\."
"""Dotted names of other languages: packages are domains."""
_TRACES = (
    r"\t|[ \t]+(?:at |\.\.\.|File \"|\^|Caused by|[0-9]+: )|Caused by: |Suppressed: |\.\.\. [0-9]+ more"
    r"|During handling of the above exception|The above exception was the direct cause"
    r"|goroutine [0-9]+ .*\]:\r?$|created by [^ ]+\.[^ ]+(?: in goroutine [0-9]+)?\r?$|exit status [0-9]+\r?$|\[(?:signal |recovered\])"
    r"|[A-Za-z0-9_./%~-]+\.(?:\(\*?[^ ()]+\)\.)?[A-Za-z0-9_.]+(?:\[\.\.\.\])?\((?:[0-9a-fx{}_?, ]|\.\.\.)*\)\r?$"
    r"|note: (?:run with |Some details are omitted)|stack backtrace:"
)
_CLOSING = r"[\]})]+[,;]?[ \t]*\r?$"

CONTINUES = rf"^(?:$| {{4}}|{_TRACES}|{_CLOSING}|{_LAST})"
"""A line that may continue a record in whatever format: empty, a stack frame and its code, a closing bracket."""
_CRASH = r"^(?:panic: |fatal error: |thread '[^']*' (?:\([0-9]+\) )?panicked at )"


def continues(lines: pl.Series) -> pl.Series:
    """Which lines continue a record (Boolean), of lines that no format matches."""
    found = lines.str.contains(CONTINUES).fill_null(True)
    rows = found.arg_true()
    if not len(rows):
        return found
    others = rows.filter(lines.gather(rows).str.contains(_JAVA).fill_null(False))
    return found.scatter(others, False) if len(others) else found


def crashes(lines: pl.Series) -> pl.Series:
    """Which lines begin what Go or Rust say when a program ends: a record, whatever the lines before are (Boolean)."""
    return lines.str.contains(_CRASH).fill_null(False)
