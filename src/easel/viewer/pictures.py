"""The pictures of a window's frames outside panels: shown by name, drawn by number, or drawn by OpenGL itself."""

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from jaxtyping import Shaped
from PIL import Image
from torch import Tensor

from easel.graphics.image import check_tensor
from easel.viewer.backends.base import Picture, Standing
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.overlay import legend
from easel.viewer.canvas.placement import FIRST_DRAWING_ID, FIRST_TEXTURE_ID, Drawing, Placement, Subject, stand
from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.toolkit import imgui

Key = TypeVar("Key")
Look = Callable[[], Shaped[Tensor, "h w c"] | None]
FIRST_NUMBER = FIRST_TEXTURE_ID // 2
"""First number by which programs draw textures, apart from those of one frame's canvases and drawings."""


class Pictures:
    """The pictures that a program shows in a window itself. Names and numbers stay; placements last for one frame."""

    def __init__(self) -> None:
        self.placements: list[Placement] = []
        """The canvases that are seen in this frame, those of panels included."""
        self.drawings: list[Drawing] = []
        self._named: dict[str, Canvas] = {}
        self._numbers: dict[str, int] = {}
        self._items: dict[tuple[str, int], Canvas] = {}
        self._shown: Counter[str] = Counter()

    def begin(self) -> list[Placement]:
        """Begin a frame. Returns its list of placements, empty as yet."""
        self._shown.clear()
        self.placements, self.drawings = [], []
        return self.placements

    def show(self, name: str, picture: Shaped[Tensor, "h w c"], filter: str, size: tuple[int, int]) -> None:
        """Draw a picture at `size` = (width, height) in pixels as the next item of the current Dear ImGui window."""
        self._shown[name] += 1
        # One canvas for each use of a name: tensors that share a name are all seen.
        canvas = _canvas(self._items, (name, self._shown[name]), name).bind(picture)
        canvas.filter = filter
        # By its name it is also the texture of `get_texture_id`, in its own size.
        _canvas(self._named, name, name).bind(picture)
        at = imgui.get_cursor_screen_pos()
        room = Rectangle(round(at.x), round(at.y), *size)
        # On whole pixels: between two of them, the picture would be blurred.
        imgui.set_cursor_screen_pos((room.x, room.y))
        texture_id = FIRST_TEXTURE_ID + len(self.placements)
        imgui.image(imgui.ImTextureRef(texture_id), size)
        # Out of sight nothing is drawn, and nothing has to be uploaded.
        if imgui.is_item_visible():
            self.placements.append(Placement(canvas, room, canvas.look, texture_id))

    def keep(self, name: str, tensor: Tensor | np.ndarray | Image.Image, who: str) -> None:
        """Copy `tensor` under `name`; an error about it begins with `who`."""
        picture = check_tensor(tensor, who)
        _canvas(self._named, name, name).bind(picture, live=False).look()  # looking takes the copy

    def number(self, name: str) -> int:
        """Return the number by which Dear ImGui draws the tensor of this name; 0 if there is none."""
        if name not in self._named:
            return 0
        # Never given twice: a program may keep a number as long as the window lives.
        return self._numbers.setdefault(name, FIRST_NUMBER + len(self._numbers))

    def size(self, name: str) -> tuple[int, int]:
        """Return (width, height) of the tensor of this name; (0, 0) if there is none."""
        height, width = (self._named[name].size if name in self._named else None) or (0, 0)
        return width, height

    def numbered(self) -> list[Placement]:
        """Return every picture that has a number, in its own size, wherever the program draws it."""
        named = [(self._named[name], Rectangle(0, 0, *self.size(name)), self._numbers[name]) for name in self._numbers]
        return [Placement(canvas, room, canvas.look, number) for canvas, room, number in named]

    def draw(self, subject: Subject, size: tuple[int, int]) -> int:
        """Draw `subject` at `size` = (height, width) in this frame. Returns the number of its texture."""
        self.drawings.append(Drawing(subject, size, FIRST_DRAWING_ID + len(self.drawings)))
        return self.drawings[-1].texture_id


def _canvas(table: dict[Key, Canvas], key: Key, name: str) -> Canvas:
    """Return the canvas behind `key`, made at the first call."""
    if key not in table:
        table[key] = Canvas(name)
    return table[key]


def canvas_picture(canvas: Canvas, look: Look, room: Rectangle | None = None) -> Picture:
    """Return a canvas as a picture of the contract, for frames that are drawn without Dear ImGui."""

    def take_place(room: Rectangle) -> Standing:
        # By the rules of a window: fitted, and under its loupe.
        whole, visible = stand(canvas, room)
        canvas.rectangle = whole  # scripts point at its pixels, here as in a window
        return Standing(whole, visible, canvas.squares or not canvas.loupe.unzoomed)

    def caption() -> str:
        return legend(canvas.display) if canvas.legend else ""

    return Picture(canvas.name, look, take_place, caption, room)
