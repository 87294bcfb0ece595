"""Surfaces of volumes as triangle meshes, and meshes into OBJ, PLY and glTF files.

Vertices lie in the world of `volume`: right-handed, array axes X, Y, Z along +X, +Y, +Z, the box centred at the origin
with its longest side from -1 to 1, so one unit is half of that side. glTF calls its unit a metre and its up +Y; the
numbers are the same in all three formats. Triangles run counter-clockwise around the outside, where values are below
the level.
"""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int32, UInt8

from easel.fields.volumes.medium import sample
from easel.fields.volumes.volume import Number, Volume, as_values, check_volume, half_sides
from easel.graphics.color import srgb_to_linear
from easel.graphics.files import FileError, write_whole
from easel.graphics.glb import Binary, glb

MAX_VOXELS = 512**3
"""Marching cubes hold all values and the mesh in memory: several gigabytes at this size."""


@dataclass(frozen=True)
class SurfaceMesh:
    """A triangle mesh with colours."""

    positions: Float32[np.ndarray, "n 3"]
    normals: Float32[np.ndarray, "n 3"]
    """Of length 1, outwards; +Y where the values around a vertex do not say."""
    colors: UInt8[np.ndarray, "n 3"]
    """Display-referred sRGB."""
    triangles: Int32[np.ndarray, "m 3"]

    @property
    def watertight(self) -> bool:
        """True if it encloses a space: each edge is shared by two triangles that run along it in opposite ways."""
        a, b, c = self.triangles.T.astype(np.int64)
        count = len(self.positions)
        forward = np.concatenate([a * count + b, b * count + c, c * count + a])
        backward = np.concatenate([b * count + a, c * count + b, a * count + c])
        return bool(len(forward)) and np.array_equal(np.sort(forward), np.sort(backward))


def isosurface(
    volume: Volume,
    level: Number = 0.5,
    *,
    channel: int | None = None,
    closed: bool = True,
    spacing: tuple[Number, Number, Number] = (1, 1, 1),
) -> SurfaceMesh:
    """Return the surface on which a volume (X, Y, Z[, C]) has the value `level`: marching cubes (Lewiner et al. 2003).

    The value is one channel, or the mean of R, G, B; vertices have the volume's colour. `closed` puts a lid on what
    the box cuts open; without it the surface ends at the middle of the outer voxels. ValueError where nothing reaches
    the level, or everything does.
    """
    volume = check_volume(volume)
    shape = volume.shape[:3]
    if shape[0] * shape[1] * shape[2] > MAX_VOXELS:
        raise ValueError(f"a mesh is made of up to 512³ voxels; got {tuple(shape)}. Take every other one.")
    if channel is not None and not 0 <= channel < volume.shape[3]:
        raise ValueError(f"the volume has channels 0 to {volume.shape[3] - 1}; got channel={channel}.")
    if not closed and min(shape) < 2:
        raise ValueError(f"a surface that may end at the box needs two voxels each way; got {tuple(shape)}.")
    colours = as_values(volume)
    measured = slice(3) if channel is None else slice(channel, channel + 1)
    values = colours[..., measured].mean(-1).numpy()
    low = values.min().item()
    high = values.max().item()
    if not low < level < high:
        raise ValueError(f"the volume's values lie between {low:.3g} and {high:.3g}; level={level} cuts none of them.")
    from skimage.measure import marching_cubes

    if closed:
        # As far below the level as the largest value is above it: under that one the lid lies on the box's face.
        values = np.pad(values, 1, constant_values=2 * level - high)
    index, triangles, normals, _ = marching_cubes(values, level, gradient_direction="descent")
    if closed:
        index = index - 1  # of the volume, without the layer around it
    extent = np.array(shape, np.float32)
    half = np.array(half_sides(shape, spacing), np.float32)
    # Voxel k has its middle at (2k + 1) / n - 1 of the box from -1 to 1.
    places = ((2 * index + 1) / extent - 1).astype(np.float32)
    rgb = sample(colours[..., :3].permute(3, 0, 1, 2)[None], torch.from_numpy(places)[:, None])[..., 0].T.numpy()
    # Normals are of index space; across unequal voxels they turn as gradients do.
    normals = normals * (extent / half)
    # Where the values around a vertex cancel out there is no gradient: any direction will do, but not NaN.
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.where(lengths > 0, normals / np.maximum(lengths, 1e-12), np.array([0, 1, 0]))
    return SurfaceMesh(
        positions=places * half,
        normals=normals.astype(np.float32),
        colors=np.rint(np.broadcast_to(rgb, (len(rgb), 3)) * 255).astype(np.uint8),
        triangles=np.ascontiguousarray(triangles[:, ::-1], np.int32),  # skimage's own run clockwise
    )


