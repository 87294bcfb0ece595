"""Comparison of two pictures: by a wipe, in alternation, or by a map of their difference."""

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
from easel.viewer.imgui.arguments import checked_attribute
from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.sketch import Number

MAPS = ("l1", "l2", "relative", "ssim", "flip")
"""Difference maps, in false colour: mean absolute and root mean square difference of the colours, the mean absolute one
relative to the other picture, 1 − structural similarity, and FLIP, the visibility of the difference."""
MODES = ("wipe", "flicker", *MAPS)
"""Side by side at a line; in alternation; and the maps."""
LEAST_DENOMINATOR = 0.01
"""Added to the denominator of a relative difference, so that black has one."""
MAP_COLORS = "turbo"
FLICKER_SECONDS = 0.5
NUMBERS_SHARE = 0.1
"""Largest share of the time that live numbers may take."""

Region = tuple[int, int, int, int]
"""Top, left, bottom and right in pixels of the picture; the last two are the first outside."""


@runtime_checkable
class PictureSource(Protocol):
    """Anything with a name and a picture: a canvas, or a step of its history."""

    name: str

    def mapped(self) -> Tensor | None:
        """Return the picture, display-referred; None while there is none."""


class Comparison:
    """Comparison of a canvas's picture with that of `other`, which need not be on screen itself.

    ValueError for an unknown mode, or a gain that is not above 0.
    """

    def __init__(
        self, other: PictureSource, mode: str = "wipe", gain: Number = 1.0, now: Callable[[], float] = time.perf_counter
    ):
        if mode not in MODES:
            raise ValueError(f"unknown comparison {mode!r}. Known: {', '.join(MODES)}.")
        if gain <= 0:
            raise ValueError(f"gain is above 0; got {gain}.")
        self.other, self.mode, self.gain = other, mode, gain
        self.split: float = 0.5
        """Position of a wipe's line, as a share of the picture's width: this canvas left, the other right of it."""
        self.held = False
        """True while a person drags that line."""
        self.corner: tuple[float, float] | None = None
        """Row and column at which the drag of a region in progress began."""
        self.psnr: float | None = None
        """In dB, of the pictures drawn last or a little earlier; infinite when they are equal."""
        self.ssim: float | None = None
        self.l1: float | None = None
        """Mean absolute difference."""
        self._now = now
        # Which makes the numbers due: the first picture is measured whatever the clock says.
        self.region = None

    @checked_attribute
    def region(self, region: Region | None) -> Region | None:
        """The part that the numbers are of; None for all. Dragged with Shift; a click with Shift takes all again."""
        if region is not None:
            top, left, bottom, right = region
            if not (0 <= top < bottom and 0 <= left < right):
                raise ValueError(f"a region is (top, left, bottom, right) with at least one pixel; got {region}.")
        # Numbers of another part are due at once, whatever their share of the time.
        if region != self.region:
            self._numbers_due = -torch.inf
        return region

    @property
    def other_is_shown(self) -> bool:
        """True in the half of an alternation that shows the other picture."""
        # By the clock, not by frames: it alternates at the same pace whether or not anything else is drawn.
        return self.mode == "flicker" and self._now() // FLICKER_SECONDS % 2 == 1

    def split_x(self, picture: Rectangle, visible: Rectangle) -> Number:
        """Return the screen position of a wipe's line, or the visible edge that it is beyond."""
        return min(max(picture.x + self.split * picture.width, visible.x), visible.x + visible.width)

    @torch.no_grad()
    def picture(self, mine: Shaped[Tensor, "h w c"]) -> Shaped[Tensor, "h w d"]:
        """Return the picture that the canvas shows in place of its own, `mine`, in the same size."""
        if (theirs := self.other.mapped()) is None:
            return mine
        # In this canvas's size: the program decides what is looked at, the other is what it is measured against.
        a = _color(mine)
        b = resize(_color(theirs).to(mine.device), (a.shape[0], a.shape[1]))
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
                # Computed in double precision, where the variance of a flat area would cancel in single.
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
        if self.region is not None:
            top, left, bottom, right = self.region
            a, b = (picture[top:bottom, left:right] for picture in (a, b))
        if not a.numel():  # the picture has become smaller
            self.psnr = self.ssim = self.l1 = None
            return
        self.psnr = psnr(a, b).item()
        self.ssim = ssim(a, b).item()
        self.l1 = (a - b).abs().mean().item()
        # A pause in proportion to the work keeps it to its share of the time, whatever the picture's size.
        ended = self._now()
        self._numbers_due = ended + (ended - began) / NUMBERS_SHARE


def _color(picture: Tensor) -> Float[Tensor, "h w 3"]:
    """Return a picture as it is seen: in [0, 1], grey as colour, without alpha."""
    # Clamped, as a screen does: a difference that nobody can see is none.
    seen = as_picture(picture)[..., :3].clamp(0, 1)
    return seen.expand(*seen.shape[:2], 3)
