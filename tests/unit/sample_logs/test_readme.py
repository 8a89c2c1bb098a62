"""What the READMEs say of the shipped sample is true of it."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text()
LOGS = {path.name: gzip.decompress(path.read_bytes()).decode() for path in (ROOT / "sample_logs").glob("*.log.gz")}
TRUTH = json.loads((ROOT / "sample_logs" / "truth.json").read_text())


def test_the_payment_that_is_shown_is_in_the_logs() -> None:
    payments = LOGS["payments-1.log.gz"] + LOGS["payments-2.log.gz"]
    shown = re.findall(r"^    INFO  … (.+)…$", README, re.MULTILINE)
    assert len(shown) == 3
    assert all(text in payments for text in shown)


def test_the_failed_order_that_is_looked_into_did_fail() -> None:
    failed = {row["order_id"] for row in TRUTH["failed"]}
    looked_into = set(re.findall(r"(?:order_id=|')(ORD-\d+)'? --", README))
    assert looked_into
    assert looked_into <= failed
    assert f"Eight of {len(TRUTH['transactions'])} orders" in README
    assert len(failed) == 8


def test_every_file_that_is_linked_within_samples_and_docs_is_there() -> None:
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "sample_logs" / "README.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text()):
            if target != "logscope/rules/builtin":
                assert (document.parent / target).exists(), f"{document.name}: {target}"
