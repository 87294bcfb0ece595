"""The View page: one picture or two with linked zoom, compared in several ways, and how their light is shown."""

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from easel.graphics.color import COLORMAPS
from easel.graphics.image import imread, is_radiance
from easel.graphics.metrics import psnr, ssim
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.comparison import MAPS
from easel.viewer.canvas.histogram import Histogram
from easel.viewer.canvas.histogram_plot import HistogramPlot
from easel.viewer.imgui.events import KeyChanged
from easel.viewer.view import View

_LABELS = ("Wipe", "Flicker", "L1", "L2", "Relative", "SSIM", "FLIP")
COMPARISONS = {"Side by side": ""} | {label: label.lower() for label in _LABELS}
"""Label → mode of comparison of the first canvas with the second; empty for none."""
TONE_MAPS = {"Neutral": "neutral", "sRGB only": "srgb", "None": None}
"""Label → tone map of scene-linear light."""
FLIPS = {"left": -1, "right": 1, "page_up": -1, "page_down": 1}
"""Key → pictures that it flips on by."""


@dataclass(frozen=True, eq=False)
class PictureFile:
    """A picture file and its values as they are stored."""

    path: Path
    values: Float[Tensor, "h w c"]
    radiance: bool
    """Scene-linear light, which is tone mapped to be seen."""


def load(path: Path) -> PictureFile:
    """Read a picture with all its channels; FileError when the file is no picture."""
    # All channels, unlike the other pages: what is looked at here is what the file holds.
    return PictureFile(path, imread(path, channels=0, device="cpu"), is_radiance(path))


def describe(picture: PictureFile) -> str:
    """Return one line: name, size, channels, and the range and mean of the values."""
    height, width, channels = picture.values.shape
    finite = picture.values[picture.values.isfinite()]
    strange = picture.values.numel() - len(finite)
    # One NaN would make range and mean NaN as well; a picture of nothing else has neither.
    known = finite if len(finite) else finite.new_zeros(1)
    line = (
        f"{picture.path.name}: {width} x {height}, {channels} channel{'s' * (channels > 1)}, "
        f"values {known.min():.4g} to {known.max():.4g}, mean {known.mean():.4g}"
    )
    return f"{line}, {strange:,} not finite" if strange else line


