"""`python -m tests.conformance sigma`: prints counts and each failure; exit 1 if more than 2 % fail."""

from __future__ import annotations

import sys

from tests.conformance.sigma import run

if __name__ == "__main__":
    if sys.argv[1:] != ["sigma"]:
        sys.exit("usage: python -m tests.conformance sigma")
    sys.exit(run())
