"""A view as a picture without OpenGL: panels in their places, canvases, curves and lines of text, drawn with Pillow."""

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from easel.graphics.image import as_picture, resize
from easel.viewer.backends.base import Frame
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.overlay import legend
from easel.viewer.canvas.placement import stand
from easel.viewer.imgui.layout import Rectangle, rectangles
from easel.viewer.imgui.sketch import Bar, Curve, Heading, Number, Rgba, Sketch, Words
from easel.viewer.imgui.theme import ACCENT, BACKDROP, EDGE, INK, PAPER, QUIET, WELL
from easel.viewer.panels.panel import Panel
from easel.viewer.widgets.readouts import finite_range, finite_runs

GAP, PAD, LINE, TITLE = 3, 12, 21, 29
"""Between panels, around their content, per line of text and for a title, in pixels."""
FONT_PIXELS = 14


def contact_sheet(frame: Frame, size: tuple[int, int]) -> Float[Tensor, "h w 3"]:
    """`frame` as a picture of `size` = (width, height) in [0, 1]."""
    sheet = ContactSheet(size)
    for name, rectangle in rectangles(frame.area, Rectangle(0, 0, *size)).items():
        if frame.panels[name].open:
            sheet.draw_panel(name, frame.panels[name], rectangle)
    if not frame.panels:  # a bare window: its pictures, where they stand
        for placement in frame.placements:
            sheet.draw_canvas(placement.canvas, placement.look(), placement.room)
    return torch.from_numpy(np.array(sheet.image)).float() / 255


class ContactSheet:
    """The picture while it is drawn."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.image = Image.new("RGB", size, _ink(BACKDROP))
        self._pen = ImageDraw.Draw(self.image)
        self._font = ImageFont.load_default(FONT_PIXELS)

    def draw_panel(self, name: str, panel: Panel, room: Rectangle) -> None:
        """A title, the canvases in what room the widgets leave them, the widgets below."""
        x, y, width, height = room.x, room.y, room.width - GAP, room.height - GAP
        self._pen.rectangle((x, y + TITLE, x + width, y + height), _ink(PAPER))
        self._pen.rectangle((x, y + TITLE - 2, x + width, y + TITLE - 1), _ink(EDGE))
        self._write(x + PAD, y + 5, name, INK, width)
        x, y, width, bottom = x + PAD, y + TITLE + PAD, width - 2 * PAD, y + height - PAD
        if width < 1:
            return
        sketches = panel.sketch()
        share = max((bottom - y - sum(map(_height, sketches))) / max(len(panel.canvases), 1), LINE)
        for canvas in panel.canvases.values():
            self.draw_canvas(canvas, panel.look(canvas), Rectangle(x, y, width, share - PAD / 2))
            y += share
        for sketch in sketches:
            if y + _height(sketch) > bottom + PAD:
                break
            self._draw_sketch(sketch, Rectangle(x, y, width, _height(sketch)))
            y += _height(sketch)

    def draw_canvas(self, canvas: Canvas, picture: Tensor | None, room: Rectangle) -> None:
        if picture is None or room.width < 1 or room.height < 1:
            self._write(room.x, room.y, f"[Canvas {canvas.name!r}: no tensor bound]", QUIET, room.width)
            return
        picture = as_picture(picture)[..., :3].cpu()
        height, width = picture.shape[:2]
        target, visible = stand(canvas, room)
        canvas.rectangle = target
        if canvas.squares or not canvas.loupe.unzoomed:
            rows = (torch.arange(visible.height) + 0.5 + visible.y - target.y) * height / target.height
            columns = (torch.arange(visible.width) + 0.5 + visible.x - target.x) * width / target.width
            picture = picture[rows.long()][:, columns.long()]
        else:
            picture = resize(picture, (int(target.height), int(target.width)))
        pixels = (picture.clamp(0, 1) * 255).round().to(torch.uint8).expand(-1, -1, 3).numpy()
        pixels = pixels[: max(int(room.height), 1), : max(int(room.width), 1)]
        self.image.paste(Image.fromarray(np.ascontiguousarray(pixels)), (int(visible.x), int(visible.y)))
        if canvas.legend and (words := legend(canvas.display)):
            self._write(visible.x + 6, visible.y + visible.height - LINE, words, INK, visible.width - 12)

    def _draw_sketch(self, sketch: Sketch, room: Rectangle) -> None:
        x, y, width, height = room
        match sketch:
            case Words(text, color):
                for number, line in enumerate(text.splitlines()):
                    self._write(x, y + number * LINE, line, color or INK, width)
            case Heading(title):
                self._write(x, y + 2, title, QUIET, width)
                end = x + self._font.getlength(title) + 8 if title else x
                self._pen.line((end, y + LINE / 2, x + width, y + LINE / 2), _ink(EDGE))
            case Bar(fraction, overlay):
                self._pen.rounded_rectangle((x, y, x + width, y + LINE), 4, _ink(WELL))
                if fraction * width >= 8:
                    self._pen.rounded_rectangle((x, y, x + fraction * width, y + LINE), 4, _ink(ACCENT, 0.7))
                self._write(x + 6, y + 2, overlay, INK, width)
            case Curve(values, overlay, _):
                self._pen.rectangle((x, y, x + width, y + height - 6), _ink(BACKDROP))
                self._draw_curve(values, Rectangle(x, y + 14, width, height - 26))
                self._write(x + 6, y + 3, overlay, INK, width)

    def _draw_curve(self, values: np.ndarray, room: Rectangle) -> None:
        low, high = finite_range(values)
        across = room.x + np.arange(len(values)) / max(len(values) - 1, 1) * room.width
        down = room.y + room.height * (1 - (values - low) / ((high - low) or 1.0))
        for start, stop in finite_runs(values):
            points = list(zip(across[start:stop].tolist(), down[start:stop].tolist(), strict=True))
            self._pen.line(points if len(points) > 1 else points * 2, _ink(ACCENT), 2)

    def _write(self, x: Number, y: Number, text: str, color: Rgba, width: Number) -> None:
        while text and self._font.getlength(text) > width:
            text = text[:-2] + "…" if len(text) > 2 else ""
        self._pen.text((x, y), text, _ink(color), font=self._font)


def _height(sketch: Sketch) -> Number:
    match sketch:
        case Words(text, _):
            return LINE * max(len(text.splitlines()), 1)
        case Curve(_, _, height):
            return height + 6
        case _:
            return LINE + 6


def _ink(color: Rgba, share: Number = 1.0) -> tuple[int, int, int]:
    red, green, blue = (round(255 * (share * c + (1 - share) * p)) for c, p in zip(color[:3], PAPER[:3], strict=True))
    return red, green, blue
