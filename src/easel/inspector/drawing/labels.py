"""Text on the picture: names that stand at their sheets and never on one another.

Letters come from Pillow's own font, so that they are the same in a window, headless and in exported frames.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from easel.inspector.drawing.colors import BACKGROUND, TEXT, Rgb

SIZES = (12, 15, 20)
"""Heights of letters in pixels: of details, names and titles."""
SMALL, NAME, TITLE = SIZES
SIDE = 512
"""Width of the table of letters."""
PADDING = 3
"""Pixels left and right of a line."""
MOST_WIDTHS = 10_000
"""Lines whose widths are remembered."""
PLAIN = "".join(map(chr, range(32, 127)))
STAND_INS = str.maketrans({"×": "x", "−": "-", "–": "-", "·": "-", "→": ">", "“": '"', "”": '"'})
"""Characters that Pillow's font lacks → what is written instead."""

Number = float | int
Rows = Float[np.ndarray, "n 12"]
"""Quads: (x, y, width, height) in pixels, the same in the table of letters, (r, g, b, alpha)."""
Region = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


@dataclass(frozen=True)
class Letter:
    """Place of a letter in the table, and its offset in a line."""

    left: int
    top: int
    width: int
    height: int
    x: int
    y: int
    advance: float


class Glyphs:
    """A table of letters in all `SIZES`; what it lacks is written as a question mark."""

    def __init__(self) -> None:
        fonts = {size: ImageFont.load_default(size) for size in SIZES}
        self._letters: dict[tuple[int, str], Letter] = {}
        self._widths: dict[tuple[str, int], int] = {}
        table = Image.new("L", (SIDE, 64))
        # Shelf packing: letters side by side, a new row below the tallest where the table ends.
        left = top = tall = 0
        for size, font in fonts.items():
            for character in PLAIN + "…":
                x, y, right, bottom = (int(edge) for edge in font.getbbox(character))
                width = height = 0
                if not character.isspace():
                    width = max(right - x, 0)
                    height = max(bottom - y, 0)
                # +1: a gap, so that no filter reaches the neighbour.
                if left + width + 1 > SIDE:
                    left, top, tall = 0, top + tall + 1, 0
                if top + height + 1 > table.height:
                    table = table.crop((0, 0, SIDE, 2 * table.height))
                if width and height:
                    ImageDraw.Draw(table).text((left - x, top - y), character, fill=255, font=font)
                advance = float(font.getlength(character))
                self._letters[size, character] = Letter(left, top, width, height, x, y, advance)
                left += width + 1
                tall = max(tall, height)
        self.table: UInt8[np.ndarray, "h w"] = np.array(table)

    def width(self, text: str, size: int) -> int:
        """Return the width of a line in pixels."""
        # Remembered: every label is measured in every frame, and ranges change what some of them say.
        if (text, size) not in self._widths:
            if len(self._widths) > MOST_WIDTHS:
                self._widths.clear()
            letters = (self._letter(size, character) for character in text.translate(STAND_INS))
            self._widths[text, size] = int(sum(letter.advance for letter in letters)) + 1
        return self._widths[text, size]

    def rows(self, text: str, x: Number, y: Number, size: int, color: Rgb = TEXT) -> Rows:
        """Return the quads of a line whose upper left corner is at (x, y)."""
        rows = []
        # Whole pixels: the shader takes a texel of the table for each, without a filter.
        left = float(round(x))
        for character in text.translate(STAND_INS):
            letter = self._letter(size, character)
            if letter.width:
                place = (round(left) + letter.x, round(y) + letter.y, letter.width, letter.height)
                rows.append((*place, letter.left, letter.top, letter.width, letter.height, *color, 1.0))
            left += letter.advance
        return np.array(rows, np.float32).reshape(-1, 12)

    def _letter(self, size: int, character: str) -> Letter:
        # Names come from anywhere: a letter that is missing must not end a picture.
        return self._letters.get((size, character)) or self._letters[size, "?"]


@cache
def glyphs() -> Glyphs:
    """Return the table that all scenes share."""
    return Glyphs()


def filled(x: Number, y: Number, width: Number, height: Number, color: Iterable[Number], alpha: float = 1.0) -> Rows:
    """Return the quad of a filled rectangle."""
    # A place left of the table tells the shader that there is no letter.
    return np.array([[x, y, width, height, -1, -1, 0, 0, *color, alpha]], np.float32)


@dataclass(frozen=True)
class Label:
    """Lines of text above a point of the picture."""

    x: float
    """Left edge in pixels."""
    y: float
    """Lower edge in pixels."""
    choices: tuple[tuple[tuple[str, int, Rgb], ...], ...]
    """Versions, the longest first, each of lines (text, size, colour); the first that finds room is drawn."""
    weight: float
    """Importance: the heavier is placed first."""
    room: float = float("inf")
    """Most pixels that it may be wide."""


def place(labels: Iterable[Label], size: tuple[int, int], taken: Iterable[Region] = ()) -> tuple[Rows, list[Region]]:
    """Return the quads of all labels that find room on a picture of `size` = (height, width), and their regions.

    Regions in `taken` stay free. The heaviest label is placed first, and none covers another.
    """
    table = glyphs()
    regions = np.array(list(taken), np.float32).reshape(-1, 4)
    first = len(regions)
    rows: list[Rows] = [np.zeros((0, 12), np.float32)]
    for label in sorted(labels, key=lambda label: -label.weight):
        for lines in label.choices:
            width = max(table.width(text, letters) for text, letters, _ in lines) + 2 * PADDING
            height = sum(letters + 3 for _, letters, _ in lines) + 2
            left, top = round(label.x), round(label.y) - height
            # A label beyond the sides names nothing that is seen; one that is cut by them moves inside.
            if width > min(label.room, size[1]) or not (-width < left < size[1] and 0 <= top <= size[0] - height):
                continue
            left = max(min(left, size[1] - width), 0)
            region = np.array([left, top, left + width, top + height], np.float32)
            # Against all regions at once: a thousand labels meet in every frame.
            if ((regions[:, :2] < region[2:]).all(1) & (regions[:, 2:] > region[:2]).all(1)).any():
                continue
            regions = np.vstack([regions, region])
            # Darkened: letters must be read on sheets of any colour.
            rows.append(filled(left, top, width, height, BACKGROUND, 0.72))
            y = top + 1
            for text, letters, color in lines:
                rows.append(table.rows(text, left + PADDING, y, letters, color))
                y += letters + 3
            break
    covered = [(float(a), float(b), float(c), float(d)) for a, b, c, d in regions[first:]]
    return np.vstack(rows), covered
