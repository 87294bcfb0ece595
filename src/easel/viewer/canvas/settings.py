"""Display settings as plain data: the record that says how values become a picture, and its fields as attributes.

`display` computes pictures from it.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar, cast

from easel.graphics.channels import LAYOUTS, Basis
from easel.graphics.color import COLORMAPS
from easel.viewer.imgui.sketch import Number

T = TypeVar("T")

CHANNELS = ("norm", "pca", "labels", "normals", "depth", "flow")
"""Interpretations of channels; a number or a tuple of 1, 3 or 4 numbers picks some instead."""
TONEMAPS = ("srgb", "neutral")
"""Tone mappings of scene-linear light: encoding alone, or a shoulder too, which keeps the hue of highlights."""
NAMED_RANGES = {"normals": (-1.0, 1.0), "pca": (0.0, 1.0)}
"""Interpretation → (vmin, vmax) by default; (0, 1) for others."""


@dataclass(frozen=True)
class Display:
    """Mapping from the values of a tensor to a picture; `display.apply` takes its steps in this order.

    Ranges and principal components that are left open are found once, by `display.lock`, and kept. ValueError for
    settings that are unknown, out of range, or contradict each other.
    """

    layout: str = "hwc"
    """Order of the tensor's axes: "hwc", "chw", "bhw", "bhwc" or "bchw"; a batch is shown as a grid."""
    channels: str | int | tuple[int, ...] | None = None
    """One of `CHANNELS`, or the numbers of the channels to show; None: all of 1, 3 or 4."""
    vmin: Number | None = None
    """Value shown black, or in the colormap's first colour. None: 0, or the least value where a range is needed."""
    vmax: Number | None = None
    """Value shown white, or in the colormap's last colour. None: 1, or the largest value where a range is needed."""
    exposure: Number = 0.0
    """Stops: multiplies by 2^exposure."""
    offset: Number = 0.0
    """Added after the exposure."""
    gamma: Number = 1.0
    """Raises values in [0, 1] to 1 / gamma: above 1 it brightens the middle."""
    tonemap: str | None = None
    """For scene-linear light, one of `TONEMAPS`."""
    cmap: str | None = None
    """False colour, one of `COLORMAPS`: of the one channel, or of the mean of three."""
    clip_marks: bool = False
    """Mark clipped pixels as infinite ones always are: too bright red, too dark blue. NaN is always magenta."""
    alpha: bool = False
    """A fourth channel lets a checkerboard shine through; otherwise it is ignored."""
    dither: bool = False
    """Half a level of pattern, the same in every frame, so that slow ramps do not step in 8 bits."""
    # Not compared: a found basis is no setting, and comparing tensors gives no truth value.
    basis: Basis | None = field(default=None, compare=False, repr=False)
    """Principal components, once found."""

    def __post_init__(self) -> None:
        _check_known("layout", self.layout, tuple(LAYOUTS))
        _check_channels(self.channels)
        # Colormaps are named in any case, as people write them: "Turbo", "viridis".
        if self.cmap is not None:
            _check_known("colormap", self.cmap.lower() if isinstance(self.cmap, str) else self.cmap, COLORMAPS)
        if self.tonemap is not None:
            _check_known("tonemap", self.tonemap, TONEMAPS)
        for name in ("vmin", "vmax", "exposure", "offset", "gamma"):
            value = getattr(self, name)
            if value is None and name in ("vmin", "vmax"):
                continue
            if isinstance(value, bool) or not isinstance(value, float | int) or not math.isfinite(value):
                raise ValueError(f"{name} is a finite number; got {value!r}.")
        if self.gamma <= 0:
            raise ValueError(f"gamma is above 0; got {self.gamma}.")
        # A colormap's colours are no light: encoding them once more would only falsify them.
        if self.tonemap is not None and (self.cmap is not None or isinstance(self.channels, str)):
            other = f"cmap={self.cmap!r}" if self.cmap is not None else f"channels={self.channels!r}"
            raise ValueError(f"tonemap={self.tonemap!r} is for light, {other} is not: set one of the two to None.")

    @property
    def is_identity(self) -> bool:
        """True if nothing is changed: the picture is the tensor."""
        return self == IDENTITY

    @property
    def colors(self) -> str | None:
        """The colormap in use, which depth has by default."""
        return self.cmap or ("turbo" if self.channels == "depth" else None)

    @property
    def needs_range(self) -> bool:
        """True if vmin and vmax, unless set, are to be found in the values."""
        return self.channels != "labels" and (self.colors is not None or self.channels in ("norm", "flow"))

    @property
    def is_open(self) -> bool:
        """True if `lock` has still something to find."""
        return (self.channels == "pca" and self.basis is None) or (self.needs_range and None in (self.vmin, self.vmax))

    @property
    def range(self) -> tuple[Number, Number]:
        """(vmin, vmax), with defaults for those that are open."""
        low, high = NAMED_RANGES.get(str(self.channels), (0.0, 1.0))
        return given_or(self.vmin, low), given_or(self.vmax, high)


