"""What is drawn over a canvas: a legend of its settings, the grid and the values of enlarged pixels, a read-out.

None of it is part of the picture: saves and films have the picture alone.
"""

import math
from functools import lru_cache
from itertools import pairwise

import torch
from torch import Tensor

from easel.graphics.color import colormap
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.comparison import MAP_COLORS, MAPS, Comparison, Region
from easel.viewer.canvas.display import Display
from easel.viewer.canvas.histogram_plot import draw_histogram
from easel.viewer.canvas.pointer_input import split_line
from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.theme import INK, QUIET, SMALL_TEXT_PIXELS, colour
from easel.viewer.imgui.toolkit import imgui

GRID_PIXELS, VALUE_PIXELS = 10.0, 58.0
"""From how large a pixel on it is told from its neighbours by a line, and has its values written into it."""
MARGIN, PADDING = 8.0, 6.0
BAR_PIXELS = 84.0
"""Width of the colours of a range."""
BAR_STEPS = 28
VEIL = (0.05, 0.06, 0.08, 0.86)
DARK, LIGHT = (0.0, 0.0, 0.0, 0.85), (1.0, 1.0, 1.0, 0.95)


def draw_overlay(canvas: Canvas, picture: Rectangle, visible: Rectangle) -> None:
    """Draw over a canvas whose picture stands at `picture` and is seen at `visible`."""
    draw_list = imgui.get_window_draw_list()
    draw_list.push_clip_rect((visible.x, visible.y), _corner(visible), True)
    imgui.push_font(imgui.get_font(), SMALL_TEXT_PIXELS)
    over = Overlay(canvas, picture, visible, draw_list)
    over.draw_pixels()
    over.draw_comparison()
    over.draw_cursor()
    over.draw_legend()
    over.draw_readout()
    imgui.pop_font()
    draw_list.pop_clip_rect()
    draw_histogram(canvas, visible)


