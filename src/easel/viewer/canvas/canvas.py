"""Canvas: one tensor on screen."""

import logging
import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Shaped
from PIL import Image
from torch import Tensor

from easel.gl.cuda import Producer
from easel.gl.mapping import Mapping
from easel.graphics.channels import hwc
from easel.graphics.dither import dithered
from easel.graphics.image import as_picture, as_tensor, imwrite
from easel.viewer.canvas.comparison import Comparison, PictureSource
from easel.viewer.canvas.display import Display, apply, check, split
from easel.viewer.canvas.history import DEFAULT_BYTES, FrameTimeline, History, PastFrame
from easel.viewer.canvas.loupe import Loupe
from easel.viewer.canvas.recording import Recordable
from easel.viewer.canvas.settings import Displayed
from easel.viewer.canvas.strokes import Stroke, Trail, in_pixels
from easel.viewer.imgui.arguments import check_callable, check_pixels
from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.sketch import Number

log = logging.getLogger("easel")
Source = Tensor | np.ndarray | Image.Image | Callable[[], Tensor | np.ndarray | Image.Image]
MOST_TENSOR_PIXELS = 2**31 - 1
"""Each way; memory ends long before."""
Share = Callable[[int, int, int, torch.device], Tensor | None]
"""Makes a tensor of (height, width, channels) on a CUDA device in memory that OpenGL draws from, if it can."""
SQUARE_PIXELS = 4
"""A loupe shows pixels that are so large on screen as squares."""


