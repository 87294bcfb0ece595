"""The OpenGL renderer of Dear ImGui's frames, in any context: shared by the window and the off-screen backends.

A canvas stands in the draw lists by a number. Just before a frame is drawn the numbers are replaced by textures that
are up to date, since only then it is known which picture each canvas shows, and at which size.
"""

import logging
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from easel.gl.cuda import interop_of
from easel.gl.mapping import Mapping, PictureMapper, is_software
from easel.gl.programs import NearestEnlarger
from easel.gl.target import read_back, release
from easel.viewer.backends.base import Frame
from easel.viewer.backends.canvas_texture import NOT_STILL, CanvasTexture, Upload, paste
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.invalid_pixels import MARKS
from easel.viewer.canvas.placement import Drawing, Placement, Renderer, Subject
from easel.viewer.imgui.damage import Box, Damage
from easel.viewer.imgui.theme import current
from easel.viewer.imgui.toolkit import imgui

if TYPE_CHECKING:
    import moderngl

log = logging.getLogger("easel")


def _mapper(context: "moderngl.Context") -> PictureMapper | None:
    """Return the shader that applies display settings; None where torch is faster or the driver refuses it."""
    # Shaders that run on the processor are slower than torch, and take its cores.
    if is_software(context):
        return None
    try:
        return PictureMapper(context, MARKS)
    except Exception as error:  # moderngl raises its own bare
        log.debug("the driver refuses the display pass, torch works pictures out: %s", error)
        return None


