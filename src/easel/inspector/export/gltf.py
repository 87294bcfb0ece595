"""glTF export of a network: one node for every sheet, coloured, in its place; other programs open it.

glTF 2.0 (Khronos), with the extension KHR_materials_unlit: colours are data here, and no light may change them.
"""

import io
import math
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image

from easel.graphics.files import write_whole
from easel.graphics.glb import Binary, glb
from easel.inspector.drawing.colors import value_colors
from easel.inspector.layout.arrangement import Arrangement, Box
from easel.inspector.layout.layout import arrange
from easel.inspector.models.graph import TensorRef
from easel.inspector.scene.sheet import Sheet

MOST_TEXELS = 1024
"""Most texels of a picture each way; larger sheets show the peaks of several cells in one texel."""
MOST_BYTES = 256 * 2**20
"""Larger files are not written."""
UNSIGNED_SHORT, FLOAT, NEAREST, CLAMP = 5123, 5126, 9728, 33071
"""OpenGL's numbers, which glTF takes over."""
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
"""Corners of every sheet, before its node puts it in place: x along the rows, y down."""
TRIANGLES = np.array([0, 3, 2, 0, 2, 1], np.uint16)


def save_gltf(
    path: str | Path,
    refs: Iterable[TensorRef],
    arrangement: Arrangement | None = None,
    *,
    most_texels: int = MOST_TEXELS,
    limit_bytes: int = MOST_BYTES,
) -> tuple[str, ...]:
    """Write a `.glb`. Returns the names of the tensors of which a texel shows the peak of several cells.

    A node's `extras` tell name, shape, dtype, the magnitude that has the last colour, and the cells per texel along a
    side. Raises ValueError for a network without anything to show and for more than `limit_bytes`.

        save_gltf("network.glb", tensors(model).values())
    """
    _, sheets = sheets_of(refs, arrangement)
    content = _GltfContent()
    reduced = []
    for sheet in sheets:
        picture, limit, cells = sheet_picture(sheet, most_texels)
        if cells > 1:
            reduced.append(sheet.ref.name)
        content.add(sheet.box, tensor_facts(sheet.ref) | {"limit": limit, "cells_per_texel": cells}, picture)
        # Checked as it grows: all of a large network would fill the memory before it is refused.
        if len(content.binary.data) > limit_bytes:
            fits = f"Lower most_texels (now {most_texels}), or export fewer tensors."
            raise ValueError(f"the glTF would be larger than {limit_bytes / 2**20:g} MiB at {sheet.ref.name!r}. {fits}")
    with write_whole(path) as partial:
        partial.write_bytes(content.glb())
    return tuple(reduced)


def sheet_picture(sheet: Sheet, most_texels: int) -> tuple[UInt8[np.ndarray, "h w 4"], float, int]:
    """Return (picture, magnitude with the last colour, cells per texel along a side); clear in cells without values."""
    pyramid = sheet.pyramid("peak")
    level = level_within(sheet, most_texels)
    shares = sheet.level(0, level, "peak").astype(np.float32) / pyramid.limits[level]
    colors = value_colors(shares, sequential=sheet.is_sequential("peak"))
    # In the sheet's own way: cells without values stay 0.
    used = sheet.map.spread(torch.ones(sheet.map.shape, dtype=torch.uint8)).numpy()
    rows, columns = shares.shape
    # A texel is as clear as its first cell: gutters are thin, and what is unused are whole ends of blocks.
    alpha = 255 * used[:: 1 << level, :: 1 << level][:rows, :columns]
    picture = np.dstack([np.rint(colors * 255).astype(np.uint8), alpha])
    return picture, math.ldexp(pyramid.limits[level], -pyramid.exponent), 1 << level


def level_within(sheet: Sheet, most_texels: int) -> int:
    """Return the finest level of a sheet's pyramid whose longer side has at most so many texels."""
    return next(level for level in count() if max(sheet.map.grid) >> level <= most_texels)


