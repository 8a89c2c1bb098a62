"""The action `webhook`: posts events as JSON to one URL.

The URL is fixed, redirects are not followed, TLS is verified, and neither a slow nor an endless answer
holds it longer than `total`.
"""

from __future__ import annotations

import hashlib
import http.client
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from logscope import __version__
from logscope.actions.base import Failed, Refused
from logscope.actions.connecting import Connection, TlsFiles, address_error, tls_files
from logscope.actions.event import Event
from logscope.actions.secret import Hidden, Secret
from logscope.actions.settings import Reader
from logscope.errors import ConfigError
from logscope.templating import Template
from logscope.text import clean

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TEMPORARY = frozenset({408, 425, 429})
_QUOTED = 512
"""Bytes of a refusal's body that are quoted in the reason."""


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """As configured."""

    url: Secret
    headers: Mapping[str, Secret]
    body: Any
    """A JSON value whose texts are templates; None: the detection itself."""
    timeout: float
    """Seconds for one read or write."""
    total: float
    """Seconds in all."""
    deny_private: bool
    tls: TlsFiles


class WebhookSender:
    """Posts to a URL.

    Args:
        settings: Looked at.
        batch: Events in one call; above one they are sent as a list.
    """

    TRIES = 12
    FLOOD = "10000/m"

    def __init__(self, settings: WebhookSettings, batch: int) -> None:
        """Nothing is opened yet."""
        self._settings = settings
        self.batch = batch
        self.patient = True
        self.target = _shown(settings.url)
        self._hidden = Hidden()
        self._headers: dict[str, str] = {}
        self._url = SplitResult("", "", "", "", "")
        self._context: ssl.SSLContext | None = None
        self._connection: Connection | None = None

    @classmethod
    def read(cls, table: Reader) -> WebhookSender:
        """From its settings.

        Raises:
            ConfigError: A setting that cannot be used.
        """
        url = table.secret("url", table.text("url"))
        if not url.is_secret:
            _split(url)
        headers = table.table_of_texts("headers")
        for name, value in headers.items():
            if not _TOKEN.fullmatch(name) or any(sign in value for sign in "\r\n\0"):
                raise table.error("headers", f"{name!r} is no header", "a name, and a value of one line")
        settings = WebhookSettings(
            url,
            {name: table.secret(f"headers.{name}", value) for name, value in headers.items()},
            _body(table),
            table.seconds("timeout", "10s"),
            table.seconds("total", "30s"),
            table.flag("deny_private"),
            tls_files(table),
        )
        return cls(settings, table.number("batch", 1, 1, 1000))

    def open(self, origin: str) -> None:
        """Look up secrets and certificates.

        Raises:
            ConfigError: They are not there, or no URL or header.
        """
        settings = self._settings
        self._hidden = Hidden()
        self._url = _split(settings.url, self._hidden.reveal(settings.url))
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": f"logscope/{__version__}",
            "Connection": "close",
        }
        for name, secret in settings.headers.items():
            value = self._hidden.reveal(secret)
            try:
                value.encode("latin-1")
            except UnicodeEncodeError:
                raise ConfigError(
                    f"{secret.setting}: has letters that no header may have",
                    secret.where,
                    secret.line,
                    mend="use ASCII",
                ) from None
            self._headers[name] = value
        self._context = settings.tls.context() if self._url.scheme == "https" else None

    def send(self, events: Sequence[Event]) -> None:
        """Post them in one call; a status of 2xx is the receiver's word that it has them.

        Raises:
            Down: No connection.
            Failed: No answer in time, or one that says to come again.
            Refused: Any other status of 4xx.
        """
        values = [self._value(event) for event in events]
        payload = b"[" + b",".join(values) + b"]" if self.batch > 1 else values[0]
        keys = "\n".join(event.key for event in events)
        key = keys if len(events) == 1 else hashlib.blake2b(keys.encode(), digest_size=16).hexdigest()
        deadline = time.monotonic() + self._settings.total
        port = self._url.port or (443 if self._context else 80)
        connection = Connection(
            self._url.hostname or "", port, self._context, self._settings.timeout, self._settings.deny_private
        )
        self._connection = connection
        try:
            with connection.until(deadline):
                self._post(connection, payload, key)
        finally:
            self._connection = None
            connection.close()

    def _value(self, event: Event) -> bytes:
        if self._settings.body is None:
            return event.body
        data = event.data()
        return msgspec.json.encode(_filled(self._settings.body, lambda name: event.lookup(data, name)))

    def _post(self, connection: Connection, payload: bytes, key: str) -> None:
        connection.connect()
        web = http.client.HTTPConnection(self._url.hostname or "", self._url.port)
        web.sock = connection.stream
        path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        try:
            web.request("POST", path, payload, {**self._headers, "Host": _host(self._url), "Idempotency-Key": key})
            response = web.getresponse()
            status = response.status
            if connection.overdue:
                raise TimeoutError
            if 200 <= status < 300:
                return
            said = "" if status < 400 else response.read1(_QUOTED).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            if connection.overdue:
                raise Failed(f"not done in {self._settings.total:g} s") from error
            if isinstance(error, TimeoutError):
                raise Failed(f"no answer in {self._settings.timeout:g} s") from error
            # What http.client says of a bad answer quotes it.
            what = address_error(error) if isinstance(error, OSError) else "no answer of HTTP"
            raise Failed(f"broke off: {clean(what, cap=200)}") from error
        finally:
            web.sock = None
        self._judge(status, said, response.headers.get("Retry-After"))

    def _judge(self, status: int, said: str, retry_after: str | None) -> None:
        name = http.client.responses.get(status, "")
        reason = f"answered {status} {name}".rstrip()
        if 300 <= status < 400:
            # Where to is the configuration's to say; a balancer's page for hard times goes away again.
            raise Failed(f"{reason}: a redirect is not followed")
        # A receiver may repeat what it was sent.
        quoted = clean(self._hidden.without(said).strip(), cap=200)
        reason += f": {quoted}" if quoted else ""
        if status in _TEMPORARY or not 400 <= status < 500:
            raise Failed(reason, _seconds(retry_after))
        raise Refused(reason)

    def close(self) -> None:
        """Break off what is under way."""
        if connection := self._connection:
            connection.abort()


