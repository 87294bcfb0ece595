"""Materials side by side as one labelled picture: photos, maps, and how they look under a light."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from easel.graphics.image import resize
from easel.graphics.sheet import contact_sheet
from easel.materials.maps import MAP_NAMES, MaterialMaps

GAP = 6
PAPER, INK = 0.08, 0.86
LETTERS = 13
"""Height of letters in pixels."""
MARGIN = 132
"""Width of the labels at the left."""


def map_pictures(maps: MaterialMaps, side: int) -> list[Float[Tensor, "side side 3"]]:
    """The four maps of one material as pictures, in their order."""
    return [square(maps.picture(name), side) for name in MAP_NAMES]


def square(picture: Float[Tensor, "h w 3"], side: int) -> Float[Tensor, "side side 3"]:
    """The picture at the size of a place in the sheet."""
    return resize(picture.float(), (side, side)).clamp(0, 1)


def labelled_sheet(
    rows: Sequence[Sequence[Float[Tensor, "side side 3"]]], columns: Sequence[str], labels: Sequence[str]
) -> Float[Tensor, "h w 3"]:
    """`rows` of pictures of one size under the names of their columns; each row has a label of one or two lines."""
    pictures = [picture.detach().cpu() for row in rows for picture in row]
    side = len(pictures[0])
    grid = contact_sheet(pictures, columns=len(columns), gap=GAP, background=PAPER)
    header = 2 * LETTERS
    sheet = torch.full((header + len(grid), MARGIN + grid.shape[1], 3), PAPER)
    sheet[header:, MARGIN:] = grid
    image = Image.fromarray((sheet.numpy() * 255).round().astype(np.uint8))
    pen, font, ink = ImageDraw.Draw(image), ImageFont.load_default(LETTERS), (round(INK * 255),) * 3
    for number, name in enumerate(columns):
        pen.text((MARGIN + GAP + number * (side + GAP) + side / 2, header / 2 + 3), name, ink, font, anchor="mm")
    for number, label in enumerate(labels):
        middle = header + GAP + number * (side + GAP) + side / 2
        pen.multiline_text((MARGIN - 8, middle), label, ink, font, anchor="rm", align="right", spacing=4)
    return torch.from_numpy(np.asarray(image).copy()).float() / 255
