"""Statistics of a network as files for other programs."""

import csv
import json
import math
from pathlib import Path
from typing import Any

from easel.graphics.files import write_whole
from easel.inspector.history.statistics import NetworkSummary, Row

COLUMNS = ("count", "mean", "std", "min", "max", "abs_max", "l1", "l2", "rms", "zero_share", "nan_count",
           "infinite_count")  # fmt: skip
"""Of a tensor's summary."""
MORE = ("gradient_norm", "distance", "cosine", "update_ratio")
"""Of its row."""


def save_statistics(path: str | Path, summary: NetworkSummary) -> None:
    """Write `.json`, with histograms and norms of rows, or `.csv`, a line for every tensor; ValueError for others."""
    path = Path(path)
    if path.suffix.lower() not in (".json", ".csv"):
        raise ValueError(f"statistics are written as .json or .csv; got {path.suffix or 'no suffix'}.")
    with write_whole(path) as partial:
        if path.suffix.lower() == ".csv":
            with partial.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(("name", *COLUMNS, *MORE, "dead_rows", "warnings"))
                writer.writerows(_line(row) for row in summary.rows)
        else:
            facts = {"step": summary.step, "tensors": [_facts(row) for row in summary.rows]}
            partial.write_text(json.dumps(facts, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _line(row: Row) -> list[Any]:
    numbers = [*(getattr(row.summary, name) for name in COLUMNS), *(getattr(row, name) for name in MORE)]
    return [row.name, *numbers, len(row.summary.dead_rows), "; ".join(row.warnings)]


def _facts(row: Row) -> dict[str, Any]:
    summary = row.summary
    numbers = {name: getattr(summary, name) for name in COLUMNS} | {name: getattr(row, name) for name in MORE}
    # JSON knows no infinity, and what grew from nothing has grown infinitely.
    told = {key: None if isinstance(n, float) and not math.isfinite(n) else n for key, n in numbers.items()}
    return {
        "name": row.name,
        **told,
        "histogram": list(summary.histogram),
        "histogram_limits": list(summary.limits),
        "row_norms": summary.row_norms.tolist(),
        "dead_rows": list(summary.dead_rows),
        "warnings": list(row.warnings),
    }
