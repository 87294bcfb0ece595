"""A material as glTF 2.0 (Khronos), on a ball that lies on a sheet: .glb, or .gltf with its files beside it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from easel.graphics.files import write_whole
from easel.graphics.glb import Binary, glb
from easel.materials.asset_export.meshes import Number, TangentMesh, ball, sheet
from easel.materials.asset_export.textures import (
    OCCLUSION_ROUGHNESS_METALLIC,
    TextureFormat,
    texture_bytes,
    write_texture,
)
from easel.materials.maps import MaterialMaps
from easel.materials.rendering.sphere import RADIUS

TEXTURES = (
    ("albedo", ("albedo",)),
    # Green and blue are what the material reads; occlusion that is nowhere costs nothing
    ("metallic_roughness", OCCLUSION_ROUGHNESS_METALLIC),
    ("normal", ("normal",)),
)
"""In the order of the document's textures: how their files are called, and what they hold."""
UNSIGNED_SHORT, FLOAT = 5123, 5126
VERTICES, INDICES = 34962, 34963
LINEAR, TRILINEAR, REPEAT = 9729, 9987, 10497


def save_glb(path: Path, maps: MaterialMaps, name: str, *, repeats: Number = 2, bits: int = 8) -> None:
    """Write one file that holds everything; `repeats` tiles lie across the sheet and from pole to pole of the ball.

    `bits` of 8 or 16 are those of its PNG pictures; most viewers show 8 of them.
    """
    binary = Binary()
    geometry = _geometry(binary, repeats)
    images = [
        {
            "name": kind,
            "bufferView": binary.add(texture_bytes(maps, planes, TextureFormat(bits=bits))),
            "mimeType": "image/png",
        }
        for kind, planes in TEXTURES
    ]
    document = _document(geometry, binary, name, images, {})
    with write_whole(path) as partial:
        partial.write_bytes(glb(document, binary))


def save_gltf(path: Path, maps: MaterialMaps, name: str, *, repeats: Number = 2, bits: int = 8) -> None:
    """Write the document, the meshes as .bin beside it and the pictures into a folder `textures` there."""
    binary = Binary()
    geometry = _geometry(binary, repeats)
    folder = path.parent / "textures"
    stored = TextureFormat(bits=bits)
    images = [
        {"name": kind, "uri": f"{folder.name}/{write_texture(folder, f'{name}_{kind}', maps, planes, stored).name}"}
        for kind, planes in TEXTURES
    ]
    meshes = path.with_suffix(".bin")
    with write_whole(meshes) as partial:
        partial.write_bytes(bytes(binary.data))
    document = _document(geometry, binary, name, images, {"uri": meshes.name})
    # Last, so that it never names a file that is not there
    with write_whole(path) as partial:
        partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _document(
    geometry: dict[str, Any], binary: Binary, name: str, images: list[dict[str, Any]], where: dict[str, Any]
) -> dict[str, Any]:
    # In the order of TEXTURES.
    base_color, metallic_roughness, normal = ({"index": index} for index in range(len(TEXTURES)))
    return {
        "asset": {"version": "2.0", "generator": "Easel"},
        "scene": 0,
        "scenes": [{"nodes": [0, 1]}],
        **geometry,
        "materials": [
            {
                "name": name,
                # Factors are 1 where nothing is said
                "pbrMetallicRoughness": {
                    "baseColorTexture": base_color,
                    "metallicRoughnessTexture": metallic_roughness,
                },
                "normalTexture": normal,
            }
        ],
        "textures": [{"sampler": 0, "source": index} for index in range(len(TEXTURES))],
        "samplers": [{"magFilter": LINEAR, "minFilter": TRILINEAR, "wrapS": REPEAT, "wrapT": REPEAT}],
        "images": images,
        "bufferViews": binary.views,
        "buffers": [{"byteLength": len(binary.data), **where}],
    }


def _geometry(binary: Binary, repeats: Number) -> dict[str, Any]:
    """Build nodes, meshes and accessors of the sheet and of the ball on it."""
    accessors: list[dict[str, Any]] = []
    meshes = [
        {"name": kind, "primitives": [_primitive(binary, accessors, shape)]}
        for kind, shape in (("plane", sheet(repeats)), ("ball", ball(repeats)))
    ]
    # The ball rests on the sheet: its centre is one radius above it.
    nodes = [{"name": "plane", "mesh": 0}, {"name": "ball", "mesh": 1, "translation": [0.0, RADIUS, 0.0]}]
    return {"nodes": nodes, "meshes": meshes, "accessors": accessors}


def _primitive(binary: Binary, accessors: list[dict[str, Any]], shape: TangentMesh) -> dict[str, Any]:
    mesh = shape.mesh
    attributes = {"POSITION": mesh.positions, "NORMAL": mesh.normals, "TANGENT": shape.tangents, "TEXCOORD_0": mesh.uv}
    primitive: dict[str, Any] = {"attributes": {}, "material": 0}
    for kind, values in attributes.items():
        primitive["attributes"][kind] = len(accessors)
        accessors.append(_vertices(binary, values))
    primitive["indices"] = len(accessors)
    # Sixteen bits are enough for fewer than 65,536 vertices.
    indices = mesh.triangles.numpy().astype("<u2").reshape(-1)
    accessors.append(
        {
            "bufferView": binary.add(indices.tobytes(), INDICES),
            "componentType": UNSIGNED_SHORT,
            "count": indices.size,
            "type": "SCALAR",
        }
    )
    return primitive


def _vertices(binary: Binary, values: Tensor) -> dict[str, Any]:
    # Little-endian, as glTF has it, on machines of either order.
    packed = np.ascontiguousarray(values.to(torch.float32).numpy(), dtype="<f4")
    return {
        "bufferView": binary.add(packed.tobytes(), VERTICES),
        "componentType": FLOAT,
        "count": len(packed),
        "type": f"VEC{packed.shape[1]}",
        # Viewers frame a scene by them
        "min": packed.min(axis=0).tolist(),
        "max": packed.max(axis=0).tolist(),
    }
