"""One field and one value of a Sigma rule as a mask over records.

Semantics: Sigma specification 2.1. Texts compare without case unless `cased`, a regex with case
unless `i`; a condition on a missing field is false, and so `not` of it is true.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address

import polars as pl
from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
)

from logscope.errors import RuleError
from logscope.rules.sigma.moments import part_of
from logscope.rules.sigma.pipelines import user_folder
from logscope.rules.sigma.policy import RefusedPattern, RustRegexEngine
from logscope.rules.sigma.values import SigmaValues

Mask = Callable[[SigmaValues], pl.Series]
"""Boolean without nulls, of the frame's height."""

_META = re.compile(r"[\\.+*?()|\[\]{}^$#&~-]")
_OPERATORS: dict[CompareOperators, Callable[[pl.Series, float], pl.Series]] = {
    CompareOperators.LT: lambda values, bound: values < bound,
    CompareOperators.LTE: lambda values, bound: values <= bound,
    CompareOperators.GT: lambda values, bound: values > bound,
    CompareOperators.GTE: lambda values, bound: values >= bound,
}
_OCTETS = r"\A(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\z"


def predicate(name: str | None, value: SigmaType) -> Mask:
    """The mask of one comparison.

    Args:
        name: The Sigma field; None: a keyword, sought in the whole record.
        value: What pySigma made of the value and its modifiers.

    Raises:
        RuleError: It cannot be evaluated here.
    """
    if isinstance(value, SigmaExpansion):
        return any_of([predicate(name, each) for each in value.values])
    if isinstance(value, SigmaString):
        return _matches(name, _text_pattern(value, anchored=name is not None))
    if isinstance(value, SigmaRegularExpression):
        flags = "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))
        return _matches(name, (f"(?{flags})" if flags else "") + str(value.regexp))
    if isinstance(value, SigmaNumber) and not isinstance(value, SigmaTimestampPart):
        if name is None:
            return _matches(None, _escaped(str(value.number)))
        exact = float(value.number)
        return _number(name, lambda values: values == exact)
    if name is not None and (found := _of_field(name, value)) is not None:
        return found
    raise RuleError(
        f"{name or 'a keyword'} has a value of kind {type(value).__name__}, which is not supported",
        mend="write it with another modifier",
    )


def plain_part(value: SigmaType) -> str | None:
    """The text sought anywhere in a value without case (`contains`), if Aho-Corasick can seek it; else None."""
    if not isinstance(value, SigmaString) or isinstance(value, SigmaCasedString) or len(value.s) != 3:
        return None
    begin, text, end = value.s
    multi = SpecialChars.WILDCARD_MULTI
    # Beyond ASCII Polars' search heeds case.
    plain = begin is multi and end is multi and isinstance(text, str) and text.isascii()
    return text if plain and isinstance(text, str) else None


def contains_any(name: str, texts: list[str]) -> Mask:
    """True where a field contains one of some ASCII texts, without case: one Aho-Corasick pass."""
    return lambda values: values.text(name).str.contains_any(texts, ascii_case_insensitive=True).fill_null(False)


def any_of(masks: list[Mask]) -> Mask:
    """True where one of them is."""
    return lambda values: _joined(masks, values, lambda left, right: left | right)


def all_of(masks: list[Mask]) -> Mask:
    """True where all of them are."""
    return lambda values: _joined(masks, values, lambda left, right: left & right)


def none_of(mask: Mask) -> Mask:
    """True where it is not."""
    return lambda values: ~mask(values)


def _joined(masks: list[Mask], values: SigmaValues, join: Callable[[pl.Series, pl.Series], pl.Series]) -> pl.Series:
    found = masks[0](values)
    for mask in masks[1:]:
        found = join(found, mask(values))
    return found


