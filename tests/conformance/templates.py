"""Templates against LogHub's: grouping accuracy, the share of records whose group is exactly the true one."""

from __future__ import annotations

import polars as pl

from logscope.analysis.masking import masked
from logscope.analysis.templates import merged
from tests.conformance.sigma import SHARED

LEAST = 0.75
"""Mean grouping accuracy below which the suite fails."""


def grouping_accuracy(truth: pl.Series, found: pl.Series) -> float:
    """The share of records that stand in a group of exactly the records of one true template."""
    frame = pl.DataFrame({"truth": truth, "found": found})
    frame = frame.with_columns(
        true_size=pl.len().over("truth"), found_size=pl.len().over("found"), both=pl.len().over("truth", "found")
    )
    right = (pl.col("true_size") == pl.col("both")) & (pl.col("found_size") == pl.col("both"))
    return float(frame.select(right.mean()).item())


def found_templates(messages: pl.Series) -> pl.Series:
    """The template of every message, as `logscope templates` finds it."""
    texts = masked(messages.rename("text"))
    templates = merged(texts.unique().to_list())
    return texts.replace_strict(list(templates), list(templates.values()), return_dtype=pl.String)


def run() -> int:
    """Measure every set.

    Returns:
        The exit code.
    """
    if not SHARED.is_dir():
        print(f"no data at {SHARED}")
        return 1
    folders = sorted(path for path in (SHARED / "data" / "loghub").iterdir() if path.is_dir())
    print("| set | true templates | found | grouping accuracy | masks alone |")
    print("|---|---|---|---|---|")
    scores = []
    for folder in folders:
        table = pl.read_csv(folder / f"{folder.name}_2k.log_structured.csv", infer_schema=False)
        messages, truth = table.get_column("Content").fill_null(""), table.get_column("EventTemplate")
        found = found_templates(messages)
        scores.append(grouping_accuracy(truth, found))
        alone = grouping_accuracy(truth, masked(messages.rename("text")))
        print(f"| {folder.name} | {truth.n_unique()} | {found.n_unique()} | {scores[-1]:.3f} | {alone:.3f} |")
    mean = sum(scores) / len(scores)
    print(f"\nmean {mean:.3f}")
    return 0 if mean >= LEAST else 1
