"""Canvas: one tensor on screen."""

import logging
import os
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Shaped
from PIL import Image
from torch import Tensor

from easel.graphics.image import check_tensor, imwrite
from easel.viewer.layout import Rectangle
from easel.viewer.recording import Recordable
from easel.viewer.sketch import Number

log = logging.getLogger("easel")
Source = Tensor | np.ndarray | Image.Image | Callable[[], Tensor | np.ndarray | Image.Image]


class Canvas(Recordable):
    """Shows the tensor that it is bound to, as it is at the moment of drawing; made by `Panel.canvas`.

    A tensor pixel's values are display-referred: what is on screen, in `save` and in the tensor are the same numbers.
    """

    def __init__(self, name: str, *, filter: str = "linear", fit: bool = True, recording_clock: str = "frames") -> None:
        super().__init__(recording_clock)
        self.name = name
        self.filter = filter
        self.fit = fit
        """True: as large as the panel allows, in the picture's own aspect. False: one tensor pixel per screen pixel."""
        self.rectangle: Rectangle | None = None
        """Where the picture stands in the window, in pixels; None while it is not shown."""
        self.mouse: tuple[float, float] | None = None
        """The pointer in tensor pixels, (0, 0) at the outer corner of the first one; None while it is elsewhere."""
        self.live = True
        """Read anew for every drawn frame; otherwise once, and again after `refresh`."""
        self.version = 0
        """Counts what `bind` and `refresh` brought; a still canvas with the version seen last has nothing new."""
        self._source: Tensor | Callable[[], object] | None = None
        self._still: Tensor | None = None
        self._size: tuple[int, int] | None = None

    def __repr__(self) -> str:
        return f"Canvas({self.name!r}, {'unbound' if self._source is None else 'live' if self.live else 'still'})"

    @property
    def filter(self) -> str:
        """How pixels are enlarged: "linear" blends them, "nearest" shows them as squares."""
        return self._filter

    @filter.setter
    def filter(self, value: str) -> None:
        check_filter(value, self._who)
        self._filter: str = value

    def bind(self, tensor: Source | None, *, live: bool = True) -> "Canvas":
        """Show `tensor` from now on: (H, W) or (H, W, C) with 1, 3 or 4 channels, values in [0, 1] (uint8: 0 to 255).

        Writing into the tensor is enough to see it change; nothing of an autograd graph is kept. A function without
        arguments is called, without gradients, only when the canvas is really drawn, saved or recorded. With
        `live=False` the content is taken once and again after `refresh`, and costs nothing in between. None unbinds.
        """
        self._source = check_tensor(tensor, self._who) if not (tensor is None or callable(tensor)) else tensor
        self.live = live
        self._size = _size(self._source) if isinstance(self._source, Tensor) else None
        self.refresh()
        return self

    def refresh(self) -> None:
        """Take the content of a `live=False` binding anew when it is drawn next."""
        self._still = None
        self.version += 1

    def alloc(self, height: int, width: int, channels: int = 4, device: str | torch.device = "cuda:0") -> Tensor:
        """A new zero-filled float32 tensor, bound to this canvas; a CPU tensor where there is no CUDA."""
        tensor = blank(height, width, channels, device, name=self.name)
        self.bind(tensor)
        return tensor

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        channels: int = 0,
        size: tuple[int, int] | None = None,
        quality: int = 95,
    ) -> None:
        """Write what the canvas shows, at the tensor's own resolution; the arguments are those of `imwrite`."""
        picture = self.look()
        if picture is None:
            raise RuntimeError(f"canvas {self.name!r} has nothing to save: no tensor bound. Call bind(tensor) first.")
        imwrite(path, picture, channels=channels, size=size, quality=quality)

    @property
    def bound(self) -> bool:
        return self._source is not None

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) of what is shown, as far as it is known: a function's after its first call."""
        return self._size

    def look(self) -> Shaped[Tensor, "h w c"] | None:
        """The content as it is shown now, in its own type and on its own device; None when unbound."""
        if self._source is None:
            return None
        if self._still is not None:
            return self._still
        if isinstance(self._source, Tensor):
            picture = self._source
        else:
            with torch.no_grad():
                picture = check_tensor(self._source(), self._who)  # pyright: ignore[reportArgumentType]
        if not self.live:
            # A copy: what a save writes must be what was shown, even if the tensor has been written since.
            picture = self._still = picture.clone()
        self._size = _size(picture)
        return picture

    def point_at(self, position: tuple[Number, Number] | None) -> None:
        """Tell where the pointer is in the window; None when it is not over this canvas."""
        if position is None or self.rectangle is None or self._size is None:
            self.mouse = None
            return
        left, top, width, height = self.rectangle
        x, y = (position[0] - left) / width * self._size[1], (position[1] - top) / height * self._size[0]
        self.mouse = (x, y) if 0 <= x < self._size[1] and 0 <= y < self._size[0] else None

    @property
    def _who(self) -> str:
        return f"canvas {self.name!r}"


def blank(
    height: int, width: int, channels: int, device: str | torch.device, *, name: str
) -> Float[Tensor, "height width channels"]:
    """A zero-filled float32 picture; where there is no CUDA, one for a CUDA device lives on the CPU."""
    if channels not in (1, 3, 4):
        raise ValueError(f"Expected 1, 3, or 4 channels, got {channels}.")
    device = torch.device(device)
    if device.type == "cuda" and not torch.cuda.is_available():
        _warn_once(f"no CUDA device here: tensor {name!r} lives on the CPU instead of {device}")
        device = torch.device("cpu")
    return torch.zeros(height, width, channels, device=device)


def check_filter(filter: str, who: str) -> None:
    """ValueError unless `filter` says how pixels are enlarged; `who` is what its message is about."""
    if filter not in ("linear", "nearest"):
        raise ValueError(f"unknown filter {filter!r} for {who}. Known: linear, nearest.")


_warned: set[str] = set()


def _warn_once(sentence: str) -> None:
    if sentence not in _warned:
        _warned.add(sentence)
        log.warning(sentence)


def _size(picture: Tensor) -> tuple[int, int]:
    return picture.shape[0], picture.shape[1]
