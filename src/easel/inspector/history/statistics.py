"""Statistics of tensors and networks: moments, histograms, dead units, distances, warnings; also as JSON and CSV."""

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from easel.graphics.files import write_whole
from easel.inspector.history.comparison import ratio, subtract
from easel.inspector.history.snapshot import Snapshot

SUMMARY_COLUMNS = ("count", "mean", "std", "min", "max", "abs_max", "l1", "l2", "rms", "zero_share", "nan_count",
           "infinite_count")  # fmt: skip
"""Columns of a file that are fields of `Summary`."""
ROW_COLUMNS = ("gradient_norm", "distance", "cosine", "update_ratio")
"""Columns of a file that are fields of `StatisticsRow`."""
BINS = 64
_CHUNK = 2**22
"""Elements that are converted to float64 together: 32 MiB."""
UNUSUAL = 1e3
"""A gradient this many times larger or smaller than its layers' median explodes or vanishes."""
_VANISHED = 1e-12
"""Root mean square of gradients below which nothing is learnt, whatever the others do."""


@dataclass(frozen=True)
class Summary:
    """Statistics of one tensor. All but the counts are of its finite elements, 0 if it has none."""

    count: int
    nan_count: int
    infinite_count: int
    zero_share: float
    """Exact zeros among all elements, in [0, 1]."""
    mean: float
    std: float
    """Population standard deviation: divided by n, not n − 1."""
    min: float
    max: float
    abs_max: float
    l1: float
    l2: float
    rms: float
    histogram: tuple[int, ...]
    """64 equal bins between `limits`; the last includes its upper end."""
    limits: tuple[float, float]
    underflow: int
    """Elements below the histogram, −∞ included."""
    overflow: int
    row_norms: Tensor
    """(rows,) float64: the L2 norm of each row of the first axis."""

    @property
    def dead_rows(self) -> tuple[int, ...]:
        """Rows of nothing but zeros: output units of a weight that do nothing."""
        return _indices(self.row_norms == 0)


@dataclass(frozen=True)
class DeadUnits:
    """Units of an activation that were silent in all samples that were given."""

    samples: int
    units: int
    never_positive: tuple[int, ...]
    never_varying: tuple[int, ...]
    """Units with the same value everywhere, in every sample."""


@dataclass(frozen=True)
class StatisticsRow:
    """Statistics of one parameter of a network; None for what needs a snapshot or gradient that was not there."""

    name: str
    summary: Summary
    gradient_norm: float | None
    gradient_rms: float | None
    distance: float | None
    """‖w − w₀‖ / ‖w₀‖."""
    cosine: float | None
    """Cosine of the angle between w and w₀."""
    update_ratio: float | None
    """‖Δw‖ / ‖w‖ since the snapshot before."""
    warnings: tuple[str, ...]

    def number(self, column: str) -> float | int | None:
        """Return a number of this row or of its summary, by name. Raises ValueError for anything else."""
        # The row's own fields first: it says `distance`, the summary `mean`; no name is in both.
        value = getattr(self, column, getattr(self.summary, column, ""))
        if value is not None and not isinstance(value, int | float):
            raise ValueError(f"{column!r} is no column of numbers; mean, l2, distance and the like are.")
        return value


