"""The View page: one picture or two with linked zoom, compared in several ways, and how their light is shown."""

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from easel.graphics.image import imread, is_radiance
from easel.graphics.metrics import psnr, ssim
from easel.viewer.canvas import Canvas
from easel.viewer.events import KeyChanged
from easel.viewer.view import View

COMPARISONS = {"Side by side": "", "Wipe": "wipe", "Flicker": "flicker", "L1": "l1", "L2": "l2", "SSIM": "ssim"}
"""What a person calls it → how the first canvas is compared with the second; "" leaves it alone."""
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
    """Joins pictures to one canvas, or two that are linked and compared, and to the settings of their display."""

    def __init__(self, view: View, pictures: list[Picture], out: Path) -> None:
        self.view, self.pictures, self.out = view, pictures, out
        self.names = [f"{number}  {picture.path.name}" for number, picture in enumerate(pictures, 1)]
        self.shown: tuple[int, int] | None = None
        """The numbers of the two pictures that are bound."""
        self.likeness = self.notice = ""
        self.controls = view.panel("Pictures", side="left", width=0.22)
        self.beside: Canvas | None = None
        if len(pictures) > 1:
            self.beside = view.panel("Beside", side="right", width=0.5).canvas("beside")
        self.canvas = view.panel("Picture").canvas("picture")
        if self.beside is not None:
            self.canvas.link(self.beside)
        view.on_key(self.flip)
        self.controls.on_frame(self.draw)

    @property
    def first(self) -> Picture:
        return self.pictures[self.shown[0] if self.shown else 0]

    def flip(self, key: KeyChanged) -> None:
        """Show the next picture, or the one before."""
        if key.down and key.key in FLIPS:
            number = self.pictures.index(self.first) + FLIPS[key.key]
            self.controls.set("Picture", number % len(self.pictures))

    def draw(self) -> None:
        controls = self.controls
        first = second = controls.combo("Picture", self.names, help="The arrow keys flip through them.")
        if self.beside is not None:
            second = controls.combo("Beside", self.names, default=1, help="Zooms along with the first.")
        if self.shown != (first, second):
            self.show(first, second)
        if self.beside is not None:
            self._draw_comparison(self.beside)
        controls.text_wrapped(describe(self.first))
        self._draw_display()
        if controls.button("Save as shown"):
            path = self.out / f"{self.first.path.stem}-shown.png"
            self.canvas.save(path)
            self.notice = f"Saved {path}"
        if self.notice:
            controls.text_wrapped(self.notice)

    def show(self, first: int, second: int) -> None:
        """Bind two of the pictures, by number, and say how alike they are."""
        self.shown = (first, second)
        one, other = self.pictures[first], self.pictures[second]
        _bind(self.canvas, one)
        if self.beside is not None:
            _bind(self.beside, other)
        if one.values.shape == other.values.shape:
            likeness = psnr(one.values, other.values).item(), ssim(one.values, other.values).item()
            self.likeness = "PSNR {:.2f} dB   SSIM {:.4f}".format(*likeness)
        else:
            self.likeness = "Of different sizes: no PSNR, no SSIM."

    def _draw_comparison(self, beside: Canvas) -> None:
        controls = self.controls
        mode = list(COMPARISONS.values())[controls.combo("Compare", list(COMPARISONS), help="A wipe can be dragged.")]
        gain = controls.slider("Gain", 1.0, 50.0, default=5.0, log=True, format="%.1f", help="Of a difference.")
        now = self.canvas.comparison
        if (mode, gain) != ((now.mode, now.gain) if now else ("", gain)):
            self.canvas.compare(beside if mode else None, mode or "wipe", gain=gain)
        controls.text_wrapped(self.likeness)

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
