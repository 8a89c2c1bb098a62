"""A new rule's name and file: in the user's rules, never over another one."""

from __future__ import annotations

import os
from pathlib import Path

from logscope.errors import RuleError
from logscope.paths import config_folder, private_folder

_NAME_CHARACTERS = 60


def name_of(title: str) -> str:
    """A rule's name made of its title: lower case ASCII letters, digits, `_`; may be empty."""
    kept = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in title.lower())
    name = "_".join(part for part in kept.split("_") if part)
    if len(name) > _NAME_CHARACTERS:
        whole = name[: _NAME_CHARACTERS + 1].rpartition("_")[0]
        name = whole or name[:_NAME_CHARACTERS]
    return name


def write_new(name: str, text: str) -> Path:
    """Write a rule file into the user's rules; never over another one.

    Args:
        name: Of the file, without its ending.
        text: YAML.

    Raises:
        RuleError: A file of that name is there, or it cannot be written.
    """
    if name_of(name) != name:
        raise RuleError(f"{name!r} is no name for a rule", mend=f"for example {name_of(name) or 'my_rule'}")
    path = private_folder(config_folder() / "rules") / f"{name}.yml"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise RuleError("a rule of that name is there", where=str(path), mend="take another name") from None
    except OSError as error:
        raise RuleError(f"cannot be written: {error.strerror or error}", where=str(path)) from None
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return path
