"""Text on the picture: names that stand at their sheets and never on one another.

Letters come from Pillow's own font, so that they are the same in a window, headless and in exported frames.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from easel.inspector.drawing.colors import BACKGROUND, TEXT, Rgb

SIZES = (12, 15, 20)
"""Letters in pixels: of details, names and titles."""
SMALL, NAME, TITLE = SIZES
SIDE = 512
"""Width of the table of letters."""
PADDING = 3
MOST_WIDTHS = 10_000
"""Lengths of lines that are remembered."""
PLAIN = "".join(map(chr, range(32, 127)))
STAND_INS = str.maketrans({"×": "x", "−": "-", "–": "-", "·": "-", "→": ">", "“": '"', "”": '"'})
"""What Pillow's font lacks, and what is written instead."""

Rows = Float[np.ndarray, "n 12"]


@dataclass(frozen=True)
class Letter:
    """Where a letter is in the table, and where it stands in a line."""

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
        left = top = tall = 0
        for size, font in fonts.items():
            for character in PLAIN + "…":
                x, y, right, bottom = (int(edge) for edge in font.getbbox(character))
                width, height = (0, 0) if character.isspace() else (max(right - x, 0), max(bottom - y, 0))
                if left + width + 1 > SIDE:
                    left, top, tall = 0, top + tall + 1, 0
                if top + height + 1 > table.height:
                    table = _taller(table, 2 * table.height)
                if width and height:
                    ImageDraw.Draw(table).text((left - x, top - y), character, fill=255, font=font)
                advance = float(font.getlength(character))
                self._letters[size, character] = Letter(left, top, width, height, x, y, advance)
                left, tall = left + width + 1, max(tall, height)
        self.table: UInt8[np.ndarray, "h w"] = np.array(table)

    def width(self, text: str, size: int) -> int:
        """How many pixels a line is long."""
        if (text, size) not in self._widths:
            if len(self._widths) > MOST_WIDTHS:
                self._widths.clear()
            self._widths[text, size] = self._measured(text, size)
        return self._widths[text, size]

    def _measured(self, text: str, size: int) -> int:
        return int(sum(self._letter(size, character).advance for character in text.translate(STAND_INS))) + 1

    def rows(self, text: str, x: float | int, y: float | int, size: int, color: Rgb = TEXT, alpha: float = 1.0) -> Rows:
        """The quads of a line whose upper left corner is at (x, y)."""
        rows, pen = [], float(round(x))
        for character in text.translate(STAND_INS):
            letter = self._letter(size, character)
            if letter.width:
                place = (round(pen) + letter.x, round(y) + letter.y, letter.width, letter.height)
                rows.append((*place, letter.left, letter.top, letter.width, letter.height, *color, alpha))
            pen += letter.advance
        return np.array(rows, np.float32).reshape(-1, 12)

    def _letter(self, size: int, character: str) -> Letter:
        return self._letters.get((size, character)) or self._letters[size, "?"]


@lru_cache(maxsize=1)
def glyphs() -> Glyphs:
    """The table that all scenes share."""
    return Glyphs()


def filled(
    x: float | int, y: float | int, width: float | int, height: float | int, color: Rgb, alpha: float = 1.0
) -> Rows:
    """The quad of a filled rectangle."""
    return np.array([[x, y, width, height, -1, -1, 0, 0, *color, alpha]], np.float32)


def _taller(table: Image.Image, height: int) -> Image.Image:
    taller = Image.new("L", (table.width, height))
    taller.paste(table, (0, 0))
    return taller


@dataclass(frozen=True)
class Label:
    """Lines of text that want to stand above a point of the picture."""

    x: float
    """Pixels, of the lower left corner."""
    y: float
    choices: tuple[tuple[tuple[str, int, Rgb], ...], ...]
    """Lines (text, size, colour), the longest version first; the first that finds room is drawn."""
    weight: float
    """The heavier comes first."""
    room: float = float("inf")
    """Pixels that it may be wide."""
    padded: bool = True


Region = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


def place(
    labels: Iterable[Label], size: tuple[int, int], taken: Iterable[Region] = (), table: Glyphs | None = None
) -> tuple[Rows, list[Region]]:
    """The quads of all labels that find room on a picture of `size` = (height, width), heaviest first.

    Also what each of them covers. `taken` is covered before.
    """
    table = table or glyphs()
    regions, first = np.array(list(taken), np.float32).reshape(-1, 4), len(list(taken))
    rows: list[Rows] = []
    for label in sorted(labels, key=lambda label: -label.weight):
        for lines in label.choices:
            width = max(table.width(text, letters) for text, letters, _ in lines) + 2 * PADDING
            height = sum(letters + 3 for _, letters, _ in lines) + 2
            if width > label.room:
                continue
            left, top = round(label.x), round(label.y) - height
            left = max(min(left, size[1] - width), 0) if -width < left < size[1] else left
            region = np.array([left, top, left + width, top + height], np.float32)
            if left < 0 or top < 0 or left + width > size[1] or top + height > size[0]:
                continue
            if ((regions[:, :2] < region[2:]).all(1) & (regions[:, 2:] > region[:2]).all(1)).any():
                continue
            regions = np.vstack([regions, region])
            if label.padded:
                rows.append(filled(left, top, width, height, BACKGROUND, 0.72))
            y = top + 1
            for text, letters, color in lines:
                rows.append(table.rows(text, left + PADDING, y, letters, color))
                y += letters + 3
            break
    covered = [(float(a), float(b), float(c), float(d)) for a, b, c, d in regions[first:]]
    return np.vstack(rows) if rows else np.zeros((0, 12), np.float32), covered
