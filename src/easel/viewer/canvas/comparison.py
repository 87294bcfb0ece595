"""Comparison: one picture against another, by a wipe, by turns or by how far they are apart."""

import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from easel.graphics.color import colormap
from easel.graphics.flip import flip_map
from easel.graphics.image import as_picture, resize
from easel.graphics.metrics import psnr, ssim, ssim_map
from easel.viewer.imgui.sketch import Number

MAPS = ("l1", "l2", "relative", "ssim", "flip")
"""Shown as false colour: the mean absolute and the root mean square difference of the colours, the former in shares of
the other picture's; what structural similarity lacks to 1; and FLIP, how visible the difference is."""
MODES = ("wipe", "flicker", *MAPS)
"""Side by side at a line; in turns; and the maps."""
LEAST_DENOMINATOR = 0.01
"""Added to what a relative difference is divided by, so that black has one."""
MAP_COLORS = "turbo"
FLICKER_SECONDS = 0.5
NUMBERS_SHARE = 0.1
"""Of the time may go into live numbers."""

Region = tuple[int, int, int, int]
"""Top, left, bottom and right in pixels of the picture; the last two are the first outside."""


@runtime_checkable
class PictureSource(Protocol):
    """What has a name and a picture: a canvas, or a step of its history."""

    name: str

    def mapped(self) -> Tensor | None: ...


class Comparison:
    """A canvas's picture against `other`, which need not be on screen itself."""

    def __init__(
        self, other: PictureSource, mode: str = "wipe", gain: Number = 1.0, now: Callable[[], float] = time.perf_counter
    ):
        if mode not in MODES:
            raise ValueError(f"unknown comparison {mode!r}. Known: {', '.join(MODES)}.")
        if gain <= 0:
            raise ValueError(f"gain is above 0; got {gain}.")
        self.other, self.mode, self.gain = other, mode, gain
        self.split: float = 0.5
        """Where a wipe's line stands, as a share of the picture's width: this canvas left, the other right of it."""
        self.held = False
        """A person drags that line."""
        self.corner: tuple[float, float] | None = None
        """Where the drag of a region that goes on began: row and column."""
        self.psnr: float | None = None
        """In dB, of the pictures drawn last or a little earlier; infinite when they are equal."""
        self.ssim: float | None = None
        self.l1: float | None = None
        """Mean absolute difference."""
        self._region: Region | None = None
        self._now = now
        self._numbers_due = -torch.inf

    @property
    def region(self) -> Region | None:
        """What the numbers are of; None: the whole picture. A person drags it with Shift, and a click with Shift
        takes the whole picture again."""
        return self._region

    @region.setter
    def region(self, region: Region | None) -> None:
        if region is not None:
            top, left, bottom, right = region
            if not (0 <= top < bottom and 0 <= left < right):
                raise ValueError(f"a region is (top, left, bottom, right) with at least one pixel; got {region}.")
        if region != self._region:
            self._region = region
            self._numbers_due = -torch.inf

    @property
    def other_is_shown(self) -> bool:
        """It is the other's turn."""
        return self.mode == "flicker" and self._now() // FLICKER_SECONDS % 2 == 1

    @torch.no_grad()
    def picture(self, mine: Shaped[Tensor, "h w c"]) -> Shaped[Tensor, "h w d"]:
        """What the canvas shows instead of its own picture, and of the same size."""
        theirs = self.other.mapped()
        if theirs is None:
            return mine
        a, b = _color(mine), _color(theirs).to(mine.device)
        b = resize(b, (a.shape[0], a.shape[1]))
        self._measure(a, b)
        match self.mode:
            case "flicker":
                return b if self.other_is_shown else mine
            case "wipe":
                column = round(self.split * a.shape[1])
                return torch.cat([a[:, :column], b[:, column:]], dim=1)
            case _:
                return colormap(self._distance(a, b), MAP_COLORS, vmin=0, vmax=1 / self.gain)

    def _distance(self, a: Float[Tensor, "h w 3"], b: Float[Tensor, "h w 3"]) -> Float[Tensor, "h w"]:
        match self.mode:
            case "ssim":
                return (1 - ssim_map(a, b)).float()
            case "flip":
                return flip_map(a, b)
            case "relative":
                return ((a - b).abs() / (b + LEAST_DENOMINATOR)).mean(dim=-1)
            case "l2":
                return (a - b).square().mean(dim=-1).sqrt()
            case _:
                return (a - b).abs().mean(dim=-1)

    def _measure(self, a: Float[Tensor, "h w 3"], b: Float[Tensor, "h w 3"]) -> None:
        began = self._now()
        if began < self._numbers_due:
            return
        if self._region is not None:
            top, left, bottom, right = self._region
            a, b = a[top:bottom, left:right], b[top:bottom, left:right]
        if not a.numel():  # the picture has become smaller
            self.psnr = self.ssim = self.l1 = None
            return
        self.psnr, self.ssim = psnr(a, b).item(), ssim(a, b).item()
        self.l1 = (a - b).abs().mean().item()
        ended = self._now()
        self._numbers_due = ended + (ended - began) / NUMBERS_SHARE


def _color(picture: Tensor) -> Float[Tensor, "h w 3"]:
    """As it is seen: in [0, 1], grey as colour, no alpha."""
    seen = as_picture(picture)[..., :3].clamp(0, 1)
    return seen.expand(*seen.shape[:2], 3)
