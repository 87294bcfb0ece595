"""A curve as a picture, for people who look into a folder of results."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

SIZE = (480, 320)
"""Width and height in pixels."""
MARGIN = 44
PAPER, INK, FAINT, LINE = (250, 250, 250), (60, 60, 60), (222, 222, 222), (31, 119, 180)
OVERSAMPLE = 3
"""Pillow's lines have hard edges; drawn larger and reduced they do not."""


Number = float | int


def curve(points: Sequence[tuple[Number, Number]], title: str) -> Float[Tensor, "h w 3"]:
    """A line through (x, y) points, x ascending, with labelled ranges on both axes."""
    (left, right), (low, high) = ((min(values), max(values)) for values in zip(*points, strict=True))
    width, height = (side * OVERSAMPLE for side in SIZE)
    margin = MARGIN * OVERSAMPLE
    sheet = Image.new("RGB", (width, height), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13 * OVERSAMPLE)

    def place(x: Number, y: Number) -> tuple[float, float]:
        across, up = (x - left) / ((right - left) or 1), (y - low) / ((high - low) or 1)
        return margin + across * (width - 2 * margin), height - margin - up * (height - 2 * margin)

    for part in range(5):
        y = low + (high - low) * part / 4
        pen.line([place(left, y), place(right, y)], FAINT, OVERSAMPLE)
        pen.text((margin - 4 * OVERSAMPLE, place(left, y)[1]), f"{y:.4g}", INK, font, anchor="rm")
    for x, anchor in ((left, "la"), (right, "ra")):
        pen.text((place(x, low)[0], height - margin + 6 * OVERSAMPLE), f"{x:,.4g}", INK, font, anchor=anchor)
    pen.text((width / 2, margin / 2), title, INK, font, anchor="mm")
    pen.line([place(x, y) for x, y in points], LINE, 2 * OVERSAMPLE, joint="curve")
    reduced = sheet.resize(SIZE, Image.Resampling.BOX)
    return torch.from_numpy(np.asarray(reduced).copy()).float() / 255
