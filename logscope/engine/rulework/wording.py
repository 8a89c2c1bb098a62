"""What a rule that is made in the investigator is called, and what it says."""

from __future__ import annotations

import re
from collections.abc import Sequence

from logscope.engine.rulework.proposing import Example
from logscope.rules.drafts import DraftField, DraftStep


def words_of_filter(text: str) -> list[str]:
    """The words in a filter, for a title; `keys.` and `fields.` before a name are none."""
    text = re.sub(r"\b(?:keys|fields)\.", "", text)
    kept = "".join(sign if sign.isalnum() or sign in "-_" else " " for sign in text)
    return ["no" if word == "not" else word for word in kept.split() if word not in ("and", "has")][:8]


def title_of(examples: Sequence[Example], words: Sequence[str]) -> str:
    """What a sequence of records is called: the words of each, else its service."""
    told = [text or one.service or "record" for text, one in zip(words, examples, strict=True)]
    return told_of(told, [one.absent for one in examples])


def told_of(words: Sequence[str], absent: Sequence[bool]) -> str:
    """`Charge begin, psp response, no charge settled`."""
    told = ", ".join(f"no {text}" if gone else text for text, gone in zip(words, absent, strict=True))
    return capital(told)[:120] or "A sequence"


def capital(text: str) -> str:
    """With a capital at its beginning; what is spelt in capitals stays so."""
    return text[:1].upper() + text[1:]


def message_of(title: str, chosen: Sequence[DraftField], steps: Sequence[DraftStep]) -> str:
    """What a sequence says: the first two fields chosen that its steps have, and its title."""
    gone = {step.name for step in steps if step.absent}
    shown = [one for one in chosen if one.source.partition(".")[0] not in gone]
    head = " ".join(f"{{{one.source}}}" for one in shown[:2])
    return f"{head}: {_within(title)}" if head else ""


def message_of_whole(grain: str | None, title: str) -> str:
    """What a rule over whole transactions says: which, what, how long it took."""
    return (f"{{{grain}}}: " if grain else "") + f"{_within(title)}, {{duration}}"


def _within(title: str) -> str:
    """A title within a message, where braces are names."""
    told = title.replace("{", "{{").replace("}", "}}")
    return told if told[1:2].isupper() else told[:1].lower() + told[1:]
