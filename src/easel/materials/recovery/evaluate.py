"""Evaluation of a network on materials that it never learned from, beside a guess that looks at no photo."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.contact import labelled_sheet, map_pictures, relit, square
from easel.materials.dataset.sample import Sample
from easel.materials.maps import MAP_NAMES, MaterialMaps, unit_normals
from easel.materials.models.network_files import Trained
from easel.materials.recovery.infer import infer
from easel.materials.training.metrics import SCALAR_MAPS, map_metrics
from easel.materials.training.rerendering import rerender_metrics

ERRORS = {
    **{name: f"{name}_rmse" for name in SCALAR_MAPS},
    "normal (degrees)": "normal_angle_mean",
    "relit": "rerender_rmse",
}
"""Name in a table → the metric; smaller is better for all of them."""
GUESS_SIDE = 32
"""Texels at which materials are read for their mean."""

Figures = dict[str, float]


@dataclass(frozen=True, eq=False)
class Judged:
    """One sample, what a network made of some of its photos, and how near that is."""

    sample: Sample
    photos: int
    predicted: MaterialMaps
    figures: Figures


@dataclass(frozen=True)
class Score:
    """The means over all samples of one way to guess."""

    name: str
    """Such as "3 photos"."""
    figures: Mapping[str, float]

    def below(self, guess: "Score") -> dict[str, float]:
        """Return how many percent each error is below that of `guess`; 0 where no guess could be better."""
        return {
            name: 100 * (1 - self.figures[key] / guess.figures[key]) if guess.figures[key] else 0.0
            for name, key in ERRORS.items()
        }


def judged_sheet(judged: Iterable[Judged], side: int) -> Float[Tensor, "h w 3"]:
    """Return a labelled sheet with two rows for every sample, pictures of `side` pixels.

    The predicted maps stand beside the first photo, the true ones beside the second if there is one.
    """
    rows, labels = [], []
    for each in judged:
        # Hidden pixels are black, as the network saw them.
        seen = (each.sample.photos[:2] * each.sample.valid[:2]).permute(0, 2, 3, 1)
        for name, photo, maps in (("predicted", seen[0], each.predicted), ("true", seen[-1], each.sample.maps)):
            rows.append([square(photo, side), *map_pictures(maps, side), relit(maps, side)])
            labels.append(f"{each.sample.material[:18]}\n{name}")
    return labelled_sheet(rows, ["photo", *MAP_NAMES, "relit"], labels)


def judge(trained: Trained, sample: Sample, photos: int) -> Judged:
    """Predict maps from the first `photos` of a sample, and compare them with the true ones."""
    seen = slice(0, photos)
    # One tile of the whole photo: the comparison is of the network, not of the tiling.
    side = max(sample.photos.shape[-2:])
    predicted = infer(trained, sample.photos[seen], sample.valid[seen], sample.cameras[seen], tile=side)
    return Judged(sample, photos, predicted, compare(predicted, sample.maps))


def compare(predicted: MaterialMaps, true: MaterialMaps) -> Figures:
    """Compute all metrics of one material: each map by itself, and relit under held-out lights."""
    # A batch of one: metrics are of batches.
    mine, others = (maps.each(lambda value: value[None]) for maps in (predicted, true))
    with torch.inference_mode():
        found = {**map_metrics(mine, others), **rerender_metrics(mine, others)}
    return {name: float(value) for name, value in found.items()}


def mean_maps(folders: Iterable[Path]) -> MaterialMaps:
    """Return the best guess without a photo: the mean of all texels of all materials, (C, 1, 1) each."""
    # Small ones are enough for a mean, and read in a fraction of the time.
    values = [
        MaterialMaps.load(folder, size=(GUESS_SIDE, GUESS_SIDE)).to_tensor().mean(dim=(1, 2)) for folder in folders
    ]
    mean = MaterialMaps.from_tensor(torch.stack(values).mean(dim=0)[:, None, None])
    return replace(mean, normal=unit_normals(mean.normal))


def score(name: str, figures: Sequence[Figures]) -> Score:
    """Average every figure."""
    return Score(name, {key: sum(each[key] for each in figures) / len(figures) for key in figures[0]})


def comparison_table(guess: Score, scores: Sequence[Score]) -> str:
    """Format the errors of all ways to guess, a line each, with how many percent they are below the first."""
    width = max(len(each.name) for each in (guess, *scores))
    lines = [" " * width + "".join(f"{name:>18}" for name in ERRORS)]
    lines.append(f"{guess.name:<{width}}" + "".join(f"{guess.figures[key]:>12.4f}{'':6}" for key in ERRORS.values()))
    for each in scores:
        below = each.below(guess)
        cells = [f"{each.figures[key]:>12.4f}{-below[name]:>+5.0f}%" for name, key in ERRORS.items()]
        lines.append(f"{each.name:<{width}}" + "".join(cells))
    return "\n".join(lines)


def figures_table(figures: Mapping[str, float]) -> str:
    """Format every map's own figures, and the angles of normals, as lines."""
    lines = [f"{'':10}{'RMSE':>9}{'MAE':>9}{'PSNR':>9}{'SSIM':>9}"]
    for name in SCALAR_MAPS:
        rmse, mae, psnr, ssim = (figures[f"{name}_{figure}"] for figure in ("rmse", "mae", "psnr", "ssim"))
        lines.append(f"{name:10}{rmse:>9.4f}{mae:>9.4f}{psnr:>6.2f} dB{ssim:>9.4f}")
    lines.append(f"{'relit':10}{figures['rerender_rmse']:>9.4f}{'':18}{figures['rerender_ssim']:>9.4f}")
    angles = ("mean", "median", "std", "percentile_90", "percentile_95", "max")
    told = ", ".join(f"{name.replace('_', ' ')} {figures[f'normal_angle_{name}']:.1f}°" for name in angles)
    return "\n".join([*lines, f"angle of normals: {told}"])