class Overlay:
    """One canvas's, while it is drawn."""

    def __init__(self, canvas: Canvas, picture: Rectangle, visible: Rectangle, draw_list: "imgui.ImDrawList") -> None:
        self._canvas, self._picture, self._visible, self._draw = canvas, picture, visible, draw_list
        self._scale = imgui.get_style().font_scale_dpi
        self._height, self._width = canvas.size or (1, 1)
        self._pixel = picture.width / self._width, picture.height / self._height

    def draw_legend(self) -> None:
        """At the bottom left: how values become colours, unless they are shown as they are."""
        display, comparison = self._canvas.display, self._canvas.comparison
        words, colors, ends = legend(display), display.colors, (display.vmin, display.vmax)
        if (moment := self._canvas.past) is not None:
            words, colors = moment.name, None  # its colours are those that it had
        if comparison is not None and comparison.mode in MAPS:
            colors, ends = MAP_COLORS, (0, 1 / comparison.gain)
        if not self._canvas.legend or not (words or colors):
            return
        bar = BAR_PIXELS * self._scale if colors else 0.0
        low, high = (f"{value:.4g}" if value is not None else "?" for value in ends)
        parts = [low, bar, high, words] if bar else [words]
        gap = PADDING * self._scale
        widths = [part if isinstance(part, float) else self._measure(part) for part in parts if part]
        box = self._box(sum(widths) + gap * (len(widths) - 1), left=True)
        if box is None:
            return
        x, y = box.x + gap, box.y + gap * 0.5
        for part, width in zip((part for part in parts if part), widths, strict=True):
            if isinstance(part, float):
                self._color_bar(colors or "gray", Rectangle(x, y + 2, width, self._line - 4))
            else:
                self._write(x, y, part, INK if part is not words else QUIET if bar else INK)
            x += width + gap

    def draw_readout(self) -> None:
        """At the bottom right: where the pointer is, or that of a linked canvas, and what is there."""
        canvas, spot = self._canvas, self._spot
        if spot is None or (canvas.loupe.unzoomed and not imgui.get_io().key_alt):
            return
        x, y = spot
        found = canvas.probe(slice(y, y + 1), slice(x, x + 1))
        if found is None:
            return
        stored, shown = (values[0, 0] for values in found)
        words = f"{x}, {y}   {'  '.join(map(short, stored.tolist()))}"
        shade = f"→ {'  '.join(str(round(255 * value)) for value in shown.float().clamp(0, 1).tolist())}"
        gap = PADDING * self._scale
        chip, first, second = self._line - 2, self._measure(words), self._measure(shade)
        box = self._box(chip + first + second + 2 * gap, left=False)
        if box is None:
            return
        top = box.y + gap * 0.5
        red, green, blue = _rgb(shown)
        self._fill(Rectangle(box.x + gap, top + 1, chip, chip), (red, green, blue, 1.0), 2.0)
        self._write(box.x + 2 * gap + chip, top, words, INK)
        self._write(box.x + 3 * gap + chip + first, top, shade, QUIET)

    def draw_comparison(self) -> None:
        """The line of a wipe, and at the top how near the two pictures are."""
        comparison = self._canvas.comparison
        if comparison is None:
            return
        if comparison.mode == "wipe":
            x, middle = split_line(comparison.split, self._picture, self._visible), self._visible.height / 2
            top, bottom = self._visible.y, self._visible.y + self._visible.height
            for shade, width in ((colour(DARK), 4.0), (colour(LIGHT), 1.5)):
                self._draw.add_line((x, top), (x, bottom), shade, width * self._scale)
            self._draw.add_circle_filled((x, top + middle), 8 * self._scale, colour(LIGHT))
            for side in (-1, 1):
                y, tip, base = top + middle, x + 5 * side * self._scale, x + 2 * side * self._scale
                flare = 3.5 * self._scale
                self._draw.add_triangle_filled((tip, y), (base, y - flare), (base, y + flare), colour(DARK))
        if comparison.region is not None:
            self._frame(comparison.region)
        numbers = closeness(comparison)
        mine, theirs = self._canvas.name, comparison.other.name
        if comparison.mode == "flicker":
            words = theirs if comparison.other_is_shown else mine
        else:
            words = f"{mine} | {theirs}" if comparison.mode == "wipe" else f"{comparison.mode}: {mine} - {theirs}"
        gap = PADDING * self._scale
        width = self._measure(words) + gap * 2 * bool(numbers) + self._measure(numbers)
        box = self._box(width, left=True, bottom=False)
        if box is not None:
            self._write(box.x + gap, box.y + gap * 0.5, words, INK)
            self._write(box.x + 3 * gap + self._measure(words), box.y + gap * 0.5, numbers, QUIET)

    def _frame(self, region: Region) -> None:
        """Outline a part of the picture."""
        top, left, bottom, right = region
        start = self._picture.x + left * self._pixel[0], self._picture.y + top * self._pixel[1]
        end = self._picture.x + right * self._pixel[0], self._picture.y + bottom * self._pixel[1]
        for shade, width in ((colour(DARK), 4.0), (colour(LIGHT), 1.5)):
            self._draw.add_rect(start, end, shade, 0.0, width * self._scale)

    def draw_cursor(self) -> None:
        """Where the pointer is on a linked canvas."""
        loupe = self._canvas.loupe
        if loupe.cursor is None or loupe.owner is self._canvas:
            return
        x = self._picture.x + loupe.cursor[0] * self._picture.width
        y = self._picture.y + loupe.cursor[1] * self._picture.height
        for shade, width in ((colour(DARK), 3.0), (colour(LIGHT), 1.0)):
            for reach in (-1, 1):
                self._draw.add_line((x + 3 * reach, y), (x + 9 * reach, y), shade, width)
                self._draw.add_line((x, y + 3 * reach), (x, y + 9 * reach), shade, width)

    def draw_pixels(self) -> None:
        """The grid between pixels, and their values, as far as they are large enough."""
        size = min(self._pixel)
        if self._canvas.loupe.unzoomed or size < GRID_PIXELS * self._scale:
            return
        (first, end), (top, bottom) = self._range(0), self._range(1)
        veil = colour((0.5, 0.5, 0.5, min(max((size / self._scale - GRID_PIXELS) / 20, 0.1), 0.45)))
        for column in range(first, end + 1):
            x = self._picture.x + round(column * self._pixel[0])
            self._draw.add_line((x, self._visible.y), (x, self._visible.y + self._visible.height), veil)
        for row in range(top, bottom + 1):
            y = self._picture.y + round(row * self._pixel[1])
            self._draw.add_line((self._visible.x, y), (self._visible.x + self._visible.width, y), veil)
        if size >= VALUE_PIXELS * self._scale:
            self._draw_values(slice(top, bottom), slice(first, end))

    def _draw_values(self, rows: slice, columns: slice) -> None:
        found = self._canvas.probe(rows, columns)
        if found is None:
            return
        stored, shown = found
        lines = min(stored.shape[-1], int(self._pixel[1] / self._line))
        for row, (values, colors) in enumerate(zip(stored.tolist(), shown, strict=True), rows.start):
            for column, (numbers, color) in enumerate(zip(values, colors, strict=True), columns.start):
                middle = self._picture.x + (column + 0.5) * self._pixel[0]
                y = self._picture.y + (row + 0.5) * self._pixel[1] - lines * self._line / 2
                red, green, blue = _rgb(color)
                # Black on bright, white on dark: ITU-R BT.601 luma, against the middle of the eye's scale.
                ink = DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else LIGHT
                for number in numbers[:lines]:
                    text = short(number)
                    self._write(middle - self._measure(text) / 2, y, text, ink)
                    y += self._line

    @property
    def _spot(self) -> tuple[int, int] | None:
        """The pixel under the pointer of this canvas or a linked one."""
        cursor = self._canvas.loupe.cursor
        if cursor is None:
            return None
        return min(int(cursor[0] * self._width), self._width - 1), min(int(cursor[1] * self._height), self._height - 1)

    def _range(self, axis: int) -> tuple[int, int]:
        """The columns (axis 0) or rows (axis 1) that are seen: the first, and the one after the last."""
        start, length = (self._visible[axis] - self._picture[axis]), self._visible[axis + 2]
        count, pixel = (self._width, self._height)[axis], self._pixel[axis]
        return max(math.floor(start / pixel), 0), min(math.ceil((start + length) / pixel), count)

    @property
    def _line(self) -> float:
        return (SMALL_TEXT_PIXELS + 2) * self._scale

    def _box(self, width: Number, *, left: bool, bottom: bool = True) -> Rectangle | None:
        """A veil for a line of `width` in a corner; None where it would hide most of the picture."""
        gap, margin = PADDING * self._scale, MARGIN * self._scale
        box_width, height = width + 2 * gap, self._line + gap
        if box_width + 2 * margin > self._visible.width or 4 * height > self._visible.height:
            return None
        right, end = _corner(self._visible)
        x = self._visible.x + margin if left else right - margin - box_width
        box = Rectangle(x, end - margin - height if bottom else self._visible.y + margin, box_width, height)
        self._fill(box, VEIL, 5.0)
        return box

    def _color_bar(self, cmap: str, place: Rectangle) -> None:
        codes = _bar_colors(cmap)
        for step, (a, b) in enumerate(pairwise(codes)):
            start, end = (place.x + place.width * n / (len(codes) - 1) for n in (step, step + 1))
            self._draw.add_rect_filled_multi_color((start, place.y), (end, place.y + place.height), a, b, b, a)

    def _fill(self, place: Rectangle, color: tuple[Number, Number, Number, Number], rounding: Number) -> None:
        self._draw.add_rect_filled((place.x, place.y), _corner(place), colour(color), rounding * self._scale)

    def _measure(self, text: str) -> float:
        return imgui.calc_text_size(text).x

    def _write(self, x: Number, y: Number, text: str, color: tuple[Number, Number, Number, Number]) -> None:
        self._draw.add_text((round(x), round(y)), colour(color), text)


