"""Histogram of the values that a canvas shows, as they are stored, in the units of its range."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from easel.viewer.imgui.arguments import checked_attribute
from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.sketch import Number

AXES = ("linear", "log counts", "log values")
"""Choices of the logarithmic axis."""
BINS = 256
"""Number of bins: over 0 to 1, each level of 8 bits has one to itself."""
SAMPLE_PIXELS = 1 << 17
"""Pixels that are counted; of a larger picture, only every so many rows and columns."""
SHARE = 0.1
"""Largest share of the time that counting may take."""
_DECADES = 6
"""Length of a logarithmic axis of values, in decades below the largest."""


@dataclass(frozen=True, eq=False)
class Counts:
    """The histogram of one picture."""

    edges: Float32[np.ndarray, " edges"]
    """Ends of the bins, one more than there are bins."""
    shares: Float32[np.ndarray, "channels bins"]
    """Share of the counted pixels in each bin."""
    low: float
    high: float
    """The least and the largest finite value."""
    stride: int
    """Distance of the counted rows and columns."""
    invalid: int
    """Number of counted values that are NaN or infinite."""
    hidden: float
    """Share of the finite values that a logarithmic axis cannot show: 0 and below, or far below the largest."""


class Histogram:
    """The counts of a canvas, renewed as it changes, as far as their cost allows."""

    def __init__(self, axes: str = "linear", now: Callable[[], float] = time.perf_counter) -> None:
        self.axes = axes
        self.counts: Counts | None = None
        """Counts of the values shown last or a little earlier; None before the first, and where none was finite."""
        self.counted = 0
        """Number of counts so far."""
        self.area: Rectangle | None = None
        """Rectangle of its bars in window pixels; None while they are not shown."""
        self.span = (0.0, 1.0)
        """Values at the left and the right end of that."""
        self._key: object = None
        self._now = now
        self._due = -math.inf

    @checked_attribute
    def axes(self, axes: str) -> str:
        """The logarithmic axis, one of `AXES`; ValueError for anything else."""
        if axes not in AXES:
            raise ValueError(f"unknown axes {axes!r} of a histogram. Known: {', '.join(AXES)}.")
        return axes

    def renew(self, key: object, live: bool, read: Callable[[], Float[Tensor, "h w c"] | None], stride: int) -> None:
        """Count the values that `read` returns, unless they are those of the last `key`, or it is too early."""
        # Logarithmic bins are other bins, so these axes have counts of their own.
        key = (key, self.axes)
        began = self._now()
        if (key == self._key and not live) or began < self._due:
            return
        values = read()
        self.counts = None if values is None else count(values, self.axes == "log values", stride)
        self.counted += 1
        self._key = key
        # A pause in proportion to the work, so that any picture takes the same share of the time.
        ended = self._now()
        self._due = ended + (ended - began) / SHARE


@torch.no_grad()
def count(values: Float[Tensor, "h w c"], log_values: bool = False, stride: int = 1) -> Counts | None:
    """Count a sample of every `stride` rows and columns; None where no value is finite.

    Three channels are counted separately, and a fourth, alpha, is not; of any other number, all values together.
    """
    # On the CPU: of a tensor on a GPU, `read` has taken the sample before it comes here.
    pixels = values.flatten(0, 1).cpu()
    pixels = pixels[:, :3] if values.shape[-1] in (3, 4) else pixels.reshape(-1, 1)
    finite = pixels.isfinite()
    invalid = pixels.numel() - int(finite.sum())
    if invalid == pixels.numel():
        return None
    # Infinities of the other sign never win: cheaper than a copy of the finite values alone.
    low = pixels.where(finite, torch.inf).amin().item()
    high = pixels.where(finite, -torch.inf).amax().item()
    if log_values := log_values and high > 0:
        positive = pixels.where(finite & (pixels > 0), torch.inf).amin().item()
        start = math.log10(max(positive, high * 10.0**-_DECADES))
        stop = math.log10(high)
        pixels = pixels.log10()
    elif 0 <= low and high <= 1:
        start, stop = 0.0, 1.0
    else:
        start, stop = low, high
    # One value alone: bins of no width would count nothing.
    if stop - start < 1e-6 * max(abs(start), 1):
        start -= 0.5
        stop += 0.5
    counts = torch.stack([torch.histc(channel, BINS, start, stop) for channel in pixels.unbind(1)])
    edges = np.linspace(start, stop, BINS + 1, dtype=np.float64)
    if log_values:
        edges = 10**edges
    hidden = max(1 - counts.sum().item() / (pixels.numel() - invalid), 0.0)
    return Counts(edges.astype(np.float32), (counts / len(pixels)).numpy(), low, high, stride, invalid, hidden)


def stride_of(height: int, width: int) -> int:
    """Return the distance of rows and columns at which a picture of this size has `SAMPLE_PIXELS` at most."""
    return max(math.ceil(math.sqrt(height * width / SAMPLE_PIXELS)), 1)


def axis_range(counts: Counts, handles: tuple[Number, Number] | None, log_values: bool) -> tuple[float, float]:
    """Return the ends of the axis of values: all that is counted, and the handles, with a little room."""
    low, high = float(counts.edges[0]), float(counts.edges[-1])
    if log_values:
        return low, high
    if handles is not None:
        low, high = min(low, *handles), max(high, *handles)
    # A handle at the very end would lie under the frame of the plot, and could not be taken hold of.
    room = 0.03 * (high - low)
    return low - room, high + room
