"""Settings: the fields of a display as attributes of what is shown by it, checked when they are set."""

from dataclasses import replace
from typing import Generic, TypeVar, overload

from torch import Tensor

from easel.viewer.canvas.display import Display, lock
from easel.viewer.canvas.histogram import Histogram
from easel.viewer.imgui.sketch import Number

T = TypeVar("T")


class Setting(Generic[T]):
    """One field of a display."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, owned: None, owner: type) -> "Setting[T]": ...
    @overload
    def __get__(self, owned: "Displayed", owner: type) -> T: ...
    def __get__(self, owned: "Displayed | None", owner: type) -> "Setting[T] | T":
        return self if owned is None else getattr(owned.display, self._name)

    def __set__(self, owned: "Displayed", value: T) -> None:
        owned.set_display(**{self._name: value})


class Displayed:
    """Something that is shown by a `Display`; what a setting leaves open is found in what is shown first, and stays."""

    layout = Setting[str]()
    """The order of the tensor's axes: "hwc", "chw", "bhw", "bhwc" or "bchw"; a batch is shown as a grid."""
    channels = Setting[str | int | tuple[int, ...] | None]()
    """What to show of them: a number, a tuple of 1, 3 or 4, or "norm", "pca", "labels", "normals", "depth", "flow"."""
    vmin = Setting[Number | None]()
    """The value shown black, or in the colormap's first colour; None takes it from what is shown next."""
    vmax = Setting[Number | None]()
    """The value shown white, or in the colormap's last colour; None likewise."""
    exposure = Setting[Number]()
    """Stops: brightens by 2^exposure."""
    offset = Setting[Number]()
    """Added after that."""
    gamma = Setting[Number]()
    """Brightens the middle when above 1."""
    tonemap = Setting[str | None]()
    """For scene-linear light: "srgb" encodes it, "neutral" also gives highlights a shoulder."""
    cmap = Setting[str | None]()
    """False colour: one of `COLORMAPS`."""
    clip_marks = Setting[bool]()
    """Mark what is too bright in red and too dark in blue, as infinite values always are; NaN is magenta."""
    alpha = Setting[bool]()
    """A fourth channel lets a checkerboard shine through; otherwise it is ignored."""
    dither = Setting[bool]()
    """Half a level of pattern, so that slow ramps do not step in 8 bits; the same one every time."""

    def __init__(self) -> None:
        self._asked = self._display = Display()
        self._histogram: Histogram | None = None

    @property
    def histogram(self) -> Histogram | None:
        """How often each value occurs, drawn over what is shown; None: it is not.

        Set to True or False, or to the axes it is to have: "linear", "log counts" or "log values".
        """
        return self._histogram

    @histogram.setter
    def histogram(self, wanted: bool | str) -> None:
        if wanted is False:
            self._histogram = None
            return
        axes = "linear" if wanted is True else wanted
        if self._histogram is None:
            self._histogram = Histogram(axes)
        else:
            self._histogram.axes = axes

    @property
    def display(self) -> Display:
        """How values become a picture, with what was found for the settings that were left open."""
        return self._display

    def set_display(self, **settings: object) -> None:
        """Change several settings at once, where only together they fit the tensor; ValueError changes none."""
        unknown = settings.keys() - Display.__dataclass_fields__.keys()
        if unknown:
            known = ", ".join(Display.__dataclass_fields__)
            raise ValueError(f"unknown setting {', '.join(sorted(unknown))}. Known: {known}.")
        asked = replace(self._asked, **settings)
        self._check_display(asked)
        # What was found stays, unless it was found in other values or is given up.
        anew = settings.keys() & {"layout", "channels"} or None in settings.values()
        self._display = asked if anew else replace(self._display, **settings)
        self._asked = asked
        self._display_changed()

    def settle_display(self, tensor: Tensor) -> Display:
        """The display for `tensor`, in which nothing is left open."""
        found = lock(tensor, self._display)
        if found.vmin is None or found.vmin != found.vmax:  # zeros, as at the start of many runs, are no range
            self._display = found
        return found

    def _check_display(self, display: Display) -> None:
        """ValueError where what is shown cannot be shown like this."""

    def _display_changed(self) -> None:
        """What was computed with the display so far is outdated."""