@dataclass(frozen=True)
class NetworkSummary:
    """Statistics of every parameter, in the network's order."""

    step: int
    rows: tuple[StatisticsRow, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings of all rows: `conv1.weight: gradients vanish (…)`."""
        return tuple(f"{row.name}: {warning}" for row in self.rows for warning in row.warnings)

    def sorted_by(self, column: str, *, descending: bool = True) -> tuple[StatisticsRow, ...]:
        """Return the rows sorted by a column; those without a number last. Raises ValueError for an unknown column."""
        numbered = [(row.number(column), row) for row in self.rows]
        known = [(number, row) for number, row in numbered if number is not None]
        # Sorting is stable: rows of the same number keep the network's order.
        known.sort(key=lambda pair: pair[0], reverse=descending)
        return (*(row for _, row in known), *(row for number, row in numbered if number is None))


def summarize(tensor: Tensor, limits: tuple[float, float] | None = None) -> Summary:
    """Return the statistics of a tensor of any shape and type; complex numbers count by their magnitudes.

    The histogram spans its finite range, or `limits`, such as those of another moment.

        summarize(model.conv1.weight).rms
    """
    flat = _real(tensor).reshape(-1)
    finite = _Moments()
    # float64 in chunks: the sum of a large float32 tensor loses digits, and all of it as float64 might not fit.
    for chunk in flat.split(_CHUNK):
        finite.add(chunk.double())
    low, high = limits or (finite.low, finite.high)
    # Without finite elements all sums are 0, and so are the means.
    number = max(finite.count, 1)
    mean = finite.total / number
    # A second pass: E[x²] − E[x]² cancels to nothing where the mean is large beside the spread.
    squares = sum((float((c[c.isfinite()].double() - mean).square().sum()) for c in flat.split(_CHUNK)), 0.0)
    histogram, underflow, overflow = _histogram(flat, low, high)
    return Summary(
        count=flat.numel(),
        nan_count=finite.nan_count,
        infinite_count=finite.infinite_count,
        zero_share=finite.zeros / max(flat.numel(), 1),
        mean=mean,
        std=math.sqrt(squares / number),
        min=finite.low,
        max=finite.high,
        abs_max=max(abs(finite.low), abs(finite.high)),
        l1=finite.l1,
        l2=math.sqrt(finite.squares),
        rms=math.sqrt(finite.squares / number),
        histogram=histogram,
        limits=(low, high),
        underflow=underflow,
        overflow=overflow,
        row_norms=_row_norms(tensor),
    )


def dead_units(activation: Tensor) -> DeadUnits:
    """Return the units of an activation (samples, units, …) that never exceed 0, and those that never vary.

    Raises ValueError for less than two axes.
    """
    if activation.ndim < 2:
        raise ValueError(f"an activation is (samples, units, …); got {tuple(activation.shape)}.")
    samples, units = activation.shape[:2]
    if not activation.numel():
        return DeadUnits(samples, units, (), ())
    # All samples and all places of a unit in one row.
    values = activation.detach().transpose(0, 1).reshape(units, -1)
    low, high = values.aminmax(dim=1)
    return DeadUnits(samples, units, _indices(high <= 0), _indices(low == high))


def singular_values(matrix: Tensor) -> Tensor:
    """Return the singular values, (min(rows, columns),) float64, the largest first; more axes are rows × the rest.

    Raises ValueError for less than two axes.
    """
    if matrix.ndim < 2:
        raise ValueError(f"a spectrum needs a matrix; got {tuple(matrix.shape)}.")
    # float64: in float32 the small singular values drown in the rounding of the large ones.
    return torch.linalg.svdvals(matrix.detach().cpu().double().flatten(1))


def summarize_network(
    snapshot: Snapshot, initial: Snapshot | None = None, previous: Snapshot | None = None
) -> NetworkSummary:
    """Return the statistics of every parameter, compared with its `initial` value and with the snapshot before."""
    parameters = snapshot.of("parameter")
    known = snapshot.tensors
    gradients = {name: summarize(known[grad]) for name in parameters if (grad := f"{name}.grad") in known}
    # The median: one exploding layer must not make the others look as if theirs vanished.
    usual = median([gradient.rms for gradient in gradients.values()] or [0.0])
    rows = []
    for name, tensor in parameters.items():
        summary = summarize(tensor)
        row: dict[str, Any] = dict.fromkeys((*ROW_COLUMNS, "gradient_rms"))
        gradient = gradients.get(name)
        if gradient is not None:
            row |= {"gradient_norm": gradient.l2, "gradient_rms": gradient.rms}
        if (start := _same(initial, name, tensor)) is not None:
            row["distance"] = ratio(_norm(subtract(tensor, start)), _norm(start))
            row["cosine"] = _cosine(tensor, start)
        if (before := _same(previous, name, tensor)) is not None:
            row["update_ratio"] = ratio(_norm(subtract(tensor, before)), summary.l2)
        rows.append(StatisticsRow(name, summary, **row, warnings=_warnings(tensor, summary, gradient, usual)))
    return NetworkSummary(snapshot.step, tuple(rows))


def save_statistics(path: str | Path, summary: NetworkSummary) -> None:
    """Write `.json`, with histograms and norms of rows, or `.csv`, a line per tensor. Raises ValueError for others."""
    path = Path(path)
    match path.suffix.lower():
        case ".csv":
            with write_whole(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(("name", *SUMMARY_COLUMNS, *ROW_COLUMNS, "dead_rows", "warnings"))
                writer.writerows(_csv_line(row) for row in summary.rows)
        case ".json":
            facts = {"step": summary.step, "tensors": [_facts(row) for row in summary.rows]}
            with write_whole(path) as partial:
                partial.write_text(json.dumps(facts, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        case _:
            raise ValueError(f"statistics are written as .json or .csv; got {path.suffix or 'no suffix'}.")


def _warnings(tensor: Tensor, summary: Summary, gradient: Summary | None, usual: float) -> tuple[str, ...]:
    """Return the warnings of a parameter; `usual` is the median RMS of all gradients."""
    found = []
    for what, numbers in (("values", summary), ("gradients", gradient)):
        if numbers is not None and (numbers.nan_count or numbers.infinite_count):
            found.append(f"{what} are not finite ({numbers.nan_count} NaN, {numbers.infinite_count} infinite)")
    # A row of a bias is one number, and zero is where most biases begin.
    if tensor.ndim > 1 and summary.dead_rows:
        found.append(f"{len(summary.dead_rows)} of {tensor.shape[0]} rows are zero")
    if gradient is not None and gradient.count:
        # RMS rather than norm: a bias of ten numbers and a matrix of a million are compared.
        if gradient.rms < max(usual / UNUSUAL, _VANISHED):
            found.append(f"gradients vanish (RMS {gradient.rms:.3g}, median of all {usual:.3g})")
        elif gradient.rms > usual * UNUSUAL:
            found.append(f"gradients explode (RMS {gradient.rms:.3g}, median of all {usual:.3g})")
    return tuple(found)


@dataclass
class _Moments:
    """Sums and extremes over chunks of float64."""

    count: int = 0
    nan_count: int = 0
    infinite_count: int = 0
    zeros: int = 0
    total: float = 0.0
    l1: float = 0.0
    squares: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def add(self, chunk: Tensor) -> None:
        self.nan_count += int(chunk.isnan().sum())
        self.infinite_count += int(chunk.isinf().sum())
        values = chunk[chunk.isfinite()]
        if not values.numel():
            return
        low, high = (float(bound) for bound in torch.aminmax(values))
        # The zeros of an empty record are no extremes of anything.
        self.low, self.high = (min(self.low, low), max(self.high, high)) if self.count else (low, high)
        self.count += values.numel()
        self.zeros += int((values == 0).sum())
        self.total += float(values.sum())
        self.l1 += float(values.abs().sum())
        self.squares += float(values.square().sum())


def _histogram(flat: Tensor, low: float, high: float) -> tuple[tuple[int, ...], int, int]:
    """Return (counts, underflow, overflow); if the range is a point, all that is on it falls into the middle bin."""
    counts = torch.zeros(BINS, dtype=torch.int64)
    underflow = overflow = 0
    for chunk in flat.split(_CHUNK):
        values = chunk.double()
        underflow += int((values < low).sum())
        overflow += int((values > high).sum())
        inside = values[(values >= low) & (values <= high)]
        if high > low:
            # Clamped: `high` itself belongs to the last bin.
            bins = ((inside - low) / (high - low) * BINS).long().clamp_(0, BINS - 1)
        else:
            bins = torch.full((inside.numel(),), BINS // 2)
        counts += torch.bincount(bins, minlength=BINS)
    return tuple(counts.tolist()), underflow, overflow


def _row_norms(tensor: Tensor) -> Tensor:
    values = _real(tensor)
    # `reshape(n, -1)` cannot tell how wide rows without elements are.
    rows = values.reshape(len(values), -1) if values.ndim and values.numel() else values.reshape(-1, 1)
    # As many rows together as make a chunk; one at least, however long it is.
    step = max(1, _CHUNK // max(rows.shape[1], 1))
    norms = [part.double().nan_to_num(0, 0, 0).square().sum(1).sqrt() for part in rows.split(step)]
    return torch.cat([torch.zeros(0, dtype=torch.float64), *norms])


def _indices(mask: Tensor) -> tuple[int, ...]:
    """Return the places at which a vector is true."""
    return tuple(mask.nonzero().flatten().tolist())


def _real(tensor: Tensor) -> Tensor:
    """Return the values on the CPU; magnitudes of complex ones."""
    plain = tensor.detach().cpu()
    return plain.abs() if plain.is_complex() else plain


def _same(snapshot: Snapshot | None, name: str, tensor: Tensor) -> Tensor | None:
    """Return the tensor of that name in another snapshot, if it is there in the same shape."""
    found = (snapshot or Snapshot(-1, {})).tensors.get(name)
    return found if found is not None and found.shape == tensor.shape else None


def _norm(tensor: Tensor) -> float:
    return float(torch.linalg.vector_norm(_real(tensor).double()))


def _cosine(one: Tensor, other: Tensor) -> float | None:
    """Return the cosine of the angle between two tensors; None if one is zero and has no direction."""
    a, b = (_real(tensor).double().flatten() for tensor in (one, other))
    lengths = float(a.norm() * b.norm())
    return float(a @ b) / lengths if lengths else None


def _csv_line(row: StatisticsRow) -> list[Any]:
    numbers = [row.number(name) for name in (*SUMMARY_COLUMNS, *ROW_COLUMNS)]
    return [row.name, *numbers, len(row.summary.dead_rows), "; ".join(row.warnings)]


def _facts(row: StatisticsRow) -> dict[str, Any]:
    """Return a row as JSON has it; None for what is not finite."""
    summary = row.summary
    numbers = {name: row.number(name) for name in (*SUMMARY_COLUMNS, *ROW_COLUMNS)}
    return {
        "name": row.name,
        # JSON knows no infinity, and what grew from nothing has grown infinitely.
        **{name: None if number is None or not math.isfinite(number) else number for name, number in numbers.items()},
        "histogram": list(summary.histogram),
        "histogram_limits": list(summary.limits),
        "row_norms": summary.row_norms.tolist(),
        "dead_rows": list(summary.dead_rows),
        "warnings": list(row.warnings),
    }
