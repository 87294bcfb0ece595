"""Overlay of a canvas: a legend of its settings, grid and values of enlarged pixels, comparison, and a read-out.

None of it is part of the picture: saves and films have the picture alone.
"""

import math
from functools import lru_cache
from itertools import pairwise

import torch
from torch import Tensor

from easel.graphics.color import colormap
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.comparison import MAP_COLORS, MAPS, Comparison
from easel.viewer.canvas.settings import Display, given_or
from easel.viewer.imgui.layout import Point, Rectangle
from easel.viewer.imgui.sketch import Number, Rgba
from easel.viewer.imgui.theme import INK, QUIET, SMALL_TEXT_PIXELS, colour
from easel.viewer.imgui.toolkit import imgui

GRID_PIXELS = 10.0
"""Size on screen from which pixels are separated by lines."""
VALUE_PIXELS = 58.0
"""Size on screen from which pixels have their values written into them."""
MARGIN = 8.0
PADDING = 6.0
BAR_PIXELS = 84.0
"""Width of the colour bar of a range."""
BAR_STEPS = 28
VEIL = (0.05, 0.06, 0.08, 0.86)
DARK = (0.0, 0.0, 0.0, 0.85)
LIGHT = (1.0, 1.0, 1.0, 0.95)
OUTLINED = ((DARK, 4.0), (LIGHT, 1.5))
"""(colour, width) of the two strokes of a line: light within dark, it is seen on every picture."""


def draw_overlay(canvas: Canvas, picture: Rectangle, visible: Rectangle) -> None:
    """Draw over a canvas whose picture is at `picture` and is seen at `visible`."""
    draw_list = imgui.get_window_draw_list()
    draw_list.push_clip_rect((visible.x, visible.y), _corner(visible), True)
    imgui.push_font(imgui.get_font(), SMALL_TEXT_PIXELS)
    over = Overlay(canvas, picture, visible, draw_list)
    # From the picture upwards: boxes with words cover lines, never the other way.
    over.draw_pixels()
    over.draw_comparison()
    over.draw_cursor()
    over.draw_legend()
    over.draw_readout()
    imgui.pop_font()
    draw_list.pop_clip_rect()


