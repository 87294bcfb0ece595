"""A frame as a picture without OpenGL: panes in their places, pictures, curves and lines of text, drawn with Pillow."""

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from easel.graphics.image import as_picture, resize
from easel.viewer.backends.base import Frame, Pane, Picture
from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.sketch import Bar, Curve, Heading, Number, Rgba, Sketch, Words
from easel.viewer.imgui.theme import ACCENT, BACKDROP, EDGE, INK, PAPER, QUIET, WELL
from easel.viewer.widgets.readouts import finite_range, finite_runs

GAP = 3
"""Pixels between panes."""
PAD = 12
"""Pixels around the content of a pane."""
LINE = 21
"""Height of a line of text in pixels."""
TITLE = 29
"""Height of a title in pixels."""
FONT_PIXELS = 14


def contact_sheet(frame: Frame, size: tuple[int, int]) -> Float[Tensor, "h w 3"]:
    """Return `frame` as a picture of `size` = (width, height) in [0, 1]."""
    sheet = ContactSheet(size)
    for pane in frame.panes(size):
        if pane.title:
            sheet.draw_pane(pane)
            continue
        for picture in pane.pictures:
            sheet.draw_picture(picture, picture.room or pane.rectangle)
    return torch.from_numpy(np.array(sheet.image)).float() / 255


class ContactSheet:
    """The picture while it is drawn."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.image = Image.new("RGB", size, _ink(BACKDROP))
        self._pen = ImageDraw.Draw(self.image)
        self._font = ImageFont.load_default(FONT_PIXELS)

    def draw_pane(self, pane: Pane) -> None:
        """Draw a title, the pictures in the room that the widgets leave them, and the widgets below."""
        x, y, width, height = pane.rectangle
        width, height = width - GAP, height - GAP
        self._pen.rectangle((x, y + TITLE, x + width, y + height), _ink(PAPER))
        self._pen.rectangle((x, y + TITLE - 2, x + width, y + TITLE - 1), _ink(EDGE))
        self._write(x + PAD, y + 5, pane.title, INK, width)
        bottom = y + height - PAD
        x, y, width = x + PAD, y + TITLE + PAD, width - 2 * PAD
        if width < 1:
            return
        # Pictures share what the widgets leave, but get a line each even where nothing is left.
        share = max((bottom - y - sum(map(_height, pane.widgets))) / max(len(pane.pictures), 1), LINE)
        for picture in pane.pictures:
            self.draw_picture(picture, Rectangle(x, y, width, share - PAD / 2))
            y += share
        for sketch in pane.widgets:
            height = _height(sketch)
            # A widget may reach into the lower padding; one that does not fit is left out, with all below it.
            if y + height > bottom + PAD:
                break
            self._draw_sketch(sketch, Rectangle(x, y, width, height))
            y += height

    def draw_picture(self, picture: Picture, room: Rectangle) -> None:
        """Draw a picture in `room`, with its caption."""
        content = picture.look()
        if content is None or room.width < 1 or room.height < 1:
            self._write(room.x, room.y, f"[Canvas {picture.name!r}: no tensor bound]", QUIET, room.width)
            return
        # Without alpha: a sheet has no checkerboard to show through.
        content = as_picture(content)[..., :3].cpu()
        height, width = content.shape[:2]
        whole, visible, nearest = picture.stand(room)
        if nearest:
            # +0.5: a pixel of the sheet shows the tensor's pixel under its centre.
            rows = (torch.arange(visible.height) + 0.5 + visible.y - whole.y) * height / whole.height
            columns = (torch.arange(visible.width) + 0.5 + visible.x - whole.x) * width / whole.width
            content = content[rows.long()][:, columns.long()]
        else:
            content = resize(content, (int(whole.height), int(whole.width)))
        pixels = (content.clamp(0, 1) * 255).round().to(torch.uint8).expand(-1, -1, 3).numpy()
        # A picture without `fit` may be larger than its room.
        pixels = pixels[: max(int(room.height), 1), : max(int(room.width), 1)]
        self.image.paste(Image.fromarray(np.ascontiguousarray(pixels)), (int(visible.x), int(visible.y)))
        if words := picture.caption():
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
                # Narrower than its two corners, it would be no rounded rectangle.
                if fraction * width >= 8:
                    self._pen.rounded_rectangle((x, y, x + fraction * width, y + LINE), 4, _ink(ACCENT, 0.7))
                self._write(x + 6, y + 2, overlay, INK, width)
            case Curve(values, overlay, _):
                self._pen.rectangle((x, y, x + width, y + height - 6), _ink(BACKDROP))
                self._draw_curve(values, Rectangle(x, y + 14, width, height - 26))
                self._write(x + 6, y + 3, overlay, INK, width)

    def _draw_curve(self, values: np.ndarray, room: Rectangle) -> None:
        # The range of finite values only: an infinite one would flatten the rest.
        low, high = finite_range(values)
        across = room.x + np.arange(len(values)) / max(len(values) - 1, 1) * room.width
        # A constant curve has no range of its own: 1 puts it at the bottom instead of dividing by zero.
        down = room.y + room.height * (1 - (values - low) / ((high - low) or 1.0))
        # One line per run: a gap stays a gap.
        for start, stop in finite_runs(values):
            points = list(zip(across[start:stop].tolist(), down[start:stop].tolist(), strict=True))
            # Pillow draws no line of a single point.
            self._pen.line(points if len(points) > 1 else points * 2, _ink(ACCENT), 2)

    def _write(self, x: Number, y: Number, text: str, color: Rgba, width: Number) -> None:
        # Letter by letter from the end: an ellipsis stands for what does not fit.
        while text and self._font.getlength(text) > width:
            text = text[:-2] + "…" if len(text) > 2 else ""
        self._pen.text((x, y), text, _ink(color), font=self._font)


def _height(sketch: Sketch) -> Number:
    if isinstance(sketch, Words):
        return LINE * max(len(sketch.text.splitlines()), 1)
    return (sketch.height if isinstance(sketch, Curve) else LINE) + 6


def _ink(color: Rgba, share: Number = 1.0) -> tuple[int, int, int]:
    """Return a colour for Pillow, `share` of it over the paper."""
    red, green, blue = (round(255 * (share * c + (1 - share) * p)) for c, p in zip(color[:3], PAPER[:3], strict=True))
    return red, green, blue
