"""The same scene without OpenGL: slower, and without lines between cells, but every sheet in its colours."""

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw
from torch import Tensor

from easel.graphics.camera import Camera
from easel.inspector.drawing.colors import BACKGROUND, FAULT, FLOW, PAD, SKIP, Rgb, value_colors
from easel.inspector.drawing.labels import Rows, glyphs
from easel.inspector.drawing.text import text_rows
from easel.inspector.layout.arrangement import upright_corners
from easel.inspector.scene.content import Content
from easel.inspector.scene.pick import ray_through
from easel.inspector.scene.sheet import Sheet
from easel.inspector.scene.view import Eye


def flat_picture(scene: Content, camera: Camera, size: tuple[int, int]) -> Float[Tensor, "h w 3"]:
    """What `camera` sees, of `size` = (height, width), worked out by NumPy."""
    eye = Eye.of(camera, size, scene.arrangement.bounds)
    picture = _background(scene, eye)
    depth = np.full(size, np.inf)
    start, middle = ray_through(camera, size, size[1] / 2, size[0] / 2)
    _, right = ray_through(camera, size, size[1] / 2 + 1, size[0] / 2)
    _, below = ray_through(camera, size, size[1] / 2, size[0] / 2 + 1)
    # Along the viewing direction all rays are 1 long; from pixel to pixel they then differ by the same step.
    across, down = right / (right @ middle) - middle, below / (below @ middle) - middle
    for sheet in scene.sheets:
        for tile in range(len(sheet.tiles)):
            _draw_tile(scene, sheet, tile, eye, picture, depth, (start, middle, across, down))
    _write(picture, text_rows(scene, eye))
    return torch.from_numpy(picture.astype(np.float32))


def _background(scene: Content, eye: Eye) -> Float[np.ndarray, "h w 3"]:
    """Ways and pads on the background."""
    image = Image.new("RGB", (eye.size[1], eye.size[0]), _bytes(BACKGROUND))
    draw = ImageDraw.Draw(image)
    for route in scene.arrangement.routes:
        at = eye.project(np.array(route.points))
        if at[:, 2].min() > 0:
            draw.line([(float(x), float(y)) for x, y, _ in at], fill=_bytes(SKIP if route.skips else FLOW), width=2)
    for pad in scene.arrangement.pads:
        at = eye.project(np.array(upright_corners(pad.origin, pad.side, pad.side)))
        if at[:, 2].min() > 0:
            draw.polygon([(float(x), float(y)) for x, y, _ in at], fill=_bytes(FAULT if pad.error else PAD))
    return np.asarray(image, np.float64) / 255


def _draw_tile(
    scene: Content,
    sheet: Sheet,
    tile: int,
    eye: Eye,
    picture: Float[np.ndarray, "h w 3"],
    depth: Float[np.ndarray, "h w"],
    rays: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    table = sheet.table(tile)
    origin, right, down = table[0, :3], table[1, :3], table[2, :3]
    columns, rows = int(table[3, 0]), int(table[3, 1])
    at = eye.project(np.array([origin, origin + right, origin + right + down, origin + down]))
    if at[:, 2].min() <= 0:
        return
    height, width = eye.size
    left, top = (int(max(edge, 0)) for edge in at[:, :2].min(axis=0))
    end, bottom = (
        int(min(edge + 1, limit)) for edge, limit in zip(at[:, :2].max(axis=0), (width, height), strict=True)
    )
    if left >= end or top >= bottom:
        return
    start, middle, across, below = rays
    y, x = np.mgrid[top:bottom, left:end] + 0.5
    ray = middle + (x - width / 2)[..., None] * across + (y - height / 2)[..., None] * below
    normal = np.cross(right, down)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = ((origin - start) @ normal) / (ray @ normal)
        inside = start + distance[..., None] * ray - origin
        u, v = inside @ right / (right @ right), inside @ down / (down @ down)
        hit = (distance > 0) & (u >= 0) & (u < 1) & (v >= 0) & (v < 1) & (distance < depth[top:bottom, left:end])
    if not hit.any():
        return
    at_row, at_column = table[3, 3] + v[hit] * rows, table[3, 2] + u[hit] * columns
    hit[hit] = sheet.map.is_used(at_row.astype(int), at_column.astype(int))
    pixels = at[:, :2].max(axis=0) - at[:, :2].min(axis=0)
    level = max(int(np.ceil(np.log2(max(columns / max(pixels[0], 1e-6), rows / max(pixels[1], 1e-6), 1.0)))), 0)
    level = min(level, max(rows, columns).bit_length() - 1)
    texels = sheet.level(tile, level, scene.aggregate).astype(np.float64)
    row = np.minimum((v[hit] * rows).astype(int) >> level, texels.shape[0] - 1)
    column = np.minimum((u[hit] * columns).astype(int) >> level, texels.shape[1] - 1)
    limits = scene.limits(sheet)
    shares = texels[row, column] / limits[min(level, len(limits) - 1)]
    picture[top:bottom, left:end][hit] = value_colors(shares, sequential=sheet.is_sequential(scene.aggregate))
    depth[top:bottom, left:end][hit] = distance[hit]


def _write(picture: Float[np.ndarray, "h w 3"], rows: Rows) -> None:
    """Lay text and filled rectangles over the picture."""
    table = glyphs().table / 255.0
    for x, y, width, height, u, v, _, _, *ink in rows.tolist():
        left, top, u, v = int(x), int(y), int(u), int(v)
        part = picture[max(top, 0) : top + int(height), max(left, 0) : left + int(width)]
        cover = np.ones(part.shape[:2])
        if u >= 0:
            upper, before = v + max(-top, 0), u + max(-left, 0)
            cover = table[upper : upper + part.shape[0], before : before + part.shape[1]]
        part += (np.array(ink[:3]) - part) * (ink[3] * cover)[..., None]


def _bytes(color: Rgb) -> tuple[int, int, int]:
    return round(255 * color[0]), round(255 * color[1]), round(255 * color[2])
