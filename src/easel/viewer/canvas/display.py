"""Display: how the values of any tensor become a picture; the same one on screen, in a save and in a film."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from easel.gl.mapping import Mapping
from easel.graphics.channels import LAYOUTS, Basis, flow_colors, hwc, label_colors, principal
from easel.graphics.color import COLORMAPS, colormap, linear_to_srgb, tonemap
from easel.graphics.dither import dithered
from easel.graphics.image import as_values, check_tensor, empty_values
from easel.viewer.canvas.invalid_pixels import mark_clipped, mark_strange, on_checkerboard
from easel.viewer.imgui.sketch import Number

CHANNELS = ("norm", "pca", "labels", "normals", "depth", "flow")
"""What channels may mean; a number or a tuple of 1, 3 or 4 numbers picks some."""
TONEMAPS = ("srgb", "neutral")
"""How scene-linear light is shown: encoded only, or with a shoulder so that highlights neither clip nor shift hue."""

STRIP_PIXELS = 1 << 16
"""How many pixels are worked out at a time."""
PATTERN_ROWS = 16
"""After so many rows, checkerboard and dither begin again."""

_SMALLEST_RANGE = 1e-8
_GPU_DTYPES = (torch.float32, torch.float16, torch.uint8)
_NAMED_RANGES = {"normals": (-1.0, 1.0), "pca": (0.0, 1.0)}


@dataclass(frozen=True)
class Display:
    """How the values of a tensor become a picture: `apply` takes these steps in this order.

    Ranges and principal components that are left open are found once, by `lock`, and stay.
    """

    layout: str = "hwc"
    """The order of the tensor's axes, one of `LAYOUTS`; a batch is shown as a grid."""
    channels: str | int | tuple[int, ...] | None = None
    """One of `CHANNELS`, or the numbers of those to show; None: all of 1, 3 or 4."""
    vmin: Number | None = None
    """The value shown black, or in the colormap's first colour. None: 0, or the least value where a range is needed."""
    vmax: Number | None = None
    """The value shown white, or in the colormap's last colour. None: 1, or the largest value."""
    exposure: Number = 0.0
    """Stops: brightens by 2^exposure."""
    offset: Number = 0.0
    """Added after that."""
    gamma: Number = 1.0
    """Values in [0, 1] are raised to 1 / gamma."""
    tonemap: str | None = None
    """For scene-linear light: one of `TONEMAPS`."""
    cmap: str | None = None
    """False colour, one of `COLORMAPS`: of the one channel, or the mean of the colours."""
    clip_marks: bool = False
    """Mark what is brighter than white or darker than black, too."""
    alpha: bool = False
    """A fourth channel lets a checkerboard shine through; otherwise it is ignored."""
    dither: bool = False
    """Half a level of pattern, so that slow ramps do not step in 8 bits."""
    basis: Basis | None = field(default=None, compare=False, repr=False)
    """The principal components, once found."""

    def __post_init__(self) -> None:
        _check_name("layout", self.layout, tuple(LAYOUTS))
        _check_channels(self.channels)
        if self.cmap is not None:
            _check_name("colormap", self.cmap.lower() if isinstance(self.cmap, str) else self.cmap, COLORMAPS)
        if self.tonemap is not None:
            _check_name("tonemap", self.tonemap, TONEMAPS)
        for name in ("vmin", "vmax", "exposure", "offset", "gamma"):
            value = getattr(self, name)
            if value is None and name in ("vmin", "vmax"):
                continue
            if isinstance(value, bool) or not isinstance(value, float | int) or not math.isfinite(value):
                raise ValueError(f"{name} is a finite number; got {value!r}.")
        if self.gamma <= 0:
            raise ValueError(f"gamma is above 0; got {self.gamma}.")
        if self.tonemap is not None and (self.cmap is not None or isinstance(self.channels, str)):
            other = f"cmap={self.cmap!r}" if self.cmap is not None else f"channels={self.channels!r}"
            raise ValueError(f"tonemap={self.tonemap!r} is for light, {other} is not: set one of the two to None.")

    @property
    def is_identity(self) -> bool:
        """Nothing is changed: the picture is the tensor."""
        return self == _IDENTITY

    @property
    def colors(self) -> str | None:
        """The colormap in use, which depth has without being asked for."""
        return self.cmap or ("turbo" if self.channels == "depth" else None)

    @property
    def is_open(self) -> bool:
        """Something is still to be found by `lock`."""
        return (self.channels == "pca" and self.basis is None) or (
            self._needs_range and (self.vmin is None or self.vmax is None)
        )

    @property
    def _needs_range(self) -> bool:
        return self.channels != "labels" and (self.colors is not None or self.channels in ("norm", "flow"))


def check(tensor: Tensor, display: Display, who: str = "a picture") -> tuple[int, int]:
    """(height, width) of what `apply` makes of such a tensor; ValueError, beginning with `who`, if it cannot."""
    if display.is_identity:
        height, width = check_tensor(tensor, who).shape[:2]
        return height, width
    try:
        height, width = _choose(torch.empty_like(tensor, device="meta"), display).shape[:2]
    except ValueError as error:
        raise ValueError(f"{who}: {error}") from None
    return height, width


