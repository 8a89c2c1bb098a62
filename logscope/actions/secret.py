"""Values that stand elsewhere: `env:NAME`, `file:PATH`; looked up when an action starts, shown never."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from logscope.errors import ConfigError

_LONGEST = 65_536
_SHORTEST_HIDDEN = 4


@dataclass(frozen=True, slots=True)
class Secret:
    """A setting's text that may name where its value stands.

    The last word of the text may be `env:NAME` or `file:PATH`: `env:TOKEN`, `Bearer env:TOKEN`.
    """

    text: str
    """As configured; shown as it is, since it holds only names."""
    where: str
    """The file it is configured in."""
    line: int | None
    setting: str

    @property
    def is_secret(self) -> bool:
        """Whether the value stands elsewhere."""
        return self._place()[0] is not None

    def _place(self) -> tuple[str | None, str, str]:
        before, blank, word = self.text.rpartition(" ")
        kind, colon, name = word.partition(":")
        return (kind, name, before + blank) if colon and kind in ("env", "file") and name else (None, "", self.text)

    def reveal(self) -> str:
        """The value.

        Raises:
            ConfigError: It is not there, or others than the owner may read it.
        """
        kind, name, before = self._place()
        if kind is None:
            return self.text
        value = self._environment(name) if kind == "env" else self._file(name)
        if any(sign in value for sign in "\r\n\0"):
            raise self._error(f"what {kind}:{name} holds is more than one line", "let it be one line")
        return before + value

    def _error(self, message: str, mend: str) -> ConfigError:
        return ConfigError(f"{self.setting}: {message}", self.where, self.line, mend=mend)

    def _environment(self, name: str) -> str:
        value = os.environ.get(name)
        if not value:
            raise self._error(f"the environment has no {name}", f"set {name} before starting logscope")
        return value

    def _file(self, name: str) -> str:
        path = Path(self.where).parent / Path(name).expanduser()
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                facts = os.fstat(fd)
                if not stat.S_ISREG(facts.st_mode):
                    raise self._error(f"{path} is no regular file", "name a file that holds the secret")
                if facts.st_mode & 0o077:
                    raise self._error(f"others may read {path}", f"chmod 600 {path}")
                value = os.read(fd, _LONGEST).decode()
            finally:
                os.close(fd)
        except (OSError, UnicodeDecodeError) as error:
            raise self._error(f"{path} cannot be read: {error}", "mind its name and rights") from error
        return value.rstrip("\r\n")


@dataclass(slots=True)
class Hidden:
    """The secrets in use, to be taken out of whatever is said."""

    values: list[str] = field(default_factory=list)

    def reveal(self, secret: Secret) -> str:
        """A secret's value, remembered if it stands elsewhere."""
        value = secret.reveal()
        if secret.is_secret:
            # What follows a word such as Bearer may stand alone in an answer.
            self.values += {part for part in (value, value.split(" ")[-1]) if len(part) >= _SHORTEST_HIDDEN}
        return value

    def without(self, text: str) -> str:
        """The text with every secret value masked."""
        for value in self.values:
            text = text.replace(value, "***")
        return text
