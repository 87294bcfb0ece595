"""Display: the values of any tensor as a picture, the same one on screen, in a save and in a film."""

import math
from dataclasses import replace

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from easel.gl.mapping import Mapping
from easel.graphics.channels import flow_colors, hwc, label_colors, principal
from easel.graphics.color import colormap, linear_to_srgb, tonemap
from easel.graphics.dither import dithered
from easel.graphics.image import as_values, check_tensor, empty_values
from easel.viewer.canvas.invalid_pixels import mark_clipped, mark_invalid, on_checkerboard
from easel.viewer.canvas.settings import NAMED_RANGES, Display, given_or

STRIP_PIXELS = 1 << 16
"""Pixels computed at a time on the CPU."""
PATTERN_ROWS = 16
"""Period, in rows, of both checkerboard and dither."""

_SMALLEST_RANGE = 1e-8
_TONES = {"srgb": linear_to_srgb, "neutral": tonemap}
"""Tone mapping → the conversion of scene-linear light to display-referred colour."""
_GPU_DTYPES = (torch.float32, torch.float16, torch.uint8)
_CHANNEL_COUNTS = {"labels": (1,), "depth": (1,), "normals": (3,), "flow": (2,), None: (1, 3, 4)}
"""Interpretation of channels → the numbers of channels that it takes; any number for others."""


def check(tensor: Tensor, display: Display, who: str = "a picture") -> tuple[int, int]:
    """Return (height, width) of the picture that `apply` makes; ValueError, beginning with `who`, if it cannot."""
    if display.is_identity:
        height, width = check_tensor(tensor, who).shape[:2]
        return height, width
    # On "meta" shapes alone are computed: no memory, no values.
    try:
        height, width = _choose(torch.empty_like(tensor, device="meta"), display).shape[:2]
    except ValueError as error:
        raise ValueError(f"{who}: {error}") from None
    return height, width


