"""Rectification: a photo warped into the frame of the texture by its homography.

The frame is one tile: texel (i, j) of (H, W) has its centre at u = (j + ½) / W, v = 1 − (i + ½) / H, and `uv_to_pixel`
takes (u, v, 1) to the photo's pixels, x right and y down with (½, ½) the centre of the first; its third coordinate is
positive in front of the camera. The texture repeats, so u and v beyond [0, 1] mean something as well.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from easel.graphics.camera import apply_homography, homography
from easel.graphics.color import linear_to_srgb, srgb_to_linear

MOST_SAMPLES = 8
"""Samples along each side of a texel; a photo minified more than that is shrunk first."""

TILE_CORNERS = ((0.0, 1.0), (1.0, 1.0), (1.0, 0.0), (0.0, 0.0))
"""(u, v) of the tile's top left, top right, bottom right and bottom left."""


def rectify(
    photo: Float[Tensor, "3 h w"], uv_to_pixel: Float[Tensor, "3 3"], size: tuple[int, int], *, margin: int = 0
) -> tuple[Float[Tensor, "3 h2 w2"], Float[Tensor, "1 h2 w2"]]:
    """Return the tile as the photo shows it, (3, H, W) of `size`, and `valid` (1, H, W): 1 where it shows the texel.

    `margin` texels of the neighbouring tiles are added on every side.
    """
    return warp(photo, uv_to_pixel.double() @ texel_to_uv(size), texel_centers(size, margin))


def corners_to_uv_to_pixel(corners: Float[Tensor, "4 2"]) -> Float[Tensor, "3 3"]:
    """Return the `uv_to_pixel` of a photo whose tile has its corners at these pixels: top left, then clockwise.

    ValueError where they are no convex four-sided figure in that order.
    """
    if not is_convex(corners):
        raise ValueError(
            f"corners go clockwise around the tile, from its top left, and bulge outwards; got {corners.tolist()}."
        )
    return homography(torch.tensor(TILE_CORNERS, dtype=torch.float64), corners.double())


def is_convex(corners: Float[Tensor, "n 2"]) -> bool:
    """Return True for a convex polygon whose corners go clockwise, y pointing down."""
    sides = corners.roll(-1, 0) - corners
    following = sides.roll(-1, 0)
    # The cross product of neighbouring sides: positive at a turn to the right, where y points down
    return bool((sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0] > 0).all())


def texel_to_uv(size: tuple[int, int]) -> Float[Tensor, "3 3"]:
    """Return the matrix from (x, y) in texels, right and down from the tile's top left corner, to (u, v)."""
    height, width = size
    return torch.tensor([[1 / width, 0, 0], [0, -1 / height, 1], [0, 0, 1]], dtype=torch.float64)


def texel_centers(size: tuple[int, int], margin: int = 0) -> Float[Tensor, "h w 2"]:
    """Return (x, y) of the centre of every texel of a tile and of `margin` more on every side."""
    y, x = (torch.arange(-margin, length + margin, dtype=torch.float64) + 0.5 for length in size)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def warp(
    photo: Float[Tensor, "c h w"], to_pixel: Float[Tensor, "3 3"], points: Float[Tensor, "h2 w2 2"]
) -> tuple[Float[Tensor, "c h2 w2"], Float[Tensor, "1 h2 w2"]]:
    """Sample the photo at points one unit apart that `to_pixel` takes to its pixels; also return 1 inside it, else 0.

    Light is averaged, not its sRGB code, over the area between neighbouring points where the photo is the finer one.
    """
    size = photo.shape[-2], photo.shape[-1]
    seen = _seen(to_pixel, points, size)
    shortest, longest = _footprint(to_pixel, points, seen)
    light = srgb_to_linear(photo)
    # The area that every point covers in both directions is averaged once, by a smaller photo.
    shrink = max(math.floor(shortest / 2), math.ceil(longest / MOST_SAMPLES), 1)
    if shrink > 1:
        smaller = [max(1, round(length / shrink)) for length in size]
        light = torch.nn.functional.interpolate(light[None], smaller, mode="bilinear", antialias=True)[0]
    # A quarter of a pixel more than one sample can cover does not show.
    samples = max(math.ceil(longest / shrink - 0.25), 1)
    to_unit = to_pixel.new_tensor([[2 / size[1], 0, -1], [0, 2 / size[0], -1], [0, 0, 1]]) @ to_pixel
    total = light.new_zeros(light.shape[0], *points.shape[:2])
    for row in range(samples):
        for column in range(samples):
            # Samples spread evenly over the unit square around each point
            offset = points.new_tensor([column + 0.5, row + 0.5]) / samples - 0.5
            grid = apply_homography(to_unit, points + offset).to(light.dtype)
            total += torch.nn.functional.grid_sample(
                light[None], grid[None], mode="bicubic", padding_mode="border", align_corners=False
            )[0]
    # Bicubic interpolation overshoots at edges
    picture = linear_to_srgb((total / samples**2).clamp(0, 1))
    return picture, seen[None].to(picture.dtype)


def _seen(to_pixel: Float[Tensor, "3 3"], points: Float[Tensor, "h w 2"], size: tuple[int, int]) -> Bool[Tensor, "h w"]:
    """Return True where points lie inside a photo of (height, width), and in front of its camera."""
    mapped = torch.nn.functional.pad(points, (0, 1), value=1.0) @ to_pixel.T
    x, y = (mapped[..., :2] / mapped[..., 2:]).unbind(-1)
    return (mapped[..., 2] > 0) & (x >= 0) & (y >= 0) & (x <= size[1]) & (y <= size[0])


def _footprint(
    to_pixel: Float[Tensor, "3 3"], points: Float[Tensor, "h w 2"], seen: Bool[Tensor, "h w"]
) -> tuple[float, float]:
    """Return the shortest and the longest step, in pixels, from a point that is seen to its neighbour."""
    if not seen.any():
        return 1.0, 1.0
    mapped = torch.nn.functional.pad(points[seen], (0, 1), value=1.0) @ to_pixel.T
    divisor = mapped[:, 2:]
    pixel = mapped[:, :2] / divisor
    # The map's derivative: the way of a pixel when its point moves by one to the right, and by one down
    steps = torch.stack([(to_pixel[:2, axis] - pixel * to_pixel[2, axis]) / divisor for axis in (0, 1)])
    lengths = steps.norm(dim=-1)
    return float(lengths.min()), float(lengths.max())
