"""Writing RFC 5424 messages (for replay and forwarding).

Sources: RFC 5424 section 6; levels to severities: OpenTelemetry log data model, appendix B.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

SEVERITY_OF_LEVEL: tuple[int, ...] = (6, 7, 7, 6, 4, 3, 2)
"""Syslog severity of level 0 (none) to 6 (fatal)."""

USER, LOCAL0 = 1, 16

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def severity_of(level: int) -> int:
    """The syslog severity (RFC 5424 section 6.2.1) of a level 0 to 6."""
    return SEVERITY_OF_LEVEL[level] if 0 <= level < len(SEVERITY_OF_LEVEL) else 6


def format_rfc5424(
    time_us: int | None,
    host: str | None,
    app: str | None,
    pid: str | None,
    sd: Mapping[str, Mapping[str, str]] | None,
    msg: bytes | str,
    severity: int,
    *,
    facility: int = LOCAL0,
    msgid: str | None = None,
) -> bytes:
    """One message of RFC 5424, unframed.

    Args:
        time_us: Microseconds since 1970 UTC; None is written `-`.
        host: Of 255 characters at most; all header fields lose what is not printable ASCII.
        app: Of 48 characters at most.
        pid: PROCID, of 128 characters at most.
        sd: Structured data: element id to parameters.
        msg: The text; bytes go as they are.
        severity: 0 (emerg) to 7 (debug).
        facility: 0 to 23.
        msgid: Of 32 characters at most.
    """
    stamp = "-"
    if time_us is not None:
        try:
            moment = _EPOCH + timedelta(microseconds=time_us)
            stamp = moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
        except OverflowError:
            stamp = "-"
    fields = (_field(host, 255), _field(app, 48), _field(pid, 128), _field(msgid, 32))
    priority = (facility if 0 <= facility <= 23 else LOCAL0) * 8 + (severity & 7)
    head = f"<{priority}>1 {stamp} {' '.join(fields)} {_structured(sd)}".encode()
    body = msg.encode("utf-8", "surrogateescape") if isinstance(msg, str) else msg
    return head + b" " + body if body else head


def _field(value: str | None, limit: int) -> str:
    return "".join(c for c in value or "" if "!" <= c <= "~")[:limit] or "-"


def _structured(sd: Mapping[str, Mapping[str, str]] | None) -> str:
    if not sd:
        return "-"
    return "".join(
        "[" + " ".join([_name(element), *(f'{_name(k)}="{_escaped(v)}"' for k, v in parameters.items())]) + "]"
        for element, parameters in sd.items()
    )


def _name(name: str) -> str:
    return "".join(c for c in name if "!" <= c <= "~" and c not in '=]"')[:32] or "_"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
