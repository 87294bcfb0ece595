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
"""Settings with a histogram."""


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
    # `easel fields generate` leaves its contact sheet in the same folder.
    files = [file for file in recipes_in(config.folder) if file.name != "contact-sheet.png"]
    if not config.folder.is_dir() or len(files) < 3:
        raise BadInput(f"{config.folder} must be a folder with at least 3 pictures that Easel painted.")
    prepare_folder(config.out)
    from easel.graphics.files import FileError
    from easel.graphics.image import imwrite

    models, thumbnails = [], []
    skipped = 0
    with progress("reading") as bar:
        for file in counted(files, len(files), bar, "picture"):
            # A folder of results holds other pictures too: they are counted, not complained about.
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
    features = [_recipe(model) for model in models] if config.by == "recipe" else [_look(one) for one in thumbnails]
    imwrite(config.out / "map.png", _map(thumbnails, _places(features, config.method)))
    imwrite(config.out / "settings.png", _histograms(models))
    print(f"wrote {config.out / 'map.png'} and settings.png of {len(models)} pictures, {skipped} without a recipe")
    return 0


def _look(thumbnail: "Tensor") -> "Tensor":
    """Return features of a picture: coarse colours, and how strongly neighbours differ along both axes."""
    import torch

    from easel.graphics.image import resize

    # 6 x 6: enough to tell where the colours are, too little to tell textures apart pixel by pixel.
    coarse = resize(thumbnail[..., :3], (6, 6)).flatten()
    # Times ten, so that two numbers of texture weigh against a hundred of colour.
    steps = torch.stack([thumbnail.diff(dim=axis).abs().mean() for axis in (0, 1)])
    return torch.cat([coarse, 10 * steps])


def _recipe(model: "INRF") -> "Tensor":
    """Return features of a recipe: the latent, cut or filled to 64 numbers, and statistics of the weights."""
    import torch

    # Networks differ in size, so their weights are compared by quantiles.
    weights = torch.cat([parameter.detach().flatten() for parameter in model.map_fn.parameters()])
    latent = torch.tensor((*model.recipe.latents, (0.0,))[0])
    numbers = torch.cat([latent, torch.zeros(64)])[:64]
    quantiles = weights.quantile(torch.linspace(0, 1, 9))
    return torch.cat([numbers, quantiles, torch.tensor([float(len(weights))]).log()])


def _places(features: Sequence["Tensor"], method: str) -> "np.ndarray":
    """Return a place (x, y) in [0, 1] for each row of features."""
    import torch

    # In standard deviations: features have different units. A constant one counts nothing.
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
        # t-SNE refuses a perplexity as large as the number of points, and works best well below.
        near = min(30.0, (len(table) - 1) / 3)
        # Seeded: the same folder gives the same map.
        found = torch.from_numpy(TSNE(perplexity=near, random_state=0, init="pca").fit_transform(table.numpy()))
    # By rank, so that a few outliers do not press all others into a heap.
    return (found.argsort(0).argsort(0).double() / (len(table) - 1)).numpy()


def _map(thumbnails: Sequence["Tensor"], places: "np.ndarray") -> "Tensor":
    """Return a picture with each thumbnail in its place, y upwards."""
    import torch

    # Four times the area of all thumbnails, so that most can be seen whole.
    side = max(MAP_SIDE, int(THUMBNAIL * 2 * len(thumbnails) ** 0.5))
    sheet = torch.full((side, side, 3), 0.08)
    for thumbnail, (x, y) in zip(thumbnails, places, strict=True):
        top, left = (int(place * (side - THUMBNAIL)) for place in (1 - y, x))
        # Grey is broadcast over the three channels.
        sheet[top : top + THUMBNAIL, left : left + THUMBNAIL] = thumbnail[..., :3]
    return sheet


def _histograms(models: Sequence["INRF"]) -> "Tensor":
    """Return a picture of bars: the number of models for each value of each setting."""
    import numpy as np
    import torch
    from PIL import Image, ImageDraw, ImageFont

    from easel.commands.fields.curve import INK, LINE, PAPER

    counts = {name: Counter(_setting(model, name) for model in models) for name in SETTINGS}
    row, title = 18, 26
    height = 16 + sum(title + row * min(len(count), 12) + 10 for count in counts.values())
    chart = Image.new("RGB", (560, height), PAPER)
    draw = ImageDraw.Draw(chart)
    font = ImageFont.load_default(13)
    y = 8
    for name, count in counts.items():
        draw.text((12, y + 6), name.replace("_", " "), INK, font)
        y += title
        # Twelve at most: a latent scale drawn at random has as many values as there are pictures.
        for value, number in count.most_common(12):
            end = 148 + 360 * number / len(models)
            draw.text((140, y + row / 2), value[:18], INK, font, anchor="rm")
            draw.rectangle((148, y + 3, end, y + row - 3), LINE)
            draw.text((end + 6, y + row / 2), str(number), INK, font, anchor="lm")
            y += row
        y += 10
    return torch.from_numpy(np.asarray(chart).copy()).float() / 255


def _setting(model: "INRF", name: str) -> str:
    """Return the value of a setting as a bar's label."""
    if name == "latent_scale":
        return f"{model.recipe.latent_scale:g}"
    match getattr(model.recipe.network, name, None):
        case tuple(values):
            return "one for all" if len(set(values)) == 1 else "several"
        case None:
            return "-"
        case float(number):
            return f"{number:g}"
        case value:
            return str(value)
