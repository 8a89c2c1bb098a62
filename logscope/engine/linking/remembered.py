"""Plans that were found before, one per set of sources, in the state folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from logscope.correlation.plan import Plan, from_toml, to_toml
from logscope.errors import PlanError
from logscope.paths import private_folder, state_folder

GROWN = 2
"""A log that has grown so many times since is looked at anew."""
ENOUGH = 200_000
"""Unless a plan was found in so many records: more are never looked at."""
_COUNT = "# records = "


class Remembered:
    """The plan of one set of sources.

    Args:
        sources: Their names.
        heads: The first record of each: a file of the same name that begins otherwise is another.
    """

    def __init__(self, sources: Sequence[str], heads: Sequence[str]) -> None:
        """Nothing is read yet."""
        digest = hashlib.blake2b(digest_size=12)
        for name, head in sorted(zip(sources, heads, strict=True)):
            digest.update(f"{Path(name).absolute()}\x1f{head}\x1e".encode("utf-8", "surrogateescape"))
        self.path = state_folder() / "plans" / f"{digest.hexdigest()}.toml"

    def load(self, records: int) -> Plan | None:
        """The plan, if there is one that `records` records have not outgrown.

        Args:
            records: How many there are now.

        Returns:
            With a notice that says when it was found and how to look anew.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
            then = int(text.partition(_COUNT)[2].partition("\n")[0])
            found = datetime.fromtimestamp(self.path.stat().st_mtime, UTC)
            plan = from_toml(text, str(self.path))
        except (OSError, ValueError, PlanError):
            return None
        if records < then or (then < ENOUGH and records > GROWN * then):
            return None
        said = f"keys and grain as found in these sources on {found:%Y-%m-%d %H:%M}Z; --no-cache looks anew"
        return replace(plan, notices=(said,))

    def save(self, plan: Plan, records: int) -> None:
        """Keep a plan; a state folder that cannot be written is no error.

        Args:
            plan: As found.
            records: How many it was found in.
        """
        with suppress(OSError):
            private_folder(self.path.parent)
            part = self.path.with_suffix(".part")
            part.write_text(f"{_COUNT}{records}\n{to_toml(plan)}", encoding="utf-8")
            part.replace(self.path)