def sheets_of(refs: Iterable[TensorRef], arrangement: Arrangement | None) -> tuple[Arrangement, list[Sheet]]:
    """Return the arrangement, or one of our own, and its sheets, one tile each. Raises ValueError if there are none."""
    known = {ref.name: ref for ref in refs}
    arrangement = arrangement or arrange(known.values())
    sheets = [Sheet(box, known[box.name], max(box.sheet.grid)) for box in arrangement.boxes if box.sheet is not None]
    if not sheets:
        raise ValueError("there is no tensor with values to export.")
    return arrangement, sheets


def tensor_facts(ref: TensorRef) -> dict[str, Any]:
    """Return name, kind, shape and type of a tensor as JSON has them."""
    dtype = str(ref.tensor.dtype).removeprefix("torch.")
    return {"name": ref.name, "kind": ref.kind, "shape": list(ref.shape), "dtype": dtype}


class _GltfContent:
    """Nodes, pictures and binary data of a glTF as they come in."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self._images: list[dict[str, Any]] = []
        self.binary = Binary()
        for data in (CORNERS, CORNERS[:, :2].copy(), TRIANGLES):
            self.binary.add(data.tobytes())

    def add(self, box: Box, facts: dict[str, Any], picture: UInt8[np.ndarray, "h w 4"]) -> None:
        """Add a node with a picture on it."""
        # PNG is lossless: colours are data, and JPEG would invent some.
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        self._images.append({"bufferView": self.binary.add(file.getvalue()), "mimeType": "image/png"})
        # The third column is never used, but a matrix without it could not be inverted.
        normal = np.cross(box.right, box.down)
        normal /= np.linalg.norm(normal)
        # Columns of the matrix one after another, as glTF has them.
        columns = [*box.right, 0.0, *box.down, 0.0, *normal.tolist(), 0.0, *box.origin, 1.0]
        self.nodes.append({"name": box.name, "mesh": len(self.nodes), "matrix": columns, "extras": facts})

    def glb(self) -> bytes:
        """Return the file."""
        numbers = range(len(self.nodes))
        attributes = {"POSITION": 0, "TEXCOORD_0": 1}
        document = {
            "asset": {"version": "2.0", "generator": "Easel"},
            "extensionsUsed": ["KHR_materials_unlit"],
            "scene": 0,
            "scenes": [{"nodes": list(numbers)}],
            "nodes": self.nodes,
            "meshes": [{"primitives": [{"attributes": attributes, "indices": 2, "material": k}]} for k in numbers],
            "materials": [_material(node["name"], k) for k, node in enumerate(self.nodes)],
            "textures": [{"sampler": 0, "source": k} for k in numbers],
            # Nearest: a value must not be mixed with its neighbours'.
            "samplers": [{"magFilter": NEAREST, "minFilter": NEAREST, "wrapS": CLAMP, "wrapT": CLAMP}],
            "images": self._images,
            # Positions must have bounds; the format asks for none of the others.
            "accessors": [
                _accessor(0, FLOAT, 4, "VEC3") | {"min": [0.0, 0.0, 0.0], "max": [1.0, 1.0, 0.0]},
                _accessor(1, FLOAT, 4, "VEC2"),
                _accessor(2, UNSIGNED_SHORT, 6, "SCALAR"),
            ],
            "bufferViews": self.binary.views,
            "buffers": [{"byteLength": len(self.binary.data)}],
        }
        return glb(document, self.binary)


def _accessor(view: int, component: int, count: int, kind: str) -> dict[str, Any]:
    return {"bufferView": view, "componentType": component, "count": count, "type": kind}


def _material(name: str, texture: int) -> dict[str, Any]:
    """Return the material of one sheet: unlit, seen from both sides, clear where its texture is."""
    # Programs without the extension light it as a rough dielectric, which changes colours least.
    surface = {"baseColorTexture": {"index": texture}, "metallicFactor": 0.0, "roughnessFactor": 1.0}
    shown = {"alphaMode": "MASK", "doubleSided": True, "extensions": {"KHR_materials_unlit": {}}}
    return {"name": name, "pbrMetallicRoughness": surface, **shown}
