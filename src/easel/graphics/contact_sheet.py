"""Many pictures as one: a contact sheet."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad


def contact_sheet(
    pictures: Sequence[Float[Tensor, "h w c"]], *, columns: int | None = None, gap: int = 8, background: float = 0.08
) -> Float[Tensor, "rows columns c"]:
    """Pictures of one size in reading order, about as wide as high unless `columns` says otherwise.

    `gap` pixels of grey, `background` in [0, 1], surround each; places left over are grey too. Raises ValueError
    without a picture and for pictures of several shapes.
    """
    shapes = {tuple(picture.shape) for picture in pictures}
    if len(shapes) != 1:
        raise ValueError(f"a contact sheet has pictures of one shape; got {sorted(shapes) or 'none'}.")
    height, width, _ = shapes.pop()
    if columns is None:
        columns = max(1, math.ceil(math.sqrt(len(pictures) * height / width)))
    rows = math.ceil(len(pictures) / columns)
    empty = torch.full_like(pictures[0], background)
    places = [*pictures, *[empty] * (rows * columns - len(pictures))]
    framed = torch.stack([pad(picture, (0, 0, 0, gap, 0, gap), value=background) for picture in places])
    grid = framed.unflatten(0, (rows, columns)).permute(0, 2, 1, 3, 4).flatten(2, 3).flatten(0, 1)
    return pad(grid, (0, 0, gap, 0, gap, 0), value=background)