def write_mesh(surface: SurfaceMesh, path: str | os.PathLike[str]) -> None:
    """Write a mesh as `.obj`, `.ply` (binary) or `.glb` (binary glTF 2.0), whole or not at all.

    All have normals and colours. OBJ and PLY hold the display-referred colours, as their readers expect, OBJ behind the
    position of a vertex (a common extension); glTF holds them linear, as its specification demands. FileError for
    another suffix or a place that cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise FileError(f"cannot write {os.fspath(path)!r}: meshes go into {' '.join(_WRITERS)} files; got {suffix!r}.")
    data = _WRITERS[suffix](surface)
    with write_whole(path) as partial:
        partial.write_bytes(data)


def _obj(surface: SurfaceMesh) -> bytes:
    text = io.StringIO("# Right-handed, +Y up; the longest side of the volume is 2 units long.\n")
    text.seek(0, io.SEEK_END)
    vertices = np.hstack([surface.positions, surface.colors / 255])
    np.savetxt(text, vertices, "v %.7g %.7g %.7g %.4f %.4f %.4f")
    np.savetxt(text, surface.normals, "vn %.5f %.5f %.5f")
    # OBJ counts from 1, and the normal of a corner has its vertex's number.
    corners = (surface.triangles + 1).repeat(2, axis=1)
    np.savetxt(text, corners, "f %d//%d %d//%d %d//%d")
    return text.getvalue().encode("ascii")


def _ply(surface: SurfaceMesh) -> bytes:
    vertices = np.empty(len(surface.positions), [("position", "<f4", 3), ("normal", "<f4", 3), ("color", "u1", 3)])
    vertices["position"] = surface.positions
    vertices["normal"] = surface.normals
    vertices["color"] = surface.colors
    # Whole records at once: a loop over millions of vertices would take minutes.
    faces = np.empty(len(surface.triangles), [("count", "u1"), ("corners", "<i4", 3)])
    faces["count"] = 3
    faces["corners"] = surface.triangles
    floats = "".join(f"property float {name}\n" for name in ("x", "y", "z", "nx", "ny", "nz"))
    bytes_ = "".join(f"property uchar {name}\n" for name in ("red", "green", "blue"))
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        "comment Right-handed, +Y up; the longest side of the volume is 2 units long.\n"
        f"element vertex {len(vertices)}\n{floats}{bytes_}"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    return header.encode("ascii") + vertices.tobytes() + faces.tobytes()


def _glb(surface: SurfaceMesh) -> bytes:
    """glTF 2.0 specification, sections 3.7.2 (meshes), 4.4 (binary container) and 5.1 (accessors)."""
    if not len(surface.triangles):
        raise ValueError("glTF knows no mesh without triangles; this surface is empty.")
    linear = srgb_to_linear(torch.from_numpy(surface.colors).float() / 255)
    # RGBA, since glTF wants a multiple of four bytes for each vertex; 16 bits, since dark linear levels need them.
    colors = np.full((len(surface.colors), 4), 65535, np.uint16)
    colors[:, :3] = (linear * 65535).round().numpy()
    indices = surface.triangles.astype(np.uint32).reshape(-1)
    binary = Binary()
    accessors: list[dict[str, Any]] = [
        _accessor(binary, surface.positions, _FLOAT, "VEC3", _VERTICES)
        | {"min": surface.positions.min(0).tolist(), "max": surface.positions.max(0).tolist()},
        _accessor(binary, surface.normals, _FLOAT, "VEC3", _VERTICES),
        _accessor(binary, colors, _USHORT, "VEC4", _VERTICES) | {"normalized": True},
        _accessor(binary, indices, _UINT, "SCALAR", _INDICES),
    ]
    primitive = {"attributes": {"POSITION": 0, "NORMAL": 1, "COLOR_0": 2}, "indices": 3, "material": 0}
    document = {
        "asset": {"version": "2.0", "generator": "torch-easel"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}],
        "materials": [{"pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.6}}],
        "buffers": [{"byteLength": len(binary.data)}],
        "bufferViews": binary.views,
        "accessors": accessors,
    }
    return glb(document, binary)


def _accessor(binary: Binary, array: np.ndarray, component: int, kind: str, target: int) -> dict[str, Any]:
    view = binary.add(array.tobytes(), target)
    return {"bufferView": view, "componentType": component, "count": len(array), "type": kind}


# OpenGL's numbers for component types and buffer targets, which glTF uses.
_FLOAT, _USHORT, _UINT = 5126, 5123, 5125
_VERTICES, _INDICES = 34962, 34963
_WRITERS: dict[str, Callable[[SurfaceMesh], bytes]] = {".obj": _obj, ".ply": _ply, ".glb": _glb}