class Overlay:
    """The overlay of one canvas in one frame."""

    def __init__(self, canvas: Canvas, picture: Rectangle, visible: Rectangle, draw_list: "imgui.ImDrawList") -> None:
        self._canvas, self._picture, self._visible, self._draw = canvas, picture, visible, draw_list
        self._scale = imgui.get_style().font_scale_dpi
        self._gap = PADDING * self._scale
        self._line = (SMALL_TEXT_PIXELS + 2) * self._scale
        self._height, self._width = canvas.size or (1, 1)
        self._pixel = picture.width / self._width, picture.height / self._height

    def draw_legend(self) -> None:
        """Draw at the bottom left how values become colours, unless they are shown as they are."""
        if not self._canvas.legend:
            return
        display = self._canvas.display
        comparison = self._canvas.comparison
        words, colors = legend(display), display.colors
        ends: tuple[Number | None, Number | None] = (display.vmin, display.vmax)
        if (past := self._canvas.past) is not None:
            words, colors = past.name, None  # it was stored with its colours
        if comparison is not None and comparison.mode in MAPS:
            colors, ends = MAP_COLORS, (0, 1 / comparison.gain)
        if colors:
            self._draw_color_legend(colors, ends, words)
        elif words and (start := self._box(self._measure(words), left=True)) is not None:
            self._write(*start, words, INK)

    def _draw_color_legend(self, cmap: str, ends: tuple[Number | None, Number | None], words: str) -> None:
        """Draw a colour bar between the values of its ends, and words behind them."""
        low, high = ("?" if value is None else f"{value:.4g}" for value in ends)
        bar = BAR_PIXELS * self._scale
        texts = [(low, INK), (high, INK)] + [(words, QUIET)] * bool(words)
        widths = [self._measure(text) for text, _ in texts]
        if (start := self._box(sum(widths) + bar + self._gap * len(texts), left=True)) is None:
            return
        x, y = start
        # The bar stands behind the first text, its lower end.
        for number, ((text, ink), width) in enumerate(zip(texts, widths, strict=True)):
            self._write(x, y, text, ink)
            x += width + self._gap
            if number == 0:
                self._color_bar(cmap, Rectangle(x, y + 2, bar, self._line - 4))
                x += bar + self._gap

    def draw_readout(self) -> None:
        """Draw at the bottom right the pixel under the pointer, here or on a linked canvas, and its values."""
        canvas = self._canvas
        if (cursor := canvas.loupe.cursor) is None or (canvas.loupe.unzoomed and not imgui.get_io().key_alt):
            return
        # One pixel: of a tensor on a GPU, nothing more is fetched.
        x, y = min(int(cursor[0] * self._width), self._width - 1), min(int(cursor[1] * self._height), self._height - 1)
        if (found := canvas.probe(slice(y, y + 1), slice(x, x + 1))) is None:
            return
        stored, shown = (values[0, 0] for values in found)
        words = f"{x}, {y}   {'  '.join(map(short, stored.tolist()))}"
        shade = f"→ {'  '.join(str(round(255 * value)) for value in shown.float().clamp(0, 1).tolist())}"
        gap = self._gap
        chip = self._line - 2
        first = self._measure(words)
        if (start := self._box(chip + first + self._measure(shade) + 2 * gap, left=False)) is None:
            return
        left, top = start
        self._fill(Rectangle(left, top + 1, chip, chip), (*_rgb(shown), 1.0), 2.0)
        self._write(left + gap + chip, top, words, INK)
        self._write(left + 2 * gap + chip + first, top, shade, QUIET)

    def draw_comparison(self) -> None:
        """Draw the line of a wipe, the outline of a region, and at the top how near the two pictures are."""
        if (comparison := self._canvas.comparison) is None:
            return
        if comparison.mode == "wipe":
            self._draw_split(comparison.split_x(self._picture, self._visible))
        if comparison.region is not None:
            top, left, bottom, right = comparison.region
            start, end = (self._on_screen(*corner) for corner in ((left, top), (right, bottom)))
            for shade, width in OUTLINED:
                self._draw.add_rect(start, end, colour(shade), 0.0, width * self._scale)
        mine, theirs = self._canvas.name, comparison.other.name
        # The name tells which of the two is on screen: alternating, nothing else does.
        named = {"flicker": theirs if comparison.other_is_shown else mine, "wipe": f"{mine} | {theirs}"}
        words = named.get(comparison.mode, f"{comparison.mode}: {mine} - {theirs}")
        numbers = closeness(comparison)
        gap = self._gap
        width = self._measure(words) + gap * 2 * bool(numbers) + self._measure(numbers)
        if (start := self._box(width, left=True, bottom=False)) is not None:
            self._write(*start, words, INK)
            self._write(start[0] + 2 * gap + self._measure(words), start[1], numbers, QUIET)

    def _draw_split(self, x: Number) -> None:
        """Draw the line of a wipe at `x`, with a handle of two arrows in its middle."""
        top = self._visible.y
        middle = top + self._visible.height / 2
        for shade, width in OUTLINED:
            self._draw.add_line((x, top), (x, top + self._visible.height), colour(shade), width * self._scale)
        self._draw.add_circle_filled((x, middle), 8 * self._scale, colour(LIGHT))
        flare = 3.5 * self._scale
        for side in (-1, 1):
            tip = x + 5 * side * self._scale
            base = x + 2 * side * self._scale
            self._draw.add_triangle_filled((tip, middle), (base, middle - flare), (base, middle + flare), colour(DARK))

    def draw_cursor(self) -> None:
        """Draw a cross at the pointer of a linked canvas."""
        loupe = self._canvas.loupe
        if loupe.cursor is None or loupe.owner is self._canvas:
            return
        x = self._picture.x + loupe.cursor[0] * self._picture.width
        y = self._picture.y + loupe.cursor[1] * self._picture.height
        # With a gap in the middle: the pixel itself stays visible.
        for shade, width in ((colour(DARK), 3.0), (colour(LIGHT), 1.0)):
            for reach in (-1, 1):
                self._draw.add_line((x + 3 * reach, y), (x + 9 * reach, y), shade, width)
                self._draw.add_line((x, y + 3 * reach), (x, y + 9 * reach), shade, width)

    def draw_pixels(self) -> None:
        """Draw the grid between pixels, and their values, if they are large enough."""
        size = min(self._pixel)
        if self._canvas.loupe.unzoomed or size < GRID_PIXELS * self._scale:
            return
        left, top = self._visible.x, self._visible.y
        right, bottom = _corner(self._visible)
        columns, rows = self._visible_range(0), self._visible_range(1)
        # Fading in with the zoom: a grid at full strength between ten pixels is all that one would see.
        veil = colour((0.5, 0.5, 0.5, min(max((size / self._scale - GRID_PIXELS) / 20, 0.1), 0.45)))
        for column in range(columns.start, columns.stop + 1):
            x = self._picture.x + round(column * self._pixel[0])
            self._draw.add_line((x, top), (x, bottom), veil)
        for row in range(rows.start, rows.stop + 1):
            y = self._picture.y + round(row * self._pixel[1])
            self._draw.add_line((left, y), (right, y), veil)
        if size >= VALUE_PIXELS * self._scale:
            self._draw_values(rows, columns)

    def _draw_values(self, rows: slice, columns: slice) -> None:
        if (found := self._canvas.probe(rows, columns)) is None:
            return
        stored, shown = found
        # As many channels as fit below each other into the square of a pixel.
        lines = min(stored.shape[-1], int(self._pixel[1] / self._line))
        for row, (values, colors) in enumerate(zip(stored.tolist(), shown, strict=True), rows.start):
            for column, (numbers, color) in enumerate(zip(values, colors, strict=True), columns.start):
                middle, y = self._on_screen(column + 0.5, row + 0.5)
                y -= lines * self._line / 2
                red, green, blue = _rgb(color)
                # Black on bright, white on dark: ITU-R BT.601 luma, against the middle of the eye's scale.
                ink = DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else LIGHT
                for number in numbers[:lines]:
                    text = short(number)
                    self._write(middle - self._measure(text) / 2, y, text, ink)
                    y += self._line

    def _on_screen(self, x: Number, y: Number) -> Point:
        """Convert a point in tensor pixels to window pixels."""
        return self._picture.x + x * self._pixel[0], self._picture.y + y * self._pixel[1]

    def _visible_range(self, axis: int) -> slice:
        """Return the columns (axis 0) or rows (axis 1) of the tensor that are seen."""
        start = self._visible[axis] - self._picture[axis]
        stop = start + self._visible[axis + 2]
        count = (self._width, self._height)[axis]
        return slice(max(math.floor(start / self._pixel[axis]), 0), min(math.ceil(stop / self._pixel[axis]), count))

    def _box(self, width: Number, *, left: bool, bottom: bool = True) -> Point | None:
        """Draw the box of a line of `width` in a corner and return the line's start; None where it hid too much."""
        # On a small picture nothing at all is better than words over everything.
        margin = MARGIN * self._scale
        box_width = width + 2 * self._gap
        height = self._line + self._gap
        if box_width + 2 * margin > self._visible.width or 4 * height > self._visible.height:
            return None
        x = self._visible.x + margin
        y = self._visible.y + margin
        right, end = _corner(self._visible)
        if not left:
            x = right - margin - box_width
        if bottom:
            y = end - margin - height
        self._fill(Rectangle(x, y, box_width, height), VEIL, 5.0)
        return x + self._gap, y + self._gap * 0.5

    def _color_bar(self, cmap: str, place: Rectangle) -> None:
        codes = _bar_colors(cmap)
        for step, (a, b) in enumerate(pairwise(codes)):
            start, end = (place.x + place.width * n / (len(codes) - 1) for n in (step, step + 1))
            self._draw.add_rect_filled_multi_color((start, place.y), (end, place.y + place.height), a, b, b, a)

    def _fill(self, place: Rectangle, color: Rgba, rounding: Number) -> None:
        self._draw.add_rect_filled((place.x, place.y), _corner(place), colour(color), rounding * self._scale)

    def _measure(self, text: str) -> float:
        return imgui.calc_text_size(text).x

    def _write(self, x: Number, y: Number, text: str, color: Rgba) -> None:
        # On whole pixels, as the glyphs in the texture are: between them, small letters blur.
        self._draw.add_text((round(x), round(y)), colour(color), text)


