"""Widgets without a value: text, rules, progress and curves."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from easel.viewer.imgui.arguments import check_numbers
from easel.viewer.imgui.item_layout import ItemLayout, pushed_colors
from easel.viewer.imgui.sketch import Bar, Curve, Heading, Number, Rgba, Sketch, Words
from easel.viewer.imgui.theme import SMALL_TEXT_PIXELS, colour, current
from easel.viewer.imgui.toolkit import imgui, implot

CROWDED_SHARE = 0.25
"""Values per pixel of a plot above which segments become shorter than the gaps that joints may leave."""
HINT_EMS = 34.0
"""Width of a hint."""
HINT_HEIGHT = 0.42
"""Position of a hint between the top, 0, and the bottom, 1: a little above the middle."""
RANGE_EMS = 4.4
"""Width of the column beside a curve that states its range."""


@dataclass(frozen=True)
class Text:
    """Text, in the theme's colour where `color` is None."""

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
    """Quiet text in the middle of the free space."""

    text: str

    def draw(self, layout: ItemLayout) -> None:
        free, corner = imgui.get_content_region_avail(), imgui.get_cursor_pos()
        width = min(HINT_EMS * imgui.get_font_size(), free.x)
        size = imgui.calc_text_size(self.text, wrap_width=width)
        x = corner.x + max(free.x - size.x, 0) / 2
        imgui.set_cursor_pos((x, corner.y + max(free.y - size.y, 0) * HINT_HEIGHT))
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
        with pushed_colors({imgui.Col_.text: current().quiet}):
            imgui.separator_text(self.title)

    def sketch(self) -> Sketch:
        return Heading(self.title)


@dataclass(frozen=True)
class ProgressBar:
    """A bar filled to `fraction`, clamped to [0, 1]; NaN is 0."""

    fraction: Number
    overlay: str

    def __post_init__(self) -> None:
        try:
            fraction = float(self.fraction)
        except (TypeError, ValueError) as error:
            raise TypeError(f"progress is a share from 0 to 1; got {self.fraction!r}.") from error
        # In this order NaN, as of a loss that has diverged, becomes 0: `max` keeps the first where neither is larger.
        object.__setattr__(self, "fraction", min(max(0.0, fraction), 1.0))

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
    """In pixels; 0 for all of the panel's."""
    height: Number
    identity: str

    def draw(self, layout: ItemLayout) -> None:
        flags = implot.Flags_.canvas_only | implot.Flags_.no_inputs
        width = self.width if self.width > 0 else max(imgui.get_content_region_avail().x, 1.0)
        height = self.height * imgui.get_style().font_scale_dpi
        if not implot.begin_plot(f"##{self.identity}", imgui.ImVec2(width, height), flags):
            return
        em = imgui.get_font_size()
        low, high = finite_range(self.values)
        # A curve without extent, such as its first value, still needs an axis of some length: 1.
        # Room in the units of the values: half a line below the curve, and above it the line of the overlay.
        range_per_pixel = ((high - low) or 1.0) / max(height - 2.2 * em, 1.0)
        floor = low - 0.5 * em * range_per_pixel
        bare = implot.AxisFlags_.no_decorations
        implot.setup_axes("", "", bare, bare)
        # The range stands in a column of its own beside the curve, the overlay in a line above it.
        last = max(len(self.values) - 1, 1) * (1 + RANGE_EMS * em / width)
        implot.setup_axes_limits(0, last, floor, high + 1.4 * em * range_per_pixel, implot.Cond_.always)
        if len(self.values):
            self._draw_curve(floor, width)
        self._draw_labels(low, high)
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

    def _draw_labels(self, low: float, high: float) -> None:
        """Draw the overlay at the top left, and the ends of the range at the right."""
        origin, extent = implot.get_plot_pos(), implot.get_plot_size()
        draw_list = implot.get_plot_draw_list()
        # On the draw list rather than as plot text: that would be clipped by the axes' limits.
        pad = 6.0 * imgui.get_style().font_scale_dpi
        if self.overlay:
            ink = imgui.get_color_u32(imgui.Col_.text)
            draw_list.add_text((origin.x + pad, origin.y + pad / 2), ink, self.overlay)
        if low == high:
            return
        imgui.push_font(None, SMALL_TEXT_PIXELS)
        quiet = imgui.get_color_u32(imgui.Col_.text_disabled)
        for number, y in ((high, origin.y + pad / 2), (low, origin.y + extent.y - imgui.get_font_size() - pad / 2)):
            text = f"{number:.3g}"
            draw_list.add_text((origin.x + extent.x - imgui.calc_text_size(text).x - pad, y), quiet, text)
        imgui.pop_font()

    def sketch(self) -> Sketch:
        return Curve(self.values, self.overlay, self.height)


Readout = Text | Hint | Section | ProgressBar | Plot


def as_curve(values: "Iterable[Any] | np.ndarray | Tensor") -> Float64[np.ndarray, " n"]:
    """Flatten numbers of any kind into one row of doubles, infinities as NaN; TypeError for anything else."""
    try:
        if isinstance(values, Tensor):
            # By way of torch: NumPy knows no bfloat16.
            values = values.detach().to("cpu", torch.float64).numpy()
        elif not isinstance(values, np.ndarray):
            values = [float(value) for value in values]
        row = np.asarray(values, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError) as error:
        raise TypeError(f"a plot takes numbers: a list, an array or a tensor; got {values!r:.80}.") from error
    return np.where(np.isfinite(row), row, np.nan)


def finite_range(values: Float64[np.ndarray, " n"]) -> tuple[float, float]:
    """Return the lowest and the highest finite number; (0, 0) where there is none."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def finite_runs(values: Float64[np.ndarray, " n"]) -> list[tuple[int, int]]:
    """Return (start, stop) of every run of finite numbers between the gaps."""
    # Padded with gaps, every run has two edges, those at the ends too.
    finite = np.concatenate([[False], np.isfinite(values), [False]])
    edges = np.flatnonzero(finite[1:] != finite[:-1])
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
