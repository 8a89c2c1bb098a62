"""The rules in force: which files, and what of them compiles."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from logscope.errors import LogscopeError
from logscope.paths import PACKAGE, config_folder
from logscope.query.filters import compile_filter
from logscope.query.transactions import compile_transaction_filter
from logscope.rules.enabled import enabled_rules

if TYPE_CHECKING:
    from logscope.engine.options import Options
    from logscope.rules.lint import Finding
    from logscope.rules.loaded import LoadedRules
    from logscope.rules.model.rule import Rule

SHIPPED = PACKAGE / "rules" / "builtin"
"""The rules that come with logscope."""


def load(options: Options, extra: Iterable[Path] = ()) -> tuple[tuple[Rule, ...], tuple[LogscopeError, ...]]:
    """The rules that the options and the user's folders name.

    Args:
        options: What the user asked for.
        extra: Files that are in force too.

    Returns:
        Those that compile, and the errors of the others.
    """
    paths = [*rule_paths(options), *extra]
    if not paths and not options.rule:
        return (), ()
    # YAML costs a tenth of the time to the first screen, and most who open a log run no rule.
    from logscope.rules.doubles import distinct, free_name
    from logscope.rules.loader import rule_from_sequence

    loaded = load_files(paths)
    errors: list[LogscopeError] = list(loaded.errors)
    used = {name for rule in loaded.rules if rule.enabled for name in rule.uses}
    rules = [rule for rule in loaded.rules if rule.enabled and (not rule.quiet or rule.name in used)]
    # A shipped rule that the user has taken over runs as it is now, once.
    own = {rule.key for rule in loaded.rules if not is_shipped(rule.path)}
    rules = [rule for rule in rules if not (is_shipped(rule.path) and rule.key in own)]
    rules, clashes = distinct(rules)
    errors += clashes
    for text in dict.fromkeys(options.rule):
        try:
            # Two of one name would be one rule to whatever goes by names and ids.
            rules.append(rule_from_sequence(text, compile_filter, name=free_name("seq", rules)))
        except LogscopeError as error:
            error.where = error.where or "--rule"
            errors.append(error)
    return tuple(rules), tuple(errors)


def is_shipped(path: str | None) -> bool:
    """Whether a rule's file is one that comes with logscope."""
    return path is not None and Path(path).is_relative_to(SHIPPED)


def load_files(paths: Iterable[Path]) -> LoadedRules:
    """All rules of files and folders; the good ones, and every error of the others."""
    from logscope.rules.loader import load_rules

    return load_rules(paths, compile_filter, compile_transaction_filter)


def load_rule_text(text: str, where: str = "rule") -> LoadedRules:
    """All rules of one YAML text.

    Args:
        text: One or more documents.
        where: What errors call it.
    """
    from logscope.rules.loader import load_text

    return load_text(text, compile_filter, compile_transaction_filter, where=where)


def lint_files(paths: Iterable[Path]) -> tuple[Finding, ...]:
    """What there is to say of rule files (see `rules.lint`)."""
    from logscope.rules.lint import lint

    return lint(paths, compile_filter, compile_transaction_filter)


def rule_path(name: str) -> Path:
    """The file or folder that is meant: as named, else a shipped one by its name; `builtin` is all of these."""
    path = Path(name)
    own = SHIPPED if name == SHIPPED.name else SHIPPED / f"{name}.yml"
    return path if path.exists() or not own.exists() else own


def rule_paths(options: Options) -> list[Path]:
    """Rule files and folders in force, the shipped ones that are enabled among them."""
    if options.rules:
        paths = [rule_path(path) for path in options.rules]
    else:
        paths = [path for path in (config_folder() / "rules", Path(".logscope/rules")) if path.is_dir()]
    shipped = sorted(SHIPPED.glob("*.yml"))
    names = enabled_rules()
    return [*paths, *(path for path in shipped if options.shipped_rules or path.stem in names)]
