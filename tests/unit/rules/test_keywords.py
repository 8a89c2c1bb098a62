from __future__ import annotations

import pytest

from logscope.rules.keywords import offered

TEXT = """\
title: x
sequence:
  by: [transaction]
  steps:
    - name: begin
      where: |-
        service:payments
emit:
  message: x
---
"""


@pytest.mark.parametrize(
    ("after", "typed", "rest"),
    [
        ("", "ti", "tle: "),
        ("title: x", "seq", "uence:\n  "),
        ("title: x", "wh", ""),
        ("  by: [transaction]", "  max", "span: "),
        ("    - name: begin", "      wh", "ere: |-\n        "),
        ("    - name: begin", "    - abs", "ent: "),
        ("      where: |-", "        ord", "er_id"),
        ("        service:payments", "        amount>1 ord", "er_id"),
        ("emit:", "  sup", "press: "),
        ("emit:", "  wh", ""),
        ("  message: x", "level: cr", "itical"),
        ("title: x", "  by: [tra", "nsaction"),
        ("---", "reco", "rd:\n  "),
        ("---", "within", ""),
    ],
)
def test_what_is_offered_fits_the_part_it_stands_in(after: str, typed: str, rest: str) -> None:
    lines = TEXT.splitlines()
    row = lines.index(after) + 1 if after else 0
    lines[row:] = [typed]
    word = typed.split()[-1].strip("[") if typed.strip() else ""
    assert offered(lines, row, word, ["order_id", "amount"]) == rest
