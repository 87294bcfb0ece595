"""The widgets that only tell: text, rules, progress and curves."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from easel.viewer.imgui.arguments import check_numbers
from easel.viewer.imgui.item_layout import ItemLayout
from easel.viewer.imgui.sketch import Bar, Curve, Heading, Number, Rgba, Sketch, Words
from easel.viewer.imgui.theme import SMALL_TEXT_PIXELS, colour, current
from easel.viewer.imgui.toolkit import imgui, implot

CROWDED_SHARE = 0.25
"""Of a plot's pixels in values: from here on segments are shorter than what a line with other joints departs by."""
HINT_EMS, HINT_HEIGHT = 34.0, 0.42
"""Width of a hint, and where it stands between the top and the bottom: a little above the middle."""
RANGE_EMS = 4.4
"""Width of the column beside a curve that tells its range."""


@dataclass(frozen=True)
class Text:
    text: str
    color: Rgba | None = None
    wrapped: bool = False

    def __post_init__(self) -> None:
        if self.color is not None:
            red, green, blue, alpha = self.color
            check_numbers("a text's color", red=red, green=green, blue=blue, alpha=alpha)

    def draw(self, layout: ItemLayout) -> None:
        if self.wrapped:
            imgui.push_text_wrap_pos(0.0)
        layout.text(self.text, self.color)
        if self.wrapped:
            imgui.pop_text_wrap_pos()

    def sketch(self) -> Sketch:
        return Words(self.text, self.color)


@dataclass(frozen=True)
class Hint:
    """Quiet words in the middle of what is free."""

    text: str

    def draw(self, layout: ItemLayout) -> None:
        free, corner = imgui.get_content_region_avail(), imgui.get_cursor_pos()
        width = min(HINT_EMS * imgui.get_font_size(), free.x)
        size = imgui.calc_text_size(self.text, wrap_width=width)
        x, y = (corner.x + max(free.x - size.x, 0) / 2, corner.y + max(free.y - size.y, 0) * HINT_HEIGHT)
        imgui.set_cursor_pos((x, y))
        imgui.push_text_wrap_pos(x + width)
        layout.text(self.text, current().quiet)
        imgui.pop_text_wrap_pos()

    def sketch(self) -> Sketch:
        return Words(self.text, current().quiet)


@dataclass(frozen=True)
class Section:
    """A heading over the widgets that follow; a bare line without a title."""

    title: str = ""

    def draw(self, layout: ItemLayout) -> None:
        if not self.title:
            imgui.separator()
            return
        imgui.push_style_color(imgui.Col_.text, current().quiet)
        imgui.separator_text(self.title)
        imgui.pop_style_color()

    def sketch(self) -> Sketch:
        return Heading(self.title)


@dataclass(frozen=True)
class ProgressBar:
    fraction: Number
    overlay: str

    def __post_init__(self) -> None:
        try:
            fraction = float(self.fraction)
        except (TypeError, ValueError) as error:
            raise TypeError(f"progress is a share from 0 to 1; got {self.fraction!r}.") from error
        object.__setattr__(self, "fraction", 0.0 if math.isnan(fraction) else min(max(fraction, 0.0), 1.0))

    def draw(self, layout: ItemLayout) -> None:
        imgui.progress_bar(self.fraction, imgui.ImVec2(-1, 0), self.overlay or None)

    def sketch(self) -> Sketch:
        return Bar(self.fraction, self.overlay or f"{self.fraction:.0%}")


