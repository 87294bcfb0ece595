"""Drawing of a canvas's histogram, over it or in a panel, with handles for the range of values that is shown."""

import dataclasses

import numpy as np
from jaxtyping import Float
from torch import Tensor

from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.display import reduced
from easel.viewer.canvas.histogram import AXES, Counts, Histogram, axis_range, stride_of
from easel.viewer.canvas.settings import IDENTITY
from easel.viewer.imgui.item_layout import ItemLayout, pushed_colors
from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.sketch import Number, Sketch, Words
from easel.viewer.imgui.theme import DARK, INK, QUIET, SMALL_TEXT_PIXELS, colour
from easel.viewer.imgui.toolkit import imgui, implot
from easel.viewer.widgets.widgets import Widget

WIDTH_EMS = 22.0
HEIGHT_EMS = 9.5
"""Height of the histogram over a canvas."""
PLOT_EMS = 8.0
"""Height of the bars in a panel."""
MARGIN = 8.0
VEIL = (0.05, 0.06, 0.08, 0.9)
CHANNEL_COLORS = ((1.0, 0.32, 0.3, 1.0), (0.35, 0.85, 0.4, 1.0), (0.38, 0.56, 1.0, 1.0))
GREY = (0.8, 0.82, 0.86, 1.0)
HANDLE_COLORS = ((0.55, 0.6, 0.68, 1.0), (1.0, 1.0, 1.0, 1.0))
"""Colours of vmin, the value shown black, and of vmax, the value shown white."""
LEAST_SHARE = 1e-6
"""Lower end of a logarithmic axis of counts, unless the rarest bin holds more."""


def draw_histogram(canvas: Canvas, visible: Rectangle) -> None:
    """Draw a canvas's histogram at the top right of its visible part, if it has one and there is room."""
    if (histogram := canvas.histogram) is None:
        return
    renew(canvas, histogram)
    em = imgui.get_font_size()
    margin = MARGIN * imgui.get_style().font_scale_dpi
    width, height = WIDTH_EMS * em, HEIGHT_EMS * em
    if visible.width < width + 2 * margin or visible.height < 1.6 * height:
        return
    # A window of its own: what happens over it is not for the canvas, and the canvas stays the panel's last item.
    imgui.set_next_window_pos((visible.x + visible.width - width - margin, visible.y + margin))
    imgui.set_next_window_size((width, height))
    imgui.push_style_var(imgui.StyleVar_.window_padding, (em * 0.4, em * 0.3))
    flags = imgui.WindowFlags_
    plain = flags.no_decoration | flags.no_docking | flags.no_saved_settings | flags.no_nav | flags.no_move
    with pushed_colors({imgui.Col_.window_bg: VEIL}):
        imgui.begin(f"##histogram of {canvas.name} {id(canvas)}", None, plain | flags.no_focus_on_appearing)
    _draw(canvas, histogram, None)
    if imgui.is_window_hovered() and imgui.get_io().key_ctrl and imgui.is_key_pressed(imgui.Key.h):
        canvas.histogram = False
    imgui.end()
    imgui.pop_style_var()


@dataclasses.dataclass(frozen=True, eq=False)
class HistogramPlot(Widget[str]):
    """The histogram of a canvas as a widget of a panel: `panel.ask(label, HistogramPlot(canvas, Histogram()))`."""

    canvas: Canvas
    histogram: Histogram
    """Keeps the counts between frames."""
    default: str = AXES[0]

    def accept(self, value: object) -> str:
        """Set the axes; ValueError for any but `AXES`."""
        self.histogram.axes = str(value)
        return self.histogram.axes

    def draw(self, layout: ItemLayout, label: str, value: str) -> str:
        renew(self.canvas, self.histogram)
        # Its colours are made for a dark ground, as over a picture.
        corner = imgui.get_cursor_screen_pos()
        height = PLOT_EMS * imgui.get_font_size()
        right = corner.x + imgui.get_content_region_avail().x
        bottom = corner.y + height + imgui.get_text_line_height_with_spacing()
        rounding = imgui.get_style().frame_rounding
        imgui.get_window_draw_list().add_rect_filled(corner, (right, bottom), colour(VEIL), rounding)
        imgui.push_id(label)
        _draw(self.canvas, self.histogram, height)
        imgui.pop_id()
        return self.histogram.axes

    def sketch(self, label: str, value: str) -> Sketch:
        counts = self.histogram.counts
        return Words(f"{value}: {remarks(counts)}" if counts else remarks(counts))


def renew(canvas: Canvas, histogram: Histogram) -> None:
    """Count the values that the canvas shows now, if they have changed, to be drawn next."""
    # None until they are drawn: bars hidden by a scroll bar must not be found by a script.
    histogram.area = None
    if canvas.size is None:
        return
    display = canvas.display
    past = canvas.past
    # A sample: the shares of a hundred thousand pixels are those of all, to the width of a line.
    stride = stride_of(*canvas.size)
    # The range is no part of it: a drag of its handles counts nothing anew.
    key = canvas.version, display.layout, display.channels, past and past.step
    part = slice(None, None, stride)

    def read() -> Float[Tensor, "h w c"] | None:
        if (found := canvas.probe(part, part)) is None:
            return None
        # A past picture is kept as it was shown; `probe` has brought the axes of others into this order.
        stored = IDENTITY if past is not None else dataclasses.replace(canvas.display, layout="hwc")
        return reduced(found[0], stored)

    histogram.renew(key, canvas.live and past is None, read, stride)


