"""Sessions on disk: what was made of a view, per set of sources, in the user's state folder."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logscope.errors import UsageError
from logscope.paths import private_folder, state_folder
from logscope.tui.viewstate import ViewState, from_json, to_json

KEPT = 200
"""Sessions that are kept; the oldest without a name go first."""
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """One session."""

    id: str
    """What its sources are told from others by; of a named one its name."""
    sources: tuple[str, ...]
    state: ViewState
    place: tuple[str, int] | None
    """Source and line of the record one stood on."""
    saved: float
    """When, seconds since 1970 UTC."""
    name: str = ""


class Sessions:
    """The folder with sessions.

    Args:
        folder: By default `sessions` in the user's state folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Nothing is read yet."""
        self._folder = folder if folder is not None else state_folder() / "sessions"

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def load(self, name: str) -> Kept | None:
        """A session by its fingerprint or name; None where there is none that can be read."""
        try:
            return _kept(name, json.loads(self._path(name).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def save(self, fingerprint: str, sources: Sequence[str], state: ViewState, place: tuple[str, int] | None) -> None:
        """Keep a session for the next time the same sources are opened; failing to is no matter."""
        data = {"version": _VERSION, "sources": list(sources), "state": to_json(state), "place": place}
        with contextlib.suppress(OSError):
            self._write(fingerprint, {**data, "saved": time.time()})
            self._forget_old()

    def save_as(self, name: str, sources: Sequence[str], state: ViewState, place: tuple[str, int] | None) -> None:
        """Keep a session under a name.

        Raises:
            UsageError: The name cannot be one of a file, or it cannot be written.
        """
        if not re.fullmatch(r"[\w.-]{1,60}", name) or name.startswith("."):
            raise UsageError(f"{name!r} cannot name a session", mend="use letters, digits, - and _")
        data = {"version": _VERSION, "name": name, "sources": list(sources), "state": to_json(state), "place": place}
        try:
            self._write(f"named-{name}", {**data, "saved": time.time()})
        except OSError as error:
            raise UsageError(f"the session cannot be written: {error}") from error

    def named(self, name: str) -> Kept | None:
        """A session by the name it was given."""
        return self.load(f"named-{name}")

    def _write(self, name: str, data: dict[str, Any]) -> None:
        private_folder(self._folder)
        handle, path = tempfile.mkstemp(dir=self._folder, prefix=".new-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file, ensure_ascii=False, indent=1)
        Path(path).replace(self._path(name))

    def recent(self) -> list[Kept]:
        """All sessions, the last one first."""
        found = [self.load(path.stem) for path in self._folder.glob("*.json")] if self._folder.is_dir() else []
        return sorted((one for one in found if one is not None), key=lambda one: -one.saved)

    def _forget_old(self) -> None:
        paths = [path for path in self._folder.glob("*.json") if not path.name.startswith("named-")]
        for path in sorted(paths, key=lambda one: one.stat().st_mtime)[:-KEPT]:
            path.unlink(missing_ok=True)


def _kept(name: str, data: Any) -> Kept:
    if not isinstance(data, dict) or not isinstance(data.get("sources"), list):
        raise ValueError("no session")
    place = data.get("place")
    stood = (str(place[0]), int(place[1])) if isinstance(place, list) and len(place) == 2 else None
    saved = data.get("saved")
    return Kept(
        name,
        tuple(str(one) for one in data["sources"]),
        from_json(data.get("state")),
        stood,
        float(saved) if isinstance(saved, int | float) else 0.0,
        str(data.get("name") or ""),
    )