def _split(secret: Secret, value: str | None = None) -> SplitResult:
    """The URL's parts.

    Raises:
        ConfigError: It is none that can be posted to; without its text, if that is secret.
    """
    text = secret.text if value is None else value
    shown = "the value" if secret.is_secret else repr(text)
    trouble = None
    try:
        url = urlsplit(text)
        port_trouble = url.port == 0
    except ValueError:
        url, port_trouble = SplitResult("", "", "", "", ""), True
    if url.scheme not in ("http", "https") or not url.hostname or port_trouble:
        trouble = f"{shown} is no http or https URL", 'write url = "https://HOST/PATH"'
    elif url.username is not None or url.password is not None:
        trouble = "a URL with a password", 'write headers = {Authorization = "env:NAME"}'
    elif not text.isascii() or any(sign in text for sign in " {}\r\n\t\0"):
        trouble = f"{shown} has signs that no URL has", "the URL is fixed: no templates, blanks as %20"
    if trouble:
        raise ConfigError(f"{secret.setting}: {trouble[0]}", secret.where, secret.line, mend=trouble[1])
    return url


def _host(url: SplitResult) -> str:
    return url.netloc


def _shown(secret: Secret) -> str:
    """A URL without its path, which is a secret with many receivers."""
    if secret.is_secret:
        return secret.text
    url = urlsplit(secret.text)
    return f"{url.scheme}://{url.netloc}/" + ("…" if url.path.strip("/") or url.query else "")


def _body(table: Reader) -> Any:
    given = table.value("body")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise table.error("body", "is not a table", 'write body = {text = "{rule}: {message}"}')
    return _parsed(table, given)


def _parsed(table: Reader, value: Any) -> Any:
    if isinstance(value, str):
        return table.parsed("body", value)
    if isinstance(value, dict):
        return {name: _parsed(table, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_parsed(table, inner) for inner in value]
    if isinstance(value, bool | int | float):
        return value
    raise table.error("body", f"{value!r} is nothing that JSON has", "texts, numbers, true, false, lists, tables")


def _filled(value: Any, lookup: Any) -> Any:
    if isinstance(value, Template):
        return value.render(lookup)
    if isinstance(value, dict):
        return {name: _filled(inner, lookup) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, lookup) for inner in value]
    return value


def _seconds(retry_after: str | None) -> float | None:
    """`Retry-After` (RFC 9110 section 10.2.3): seconds, or a date."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())
