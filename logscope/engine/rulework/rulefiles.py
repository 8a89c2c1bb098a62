"""Rule files while a session is open: read anew when they change, changed from the screens, tested."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from logscope.engine.detection.ruleset import SHIPPED, load, load_files, load_rule_text, rule_paths
from logscope.errors import LogscopeError, RuleError
from logscope.paths import config_folder
from logscope.rules.edits import excluded_at, with_enabled, with_exclusion
from logscope.rules.enabled import switch_rule

if TYPE_CHECKING:
    from logscope.engine.answers import RuleState
    from logscope.engine.session import Session
    from logscope.rules.tests import TestResult


_HALF_WRITTEN = 0.7
"""Seconds after which a broken file is read once more: another program may write it in several steps."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What reading the rules anew has changed."""

    rules: int
    """That run now."""
    broken: tuple[str, ...]
    """Errors with file, line and mend."""
    kept: int = 0
    """Rules that run on as they were, since their file is broken now."""


class RuleFiles:
    """The files of the rules in force.

    Args:
        session: Whose rules they are.
    """

    def __init__(self, session: Session) -> None:
        """Nothing is watched yet."""
        self._session = session
        self._extra: list[Path] = []
        self._read: str = ""
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, path: Path) -> None:
        """A file that is in force from now on, whatever the options name."""
        if path not in self._extra:
            self._extra.append(path)

    def _paths(self) -> list[Path]:
        named = rule_paths(self._session.options)
        extra = [path for path in self._extra if not any(path == one or one in path.parents for one in named)]
        return [*named, *extra]

    def _state(self) -> str:
        """A digest of all files in force, and of which they are."""
        from logscope.rules.documents import MAX_BYTES
        from logscope.rules.loader import rule_files

        digest = hashlib.blake2b()
        for path in rule_files(self._paths())[0]:
            try:
                with path.open("rb") as file:
                    data = file.read(MAX_BYTES + 1)  # no more than a rule may have: a link may lead to a device
            except OSError:
                continue
            digest.update(str(path).encode("utf-8", "surrogatepass") + b"\0" + data + b"\0")
        return digest.hexdigest()

    def reload(self, *, force: bool = False) -> Reloaded | None:
        """Read all rules anew; None if no file has changed.

        Of a file that does not compile now the rules that ran before run on.

        Args:
            force: Though no file has changed (another one is in force).
        """
        with self._lock:
            state = self._state()
            if state == self._read and not force:
                return None
            self._read = state
            detecting = self._session.detecting
            named = {str(path) for path in rule_paths(self._session.options)}
            rules, errors = load(self._session.options, [path for path in self._extra if str(path) not in named])
            broken = {error.where for error in errors}
            names = {rule.name for rule in rules}
            kept = tuple(rule for rule in detecting.rules if rule.path in broken and rule.name not in names)
            self._session.replace_rules((*rules, *kept), errors)
            return Reloaded(len(rules) + len(kept), tuple(str(error) for error in errors), len(kept))

    # --- reading and changing one file

    def text_of(self, path: str) -> str:
        """The text of a rule file.

        Raises:
            RuleError: It cannot be read.
        """
        from logscope.rules.documents import read_text

        return read_text(Path(path))

    def check(self, text: str, path: str = "rule") -> Sequence[LogscopeError]:
        """What of a text does not compile, with line and mend."""
        return load_rule_text(text, path).errors

    def write(self, path: str, text: str) -> None:
        """Write a changed rule file.

        Raises:
            RuleError: It does not compile, is a shipped one, or cannot be written.
        """
        target = Path(path)
        if target.is_relative_to(SHIPPED):
            raise RuleError("a shipped rule is not changed", where=path, mend="copy it into your rules first")
        if errors := self.check(text, path):
            raise errors[0]
        fresh = target.with_name(f".{target.name}.new")
        try:
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(target)
        except OSError as error:
            raise RuleError(f"cannot be written: {error.strerror or error}", where=path) from None

    def switch(self, rule: RuleState, *, on: bool) -> None:
        """Switch a rule on or off: a shipped file in the list of those that are on, one's own in its text.

        Raises:
            RuleError: It cannot be switched.
        """
        if rule.path is None:
            raise RuleError("it was typed on the command line", mend="leave --rule out")
        path = Path(rule.path)
        if path.is_relative_to(SHIPPED):
            switch_rule(path.stem, on=on)
        else:
            self.write(rule.path, with_enabled(self.text_of(rule.path), rule.name, on=on))

    def own_copy(self, path: str) -> Path:
        """A shipped file as one of the user's own, which then runs in its place.

        Raises:
            RuleError: There is one of that name, or it cannot be written.
        """
        from logscope.engine.rulework.newfiles import write_new

        source = Path(path)
        copied = write_new(source.stem, self.text_of(path))
        switch_rule(source.stem, on=False)
        return copied

    def excluded(self, rule: RuleState, unless: str) -> tuple[str, str]:
        """The text of a rule that leaves out what a filter describes, and which part of it is narrowed.

        Raises:
            LogscopeError: It has no file, or cannot be changed here.
        """
        if rule.path is None:
            raise RuleError("it was typed on the command line", mend="save it as a rule first")
        text = self.text_of(rule.path)
        return with_exclusion(text, rule.name, unless), excluded_at(text, rule.name)

    def run_tests(self, rule: RuleState) -> Sequence[TestResult]:
        """How the tests of a rule go.

        Raises:
            RuleError: It has no file, or its file does not compile.
        """
        from logscope.engine.rulework.ruletests import run_rule_tests

        if rule.path is None:
            raise RuleError("it was typed on the command line", mend="save it as a rule first")
        loaded = load_files([Path(rule.path)])
        found = next((one for one in loaded.rules if one.name == rule.name), None)
        if found is None:
            raise loaded.errors[0] if loaded.errors else RuleError(f"no rule {rule.name}", where=rule.path)
        return run_rule_tests(found, loaded.rules)

    # --- watching

    def watch(self, told: Callable[[Reloaded], object]) -> None:
        """Read the rules anew whenever a file changes, on a thread, until `close`.

        Args:
            told: Called on that thread.
        """
        self._read = self._state()
        self._thread = threading.Thread(target=self._watch, args=(told,), name="logscope-rules", daemon=True)
        self._thread.start()

    def _watch(self, told: Callable[[Reloaded], object]) -> None:
        from watchfiles import watch

        while not self._stop.is_set():
            folders = {path if path.is_dir() else path.parent for path in (*self._paths(), config_folder() / "rules")}
            there = [folder for folder in folders if folder.is_dir() and not folder.is_relative_to(SHIPPED)]
            if not there:
                self._stop.wait(2.0)
                continue
            # Ends now and then, since folders may come: the user's rules folder is made by the first rule saved.
            for _ in watch(*there, stop_event=self._stop, rust_timeout=2000, yield_on_timeout=True, debounce=300):
                if (found := self.reload()) is not None:
                    if found.broken and not self._stop.wait(_HALF_WRITTEN):
                        found = self.reload() or found
                    told(found)
                if {path if path.is_dir() else path.parent for path in self._paths()} - folders:
                    break

    def close(self) -> None:
        """Watch no more."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=3)
