"""Draws a scene in one OpenGL context, and holds on the GPU what is looked at, as finely as it is looked at."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float32
from torch import Tensor

from easel.gl.draw import LineBrush
from easel.gl.target import Target
from easel.graphics.camera import Camera
from easel.inspector.drawing.colors import BACKGROUND
from easel.inspector.drawing.gl_draw import LevelTexture, PlateBrush, SheetBrush, TextBrush
from easel.inspector.drawing.labels import glyphs
from easel.inspector.drawing.scenery import line_sets, plate_rows
from easel.inspector.drawing.text import text_rows
from easel.inspector.scene.content import Content
from easel.inspector.scene.sheet import Sheet
from easel.inspector.scene.view import Eye, seen

if TYPE_CHECKING:
    import moderngl

MEMORY_BYTES = 512 << 20
"""What textures may take before those out of sight are given up."""


@dataclass(eq=False)
class _Tile:
    """A tile on the GPU."""

    sheet: Sheet
    number: int
    table: Float32[np.ndarray, "22 4"]
    texture: LevelTexture | None = None
    version: tuple[int, str] = (-1, "")
    described: tuple[object, ...] = ()
    """For which state the table is right."""

    @property
    def last(self) -> int:
        """The level of one texel."""
        return int(max(self.table[3, 0], self.table[3, 1])).bit_length() - 1

    def serves(self, level: int, aggregate: str) -> bool:
        """Whether its texture shows what is there now, from `level` on."""
        if self.texture is None or self.version != (self.sheet.version, aggregate):
            return False
        return self.texture.first <= min(level, self.last)


class NetworkRenderer:
    """The GPU's side of a scene."""

    def __init__(self, context: "moderngl.Context") -> None:
        self._context = context
        self._target = Target(context)
        self._sheets = SheetBrush(context)
        self._plates = PlateBrush(context)
        self._text = TextBrush(context, glyphs().table)
        self._lines: list[tuple[float, LineBrush]] = []
        self._tiles: list[_Tile] = []
        self._arranged: object = None
        self.moved_bytes = 0
        """What the last picture uploaded."""
        self.is_complete = True
        """Whether the last picture shows everything as finely as it can be seen."""

    def draw(
        self, scene: Content, camera: Camera, size: tuple[int, int], upload_bytes: int | None = None
    ) -> "moderngl.Texture":
        """What `camera` sees, first row at the bottom as OpenGL has it.

        With `upload_bytes`, finer textures come over several pictures, about so many bytes in each.
        """
        if self._arranged is not scene.arrangement:
            self._arrange(scene)
        eye = Eye.of(camera, size, scene.arrangement.bounds)
        visible, levels = seen(self._corners, self._cells, eye)
        self._upload(scene, visible, levels, upload_bytes)
        self._target.begin(size, 1, BACKGROUND)
        self._plates.draw(eye.clip_from_world)
        for width, brush in self._lines:
            brush.draw(eye.clip_tensor, width)
        switches = scene.ranges, scene.outlines, scene.filled, scene.shared_limit
        self._sheets.begin(eye.clip_from_world)
        for number in np.flatnonzero(visible):
            tile = self._tiles[number]
            if tile.texture is not None:
                self._draw_tile(scene, tile, switches)
        self._text.load(text_rows(scene, eye))
        self._text.draw(size)
        return self._target.finish()

    def read(self) -> Float[Tensor, "h w 3"]:
        """The last picture, top row first."""
        return self._target.read()

    def release(self) -> None:
        self._forget()
        for part in (self._target, self._sheets, self._plates, self._text):
            part.release()

    def _arrange(self, scene: Content) -> None:
        self._forget()
        self._arranged = scene.arrangement
        self._tiles = [
            _Tile(sheet, number, sheet.table(number).astype(np.float32))
            for sheet in scene.sheets
            for number in range(len(sheet.tiles))
        ]
        tables = np.array([tile.table for tile in self._tiles]).reshape(-1, 22, 4)
        origin, right, down = tables[:, 0, :3], tables[:, 1, :3], tables[:, 2, :3]
        self._corners = np.stack([origin, origin + right, origin + right + down, origin + down], axis=1)
        self._cells = np.stack([tables[:, 3, 1], tables[:, 3, 0]], axis=1)
        self._plates.load(plate_rows(scene.arrangement))
        for width, segments, colors in line_sets(scene.arrangement):
            brush = LineBrush(self._context)
            brush.load(segments, colors)
            self._lines.append((width, brush))

    def _upload(
        self,
        scene: Content,
        visible: np.ndarray,
        levels: np.ndarray,
        upload_bytes: int | None,
    ) -> None:
        """Bring the textures of what is seen to the level at which it is seen, the coarse ones first."""
        self.moved_bytes, self.is_complete = 0, True
        stale = [
            number
            for number in np.flatnonzero(visible).tolist()
            if not self._tiles[number].serves(int(levels[number]), scene.aggregate)
        ]
        for number in sorted(stale, key=lambda number: -levels[number]):
            tile = self._tiles[number]
            sheet, version = tile.sheet, (tile.sheet.version, scene.aggregate)
            first = min(int(levels[number]), tile.last)
            cells = int(tile.table[3, 1]), int(tile.table[3, 0])
            spent = upload_bytes is not None and self.moved_bytes >= upload_bytes
            if tile.texture is None and spent:
                first = tile.last  # a texel, rather than a hole
                self.is_complete = False
            elif tile.texture is not None and first < tile.texture.first and spent:
                self.is_complete = False
                if tile.version == version:
                    continue
                first = tile.texture.first

            def level(k: int, sheet: Sheet = sheet, part: int = tile.number) -> np.ndarray:
                return sheet.level(part, k, scene.aggregate)

            if tile.texture is not None and first == tile.texture.first:
                self.moved_bytes += self._sheets.write(tile.texture, level, cells)
            else:
                if tile.texture is not None:
                    tile.texture.texture.release()
                tile.texture = self._sheets.texture(level, cells, first)
                self.moved_bytes += tile.texture.bytes
            tile.version = version
        self._give_up(visible)

    def _give_up(self, visible: np.ndarray) -> None:
        """Release what is out of sight, where memory has become short."""
        held = sum(tile.texture.bytes for tile in self._tiles if tile.texture is not None)
        for number in np.flatnonzero(~visible):
            texture = self._tiles[number].texture
            if held <= MEMORY_BYTES:
                return
            if texture is not None:
                held -= texture.bytes
                texture.texture.release()
                self._tiles[number].texture = None

    def _draw_tile(self, scene: Content, tile: _Tile, switches: tuple[object, ...]) -> None:
        assert tile.texture is not None
        sheet, texture = tile.sheet, tile.texture
        state = tile.version, texture.first, switches
        if tile.described != state:
            tile.described = state
            limits = scene.limits(sheet)
            tile.table[0, 3] = sheet.is_sequential(scene.aggregate)
            tile.table[1, 3], tile.table[2, 3] = texture.first, texture.first + len(texture.corners) - 1
            tile.table[7] = -1, -1, 0, scene.outlines if scene.filled else 2
            for number, (left, top) in enumerate(texture.corners):
                level = texture.first + number
                tile.table[8 + level, :3] = limits[min(level, len(limits) - 1)], left, top
        table, name = tile.table, sheet.box.name
        hovered = scene.hover is not None and scene.hover.name == name and scene.hover.index is not None
        if hovered or scene.selected == name:
            table = table.copy()
            table[4, 3] = scene.selected == name
            if scene.hover is not None and hovered:
                table[7, :2] = scene.hover.cell[1], scene.hover.cell[0]
        self._sheets.draw(table, texture)

    def _forget(self) -> None:
        for tile in self._tiles:
            if tile.texture is not None:
                tile.texture.texture.release()
        for _, brush in self._lines:
            brush.release()
        self._tiles, self._lines, self._arranged = [], [], None