class FrameRenderer:
    """Keeps textures for canvases and draws complete frames. Its context must be current in every call."""

    def __init__(self, context: "moderngl.Context") -> None:
        self.uploads = 0
        """Number of pictures moved to the GPU so far."""
        self._context = context
        # By weak reference: held by its texture, a canvas that the program drops would live as long as the view.
        self._textures: dict[weakref.ref[Canvas], CanvasTexture] = {}
        self._renderers: dict[weakref.ref[Subject], Renderer] = {}
        self._enlarger: NearestEnlarger | None = None
        self._mapper = _mapper(context)
        self._damage = Damage()
        """Damage since the frame that a person was shown last."""
        self._revisions = count(1)
        """Counter for all textures together: OpenGL gives the name of one that is gone to another."""
        # Shown for a canvas that has no picture yet: every number needs some texture.
        self._blank = context.texture((1, 1), 4, bytes(4))
        imgui.backends.opengl3_init("#version 330")
        imgui.backends.opengl3_new_frame()  # makes its shaders; later calls would do nothing

    def refresh(self, frame: Frame, target: "moderngl.Framebuffer", size: tuple[int, int], *, anew: bool) -> bool:
        """Draw `frame` for a person. False, and nothing is drawn, if `target` shows the same and `anew` is not set.

        Pictures that are known to be unchanged are not read again, and one may come a frame late where waiting for its
        way through main memory can be spared.
        """
        with self._named(frame, late=True) as textures:
            # In this order: the damage must be looked for in every frame, or the next comparison is with an older one.
            damage = self._damage.find(imgui.get_draw_data(), textures, size, current().backdrop)
            if damage or anew:
                self._paint(target, size)
            return bool(damage) or anew

    def patch(
        self, frame: Frame, target: "moderngl.Framebuffer", size: tuple[int, int], before: np.ndarray | None
    ) -> tuple[np.ndarray | None, list[Box]]:
        """Return the picture of a window of `size` = (width, height), and the boxes where it differs from `before`.

        Both pictures are uint8 (h, w, 4), top row first; `before` is the last one, None at first, and is not written
        to. Only the boxes are drawn, on `target`, which is as large as the window and only scratch paper.
        """
        with self._named(frame, late=True, wait=is_software(self._context)) as textures:
            boxes = self._damage.find(imgui.get_draw_data(), textures, size, current().backdrop)
            # The first picture of a window: nothing to compare with.
            if before is None:
                boxes = [(0, 0, *size)]
            elif not boxes:
                return before, []
            # A copy, as tabs still encode the one before in other threads.
            picture = np.empty((size[1], size[0], 4), np.uint8) if before is None else before.copy()
            pictures = {name for texture in self._textures.values() for name in texture.names()}
            for box in boxes:
                x, y, width, height = box
                part = picture[y : y + height, x : x + width]
                # What lies under an opaque picture that covers the box needs no drawing.
                cover = self._damage.cover(box, pictures)
                if not (cover and cover.alone and self._paste(cover.texture, part)):
                    self._draw_part(target, box, cover.number if cover else 0, part)
            return picture, boxes

    def draw(self, frame: Frame, target: "moderngl.Framebuffer", size: tuple[int, int]) -> None:
        """Bring the pictures that are seen up to date and draw everything into `target` of `size` = (width, height)."""
        with self._named(frame):
            self._paint(target, size)

    def capture(self, frame: Frame, size: tuple[int, int]) -> Float[Tensor, "h w 3"]:
        """Return `frame`, drawn off screen at `size` = (width, height), in [0, 1], top row first."""
        # Made for one capture and released: kept, it would double the memory of every window.
        framebuffer = self._context.framebuffer([self._context.texture(size, 4)])
        try:
            self.draw(frame, framebuffer, size)
            return read_back(framebuffer)
        finally:
            release(framebuffer)

    def close(self) -> bool:
        """Give everything back. False if tensors still live in the context's memory: the context must stay then."""
        # This releases Dear ImGui's own textures, such as the font's.
        imgui.backends.opengl3_shutdown()
        for picture in (*self._textures.values(), *self._renderers.values()):
            picture.release()
        self._blank.release()
        for tool in filter(None, (self._enlarger, self._mapper)):
            tool.release()
        return not interop_of(self._context).lends_memory

    @contextmanager
    def _named(self, frame: Frame, *, late: bool = False, wait: bool = False) -> Iterator[dict[int, int]]:
        """Bring textures up to date and put them into the draw lists of `frame`, in place of numbers, while inside.

        With `late`, pictures that are known to be unchanged are not read again, others that go through main memory may
        come one frame late, and `wait` with their upload until they are drawn. Yields {OpenGL's name: revision}.
        """
        placements = (*frame.placements, *frame.numbered)
        # A set: one canvas may be placed, and drawn by number, several times in a frame.
        canvases = {placement.canvas for placement in placements}
        resting = {canvas for canvas in canvases if late and self._rests(canvas)}
        # Here and not when they are dropped: the context is current only now.
        _release_dropped(self._textures)
        _release_dropped(self._renderers)
        textures: dict[int, tuple[int, int]] = {}
        for placement in placements:
            textures[placement.texture_id] = self._texture_of(placement, placement.canvas in resting, late, wait)
        for drawing in frame.drawings:
            # A new revision in every frame: nobody knows whether a subject has changed.
            textures[drawing.texture_id] = self._draw_subject(drawing), next(self._revisions)
        renamed = _rename(imgui.get_draw_data(), {number: name for number, (name, _) in textures.items()})
        try:
            yield dict(textures.values())
        finally:
            # The same draw lists may be drawn again, with newer textures.
            for command, texture in renamed:
                command.tex_ref = texture

    def _paint(self, target: "moderngl.Framebuffer", size: tuple[int, int]) -> None:
        """Draw the frame into the first `size` = (width, height) pixels of `target`."""
        for texture in self._textures.values():
            texture.hurry()
        target.use()
        target.clear(*current().backdrop, viewport=(0, 0, *size))
        imgui.backends.opengl3_render_draw_data(imgui.get_draw_data())

    def _paste(self, name: int, part: np.ndarray) -> bool:
        """Paste the picture whose texture has this name into `part` of a window. False if only OpenGL can show it.

        Where OpenGL is the processor's work as well, pasting takes a third of the time.
        """
        for texture in self._textures.values():
            if texture.waiting is not None and texture.source.glo == name:
                return paste(texture.waiting.picture, part)
        return False

    def _draw_part(self, target: "moderngl.Framebuffer", box: Box, hidden: int, part: np.ndarray) -> None:
        """Draw `box` of the window in a corner of `target`, without its first `hidden` commands, into `part`."""
        x, y, *_ = box
        size = part.shape[1], part.shape[0]
        draw_data = imgui.get_draw_data()
        beneath = [(command, command.elem_count) for command in islice(_commands(draw_data), hidden)]
        whole = draw_data.display_size.x, draw_data.display_size.y
        try:
            for command, _ in beneath:
                command.elem_count = 0
            # The box moves to the target's corner; OpenGL's viewport clips the rest.
            draw_data.display_pos, draw_data.display_size = imgui.ImVec2(x, y), imgui.ImVec2(*size)
            self._paint(target, size)
        finally:
            draw_data.display_pos, draw_data.display_size = imgui.ImVec2(0, 0), imgui.ImVec2(*whole)
            for command, count in beneath:
                command.elem_count = count
        rows = np.empty((size[1], size[0], 4), np.uint8)
        target.read_into(rows, viewport=(0, 0, *size), components=4)
        part[:] = rows[::-1]  # OpenGL's first row is at the bottom

    def _texture_of(self, placement: Placement, rests: bool, late: bool, wait: bool) -> tuple[int, int]:
        """Return OpenGL's name and the revision of an up-to-date texture: a blank one if there is nothing to show."""
        canvas = placement.canvas
        texture = self._texture(canvas)
        picture: Tensor | None = None
        mapping: Mapping | None = None
        if not rests and not self._is_still(canvas, texture):
            picture, mapping = self._gpu_input(canvas) or (placement.look(), None)
        # Unbound, or its function failed: the panel shows why.
        if canvas.size is None or (picture is None and texture.seen is None):
            return self._blank.glo, 0
        rectangle, visible = placement.settle()
        shown = (round(rectangle.height), round(rectangle.width))
        if picture is not None:
            upload = Upload(picture, shown, late and canvas.changes)
            # Only a plain picture can be pasted; settings and squares need it on the GPU now.
            plain = mapping is None and not canvas.squares
            if not (wait and plain and texture.postpone(upload)):
                self._upload(texture, upload, mapping)
            canvas.note_upload(texture.picture.path, texture.picture.moved_bytes)
            texture.seen = NOT_STILL if canvas.changes else canvas.version, shown
            # Other content: the squares show an older picture.
            texture.cut = None
            texture.revision = next(self._revisions)
            self.uploads += 1
        source = texture.source
        # Shown at its own size, pixels are squares already.
        if not canvas.squares or (source.size == (shown[1], shown[0]) and visible == rectangle):
            return source.glo, texture.revision
        left, top = round(visible.x - rectangle.x), round(visible.y - rectangle.y)
        self._enlarge(texture, shown, (left, top, round(visible.width), round(visible.height)))
        assert texture.squares is not None
        return texture.squares.glo, texture.revision

    def _enlarge(self, texture: CanvasTexture, shown: tuple[int, int], part: tuple[int, int, int, int]) -> None:
        """Update the squares of a canvas: `part` (x, y, width, height) of the picture at size `shown`."""
        # Resting on the same part: nothing to enlarge again.
        if texture.cut == (shown, part):
            return
        texture.hurry()
        # Made when it is first needed: most views never enlarge anything.
        self._enlarger = self._enlarger or NearestEnlarger(self._context)
        texture.squares = self._enlarger.enlarge(texture.source, shown, texture.squares, part)
        texture.cut = shown, part
        texture.revision = next(self._revisions)

    def _texture(self, canvas: Canvas) -> CanvasTexture:
        """Return the texture of a canvas, made when it is first seen."""
        key = weakref.ref(canvas)
        if key not in self._textures:
            self._textures[key] = CanvasTexture(self._context)
        return self._textures[key]

    def _gpu_input(self, canvas: Canvas) -> tuple[Tensor, Mapping] | None:
        """Return raw values and the display mapping, when the GPU can apply it; None when torch must."""
        size = canvas.size
        shown = _shown(canvas)
        if self._mapper is None or size is None or shown is None:
            return None
        # Far smaller on screen, what is averaged is the picture, not the numbers that it is made from.
        if 2 * shown[0] <= size[0] and 2 * shown[1] <= size[1]:
            return None
        return canvas.gpu_input()

    def _upload(self, texture: CanvasTexture, upload: Upload, mapping: Mapping | None) -> None:
        """Put a picture on the GPU, and apply its display `mapping` there if it has one."""
        source = texture.upload(upload)
        if mapping is not None and self._mapper is not None:
            texture.mapped = self._mapper.map(source, upload.picture.shape[-1], mapping, texture.mapped)
        # Settings were reset: the plain texture is shown, and this one would hide it.
        elif texture.mapped is not None:
            texture.mapped.release()
            texture.mapped = None

    def _draw_subject(self, drawing: Drawing) -> int:
        """Return OpenGL's name of the texture into which a subject has drawn itself."""
        # Weak: a scene that the program drops gives its textures back.
        key = weakref.ref(drawing.subject)
        if key not in self._renderers:
            self._renderers[key] = drawing.subject.renderer(self._context)
        return self._renderers[key].draw(drawing.subject, drawing.size).glo

    def _rests(self, canvas: Canvas) -> bool:
        """Return True only if the texture of a canvas certainly shows what the canvas does."""
        texture = self._texture(canvas)
        # Asked every time, as the detector compares with its last call.
        unchanged = texture.change_detector.unchanged(canvas)
        # Moved or resized, the same content needs another texture.
        in_place = texture.seen is not None and texture.seen[1] == _shown(canvas)
        return self._is_still(canvas, texture) or (unchanged and in_place)

    def _is_still(self, canvas: Canvas, texture: CanvasTexture) -> bool:
        return not canvas.changes and canvas.rectangle is not None and texture.seen == (canvas.version, _shown(canvas))