@torch.no_grad()
def apply(tensor: Tensor, display: Display) -> Shaped[Tensor, "h w c"]:
    """The picture of a tensor, on its device: display-referred, in [0, 1], NaN and infinite pixels marked.

    Where nothing is to be changed it is the tensor itself, in its own type and memory.
    """
    if display.is_identity:
        picture = check_tensor(tensor)
        return picture if _is_finite(picture) else mark_strange(as_values(picture), as_values(picture).clamp(0, 1))
    chosen = _choose(tensor.detach(), display)
    if display.channels == "labels":
        return label_colors(chosen)
    display = _lock(chosen, display)
    strange = not _is_finite(chosen)
    height, width = chosen.shape[:2]
    if chosen.device.type != "cpu" or height * width <= STRIP_PIXELS:
        return _shade(chosen, display, strange)
    # By strips that stay in the processor's cache, and in memory that is used again: fresh pages cost more than this
    # arithmetic. Whole periods of rows, for the patterns' sake.
    rows = max(STRIP_PIXELS // width // PATTERN_ROWS, 1) * PATTERN_ROWS
    picture = None
    for top in range(0, height, rows):
        strip = _shade(chosen[top : top + rows], display, strange)
        if picture is None:
            picture = empty_values((height, width, strip.shape[-1]), strip.device)
        picture[top : top + rows] = strip
    assert picture is not None
    return picture


def _shade(chosen: Shaped[Tensor, "h w c"], display: Display, strange: bool) -> Float[Tensor, "h w d"]:
    """The picture of the channels that are shown, some of them `strange`; nothing in `display` is left open."""
    values = _reduce(as_values(chosen), display)
    scale, offset = _line(display)
    # Alpha is no colour.
    scaled, alpha = (values[..., :3] * scale).add_(offset), values[..., 3:]
    toned = _tone(scaled, display)
    picture = _color(toned, display).clamp_(0, 1)
    if alpha.shape[-1] and picture.shape[-1] == 3 and display.colors is None:
        alpha = alpha.clamp(0, 1)
        picture = on_checkerboard(picture, alpha) if display.alpha else torch.cat([picture, alpha], dim=-1)
    if display.dither:
        picture = dithered(picture)
    if display.clip_marks and display.channels != "flow":
        picture = mark_clipped(toned, picture)
    return mark_strange(values, picture) if strange else picture


@torch.no_grad()
def split(tensor: Tensor, display: Display) -> tuple[Shaped[Tensor, "h w c"], Mapping] | None:
    """`apply` in two halves: the channels as they are stored, and the rest as the arithmetic that a GPU does.

    None where the GPU cannot: for labels, flow, lengths and components, and where nothing is to be changed.
    """
    if display.is_identity or display.channels in ("labels", "flow", "norm", "pca"):
        return None
    chosen = _choose(tensor.detach(), display)
    display = _lock(chosen, display)
    scale, offset = _line(display)
    shown = Mapping(
        scale=scale,
        offset=offset,
        tonemap=display.tonemap,
        gamma=display.gamma,
        cmap=display.colors,
        clip_marks=display.clip_marks,
        checkered=display.alpha,
        dithered=display.dither,
    )
    return as_values(chosen) if chosen.dtype not in _GPU_DTYPES else chosen, shown


@torch.no_grad()
def lock(tensor: Tensor, display: Display) -> Display:
    """`display` with the range and the components that it leaves open taken from `tensor`'s finite values.

    Components of another number of channels than the tensor has are found anew.
    """
    if not display.is_open and display.basis is None:
        return display
    return _lock(_choose(tensor.detach(), display), display)


def _lock(chosen: Shaped[Tensor, "h w c"], display: Display) -> Display:
    if display.basis is not None and len(display.basis.mean) != chosen.shape[-1]:
        display = replace(display, basis=None)
    if not display.is_open:
        return display
    values = as_values(chosen)
    if display.channels == "pca" and display.basis is None:
        display = replace(display, basis=principal(values))
    if not display._needs_range:
        return display
    values = _reduce(values, display)
    values = values.norm(dim=-1) if display.channels == "flow" else values[..., :3].mean(dim=-1)
    values = values[values.isfinite()]
    if not len(values):
        return display
    low, high = torch.stack(values.aminmax()).tolist()
    named_low, named_high = _NAMED_RANGES.get(str(display.channels), (low, high))
    if display.channels == "flow":
        named_low = 0.0
    return replace(
        display,
        vmin=named_low if display.vmin is None else display.vmin,
        vmax=named_high if display.vmax is None else display.vmax,
    )


def _line(display: Display) -> tuple[float, float]:
    """What values are multiplied with, and what is added then."""
    low, high = _range(display)
    span = high - low if abs(high - low) >= _SMALLEST_RANGE else math.copysign(_SMALLEST_RANGE, high - low)
    scale = 2.0**display.exposure / span
    return scale, display.offset - low * scale


def shown_range(display: Display) -> tuple[Number, Number] | None:
    """The values shown black and white, or as a colormap's first and last colour; None for labels, which have none."""
    return None if display.channels == "labels" else _range(display)


@torch.no_grad()
def reduced(tensor: Tensor, display: Display) -> Float[Tensor, "h w c"]:
    """The numbers that the range applies to: the chosen channels, or what many are made few of."""
    values = as_values(_choose(tensor.detach(), display))
    return values.norm(dim=-1, keepdim=True) if display.channels == "flow" else _reduce(values, display)


def _range(display: Display) -> tuple[Number, Number]:
    low, high = _NAMED_RANGES.get(str(display.channels), (0.0, 1.0))
    return low if display.vmin is None else display.vmin, high if display.vmax is None else display.vmax


def _choose(tensor: Tensor, display: Display) -> Shaped[Tensor, "h w c"]:
    """The channels that are to be shown, as they are stored; ValueError where the tensor has none such."""
    if tensor.is_complex():
        raise ValueError(f"shows real values; got dtype {tensor.dtype}. Show t.abs() or t.angle().")
    values = hwc(tensor, display.layout)
    if not values.numel():
        raise ValueError(f"takes at least one pixel; got the empty shape {tuple(tensor.shape)}.")
    count, channels = values.shape[-1], display.channels
    if isinstance(channels, int | tuple):
        numbers = (channels,) if isinstance(channels, int) else channels
        if not all(-count <= number < count for number in numbers):
            raise ValueError(f"channels={channels} of a tensor with {count}, numbered 0 to {count - 1}.")
        first = range(count)[numbers[0]]
        if all(range(count)[number] == first + step for step, number in enumerate(numbers)):
            return values[..., first : first + len(numbers)]  # a view, where one is possible
        return values[..., list(numbers)]
    needed = {"labels": (1,), "depth": (1,), "normals": (3,), "flow": (2,), None: (1, 3, 4)}.get(channels)
    if needed is not None and count not in needed:
        what = "is shown as it is" if channels is None else f"is shown as {channels}"
        raise ValueError(
            f"Expected {', '.join(map(str, needed[:-1])) + ' or ' if needed[1:] else ''}{needed[-1]} channels for what "
            f"{what}, got {count} in {tuple(tensor.shape)} with layout={display.layout!r}. "
            "Set channels to the numbers of some, to 'norm' or to 'pca', or another layout."
        )
    return values


def _reduce(values: Float[Tensor, "h w c"], display: Display) -> Float[Tensor, "h w d"]:
    """Many channels as few."""
    if display.basis is not None:
        return display.basis.project(values)
    return values.norm(dim=-1, keepdim=True) if display.channels == "norm" else values


def _tone(scaled: Float[Tensor, "h w c"], display: Display) -> Float[Tensor, "h w c"]:
    """Light as display-referred colour."""
    if display.tonemap is None:
        return scaled
    return tonemap(scaled) if display.tonemap == "neutral" else linear_to_srgb(scaled)


def _color(toned: Float[Tensor, "h w c"], display: Display) -> Float[Tensor, "h w d"]:
    """Colours of values whose range is [0, 1] now."""
    if display.channels == "flow":
        return flow_colors(toned.nan_to_num(0.0, 0.0, 0.0))
    if display.colors is not None and toned.shape[-1] > 1:
        toned = toned.mean(dim=-1, keepdim=True)
    if display.gamma != 1:
        toned = toned.clamp(min=0) ** (1 / display.gamma)
    return toned.clone() if display.colors is None else colormap(toned, display.colors, vmin=0, vmax=1)


def _is_finite(values: Tensor) -> bool:
    """Whether no value is NaN or infinite."""
    if not values.is_floating_point():
        return True
    if values.itemsize == 2:
        # Half precision would be converted as a whole before it is summed.
        low, high = values.aminmax()
        return bool(low.isfinite() & high.isfinite())
    # A sum keeps them, in a tenth of the time; one that overflows is looked at twice.
    total = values.sum(dtype=torch.promote_types(values.dtype, torch.float32))
    return bool(total.isfinite()) or bool(values.isfinite().all())


def _check_name(what: str, name: Any, known: tuple[str, ...]) -> None:
    if name not in known:
        raise ValueError(f"unknown {what} {name!r}. Known: {', '.join(known)}.")


def _check_channels(channels: Any) -> None:
    if channels is None or (isinstance(channels, int) and not isinstance(channels, bool)):
        return
    if isinstance(channels, tuple):
        if len(channels) in (1, 3, 4) and all(type(number) is int for number in channels):
            return
        raise ValueError(f"channels picks 1, 3 or 4 by their numbers; got {channels!r}.")
    if channels not in CHANNELS:
        raise ValueError(
            f"unknown channels {channels!r}. Known: {', '.join(CHANNELS)}, a number or a tuple of 1, 3 or 4 numbers."
        )


_IDENTITY = Display()