@lru_cache(maxsize=32)
def _bar_colors(cmap: str) -> list[int]:
    """Return the colours along a colormap, packed for draw lists."""
    # Kept for each colormap: computing it with torch in every frame would cost more than drawing it.
    table = colormap(torch.linspace(0, 1, BAR_STEPS + 1)[None], cmap, vmin=0, vmax=1)[0]
    return [colour((red, green, blue, 1.0)) for red, green, blue in table.tolist()]


def legend(display: Display) -> str:
    """Return, in a few words, the settings that change what is shown, the colours of a range aside."""
    channels = display.channels
    if isinstance(channels, int):
        channels = f"channel {channels}"
    elif isinstance(channels, tuple):
        channels = f"channel{'s' * (len(channels) > 1)} {' '.join(map(str, channels))}"
    has_range = (display.vmin, display.vmax) != (None, None)
    words = [
        (display.layout, display.layout != "hwc"),
        (channels, channels is not None),
        (f"{given_or(display.vmin, 0):.4g} … {given_or(display.vmax, 1):.4g}", has_range and not display.colors),
        (f"{display.exposure:+.3g} EV", display.exposure),
        (f"offset {display.offset:+.3g}", display.offset),
        (display.tonemap, display.tonemap),
        (f"gamma {display.gamma:.3g}", display.gamma != 1),
        ("clipping marked", display.clip_marks),
        ("alpha", display.alpha),
        ("dithered", display.dither),
    ]
    return " · ".join(str(text) for text, applies in words if applies)