@lru_cache(maxsize=32)
def _bar_colors(cmap: str) -> list[int]:
    """Colours along a colormap, as draw lists take them."""
    table = colormap(torch.linspace(0, 1, BAR_STEPS + 1)[None], cmap, vmin=0, vmax=1)[0]
    return [colour((red, green, blue, 1.0)) for red, green, blue in table.tolist()]


def legend(display: Display) -> str:
    """The settings that change what is shown, in a few words; the colours of a range aside."""
    words = [] if display.layout == "hwc" else [display.layout]
    if isinstance(display.channels, str):
        words.append(display.channels)
    elif display.channels is not None:
        numbers = (display.channels,) if isinstance(display.channels, int) else display.channels
        words.append(f"channel{'s' if len(numbers) > 1 else ''} {' '.join(map(str, numbers))}")
    if not display.colors and (display.vmin is not None or display.vmax is not None):
        words.append(f"{display.vmin or 0:.4g} … {1 if display.vmax is None else display.vmax:.4g}")
    words += [f"{display.exposure:+.3g} EV"] if display.exposure else []
    words += [f"offset {display.offset:+.3g}"] if display.offset else []
    words += [display.tonemap] if display.tonemap else []
    words += [f"gamma {display.gamma:.3g}"] if display.gamma != 1 else []
    words += ["clipping marked"] if display.clip_marks else []
    words += ["alpha"] if display.alpha else []
    words += ["dithered"] if display.dither else []
    return " · ".join(words)


def short(value: float | int | bool) -> str:
    """A number in at most seven characters or so."""
    if isinstance(value, bool | int):
        return str(int(value))
    if not math.isfinite(value):
        return {math.inf: "Inf", -math.inf: "-Inf"}.get(value, "NaN")
    magnitude = abs(value)
    if magnitude and not 1e-3 <= magnitude < 1e5:
        return f"{value:.1e}"
    return f"{value:.4f}" if magnitude < 1 else f"{value:.5g}"


def closeness(comparison: Comparison) -> str:
    """How near two compared pictures are, in numbers, and in what part of them."""
    if comparison.psnr is None or comparison.ssim is None or comparison.l1 is None:
        return ""
    words = f"{decibels(comparison.psnr)}   SSIM {comparison.ssim:.4f}   L1 {short(comparison.l1)}"
    if comparison.region is None:
        return words
    top, left, bottom, right = comparison.region
    return f"{words}   in {right - left} x {bottom - top} at {left}, {top}"


def decibels(psnr: Number | None) -> str:
    """A PSNR, "equal" where it is infinite."""
    return "" if psnr is None else "equal" if psnr == math.inf else f"PSNR {psnr:.2f} dB"


def _rgb(color: Tensor) -> tuple[float, float, float]:
    values = color.float().clamp(0, 1).tolist()
    return (values[0], values[0], values[0]) if len(values) < 3 else (values[0], values[1], values[2])


def _corner(place: Rectangle) -> tuple[Number, Number]:
    return place.x + place.width, place.y + place.height
