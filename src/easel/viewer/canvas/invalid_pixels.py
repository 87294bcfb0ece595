"""Marks: what pixels are painted that have no colour, and what shines through those that are transparent."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from easel.gl.mapping import Marks

NAN_MARK = (1.0, 0.0, 1.0)
OVER_MARK = (1.0, 0.16, 0.1)
"""+Inf, and with clip marks whatever is brighter than can be shown."""
UNDER_MARK = (0.12, 0.3, 1.0)
"""-Inf, and with clip marks whatever is darker."""
MARKS = Marks(NAN_MARK, OVER_MARK, UNDER_MARK)
CHECKER_PIXELS = 8
"""A square of what shines through transparent pixels, in the tensor's pixels."""
CHECKER_GREYS = (0.4, 0.6)


def on_checkerboard(picture: Float[Tensor, "h w 3"], alpha: Float[Tensor, "h w 1"]) -> Float[Tensor, "h w 3"]:
    rows, columns = (torch.arange(n, device=picture.device) // CHECKER_PIXELS for n in picture.shape[:2])
    even, odd = CHECKER_GREYS
    squares = torch.where((rows[:, None] + columns) % 2 == 0, even, odd)[..., None].to(picture)
    return torch.lerp(squares.expand_as(picture), picture, alpha)


def mark_strange(values: Float[Tensor, "h w c"], picture: Float[Tensor, "h w d"]) -> Float[Tensor, "h w 3"]:
    """`picture` with pixels marked whose `values` are NaN or infinite."""
    infinite = values.isinf()
    picture = _painted(picture, infinite & (values < 0), UNDER_MARK)
    picture = _painted(picture, infinite & (values > 0), OVER_MARK)
    return _painted(picture, values.isnan(), NAN_MARK)


def mark_clipped(toned: Float[Tensor, "h w c"], picture: Float[Tensor, "h w d"]) -> Float[Tensor, "h w 3"]:
    """`picture` with pixels marked that leave the range that can be shown."""
    # Past the ends by rounding alone is not what anybody means by clipping.
    return _painted(_painted(picture, toned < -1e-6, UNDER_MARK), toned > 1 + 1e-6, OVER_MARK)


def _painted(
    picture: Float[Tensor, "h w d"], mask: Bool[Tensor, "h w c"], color: tuple[float, float, float]
) -> Float[Tensor, "h w 3"]:
    """`picture` in `color` where `mask` holds for any channel."""
    picture = picture[..., :3].expand(*picture.shape[:2], 3)
    return torch.where(mask.any(dim=-1, keepdim=True), picture.new_tensor(color), picture)