class DisplaySetting(Generic[T]):
    """One field of a `Display` as an attribute that is checked when it is set."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, owned: Any, owner: type) -> T:
        # Asked of the class, it is itself.
        return getattr(owned and owned.display, self._name, cast("T", self))

    def __set__(self, owned: "Displayed", value: T) -> None:
        owned.set_display(**{self._name: value})


class Displayed(ABC):
    """An object shown by a `Display`, whose fields are its attributes; `Display` documents each.

    A range that is not set is taken from the first values that are shown, and kept.
    """

    layout = DisplaySetting[str]()
    channels = DisplaySetting[str | int | tuple[int, ...] | None]()
    vmin = DisplaySetting[Number | None]()
    vmax = DisplaySetting[Number | None]()
    exposure = DisplaySetting[Number]()
    offset = DisplaySetting[Number]()
    gamma = DisplaySetting[Number]()
    tonemap = DisplaySetting[str | None]()
    cmap = DisplaySetting[str | None]()
    clip_marks = DisplaySetting[bool]()
    alpha = DisplaySetting[bool]()
    dither = DisplaySetting[bool]()

    def __init__(self) -> None:
        self._requested = IDENTITY
        """The settings that the program has made."""
        self._display = IDENTITY
        """The same with what was found for those left open."""

    @property
    def display(self) -> Display:
        """The settings in use, including what was found for those left open."""
        return self._display

    def set_display(self, **settings: object) -> None:
        """Change several settings at once, for those that only together fit the tensor; ValueError changes none."""
        if unknown := settings.keys() - Display.__dataclass_fields__.keys():
            known = ", ".join(Display.__dataclass_fields__)
            raise ValueError(f"unknown setting {', '.join(sorted(unknown))}. Known: {known}.")
        # Checked as a whole and against the content before anything changes: a bad setting leaves the canvas as it was.
        requested = replace(self._requested, **settings)
        self._check_display(requested)
        # A found range is kept, unless it was found in other values or is given up.
        anew = settings.keys() & {"layout", "channels"} or None in settings.values()
        self._display = requested if anew else replace(self._display, **settings)
        self._requested = requested
        self._display_changed()

    @abstractmethod
    def _check_display(self, display: Display) -> None:
        """Raise ValueError if the content cannot be shown with `display`."""

    @abstractmethod
    def _display_changed(self) -> None:
        """Drop what was computed with the former settings."""


def given_or(value: Number | None, default: Number) -> Number:
    """Return `value`, or `default` for None; not `or`, as 0 is a value."""
    return default if value is None else value


def _check_known(what: str, name: Any, known: tuple[str, ...]) -> None:
    if name not in known:
        raise ValueError(f"unknown {what} {name!r}. Known: {', '.join(known)}.")


def _check_channels(channels: Any) -> None:
    # bool is an int for Python; `channels=True` is a mistake, not channel 1.
    if channels is None or (isinstance(channels, int) and not isinstance(channels, bool)):
        return
    if isinstance(channels, tuple):
        if len(channels) not in (1, 3, 4) or not all(type(number) is int for number in channels):
            raise ValueError(f"channels picks 1, 3 or 4 by their numbers; got {channels!r}.")
    elif channels not in CHANNELS:
        raise ValueError(
            f"unknown channels {channels!r}. Known: {', '.join(CHANNELS)}, a number or a tuple of 1, 3 or 4 numbers."
        )


# Last: a record is checked when it is made, by the functions above.
IDENTITY = Display()