class ViewPage:
    """Joins pictures to one canvas, or two that are linked and compared, and to the settings of their display."""

    def __init__(self, view: View, pictures: list[PictureFile], out: Path) -> None:
        self.view = view
        self.pictures = pictures
        self.out = out
        self.names = [f"{number}  {picture.path.name}" for number, picture in enumerate(pictures, 1)]
        self.shown: tuple[int, int] | None = None
        """Indices of the two pictures that are bound."""
        self.likeness = ""
        """Line about the difference of both pictures."""
        self.notice = ""
        self.histogram = Histogram()
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
    def first(self) -> PictureFile:
        """The picture of the first canvas."""
        return self.pictures[0 if self.shown is None else self.shown[0]]

    def flip(self, key: KeyChanged) -> None:
        """Show the next picture, or the one before."""
        if key.down and key.key in FLIPS:
            # Through the widget: the list then shows it, and the session keeps it.
            number = self.pictures.index(self.first) + FLIPS[key.key]
            self.controls.set("Picture", number % len(self.pictures))

    def draw(self) -> None:
        """Draw the panel of widgets, and bind the pictures that are chosen."""
        controls = self.controls
        first = second = controls.combo("Picture", self.names, help="The arrow keys flip through them.")
        if self.beside is not None:
            second = controls.combo("Beside", self.names, default=1, help="Zooms along with the first.")
        if self.shown != (first, second):
            self.show(first, second)
        if self.beside is not None:
            self._draw_comparison(self.beside)
        self._draw_display()
        controls.text_wrapped(describe(self.first))
        if controls.button("Save as shown"):
            path = self.out / f"{self.first.path.stem}-shown.png"
            self.canvas.save(path)
            self.notice = f"Saved {path}"
        if self.notice:
            controls.text_wrapped(self.notice)

    def show(self, first: int, second: int) -> None:
        """Bind two of the pictures, by index, and measure their likeness."""
        was_light = self.shown is not None and self.first.radiance
        self.shown = (first, second)
        one, other = self.pictures[first], self.pictures[second]
        # Light spans many powers of ten.
        if one.radiance != was_light:
            self.controls.set("Histogram", "log values" if one.radiance else "linear")
        # live=False: files do not change, and a check of every value in every frame would cost more than drawing.
        self.canvas.bind(one.values, live=False)
        if self.beside is not None:
            self.beside.bind(other.values, live=False)
        # Resizing one of them would measure the resizing.
        if one.values.shape != other.values.shape:
            self.likeness = "Of different sizes: no PSNR, no SSIM."
        elif one.radiance or other.radiance:
            self.likeness = "Light has no PSNR: compare what is shown by a wipe or a map."
        else:
            self.likeness = f"PSNR {psnr(one.values, other.values):.2f} dB   SSIM {ssim(one.values, other.values):.4f}"

    def _draw_comparison(self, beside: Canvas) -> None:
        controls = self.controls
        help = "A wipe can be dragged. A drag with Shift over the picture chooses what the numbers are of."
        mode = list(COMPARISONS.values())[controls.combo("Compare", list(COMPARISONS), help=help)]
        # A wipe and a flicker show both pictures as they are: there is no difference to enlarge.
        with controls.enabled(mode in MAPS):
            gain = controls.slider("Gain", 1.0, 50.0, default=1.0, log=True, format="%.1f", help="Of a difference.")
        now = self.canvas.comparison
        shown = ("", gain) if now is None else (now.mode, now.gain)
        if (mode, gain) != shown:
            self.canvas.compare(beside if mode else None, mode or "wipe", gain=gain)
            # The region that a person has chosen outlives a change of the mode.
            if now is not None and self.canvas.comparison is not None:
                self.canvas.comparison.region = now.region
        controls.text_wrapped(self.likeness)

    def _draw_display(self) -> None:
        controls = self.controls
        controls.section("Display")
        settings: dict[str, object] = {
            "exposure": controls.slider("Exposure", -10.0, 10.0, default=0.0, format="%+.1f stops"),
            "gamma": controls.slider("Gamma", 0.2, 5.0, default=1.0, log=True, format="%.2f"),
        }
        tone = TONE_MAPS["Neutral"]
        if any(picture.radiance for picture in self.pictures):
            tone = list(TONE_MAPS.values())[controls.combo("Tone map", list(TONE_MAPS))]
        colors = controls.combo("False colour", ["Off", *COLORMAPS], help="Of one channel, or of the mean of three.")
        settings["cmap"] = (None, *COLORMAPS)[colors]
        with controls.row():
            settings["clip_marks"] = controls.checkbox("Mark clipping", help="Too bright in red, too dark in blue.")
            settings["dither"] = controls.checkbox("Dither", help="So that slow ramps do not step in 8 bits.")
        if any(picture.values.shape[-1] == 4 for picture in self.pictures):
            settings["alpha"] = controls.checkbox("Alpha", help="A checkerboard shines through.")
        # The sliders are set as well: in the next frame they would set the old values again.
        reset = controls.button("Reset display")
        if reset:
            for label, value in (("Exposure", 0.0), ("Gamma", 1.0), ("False colour", 0)):
                controls.set(label, value)
        assert self.shown is not None
        for canvas, index in zip((self.canvas, self.beside), self.shown, strict=True):
            if canvas is None:
                continue
            # A colormap shows values: mapping their tones first would change what a colour stands for.
            toned = self.pictures[index].radiance and settings["cmap"] is None
            asked = settings | {"tonemap": tone if toned else None}
            if reset:
                asked |= {"vmin": None, "vmax": None}
            elif canvas is self.beside:  # the handles of the histogram are the first picture's
                asked |= {"vmin": self.canvas.vmin, "vmax": self.canvas.vmax}
            # Setting them counts as a change of the canvas, which would then be converted in every frame.
            if any(getattr(canvas, name) != value for name, value in asked.items()):
                canvas.set_display(**asked)
        controls.section("Values")
        controls.ask("Histogram", HistogramPlot(self.canvas, self.histogram))
