"""From pictures and volumes to the bytes that other programs take."""

from typing import Literal

import numpy as np
from jaxtyping import Shaped
from torch import Tensor


def unnormalize_and_numpy(
    x: Tensor | np.ndarray, bounds: tuple[float | int, float | int] | Literal["auto"] = (0, 1)
) -> Shaped[np.ndarray, "*shape"]:
    """The values as uint8, rounded to nearest; what lies outside the bounds is clamped, what is no number is 0.

    `bounds` become 0 and 255; 'auto' takes the smallest and the largest value. uint8 stays as it is.
    """
    values = x.detach().cpu().numpy() if isinstance(x, Tensor) else np.asarray(x)
    if values.dtype == np.uint8:
        return values
    if not np.issubdtype(values.dtype, np.floating) or values.size == 0:
        raise ValueError(f"this takes floats or uint8, at least one; got {values.shape} of {values.dtype}.")
    numbers = values.astype(np.float32)
    if bounds == "auto":
        finite = numbers[np.isfinite(numbers)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    else:
        low, high = bounds
        if not low < high:
            raise ValueError(f"bounds are two numbers, the smaller first, or 'auto'; got {bounds}.")
    unit = (numbers - low) / max(high - low, np.finfo(np.float32).tiny)
    return np.rint(np.nan_to_num(unit, nan=0.0).clip(0.0, 1.0) * 255).astype(np.uint8)