class Canvas(Recordable, Displayed):
    """Shows the tensor that it is bound to, as it is at the moment of drawing; made by `Panel.canvas`.

    A tensor pixel's values are display-referred: what is on screen, in `save` and in the tensor are the same numbers.
    Any other tensor is shown after its settings say how, such as `canvas.cmap = "turbo"` or `canvas.layout = "chw"`;
    a legend on the canvas tells them. A range that is not set is taken from what is shown first and kept.
    """

    def __init__(self, name: str, *, filter: str = "linear", fit: bool = True, recording_clock: str = "frames") -> None:
        Recordable.__init__(self, recording_clock)
        Displayed.__init__(self)
        self.name = name
        self.filter = filter
        self._filter_chosen = filter != "linear"
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
        self.loupe = Loupe()
        """Which part of the picture is seen; shared with the canvases that are linked."""
        self.zoomable = True
        """The wheel zooms and the middle button drags; False leaves both to the program."""
        self.grabbed: int | None = None
        """The button that drags the picture itself just now: such a drag is not for the program."""
        self.legend = True
        """Settings that change how values are shown are told on the canvas."""
        self.comparison: Comparison | None = None
        """With what `compare` compares it, and how near the two are."""
        self.history: History | None = None
        """What it has shown, once `keep_history` was called."""
        self.timeline = FrameTimeline()
        """Where in it the canvas is; the view's, for the canvases of a view."""
        self.moved_bytes = 0
        """What all frames together have moved to the graphics driver; a canvas that nobody sees moves nothing."""
        self.share: Share | None = None
        """What makes tensors in memory that OpenGL draws from; the view's backend, for the canvases of a view."""
        self._source: Tensor | Callable[[], object] | None = None
        self._stored: Tensor | None = None
        self._taken: Tensor | None = None
        """The content of a `live=False` binding, and `_still`, the picture of it."""
        self._still: Tensor | None = None
        self._size: tuple[int, int] | None = None
        self._path = "none"
        self._producer: Producer | None = None
        self._trail = Trail()

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
        self._filter_chosen = True

    @property
    def squares(self) -> bool:
        """Pixels are squares now: so is the filter, or the loupe enlarges them and nobody has chosen another."""
        if self._filter == "nearest" or self._filter_chosen or self.loupe.unzoomed or self.rectangle is None:
            return self._filter == "nearest"
        return self._size is not None and self.rectangle.width >= SQUARE_PIXELS * self._size[1]

    def bind(self, tensor: Source | None, *, live: bool = True) -> "Canvas":
        """Show `tensor` from now on: (H, W) or (H, W, C) with 1, 3 or 4 channels, values in [0, 1] (uint8: 0 to 255),
        or what the canvas's settings say.

        Writing into the tensor is enough to see it change; nothing of an autograd graph is kept. A function without
        arguments is called, without gradients, only when the canvas is really drawn, saved or recorded. With
        `live=False` the content is taken once and again after `refresh`, and costs nothing in between. None unbinds.
        """
        if callable(tensor):
            check_callable(tensor, f"what {self._who} is bound to")
            source = tensor
        else:
            source = None if tensor is None else as_tensor(tensor, self._who).detach()
            self._size = None if source is None else check(source, self._asked, self._who)
        self._source, self._stored = source, source if isinstance(source, Tensor) else None
        self._producer = Producer(source) if isinstance(source, Tensor) else None
        self.live = live
        self.refresh()
        return self

    def refresh(self) -> None:
        """Take the content of a `live=False` binding anew when it is drawn next."""
        self._taken = self._still = None
        self.version += 1

    def alloc(
        self,
        height: int,
        width: int,
        channels: int = 4,
        device: str | torch.device = "cuda:0",
        *,
        shared: bool = False,
    ) -> Tensor:
        """A new zero-filled float32 tensor, bound to this canvas; a CPU tensor where there is no CUDA.

        `shared` puts it into memory that OpenGL draws from, where CUDA and OpenGL have such memory.
        """
        tensor = blank(height, width, channels, device, name=self.name, share=self.share if shared else None)
        self.bind(tensor)
        return tensor

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        channels: int = 0,
        size: tuple[int, int] | None = None,
        quality: int = 95,
        raw: bool = False,
        dither: bool = False,
    ) -> None:
        """Write what the canvas shows, at the tensor's own resolution; the arguments are those of `imwrite`.

        With `raw` the stored values instead: .npy, .tiff and .exr files keep them whatever their range. `dither` adds
        half a level of pattern, so that slow ramps do not step in 8 bits.
        """
        picture = self.look()
        if picture is None:
            raise RuntimeError(f"canvas {self.name!r} has nothing to save: no tensor bound. Call bind(tensor) first.")
        if raw:
            assert self._stored is not None
            picture = hwc(self._stored, self._asked.layout)
        elif dither:
            picture = dithered(as_picture(picture).clamp(0, 1))
        imwrite(path, picture, channels=channels, size=size, quality=quality)

    @property
    def bound(self) -> bool:
        return self._source is not None

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """What a person has drawn over it with the left and right button since the last frame, in tensor pixels.

        Every piece is there for one frame, and joins the one before however fast the hand was. To paint:

            for stroke in canvas.strokes:
                for x, y in stroke.pixels():
                    tensor[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = color
        """
        return self._trail.strokes

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) of what is shown, as far as it is known: a function's after its first call."""
        return self._size

    @property
    def path(self) -> str:
        """How the pixels of the last drawn frame travelled; "none" before the first, and where nothing is drawn.

        "host": from main memory. "cuda-array" and "cuda-buffer": within the GPU, the latter for what `alloc` made
        with `shared`. "cuda-host": from the GPU through main memory, as CUDA and OpenGL do not share a device here.
        """
        return self._path

    def note_upload(self, path: str, moved_bytes: int) -> None:
        """Take note of how a drawn frame's picture travelled; the stream that writes the tensor may go on."""
        self._path = path
        self.moved_bytes += moved_bytes
        if self._producer is not None:
            self._producer.resume()

    def keep_history(self, limit_bytes: int = DEFAULT_BYTES, *, every: int = 1, disk_bytes: int = 0) -> "Canvas":
        """Keep what is shown from now on, in 8 bits, once per frame or every so many steps, to go back to.

        Every kept frame costs a copy of the picture, whether anybody looks or not. What main memory has no room for
        moves into a temporary file of at most `disk_bytes`. `Panel.timeline` goes back.
        """
        if self.history is not None:
            self.timeline.histories.remove(self.history)
        self.history = History(limit_bytes, every, disk_bytes)
        self.timeline.histories.append(self.history)
        return self

    def remember(self, step: int) -> None:
        """Keep what there is now as the picture of `step`, if a history is kept and wants it."""
        if self.history is not None and self.history.wants(step) and (picture := self._live_picture()) is not None:
            self.history.keep(step, picture)

    @property
    def past(self) -> PastFrame | None:
        """What is shown of its past; None while that is now."""
        if self.history is None or self.timeline.shown is None or not self.history.steps:
            return None
        return self.history.at(self.timeline.shown)

    def compare(self, other: "PictureSource | None", mode: str = "wipe", *, gain: Number = 1.0) -> "Canvas":
        """Show this canvas against `other`, of which `Canvas(name).bind(tensor)` makes one that is not on screen.

        "wipe" parts them at a line that can be dragged, "flicker" shows them in turns; "l1", "l2", "relative", "ssim"
        and "flip" show how far they are apart, from 0 to 1 / `gain`. `comparison` has PSNR, SSIM and L1 meanwhile, of
        all or of its `region`. `history.at(step)` can be compared with as well. None ends it.
        """
        if other is not None and not isinstance(other, PictureSource):
            raise TypeError(
                f"{self._who} is compared with a canvas or a step of its history; got {type(other).__name__}. "
                "A tensor becomes one by Canvas(name).bind(tensor)."
            )
        self.comparison = None if other is None else Comparison(other, mode, gain)
        return self

    def look(self) -> Shaped[Tensor, "h w c"] | None:
        """The content as it is shown now, on its own device; None when unbound."""
        picture = self.mapped()
        return picture if picture is None or self.comparison is None else self.comparison.picture(picture)

    @property
    def changes(self) -> bool:
        """It may look different in the next frame, although nothing was bound and `refresh` was not called."""
        return self.live or self.comparison is not None or self.past is not None

    @property
    def only_tensor(self) -> Tensor | None:
        """The tensor that alone, with the settings, decides what is shown; None where there is more to it."""
        alone = self.comparison is None and self.past is None
        return self._source if alone and isinstance(self._source, Tensor) else None

    def gpu_input(self) -> tuple[Shaped[Tensor, "h w c"], Mapping] | None:
        """What it shows in two halves: numbers as they are stored, and what a GPU makes of them; None where it cannot.

        `look` does both.
        """
        if self.only_tensor is None or not self.live:
            return None
        tensor = self._stored = self._take(self.only_tensor)
        return split(tensor, self.settle_display(tensor))

    def mapped(self) -> Shaped[Tensor, "h w c"] | None:
        """The same without what it is compared with."""
        moment = self.past
        picture = self._live_picture() if moment is None else moment.picture
        if picture is not None:
            self._size = (picture.shape[0], picture.shape[1])
        return picture

    def _live_picture(self) -> Shaped[Tensor, "h w c"] | None:
        """What there is now, whatever is shown."""
        if self._source is None:
            return None
        if self._still is not None:
            return self._still
        tensor = self._stored = self._take(self._source)
        picture = apply(tensor, self.settle_display(tensor))
        self._still = None if self.live else picture
        return picture

    def _take(self, source: Tensor | Callable[[], object]) -> Tensor:
        """What is bound, as it is stored now, or as it was taken for a `live=False` binding."""
        if self._taken is not None:
            return self._taken
        if isinstance(source, Tensor):
            tensor = source
            assert self._producer is not None
            self._producer.wait()
        else:
            with torch.no_grad():
                tensor = as_tensor(source(), self._who).detach()
            self._size = check(tensor, self._asked, self._who)
        if not self.live:
            # A copy: what a save writes must be what was shown, even if the tensor has been written since.
            tensor = self._taken = tensor.clone()
        return tensor

    def probe(self, rows: slice, columns: slice) -> tuple[Shaped[Tensor, "h w c"], Shaped[Tensor, "h w d"]] | None:
        """Values of a part, as stored and as shown, on the CPU; None when nothing was looked at yet."""
        if (moment := self.past) is not None:
            return moment.picture[rows, columns], as_picture(moment.picture[rows, columns])
        if self._stored is None:
            return None
        stored = hwc(self._stored, self._display.layout)[rows, columns].cpu()
        return stored, apply(stored, replace(self._display, layout="hwc"))

    def link(self, *others: "Canvas") -> "Canvas":
        """Let `others` show the same part as this canvas from now on, and the pointer of each on all."""
        for other in others:
            if not isinstance(other, Canvas):
                raise TypeError(f"{self._who} is linked with canvases; got {type(other).__name__}.")
            other.loupe = self.loupe
        return self

    def unlink(self) -> None:
        """Zoom alone again, starting from the part that is seen."""
        self.loupe = Loupe(self.loupe.zoom, self.loupe.center)

    def point_at(self, position: tuple[Number, Number] | None, hovered: bool = False) -> None:
        """Tell where the pointer is in the window, and whether it is this canvas that it points at; None: nowhere."""
        self.mouse = None
        if position is None or self.rectangle is None or self._size is None:
            self._trail.end()
            return
        x, y = in_pixels(position, self.rectangle, self._size)
        inside = hovered and 0 <= x < self._size[1] and 0 <= y < self._size[0]
        self.mouse = (x, y) if inside else None
        self._trail.follow((x, y), inside, self.grabbed)

    def _check_display(self, display: Display) -> None:
        if isinstance(self._source, Tensor):
            self._size = check(self._source, display, self._who)

    def _display_changed(self) -> None:
        self._still = None
        self.version += 1

    @property
    def _who(self) -> str:
        return f"canvas {self.name!r}"


