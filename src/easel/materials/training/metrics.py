"""Metrics of predicted maps: each map by itself, and lit by lights that training never saw.

Every figure is of one sample; `average` makes the mean over samples. Sums run in float64.
"""

from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.maps import MAP_NAMES
from easel.materials.training.losses import Maps, angle_degrees
from easel.materials.training.ssim import ssim

SCALAR_MAPS = tuple(name for name in MAP_NAMES if name != "normal")
"""The maps in [0, 1], of which `overall_…` is the mean; normals have angles instead."""
BEST_PSNR = 100.0
"""In dB, for maps that are equal: an average must stay finite."""
MOST_SORTED = 2**24
"""torch.quantile takes no more numbers."""
BINS = 2**16

Metrics = dict[str, Float[Tensor, " b"]]
"""Name → the figure of each sample of a batch, float64."""


def map_metrics(predicted: Maps, target: Maps) -> Metrics:
    """Return per map `_psnr` in dB, `_ssim`, `_mae` and `_rmse`; of normals the angle in degrees as well."""
    found: Metrics = {}
    for name in SCALAR_MAPS:
        difference = predicted[name].float() - target[name].float()
        square = difference.square().mean(dim=(1, 2, 3), dtype=torch.float64)
        # −10 log₁₀ MSE is PSNR for a range of 1; equal maps would be infinite.
        found[f"{name}_psnr"] = (-10 * square.log10()).clamp(max=BEST_PSNR)
        found[f"{name}_ssim"] = ssim(predicted[name], target[name]).double()
        found[f"{name}_mae"] = difference.abs().mean(dim=(1, 2, 3), dtype=torch.float64)
        found[f"{name}_rmse"] = square.sqrt()
    difference = predicted["normal"].float() - target["normal"].float()
    found["normal_mae"] = difference.abs().mean(dim=(1, 2, 3), dtype=torch.float64)
    found["normal_rmse"] = difference.square().mean(dim=(1, 2, 3), dtype=torch.float64).sqrt()
    found |= angle_statistics(angle_degrees(predicted["normal"].float(), target["normal"].float()))
    for figure in ("psnr", "ssim", "mae"):
        found[f"overall_{figure}"] = torch.stack([found[f"{name}_{figure}"] for name in SCALAR_MAPS]).mean(0)
    return found


def angle_statistics(angles: Float[Tensor, "b h w"]) -> Metrics:
    """Return `normal_angle_{mean,median,std,min,max,percentile_90,percentile_95}` in degrees."""
    flat = angles.flatten(1)
    median, ninety, ninety_five = torch.stack([percentiles(row, (0.5, 0.9, 0.95)) for row in flat], dim=1)
    # A mean of many float32 angles drifts in its fifth digit.
    exact = flat.double()
    return {
        "normal_angle_mean": exact.mean(1),
        "normal_angle_median": median,
        "normal_angle_std": exact.std(1, correction=0),
        "normal_angle_min": exact.amin(1),
        "normal_angle_max": exact.amax(1),
        "normal_angle_percentile_90": ninety,
        "normal_angle_percentile_95": ninety_five,
    }


def percentiles(values: Float[Tensor, " n"], shares: tuple[float, ...]) -> Float[Tensor, " q"]:
    """Return quantiles in float64; those of many values come from a histogram, exact to 1/65536 of their range."""
    # torch.quantile sorts, and refuses more numbers than `MOST_SORTED`.
    wanted = torch.tensor(shares, dtype=values.dtype, device=values.device)
    if values.numel() <= MOST_SORTED:
        return torch.quantile(values, wanted).double()
    low = values.min()
    high = values.max()
    counts = torch.histc(values, BINS, low.item(), high.item()).double()
    below = counts.cumsum(0)
    places = wanted.double() * values.numel()
    bins = torch.searchsorted(below, places).clamp(max=BINS - 1)
    # Linear within the bin, as torch.quantile is between neighbours.
    inside = (places - (below - counts)[bins]) / counts[bins].clamp(min=1)
    return low.double() + (bins + inside.clamp(0, 1)) / BINS * (high - low).double()


def average(batches: Iterable[Mapping[str, Tensor]]) -> dict[str, float]:
    """Average over all samples of all batches; empty when there is no batch."""
    columns: dict[str, list[Tensor]] = {}
    for batch in batches:
        for name, values in batch.items():
            columns.setdefault(name, []).append(values.double().cpu())
    return {name: torch.cat(values).mean().item() for name, values in columns.items()}