def _of_field(name: str, value: SigmaType) -> Mask | None:
    if isinstance(value, SigmaNull):
        return lambda values: values.text(name).is_null()
    if isinstance(value, SigmaExists):
        wanted = value.exists
        return lambda values: values.text(name).is_not_null() == wanted
    if isinstance(value, SigmaBool):
        word = "true" if value.boolean else "false"
        return lambda values: (values.text(name).str.to_lowercase() == word).fill_null(False)
    if isinstance(value, SigmaTimestampPart):
        part, wanted_part = value.timestamp_part, value.number
        return lambda values: (part_of(values.text(name), part) == wanted_part).fill_null(False)
    if isinstance(value, SigmaCompareExpression) and value.op in _OPERATORS:
        compare, bound = _OPERATORS[value.op], float(value.number.number)
        if isinstance(value.number, SigmaTimestampPart):
            part = value.number.timestamp_part
            return lambda values: compare(part_of(values.text(name), part), bound).fill_null(False)
        return _number(name, lambda values: compare(values, bound))
    if isinstance(value, SigmaCIDRExpression):
        return (
            _network(name, value.network) if isinstance(value.network, IPv4Network) else _network6(name, value.network)
        )
    if isinstance(value, SigmaFieldReference):
        return _reference(name, value)
    return None


def _matches(name: str | None, pattern: str) -> Mask:
    try:
        RustRegexEngine().compile(pattern)
    except RefusedPattern as error:
        raise RuleError(f"a regex cannot be run: {error}") from None
    return lambda values: values.text(name).str.contains(pattern).fill_null(False)


def _number(name: str, test: Callable[[pl.Series], pl.Series]) -> Mask:
    return lambda values: test(values.text(name).cast(pl.Float64, strict=False)).fill_null(False)


def _network(name: str, network: IPv4Network) -> Mask:
    low, high = int(network.network_address), int(network.broadcast_address)

    def mask(values: SigmaValues) -> pl.Series:
        octets = values.text(name).rename("text").to_frame().select(pl.col("text").str.extract_groups(_OCTETS))
        parts = [pl.col("text").struct.field(str(place)).cast(pl.Int64) for place in range(1, 5)]
        address = parts[0] * 2**24 + parts[1] * 2**16 + parts[2] * 2**8 + parts[3]
        real = pl.all_horizontal(part <= 255 for part in parts)
        return octets.select((real & address.is_between(low, high)).fill_null(False)).to_series()

    return mask


def _network6(name: str, network: IPv6Network) -> Mask:
    def inside(text: str) -> bool:
        try:
            return ip_address(text) in network
        except ValueError:
            return False

    def mask(values: SigmaValues) -> pl.Series:
        text = values.text(name)
        # Only distinct texts with a colon are looked at one by one: Polars has no 128-bit addresses.
        distinct = text.filter(text.str.contains(":", literal=True).fill_null(False)).unique()
        return text.is_in([each for each in distinct if inside(each)]).fill_null(False)

    return mask


def _reference(name: str, value: SigmaFieldReference) -> Mask:
    def mask(values: SigmaValues) -> pl.Series:
        pair = pl.DataFrame({"left": values.text(name), "right": values.text(value.field)})
        left, right = pl.col("left").str.to_lowercase(), pl.col("right").str.to_lowercase()
        if value.starts_with and value.ends_with:
            found = left.str.contains(right, literal=True)
        elif value.starts_with:
            found = left.str.starts_with(right)
        else:
            found = left.str.ends_with(right) if value.ends_with else left == right
        return pair.select(found.fill_null(False)).to_series()

    return mask


def _text_pattern(value: SigmaString, *, anchored: bool) -> str:
    parts: list[str] = []
    for part in value.s:
        if isinstance(part, str):
            parts.append(_escaped(part))
        elif part is SpecialChars.WILDCARD_MULTI:
            parts.append(".*")
        elif part is SpecialChars.WILDCARD_SINGLE:
            parts.append(".")
        else:
            mend = f"list its values under [placeholders] in a file of {user_folder()}, or write them out"
            raise RuleError(f"the placeholder {getattr(part, 'name', part)} is not resolved", mend=mend)
    flags = "(?s)" if isinstance(value, SigmaCasedString) else "(?is)"
    # A leading or trailing run of anything needs no anchor, and without one the search is a literal's.
    begin, end = parts[:1] == [".*"], parts[-1:] == [".*"]
    body = "".join(parts[1 if begin else 0 : len(parts) - 1 if end and len(parts) > 1 else len(parts)])
    if not anchored:
        return flags + body
    return flags + ("" if begin else r"\A") + body + ("" if end else r"\z")


def _escaped(text: str) -> str:
    return _META.sub(lambda found: "\\" + found.group(), text)
