"""Numbers about tensors and networks: moments, histograms, dead units, distances, and what to be warned of."""

import math
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor

from easel.inspector.history.comparison import subtract
from easel.inspector.history.snapshot import Snapshot

BINS = 64
_CHUNK = 2**22
"""Elements that are looked at together, as float64."""
UNUSUAL = 1e3
"""A gradient this many times larger or smaller than its layers' median explodes or vanishes."""
_VANISHED = 1e-12
"""Root mean square of gradients below which nothing is learnt, whatever the others do."""


@dataclass(frozen=True)
class Summary:
    """One tensor in numbers. All but the counts are of its finite elements, 0 where it has none."""

    count: int
    nan_count: int
    infinite_count: int
    zero_share: float
    """Exact zeros among all elements, 0 to 1."""
    mean: float
    std: float
    """Of the elements themselves: divided by their number."""
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
        return tuple((self.row_norms == 0).nonzero().flatten().tolist())


@dataclass(frozen=True)
class DeadUnits:
    """Units of an activation that never said anything, over the samples that were given."""

    samples: int
    units: int
    never_positive: tuple[int, ...]
    never_varying: tuple[int, ...]
    """The same value everywhere, in every sample."""


@dataclass(frozen=True)
class Row:
    """One parameter of a network in numbers; None where what it needs was not there."""

    name: str
    summary: Summary
    gradient_norm: float | None
    gradient_rms: float | None
    distance: float | None
    """‖w − w₀‖ / ‖w₀‖."""
    cosine: float | None
    """Of the angle between w and w₀."""
    update_ratio: float | None
    """‖Δw‖ / ‖w‖ since the snapshot before."""
    warnings: tuple[str, ...]

    def number(self, column: str) -> float | None:
        """A number of this row or of its summary, by name; ValueError for what is none."""
        value = getattr(self, column, getattr(self.summary, column, ""))
        if value is not None and not isinstance(value, int | float):
            raise ValueError(f"{column!r} is no column of numbers; mean, l2, distance and the like are.")
        return value


