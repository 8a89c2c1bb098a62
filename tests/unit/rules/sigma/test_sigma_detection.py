"""Sigma detection rules over record frames."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from logscope.query.filters import compile_filter
from logscope.records.schema import TIME
from logscope.rules.detector import Detector
from logscope.rules.loader import load_text
from logscope.rules.model.rule import Rule
from tests.pipelines import all_records

_SHARED = Path(os.environ.get("LOGSCOPE_SHARED", Path(__file__).parents[5] / "shared")) / "data" / "sigma" / "rules"


def rule_of(detection: str, logsource: str = "{category: other}") -> Rule:
    text = f"title: A rule\nlogsource: {logsource}\ndetection: {detection}\n"
    loaded = load_text(text, compile_filter, where="r.yml")
    assert not loaded.errors, loaded.errors
    return loaded.rules[0]


def matches(detection: str, frame: pl.DataFrame, logsource: str = "") -> list[bool]:
    """Of a logsource, or of one that means all records."""
    if not logsource:
        with all_records():
            return matches(detection, frame, "{category: other}")
    sequence = rule_of(detection, logsource).sequence
    assert sequence is not None
    return sequence.steps[0].filter.mask(frame).to_list()


CASES: list[tuple[str, list[str | None], list[int]]] = [
    ("{a: Foo}", ["foo", "FOO", "foo2", None], [1, 1, 0, 0]),
    ("{a|cased: Foo}", ["foo", "Foo", None], [0, 1, 0]),
    ("{a|contains: 'b.c'}", ["aB.Cd", "abxcd", None], [1, 0, 0]),
    ("{a|contains: [x.Y, '\u00e4', z]}", ["aX.yb", "\u00c4", "x-y", "Z", None], [1, 1, 0, 1, 0]),
    ("{a|contains|all: [x, y]}", ["yx", "x", "y"], [1, 0, 0]),
    ("{a|startswith: ab}", ["ABc", "cab"], [1, 0]),
    ("{a|endswith: ab}", ["xAB", "abx"], [1, 0]),
    ("{a: 'a?c*'}", ["abc", "abcd", "ac", "xabc", "a\nc"], [1, 1, 0, 0, 1]),
    ("{a: 'a\\*c'}", ["a*c", "abc"], [1, 0]),
    ("{a: '*'}", ["", "x", None], [1, 1, 0]),
    ("{a: ''}", ["", "x", None], [1, 0, 0]),
    ("{a: null}", ["", None], [0, 1]),
    ("{a|exists: true}", ["", None], [1, 0]),
    ("{a|exists: false}", ["", None], [0, 1]),
    ("{a|re: '^a.c$'}", ["abc", "ABC", "xabc"], [1, 0, 0]),
    ("{a|re|i: '^a.c$'}", ["abc", "ABC", "xabc"], [1, 1, 0]),
    ("{a|cidr: 10.1.0.0/16}", ["10.1.255.255", "10.2.0.0", "10.1.0.999", "x", None], [1, 0, 0, 0, 0]),
    ("{a|cidr: 'fe80::/10'}", ["fe80::1", "febf::", "fec0::", "x:y", None], [1, 1, 0, 0, 0]),
    ("{a|gte: 10}", ["9", "10", "1e1", "x", None], [0, 1, 1, 0, 0]),
    ("{a|lt: 10}", ["9", "10", None], [1, 0, 0]),
    ("{a: 5}", ["5", "5.0", "50", None], [1, 1, 0, 0]),
    ("{a: true}", ["true", "True", "false", None], [1, 1, 0, 0]),
    ("{a|base64: foo}", ["Zm9v", "foo"], [1, 0]),
    ("{a|base64offset|contains: foobar}", ["xxZm9vYmFy", "foobar"], [1, 0]),
    ("{a|hour: 3}", ["2026-11-01T03:59:00+02:00", "2026-11-01 13:00", "2026-11-01", "x", None], [1, 0, 0, 0, 0]),
    ("{a|day: 1}", ["2026-11-01", "2026-11-02T00:00Z", "2026-13-01"], [1, 0, 0]),
    ("{a|week: 44}", ["2026-11-01", "2026-11-02"], [1, 0]),
    ("{a|hour|gte: 22}", ["2026-11-01T22:00:00", "2026-11-01T21:59:00", "1793570400000000"], [1, 0, 1]),
    ("{a|neq: foo}", ["FOO", "bar", None], [0, 1, 1]),
    ("{a|re|m: '^b$'}", ["a\nb", "ab"], [1, 0]),
    ("{a|re|s: 'a.b'}", ["a\nb", "ab"], [1, 0]),
    ("{a|wide|base64offset|contains: 'ping'}", ["xxcABpAG4AZw", "ping"], [1, 0]),
    ("{a|windash|contains: ' -h'}", ["x -h", "x /h", "x h"], [1, 1, 0]),
    ("{a|fieldref: b}", ["SAME", "other", None], [1, 0, 0]),
    ("{a|gt: 10}", ["10", "10.5", "x", None], [0, 1, 0, 0]),
    ("{a|lte: 10}", ["10", "10.5", None], [1, 0, 0]),
    ("{a|minute: 59}", ["2026-11-01T03:59:00Z", "2026-11-01T03:58:59Z"], [1, 0]),
    ("{a|month: 11}", ["2026-11-01", "2026-12-01"], [1, 0]),
    ("{a|year: 2026}", ["2026-11-01", "2025-11-01"], [1, 0]),
    ("{a|re|ignorecase: '^a.c$'}", ["ABC", "xabc"], [1, 0]),
    ("{a|re|multiline: '^b$'}", ["a\nb", "ab"], [1, 0]),
    ("{a|re|dotall: 'a.b'}", ["a\nb", "ab"], [1, 0]),
    ("{a|utf16|base64: ping}", ["//5wAGkAbgBnAA==", "ping"], [1, 0]),
    ("{a|utf16be|base64: ping}", ["AHAAaQBuAGc=", "ping"], [1, 0]),
    ("{a|wide|base64: ping}", ["cABpAG4AZwA=", "ping"], [1, 0]),
    ("{a|fieldref|startswith: b}", ["same and more", "more same", None], [1, 0, 0]),
    ("{a|fieldref|endswith: b}", ["the SAME", "same but", None], [1, 0, 0]),
    ("{a|fieldref|contains: b}", ["not the same one", "other", None], [1, 0, 0]),
    ("{a|contains|cased: Ab}", ["xAbx", "xabx"], [1, 0]),
    ("{a|contains|neq: ab}", ["xABx", "x", None], [0, 1, 1]),
    ("{a|windash|contains|all: [' -a', ' -b']}", ["x /a -b", "x -a", "x a b"], [1, 0, 0]),
]


@pytest.mark.parametrize(("item", "values", "expected"), CASES)
def test_modifiers(item: str, values: list[str | None], expected: list[int]) -> None:
    frame = pl.DataFrame({"fields.a": pl.Series(values, dtype=pl.String)}).with_columns(
        pl.lit("same").alias("fields.b")
    )
    assert matches(f"{{s: {item}, condition: s}}", frame) == [bool(one) for one in expected]
    assert matches(f"{{s: {item}, condition: not s}}", frame) == [not one for one in expected]


def test_every_modifier_of_pysigma_is_tried_and_stands_in_the_guide() -> None:
    from sigma.modifiers import modifier_mapping

    told = re.findall(
        r"^\| `(\w+)`",
        (Path(__file__).parents[4] / "docs" / "rules.md").read_text().partition("### Modifiers")[2],
        re.M,
    )
    assert set(told) == set(modifier_mapping)
    tried = {name for item, _, _ in CASES for name in item.partition(":")[0].split("|")[1:]}
    assert set(modifier_mapping) - tried == {"expand"}, "which has a test of its own in test_pipelines.py"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("1 of them", [1, 1, 1, 0]),
        ("all of s*", [1, 0, 0, 0]),
        ("s1 and not s2", [0, 1, 0, 0]),
        ("not (s1 or s2)", [0, 0, 0, 1]),
    ],
)
def test_conditions(condition: str, expected: list[int]) -> None:
    frame = pl.DataFrame({"fields.a": ["x", "x", None, None], "fields.b": [1, 2, 1, 2]})
    detection = f"{{s1: {{a: x}}, s2: {{b: 1}}, condition: {condition}}}"
    assert matches(detection, frame) == [bool(one) for one in expected]


def test_a_logsource_chooses_records_and_names_fields() -> None:
    frame = pl.DataFrame(
        {"service": ["sshd", "cron"], "raw": ["Bad [x]", "bad [x]"], "fields.path": ["/a?id=1", None]}
    ).with_columns(pl.lit("GET").alias("fields.method"), pl.lit("200").alias("fields.status"))
    assert matches("{k: ['bad [x]'], condition: k}", frame, "{product: linux, service: sshd}") == [True, False]
    assert matches("{k: {cs-uri-stem: /a}, condition: k}", frame, "{category: webserver}") == [True, False]
    assert matches("{k: {c-uri-query: id=1}, condition: not k}", frame, "{category: proxy}") == [False, True]


@pytest.mark.parametrize(
    ("detection", "words"),
    [
        ("{s: {a|re: '(?=x)y'}, condition: s}", "r.yml:3"),
        ("{s: {a|expand: '%x%'}, condition: s}", "not resolved"),
        ("{s: {a: b}, condition: t}", "not a Sigma rule"),
    ],
)
def test_what_cannot_be_evaluated_is_said(detection: str, words: str) -> None:
    text = f"title: x\nlogsource: {{category: x}}\ndetection: {detection}\n"
    loaded = load_text(text, compile_filter, where="r.yml")
    assert not loaded.rules
    assert any(words in str(error) for error in loaded.errors), loaded.errors


@pytest.mark.parametrize(
    "rest",
    [
        "logsource: 5\ndetection: {s: {a: b}, condition: s}",
        "logsource: {category: [x]}\ndetection: {s: {a: b}, condition: s}",
        "logsource: {category: x}\ndetection: 5",
        "logsource: {category: x}\ndetection: []",
        "logsource: {category: x}\ndetection: {s: {a: b}, condition: 5}",
        "logsource: {category: x}\ndetection: {s: {a: b}, condition: []}",
        "logsource: {category: x}\ndetection: {s: [], condition: s}",
        "logsource: {category: x}\ndetection: {s: {}, condition: s}",
        "logsource: {category: x}\ndetection: {s: {a: {b: c}}, condition: s}",
        "logsource: {category: x}\ndetection: {s: {a|nope: b}, condition: s}",
        "logsource: {category: x}\ndetection: {s: {a|re: '('}, condition: s}",
        "logsource: {category: x}\ndetection: {s: {a|cidr: x}, condition: s}",
        "logsource: {category: x}\ndetection: {s: {a|gt: x}, condition: s}",
        "logsource: {category: x}\ndetection: {s: {a: b}, condition: s and}",
        "logsource: {category: x}\ndetection: {s: {a: b}, condition: s | count() > 5}",
        "logsource: {category: x}\nid: 5\ndetection: {s: {a: b}, condition: s}",
        "logsource: {category: x}\nstatus: [a]\ndetection: {s: {a: b}, condition: s}",
        "logsource: {category: x}\ndate: 5\ndetection: {s: {a: b}, condition: s}",
        "logsource: {category: x}\ntags: 5\ndetection: {s: {a: b}, condition: s}",
    ],
)
def test_a_malformed_rule_stops_no_other(rest: str) -> None:
    good = "title: y\nlogsource: {category: x}\ndetection: {s: {a: b}, condition: s}\n"
    loaded = load_text(f"title: x\n{rest}\n---\n{good}", compile_filter, where="r.yml")
    assert [rule.title for rule in loaded.rules] == ["y"]
    assert loaded.errors
    assert all(error.where == "r.yml" and error.line for error in loaded.errors)


def test_pysigma_is_imported_only_for_a_sigma_rule() -> None:
    code = "import sys, logscope.rules.loader; sys.exit('sigma' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(not _SHARED.is_dir(), reason="no shared data")
def test_linux_and_web_rules_compile() -> None:
    folders = [_SHARED / "rules" / "linux" / "builtin", _SHARED / "rules" / "web"]
    files = [file for folder in folders for file in sorted(folder.rglob("*.yml"))]
    assert files
    for file in files:
        loaded = load_text(file.read_text(encoding="utf-8"), compile_filter, where=str(file))
        assert not loaded.errors


def test_steps_that_are_sigma_rules_of_one_condition_text_are_told_apart() -> None:
    text = """\
title: First
name: first
logsource: {category: c}
detection: {selection: [one], condition: selection}
---
title: Second
name: second
logsource: {category: c}
detection: {selection: [two], condition: selection}
---
title: First, then second
name: both
sequence:
  by: [user]
  maxspan: 1m
  steps:
    - {name: a, rule: first}
    - {name: b, rule: second}
"""
    with all_records():
        loaded = load_text(text, compile_filter)
    assert not loaded.errors, loaded.errors
    detector = Detector(next(rule for rule in loaded.rules if rule.name == "both"))
    frame = pl.DataFrame(
        {
            "row": [0, 1, 2, 3],
            "source_id": [0] * 4,
            "line": [1, 2, 3, 4],
            "time": pl.Series([1, 2, 3, 4]).cast(TIME),
            "raw": ["two", "one", "one", "two"],
            "fields.user": ["bob"] * 4,
        }
    )
    hits = detector.hits(frame)
    assert (hits["s0"].to_list(), hits["s1"].to_list()) == ([False, True, True, False], [True, False, False, True])
    (told,) = detector.step(hits, watermark=10, begin=0, final=True).raised
    assert (told.steps["a"].row, told.steps["b"].row) == (2, 3)
