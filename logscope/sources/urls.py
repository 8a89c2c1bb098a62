"""Addresses of listeners: `syslog+tcp://HOST:PORT` and `syslog+udp://HOST:PORT`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from logscope.errors import SourceError

LISTENERS = ("syslog+tcp", "syslog+udp")
LATER = ("syslog+unix", "syslog+tls", "journal", "docker", "k8s", "ssh")
"""Schemes of the interface that this version refuses in clear words."""

_URL = re.compile(r"([a-z0-9+]+)://(?:\[([^\]]*)\]|([^:/\[\]?#]*))(?::(\d*))?/?", re.IGNORECASE)
_LATER_MENDS = {
    "syslog+unix": "listen on syslog+udp://127.0.0.1:PORT and let the local daemon forward to it",
    "syslog+tls": "put a TLS terminator (stunnel, rsyslog) before syslog+tcp://127.0.0.1:PORT",
    "journal": "pipe it: journalctl -f -o short-iso | logscope -",
    "docker": "pipe it: docker logs -f CONTAINER 2>&1 | logscope -",
    "k8s": "pipe it: kubectl logs -f POD | logscope -",
    "ssh": "pipe it: ssh HOST tail -F PATH | logscope -",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener listens, or a replay sends to."""

    transport: str
    """`tcp` or `udp`."""
    host: str
    """Name or address without brackets; never empty."""
    port: int

    @property
    def url(self) -> str:
        """The URL in its one spelling, IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"syslog+{self.transport}://{host}:{self.port}"


def scheme_of(text: str) -> str | None:
    """The scheme if `text` is written as a URL, in lower case; else None."""
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", text)
    return match[1].lower() if match else None


def not_yet(url: str, scheme: str) -> SourceError:
    """The refusal of a scheme that comes later."""
    return SourceError(f"{scheme} is not yet supported in this version", where=url, mend=_LATER_MENDS[scheme])


def parse_address(url: str) -> Address:
    """A listener's URL in parts.

    Args:
        url: `syslog+tcp://HOST:PORT` or `syslog+udp://HOST:PORT`; an empty host is 127.0.0.1.

    Raises:
        SourceError: Not such a URL, no port, or a port beyond 65535.
    """
    scheme = scheme_of(url)
    if scheme in LATER:
        raise not_yet(url, scheme)
    example = f"write {scheme if scheme in LISTENERS else 'syslog+tcp'}://127.0.0.1:5514"
    if scheme not in LISTENERS:
        raise SourceError("not the URL of a syslog listener", where=url, mend=example)
    match = _URL.fullmatch(url)
    if match is None:
        raise SourceError("not HOST:PORT after the scheme", where=url, mend=f"{example}, IPv6 in brackets")
    if not match[4]:
        raise SourceError("no port", where=url, mend=example)
    port = int(match[4])
    if port > 65535:
        raise SourceError("the port is beyond 65535", where=url, mend=example)
    return Address(scheme.removeprefix("syslog+"), (match[2] or match[3] or "127.0.0.1").lower(), port)
