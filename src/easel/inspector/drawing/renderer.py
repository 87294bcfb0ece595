"""The renderer of a scene in one OpenGL context: it keeps on the GPU what is in sight, as finely as it can be seen."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from easel.gl.draw import LineBrush
from easel.gl.target import Target
from easel.graphics.camera import Camera
from easel.inspector.drawing.captions import text_rows
from easel.inspector.drawing.colors import AMBER, BACKGROUND, EMPTY, FAULT, FLOW, ORDER, PAD, PLATE, PLATE_EDGE, SKIP
from easel.inspector.drawing.gl_draw import LevelTexture, PlateBrush, SheetBrush, TextBrush
from easel.inspector.drawing.labels import glyphs
from easel.inspector.layout.arrangement import Arrangement, Route
from easel.inspector.scene.content import Content
from easel.inspector.scene.sheet import Sheet
from easel.inspector.scene.view import Eye, seen

if TYPE_CHECKING:
    import moderngl

MEMORY_BYTES = 512 << 20
"""Budget of textures; beyond it those out of sight are released."""
LINE_WIDTHS = (1.5, 2.0, 3.0, 4.0)
"""Widths of routes in pixels: the more data, the wider."""
ARROW = 0.22
"""Length of an arrow's tip, in units of the world."""


@dataclass(eq=False)
class _Tile:
    """A tile on the GPU."""

    sheet: Sheet
    number: int
    """Place among the sheet's tiles."""
    table: Float32[np.ndarray, "22 4"]
    """The shader's uniform `sheet`."""
    texture: LevelTexture | None = None
    version: tuple[int, str] = (-1, "")
    """(version of the sheet, aggregate) in the texture."""
    described: tuple[object, ...] = ()
    """State for which the table is right."""

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns."""
        return int(self.table[3, 1]), int(self.table[3, 0])

    @property
    def last(self) -> int:
        """The level of one texel."""
        return max(self.cells).bit_length() - 1

    def is_current(self, level: int, aggregate: str) -> bool:
        """Return True if its texture holds the present values, from `level` on."""
        if self.texture is None or self.version != (self.sheet.version, aggregate):
            return False
        return self.texture.first <= min(level, self.last)

    def release(self) -> int:
        """Release the texture. Returns its bytes."""
        if self.texture is None:
            return 0
        # Read before: once it is released, moderngl tells nothing about a texture.
        freed = self.texture.bytes
        self.texture.texture.release()
        self.texture = None
        return freed


class NetworkRenderer:
    """Draws scenes in one OpenGL context, which must be current in every call."""

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
        """Bytes that were uploaded for the last picture."""
        self.is_complete = True
        """True if the last picture shows everything as finely as it can be seen."""

    def draw(
        self, scene: Content, camera: Camera, size: tuple[int, int], upload_bytes: int | None = None
    ) -> "moderngl.Texture":
        """Return a picture of `size` = (height, width), its first row at the bottom as OpenGL has it.

        With `upload_bytes`, finer textures come over several pictures, about so many bytes in each.
        """
        # Another scene, or the same with another layout.
        if self._arranged is not scene.arrangement:
            self._arrange(scene)
        eye = Eye.of(camera, size, scene.arrangement.bounds)
        visible, levels = seen(self._corners, self._cells, eye)
        self._upload(scene, visible, levels, upload_bytes)
        # One sample a pixel: lines between cells fade in the shader, and text lies on whole pixels.
        self._target.begin(size, 1, BACKGROUND)
        self._plates.draw(eye.clip_from_world)
        clip_from_world = torch.from_numpy(eye.clip_from_world).float()
        for width, brush in self._lines:
            brush.draw(clip_from_world, width)
        # Once for all sheets: the shared limit is the largest of them all.
        switches = scene.ranges, scene.outlines, scene.filled, scene.shared_limit
        self._sheets.begin(eye.clip_from_world)
        for number in np.flatnonzero(visible):
            tile = self._tiles[number]
            if tile.texture is not None:
                self._draw_tile(scene, tile, switches)
        # Last, over everything: names are drawn without depth.
        self._text.load(text_rows(scene, eye))
        self._text.draw(size)
        return self._target.finish()

    def read(self) -> Float[Tensor, "h w 3"]:
        """Return the last picture in [0, 1], top row first."""
        return self._target.read()

    def release(self) -> None:
        self._forget()
        for part in (self._target, self._sheets, self._plates, self._text):
            part.release()

    def _arrange(self, scene: Content) -> None:
        """Prepare all that stays while a scene has the same arrangement."""
        self._forget()
        self._arranged = scene.arrangement
        self._tiles = [
            _Tile(sheet, number, sheet.table(number).astype(np.float32))
            for sheet in scene.sheets
            for number in range(len(sheet.tiles))
        ]
        # As arrays: visibility of all tiles is one expression a frame.
        tables = np.array([tile.table for tile in self._tiles]).reshape(-1, 22, 4)
        origin, right, down = np.moveaxis(tables[:, :3, :3], 1, 0)
        self._corners = np.stack([origin, origin + right, origin + right + down, origin + down], axis=1)
        self._cells = np.stack([tables[:, 3, 1], tables[:, 3, 0]], axis=1)
        self._plates.load(plate_rows(scene.arrangement))
        for width, segments, colors in line_sets(scene.arrangement):
            brush = LineBrush(self._context)
            brush.load(segments, colors)
            self._lines.append((width, brush))

    def _upload(self, scene: Content, visible: np.ndarray, levels: np.ndarray, upload_bytes: int | None) -> None:
        """Bring the textures in sight to the level at which they are seen, the coarse ones first."""
        self.moved_bytes = 0
        self.is_complete = True
        in_sight = np.flatnonzero(visible).tolist()
        stale = [
            number for number in in_sight if not self._tiles[number].is_current(int(levels[number]), scene.aggregate)
        ]
        # Coarse levels are small: everything is there, if roughly, before the budget goes to what is near.
        for number in sorted(stale, key=lambda number: -levels[number]):
            tile = self._tiles[number]
            version = tile.sheet.version, scene.aggregate
            first = min(int(levels[number]), tile.last)
            if upload_bytes is not None and self.moved_bytes >= upload_bytes:
                if tile.texture is None:
                    first = tile.last  # a texel, rather than a hole
                    self.is_complete = False
                elif first < tile.texture.first:
                    self.is_complete = False
                    if tile.version == version:
                        continue
                    # New values at the old level: a picture that mixes two moments would be wrong.
                    first = tile.texture.first
            self._upload_tile(tile, first, scene.aggregate)
            tile.version = version
        self._release_hidden(visible)

    def _upload_tile(self, tile: _Tile, first: int, aggregate: str) -> None:
        """Upload the levels of a tile from `first` on."""

        def level(number: int) -> np.ndarray:
            return tile.sheet.level(tile.number, number, aggregate)

        # The same levels with other values, in every frame of a training: no new memory.
        if tile.texture is not None and first == tile.texture.first:
            self.moved_bytes += self._sheets.write(tile.texture, level, tile.cells)
            return
        tile.release()
        tile.texture = self._sheets.texture(level, tile.cells, first)
        self.moved_bytes += tile.texture.bytes

    def _release_hidden(self, visible: np.ndarray) -> None:
        """Release textures out of sight until the rest is within the budget."""
        held = sum(tile.texture.bytes for tile in self._tiles if tile.texture is not None)
        # What is in sight stays, even beyond the budget: it would be uploaded again in the next frame.
        for number in np.flatnonzero(~visible):
            if held <= MEMORY_BYTES:
                return
            held -= self._tiles[number].release()

    def _draw_tile(self, scene: Content, tile: _Tile, switches: tuple[object, ...]) -> None:
        """Draw a tile; `switches` are all settings of the scene on which its table depends."""
        assert tile.texture is not None
        sheet, texture = tile.sheet, tile.texture
        state = tile.version, texture.first, switches
        # Limits are asked for once a state, not once a frame: hundreds of sheets are in sight.
        if tile.described != state:
            tile.described = state
            limits = scene.limits(sheet)
            last = texture.first + len(texture.corners) - 1
            tile.table[:3, 3] = sheet.is_sequential(scene.aggregate), texture.first, last
            tile.table[7] = -1, -1, 0, scene.outlines if scene.filled else 2
            for number, (left, top) in enumerate(texture.corners, texture.first):
                tile.table[8 + number, :3] = limits[min(number, len(limits) - 1)], left, top
        # A copy: marks move with the mouse, and the table stays right for the next frame.
        table = tile.table.copy()
        table[4, 3] = scene.selected == sheet.box.name
        if (hover := scene.hover) is not None and hover.name == sheet.box.name and hover.index is not None:
            table[7, :2] = hover.cell[::-1]
        self._sheets.draw(table, texture)

    def _forget(self) -> None:
        """Release everything that belongs to one arrangement."""
        for tile in self._tiles:
            tile.release()
        for _, brush in self._lines:
            brush.release()
        self._tiles, self._lines, self._arranged = [], [], None


def plate_rows(arrangement: Arrangement) -> Float[np.ndarray, "n 17"]:
    """Return plates, pads and empty boxes as rows of a `PlateBrush`."""
    rows = []
    for plate in arrangement.plates:
        sides = (plate.width, 0, 0, 0, -plate.height, 0)
        rows.append((*plate.origin, *sides, *PLATE, 0.25, *PLATE_EDGE, 1.2))
    for pad in arrangement.pads:
        sides = (pad.side, 0, 0, 0, -pad.side, 0)
        rows.append((*pad.origin, *sides, *(FAULT if pad.error else PAD), 0.12, *FLOW, 1.5))
    for box in arrangement.boxes:
        if box.sheet is None:
            rows.append((*box.origin, *box.right, *box.down, *EMPTY, 0.0, *AMBER, 1.5))
    return np.array(rows, np.float32).reshape(-1, 17)


def line_sets(arrangement: Arrangement) -> Iterator[tuple[float, Float[Tensor, "n 2 3"], Float[Tensor, "n 3"]]]:
    """Yield the routes, gathered by width: (pixels, segments, colours)."""
    # A brush draws lines of one width: four draws for all routes, instead of one each.
    sets: dict[float, list[Route]] = {}
    for route in arrangement.routes:
        sets.setdefault(_line_width(route), []).append(route)
    for width, routes in sets.items():
        segments = [_segments(route) for route in routes]
        colors = [np.tile(_line_color(route), (len(part), 1)) for route, part in zip(routes, segments, strict=True)]
        yield width, torch.from_numpy(np.concatenate(segments)).float(), torch.from_numpy(np.concatenate(colors))


def _line_width(route: Route) -> float:
    """Return a width that grows with every power of ten from a thousand values on."""
    # `or 1`: nobody has counted, and 0 has no logarithm.
    return LINE_WIDTHS[min(max(int(math.log10(route.values or 1)) - 2, 0), len(LINE_WIDTHS) - 1)]


def _line_color(route: Route) -> Float32[np.ndarray, "3"]:
    if route.skips:
        return np.array(SKIP, np.float32)
    return np.array(FLOW if route.is_known else ORDER, np.float32)


def _segments(route: Route) -> Float[np.ndarray, "n 2 3"]:
    """Return the pieces of a route, and a fan of lines as the tip of its arrow."""
    points = np.array(route.points)
    pieces = [np.stack([points[:-1], points[1:]], axis=1)]
    along = points[-1] - points[-2]
    length = np.linalg.norm(along)
    if length > 0:
        along = along / length
        # In the plane of the sheets: seen from the front, arrows are as wide as they can be.
        side = np.array([-along[1], along[0], 0.0])
        tip = points[-1]
        wings = [tip - ARROW * along + share * ARROW * side for share in (-0.5, -0.25, 0.0, 0.25, 0.5)]
        pieces.append(np.stack([np.stack([wing, tip]) for wing in wings]))
    return np.concatenate(pieces)
