"""Pictures of a scene without OpenGL: slower, and without lines between cells, but every sheet in its colours."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw
from torch import Tensor

from easel.graphics.camera import Camera
from easel.inspector.drawing.captions import text_rows
from easel.inspector.drawing.colors import BACKGROUND, FAULT, FLOW, PAD, SKIP, rgb_bytes, value_colors
from easel.inspector.drawing.labels import Rows, glyphs
from easel.inspector.layout.arrangement import Vector, upright_corners
from easel.inspector.scene.content import Content
from easel.inspector.scene.pick import ray_through
from easel.inspector.scene.sheet import Sheet
from easel.inspector.scene.view import Eye

Picture = Float[np.ndarray, "h w 3"]
Depth = Float[np.ndarray, "h w"]
Rays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""The eye, the direction of the middle, and its change per pixel to the right and down."""


def flat_picture(scene: Content, camera: Camera, size: tuple[int, int]) -> Float[Tensor, "h w 3"]:
    """Return a picture of `size` = (height, width), computed by NumPy."""
    eye = Eye.of(camera, size, scene.arrangement.bounds)
    picture = _background(scene, eye)
    depth = np.full(size, np.inf)
    height, width = size
    start, middle = ray_through(camera, size, width / 2, height / 2)
    _, right = ray_through(camera, size, width / 2 + 1, height / 2)
    _, below = ray_through(camera, size, width / 2, height / 2 + 1)
    # Along the viewing direction all rays are 1 long; from pixel to pixel they then differ by the same step.
    across = right / (right @ middle) - middle
    down = below / (below @ middle) - middle
    for sheet in scene.sheets:
        for tile in range(len(sheet.tiles)):
            _draw_tile(scene, sheet, tile, eye, picture, depth, (start, middle, across, down))
    _write(picture, text_rows(scene, eye))
    return torch.from_numpy(picture.astype(np.float32))


def _background(scene: Content, eye: Eye) -> Picture:
    """Return routes and pads on the background."""
    image = Image.new("RGB", (eye.size[1], eye.size[0]), rgb_bytes(BACKGROUND))
    draw = ImageDraw.Draw(image)
    for route in scene.arrangement.routes:
        if points := _in_front(eye, route.points):
            draw.line(points, fill=rgb_bytes(SKIP if route.skips else FLOW), width=2)
    for pad in scene.arrangement.pads:
        if points := _in_front(eye, upright_corners(pad.origin, pad.side, pad.side)):
            draw.polygon(points, fill=rgb_bytes(FAULT if pad.error else PAD))
    return np.asarray(image, np.float64) / 255


def _in_front(eye: Eye, points: Sequence[Vector]) -> list[tuple[float, float]]:
    """Return points in pixels; none if one of them is behind the camera, where projection mirrors it."""
    at = eye.project(np.array(points))
    if at[:, 2].min() <= 0:
        return []
    return [(float(x), float(y)) for x, y, _ in at]


def _draw_tile(scene: Content, sheet: Sheet, tile: int, eye: Eye, picture: Picture, depth: Depth, rays: Rays) -> None:
    """Draw a tile over `picture` where it is nearer than `depth`."""
    table = sheet.table(tile)
    origin, right, down = table[:3, :3]
    columns, rows = table[3, :2].astype(int).tolist()
    at = eye.project(np.array([origin, origin + right, origin + right + down, origin + down]))
    if at[:, 2].min() <= 0:
        return
    height, width = eye.size
    low = at[:, :2].min(axis=0)
    high = at[:, :2].max(axis=0)
    # Only the pixels in the bounding box of its corners.
    left, top = np.maximum(low, 0).astype(int).tolist()
    end, bottom = np.minimum(high + 1, (width, height)).astype(int).tolist()
    if left >= end or top >= bottom:
        return
    start, middle, across, below = rays
    # +0.5: a pixel looks from its centre.
    y, x = np.mgrid[top:bottom, left:end] + 0.5
    ray = middle + (x - width / 2)[..., None] * across + (y - height / 2)[..., None] * below
    normal = np.cross(right, down)
    # A ray along the sheet divides by zero; what comes of that meets nothing.
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = ((origin - start) @ normal) / (ray @ normal)
        inside = start + distance[..., None] * ray - origin
        u = inside @ right / (right @ right)
        v = inside @ down / (down @ down)
        hit = (distance > 0) & (u >= 0) & (u < 1) & (v >= 0) & (v < 1) & (distance < depth[top:bottom, left:end])
    if not hit.any():
        return
    at_row = table[3, 3] + v[hit] * rows
    at_column = table[3, 2] + u[hit] * columns
    hit[hit] = sheet.map.is_used(at_row.astype(int), at_column.astype(int))
    # One level for the whole tile, rounded up as in the shader, which takes one for each pixel.
    pixels = np.maximum(high - low, 1e-6)
    level = int(np.ceil(np.log2(max(columns / pixels[0], rows / pixels[1], 1.0))))
    level = min(level, max(rows, columns).bit_length() - 1)
    texels = sheet.level(tile, level, scene.aggregate).astype(np.float64)
    row = np.minimum((v[hit] * rows).astype(int) >> level, texels.shape[0] - 1)
    column = np.minimum((u[hit] * columns).astype(int) >> level, texels.shape[1] - 1)
    limits = scene.limits(sheet)
    shares = texels[row, column] / limits[min(level, len(limits) - 1)]
    picture[top:bottom, left:end][hit] = value_colors(shares, sequential=sheet.is_sequential(scene.aggregate))
    depth[top:bottom, left:end][hit] = distance[hit]


def _write(picture: Picture, rows: Rows) -> None:
    """Lay text and filled rectangles over the picture."""
    table = glyphs().table / 255.0
    for *places, red, green, blue, alpha in rows.tolist():
        left, top, width, height, u, v = map(int, places[:6])
        part = picture[max(top, 0) : top + height, max(left, 0) : left + width]
        cover = np.ones(part.shape[:2])
        # Left of the table there is no letter: a filled rectangle.
        if u >= 0:
            # Cut by the picture's edge, a letter begins in its middle.
            upper = v + max(-top, 0)
            before = u + max(-left, 0)
            cover = table[upper : upper + part.shape[0], before : before + part.shape[1]]
        part += (np.array((red, green, blue)) - part) * (alpha * cover)[..., None]
