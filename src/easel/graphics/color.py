"""Colour: scene-linear light ↔ display-referred sRGB, tone mapping, and values shown as colours.

`colormaps.npz` holds the tables that matplotlib 3.11 publishes, 256 RGB rows each. inferno, magma, plasma and viridis
are CC0 (N. J. Smith, S. van der Walt, E. Firing), turbo is Apache-2.0 (A. Mikhailov, Google), cool, gray, hot and jet
are matplotlib's own (its licence is of the PSF's kind).
"""

import math
from functools import cache, lru_cache
from importlib import resources

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.names import unknown

COLORMAPS = ("cool", "gray", "grey", "hot", "inferno", "jet", "magma", "plasma", "turbo", "viridis")
"""Names that `colormap` takes."""

_SMALLEST_RANGE = 1e-8
"""Least difference between the values of the first and the last colour, so that a constant is not divided by 0."""
_SHOULDER = 0.8
"""Light from which the tone mapper compresses."""
_DESATURATION = 0.15
"""Rate at which compressed colours fade to white."""


def linear_to_srgb(light: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Encode scene-linear colour channels (not alpha) as sRGB. IEC 61966-2-1.

    Beyond [0, 1] the curve goes on, and negative light mirrors positive.
    """
    magnitude = light.abs()
    # clamp before the power: x ** (1 / 2.4) has an infinite slope at 0
    curved = 1.055 * magnitude.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(magnitude <= 0.0031308, 12.92 * light, curved * light.sign())


def srgb_to_linear(colour: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Decode sRGB colour channels (not alpha) into scene-linear light; inverse of `linear_to_srgb`."""
    magnitude = colour.abs()
    curved = ((magnitude.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(magnitude <= 0.04045, colour / 12.92, curved * colour.sign())


def tonemap(radiance: Float[Tensor, "h w c"], exposure_stops: float | int = 0.0) -> Float[Tensor, "h w c"]:
    """Return a picture of scene-linear radiance, brightened by 2^`exposure_stops`; a fourth channel, alpha, is kept.

    Light up to 0.8 is shown as it is. Above, the strongest channel approaches 1, the others keep their ratio to it
    and then fade to white, so that bright colours neither clip nor change hue. After Khronos' PBR Neutral tone
    mapper (2024), without its offset for reflections.
    """
    # Plane by plane: three channels side by side fill no vector, and each of these steps would take twice as long.
    planes = radiance[..., :3].movedim(-1, 0).contiguous()
    exposed = (planes * 2.0**exposure_stops).nan_to_num(nan=0.0).clamp(min=0)
    peak = exposed.amax(dim=0)
    room = 1 - _SHOULDER
    # clamp: below the shoulder all of this leaves the light as it is, without a branch for every pixel
    over = peak.clamp(min=_SHOULDER)
    shown_peak = 1 - room**2 / (over - _SHOULDER + room)
    kept = 1 / (_DESATURATION * (over - shown_peak) + 1)
    compressed = torch.addcmul(shown_peak * (1 - kept), exposed, shown_peak / over * kept)
    return torch.cat([linear_to_srgb(compressed).movedim(0, -1), radiance[..., 3:].clamp(0, 1)], dim=-1)


@torch.no_grad()
def colormap(
    t: Tensor,
    cmap: str = "turbo",
    *,
    vmin: float | int | None = None,
    vmax: float | int | None = None,
    nan: tuple[float | int, float | int, float | int] = (1, 0, 1),
) -> Float[Tensor, "h w 3"]:
    """Show values as colours: `vmin` takes the first of the table's 256 colours, `vmax` the last, `nan` marks NaN.

    `t` is (H, W) or (H, W, 1) of any real dtype; uint8 counts as /255. Left out, `vmin` and `vmax` are the smallest
    and the largest finite value. `vmin` > `vmax` reverses the colours. `cmap` is one of `COLORMAPS`, in any case.
    ValueError for other shapes, complex values and unknown names.

        canvas.bind(colormap(depth, "viridis", vmin=0, vmax=10))
    """
    if not isinstance(t, Tensor):
        raise TypeError(f"colormap takes a torch tensor; got {type(t).__name__}. Make it one: torch.as_tensor(x).")
    shape = tuple(t.shape)
    if t.is_complex():
        raise ValueError(f"colormap takes real values; got dtype {t.dtype}. Show t.abs() or t.angle().")
    if t.ndim not in (2, 3):
        raise ValueError(f"colormap takes 2D or 3D tensors, (H, W) or (H, W, 1); got {shape}.")
    if t.ndim == 3 and shape[2] != 1:
        raise ValueError(
            f"colormap takes one channel, (H, W) or (H, W, 1); got {shape}. Pick t[..., 0] or show t.norm(dim=-1)."
        )
    if not t.numel():
        raise ValueError(f"colormap takes at least one value; got the empty shape {shape}.")
    for name, bound in (("vmin", vmin), ("vmax", vmax)):
        if bound is not None and not math.isfinite(bound):
            raise ValueError(f"{name} is a finite number or None; got {bound}.")

    values = t.reshape(shape[:2]).to(torch.promote_types(t.dtype, torch.float32))
    if t.dtype == torch.uint8:
        values = values / 255
    low, high = _range(values, vmin, vmax)
    span = high - low
    # The sign is kept: a narrow range that runs downwards still reverses the colours.
    span = torch.where(span.abs() < _SMALLEST_RANGE, torch.full_like(span, _SMALLEST_RANGE).copysign(span), span)
    position = ((values - low) / span).nan_to_num(nan=0.0).clamp(0, 1)
    index = (255 * position).round().long()
    # One row more than the table: the mark of NaN
    index = torch.where(values.isnan(), 256, index)
    table = _table(_known(cmap), t.device)
    # The same as table[index], in a third of the time
    return torch.nn.functional.embedding(index, torch.cat([table, table.new_tensor(nan)[None]]))


def _range(values: Tensor, vmin: float | int | None, vmax: float | int | None) -> tuple[Tensor, Tensor]:
    """Values of the first and the last colour, as 0-d tensors on the values' device: a GPU is not waited for."""
    finite = values.isfinite()
    # Where nothing is finite, any range will do.
    low = values.where(finite, torch.inf).amin().nan_to_num(posinf=0.0)
    high = values.where(finite, -torch.inf).amax().nan_to_num(neginf=1.0)
    if vmin is not None:
        low = values.new_tensor(vmin)
    if vmax is not None:
        high = values.new_tensor(vmax)
    return low, high


def _known(name: str) -> str:
    lower = name.lower()
    if lower in COLORMAPS:
        return lower
    raise ValueError(unknown("colormap", name, COLORMAPS))


@cache
def _tables() -> dict[str, np.ndarray]:
    with resources.files("easel.graphics").joinpath("colormaps.npz").open("rb") as file, np.load(file) as tables:
        return dict(tables)


@lru_cache(maxsize=64)
def _table(name: str, device: torch.device) -> Float[Tensor, "256 3"]:
    return torch.from_numpy(_tables()[name.replace("grey", "gray")]).to(device)
