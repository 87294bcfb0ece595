"""Focus: one tensor, or one kernel of it, as a flat heat map with its histogram."""

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from easel.inspector.drawing.colors import AMBER, BACKGROUND, FAINT, PLATE, PLATE_EDGE, TEXT, Rgb, value_colors
from easel.inspector.drawing.labels import SMALL, TITLE
from easel.inspector.scene.pyramid import Pyramid
from easel.inspector.scene.sheet import Sheet

BINS = 64
MARGIN = 16
LEAST_GRID = 8
"""Pixels of a cell from which on its value's neighbours are parted by lines."""


def focus_picture(
    sheet: Sheet, aggregate: str, size: tuple[int, int], kernel: tuple[int, ...] = ()
) -> Float[Tensor, "h w 3"]:
    """A heat map above a histogram, of `size` = (height, width); `kernel` is how the index of the part begins."""
    height, width = size
    image = Image.new("RGB", (width, height), _bytes(BACKGROUND))
    draw = ImageDraw.Draw(image)
    pyramid = sheet.pyramid(aggregate)
    title = sheet.box.name + (f"[{', '.join(map(str, kernel))}]" if kernel else "")
    values = _part(sheet, kernel)
    draw.text((MARGIN, MARGIN - 6), title, fill=_bytes(AMBER), font=ImageFont.load_default(TITLE))
    shape = "x".join(map(str, sheet.tensor.shape[len(kernel) :])) or "one value"
    finite = values[values.isfinite()]
    facts = f"{shape}   {str(sheet.tensor.dtype).removeprefix('torch.')}   "
    if finite.numel():
        spread = finite.std(correction=0).item()
        low, high = finite.min().item(), finite.max().item()
        facts += f"mean {finite.mean().item():.4g}   std {spread:.4g}   {low:.4g} to {high:.4g}"
    if finite.numel() < values.numel():
        facts += f"   {values.numel() - finite.numel()} NaN or Inf"
    draw.text((MARGIN, MARGIN + TITLE), facts, fill=_bytes(FAINT), font=ImageFont.load_default(SMALL))
    top, below = MARGIN + TITLE + SMALL + 12, max(height // 4, 40)
    room = height - top - below - 2 * MARGIN, width - 2 * MARGIN
    if min(room) > 0:
        map_, cell = _heat_map(values, pyramid, room, sheet.is_sequential(aggregate))
        left = (width - map_.width) // 2
        image.paste(map_, (left, top))
        if cell >= LEAST_GRID:
            for x in range(left, left + map_.width + 1, cell):
                draw.line((x, top, x, top + map_.height), fill=_bytes(PLATE_EDGE))
            for y in range(top, top + map_.height + 1, cell):
                draw.line((left, y, left + map_.width, y), fill=_bytes(PLATE_EDGE))
        _histogram(draw, finite, pyramid, (MARGIN, height - below - MARGIN, width - MARGIN, height - MARGIN), sheet)
    return torch.from_numpy(np.asarray(image, np.float32) / 255)


def _part(sheet: Sheet, kernel: tuple[int, ...]) -> Tensor:
    """The values (rows, columns) that are shown, as float64."""
    tensor = sheet.tensor.detach().cpu()
    if tensor.is_complex() or not kernel:
        whole = torch.view_as_real(tensor) if tensor.is_complex() else tensor
        return sheet.map.spread(whole).double()
    if len(kernel) > tensor.ndim:
        raise ValueError(f"{sheet.box.name!r} has {tensor.ndim} axes; got the index {kernel}.")
    part = tensor[kernel].double()
    return part.reshape(-1, part.shape[-1]) if part.ndim else part.reshape(1, 1)


def _heat_map(values: Tensor, pyramid: Pyramid, room: tuple[int, int], sequential: bool) -> tuple[Image.Image, int]:
    """The values as an image that fits into `room` = (height, width), and how many pixels a cell has in it."""
    rows, columns = values.shape
    limit = max(pyramid.limit, 1e-300)
    cell = min(room[0] // rows, room[1] // columns)
    if not cell:  # the peak of what meets in a pixel, with its sign
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
    """Bars over the tensor's range, each in the colour of its values."""
    left, top, right, bottom = edges
    draw.rectangle(edges, fill=_bytes(PLATE), outline=_bytes(PLATE_EDGE))
    font = ImageFont.load_default(SMALL)
    reach = max(pyramid.peak, 1e-300)
    low = 0.0 if pyramid.low >= 0 else -reach
    high = 0.0 if pyramid.high <= 0 and pyramid.low < 0 else reach
    counts, where = np.histogram(finite.numpy(), bins=BINS, range=(low, high))
    if counts.max(initial=0):
        middles = (where[1:] + where[:-1]) / 2
        sequential = sheet.is_sequential(pyramid.aggregate)
        colors = value_colors(middles / max(pyramid.limit, 1e-300), sequential=sequential)
        xs = np.linspace(left + 8, right - 8, BINS + 1).round().astype(int)
        base, tall = bottom - SMALL - 8, bottom - top - SMALL - 16
        for number, count in enumerate(counts):
            if count:
                y = base - max(round(tall * float(count) / counts.max()), 1)
                r, g, b = (float(part) for part in colors[number])
                draw.rectangle(
                    (int(xs[number]), y, max(int(xs[number + 1]) - 2, int(xs[number])), base), fill=_bytes((r, g, b))
                )
        draw.text(
            (left + 8, top + 4), f"at most {counts.max()} of {finite.numel()} in a bar", fill=_bytes(FAINT), font=font
        )
    for at, value in ((0.0, low), (0.5, (low + high) / 2), (1.0, high)):
        text = f"{value:.4g}"
        x = left + 8 + at * (right - left - 16 - draw.textlength(text, font=font))
        draw.text((x, bottom - SMALL - 5), text, fill=_bytes(TEXT), font=font)


def _bytes(color: Rgb) -> tuple[int, int, int]:
    return round(255 * color[0]), round(255 * color[1]), round(255 * color[2])