def _draw(canvas: Canvas, histogram: Histogram, height: Number | None) -> None:
    """Draw title and bars, `height` pixels high or down to the end of the window, on a dark veil in every theme."""
    col = imgui.Col_
    with pushed_colors({col.text: INK, col.button: DARK.button[0], col.button_hovered: DARK.button[1]}):
        _draw_title(histogram)
        if histogram.counts is not None:
            room = imgui.get_content_region_avail()
            _draw_plot(canvas, histogram, histogram.counts, (room.x, height or room.y))


def _draw_title(histogram: Histogram) -> None:
    if imgui.small_button(f"{histogram.axes}##axes"):
        histogram.axes = AXES[(AXES.index(histogram.axes) + 1) % len(AXES)]
    imgui.set_item_tooltip("Which axis is logarithmic. The two lines are vmin and vmax: drag them.")
    words = remarks(histogram.counts)
    imgui.push_font(None, SMALL_TEXT_PIXELS)
    imgui.same_line()
    room = imgui.get_content_region_avail().x - imgui.calc_text_size(words).x
    imgui.set_cursor_pos_x(imgui.get_cursor_pos_x() + max(room, 0.0))
    with pushed_colors({imgui.Col_.text: QUIET}):
        imgui.text_unformatted(words)
    imgui.pop_font()


def remarks(counts: Counts | None) -> str:
    """Return the range of the values, and what of them the histogram does not show."""
    if counts is None:
        return "no finite value"
    words = {
        f"{counts.low:.4g} to {counts.high:.4g}": True,
        f"{counts.invalid:,} not finite": counts.invalid > 0,
        f"{counts.hidden:.1%} too low": counts.hidden > 5e-4,  # less is rounding
        f"1 pixel in {counts.stride**2}": counts.stride > 1,
    }
    return " · ".join(part for part, applies in words.items() if applies)


def _draw_plot(canvas: Canvas, histogram: Histogram, counts: Counts, size: tuple[Number, Number]) -> None:
    """Draw the bars and the handles."""
    log_values = histogram.axes == "log values" and bool(counts.edges[0] > 0)
    log_counts = histogram.axes == "log counts"
    # A past picture has been mapped already, and labels have no range.
    handles = None
    if canvas.past is None and canvas.display.channels != "labels":
        handles = canvas.display.range
    flags = implot.Flags_.canvas_only | implot.Flags_.no_frame
    imgui.push_font(None, SMALL_TEXT_PIXELS)
    # Locked axes: the wheel over a histogram belongs to nothing, least of all to a zoom of its bars.
    implot.push_style_var(implot.StyleVar_.plot_padding, imgui.ImVec2(2, 2))
    implot.push_style_color(implot.Col_.plot_bg, imgui.ImVec4(0, 0, 0, 0))
    if implot.begin_plot("##plot", size, flags):
        axis = implot.AxisFlags_
        fixed = axis.no_highlight | axis.no_menus | axis.no_side_switch | axis.lock
        implot.setup_axes("", "", fixed, fixed | axis.no_grid_lines | axis.no_tick_labels | axis.no_tick_marks)
        histogram.span = axis_range(counts, handles, log_values)
        implot.setup_axis_limits(implot.ImAxis_.x1, *histogram.span, implot.Cond_.always)
        if log_values:
            implot.setup_axis_scale(implot.ImAxis_.x1, implot.Scale_.log10)
        floor, top = _share_limits(counts, log_counts)
        implot.setup_axis_limits(implot.ImAxis_.y1, floor, top, implot.Cond_.always)
        if log_counts:
            implot.setup_axis_scale(implot.ImAxis_.y1, implot.Scale_.log10)
        at = implot.get_plot_pos()
        extent = implot.get_plot_size()
        histogram.area = Rectangle(at.x, at.y, extent.x, extent.y)
        _draw_bars(counts, floor)
        if handles is not None:
            _drag_handles(canvas, handles)
        implot.end_plot()
    implot.pop_style_color()
    implot.pop_style_var()
    imgui.pop_font()


def _share_limits(counts: Counts, log_counts: bool) -> tuple[float, float]:
    """Return the ends of the axis of counts."""
    tallest = float(counts.shares.max())
    if log_counts:
        return max(float(counts.shares[counts.shares > 0].min()) / 2, LEAST_SHARE), tallest * 1.5
    # One value that fills the picture, such as black around it, must not flatten all others.
    common = float(np.quantile(counts.shares.max(axis=0), 0.95))
    return 0.0, 1.1 * (min(tallest, 1.6 * common) or tallest)


def _draw_bars(counts: Counts, floor: float) -> None:
    # Every end twice, without the outermost: the corners of steps rather than the tops of triangles.
    corners = np.repeat(counts.edges, 2)[1:-1]
    colors = CHANNEL_COLORS if len(counts.shares) == 3 else (GREY,)
    for number, (shares, color) in enumerate(zip(counts.shares, colors, strict=True)):
        heights = np.maximum(np.repeat(shares, 2), np.float32(floor))
        shade = imgui.ImVec4(*color)
        implot.plot_shaded(f"##fill{number}", corners, heights, floor, implot.Spec(fill_color=shade, fill_alpha=0.35))
        implot.plot_line(f"##line{number}", corners, heights, implot.Spec(line_color=shade, line_weight=1.0))


def _drag_handles(canvas: Canvas, handles: tuple[Number, Number]) -> None:
    """Draw the lines of vmin and vmax; dragging one sets it."""
    found = list(handles)
    held = False
    # Both before either is set: an empty range, one on the other, must not be.
    for number, color in enumerate(HANDLE_COLORS):
        shade = imgui.ImVec4(*color)
        _, found[number], _, _, down = implot.drag_line_x(number, handles[number], shade, 2.0, 0, False, False, False)
        held |= bool(down)
    if held and found[0] != found[1] and tuple(found) != handles:
        canvas.set_display(vmin=found[0], vmax=found[1])
