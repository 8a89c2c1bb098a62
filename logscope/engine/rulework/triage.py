"""What the analyst has decided about detections, kept by their ids: the same records give the same id again."""

from __future__ import annotations

import json
import os
import time as clock
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from logscope.errors import ConfigError
from logscope.paths import private_folder, state_folder

ACKNOWLEDGED, FALSE_POSITIVE = "acknowledged", "false positive"
_FILE = "triage.json"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about one detection."""

    verdict: str
    """`acknowledged` or `false positive`."""
    reason: str = ""
    rule: str = ""
    at: int = 0
    """When, seconds since 1970 UTC."""


class Triage:
    """Verdicts in the state folder."""

    def __init__(self, folder: Path | None = None) -> None:
        """Of `folder`; by default the user's state folder."""
        self._path = (folder or state_folder()) / _FILE

    def verdicts(self) -> Mapping[str, Verdict]:
        """By detection id; none where nothing can be read.

        Raises:
            ConfigError: The file is there and is not what was written.
        """
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(name): Verdict(**entry) for name, entry in entries.items()}
        except OSError:
            return {}
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"cannot be read: {error}", where=str(self._path), mend="mend it, or move it away"
            ) from error

    def judge(self, detection: str, verdict: Verdict | None) -> None:
        """Keep a verdict; None takes it back.

        Raises:
            ConfigError: It cannot be kept.
        """
        known = dict(self.verdicts())
        if verdict is None:
            known.pop(detection, None)
        else:
            known[detection] = Verdict(verdict.verdict, verdict.reason, verdict.rule, int(clock.time()))
        text = json.dumps({name: asdict(entry) for name, entry in known.items()}, ensure_ascii=True, indent=0)
        try:
            private_folder(self._path.parent)
            fresh = self._path.with_name(f"{_FILE}.{os.getpid()}")
            fresh.write_text(text + "\n", encoding="utf-8")
            fresh.replace(self._path)
        except OSError as error:
            raise ConfigError(f"cannot be written: {error.strerror or error}", where=str(self._path)) from error
