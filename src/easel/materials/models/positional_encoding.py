"""Codes that tell attention where on the picture a token lies, and where the camera was.

The frame is the picture's: x to the right, y up, z towards the camera; the picture spans [−½, ½]² at z = 0.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

OCTAVES = 6
"""Frequencies of the position code: 1, 2, 4 … periods across the picture, which go on over its edges."""


def texel_positions(height: int, width: int, device: torch.device) -> Float[Tensor, "height width 2"]:
    """Return x and y of every texel's centre."""
    # +0.5: a texel's value sits at its centre.
    x = (torch.arange(width, device=device) + 0.5) / width - 0.5
    y = 0.5 - (torch.arange(height, device=device) + 0.5) / height
    return torch.stack(torch.broadcast_tensors(x, y[:, None]), dim=-1)


def position_code(height: int, width: int, device: torch.device) -> Float[Tensor, "height width c"]:
    """Return sines and cosines of both coordinates, OCTAVES of each."""
    # Whole periods: the code repeats with a texture that tiles.
    frequencies = 2.0 ** torch.arange(OCTAVES, device=device)
    phases = (2 * math.pi * texel_positions(height, width, device)[..., None] * frequencies).flatten(-2)
    return torch.cat([phases.sin(), phases.cos()], dim=-1)


def camera_directions(cameras: Float[Tensor, "b n 3"], height: int, width: int) -> Float[Tensor, "b n height width 3"]:
    """Return unit vectors from every texel to the camera; NaN where a camera is."""
    texels = torch.nn.functional.pad(texel_positions(height, width, cameras.device), (0, 1))
    return torch.nn.functional.normalize(cameras[:, :, None, None] - texels, dim=-1)


class TokenCodes(nn.Module):
    """Adds both codes to tokens, brought to their width by learned matrices; an unknown camera has a learned vector.

    Both are the same for every order of the photos.
    """

    def __init__(self, dim: int, *, position: bool, view: bool) -> None:
        super().__init__()
        self.position = None
        if position:
            self.position = nn.Linear(4 * OCTAVES, dim)
        self.view = None
        if view:
            self.view = nn.Linear(3, dim)
        self.unknown_view = None
        if view:
            self.unknown_view = nn.Parameter(torch.zeros(dim))

    def forward(
        self, tokens: Float[Tensor, "b n h w d"], cameras: Float[Tensor, "b n 3"] | None
    ) -> Float[Tensor, "b n h w d"]:
        height, width = tokens.shape[2:4]
        if self.position is not None:
            tokens = tokens + self.position(position_code(height, width, tokens.device).to(tokens.dtype))
        if self.view is None or self.unknown_view is None:
            return tokens
        if cameras is None:
            return tokens + self.unknown_view
        is_known: Bool[Tensor, "b n"] = cameras.isfinite().all(-1)
        # Zeros stand in before the matrix: NaN times a gradient of 0 would be NaN.
        directions = camera_directions(cameras.where(is_known[..., None], 0), height, width)
        code = self.view(directions.to(tokens.dtype))
        return tokens + code.where(is_known[..., None, None, None], self.unknown_view.to(code.dtype))
