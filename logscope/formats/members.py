"""Members of JSON objects that hold time, level and host under names of their own, found on a sample.

Products name them as they like (`data.computer.hostname`, `mod_time`). What a name and all its values
say together decides: where a format's own names find nothing, the last part of a member's name must
tell what it is, and its values must read as such, in at least half of the objects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import polars as pl

from logscope.formats import guess, structured
from logscope.formats.levels import to_levels
from logscope.formats.model import Format
from logscope.formats.timestamps import Clock, to_times

_LOOKED_AT = 40
_LEAST = 0.5
_NAMES = {
    "time": r"(?i)(?:time|date|stamp|_at|[a-z]at|^ts|^t|published|raised|updated|datetime_?utc|time_?utc)(?:_?(?:ms|us|ns|utc|iso))?$",
    "level": r"(?i)^(?:log_?)?(?:level|severity|risk_?level|threat_?level|criticality|priority)(?:_?(?:name|text|label))?$",
    "host": r"(?i)^(?:(?:agent|host|computer|machine|device|node|endpoint|meta|analyzer)_?)?"
    r"(?:host_?name|computer_?name|host|machine)_*$"
    r"|^(?:computer|machine|device|endpoint|node)_?name$|^computer$|^host_?identifier$",
}
_NESTED = {"host": r"(?i)(?:^|\.)(?:computer|machine|device|endpoint|host)\.name$"}
"""What only the whole name tells."""
_SCALED = r"(?i)priority"
"""What has numbers of a scale of its own: they are no levels."""
_BETTER = r"(?i)^(?:event_?)?(?:time|date|timestamp|datetime)$|(?:event|creat|generat|occur|detect|publish|log)"
_WORSE = (
    r"(?i)(?:expir|next|valid|not_?(?:before|after)|birth|modif|last|first|prev|until|end|renew|updat|boot|install)"
)


def fitted_members(form: Format, texts: Sequence[str]) -> Format:
    """The json format with members that the sample's objects have for columns it would not find.

    Args:
        form: A format of kind json.
        texts: Texts of a sample; those that are no objects are passed over.
    """
    objects = [
        {name: value for name, value, _ in structured.flatten(members)}
        for text in texts[:_LOOKED_AT]
        if (members := structured.decode(text.rstrip(", \t\r\n]") if "\n" in text else text))
    ]
    if not objects:
        return form
    names = dict(form.names)
    layouts = list(form.layouts)
    for column, telling in _NAMES.items():
        reads = _READS[column]
        held = [next((each[name] for name in names.get(column, ()) if each.get(name)), "") for each in objects]
        if _share(reads(held, form), len(objects)) >= _LEAST:
            continue
        found = _best(column, telling, objects, form) or _best(column, _NESTED.get(column), objects, form, whole=True)
        if found is None and column == "time":
            found, layout = _by_layout(telling, objects)
            layouts += [layout] if layout else []
        if found is not None:
            known = names.get(column, ())
            # A member of a known name whose values do not read would win over the one that was found.
            names[column] = (found, *known) if sum(map(bool, held)) > len(held) / 2 else (*known, found)
    if names == dict(form.names):
        return form
    return replace(form, names=names, layouts=tuple(layouts))


def as_product(form: Format, products: Sequence[Format], texts: Sequence[str]) -> Format:
    """A general format with the columns and parts of the first product of which half of the objects have all members.

    Args:
        form: A format of kind json for objects over several lines.
        products: Formats of objects in one line.
        texts: Objects of a sample.
    """
    looked_at = [text for text in texts[:_LOOKED_AT] if "{" in text]
    for product in products:
        told = sum(all(f'"{name}"' in text for name in product.members) for text in looked_at)
        if looked_at and told >= len(looked_at) * _LEAST and not product.patterns and not product.multiline:
            return replace(
                form,
                names=product.names,
                parts=product.parts,
                levels=product.levels,
                layouts=product.layouts,
                service=product.service,
                status_levels=product.status_levels,
            )
    return form


def _times(values: Sequence[str], form: Format) -> int:
    clock = Clock(layouts=form.layouts, reference_us=_REFERENCE_US)
    return int(to_times(pl.Series(values, dtype=pl.String), clock).count())


def _levels(values: Sequence[str], form: Format) -> int:
    words = pl.Series(values, dtype=pl.String)
    return int((to_levels(words, form.levels) > 0).sum())


def _texts(values: Sequence[str], form: Format) -> int:
    return sum(1 for value in values if re.search("[A-Za-z0-9]", value))


_REFERENCE_US = 4_102_444_800_000_000
_READS: Mapping[str, Callable[[Sequence[str], Format], int]] = {"time": _times, "level": _levels, "host": _texts}


def _share(count: int, height: int) -> float:
    return count / height


def _candidates(telling: str, objects: Sequence[Mapping[str, str]], *, whole: bool = False) -> list[str]:
    seen = dict.fromkeys(name for each in objects for name in each)
    return [name for name in seen if re.search(telling, name if whole else name.rpartition(".")[2])]


def _best(
    column: str, telling: str | None, objects: Sequence[Mapping[str, str]], form: Format, *, whole: bool = False
) -> str | None:
    ranked = []
    for place, name in enumerate(_candidates(telling, objects, whole=whole) if telling else ()):
        values = [each.get(name, "") for each in objects]
        if column == "level" and re.search(_SCALED, name):
            values = [value for value in values if not value.isdigit()]
        share = _share(_READS[column](values, form), len(objects))
        if share >= _LEAST:
            leaf = name.rpartition(".")[2]
            worse = column == "time" and re.search(_WORSE, leaf) is not None
            better = column == "time" and re.search(_BETTER, leaf) is not None
            ranked.append((worse, not better, -round(share, 1), name.count("."), place, name))
    return min(ranked)[-1] if ranked else None


def _by_layout(telling: str, objects: Sequence[Mapping[str, str]]) -> tuple[str | None, str | None]:
    """A member whose times have a layout of their own, and the layout."""
    for name in _candidates(telling, objects):
        values = [each[name] for each in objects if each.get(name)]
        layout = guess.layout_of(values) if len(values) >= len(objects) * _LEAST else None
        if layout is not None:
            return name, layout
    return None, None
