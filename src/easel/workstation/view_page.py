"""The View page: one picture or two beside each other, with linked zoom, their difference, and how light is shown."""

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from easel.graphics.color import colormap
from easel.graphics.image import imread, is_radiance
from easel.graphics.metrics import psnr, ssim
from easel.viewer.canvas import Canvas
from easel.viewer.events import KeyChanged
from easel.viewer.view import View

NOTHING = "(nothing)"
"""The choice of a second picture that shows one only."""
FLIPS = {"left": -1, "right": 1, "page_up": -1, "page_down": 1}
"""Key → how far it flips through the pictures."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A file's values as they are stored."""

    path: Path
    values: Float[Tensor, "h w c"]
    radiance: bool
    """Scene-linear light, which is tone mapped to be seen."""


def load(path: Path) -> Picture:
    """Raises FileError when the file is no picture."""
    return Picture(path, imread(path, channels=0, device="cpu"), is_radiance(path))


def describe(picture: Picture) -> str:
    """One line: name, size, channels, and the range and mean of the values."""
    height, width, channels = picture.values.shape
    finite = picture.values[picture.values.isfinite()]
    low, high, mean = (finite.min(), finite.max(), finite.mean()) if len(finite) else (0.0, 0.0, 0.0)
    strange = picture.values.numel() - len(finite)
    return (
        f"{picture.path.name}: {width} x {height}, {channels} channel{'s' * (channels > 1)}, "
        f"values {low:.4g} to {high:.4g}, mean {mean:.4g}" + (f", {strange:,} not finite" if strange else "")
    )


class ViewPage:
    """Joins pictures to two linked canvases, their difference, and the settings of the display."""

    def __init__(self, view: View, pictures: list[Picture], out: Path) -> None:
        self.view, self.pictures, self.out = view, pictures, out
        self.names = [f"{number}  {picture.path.name}" for number, picture in enumerate(pictures, 1)]
        self.first, self.second = 0, None if len(pictures) < 2 else 1
        self.shown: tuple[int, int | None] | None = None
        self.comparison = self.notice = ""
        self.gain = 5.0

        self.controls = view.panel("Pictures", side="left", width=0.22)
        self.canvas = view.panel("Picture").canvas("picture")
        self.difference_canvas: Canvas | None = None
        self.beside: Canvas | None = None
        if len(pictures) > 1:
            self.difference_canvas = view.panel("Difference", side="bottom", width=0.5).canvas("difference")
            self.beside = view.panel("Beside", side="right", width=0.5).canvas("beside")
            self.canvas.link(self.beside, self.difference_canvas)
        view.on_key(self.flip)
        self.controls.on_frame(self.draw)

    def flip(self, key: KeyChanged) -> None:
        """Show the next picture, or the one before."""
        if key.down and key.key in FLIPS:
            self.controls.set("Picture", (self.first + FLIPS[key.key]) % len(self.pictures))

    def draw(self) -> None:
        controls = self.controls
        self.first = controls.combo("Picture", self.names, help="The arrow keys flip through them.")
        if self.beside is not None:
            chosen = controls.combo("Beside", [NOTHING, *self.names], default=2, help="Zooms along with the first.")
            self.second = chosen - 1 if chosen else None
            gain = controls.slider("Gain", 1.0, 50.0, default=5.0, log=True, format="%.1f", help="Of the difference.")
            if gain != self.gain:
                self.gain, self.shown = gain, None
        if self.shown != (self.first, self.second):
            self.show()
        controls.text_wrapped(describe(self.pictures[self.first]))
        if self.comparison:
            controls.text_wrapped(self.comparison)
        self._draw_display()
        if controls.button("Save as shown"):
            path = self.out / f"{self.pictures[self.first].path.stem}-shown.png"
            self.canvas.save(path)
            self.notice = f"Saved {path}"
        if self.notice:
            controls.text_wrapped(self.notice)

    def show(self) -> None:
        """Bind what is chosen, and compare the two where their sizes allow."""
        self.shown = (self.first, self.second)
        _bind(self.canvas, self.pictures[self.first])
        self.comparison = ""
        if self.beside is None or self.difference_canvas is None:
            return
        if self.second is None:
            self.beside.bind(None)
            self.difference_canvas.bind(None)
            return
        one, other = self.pictures[self.first], self.pictures[self.second]
        _bind(self.beside, other)
        if one.values.shape != other.values.shape:
            self.difference_canvas.bind(None)
            self.comparison = "Pictures of different sizes have no difference."
            return
        difference = (one.values - other.values).abs().mean(-1)
        self.difference_canvas.bind(colormap(difference, "turbo", vmin=0.0, vmax=1 / self.gain), live=False)
        self.comparison = (
            f"PSNR {psnr(one.values, other.values).item():.2f} dB   SSIM {ssim(one.values, other.values).item():.4f}"
        )

    def _draw_display(self) -> None:
        controls = self.controls
        controls.section("Display")
        exposure = controls.slider("Exposure", -10.0, 10.0, default=0.0, format="%+.1f stops")
        gamma = controls.slider("Gamma", 0.2, 5.0, default=1.0, log=True, format="%.2f")
        clip_marks = controls.checkbox("Mark clipping", help="Too bright in red, too dark in blue.")
        for canvas in filter(None, (self.canvas, self.beside)):
            asked = (canvas.exposure, canvas.gamma, canvas.clip_marks)
            if asked != (exposure, gamma, clip_marks):
                canvas.set_display(exposure=exposure, gamma=gamma, clip_marks=clip_marks)


def _bind(canvas: Canvas, picture: Picture) -> None:
    canvas.bind(None)  # a tone map that fits neither the old nor the new picture must not be in the way
    canvas.tonemap = "neutral" if picture.radiance else None
    canvas.bind(picture.values, live=False)