@torch.no_grad()
def apply(tensor: Tensor, display: Display) -> Shaped[Tensor, "h w c"]:
    """Return the picture of a tensor, on its device: display-referred, in [0, 1], NaN and infinite pixels marked.

    Where nothing is to be changed, it is the tensor itself, in its own type and memory.
    """
    if display.is_identity:
        if _is_finite(picture := check_tensor(tensor)):
            return picture
        values = as_values(picture)
        return mark_invalid(values, values.clamp(0, 1))
    chosen = _choose(tensor.detach(), display)
    if display.channels == "labels":
        return label_colors(chosen)
    display = _lock(chosen, display)
    invalid = not _is_finite(chosen)
    height, width = chosen.shape[:2]
    if chosen.device.type != "cpu" or height * width <= STRIP_PIXELS:
        return _shade(chosen, display, invalid)
    # By strips that stay in the processor's cache, and in memory that is used again: fresh pages cost more than this
    # arithmetic. Whole periods of rows, for the patterns' sake.
    rows = max(STRIP_PIXELS // width // PATTERN_ROWS, 1) * PATTERN_ROWS
    first = _shade(chosen[:rows], display, invalid)
    picture = empty_values((height, width, first.shape[-1]), first.device)
    picture[:rows] = first
    for top in range(rows, height, rows):
        picture[top : top + rows] = _shade(chosen[top : top + rows], display, invalid)
    return picture


def _shade(chosen: Shaped[Tensor, "h w c"], display: Display, invalid: bool) -> Float[Tensor, "h w d"]:
    """Return the picture of the chosen channels, with marks if some are `invalid`; `display` is locked."""
    values = _reduce(as_values(chosen), display)
    scale, offset = _line(display)
    scaled = (values[..., :3] * scale).add_(offset)
    alpha = values[..., 3:]  # coverage, not light: no range applies to it
    # Kept apart from the picture: clipping is judged before gamma and colormap, in [0, 1].
    toned = _TONES[display.tonemap](scaled) if display.tonemap is not None else scaled
    picture = _color(toned, display).clamp_(0, 1)
    # A colormap shows a quantity, and a quantity is not transparent.
    if alpha.shape[-1] and picture.shape[-1] == 3 and display.colors is None:
        alpha = alpha.clamp(0, 1)
        picture = on_checkerboard(picture, alpha) if display.alpha else torch.cat([picture, alpha], dim=-1)
    if display.dither:
        picture = dithered(picture)
    if display.clip_marks and display.channels != "flow":
        picture = mark_clipped(toned, picture)
    # Last, over everything: no setting hides that a value is not finite.
    return mark_invalid(values, picture) if invalid else picture


@torch.no_grad()
def split(tensor: Tensor, display: Display) -> tuple[Shaped[Tensor, "h w c"], Mapping] | None:
    """Return `apply` in two halves: the chosen channels as stored, and the mapping that a shader applies to them.

    None where no shader can: for labels, flow, lengths and components, and where nothing is to be changed.
    """
    if display.is_identity or display.channels in ("labels", "flow", "norm", "pca"):
        return None
    # Stored values go up unconverted: half precision and bytes are a fraction of what floats would move.
    chosen = _choose(tensor.detach(), display)
    locked = _lock(chosen, display)
    mapping = Mapping(
        *_line(locked), locked.tonemap, locked.gamma, locked.colors, locked.clip_marks, locked.alpha, locked.dither
    )
    return chosen if chosen.dtype in _GPU_DTYPES else as_values(chosen), mapping


@torch.no_grad()
def lock(tensor: Tensor, display: Display) -> Display:
    """Return `display` with its open range and principal components taken from `tensor`'s finite values.

    Components that were found for another number of channels are found anew.
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
    if not display.needs_range:
        return display
    values = _reduce(values, display)
    # Of colours, a colormap takes the mean, and so does its range; alpha is no value.
    values = values.norm(dim=-1) if display.channels == "flow" else values[..., :3].mean(dim=-1)
    # One infinite pixel, as at the start of many runs, must not decide about the range.
    if not len(values := values[values.isfinite()]):
        return display
    low, high = torch.stack(values.aminmax()).tolist()
    # Lengths of flow begin at 0, so that its hue wheel has its centre where nothing moves.
    if display.channels == "flow":
        low = 0.0
    low, high = NAMED_RANGES.get(str(display.channels), (low, high))
    return replace(display, vmin=given_or(display.vmin, low), vmax=given_or(display.vmax, high))


def _line(display: Display) -> tuple[float, float]:
    """Return the scale and the offset by which range, exposure and offset act: value · scale + offset."""
    low, high = display.range
    span = high - low
    # Never a division by 0; the sign stays, as vmin above vmax inverts the picture.
    if abs(span) < _SMALLEST_RANGE:
        span = math.copysign(_SMALLEST_RANGE, span)
    scale = 2.0**display.exposure / span
    return scale, display.offset - low * scale


@torch.no_grad()
def reduced(tensor: Tensor, display: Display) -> Float[Tensor, "h w c"]:
    """Return the numbers that the range applies to: the chosen channels, their length or their components."""
    values = as_values(_choose(tensor.detach(), display))
    if display.channels == "flow":
        return values.norm(dim=-1, keepdim=True)
    return _reduce(values, display)


def _choose(tensor: Tensor, display: Display) -> Shaped[Tensor, "h w c"]:
    """Return the channels that are to be shown, as stored; ValueError where the tensor has none such."""
    if tensor.is_complex():
        raise ValueError(f"shows real values; got dtype {tensor.dtype}. Show t.abs() or t.angle().")
    if not (values := hwc(tensor, display.layout)).numel():
        raise ValueError(f"takes at least one pixel; got the empty shape {tuple(tensor.shape)}.")
    count = values.shape[-1]
    channels = display.channels
    if isinstance(channels, int):
        channels = (channels,)
    if isinstance(channels, tuple):
        if not all(-count <= number < count for number in channels):
            raise ValueError(f"channels={display.channels} of a tensor with {count}, numbered 0 to {count - 1}.")
        first = range(count)[channels[0]]
        # Neighbours are a view; a list of indices copies the whole picture.
        if all(range(count)[number] == first + step for step, number in enumerate(channels)):
            return values[..., first : first + len(channels)]
        return values[..., list(channels)]
    if (needed := _CHANNEL_COUNTS.get(channels)) is not None and count not in needed:
        raise ValueError(
            f"Expected {', '.join(map(str, needed[:-1])) + ' or ' if needed[1:] else ''}{needed[-1]} channels for what "
            f"is shown as {channels or 'it is'}, got {count} in {tuple(tensor.shape)} with layout={display.layout!r}. "
            "Set channels to the numbers of some, to 'norm' or to 'pca', or another layout."
        )
    return values


def _reduce(values: Float[Tensor, "h w c"], display: Display) -> Float[Tensor, "h w d"]:
    """Reduce many channels to their components or their length, where the display asks for it."""
    if display.basis is not None:
        return display.basis.project(values)
    return values.norm(dim=-1, keepdim=True) if display.channels == "norm" else values


def _color(toned: Float[Tensor, "h w c"], display: Display) -> Float[Tensor, "h w d"]:
    """Return the colours of values whose range is [0, 1] now."""
    if display.channels == "flow":
        return flow_colors(toned.nan_to_num(0.0, 0.0, 0.0))
    if display.colors is not None and toned.shape[-1] > 1:
        toned = toned.mean(dim=-1, keepdim=True)
    if display.gamma != 1:
        toned = toned.clamp(min=0) ** (1 / display.gamma)  # a negative base would give NaN
    if display.colors is not None:
        return colormap(toned, display.colors, vmin=0, vmax=1)
    return toned.clone()  # the caller clamps in place, and needs `toned` for the marks


def _is_finite(values: Tensor) -> bool:
    """Return True if no value is NaN or infinite."""
    if not values.is_floating_point():
        return True
    if values.itemsize == 2:
        # Half precision would be converted as a whole before it is summed.
        low, high = values.aminmax()
        return bool(low.isfinite() & high.isfinite())
    # A sum keeps them, in a tenth of the time; one that overflows is looked at twice.
    total = values.sum(dtype=torch.promote_types(values.dtype, torch.float32))
    return bool(total.isfinite()) or bool(values.isfinite().all())
