"""`field:10.0.0.0/8`: which addresses lie within a network."""

from __future__ import annotations

import ipaddress
import re
from typing import TypeAlias

import polars as pl

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_V4 = r"\A(?:::(?i:ffff):)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\z"


def parse_network(text: str) -> Network | None:
    """The network that a value names, host bits ignored; None if it names none."""
    if not re.fullmatch(r"[0-9A-Fa-f.:]+/\d{1,3}", text, re.ASCII):
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def within(column: pl.Expr, network: Network) -> pl.Expr:
    """Where a String column holds an address of the network.

    Args:
        column: A String expression; what is no address is outside.
        network: An IPv4 network also holds its addresses written as IPv6 (`::ffff:10.0.0.1`).
    """
    if isinstance(network, ipaddress.IPv6Network):
        return column.map_batches(lambda texts: _within_v6(texts, network), return_dtype=pl.Boolean)
    parts = [column.str.extract(_V4, place).cast(pl.Int64, strict=False) for place in range(1, 5)]
    number = parts[0] * 2**24 + parts[1] * 2**16 + parts[2] * 2**8 + parts[3]
    sound = pl.all_horizontal(part <= 255 for part in parts)
    return sound & number.is_between(int(network.network_address), int(network.broadcast_address))


def _within_v6(texts: pl.Series, network: ipaddress.IPv6Network) -> pl.Series:
    # Each address is read once, however often it stands in the log.
    candidates = texts.filter(texts.str.contains(":", literal=True)).unique().drop_nulls()
    inside = [text for text in candidates if _is_inside(text, network)]
    return texts.is_in(pl.Series(inside, dtype=pl.String))


def _is_inside(text: str, network: ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.IPv6Address(text) in network
    except ValueError:
        return False
