"""Histogram: how often each value occurs in what a canvas shows, counted as it is stored, in the units of its range."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.sketch import Number

AXES = ("linear", "log counts", "log values")
"""Which axis is logarithmic."""
BINS = 256
"""Over 0 to 1, each level of 8 bits has one to itself."""
SAMPLE_PIXELS = 1 << 17
"""Of a larger picture, only every so many rows and columns are counted."""
SHARE = 0.1
"""Of the time may go into counting."""
_DECADES = 6
"""That a logarithmic axis of values goes below the largest."""


@dataclass(frozen=True, eq=False)
class Counts:
    """The histogram of one picture."""

    edges: Float32[np.ndarray, " edges"]
    """Where the bins begin and end: one more than there are bins."""
    shares: Float32[np.ndarray, "channels bins"]
    """Of the counted pixels."""
    low: float
    high: float
    """The least and the largest finite value."""
    stride: int
    """Only every so many rows and columns are counted."""
    strange: int
    """Numbers counted that are NaN or infinite."""
    hidden: float
    """The share of the finite numbers that a logarithmic axis cannot show: 0 and below, or far below the largest."""


class Histogram:
    """The counts of a canvas, renewed as the canvas changes, as far as their cost allows."""

    def __init__(self, axes: str = "linear", now: Callable[[], float] = time.perf_counter) -> None:
        self.axes = axes
        self.counts: Counts | None = None
        """Of what was seen last or a little earlier; None before that, and where nothing was finite."""
        self.counted = 0
        """How often the picture has been counted."""
        self.area: Rectangle | None = None
        """Where its bars stand in the window, in pixels; None while they are not shown."""
        self.span = (0.0, 1.0)
        """The values at the left and the right end of that."""
        self._key: object = None
        self._now = now
        self._due = -math.inf

    @property
    def axes(self) -> str:
        """One of `AXES`."""
        return self._axes

    @axes.setter
    def axes(self, axes: str) -> None:
        if axes not in AXES:
            raise ValueError(f"unknown axes {axes!r} of a histogram. Known: {', '.join(AXES)}.")
        self._axes: str = axes

    def renew(self, key: object, live: bool, read: Callable[[], Float[Tensor, "h w c"] | None], stride: int) -> None:
        """Count what `read` gives, unless it is what `key` stood for last time, or it is too early."""
        key = (key, self.axes)
        began = self._now()
        if (key == self._key and not live) or began < self._due:
            return
        values = read()
        self.counts = None if values is None else count(values, self.axes == "log values", stride)
        self.counted += 1
        self._key = key
        ended = self._now()
        self._due = ended + (ended - began) / SHARE


@torch.no_grad()
def count(values: Float[Tensor, "h w c"], log_values: bool = False, stride: int = 1) -> Counts | None:
    """The histogram of a sample of every `stride` rows and columns; None where no number is finite.

    Three channels are counted apart, a fourth is alpha and not counted; of any other number, all values together.
    """
    pixels = values.flatten(0, 1).cpu()
    pixels = pixels[:, :3] if values.shape[-1] in (3, 4) else pixels.reshape(-1, 1)
    finite = pixels.isfinite()
    strange = pixels.numel() - int(finite.sum())
    if strange == pixels.numel():
        return None
    low = pixels.where(finite, torch.inf).amin().item()
    high = pixels.where(finite, -torch.inf).amax().item()
    log_values = log_values and high > 0
    start, stop = (low, high) if low < 0 or high > 1 else (0.0, 1.0)
    if log_values:
        positive = pixels.where(finite & (pixels > 0), torch.inf).amin().item()
        start, stop = math.log10(max(positive, high * 10.0**-_DECADES)), math.log10(high)
        pixels = pixels.log10()
    if stop - start < 1e-6 * max(abs(start), 1):
        start, stop = start - 0.5, stop + 0.5
    counts = torch.stack([torch.histc(channel, BINS, start, stop) for channel in pixels.unbind(1)])
    edges = np.linspace(start, stop, BINS + 1, dtype=np.float64)
    return Counts(
        edges=(10**edges if log_values else edges).astype(np.float32),
        shares=(counts / len(pixels)).numpy(),
        low=low,
        high=high,
        stride=stride,
        strange=strange,
        hidden=max(1 - counts.sum().item() / (pixels.numel() - strange), 0.0),
    )


def stride_of(height: int, width: int) -> int:
    """How many rows and columns of a picture are taken as one, so that counting it does not take long."""
    return max(math.ceil(math.sqrt(height * width / SAMPLE_PIXELS)), 1)


def axis_range(counts: Counts, handles: tuple[Number, Number] | None, log_values: bool) -> tuple[float, float]:
    """From where to where the axis of values goes: all that is counted, and the handles with a little room."""
    low, high = float(counts.edges[0]), float(counts.edges[-1])
    if log_values:
        return low, high
    if handles is not None:
        low, high = min(low, *handles), max(high, *handles)
    room = 0.03 * (high - low)
    return low - room, high + room
