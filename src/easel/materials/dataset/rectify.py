"""Photos brought into the frame of the texture: every texel is looked up where the photo shows it.

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
"""Along each side of a texel; a photo minified more than that is shrunk first."""

TILE_CORNERS = ((0.0, 1.0), (1.0, 1.0), (1.0, 0.0), (0.0, 0.0))
"""u and v of the top left, top right, bottom right and bottom left."""


def rectify(
    photo: Float[Tensor, "3 h w"], uv_to_pixel: Float[Tensor, "3 3"], size: tuple[int, int], *, margin: int = 0
) -> tuple[Float[Tensor, "3 h2 w2"], Float[Tensor, "1 h2 w2"]]:
    """The tile as the photo shows it, (3, H, W) of `size`, and `valid` (1, H, W): 1 where the photo shows the texel.

    `margin` texels of the neighbouring tiles are added on every side.
    """
    return warp(photo, uv_to_pixel.double() @ texel_to_uv(size), texel_centers(size, margin))


def corners_to_uv_to_pixel(corners: Float[Tensor, "4 2"]) -> Float[Tensor, "3 3"]:
    """The `uv_to_pixel` of a photo whose tile has its corners at these pixels: top left, then clockwise.

    ValueError where they are no convex four-sided figure in that order.
    """
    sides = corners.roll(-1, 0) - corners
    following = sides.roll(-1, 0)
    turns = sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]
    if not (turns > 0).all():  # y points down, where clockwise is positive
        raise ValueError(
            f"corners go clockwise around the tile, from its top left, and bulge outwards; got {corners.tolist()}."
        )
    return homography(torch.tensor(TILE_CORNERS, dtype=torch.float64), corners.double())


def texel_to_uv(size: tuple[int, int]) -> Float[Tensor, "3 3"]:
    """(x, y) in texels, right and down from the top left corner of the tile → (u, v)."""
    height, width = size
    return torch.tensor([[1 / width, 0, 0], [0, -1 / height, 1], [0, 0, 1]], dtype=torch.float64)


def texel_centers(size: tuple[int, int], margin: int = 0) -> Float[Tensor, "h w 2"]:
    """(x, y) of every texel of a tile and of `margin` more on every side."""
    y, x = (torch.arange(-margin, length + margin, dtype=torch.float64) + 0.5 for length in size)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def warp(
    photo: Float[Tensor, "c h w"], to_pixel: Float[Tensor, "3 3"], points: Float[Tensor, "h2 w2 2"]
) -> tuple[Float[Tensor, "c h2 w2"], Float[Tensor, "1 h2 w2"]]:
    """The photo at points one unit apart that `to_pixel` takes to its pixels, and 1 where they lie inside it.

    Light is averaged, not its sRGB code, over what lies between neighbouring points where the photo is the finer one.
    """
    size = photo.shape[-2], photo.shape[-1]
    seen = _seen(to_pixel, points, size)
    shortest, longest = _footprint(to_pixel, points, seen)
    light = srgb_to_linear(photo)
    # What every point covers in both directions is averaged once, by a smaller photo.
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
            offset = points.new_tensor([column + 0.5, row + 0.5]) / samples - 0.5
            grid = apply_homography(to_unit, points + offset).to(light.dtype)
            total += torch.nn.functional.grid_sample(
                light[None], grid[None], mode="bicubic", padding_mode="border", align_corners=False
            )[0]
    picture = linear_to_srgb((total / samples**2).clamp(0, 1))
    return picture, seen[None].to(picture.dtype)


def _seen(to_pixel: Float[Tensor, "3 3"], points: Float[Tensor, "h w 2"], size: tuple[int, int]) -> Bool[Tensor, "h w"]:
    """Whether points lie inside a photo of (height, width), and in front of its camera."""
    mapped = torch.nn.functional.pad(points, (0, 1), value=1.0) @ to_pixel.T
    x, y = (mapped[..., :2] / mapped[..., 2:]).unbind(-1)
    return (mapped[..., 2] > 0) & (x >= 0) & (y >= 0) & (x <= size[1]) & (y <= size[0])


def _footprint(
    to_pixel: Float[Tensor, "3 3"], points: Float[Tensor, "h w 2"], seen: Bool[Tensor, "h w"]
) -> tuple[float, float]:
    """The shortest and the longest step, in pixels, from a point that is seen to its neighbour."""
    if not seen.any():
        return 1.0, 1.0
    mapped = torch.nn.functional.pad(points[seen], (0, 1), value=1.0) @ to_pixel.T
    pixel, divisor = mapped[:, :2] / mapped[:, 2:], mapped[:, 2:]
    # The map's derivative: how far a pixel moves when its point moves by one to the right, and by one down
    steps = torch.stack([(to_pixel[:2, axis] - pixel * to_pixel[2, axis]) / divisor for axis in (0, 1)])
    lengths = steps.norm(dim=-1)
    return float(lengths.min()), float(lengths.max())
