"""Contact sheets: many pictures as one, in reading order, with labels where they are given."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Shaped
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import pad

LETTER_PIXELS = 13
"""Height of the letters of labels."""
HEADER_PIXELS = 2 * LETTER_PIXELS
"""Height of the strip of column labels."""
MARGIN_PIXELS = 148
"""Width of the strip of row labels."""
_INK = 0.86


def contact_sheet(
    pictures: Sequence[Float[Tensor, "h w c"]],
    *,
    columns: int | None = None,
    gap: int = 8,
    background: float = 0.08,
    column_labels: Sequence[str] = (),
    row_labels: Sequence[str] = (),
) -> Float[Tensor, "rows columns c"]:
    """Return pictures of one size in reading order, about as wide as high unless `columns` says otherwise.

    `gap` pixels of grey, `background` in [0, 1], surround each; places left over are grey too. Labels stand above the
    columns and, of one or two lines, left of the rows. ValueError without a picture and for pictures of several shapes.

        contact_sheet([before, after], columns=2, column_labels=["before", "after"])
    """
    shapes = {tuple(picture.shape) for picture in pictures}
    if len(shapes) != 1:
        raise ValueError(f"a contact sheet has pictures of one shape; got {sorted(shapes) or 'none'}.")
    # A gap right of and below each picture; the first column and row get theirs at the end.
    framed = [pad(picture, (0, 0, 0, gap, 0, gap), value=background) for picture in pictures]
    sheet = pad(grid(torch.stack(framed), columns, background), (0, 0, gap, 0, gap, 0), value=background)
    if not column_labels and not row_labels:
        return sheet
    left = MARGIN_PIXELS if row_labels else 0
    top = HEADER_PIXELS if column_labels else 0
    sheet = pad(sheet, (0, 0, left, 0, top, 0), value=background)
    height, width, _ = shapes.pop()
    letters = Image.new("L", (sheet.shape[1], sheet.shape[0]))
    draw, font = ImageDraw.Draw(letters), ImageFont.load_default(LETTER_PIXELS)
    for number, label in enumerate(column_labels):
        middle = left + gap + number * (width + gap) + width / 2
        draw.text((middle, top / 2 + 3), label, 255, font, anchor="mm")
    for number, label in enumerate(row_labels):
        middle = top + gap + number * (height + gap) + height / 2
        draw.multiline_text((left - 8, middle), label, 255, font, anchor="rm", align="right", spacing=4)
    # The letters are a mask, so that the pictures keep their values instead of passing through 8 bits.
    coverage = torch.from_numpy(np.asarray(letters).copy()).to(sheet)[..., None] / 255
    return sheet + coverage * (_INK - sheet)


def grid(
    batch: Shaped[Tensor, "b h w c"], columns: int | None = None, background: float = 0.0
) -> Shaped[Tensor, "rows columns c"]:
    """Return a batch side by side, row after row, in `columns` or as square as it gets.

    `background`, black without it, fills the places that are left over.
    """
    count, height, width, channels = batch.shape
    if columns is None:
        columns = math.ceil(math.sqrt(count * height / max(width, 1)))
        columns = max(min(columns, count), 1)
    rows = math.ceil(count / columns)
    # Cells as an array (rows, columns, h, w, c); (rows, h, columns, w, c) is then the sheet, without a loop.
    cells = batch.new_full((rows * columns, height, width, channels), background)
    cells[:count] = batch
    cells = cells.unflatten(0, (rows, columns)).permute(0, 2, 1, 3, 4)
    return cells.reshape(rows * height, columns * width, channels)
