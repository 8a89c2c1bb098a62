"""Which shipped rules the user has switched on: a list of names in the configuration folder."""

from __future__ import annotations

from logscope.errors import RuleError
from logscope.paths import PACKAGE, config_folder, private_folder

_FILE = "enabled-rules.txt"


def shipped_rules() -> tuple[str, ...]:
    """Names of the shipped rules."""
    return tuple(sorted(path.stem for path in (PACKAGE / "rules" / "builtin").glob("*.yml")))


def enabled_rules() -> frozenset[str]:
    """Names of the shipped rules that are on."""
    try:
        text = (config_folder() / _FILE).read_text(encoding="utf-8")
    except OSError:
        return frozenset()
    return frozenset(line.strip() for line in text.splitlines() if line.strip())


def switch_rule(name: str, *, on: bool) -> None:
    """Switch a shipped rule on or off.

    Raises:
        RuleError: No rule of that name is shipped.
    """
    if name not in shipped_rules():
        known = ", ".join(shipped_rules())
        raise RuleError(f"no shipped rule is named {name!r}", mend=f"one of {known}; your own rules are files")
    names = enabled_rules() | {name} if on else enabled_rules() - {name}
    path = private_folder(config_folder()) / _FILE
    path.write_text("".join(f"{each}\n" for each in sorted(names)), encoding="utf-8")
