"""Plots of a curve as a picture, for people who look into a folder of results."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

SIZE = (480, 320)
"""Width and height in pixels."""
MARGIN = 44
PAPER = (250, 250, 250)
INK = (60, 60, 60)
FAINT = (222, 222, 222)
LINE = (31, 119, 180)
OVERSAMPLE = 3
"""Factor by which the plot is drawn larger and then reduced: Pillow's own lines have hard edges."""

Number = float | int


def curve(points: Sequence[tuple[Number, Number]], title: str) -> Float[Tensor, "h w 3"]:
    """Plot a line through (x, y) points, x ascending, with labelled ranges on both axes."""
    (left, right), (low, high) = ((min(values), max(values)) for values in zip(*points, strict=True))
    width, height = (side * OVERSAMPLE for side in SIZE)
    margin = MARGIN * OVERSAMPLE
    plot = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(plot)
    font = ImageFont.load_default(13 * OVERSAMPLE)

    def place(x: Number, y: Number) -> tuple[float, float]:
        # A range of one value divides by 1: its line runs along the bottom.
        across = (x - left) / ((right - left) or 1)
        up = (y - low) / ((high - low) or 1)
        return margin + across * (width - 2 * margin), height - margin - up * (height - 2 * margin)

    # Five levels at even distances, whatever their numbers: the range matters more here than round values.
    for part in range(5):
        y = low + (high - low) * part / 4
        draw.line([place(left, y), place(right, y)], FAINT, OVERSAMPLE)
        draw.text((margin - 4 * OVERSAMPLE, place(left, y)[1]), f"{y:.4g}", INK, font, anchor="rm")
    for x, anchor in ((left, "la"), (right, "ra")):
        draw.text((place(x, low)[0], height - margin + 6 * OVERSAMPLE), f"{x:,.4g}", INK, font, anchor=anchor)
    draw.text((width / 2, margin / 2), title, INK, font, anchor="mm")
    draw.line([place(x, y) for x, y in points], LINE, 2 * OVERSAMPLE, joint="curve")
    # BOX is the exact mean of the pixels that fall together.
    reduced = plot.resize(SIZE, Image.Resampling.BOX)
    return torch.from_numpy(np.asarray(reduced).copy()).float() / 255
