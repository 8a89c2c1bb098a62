"""Templates of messages: masked texts, those merged that differ in a free word alone (after Drain and IPLoM).

A word is a value if it takes many forms while all else stays equal; a state (`NEW`, `PAID`) takes
few and stays. The result depends on the set of texts alone, not on their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from logscope.analysis.masking import WILD

FORMS = 6
"""Different words in one place, all else equal, that make it a value."""
_MOST_TEXTS = 20_000
_MOST_FOR_PAIRS = 4_000
_MOST_TOKENS = 40
_ROUNDS = 3
_HEAD = 3
_GLUE = "=:/(["

Tokens = tuple[str, ...]


def merged(texts: Sequence[str]) -> dict[str, str]:
    """The template of every masked text.

    Args:
        texts: Distinct masked texts, in any order.
    """
    chosen = sorted(texts)
    found: dict[str, str] = {}
    if len(chosen) > _MOST_TEXTS:
        # Free prose without end: its beginning is all that can be told of it in bounded time.
        heads = {text: _head(text) for text in chosen}
        found, chosen = heads, sorted(set(heads.values()))
    forms: dict[str, Tokens] = {text: tuple(text.split(" ")[:_MOST_TOKENS]) for text in chosen}
    for _ in range(_ROUNDS):
        distinct = sorted(set(forms.values()))
        moved = _generalised(distinct, pairs=len(distinct) <= _MOST_FOR_PAIRS)
        if not moved:
            break
        forms = {text: moved.get(tokens, tokens) for text, tokens in forms.items()}
    templates = {text: " ".join(tokens) for text, tokens in forms.items()}
    if found:
        return {text: templates[head] for text, head in found.items()}
    return templates


def _head(text: str) -> str:
    words = text.split(" ")
    return text if len(words) <= _HEAD else " ".join([*words[:_HEAD], WILD])


def _generalised(distinct: Sequence[Tokens], *, pairs: bool) -> dict[Tokens, Tokens]:
    """Tokens that became more general in one place, or in two at once."""
    moved: dict[Tokens, Tokens] = {}
    for places in (1, 2) if pairs else (1,):
        for group in _alike(distinct, places):
            for tokens, general in group:
                moved.setdefault(tokens, general)
        if moved:
            return moved
    return moved


def _alike(distinct: Sequence[Tokens], places: int) -> Iterable[list[tuple[Tokens, Tokens]]]:
    """Groups of tokens that are equal but for one or two places where many forms stand."""
    rests: dict[tuple[object, ...], list[Tokens]] = {}
    for tokens in distinct:
        # The first word tells what it is about; a text of two words has nothing else to tell by.
        free = [place for place in range(1, len(tokens)) if WILD not in tokens[place]]
        if len(tokens) < 2 + places:
            continue
        if places == 1:
            for place in free:
                rests.setdefault((place, *tokens[:place], None, *tokens[place + 1 :]), []).append(tokens)
        else:
            for number, first in enumerate(free):
                for second in free[number + 1 :]:
                    rest = list(tokens)
                    rest[first] = rest[second] = ""
                    rests.setdefault((first, second, *rest), []).append(tokens)
    for key, group in sorted(rests.items(), key=lambda item: (-len(item[1]), str(item[0]))):
        where = [place for place in key[:places] if isinstance(place, int)]
        if all(len({tokens[place] for tokens in group}) >= FORMS for place in where):
            yield [(tokens, _with_values(tokens, group, where)) for tokens in group]


def _with_values(tokens: Tokens, group: Sequence[Tokens], places: Sequence[int]) -> Tokens:
    general = list(tokens)
    for place in places:
        general[place] = _slot([other[place] for other in group])
    return tuple(general)


def _slot(words: Sequence[str]) -> str:
    """`<*>`, after the name that all of them begin with: `user=<*>`."""
    first = words[0]
    cut = max((first.find(sign) + 1 for sign in _GLUE if sign in first), default=0)
    lead = first[:cut]
    return lead + WILD if lead and all(word.startswith(lead) for word in words) else WILD
