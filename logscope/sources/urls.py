"""Addresses of listeners: `syslog+tcp://HOST:PORT`, `...+udp`, `...+tls`, `syslog+unix:///PATH`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from urllib.parse import parse_qsl, quote, unquote, urlencode

from logscope.errors import SourceError

LISTENERS = ("syslog+tcp", "syslog+udp", "syslog+tls", "syslog+unix")
PROGRAMS = ("journal", "docker", "k8s", "ssh")
"""Schemes that are read through a program of the host's."""

SCHEMES = (*LISTENERS, *PROGRAMS, "spool")

_URL = re.compile(r"([a-z0-9+]+)://(?:\[([^\]]*)\]|([^:/\[\]?#]*))(?::(\d*))?/?(?:\?([^#]*))?", re.IGNORECASE)
_SETTINGS = {"syslog+tls": ("cert", "key", "ca"), "syslog+unix": ("type", "mode")}
_UNIX_LONGEST = 107
_EXAMPLES = {
    "syslog+tls": "write syslog+tls://127.0.0.1:6514?cert=FILE&key=FILE",
    "syslog+unix": "write syslog+unix:///run/user/1000/logscope.sock",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener listens, or a replay sends to."""

    transport: str
    """`tcp`, `udp`, `tls` or `unix`."""
    host: str = ""
    """Name or address without brackets; empty for a Unix socket only."""
    port: int = 0
    path: str = ""
    """Of a Unix socket."""
    cert: str | None = None
    """PEM files: a listener's own certificate, a sender's for its side."""
    key: str | None = None
    ca: str | None = None
    """Who must have signed the other side's certificate."""
    stream: bool = False
    """A Unix socket of connections; else of datagrams."""
    mode: int = 0o600
    """Permissions of a Unix socket's file."""

    @property
    def url(self) -> str:
        """What names it, in its one spelling: IPv6 in brackets, files and permissions left out."""
        if self.transport == "unix":
            return f"syslog+unix://{self.path}" + ("?type=stream" if self.stream else "")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"syslog+{self.transport}://{host}:{self.port}"

    @property
    def request(self) -> str:
        """The whole URL, which `parse_address` makes the same address of."""
        files = {name: value for name in ("cert", "key", "ca") if (value := getattr(self, name))}
        if self.transport == "unix":
            files = {"type": "stream" if self.stream else "dgram", "mode": f"{self.mode:04o}"}
            return f"syslog+unix://{quote(self.path)}?{urlencode(files)}"
        return self.url + ("?" + urlencode(files) if files else "")


def scheme_of(text: str) -> str | None:
    """The scheme if `text` is written as a URL, in lower case; else None."""
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", text)
    return match[1].lower() if match else None


def unknown_scheme(url: str) -> SourceError:
    """The refusal of a URL that is no source."""
    scheme = scheme_of(url) or ""
    near = get_close_matches(scheme, SCHEMES, 2)
    mend = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(SCHEMES)}"
    return SourceError(f"{scheme} is no kind of source", where=url, mend=mend)


def parse_address(url: str) -> Address:
    """A listener's URL in parts.

    Args:
        url: `syslog+tcp://HOST:PORT`, `syslog+udp://HOST:PORT`, `syslog+tls://HOST:PORT[?cert=FILE&key=FILE][&ca=FILE]`,
            `syslog+unix:///PATH[?type=dgram|stream][&mode=0660]`; an empty host is 127.0.0.1.

    Raises:
        SourceError: Not such a URL, no port, a port beyond 65535, a setting that is none.
    """
    scheme = scheme_of(url)
    example = _EXAMPLES.get(scheme or "", f"write {scheme if scheme in LISTENERS else 'syslog+tcp'}://127.0.0.1:5514")
    if scheme not in LISTENERS:
        raise SourceError("not the URL of a syslog listener", where=url, mend=example)
    if scheme == "syslog+unix":
        return _unix(url, example)
    match = _URL.fullmatch(url)
    if match is None:
        raise SourceError("not HOST:PORT after the scheme", where=url, mend=f"{example}, IPv6 in brackets")
    if not match[4]:
        raise SourceError("no port", where=url, mend=example)
    port = int(match[4])
    if port > 65535:
        raise SourceError("the port is beyond 65535", where=url, mend=example)
    address = Address(scheme.removeprefix("syslog+"), (match[2] or match[3] or "127.0.0.1").lower(), port)
    files = _settings(url, scheme, match[5] or "", example)
    return replace(address, cert=files.get("cert"), key=files.get("key"), ca=files.get("ca"))


def _unix(url: str, example: str) -> Address:
    path, _, query = url.partition("://")[2].partition("?")
    path = unquote(path)
    if not path.startswith("/") or path.endswith("/") or "\0" in path:
        raise SourceError("no absolute path after the scheme", where=url, mend=example)
    if len(path.encode("utf-8", "surrogateescape")) > _UNIX_LONGEST:
        raise SourceError(f"the path is longer than {_UNIX_LONGEST} bytes", where=url, mend="choose a shorter one")
    settings = _settings(url, "syslog+unix", query, example)
    kind = settings.get("type", "dgram")
    if kind not in ("dgram", "stream"):
        raise SourceError(f"no type of socket {kind!r}", where=url, mend="type=dgram or type=stream")
    mode = settings.get("mode", "0600")
    if not re.fullmatch("0?[0-7]{3}", mode):
        raise SourceError(f"no permissions {mode!r}", where=url, mend="mode=0600, or mode=0666 for every user")
    return Address("unix", path=path, stream=kind == "stream", mode=int(mode, 8))


def _settings(url: str, scheme: str, query: str, example: str) -> dict[str, str]:
    known = _SETTINGS.get(scheme, ())
    settings: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            mend = f"{scheme} takes {', '.join(known)}" if known else f"{scheme} takes none; {example}"
            raise SourceError(f"no setting {name!r}", where=url, mend=mend)
        if not value:
            raise SourceError(f"{name} is empty", where=url, mend=example)
        settings[name] = value
    return settings