@dataclass(frozen=True)
class Plot:
    """A line over its own range, softly filled down to its lowest value, with a dot at the newest."""

    values: Float64[np.ndarray, " n"]
    overlay: str
    width: Number
    height: Number
    identity: str

    def draw(self, layout: ItemLayout) -> None:
        flags = implot.Flags_.canvas_only | implot.Flags_.no_inputs
        width = self.width if self.width > 0 else max(imgui.get_content_region_avail().x, 1.0)
        height = self.height * imgui.get_style().font_scale_dpi
        size = imgui.ImVec2(width, height)
        if not implot.begin_plot(f"##{self.identity}", size, flags):
            return
        low, high = finite_range(self.values)
        range_per_pixel = ((high - low) or 1.0) / max(height - 2.2 * imgui.get_font_size(), 1.0)
        floor, ceiling = (f * imgui.get_font_size() * range_per_pixel for f in (0.5, 1.4))
        bare = implot.AxisFlags_.no_decorations
        implot.setup_axes("", "", bare, bare)
        # The range stands in a column of its own beside the curve, the overlay in a line above it.
        column = RANGE_EMS * imgui.get_font_size() / width
        last = max(len(self.values) - 1, 1) * (1 + column)
        implot.setup_axes_limits(0, last, low - floor, high + ceiling, implot.Cond_.always)
        if len(self.values):
            self._draw_curve(low - floor, width)
        origin, extent = implot.get_plot_pos(), implot.get_plot_size()
        self._write(origin, extent, low, high)
        implot.end_plot()

    def _draw_curve(self, floor: float, width: Number) -> None:
        accent = current().accent
        line = implot.Spec(line_color=imgui.ImVec4(*accent), line_weight=1.6 * imgui.get_style().font_scale_dpi)
        fill = implot.Spec(fill_color=imgui.ImVec4(*accent), fill_alpha=0.3)
        for start, stop in finite_runs(self.values):
            run = self.values[start:stop]
            implot.plot_shaded("##fill", run, floor, 1, start, fill)
            implot.plot_line("##line", run, 1, start, line)
            if len(self.values) > CROWDED_SHARE * width:
                # Where two of its segments meet, a pixel may be left out; a second line has its joints elsewhere.
                implot.plot_line("##joints", (run[1:] + run[:-1]) / 2, 1, start + 0.5, line)
        if math.isfinite(self.values[-1]):
            tip = implot.plot_to_pixels(len(self.values) - 1, self.values[-1])
            implot.get_plot_draw_list().add_circle_filled(tip, 3.0 * imgui.get_style().font_scale_dpi, colour(accent))

    def _write(self, origin: "imgui.ImVec2", extent: "imgui.ImVec2", low: float, high: float) -> None:
        draw_list = implot.get_plot_draw_list()
        pad = 6.0 * imgui.get_style().font_scale_dpi
        if self.overlay:
            ink = imgui.get_color_u32(imgui.Col_.text)
            draw_list.add_text(imgui.ImVec2(origin.x + pad, origin.y + pad / 2), ink, self.overlay)
        if low == high:
            return
        imgui.push_font(None, SMALL_TEXT_PIXELS)
        quiet = imgui.get_color_u32(imgui.Col_.text_disabled)
        for number, y in ((high, origin.y + pad / 2), (low, origin.y + extent.y - imgui.get_font_size() - pad / 2)):
            text = f"{number:.3g}"
            x = origin.x + extent.x - imgui.calc_text_size(text).x - pad
            draw_list.add_text(imgui.ImVec2(x, y), quiet, text)
        imgui.pop_font()

    def sketch(self) -> Sketch:
        return Curve(self.values, self.overlay, self.height)


Readout = Text | Hint | Section | ProgressBar | Plot


def as_curve(values: "Iterable[Any] | np.ndarray | Tensor") -> Float64[np.ndarray, " n"]:
    """Numbers of any kind as one row of doubles, infinities as NaN; TypeError for what is no numbers."""
    try:
        if isinstance(values, Tensor):
            values = values.detach().to("cpu", torch.float64).numpy()
        elif not isinstance(values, np.ndarray):
            values = [float(value) for value in values]
        row = np.asarray(values, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError) as error:
        raise TypeError(f"a plot takes numbers: a list, an array or a tensor; got {values!r:.80}.") from error
    return np.where(np.isfinite(row), row, np.nan)


def finite_range(values: Float64[np.ndarray, " n"]) -> tuple[float, float]:
    """Lowest and highest number; (0, 0) where there is none."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def finite_runs(values: Float64[np.ndarray, " n"]) -> list[tuple[int, int]]:
    """(start, stop) of every stretch of numbers between the gaps."""
    finite = np.concatenate([[False], np.isfinite(values), [False]])
    edges = np.flatnonzero(finite[1:] != finite[:-1])
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
