"""Draws a view's frames with OpenGL, whatever gave the context: what the window and the headless backend share."""

import ctypes
import logging
import weakref
import zlib
from collections.abc import Collection
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from easel.gl.cuda import interop_of
from easel.gl.mapping import Mapping, PictureMapper, is_software
from easel.gl.nearest import NearestEnlarger
from easel.gl.texture import PictureTexture, read_back
from easel.viewer.backends.base import Frame
from easel.viewer.canvas import Canvas
from easel.viewer.drawing import Drawing, Renderer, Subject
from easel.viewer.marks import MARKS
from easel.viewer.placement import Placement
from easel.viewer.theme import current
from easel.viewer.toolkit import imgui
from easel.viewer.witness import Witness

if TYPE_CHECKING:
    import moderngl


log = logging.getLogger("easel")

NOT_STILL = -1
"""In place of a version, for a texture that is outdated in the next frame."""


class CanvasTexture:
    """What one canvas looks like on the GPU."""

    def __init__(self, context: "moderngl.Context") -> None:
        self.picture = PictureTexture(context)
        self.mapped: moderngl.Texture | None = None
        """The picture after the settings of the canvas, where the GPU works them out; None where torch does."""
        self.squares: moderngl.Texture | None = None
        """The picture enlarged to the size at which it is shown, every pixel a square."""
        self.seen: tuple[int, tuple[int, int]] | None = None
        """Version, and (height, width) on screen, of the last upload."""
        self.witness = Witness()

    def release(self) -> None:
        self.picture.release()
        for texture in (self.mapped, self.squares):
            if texture is not None:
                texture.release()


def _mapper(context: "moderngl.Context") -> PictureMapper | None:
    """What works pictures out on the GPU; None where torch is faster or the driver takes no such shader."""
    if is_software(context):
        return None
    try:
        return PictureMapper(context)
    except Exception as error:  # moderngl raises its own bare
        log.debug("the driver refuses the display pass, torch works pictures out: %s", error)
        return None


