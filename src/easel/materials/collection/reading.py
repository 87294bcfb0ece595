"""Texture files of one material, in whatever form a site offers them → MaterialMaps."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.codecs import decode
from easel.graphics.color import linear_to_srgb
from easel.graphics.files import FileError
from easel.graphics.image import as_picture, as_tensor, is_radiance
from easel.materials.collection.naming import Named
from easel.materials.maps import CHANNELS, MaterialMaps, unit_normals

SMALLEST = 16
"""Texels a side; less is an icon."""


@dataclass(frozen=True)
class Textures:
    """A material that was read."""

    maps: MaterialMaps
    bits: int
    """8, or 16 where one of the files has more."""
    notes: tuple[str, ...]
    """Changes that were made so that it fits."""
    unchanged: dict[str, Path]
    """Map → the file that `MaterialMaps.load` reads as it is."""


def read_textures(files: Mapping[str, Named], resize: int | None = None) -> Textures:
    """Return the maps of the files, at most `resize` texels a side; FileError where they make no material.

    Roughness may come from glossiness, roughness and metallic from packed files, a DirectX normal is turned to OpenGL,
    an EXR's albedo is encoded, and metallic is 0 without a file.
    """
    values: dict[str, Tensor] = {}
    notes: list[str] = []
    unchanged: dict[str, Path] = {}
    bits = 8
    for name, channels in CHANNELS.items():
        if name not in files:
            continue
        file = files[name]
        pixels = decode(file.path)
        if pixels.dtype != np.uint8:
            bits = 16
        stored = as_picture(as_tensor(pixels)).permute(2, 0, 1)
        if not stored.isfinite().all():
            raise FileError(f"{file.path.name!r} has values that are not finite")
        values[name], note = _READERS[name](file, stored, name)
        if note:
            notes.append(note)
        elif len(stored) >= channels:
            unchanged[name] = file.path
    height, width = values["albedo"].shape[-2:]
    shapes = ", ".join(f"{name} {value.shape[-2]} x {value.shape[-1]}" for name, value in values.items())
    if any(value.shape[-2] != value.shape[-1] for value in values.values()) or height < SMALLEST:
        raise FileError(f"its maps are square and have {SMALLEST} texels a side or more; got {shapes}")
    if any(value.shape[-1] != width for value in values.values()):
        notes.append(f"brought to one size: {shapes}")
        values = {name: _resized(value, width) for name, value in values.items()}
        unchanged = {}
    if "metallic" not in values:
        notes.append("no metallic map: 0")
        values["metallic"] = torch.zeros(1, height, width)
    maps = MaterialMaps(**{**values, "normal": unit_normals(values["normal"])})
    if resize is not None and width > resize:
        notes.append(f"resized from {width} to {resize}")
        maps = maps.resize((resize, resize))
        unchanged = {}
    return Textures(maps, bits, tuple(notes), unchanged)


def _grey(file: Named, stored: Float[Tensor, "c h w"], name: str) -> tuple[Float[Tensor, "1 h w"], str]:
    channel = file.usage.channels[name]
    if channel is not None:
        if len(stored) < 3:
            raise FileError(f"{file.path.name!r} is grey; a packed file has three channels")
        return stored[channel : channel + 1].clamp(0, 1), f"{name} from {_CHANNELS[channel]} of {file.path.name}"
    grey = stored[:1].clamp(0, 1)
    return (1 - grey, f"{name} is 1 - {file.path.name}") if file.usage.inverted else (grey, "")


def _colour(file: Named, stored: Float[Tensor, "c h w"], name: str) -> tuple[Float[Tensor, "3 h w"], str]:
    colour = stored[:3] if len(stored) >= 3 else stored[:1].expand(3, -1, -1)
    return (linear_to_srgb(colour) if is_radiance(file.path) else colour).clamp(0, 1).contiguous(), ""


def _vectors(file: Named, stored: Float[Tensor, "c h w"], name: str) -> tuple[Float[Tensor, "3 h w"], str]:
    """Return vectors, not yet of unit length."""
    if len(stored) < 3:
        raise FileError(f"{file.path.name!r} is grey; a normal map has three channels")
    vectors = stored[:3] if stored[:3].min() < 0 else 2 * stored[:3] - 1
    # In tangent space nearly all normals point out of the surface
    if vectors[2].mean() < 0.2:
        raise FileError(f"{file.path.name!r} is no normal map in tangent space: its blue is too dark")
    if not file.usage.directx:
        return vectors, ""
    return vectors * torch.tensor([1.0, -1.0, 1.0])[:, None, None], f"green of {file.path.name} turned up"


_READERS = {"albedo": _colour, "roughness": _grey, "metallic": _grey, "normal": _vectors}
_CHANNELS = ("red", "green", "blue")


def _resized(values: Float[Tensor, "c h w"], size: int) -> Float[Tensor, "c size size"]:
    return torch.nn.functional.interpolate(values[None], (size, size), mode="bilinear", antialias=True)[0]
