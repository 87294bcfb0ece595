"""Canvas: one tensor on screen."""

import functools
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
from easel.viewer.canvas.display import apply, check, lock, split
from easel.viewer.canvas.histogram import Histogram
from easel.viewer.canvas.history import DEFAULT_BYTES, FrameTimeline, History, PastFrame
from easel.viewer.canvas.loupe import Loupe
from easel.viewer.canvas.recording import Recordable
from easel.viewer.canvas.settings import Display, Displayed
from easel.viewer.canvas.strokes import Stroke, Trail, in_pixels
from easel.viewer.imgui.arguments import check_callable, check_pixels, checked_attribute
from easel.viewer.imgui.layout import Point, Rectangle
from easel.viewer.imgui.sketch import Number

log = logging.getLogger("easel")
Source = Tensor | np.ndarray | Image.Image | Callable[[], Tensor | np.ndarray | Image.Image]
MOST_TENSOR_PIXELS = 2**31 - 1
"""Largest side of a tensor; memory ends long before."""
Share = Callable[[int, int, int, torch.device], Tensor | None]
"""Allocates (height, width, channels) on a CUDA device in memory that OpenGL draws from; None if it cannot."""
SQUARE_PIXELS = 4
"""Size on screen from which a zoomed pixel is shown as a square."""


