"""Pasting: a picture put into a window without OpenGL, as its linear filter would show it, where there is no GPU.

A driver that draws on the processor takes three times as long, and its threads wait for those of a training.
"""

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

STRIP_ROWS = 32
"""So many are written at a time: they stay in the processor's cache from channel to channel."""


def paste(picture: Shaped[Tensor, "h w c"], part: np.ndarray) -> bool:
    """Show `picture` on all of `part` (h, w, 4), uint8, within one level of OpenGL; whether it could.

    Not one that is shown far smaller than it is: then the average of several pixels is seen.
    """
    height, width, channels = picture.shape
    size = part.shape[0], part.shape[1]
    if (height >= 2 * size[0] and width >= 2 * size[1]) or picture.dtype not in (torch.uint8, torch.float32):
        return False
    pixels = picture.detach()[..., : 1 if channels < 3 else 3]  # a fourth is not shown
    if pixels.dtype == torch.float32:
        pixels = _in_bytes(pixels)
    # In this order of axes torch knows that the channels lie side by side, and takes half the time.
    planes = pixels[None].permute(0, 3, 1, 2)
    if (height, width) != size:
        planes = torch.nn.functional.interpolate(planes, size, mode="bilinear", align_corners=False)
    shown = planes[0].numpy()
    for top in range(0, size[0], STRIP_ROWS):
        rows = slice(top, top + STRIP_ROWS)
        for channel in range(3):
            part[rows, :, channel] = shown[channel % len(shown), rows]
    return True


def _in_bytes(values: Shaped[Tensor, "h w c"]) -> Shaped[Tensor, "h w c"]:
    """Colours in [0, 1] as numbers to 255."""
    # NumPy, on this thread: torch's would spin for milliseconds after a conversion as short as this.
    scaled = np.multiply(values.numpy(), 255, dtype=np.float32)
    np.rint(scaled, out=scaled)
    return torch.from_numpy(np.nan_to_num(np.clip(scaled, 0, 255, out=scaled), copy=False).astype(np.uint8))
