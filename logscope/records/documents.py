"""How JSON documents begin that hold many records: told by sources, which look for logs, and by formats, which read them."""

from __future__ import annotations

import re

DOCUMENT = re.compile(rb'\s*\{\s*"(?:Records|resourceLogs)"\s*:\s*\[')
"""CloudTrail's, and OTLP's in JSON; without a byte-order mark."""