class Canvas(Recordable, Displayed):
    """A live picture of the tensor bound to it, read at the moment of drawing; created by `Panel.canvas`.

        canvas = panel.canvas("prediction").bind(tensor)
        canvas.cmap = "turbo"

    A tensor pixel's values are display-referred: the numbers on screen, in `save` and in the tensor are the same.
    Tensors of other values are shown by the display settings, such as `canvas.cmap = "turbo"` or `canvas.layout =
    "chw"`; a legend on the canvas states them. A range that is not set is taken from the first values and kept.
    """

    def __init__(self, name: str, *, filter: str = "linear", fit: bool = True, recording_clock: str = "frames") -> None:
        Recordable.__init__(self, recording_clock)
        Displayed.__init__(self)
        self.name = name
        self.filter = filter
        # After the setter, which takes every value for a choice: the default is none.
        self._filter_chosen = filter != "linear"
        self.fit = fit
        """True: as large as the panel allows, in the picture's own aspect. False: one tensor pixel per screen pixel."""
        self.rectangle: Rectangle | None = None
        """The picture's rectangle in window pixels; None while it is not shown."""
        self.mouse: Point | None = None
        """The pointer in tensor pixels, (0, 0) at the outer corner of the first one; None while it is elsewhere."""
        self.live = True
        """True: read anew for every drawn frame. False: read once, and again after `refresh`."""
        self.version = 0
        """Number that grows with each `bind`, `refresh` and change of a display setting."""
        self.refreshes = 0
        """Number of calls of `refresh`."""
        self.loupe = Loupe()
        """Zoom and pan; shared among linked canvases."""
        self.zoomable = True
        """The wheel zooms and the middle button drags; False leaves both to the program."""
        self.grabbed: int | None = None
        """Button that drags the picture or part of its overlay just now: such a drag is not for the program."""
        self.legend = True
        """State on the canvas the settings that change how values are shown."""
        self.comparison: Comparison | None = None
        """The comparison that `compare` has begun."""
        self.history: History | None = None
        """The past pictures, once `keep_history` was called."""
        self.timeline = FrameTimeline()
        """Position in the history; the view's, for the canvases of a view."""
        self.moved_bytes = 0
        """Bytes moved to the graphics driver over all frames; a canvas that nobody sees moves nothing."""
        self.share: Share | None = None
        """Allocator of memory that OpenGL draws from; the view's backend, for the canvases of a view."""
        self._source: Tensor | Callable[[], object] | None = None
        self._stored: Tensor | None = None
        """The values last shown, as stored."""
        self._frozen: Tensor | None = None
        """Copy of the content of a `live=False` binding."""
        self._frozen_picture: Tensor | None = None
        """The picture of that copy."""
        self._size: tuple[int, int] | None = None
        self._path = "none"
        self._producer: Producer | None = None
        self._trail = Trail()
        self.histogram = False

    def __repr__(self) -> str:
        return f"Canvas({self.name!r}, {('still', 'live')[self.live] if self.bound else 'unbound'})"

    @checked_attribute
    def filter(self, value: str) -> str:
        """Filter for enlarged pixels: "linear" blends them, "nearest" shows them as squares."""
        check_filter(value, self._who)
        self._filter_chosen = True
        return value

    @property
    def squares(self) -> bool:
        """True if pixels are squares now: by the filter or, if nobody has chosen one, under the loupe."""
        if self.filter == "nearest" or self._filter_chosen or self.loupe.unzoomed or self.rectangle is None:
            return self.filter == "nearest"
        return self._size is not None and self.rectangle.width >= SQUARE_PIXELS * self._size[1]

    @checked_attribute
    def histogram(self, wanted: bool | str) -> Histogram | None:
        """Histogram of the values, drawn over the picture; None: it is hidden.

        Set to True or False, or to the axes it is to have: "linear", "log counts" or "log values".
        """
        if wanted is False:
            return None
        # The same object goes on: its values are counted again only where the axes need other bins.
        histogram = self.histogram or Histogram()
        histogram.axes = "linear" if wanted is True else wanted
        return histogram

    def bind(self, tensor: Source | None, *, live: bool = True) -> "Canvas":
        """Show `tensor` from now on: (H, W) or (H, W, C) with 1, 3 or 4 channels, values in [0, 1] (uint8: 0 to 255),
        or whatever the display settings say. ValueError for other shapes and types.

        Writing into the tensor is enough to see it change; nothing of an autograd graph is kept. Writes by torch, also
        through views, and by NumPy into shared memory show in the next drawn frame. A write that passes both, such as
        one through `ctypes` or DLPack, may take some frames to be found, unless the program announces it:

            canvas.bind(tensor)
            library.draw_into(tensor.data_ptr())
            canvas.refresh()

        A function without arguments is called, without gradients, only when the canvas is really drawn, saved or
        recorded. With `live=False` the content is copied once and again after `refresh`, and costs nothing in between.
        None unbinds.
        """
        # All checks before the first assignment: a bad tensor leaves the canvas as it was.
        source = stored = size = producer = None
        if callable(tensor):
            check_callable(tensor, f"what {self._who} is bound to")
            source = tensor
            size = self._size
        elif tensor is not None:
            # Detached: else the graph of the last frame would live as long as the canvas.
            source = stored = as_tensor(tensor, self._who).detach()
            size = check(stored, self._requested, self._who)
            producer = Producer(stored)
        self._source, self._stored, self._size, self._producer = source, stored, size, producer
        self.live = live
        self._forget_content()
        return self

    def refresh(self) -> None:
        """Read the content anew for the next drawn frame, even if no write was noticed or the binding is not live."""
        self.refreshes += 1
        self._forget_content()

    def _forget_content(self) -> None:
        self._frozen = self._frozen_picture = None
        self.version += 1

    def alloc(
        self, height: int, width: int, channels: int = 4, device: str | torch.device = "cuda:0", *, shared: bool = False
    ) -> Tensor:
        """Return a new zero-filled float32 tensor (height, width, channels), bound to this canvas.

        On the CPU where there is no CUDA. `shared` puts it into memory that OpenGL draws from, where there is such.
        ValueError for sizes below 1 and for channels other than 1, 3 and 4.
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
        """Write the picture that is shown, at the tensor's own resolution; the arguments are those of `imwrite`.

        With `raw` the stored values instead: .npy, .tiff and .exr files keep them whatever their range. `dither` adds
        half a level of pattern, so that slow ramps do not step in 8 bits. RuntimeError when nothing is bound.
        """
        # Read now: a program may save without ever drawing a frame.
        if (picture := self.look()) is None:
            raise RuntimeError(f"canvas {self.name!r} has nothing to save: no tensor bound. Call bind(tensor) first.")
        # The values behind the picture, which `look` has just read.
        if raw:
            assert self._stored is not None
            picture = hwc(self._stored, self._requested.layout)
        elif dither:
            picture = dithered(as_picture(picture).clamp(0, 1))
        imwrite(path, picture, channels=channels, size=size, quality=quality)

    @property
    def bound(self) -> bool:
        return self._source is not None

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """Lines drawn over it with the left and right button since the last frame, in tensor pixels.

        Every piece is there for one frame, and joins the one before however fast the pointer was. To paint:

            for stroke in canvas.strokes:
                for x, y in stroke.pixels():
                    tensor[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = color
        """
        return self._trail.strokes

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) of the picture; None while unknown: a function's is known after its first call."""
        return self._size

    @property
    def path(self) -> str:
        """Route of the last drawn frame's pixels; "none" before the first, and where nothing is drawn.

        "host": from main memory. "cuda-array" and "cuda-buffer": within the GPU, the latter for what `alloc` made
        with `shared`. "cuda-host": from the GPU through main memory, as CUDA and OpenGL do not share a device here.
        """
        return self._path

    def note_upload(self, path: str, moved_bytes: int) -> None:
        """Record the route of a drawn frame's picture; the CUDA stream that writes the tensor may go on."""
        self._path = path
        self.moved_bytes += moved_bytes
        # Else its next step could write into a picture that is half copied.
        if self._producer is not None:
            self._producer.resume()

    def keep_history(self, limit_bytes: int = DEFAULT_BYTES, *, every: int = 1, disk_bytes: int = 0) -> "Canvas":
        """Keep the pictures shown from now on, in 8 bits, one per frame or every `every` steps, to go back to.

        Every kept frame costs a copy of the picture, whether anybody looks or not. Frames that `limit_bytes` of main
        memory have no room for move into a temporary file of at most `disk_bytes`. `Panel.timeline` goes back.
        """
        # A new history begins empty, and the old one's steps must leave the slider of the view.
        if self.history is not None:
            self.timeline.histories.remove(self.history)
        self.history = History(limit_bytes, every, disk_bytes)
        self.timeline.histories.append(self.history)
        return self

    def remember(self, step: int) -> None:
        """Keep the present picture as that of `step`, if a history is kept and wants it."""
        if self.history is not None and self.history.wants(step) and (picture := self._live_picture()) is not None:
            self.history.keep(step, picture)

    @property
    def past(self) -> PastFrame | None:
        """The past frame that is shown; None for the present."""
        if self.history is None or self.timeline.shown is None or not self.history.steps:
            return None
        return self.history.at(self.timeline.shown)

    def compare(self, other: PictureSource | None, mode: str = "wipe", *, gain: Number = 1.0) -> "Canvas":
        """Show this canvas against `other`, a canvas or a step of a history, `history.at(step)`; None ends it.

            canvas.compare(Canvas("target").bind(target), "flip")

        "wipe" parts them at a line that can be dragged, "flicker" alternates them; "l1", "l2", "relative", "ssim" and
        "flip" show maps of their difference, from 0 to 1 / `gain`. `canvas.comparison` meanwhile has PSNR, SSIM and L1,
        of all or of its `region`. ValueError for an unknown mode, TypeError for another kind of `other`.
        """
        if other is not None and not isinstance(other, PictureSource):
            raise TypeError(
                f"{self._who} is compared with a canvas or a step of its history; got {type(other).__name__}. "
                "A tensor becomes one by Canvas(name).bind(tensor)."
            )
        # At once: an unknown mode leaves the comparison that there was.
        self.comparison = None if other is None else Comparison(other, mode, gain)
        return self

    def look(self) -> Shaped[Tensor, "h w c"] | None:
        """Return the picture as it is shown now, on its own device; None when unbound."""
        if (picture := self.mapped()) is None or self.comparison is None:
            return picture
        return self.comparison.picture(picture)

    @property
    def changes(self) -> bool:
        """True if the next frame may look different although nothing was bound and `refresh` was not called."""
        return self.live or self.comparison is not None or self.past is not None

    @property
    def only_tensor(self) -> Tensor | None:
        """The tensor that alone, with the settings, decides about the picture; None where more does."""
        alone = self.comparison is None and self.past is None
        return self._source if alone and isinstance(self._source, Tensor) else None

    def gpu_input(self) -> tuple[Shaped[Tensor, "h w c"], Mapping] | None:
        """Return raw values and the display mapping, where a shader can apply it; None where torch must, by `look`."""
        # What is not live is computed once anyway; the rest are pictures, or mixtures of two.
        if self.only_tensor is None or not self.live:
            return None
        tensor = self._stored = self._read(self.only_tensor)
        return split(tensor, self._settled(tensor))

    def mapped(self) -> Shaped[Tensor, "h w c"] | None:
        """Return the picture as `look` does, without the one that it is compared with."""
        past = self.past
        # Comparisons ask here: a canvas that is compared with itself must not ask for the comparison again.
        picture = self._live_picture() if past is None else past.picture
        if picture is not None:
            self._size = (picture.shape[0], picture.shape[1])
        return picture

    def _live_picture(self) -> Shaped[Tensor, "h w c"] | None:
        """Return the present picture, also while the past is shown."""
        if self._source is None:
            return None
        # Computed once for a binding that is not live, however often it is drawn.
        if self._frozen_picture is not None:
            return self._frozen_picture
        tensor = self._stored = self._read(self._source)
        picture = apply(tensor, self._settled(tensor))
        if not self.live:
            self._frozen_picture = picture
        return picture

    def _read(self, source: Tensor | Callable[[], object]) -> Tensor:
        """Return the bound content as it is stored now or, for a `live=False` binding, as it was copied."""
        if self._frozen is not None:
            return self._frozen
        if isinstance(source, Tensor):
            tensor = source
            # On a stream of its own, a kernel may still be writing what is about to be read.
            assert self._producer is not None
            self._producer.wait()
        else:
            with torch.no_grad():
                tensor = as_tensor(source(), self._who).detach()
            self._size = check(tensor, self._requested, self._who)
        if not self.live:
            # A copy: what a save writes must be what was shown, even if the tensor has been written since.
            tensor = self._frozen = tensor.clone()
        return tensor

    def _settled(self, tensor: Tensor) -> Display:
        """Return the display for `tensor`, with nothing left open, and keep what was found."""
        # Kept, once found: a range that followed every frame would hide what changes, and flicker.
        found = lock(tensor, self._display)
        if found.vmin is None or found.vmin != found.vmax:  # zeros, as at the start of many runs, are no range
            self._display = found
        return found

    def probe(self, rows: slice, columns: slice) -> tuple[Shaped[Tensor, "h w c"], Shaped[Tensor, "h w d"]] | None:
        """Return the values of a part, as stored and as shown, on the CPU; None when nothing was shown yet."""
        if (past := self.past) is not None:
            part = past.picture[rows, columns]
            return part, as_picture(part)
        if self._stored is None:
            return None
        # Cut first: of a tensor on a GPU, only the part travels.
        stored = hwc(self._stored, self._display.layout)[rows, columns].cpu()
        return stored, apply(stored, replace(self._display, layout="hwc"))

    def link(self, *others: "Canvas") -> "Canvas":
        """Share zoom and pan with `others` from now on, and show the pointer of each on all."""
        for other in others:
            if not isinstance(other, Canvas):
                raise TypeError(f"{self._who} is linked with canvases; got {type(other).__name__}.")
            other.loupe = self.loupe
        return self

    def unlink(self) -> None:
        """Zoom alone again, starting from the part that is seen."""
        self.loupe = Loupe(self.loupe.zoom, self.loupe.center)

    def point_at(self, position: Point | None, hovered: bool = False) -> None:
        """Take the pointer's position in the window, and if it is over this canvas; None while that is not shown."""
        self.mouse = None
        if position is None or self.rectangle is None or self._size is None:
            self._trail.end()
            return
        # Also outside of the picture: a line that has begun goes on beyond its edge.
        x, y = in_pixels(position, self.rectangle, self._size)
        inside = hovered and 0 <= x < self._size[1] and 0 <= y < self._size[0]
        if inside:
            self.mouse = (x, y)
        self._trail.follow((x, y), inside, self.grabbed)

    def _check_display(self, display: Display) -> None:
        if isinstance(self._source, Tensor):
            self._size = check(self._source, display, self._who)

    def _display_changed(self) -> None:
        # The copy stays: only the way in which it is shown is another.
        self._frozen_picture = None
        self.version += 1

    @property
    def _who(self) -> str:
        return f"canvas {self.name!r}"


def blank(
    height: int, width: int, channels: int, device: str | torch.device, *, name: str, share: Share | None = None
) -> Float[Tensor, "height width channels"]:
    """Return a zero-filled float32 picture; where there is no CUDA, one for a CUDA device lives on the CPU.

    `share` allocates it, if it can, for a device that OpenGL is to draw from.
    """
    if channels not in (1, 3, 4):
        raise ValueError(f"Expected 1, 3, or 4 channels, got {channels}.")
    check_pixels(f"tensor {name!r}", MOST_TENSOR_PIXELS, height=height, width=width)
    device = torch.device(device)
    if device.type == "cuda" and not torch.cuda.is_available():
        _warn_once(f"no CUDA device here: tensor {name!r} lives on the CPU instead of {device}")
        device = torch.device("cpu")
    if share is not None and device.type == "cuda":
        # "cuda" is torch's current device, and OpenGL has to be told which one that is.
        if device.index is None:
            device = torch.device("cuda", torch.cuda.current_device())
        if (shared := share(height, width, channels, device)) is not None:
            return shared
    return torch.zeros(height, width, channels, device=device)


def check_filter(filter: str, who: str) -> None:
    """Raise ValueError unless `filter` is "linear" or "nearest"; the message is about `who`."""
    if filter not in ("linear", "nearest"):
        raise ValueError(f"unknown filter {filter!r} for {who}. Known: linear, nearest.")


# Cached: each sentence is written once.
@functools.cache
def _warn_once(sentence: str) -> None:
    log.warning(sentence)
