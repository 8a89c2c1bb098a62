"""TLS for syslog (RFC 5425): a listener's side and a sender's."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import ssl
import stat
from pathlib import Path

from logscope.errors import SourceError
from logscope.sources.trouble import source_error
from logscope.sources.urls import Address

HANDSHAKE_SECONDS = 10.0
"""A sender that has not finished its handshake by then gives its place back."""

_FIRST_WORD = 1.0
_PEM_BEGIN, _PEM_END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_NAME_DIFFERS = 62  # X509_V_ERR_HOSTNAME_MISMATCH
_ADDRESS_DIFFERS = 64  # X509_V_ERR_IP_ADDRESS_MISMATCH


def server_context(address: Address) -> tuple[ssl.SSLContext, str | None]:
    """What a listener shakes hands with, and a warning if its key lies open.

    Raises:
        SourceError: A certificate or key is missing, unreadable or does not fit the other.
    """
    if not address.cert or not address.key:
        mend = "write syslog+tls://127.0.0.1:6514?cert=FILE&key=FILE"
        raise SourceError("a TLS listener needs a certificate and its key", where=address.url, mend=mend)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_own(context, address)
    if address.ca:
        _load_ca(context, address, address.ca)
        context.verify_mode = ssl.CERT_REQUIRED
    mode = os.stat(address.key).st_mode  # noqa: PTH116
    open_key = mode & (stat.S_IRGRP | stat.S_IROTH)
    return context, f"the key {address.key} can be read by others; chmod 600 it" if open_key else None


def connect_tls(address: Address, timeout: float) -> ssl.SSLSocket:
    """A sender's connection, the receiver's certificate verified.

    By `ca` (else the system's authorities) and name. A certificate that the URL itself names, in `ca`
    or as `cert`, is pinned (RFC 5425 section 4.2.2), whatever name it bears.

    Args:
        address: Where to.
        timeout: Seconds for each step of connecting.

    Raises:
        ssl.SSLError: The receiver is not trusted, or does not trust us.
        SourceError: A file cannot be used.
        OSError: Nothing listens there.
    """
    context = _client_context(address)
    try:
        return _shaken(context, address, timeout)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code not in (_NAME_DIFFERS, _ADDRESS_DIFFERS):
            raise
        pinned = _named(address)
        context.check_hostname = False
        secured = _shaken(context, address, timeout)
        if secured.getpeercert(binary_form=True) in pinned:
            return secured
        secured.close()
        raise


def _shaken(context: ssl.SSLContext, address: Address, timeout: float) -> ssl.SSLSocket:
    connection = socket.create_connection((address.host, address.port), timeout=timeout)
    try:
        secured = context.wrap_socket(connection, server_hostname=address.host)
    except BaseException:
        connection.close()
        raise
    try:
        _confirmed(secured, timeout)
    except BaseException:
        secured.close()
        raise
    return secured


def _confirmed(secured: ssl.SSLSocket, timeout: float) -> None:
    """Wait for the first word of the other side, which in TLS 1.3 judges our certificate after the handshake.

    It sends tickets if it takes us and an alert if not; one that says nothing is believed.
    """
    if secured.version() != "TLSv1.3" or not select.select([secured], [], [], _FIRST_WORD)[0]:
        return
    secured.settimeout(0)
    with contextlib.suppress(ssl.SSLWantReadError):
        if not secured.recv(1):
            raise ConnectionResetError(errno.ECONNRESET, "closed after the handshake")
    secured.settimeout(timeout)


def _client_context(address: Address) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A certificate that is named is trusted by itself, without its issuer.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if address.ca:
        _load_ca(context, address, address.ca)
    else:
        context.load_default_certs()
    if address.cert:
        _load_own(context, address)
        if not address.ca:
            _load_ca(context, address, address.cert)
    return context


def _named(address: Address) -> list[bytes]:
    """The certificates in the files that the URL names."""
    text = Path(str(address.ca or address.cert or os.devnull)).read_text(encoding="latin-1")
    ends = text.split(_PEM_END)[:-1]
    return [ssl.PEM_cert_to_DER_cert(_PEM_BEGIN + end.rpartition(_PEM_BEGIN)[2] + _PEM_END) for end in ends]


def tls_error(error: OSError, where: str) -> SourceError:
    """An error of a handshake in words that say whose certificate was refused."""
    if isinstance(error, ssl.SSLCertVerificationError):
        mend = "name who signed it: ?ca=FILE (the certificate itself will do)"
        return SourceError(f"its certificate is not trusted: {error.verify_message}", where=where, mend=mend)
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or str(error)).lower().replace("_", " ")
        if ("alert" in reason and "certificate" in reason) or "unknown ca" in reason:
            mend = "give one that it trusts: ?cert=FILE&key=FILE"
            return SourceError(f"it refuses our certificate ({reason})", where=where, mend=mend)
        return SourceError(f"TLS failed ({reason})", where=where, mend="is it a TLS port? else use syslog+tcp")
    return source_error(error, where)


def _load_own(context: ssl.SSLContext, address: Address) -> None:
    for file in (address.cert, address.key):
        if file is not None and not Path(file).is_file():
            raise SourceError(f"there is no file {file}", where=address.url, mend="name the PEM file")
    try:
        # A key with a password would be asked for on the terminal.
        context.load_cert_chain(str(address.cert), address.key, password=lambda: "")
    except ssl.SSLError as error:
        mend = "both in PEM, the key without a password and made for this certificate"
        raise SourceError(
            f"{address.cert} and {address.key or 'no key'} cannot be used ({error.reason or error})",
            where=address.url, mend=mend,
        ) from error  # fmt: skip
    except OSError as error:
        raise SourceError(f"{address.cert} or {address.key}: {error.strerror}", where=address.url) from error


def _load_ca(context: ssl.SSLContext, address: Address, file: str) -> None:
    try:
        context.load_verify_locations(file)
    except (ssl.SSLError, OSError) as error:
        reason = (error.reason if isinstance(error, ssl.SSLError) else error.strerror) or str(error)
        raise SourceError(
            f"the certificates in {file} cannot be used ({reason})", where=address.url, mend="name a PEM file"
        ) from error