@dataclass(frozen=True)
class NetworkSummary:
    """Every parameter in numbers, in the network's order."""

    step: int
    rows: tuple[Row, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """`conv1.weight: gradients vanish (…)`."""
        return tuple(f"{row.name}: {warning}" for row in self.rows for warning in row.warnings)

    def sorted_by(self, column: str, *, descending: bool = True) -> tuple[Row, ...]:
        """The rows by a number of theirs or of their summary; those without it last. ValueError for other names."""
        numbers = {row.name: row.number(column) for row in self.rows}
        known = [(number, row) for row in self.rows if (number := numbers[row.name]) is not None]
        known.sort(key=lambda pair: pair[0], reverse=descending)
        return (*(row for _, row in known), *(row for row in self.rows if numbers[row.name] is None))


def summarize(tensor: Tensor, limits: tuple[float, float] | None = None) -> Summary:
    """Numbers about a real tensor of any shape; complex ones by their absolute values.

    The histogram spans its finite range, or `limits`, such as those of another moment.
    """
    flat = _flat(tensor)
    finite = _Moments()
    for chunk in flat.split(_CHUNK):
        finite.add(chunk.double())
    low, high = limits or (finite.low, finite.high)
    mean = finite.mean
    squares = sum((float((_finite(c.double()) - mean).square().sum()) for c in flat.split(_CHUNK)), 0.0)
    histogram, underflow, overflow = _histogram(flat, low, high)
    number = max(finite.count, 1)
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
    """Units that never exceed 0, and those that never vary, of (samples, units, …)."""
    if activation.ndim < 2:
        raise ValueError(f"an activation is (samples, units, …); got {tuple(activation.shape)}.")
    samples, units = activation.shape[:2]
    if not activation.numel():
        return DeadUnits(samples, units, (), ())
    values = activation.detach().transpose(0, 1).reshape(units, -1)
    low, high = values.amin(1), values.amax(1)
    silent, constant = (tuple(mask.nonzero().flatten().tolist()) for mask in (high <= 0, low == high))
    return DeadUnits(samples, units, silent, constant)


def singular_values(matrix: Tensor) -> Tensor:
    """(min(rows, columns),) float64, the largest first; what has more axes is rows × the rest."""
    if matrix.ndim < 2:
        raise ValueError(f"a spectrum needs a matrix; got {tuple(matrix.shape)}.")
    return torch.linalg.svdvals(matrix.detach().cpu().double().flatten(1))


def summarize_network(
    snapshot: Snapshot, initial: Snapshot | None = None, previous: Snapshot | None = None
) -> NetworkSummary:
    """Every parameter of a snapshot in numbers, compared with where it began and with the snapshot before."""
    parameters = snapshot.of("parameter")
    gradients = {name: snapshot.tensors.get(f"{name}.grad") for name in parameters}
    sizes = {name: summarize(gradient) for name, gradient in gradients.items() if gradient is not None}
    usual = median(s.rms for s in sizes.values()) if sizes else 0.0
    rows = []
    for name, tensor in parameters.items():
        summary, gradient = summarize(tensor), sizes.get(name)
        start, before = _same(initial, name, tensor), _same(previous, name, tensor)
        moved = None if start is None else _norm(subtract(tensor, start))
        step = None if before is None else _norm(subtract(tensor, before))
        rows.append(
            Row(
                name=name,
                summary=summary,
                gradient_norm=None if gradient is None else gradient.l2,
                gradient_rms=None if gradient is None else gradient.rms,
                distance=None if moved is None or start is None else _ratio(moved, _norm(start)),
                cosine=None if start is None else _cosine(tensor, start),
                update_ratio=None if step is None else _ratio(step, summary.l2),
                warnings=_warnings(tensor, summary, gradient, usual),
            )
        )
    return NetworkSummary(snapshot.step, tuple(rows))


def _warnings(tensor: Tensor, summary: Summary, gradient: Summary | None, usual: float) -> tuple[str, ...]:
    found = []
    for what, numbers in (("values", summary), ("gradients", gradient)):
        if numbers is not None and (numbers.nan_count or numbers.infinite_count):
            found.append(f"{what} are not finite ({numbers.nan_count} NaN, {numbers.infinite_count} infinite)")
    if tensor.ndim > 1 and summary.dead_rows:
        found.append(f"{len(summary.dead_rows)} of {tensor.shape[0]} rows are zero")
    if gradient is not None and gradient.count:
        if gradient.rms < max(usual / UNUSUAL, _VANISHED):
            found.append(f"gradients vanish (RMS {gradient.rms:.3g}, median of all {usual:.3g})")
        elif gradient.rms > usual * UNUSUAL:
            found.append(f"gradients explode (RMS {gradient.rms:.3g}, median of all {usual:.3g})")
    return tuple(found)


@dataclass
class _Moments:
    """Sums over chunks of float64."""

    count: int = 0
    nan_count: int = 0
    infinite_count: int = 0
    zeros: int = 0
    total: float = 0.0
    l1: float = 0.0
    squares: float = 0.0
    low: float = 0.0
    high: float = 0.0

    @property
    def mean(self) -> float:
        return self.total / max(self.count, 1)

    def add(self, chunk: Tensor) -> None:
        self.nan_count += int(chunk.isnan().sum())
        self.infinite_count += int(chunk.isinf().sum())
        values = _finite(chunk)
        if not values.numel():
            return
        low, high = (float(bound) for bound in torch.aminmax(values))
        self.low, self.high = (min(self.low, low), max(self.high, high)) if self.count else (low, high)
        self.count += values.numel()
        self.zeros += int((values == 0).sum())
        self.total += float(values.sum())
        self.l1 += float(values.abs().sum())
        self.squares += float(values.square().sum())


def _histogram(flat: Tensor, low: float, high: float) -> tuple[tuple[int, ...], int, int]:
    """(counts, underflow, overflow); where the range is a point, all that is on it is in the middle."""
    counts, under, over = torch.zeros(BINS, dtype=torch.int64), 0, 0
    for chunk in flat.split(_CHUNK):
        values = chunk.double()
        under, over = under + int((values < low).sum()), over + int((values > high).sum())
        inside = values[(values >= low) & (values <= high)]
        if high > low:
            places = ((inside - low) / (high - low) * BINS).long().clamp_(0, BINS - 1)
        else:
            places = torch.full((inside.numel(),), BINS // 2)
        counts += torch.bincount(places, minlength=BINS)
    return tuple(counts.tolist()), under, over


def _row_norms(tensor: Tensor) -> Tensor:
    values = _real(tensor)
    rows = values.reshape(len(values), -1) if values.ndim and values.numel() else values.reshape(-1, 1)
    step = max(1, _CHUNK // max(rows.shape[1], 1))
    norms = [part.double().nan_to_num(0, 0, 0).square().sum(1).sqrt() for part in rows.split(step)]
    return torch.cat(norms) if norms else torch.zeros(0, dtype=torch.float64)


def _flat(tensor: Tensor) -> Tensor:
    return _real(tensor).reshape(-1)


def _real(tensor: Tensor) -> Tensor:
    plain = tensor.detach().cpu()
    return plain.abs() if plain.is_complex() else plain


def _finite(chunk: Tensor) -> Tensor:
    return chunk[chunk.isfinite()]


def _same(snapshot: Snapshot | None, name: str, tensor: Tensor) -> Tensor | None:
    """What the tensor was in another snapshot that has it in this shape."""
    found = None if snapshot is None else snapshot.tensors.get(name)
    return found if found is not None and found.shape == tensor.shape else None


def _norm(tensor: Tensor) -> float:
    return float(torch.linalg.vector_norm(_real(tensor).double()))


def _ratio(part: float, whole: float) -> float:
    return 0.0 if part == 0 else part / whole if whole else math.inf


def _cosine(one: Tensor, other: Tensor) -> float | None:
    a, b = _real(one).double().flatten(), _real(other).double().flatten()
    lengths = float(a.norm() * b.norm())
    return float(a @ b) / lengths if lengths else None
