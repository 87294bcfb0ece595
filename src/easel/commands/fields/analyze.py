"""`easel fields analyze`: a folder of painted pictures as a map and as histograms of their settings."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import Positional

from easel.commands.fields.models import open_model, recipes_in
from easel.console import BadInput, counted, prepare_folder, progress

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from easel.fields.artist.inrf import INRF

THUMBNAIL = 48
MAP_SIDE = 1200
SETTINGS = ("topology", "activations", "final_activation", "weight_init", "latent_scale", "width", "latent_dim")
"""Settings that get a histogram."""


@dataclass(frozen=True)
class AnalyzeConfig:
    """See how the pictures of a folder differ: a map with like next to like, and histograms of their settings.

    map.png places every picture by what its recipe is made of, latent and weights, or by how it looks.
    """

    folder: Annotated[Positional[Path], tyro.conf.arg(metavar="FOLDER")]
    """Pictures that Easel painted."""
    method: Literal["pca", "tsne"] = "pca"
    """Principal components, or t-SNE (needs scikit-learn)."""
    by: Literal["look", "recipe"] = "look"
    """Place pictures by their colours and shapes, or by their latents and statistics of their weights."""
    out: Path = Path("easel-out")
    """Folder for map.png and settings.png."""


def analyze(config: AnalyzeConfig) -> int:
    """Write the two pictures; returns 0."""
    files = [file for file in recipes_in(config.folder) if file.name != "contact-sheet.png"]
    if not config.folder.is_dir() or len(files) < 3:
        raise BadInput(f"{config.folder} must be a folder with at least 3 pictures that Easel painted.")
    prepare_folder(config.out)
    from easel.graphics.files import FileError
    from easel.graphics.image import imwrite

    models, thumbnails, skipped = [], [], 0
    with progress("reading") as bar:
        for file in counted(files, len(files), bar, "picture"):
            try:
                model = open_model(file)
            except (BadInput, FileError):
                skipped += 1
                continue
            if model.dimensions == 2:
                models.append(model)
                thumbnails.append(model.generate(output_shape=(THUMBNAIL, THUMBNAIL), supersample=2))
    if len(models) < 3:
        raise BadInput(f"{config.folder} holds {len(models)} pictures with a recipe; a map needs 3.")
    features = [_look(t) for t in thumbnails] if config.by == "look" else [_recipe(model) for model in models]
    imwrite(config.out / "map.png", _map(thumbnails, _places(features, config.method)))
    imwrite(config.out / "settings.png", _histograms(models))
    print(f"wrote {config.out / 'map.png'} and settings.png of {len(models)} pictures, {skipped} without a recipe")
    return 0


def _look(thumbnail: "Tensor") -> "Tensor":
    """Coarse colours and how strongly they change."""
    from easel.graphics.image import resize

    coarse = resize(thumbnail[..., :3], (6, 6)).flatten()
    import torch

    steps = torch.stack([thumbnail.diff(dim=axis).abs().mean() for axis in (0, 1)])
    return torch.cat([coarse, 10 * steps])


def _recipe(model: "INRF") -> "Tensor":
    """Statistics of the weights, and of the latent as many numbers as all models may have."""
    import torch

    weights = torch.cat([parameter.detach().flatten() for parameter in model.map_fn.parameters()])
    latent = torch.tensor(model.recipe.latents[0] if model.recipe.latents else (0.0,))
    numbers = torch.cat([latent, torch.zeros(64)])[:64]
    quantiles = weights.quantile(torch.linspace(0, 1, 9))
    return torch.cat([numbers, quantiles, torch.tensor([float(len(weights))]).log()])


def _places(features: Sequence["Tensor"], method: str) -> "np.ndarray":
    """(n, 2) in [0, 1]."""
    import torch

    table = torch.stack(list(features)).double()
    table = (table - table.mean(0)) / table.std(0).clamp_min(1e-9)
    if method == "pca":
        left, sizes, _ = torch.linalg.svd(table, full_matrices=False)
        found = (left * sizes)[:, :2]
    else:
        try:
            from sklearn.manifold import TSNE
        except ImportError:
            raise BadInput("--method tsne needs scikit-learn: pip install scikit-learn. pca works without.") from None
        near = min(30.0, (len(table) - 1) / 3)
        found = torch.from_numpy(TSNE(perplexity=near, random_state=0, init="pca").fit_transform(table.numpy()))
    # By rank, so that a few outliers do not press all others into a heap.
    return (found.argsort(0).argsort(0).double() / (len(table) - 1)).numpy()


def _map(thumbnails: Sequence["Tensor"], places: "np.ndarray") -> "Tensor":
    import torch

    side = max(MAP_SIDE, int(THUMBNAIL * 2 * len(thumbnails) ** 0.5))
    sheet = torch.full((side, side, 3), 0.08)
    for thumbnail, (x, y) in zip(thumbnails, places, strict=True):
        top, left = (int(place * (side - THUMBNAIL)) for place in (1 - y, x))
        picture = thumbnail[..., :3].expand(-1, -1, 3)
        sheet[top : top + THUMBNAIL, left : left + THUMBNAIL] = picture
    return sheet


def _histograms(models: Sequence["INRF"]) -> "Tensor":
    """Bars: how many pictures have which value of each setting."""
    import numpy as np
    import torch
    from PIL import Image, ImageDraw, ImageFont

    from easel.commands.fields.curve import INK, LINE, PAPER

    counts = {name: Counter(_setting(model, name) for model in models) for name in SETTINGS}
    row, title = 18, 26
    height = 16 + sum(title + row * min(len(count), 12) + 10 for count in counts.values())
    sheet = Image.new("RGB", (560, height), PAPER)
    pen, font, y = ImageDraw.Draw(sheet), ImageFont.load_default(13), 8
    for name, count in counts.items():
        pen.text((12, y + 6), name.replace("_", " "), INK, font)
        y += title
        for value, number in count.most_common(12):
            pen.text((140, y + row / 2), value[:18], INK, font, anchor="rm")
            pen.rectangle((148, y + 3, 148 + 360 * number / len(models), y + row - 3), LINE)
            pen.text((154 + 360 * number / len(models), y + row / 2), str(number), INK, font, anchor="lm")
            y += row
        y += 10
    return torch.from_numpy(np.asarray(sheet).copy()).float() / 255


def _setting(model: "INRF", name: str) -> str:
    value = model.recipe.latent_scale if name == "latent_scale" else getattr(model.recipe.network, name, None)
    if isinstance(value, tuple):
        return "one for all" if len(set(value)) == 1 else "several"
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
