"""Draws a view's frames with OpenGL, whatever gave the context: what the window and the headless backend share."""

import logging
import weakref
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from easel.gl.cuda import interop_of
from easel.gl.mapping import Mapping, PictureMapper, is_software
from easel.gl.nearest import NearestEnlarger
from easel.gl.texture import read_back
from easel.viewer.backends.base import Frame
from easel.viewer.backends.canvas_texture import NOT_STILL, CanvasTexture, Upload
from easel.viewer.backends.pasting import paste
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.drawing import Drawing, Renderer, Subject
from easel.viewer.canvas.invalid_pixels import MARKS
from easel.viewer.canvas.placement import Placement
from easel.viewer.imgui.damage import Box, Damage
from easel.viewer.imgui.theme import current
from easel.viewer.imgui.toolkit import imgui

if TYPE_CHECKING:
    import moderngl


log = logging.getLogger("easel")


def _mapper(context: "moderngl.Context") -> PictureMapper | None:
    """What works pictures out on the GPU; None where torch is faster or the driver takes no such shader."""
    if is_software(context):
        return None
    try:
        return PictureMapper(context)
    except Exception as error:  # moderngl raises its own bare
        log.debug("the driver refuses the display pass, torch works pictures out: %s", error)
        return None


class FrameRenderer:
    """Textures for canvases, and the drawing of finished frames. Its context must be current in every call."""

    def __init__(self, context: "moderngl.Context") -> None:
        self.uploads = 0
        """Pictures moved to the GPU so far."""
        self._context = context
        self._textures: dict[Canvas, CanvasTexture] = {}
        self._renderers: dict[weakref.ref[Subject], Renderer] = {}
        self._enlarger: NearestEnlarger | None = None
        self._mapper = _mapper(context)
        self._damage = Damage()
        """Since the frame that a person was shown last."""
        self._revisions = 0
        """Of all textures together: OpenGL gives the name of one that is gone to another."""
        self._blank = context.texture((1, 1), 4, bytes(4))
        imgui.backends.opengl3_init("#version 330")
        imgui.backends.opengl3_new_frame()  # makes its shaders; later calls would do nothing

    def refresh(self, frame: Frame, target: "moderngl.Framebuffer", size: tuple[int, int], *, anew: bool) -> bool:
        """Draw `frame` for a person, unless `target` shows the same already and nobody wants it `anew`; whether it did.

        Pictures that are known to be unchanged are not read again, and one may come a frame late where waiting for its
        way through main memory can be spared.
        """
        with self._named(frame, self._resting(frame), late=True) as textures:
            damaged = bool(self._find_damage(textures, size)) or anew
            if damaged:
                self._paint(target, size)
            return damaged

    def patch(
        self, frame: Frame, target: "moderngl.Framebuffer", size: tuple[int, int], before: np.ndarray | None
    ) -> tuple[np.ndarray | None, list[Box]]:
        """What a window of `size` = (width, height) looks like to a person who keeps `before`, what it looked like.

        Both are uint8 (h, w, 4), top row first, and None stands for nothing. Only what looks different is drawn, on
        `target`, which is as large and only scratch paper. Returns where that is as well; `before` is left as it was.
        """
        with self._named(frame, self._resting(frame), late=True, wait=is_software(self._context)) as textures:
            boxes = self._find_damage(textures, size)
            if before is None:
                boxes = [(0, 0, *size)]
            if not boxes:
                return before, []
            picture = np.empty((size[1], size[0], 4), np.uint8) if before is None else before.copy()
            pictures = {name for texture in self._textures.values() for name in texture.names()}
            for box in boxes:
                x, y, width, height = box
                part = picture[y : y + height, x : x + width]
                cover = self._damage.cover(box, pictures)
                if not (cover is not None and cover.alone and self._paste(cover.texture, part)):
                    self._draw_part(target, box, 0 if cover is None else cover.number, part)
            return picture, boxes

    def draw(self, frame: Frame, target: "moderngl.Framebuffer", size: tuple[int, int]) -> None:
        """Bring the pictures that are seen up to date and draw everything into `target` of `size` = (width, height)."""
        with self._named(frame):
            self._paint(target, size)

    def capture(self, frame: Frame, size: tuple[int, int]) -> Float[Tensor, "h w 3"]:
        """`frame` drawn off screen at `size` = (width, height)."""
        color = self._context.texture(size, 4)
        framebuffer = self._context.framebuffer([color])
        try:
            self.draw(frame, framebuffer, size)
            return read_back(framebuffer)
        finally:
            framebuffer.release()
            color.release()

    def share(self, height: int, width: int, channels: int, device: torch.device) -> Tensor | None:
        """A zero-filled tensor in memory that OpenGL draws from; None where that is not to be had."""
        return interop_of(self._context).share(height, width, channels, device)

    def close(self) -> bool:
        """Give everything back; False where tensors still live in the context's memory, which then must stay."""
        imgui.backends.opengl3_shutdown()
        for picture in (*self._textures.values(), *self._renderers.values()):
            picture.release()
        self._blank.release()
        for tool in (self._enlarger, self._mapper):
            if tool is not None:
                tool.release()
        return not interop_of(self._context).lends_memory

    def _resting(self, frame: Frame) -> set[Canvas]:
        """The canvases of a frame whose textures are known to be up to date."""
        canvases = {placement.canvas for placement in (*frame.placements, *frame.numbered)}
        return {canvas for canvas in canvases if self._rests(canvas)}

    @contextmanager
    def _named(
        self, frame: Frame, resting: Collection[Canvas] = (), *, late: bool = False, wait: bool = False
    ) -> Iterator[dict[int, int]]:
        """Bring textures up to date and put them where the draw lists of `frame` name canvases; afterwards, put back.

        Those of `resting` are up to date; others that go through main memory may come one frame `late`, and `wait` with
        their upload until they are drawn. Until a frame is drawn, nobody knows which texture a canvas will have: its
        size may change after the layout. Yields OpenGL's names of the textures, each with a number that changes with
        what the texture shows.
        """
        textures: dict[int, tuple[int, int]] = {}
        for placement in (*frame.placements, *frame.numbered):
            textures[placement.texture_id] = self._texture_of(placement, placement.canvas in resting, late, wait)
        self._release_orphans()
        for drawing in frame.drawings:
            textures[drawing.texture_id] = self._draw_subject(drawing), self._next_revision()
        renamed = _rename(imgui.get_draw_data(), {number: name for number, (name, _) in textures.items()})
        try:
            yield dict(textures.values())
        finally:
            # The same draw lists may be drawn again, with newer textures.
            for command, texture in renamed:
                command.tex_ref = texture

    def _find_damage(self, textures: dict[int, int], size: tuple[int, int]) -> list[Box]:
        return self._damage.find(imgui.get_draw_data(), textures, size, current().backdrop)

    def _paint(self, target: "moderngl.Framebuffer", size: tuple[int, int]) -> None:
        """Draw into the first `size` = (width, height) pixels of `target`."""
        for texture in self._textures.values():
            texture.hurry()
        target.use()
        target.clear(*current().backdrop, viewport=(0, 0, *size))
        imgui.backends.opengl3_render_draw_data(imgui.get_draw_data())

    def _paste(self, name: int, part: np.ndarray) -> bool:
        """Put the picture whose texture has this name into `part` of a window, unless only OpenGL can; whether it did.

        Where OpenGL is the processor's work as well, this takes a third of the time.
        """
        for texture in self._textures.values():
            if texture.waiting is not None and texture.source.glo == name:
                return paste(texture.waiting.picture, part)
        return False

    def _draw_part(self, target: "moderngl.Framebuffer", box: Box, hidden: int, part: np.ndarray) -> None:
        """Draw `box` of the window in a corner of `target`, without its first `hidden` commands, and read it."""
        x, y, *_ = box
        size = part.shape[1], part.shape[0]
        draw_data = imgui.get_draw_data()
        beneath = [(command, command.elem_count) for command in islice(_commands(draw_data), hidden)]
        whole = draw_data.display_size.x, draw_data.display_size.y
        try:
            for command, _ in beneath:
                command.elem_count = 0
            draw_data.display_pos, draw_data.display_size = imgui.ImVec2(x, y), imgui.ImVec2(*size)
            self._paint(target, size)
        finally:
            draw_data.display_pos, draw_data.display_size = imgui.ImVec2(0, 0), imgui.ImVec2(*whole)
            for command, count in beneath:
                command.elem_count = count
        rows = np.empty((size[1], size[0], 4), np.uint8)
        target.read_into(rows, viewport=(0, 0, *size), components=4)
        part[:] = rows[::-1]  # OpenGL's first row is at the bottom

    def _next_revision(self) -> int:
        self._revisions += 1
        return self._revisions

    def _texture_of(self, placement: Placement, rests: bool, late: bool, wait: bool) -> tuple[int, int]:
        """OpenGL's name and the revision of an up-to-date texture for a canvas; blank when there is nothing to show."""
        canvas = placement.canvas
        texture = self._textures.setdefault(canvas, CanvasTexture(self._context))
        rests = rests or self._is_still(canvas, texture)
        picture, mapping = (None, None) if rests else self._halves(canvas) or (placement.look(), None)
        if canvas.size is None or (picture is None and texture.seen is None):
            return self._blank.glo, 0
        rectangle, visible = placement.settle()
        shown = (round(rectangle.height), round(rectangle.width))
        if picture is not None:
            upload = Upload(picture, shown, late and canvas.changes)
            if not (wait and mapping is None and not canvas.squares and texture.can_wait(upload)):
                self._bring(texture, upload, mapping)
            canvas.note_upload(texture.picture.path, texture.picture.moved_bytes)
            texture.seen = NOT_STILL if canvas.changes else canvas.version, shown
            texture.cut = None
            texture.revision = self._next_revision()
            self.uploads += 1
        source = texture.source
        if not canvas.squares or (source.size == (shown[1], shown[0]) and visible == rectangle):
            return source.glo, texture.revision
        left, top = round(visible.x - rectangle.x), round(visible.y - rectangle.y)
        self._enlarge(texture, shown, (left, top, round(visible.width), round(visible.height)))
        assert texture.squares is not None
        return texture.squares.glo, texture.revision

    def _enlarge(self, texture: CanvasTexture, shown: tuple[int, int], part: tuple[int, int, int, int]) -> None:
        """Bring the squares of a canvas up to date: `part` (x, y, width, height) of the picture at `shown`."""
        if texture.cut == (shown, part):
            return
        texture.hurry()
        self._enlarger = self._enlarger or NearestEnlarger(self._context)
        texture.squares = self._enlarger.enlarge(texture.source, shown, texture.squares, part)
        texture.cut = shown, part
        texture.revision = self._next_revision()

    def _halves(self, canvas: Canvas) -> tuple[Tensor, Mapping] | None:
        """What the GPU makes the picture of a canvas from, and how; None where torch has to."""
        size, shown = canvas.size, _shown(canvas)
        if self._mapper is None or size is None or shown is None:
            return None
        # Far smaller on screen, what is averaged is the picture, not the numbers that it is made from.
        if 2 * shown[0] <= size[0] and 2 * shown[1] <= size[1]:
            return None
        return canvas.gpu_input()

    def _bring(self, texture: CanvasTexture, upload: Upload, mapping: Mapping | None) -> None:
        """Put a picture on the GPU, and have it worked out there if a `mapping` says how."""
        source = texture.upload(upload)
        if mapping is not None and self._mapper is not None:
            texture.mapped = self._mapper.map(source, upload.picture.shape[-1], mapping, MARKS, texture.mapped)
        elif texture.mapped is not None:
            texture.mapped.release()
            texture.mapped = None

    def _draw_subject(self, drawing: Drawing) -> int:
        """OpenGL's name of a texture with what draws itself."""
        key = weakref.ref(drawing.subject)
        if key not in self._renderers:
            self._renderers[key] = drawing.subject.renderer(self._context)
        return self._renderers[key].draw(drawing.subject, drawing.size).glo

    def _release_orphans(self) -> None:
        """Give back what drew a subject that the program has dropped."""
        for key in [key for key in self._renderers if key() is None]:
            self._renderers.pop(key).release()

    def _rests(self, canvas: Canvas) -> bool:
        """Whether the texture of a canvas is known to show what the canvas does."""
        texture = self._textures.setdefault(canvas, CanvasTexture(self._context))
        unchanged = texture.change_detector.unchanged(canvas)
        in_place = texture.seen is not None and texture.seen[1] == _shown(canvas)
        return self._is_still(canvas, texture) or (unchanged and in_place)

    def _is_still(self, canvas: Canvas, texture: CanvasTexture) -> bool:
        return not canvas.changes and canvas.rectangle is not None and texture.seen == (canvas.version, _shown(canvas))


def _shown(canvas: Canvas) -> tuple[int, int] | None:
    """(height, width) of a canvas's whole picture on screen."""
    place = canvas.rectangle
    return None if place is None else (round(place.height), round(place.width))


def _rename(draw_data: "imgui.ImDrawData", names: dict[int, int]) -> "list[tuple[imgui.ImDrawCmd, imgui.ImTextureRef]]":
    """Give the commands of all draw lists other textures by number; returns what to put back afterwards."""
    renamed = []
    for command in _commands(draw_data):
        placeholder = command.tex_ref._tex_id
        if placeholder in names:
            renamed.append((command, imgui.ImTextureRef(placeholder)))
            command.tex_ref = imgui.ImTextureRef(names[placeholder])
    return renamed


def _commands(draw_data: "imgui.ImDrawData") -> "Iterator[imgui.ImDrawCmd]":
    """Of all draw lists, in the order of drawing."""
    for draw_list in draw_data.cmd_lists:
        commands = draw_list.cmd_buffer
        for index in range(commands.size()):
            yield commands[index]
