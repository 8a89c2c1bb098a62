"""Small changes of rule files that leave everything else as its author wrote it."""

from __future__ import annotations

from logscope.errors import RuleError
from logscope.language.expressions import Or
from logscope.language.filter import parse_filter
from logscope.rules.documents import Located, documents
from logscope.rules.sigma.reading import slug

_FORMS = ("sequence", "record", "silence", "transaction")


def with_enabled(text: str, name: str, *, on: bool) -> str:
    """The text with a rule switched on or off.

    Args:
        text: Of a file.
        name: The rule's.
        on: Whether it is to run.

    Raises:
        RuleError: There is no such rule, or it is written in a way that cannot be changed here.
    """
    document = _document(text, name)
    lines = text.splitlines()
    told = f"enabled: {'true' if on else 'false'}"
    entry = document.value.get("enabled")
    if entry is not None:
        place = entry.line - 1
        head, found, _ = lines[place].partition("enabled:")
        if not found or head.strip():
            raise _unreadable(entry.line)
        lines[place] = told
    else:
        lines.insert(document.value["title"].line, told)
    changed = "\n".join(lines) + "\n"
    entry = _document(changed, name).value.get("enabled")
    if entry is None or entry.value is not on:
        raise _unreadable(document.line)
    return changed


def excluded_at(text: str, name: str) -> str:
    """What an exclusion narrows: the name of the step, or `record` or `transaction`.

    Raises:
        RuleError: There is no such rule, or nothing in it can be narrowed.
    """
    return _narrowed(_document(text, name))[0]


def with_exclusion(text: str, name: str, unless: str) -> str:
    """The text with a rule that no longer finds what a filter describes.

    Args:
        text: Of a file.
        name: The rule's.
        unless: A filter: over the records of its first step that happens, or over transactions.

    Raises:
        FilterError: It does not parse.
        RuleError: There is no such rule, or it is written in a way that cannot be changed here.
    """
    parse_filter(unless)
    document = _document(text, name)
    where, entry = _narrowed(document)
    old = str(entry.value).strip()
    kept = f"({old})" if isinstance(parse_filter(old), Or) else old
    wanted = f"{kept}\nnot ({unless})"
    lines = text.splitlines()
    place = entry.line - 1
    indent = lines[place].find("where:")
    if indent < 0 or "{" in lines[place][:indent]:
        raise _unreadable(entry.line)
    end = place + 1
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > indent):
        end += 1
    while end > place + 1 and not lines[end - 1].strip():
        end -= 1
    block = [" " * (indent + 2) + line for line in wanted.splitlines()]
    lines[place:end] = [lines[place][:indent] + "where: |-", *block]
    changed = "\n".join(lines) + "\n"
    again, entry = _narrowed(_document(changed, name))
    if again != where or entry.value != wanted:
        raise _unreadable(entry.line)
    return changed


def _document(text: str, name: str) -> Located:
    for document in documents(text, "rule"):
        if not isinstance(document.value, dict) or "title" not in document.value:
            continue
        own = document.value.get("name")
        if (own.value if own is not None else slug(str(document.value["title"].value))) == name:
            return document
    raise RuleError(f"no rule {name} in this file")


def _narrowed(document: Located) -> tuple[str, Located]:
    form = next((form for form in _FORMS if form in document.value), None)
    if form is None:
        raise RuleError("a Sigma rule cannot be narrowed here", mend="add a filter to its detection")
    entry = document.value[form]
    if form != "sequence":
        # What a silence names is a record too, the last before it.
        return "record" if form == "silence" else form, entry.value["where"]
    for step in entry.value["steps"].value:
        absent = step.value.get("absent")
        if "where" in step.value and not (absent is not None and absent.value is True):
            return str(step.value["name"].value) if "name" in step.value else "step1", step.value["where"]
    raise RuleError("no step of it has a filter", mend="exclude in the rule that it uses")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _unreadable(line: int) -> RuleError:
    return RuleError("it is written so that it cannot be changed here", line=line, mend="edit the file")