def blank(
    height: int, width: int, channels: int, device: str | torch.device, *, name: str, share: Share | None = None
) -> Float[Tensor, "height width channels"]:
    """A zero-filled float32 picture; where there is no CUDA, one for a CUDA device lives on the CPU.

    `share` makes it, if it can, where it is to be in memory that OpenGL draws from.
    """
    if channels not in (1, 3, 4):
        raise ValueError(f"Expected 1, 3, or 4 channels, got {channels}.")
    check_pixels(f"tensor {name!r}", MOST_TENSOR_PIXELS, height=height, width=width)
    device = torch.device(device)
    if device.type == "cuda" and not torch.cuda.is_available():
        _warn_once(f"no CUDA device here: tensor {name!r} lives on the CPU instead of {device}")
        device = torch.device("cpu")
    shared = None
    if share is not None and device.type == "cuda":
        numbered = device if device.index is not None else torch.device("cuda", torch.cuda.current_device())
        shared = share(height, width, channels, numbered)
    return torch.zeros(height, width, channels, device=device) if shared is None else shared


def check_filter(filter: str, who: str) -> None:
    """ValueError unless `filter` says how pixels are enlarged; `who` is what its message is about."""
    if filter not in ("linear", "nearest"):
        raise ValueError(f"unknown filter {filter!r} for {who}. Known: linear, nearest.")


_warned: set[str] = set()


def _warn_once(sentence: str) -> None:
    if sentence not in _warned:
        _warned.add(sentence)
        log.warning(sentence)
