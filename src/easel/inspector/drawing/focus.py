"""Focus: one tensor, or one kernel of it, as a flat heat map with its histogram."""

from collections.abc import Iterable
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from easel.inspector.drawing.colors import AMBER, BACKGROUND, FAINT, PLATE, PLATE_EDGE, TEXT, rgb_bytes, value_colors
from easel.inspector.drawing.labels import SMALL, TITLE, Number
from easel.inspector.scene.pyramid import Pyramid
from easel.inspector.scene.sheet import Sheet

# Pillow would decode its font anew for every text.
_font = cache(ImageFont.load_default)
BINS = 64
MARGIN = 16
"""Pixels around the heat map and the histogram."""
LEAST_GRID = 8
"""Pixels of a cell from which on lines part it from its neighbours."""


def focus_picture(
    sheet: Sheet, aggregate: str, size: tuple[int, int], kernel: tuple[int, ...] = ()
) -> Float[Tensor, "h w 3"]:
    """Return a heat map above a histogram, (height, width) = `size`; `kernel` is how the index of the part begins.

    Raises ValueError for an index of too many axes.
    """
    height, width = size
    image = Image.new("RGB", (width, height), rgb_bytes(BACKGROUND))
    draw = ImageDraw.Draw(image)
    pyramid = sheet.pyramid(aggregate)
    index = f"[{', '.join(map(str, kernel))}]" if kernel else ""
    values = _part(sheet, kernel)
    finite = values[values.isfinite()]
    _text(draw, (MARGIN, MARGIN - 6), sheet.box.name + index, AMBER, TITLE)
    _text(draw, (MARGIN, MARGIN + TITLE), _facts(sheet, kernel, values, finite), FAINT, SMALL)
    top = MARGIN + TITLE + SMALL + 12
    below = max(height // 4, 40)
    room = height - top - below - 2 * MARGIN, width - 2 * MARGIN
    # A picture too small for a heat map keeps its text.
    if min(room) > 0:
        heat_map, cell = _heat_map(values, pyramid, room, sheet.is_sequential(aggregate))
        left = (width - heat_map.width) // 2
        image.paste(heat_map, (left, top))
        if cell >= LEAST_GRID:
            for x in range(left, left + heat_map.width + 1, cell):
                draw.line((x, top, x, top + heat_map.height), fill=rgb_bytes(PLATE_EDGE))
            for y in range(top, top + heat_map.height + 1, cell):
                draw.line((left, y, left + heat_map.width, y), fill=rgb_bytes(PLATE_EDGE))
        _histogram(draw, finite, pyramid, (MARGIN, height - below - MARGIN, width - MARGIN, height - MARGIN), sheet)
    return torch.from_numpy(np.asarray(image, np.float32) / 255)


def _facts(sheet: Sheet, kernel: tuple[int, ...], values: Tensor, finite: Tensor) -> str:
    """Return shape, type and statistics in one line."""
    shape = "x".join(map(str, sheet.tensor.shape[len(kernel) :])) or "one value"
    facts = f"{shape}   {str(sheet.tensor.dtype).removeprefix('torch.')}   "
    if finite.numel():
        spread = finite.std(correction=0).item()
        low, high = (bound.item() for bound in finite.aminmax())
        facts += f"mean {finite.mean().item():.4g}   std {spread:.4g}   {low:.4g} to {high:.4g}"
    if finite.numel() < values.numel():
        facts += f"   {values.numel() - finite.numel()} NaN or Inf"
    return facts


def _part(sheet: Sheet, kernel: tuple[int, ...]) -> Tensor:
    """Return the values (rows, columns) that are shown, as float64."""
    # All values, not a pyramid's: the histogram counts every one. The sheet of a complex tensor has its two halves side
    # by side, so a kernel of it is no rectangle.
    if sheet.tensor.is_complex() or not kernel:
        return sheet.values().double()
    if len(kernel) > sheet.tensor.ndim:
        raise ValueError(f"{sheet.box.name!r} has {sheet.tensor.ndim} axes; got the index {kernel}.")
    part = torch.atleast_1d(sheet.tensor[kernel].cpu().double())
    return part.reshape(-1, part.shape[-1])


def _heat_map(values: Tensor, pyramid: Pyramid, room: tuple[int, int], sequential: bool) -> tuple[Image.Image, int]:
    """Return the values as an image that fits into `room` = (height, width), and the pixels of a cell's side."""
    rows, columns = values.shape
    limit = max(pyramid.limit, 1e-300)
    cell = min(room[0] // rows, room[1] // columns)
    if not cell:
        # The peak of the cells in a pixel, with its sign. Padding of zeros changes no peak.
        step = max(-(-rows // room[0]), -(-columns // room[1]))
        padded = torch.nn.functional.pad(values, (0, -columns % step, 0, -rows % step))
        blocks = padded.unflatten(1, (-1, step)).unflatten(0, (-1, step)).transpose(1, 2).flatten(2)
        values = blocks.gather(2, blocks.abs().argmax(2, keepdim=True))[..., 0]
    colors = value_colors(values.numpy() / limit, sequential=sequential)
    image = Image.fromarray((colors * 255).round().astype(np.uint8))
    scale = max(cell, 1)
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST), cell


def _histogram(
    draw: ImageDraw.ImageDraw, finite: Tensor, pyramid: Pyramid, edges: tuple[int, int, int, int], sheet: Sheet
) -> None:
    """Draw bars over the tensor's range, each in the colour of its values."""
    left, top, right, bottom = edges
    draw.rectangle(edges, fill=rgb_bytes(PLATE), outline=rgb_bytes(PLATE_EDGE))
    # As wide on both sides of zero, unless all values are on one: a shift of the mean is seen.
    reach = max(pyramid.peak, 1e-300)
    low = 0.0 if pyramid.low >= 0 else -reach
    high = 0.0 if pyramid.high <= 0 and pyramid.low < 0 else reach
    counts, bounds = np.histogram(finite.numpy(), bins=BINS, range=(low, high))
    tallest = counts.max(initial=0)
    if tallest:
        middles = (bounds[1:] + bounds[:-1]) / 2
        sequential = sheet.is_sequential(pyramid.aggregate)
        colors = value_colors(middles / max(pyramid.limit, 1e-300), sequential=sequential)
        xs = np.linspace(left + 8, right - 8, BINS + 1).round().astype(int).tolist()
        base, room = bottom - SMALL - 8, bottom - top - SMALL - 16
        for count, start, end, color in zip(counts.tolist(), xs, xs[1:], colors.tolist(), strict=False):
            if count:
                # One value among millions is still a pixel high.
                y = base - max(round(room * float(count) / tallest), 1)
                draw.rectangle((start, y, max(end - 2, start), base), fill=rgb_bytes(color))
        _text(draw, (left + 8, top + 4), f"at most {tallest} of {finite.numel()} in a bar", FAINT, SMALL)
    # Text moves with its place: flush left at the left end, centred in the middle, flush right at the right end.
    for at, value in ((0.0, low), (0.5, (low + high) / 2), (1.0, high)):
        text = f"{value:.4g}"
        x = left + 8 + at * (right - left - 16 - draw.textlength(text, font=_font(SMALL)))
        _text(draw, (x, bottom - SMALL - 5), text, TEXT, SMALL)


def _text(draw: ImageDraw.ImageDraw, at: tuple[Number, Number], text: str, color: Iterable[float], size: int) -> None:
    draw.text(at, text, fill=rgb_bytes(color), font=_font(size))
