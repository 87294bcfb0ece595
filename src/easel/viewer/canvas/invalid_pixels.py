"""Marks of pixels that have no colour, and the checkerboard behind transparent ones."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from easel.gl.mapping import Marks

NAN_MARK = (1.0, 0.0, 1.0)
OVER_MARK = (1.0, 0.16, 0.1)
"""Colour of +Inf and, with clip marks, of all that is brighter than white."""
UNDER_MARK = (0.12, 0.3, 1.0)
"""Colour of -Inf and, with clip marks, of all that is darker than black."""
MARKS = Marks(NAN_MARK, OVER_MARK, UNDER_MARK)
CHECKER_PIXELS = 8
"""Side of a square of the checkerboard, in the tensor's pixels."""
CHECKER_GREYS = (0.4, 0.6)


def on_checkerboard(picture: Float[Tensor, "h w 3"], alpha: Float[Tensor, "h w 1"]) -> Float[Tensor, "h w 3"]:
    """Composite a picture, not premultiplied by `alpha`, over the checkerboard."""
    # In tensor pixels, so that a save and a film have the same board as the screen.
    rows, columns = (torch.arange(n, device=picture.device) // CHECKER_PIXELS for n in picture.shape[:2])
    even, odd = CHECKER_GREYS
    squares = torch.where((rows[:, None] + columns) % 2 == 0, even, odd)[..., None].to(picture)
    return torch.lerp(squares.expand_as(picture), picture, alpha)


def mark_invalid(values: Float[Tensor, "h w c"], picture: Float[Tensor, "h w d"]) -> Float[Tensor, "h w 3"]:
    """Return `picture` with marks where any channel of `values` is NaN or infinite."""
    infinite = values.isinf()
    picture = _painted(picture, infinite & (values < 0), UNDER_MARK)
    picture = _painted(picture, infinite & (values > 0), OVER_MARK)
    # Last, over the others: a pixel with a NaN beside an infinity is NaN.
    return _painted(picture, values.isnan(), NAN_MARK)


def mark_clipped(toned: Float[Tensor, "h w c"], picture: Float[Tensor, "h w d"]) -> Float[Tensor, "h w 3"]:
    """Return `picture` with marks where any channel of `toned` leaves [0, 1]."""
    # Past the ends by rounding alone is not what anybody means by clipping.
    return _painted(_painted(picture, toned < -1e-6, UNDER_MARK), toned > 1 + 1e-6, OVER_MARK)


def _painted(
    picture: Float[Tensor, "h w d"], mask: Bool[Tensor, "h w c"], color: tuple[float, float, float]
) -> Float[Tensor, "h w 3"]:
    """Return `picture` in `color` where `mask` holds for any channel."""
    # Marks are colours: grey becomes three channels, and alpha, which could hide a mark, is dropped.
    picture = picture[..., :3].expand(*picture.shape[:2], 3)
    return torch.where(mask.any(dim=-1, keepdim=True), picture.new_tensor(color), picture)