class Painter:
    """Textures for canvases, and the drawing of finished frames. Its context must be current in every call."""

    def __init__(self, context: "moderngl.Context") -> None:
        self.uploads = 0
        """Pictures moved to the GPU so far."""
        self._context = context
        self._textures: dict[Canvas, CanvasTexture] = {}
        self._renderers: dict[weakref.ref[Subject], Renderer] = {}
        self._enlarger: NearestEnlarger | None = None
        self._mapper = _mapper(context)
        self._seen: tuple[object, ...] | None = None
        """What `refresh` has drawn; None for what may look different without anything else having changed."""
        self._blank = context.texture((1, 1), 4, bytes(4))
        imgui.backends.opengl3_init("#version 330")
        imgui.backends.opengl3_new_frame()  # makes its shaders; later calls would do nothing

    def refresh(self, frame: Frame, target: "moderngl.Framebuffer", size: tuple[int, int], *, anew: bool) -> bool:
        """Draw `frame` for a person, unless `target` shows the same already and nobody wants it `anew`; whether it did.

        Pictures that are known to be unchanged are not read again, and one may come a frame late where waiting for its
        way through main memory can be spared.
        """
        canvases = [placement.canvas for placement in (*frame.placements, *frame.numbered)]
        resting = {canvas for canvas in set(canvases) if self._rests(canvas)}
        squares = tuple(canvas.squares for canvas in canvases)
        seen = None if frame.drawings else (size, squares, _digest(imgui.get_draw_data()))
        if not anew and seen is not None and seen == self._seen and resting.issuperset(canvases):
            return False
        self.draw(frame, target, size, resting=resting, late=True)
        self._seen = seen
        return True

    def draw(
        self,
        frame: Frame,
        target: "moderngl.Framebuffer",
        size: tuple[int, int],
        *,
        resting: Collection[Canvas] = (),
        late: bool = False,
    ) -> None:
        """Bring the pictures that are seen up to date and draw everything into `target` of `size` = (width, height).

        Those of `resting` are up to date; others that go through main memory may come one frame `late`.
        """
        names = {}
        for placement in (*frame.placements, *frame.numbered):
            names[placement.texture_id] = self._texture_name(placement, placement.canvas in resting, late)
        self._release_orphans()
        names |= {drawing.texture_id: self._draw_subject(drawing) for drawing in frame.drawings}
        target.use()
        target.viewport = (0, 0, *size)
        target.clear(*current().desk)
        draw_data = imgui.get_draw_data()
        restore = _rename(draw_data, names)
        imgui.backends.opengl3_render_draw_data(draw_data)
        # The same draw lists may be drawn again, with newer textures.
        for command, texture in restore:
            command.tex_ref = texture

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

    def _texture_name(self, placement: Placement, rests: bool, late: bool) -> int:
        """OpenGL's name of an up-to-date texture for a canvas; of a blank one when there is nothing to show."""
        canvas = placement.canvas
        texture = self._textures.setdefault(canvas, CanvasTexture(self._context))
        rests = rests or self._is_still(canvas, texture)
        picture, mapping = (None, None) if rests else self._halves(canvas) or (placement.look(), None)
        if canvas.size is None or (picture is None and texture.seen is None):
            return self._blank.glo
        rectangle, visible = placement.settle()
        shown = (round(rectangle.height), round(rectangle.width))
        if picture is not None:
            self._bring(texture, picture, mapping, shown, late and canvas.changes)
            canvas.note_upload(texture.picture.path, texture.picture.moved_bytes)
            texture.seen = NOT_STILL if canvas.changes else canvas.version, shown
            self.uploads += 1
        source = texture.mapped or texture.picture.texture
        if not canvas.squares or (source.size == (shown[1], shown[0]) and visible == rectangle):
            return source.glo
        self._enlarger = self._enlarger or NearestEnlarger(self._context)
        part = visible.x - rectangle.x, visible.y - rectangle.y, visible.width, visible.height
        left, top, width, height = map(round, part)
        texture.squares = self._enlarger.enlarge(source, shown, texture.squares, (left, top, width, height))
        return texture.squares.glo

    def _halves(self, canvas: Canvas) -> tuple[Tensor, Mapping] | None:
        """What the GPU makes the picture of a canvas from, and how; None where torch has to."""
        size, shown = canvas.size, _shown(canvas)
        if self._mapper is None or size is None or shown is None:
            return None
        # Far smaller on screen, what is averaged is the picture, not the numbers that it is made from.
        if 2 * shown[0] <= size[0] and 2 * shown[1] <= size[1]:
            return None
        return canvas.halves()

    def _bring(
        self, texture: CanvasTexture, picture: Tensor, mapping: Mapping | None, shown: tuple[int, int], late: bool
    ) -> None:
        """Put a picture on the GPU, and have it worked out there if a `mapping` says how."""
        source = texture.picture.upload(picture, shown, late=late)
        if mapping is not None and self._mapper is not None:
            texture.mapped = self._mapper.map(source, picture.shape[-1], mapping, MARKS, texture.mapped)
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
        unchanged = texture.witness.rests(canvas)
        in_place = texture.seen is not None and texture.seen[1] == _shown(canvas)
        return self._is_still(canvas, texture) or (unchanged and in_place)

    def _is_still(self, canvas: Canvas, texture: CanvasTexture) -> bool:
        return not canvas.changes and canvas.rectangle is not None and texture.seen == (canvas.version, _shown(canvas))


def _shown(canvas: Canvas) -> tuple[int, int] | None:
    """(height, width) of a canvas's whole picture on screen."""
    place = canvas.rectangle
    return None if place is None else (round(place.height), round(place.width))


def _digest(draw_data: "imgui.ImDrawData") -> tuple[object, ...]:
    """What two frames have in common that draw the same, but for what is in the textures."""
    sums: list[object] = []
    for draw_list in draw_data.cmd_lists:
        for buffer, size in ((draw_list.vtx_buffer, imgui.VERTEX_SIZE), (draw_list.idx_buffer, imgui.INDEX_SIZE)):
            count = buffer.size() * size
            sums.append(zlib.crc32((ctypes.c_char * count).from_address(buffer.data_address())) if count else 0)
        commands = draw_list.cmd_buffer
        for index in range(commands.size()):
            command = commands[index]
            clip = command.clip_rect
            sums.append((command.elem_count, command.tex_ref._tex_id, clip.x, clip.y, clip.z, clip.w))
    return tuple(sums)


def _rename(draw_data: "imgui.ImDrawData", names: dict[int, int]) -> "list[tuple[imgui.ImDrawCmd, imgui.ImTextureRef]]":
    """Put textures where the draw lists name canvases; returns what to put back afterwards.

    Until a frame is drawn, nobody knows which texture a canvas will have: its size may change after the layout.
    """
    renamed = []
    for draw_list in draw_data.cmd_lists:
        commands = draw_list.cmd_buffer
        for index in range(commands.size()):
            command = commands[index]
            placeholder = command.tex_ref._tex_id
            if placeholder in names:
                renamed.append((command, imgui.ImTextureRef(placeholder)))
                command.tex_ref = imgui.ImTextureRef(names[placeholder])
    return renamed