def short(value: float | int | bool) -> str:
    """Format a number in at most seven characters or so."""
    if isinstance(value, bool | int):
        return str(int(value))
    if not math.isfinite(value):
        return {math.inf: "Inf", -math.inf: "-Inf"}.get(value, "NaN")
    magnitude = abs(value)
    # Zero has no magnitude, and is written as such.
    if magnitude and not 1e-3 <= magnitude < 1e5:
        return f"{value:.1e}"
    return f"{value:.4f}" if magnitude < 1 else f"{value:.5g}"


def closeness(comparison: Comparison) -> str:
    """Return PSNR, SSIM and L1 of two compared pictures, and the part that they are of."""
    if comparison.psnr is None or comparison.ssim is None or comparison.l1 is None:
        return ""
    decibels = "equal" if comparison.psnr == math.inf else f"PSNR {comparison.psnr:.2f} dB"
    words = f"{decibels}   SSIM {comparison.ssim:.4f}   L1 {short(comparison.l1)}"
    if comparison.region is None:
        return words
    top, left, bottom, right = comparison.region
    return f"{words}   in {right - left} x {bottom - top} at {left}, {top}"


def _rgb(color: Tensor) -> tuple[float, float, float]:
    values = color.float().clamp(0, 1).tolist()
    # One channel, or grey with alpha, is grey.
    return (values[0], values[0], values[0]) if len(values) < 3 else (values[0], values[1], values[2])


def _corner(place: Rectangle) -> Point:
    """Return the bottom right corner."""
    return place.x + place.width, place.y + place.height
