"""What a rule that is made in the investigator is called, and what it says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from logscope.engine.rulework.newfiles import name_of
from logscope.engine.rulework.proposing import Example
from logscope.rules.drafts import Draft, DraftField, DraftStep


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


def retold(before: Draft, after: Draft) -> Draft:
    """A sequence whose steps were changed, called by what they are now.

    Args:
        before: The draft with the steps that its title was made of.
        after: Without a step, or with one that must not happen where it had to.

    Returns:
        `after` with another title, name and message, as far as those of `before` were made of its steps; what was
        typed stays.
    """
    parts = before.title.split(", ")
    if len(parts) != len(before.steps):
        return after
    plain = {
        step.name: _small(part).removeprefix("no ") if step.absent else _small(part)
        for step, part in zip(before.steps, parts, strict=True)
    }
    if told_of(list(plain.values()), [step.absent for step in before.steps]) != before.title:
        return after
    title = told_of([plain[step.name] for step in after.steps], [step.absent for step in after.steps])
    message = after.message
    if before.message == message_of(before.title, before.chosen, before.steps):
        message = message_of(title, after.chosen, after.steps)
    name = name_of(title) if before.name == name_of(before.title) else after.name
    return replace(after, title=title, name=name, message=message)


def message_of_whole(grain: str | None, title: str) -> str:
    """What a rule over whole transactions says: which, what, how long it took."""
    return (f"{{{grain}}}: " if grain else "") + f"{_within(title)}, {{duration}}"


def _within(title: str) -> str:
    """A title within a message, where braces are names."""
    return _small(title.replace("{", "{{").replace("}", "}}"))


def _small(text: str) -> str:
    """With a small letter at its beginning; what is spelt in capitals stays so."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
