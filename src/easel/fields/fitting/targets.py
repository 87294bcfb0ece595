"""Targets of fits: pictures and volumes from files, PIL images, arrays and tensors.

A target is a float32 tensor with its channels last and values in [0, 1]: (H, W, C) or (X, Y, Z, C), C of 1, 3 or 4.
"""

import logging
import math
import os

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from easel.graphics.image import as_tensor, imread

_LOG = logging.getLogger("easel")
_CHANNELS = (1, 3, 4)
_WHITE = {torch.bool: 1, torch.uint8: 255, torch.uint16: 65_535}


def load_image_as_tensor(path: str | os.PathLike[str], device: torch.device | str = "cpu") -> Float[Tensor, "h w 3"]:
    """Read a picture file as RGB in [0, 1]: grey is repeated, 16 bits are kept, transparency is laid on white.

    Raises a `graphics.files.FileError` for whatever is wrong with the file, a ValueError for light brighter than white.
    """
    picture = as_target(path, device=device)
    if picture.shape[-1] == 4:
        _LOG.info("%s has transparency: it is laid on white", os.fspath(path))
        colour, alpha = picture[..., :3], picture[..., 3:]
        return 1 + alpha * (colour - 1)
    return picture.expand(*picture.shape[:2], 3).contiguous()


def as_target(
    target: object,
    *,
    dimensions: int = 2,
    bounds: tuple[float | int, float | int] | None = None,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "*size c"]:
    """Return the target that a path, a PIL image, a numpy array or a tensor holds, channels last, in [0, 1].

    Pictures come as (H, W), (H, W, C), (C, H, W) or (1, C, H, W); volumes, with `dimensions=3`, as (X, Y, Z),
    (X, Y, Z, C) or (1, C, X, Y, Z). Integers mean what their type says, 255 or 65,535 is white; floats lie in [0, 1].
    `bounds` are the black and white of other numbers, (-1, 1) for instance. ValueError for whatever else comes.

        fields.as_target(np.load("scan.npy"), dimensions=3, bounds=(0, 4095))
    """
    if isinstance(target, str | os.PathLike):
        # A volume's file may hold spacing and more, which `volumes.read_volume` knows to read.
        if dimensions != 2:
            raise ValueError(f"{os.fspath(target)!r} names a file; read the volume first and fit the tensor.")
        return _in_unit_range(imread(target, channels=0, device=device), bounds)
    values = as_tensor(target, "a target").detach().to(device)
    # A PIL image has its channels last, whatever its shape looks like: one of three rows is no RGB picture.
    if not isinstance(target, Image.Image):
        values = _channels_last(values, dimensions)
    elif values.ndim == 2:
        values = values[..., None]
    return _in_unit_range(values, bounds).contiguous()


def _channels_last(values: Tensor, dimensions: int) -> Tensor:
    """Bring channels to the end; ValueError where a shape has none, or may be read in two ways."""
    shape = tuple(values.shape)
    if 0 in shape:
        raise ValueError(f"a target has at least one sample; got the empty shape {shape}.")
    if values.ndim == dimensions:
        return values[..., None]
    if values.ndim == dimensions + 2 and shape[0] == 1 and shape[1] in _CHANNELS:
        return values[0].movedim(0, -1)
    if values.ndim == dimensions + 1:
        first = shape[0] in _CHANNELS
        last = shape[-1] in _CHANNELS
        # Nobody writes volumes with channels first and no batch: a short axis X must not turn one around.
        if last and (dimensions == 3 or not first):
            return values
        if first and last:
            raise ValueError(
                f"the target's shape {shape} is ambiguous: its channels may come first or last. "
                "Give it as (1, C, H, W): x[None] if they come first, x.permute(2, 0, 1)[None] if they come last."
            )
        if first and dimensions == 2:
            return values.movedim(0, -1)
    fits = "(X, Y, Z), (X, Y, Z, C) or (1, C, X, Y, Z)"
    if dimensions == 2:
        fits = "(H, W), (H, W, C), (C, H, W) or (1, C, H, W)"
    raise ValueError(f"a target is {fits} with C of 1, 3 or 4; got {shape}.")


def _in_unit_range(values: Tensor, bounds: tuple[float | int, float | int] | None) -> Tensor:
    """Scale black and white to 0 and 1; ValueError where numbers lie outside, which a clamp would hide."""
    # Other integers have no white of their own: 12-bit scans come as int16, labels as int64.
    if not values.is_floating_point() and values.dtype not in _WHITE and bounds is None:
        raise ValueError(
            f"a target holds uint8, uint16 or float; got {_name(values.dtype)}. "
            "For other integers say what is black and white: bounds=(0, 4095)."
        )
    if values.is_complex():
        raise ValueError(f"a target holds real numbers; got {_name(values.dtype)}. Fit x.abs() or its angle.")
    low, high = bounds or (0.0, _WHITE.get(values.dtype, 1.0))
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"bounds are two finite numbers, the smaller first; got {bounds}.")
    numbers = values.float()
    if not numbers.isfinite().all():
        bad = int((~numbers.isfinite()).sum())
        raise ValueError(
            f"{bad:,} of the target's {numbers.numel():,} values are NaN or infinite; "
            "fill them in, say with torch.nan_to_num, and leave them out with mask=."
        )
    least = numbers.min().item()
    most = numbers.max().item()
    if least < low or most > high:
        advice = "Say bounds=(black, white)."
        if -1 <= least < 0 and most <= 1:
            advice = "Values of -1 to 1? Say bounds=(-1, 1)."
        raise ValueError(
            f"the target's values lie in [{least:.4g}, {most:.4g}], outside [{low:.4g}, {high:.4g}]. {advice}"
        )
    return (numbers - low) / (high - low)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
