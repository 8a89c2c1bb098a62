"""The investigator on a fake with hostile texts, for a pty: `python -m tests.tui.pty_app`."""

from __future__ import annotations

import json
import sys

from logscope.tui.run import run
from tests.tui.fake import FakeInvestigation

if __name__ == "__main__":
    fake = FakeInvestigation(12, extra=json.loads(sys.argv[1]))
    fake.messages = tuple(fake.extra)
    raise SystemExit(run(fake, zone="UTC", title=fake.extra[0]))
