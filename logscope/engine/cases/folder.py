"""The folder with cases, in the user's state folder."""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from logscope.engine.cases.casefile import read_case, to_object
from logscope.engine.pinned import CaseFile
from logscope.errors import UsageError
from logscope.paths import private_folder, state_folder

_NAME = re.compile(r"[\w][\w.-]{0,79}")


class Cases:
    """Cases by name, a file each, readable by their owner alone.

    Args:
        folder: By default `cases` in the state folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Nothing is read yet."""
        self._folder = folder if folder is not None else state_folder() / "cases"

    def path(self, name: str) -> Path:
        """The file of a case.

        Raises:
            UsageError: It cannot be the name of one.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} cannot name a case", mend="use letters, digits, - . and _")
        return self._folder / f"{name}.json"

    def load(self, wanted: str) -> CaseFile:
        """A case by name, or from a file.

        Raises:
            UsageError: There is none, or it cannot be read.
        """
        if _NAME.fullmatch(wanted) and self.path(wanted).is_file():
            return read_case(self.path(wanted))
        path = Path(wanted).expanduser()
        if not path.is_file():
            names = ", ".join(one.name for one in self.all()[:8]) or "none is kept"
            raise UsageError(f"no case {wanted!r}", "--case", mend=f"name one that is kept ({names}) or a file")
        case = read_case(path)
        return case if _NAME.fullmatch(case.name) else replace(case, name=_name_of(case.name or path.stem))

    def save(self, case: CaseFile) -> CaseFile:
        """Keep a case.

        Raises:
            UsageError: It cannot be written.
        """
        path, kept = self.path(case.name), replace(case, saved=time.time())
        temporary = None
        try:
            private_folder(self._folder)
            handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".new-")
            with os.fdopen(handle, "w", encoding="utf-8", errors="surrogatepass") as file:
                json.dump(to_object(kept), file, indent=1)
            Path(temporary).replace(path)
        except OSError as error:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)
            raise UsageError(f"the case cannot be written: {error.strerror}", str(path)) from error
        return kept

    def all(self) -> list[CaseFile]:
        """All that can be read, the last one first."""
        found = []
        for path in self._folder.glob("*.json") if self._folder.is_dir() else ():
            try:
                found.append(replace(read_case(path), name=path.stem))
            except UsageError:
                continue
        return sorted(found, key=lambda one: -one.saved)

    def of_sources(self, sources: Sequence[str]) -> CaseFile | None:
        """The last case that was made of just these sources."""
        return next((one for one in self.all() if set(one.sources) == set(sources)), None)

    def drop(self, name: str) -> bool:
        """Forget a case; False if there is none.

        Raises:
            UsageError: It cannot be removed.
        """
        path = self.path(name)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise UsageError(f"the case cannot be removed: {error.strerror}", str(path)) from error
        return True

    def free_name(self, sources: Sequence[str]) -> str:
        """A name for a new case: the day, what it is of, a number if there is such a one."""
        stem = _name_of(f"{time.strftime('%Y-%m-%d')}-{Path(sources[0]).name.split('.')[0] if sources else 'case'}")
        names = {one.name for one in self.all()}
        numbered = (f"{stem}-{number}" if number > 1 else stem for number in range(1, 1_000_000))
        return next(name for name in numbered if name not in names)


def _name_of(text: str) -> str:
    kept = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_.") else "-" for sign in text)
    return kept.strip("-._")[:70] or "case"
