"""What time does to logs: records are lost, ids are blanked. The story stays as it was."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

IDENTIFIER = re.compile(r"ORD-[0-9]{6}|PSP[0-9]{8}|\b[0-9a-f]{32}\b")
"""An order id, a PSP reference or a request id; session ids are none of these."""

BLANK = "-"
"""What stands where an id was."""


@dataclass
class Wear:
    """Loses and masks records by chance, by draws that do not touch the story.

    Args:
        seed: The sample's.
        mask: Share of the records with two or more ids that keep only one, 0 to 1.
        loss: Share of all records that are never written, 0 to 1.
    """

    seed: int
    mask: float = 0.0
    loss: float = 0.0

    def __post_init__(self) -> None:
        """Set up one stream of chance for each kind of wear, so that one does not change the other."""
        self._masking = random.Random(f"mask {self.seed}")
        self._losing = random.Random(f"loss {self.seed}")

    def loses(self) -> bool:
        """Whether the next record is lost; to be asked once for each record, in order."""
        return self._losing.random() < self.loss

    def masked(self, text: str) -> str:
        """The record's text, perhaps with all of its ids but one blanked; asked as `loses`."""
        if not self.mask:
            return text
        ids = sorted(set(IDENTIFIER.findall(text)))
        if len(ids) < 2:
            return text
        draw, kept = self._masking.random(), ids[self._masking.randrange(len(ids))]
        if draw >= self.mask:
            return text
        return IDENTIFIER.sub(lambda found: kept if found.group() == kept else BLANK, text)
