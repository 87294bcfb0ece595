"""The pictures of a window's frames that no panel holds: shown by name, drawn by number, or drawn by OpenGL itself."""

from collections import Counter

import numpy as np
from jaxtyping import Shaped
from PIL import Image
from torch import Tensor

from easel.graphics.image import check_tensor
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.drawing import FIRST_DRAWING_ID, Drawing, Subject
from easel.viewer.canvas.placement import FIRST_TEXTURE_ID, Placement
from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.toolkit import imgui

FIRST_NUMBER = FIRST_TEXTURE_ID // 2
"""The numbers that programs draw textures by, apart from those of one frame's canvases and drawings."""


class Pictures:
    """What a program shows in a window itself. Names and numbers stay; what is placed is placed for one frame."""

    def __init__(self) -> None:
        self.placements: list[Placement] = []
        """The canvases that are seen in this frame, those of panels included."""
        self.drawings: list[Drawing] = []
        self._named: dict[str, Canvas] = {}
        self._numbers: dict[str, int] = {}
        self._items: dict[tuple[str, int], Canvas] = {}
        self._shown: Counter[str] = Counter()

    def begin(self) -> list[Placement]:
        """Start a frame's list of placements, empty as yet."""
        self._shown.clear()
        self.placements, self.drawings = [], []
        return self.placements

    def show(self, name: str, picture: Shaped[Tensor, "h w c"], filter: str, size: tuple[int, int]) -> None:
        """Draw a picture at `size` = (width, height) as the next item of the Dear ImGui window that is begun."""
        self._shown[name] += 1
        # One for each use of a name: tensors that share one are all seen.
        canvas = self._items.setdefault((name, self._shown[name]), Canvas(name)).bind(picture)
        canvas.filter = filter
        self._named.setdefault(name, Canvas(name)).bind(picture)
        at = imgui.get_cursor_screen_pos()
        room = Rectangle(round(at.x), round(at.y), *size)
        imgui.set_cursor_screen_pos((room.x, room.y))  # between two pixels, it would be blurred
        texture_id = FIRST_TEXTURE_ID + len(self.placements)
        imgui.image(imgui.ImTextureRef(texture_id), size)
        if imgui.is_item_visible():
            self.placements.append(Placement(canvas, room, canvas.look, texture_id))

    def keep(self, name: str, tensor: Tensor | np.ndarray | Image.Image, who: str) -> None:
        """Take a copy of `tensor` under `name`; `who` is what a complaint about it begins with."""
        picture = check_tensor(tensor, who)
        self._named.setdefault(name, Canvas(name)).bind(picture, live=False).look()  # looking takes the copy

    def number(self, name: str) -> int:
        """What Dear ImGui draws the tensor of this name by; 0 when there is none."""
        if name not in self._named:
            return 0
        return self._numbers.setdefault(name, FIRST_NUMBER + len(self._numbers))

    def size(self, name: str) -> tuple[int, int]:
        """(width, height) of the tensor of this name; (0, 0) when there is none."""
        size = self._named[name].size if name in self._named else None
        return (size[1], size[0]) if size else (0, 0)

    def numbered(self) -> list[Placement]:
        """Every picture that has a number, in its own size, wherever the program draws it."""
        return [_whole(self._named[name], number) for name, number in self._numbers.items()]

    def draw(self, subject: Subject, size: tuple[int, int]) -> int:
        """Have `subject` drawn at `size` = (height, width) in this frame; returns the number to show it by."""
        self.drawings.append(Drawing(subject, size, FIRST_DRAWING_ID + len(self.drawings)))
        return self.drawings[-1].texture_id


def _whole(canvas: Canvas, texture_id: int) -> Placement:
    assert canvas.size is not None
    height, width = canvas.size
    return Placement(canvas, Rectangle(0, 0, width, height), canvas.look, texture_id)