def _release_dropped(table: dict[Any, Any]) -> None:
    """Release what belongs to canvases, or subjects, that the program has dropped."""
    for key in [key for key in table if key() is None]:
        table.pop(key).release()


def _shown(canvas: Canvas) -> tuple[int, int] | None:
    """Return (height, width) of a canvas's whole picture on screen; None while it is not shown."""
    place = canvas.rectangle
    return None if place is None else (round(place.height), round(place.width))


def _rename(draw_data: "imgui.ImDrawData", names: dict[int, int]) -> "list[tuple[imgui.ImDrawCmd, imgui.ImTextureRef]]":
    """Replace numbers in all draw lists by textures. Returns the commands with their old references."""
    renamed = []
    for command in _commands(draw_data):
        # Other numbers are real textures, such as the font's, and stay.
        placeholder = command.tex_ref._tex_id
        if placeholder in names:
            renamed.append((command, imgui.ImTextureRef(placeholder)))
            command.tex_ref = imgui.ImTextureRef(names[placeholder])
    return renamed


def _commands(draw_data: "imgui.ImDrawData") -> "Iterator[imgui.ImDrawCmd]":
    """Yield the commands of all draw lists in the order of drawing."""
    for draw_list in draw_data.cmd_lists:
        commands = draw_list.cmd_buffer
        for index in range(commands.size()):
            yield commands[index]
