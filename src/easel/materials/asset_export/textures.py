"""Texture files for other programs: which planes of the maps stand in their channels, and how they are stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.codecs import encode
from easel.graphics.image import imwrite
from easel.materials.maps import MAP_NAMES, MaterialMaps


@dataclass(frozen=True)
class TextureFormat:
    """File format of a texture."""

    suffix: str = ".png"
    bits: int = 8
    """Per channel; those of an .exr are half floats."""

    @property
    def linear(self) -> bool:
        """True if colours are stored as light, not sRGB-encoded."""
        return self.suffix == ".exr"


PNG = TextureFormat()
EXR = TextureFormat(".exr", 16)

PLANES: dict[str, Callable[[MaterialMaps], Tensor]] = {
    **{name: itemgetter(name) for name in MAP_NAMES},
    "smoothness": lambda maps: 1 - maps.roughness,
    "normal": lambda maps: maps.normal / 2 + 0.5,
    "normal_directx": lambda maps: maps.normal * maps.normal.new_tensor([0.5, -0.5, 0.5])[:, None, None] + 0.5,
    # Where a program looks for ambient occlusion, or for where details show: everything is open, they show everywhere
    "white": lambda maps: torch.ones_like(maps.roughness),
}
"""Plane → its values, all in [0,1] and in the order of its channels: green is up in "normal" and down in
"normal_directx"."""

OCCLUSION_ROUGHNESS_METALLIC = ("white", "roughness", "metallic")
"""Red, green and blue as glTF and most engines pack them."""


def texture(maps: MaterialMaps, planes: Sequence[str], stored: TextureFormat = PNG) -> Float[Tensor, "h w c"]:
    """Lay planes of one material side by side, as the channels of a file hold them."""
    # Here, where the reason can be said: imwrite would speak of dimensions.
    if maps.albedo.ndim != 3:
        raise ValueError(f"one material is handed over; this is a batch {tuple(maps.albedo.shape)}. Use unstack.")
    # EXR holds light: viewers take floats as linear.
    source = PLANES | {"albedo": lambda maps: maps.albedo_linear} if stored.linear else PLANES
    return torch.cat([source[plane](maps.detach()) for plane in planes]).permute(1, 2, 0)


def write_texture(folder: Path, stem: str, maps: MaterialMaps, planes: Sequence[str], stored: TextureFormat) -> Path:
    """Write a texture of these planes whole; returns its path, the stem with the format's suffix."""
    path = folder / f"{stem}{stored.suffix}"
    imwrite(path, texture(maps, planes, stored), bits=stored.bits)
    return path


def write_maps(folder: Path, maps: MaterialMaps, name: str, stored: TextureFormat = PNG) -> dict[str, str]:
    """Write a file for each map; returns map → its path as a document beside the folder names it."""
    return {
        kind: f"{folder.name}/{write_texture(folder, f'{name}_{kind}', maps, (kind,), stored).name}"
        for kind in MAP_NAMES
    }


def texture_bytes(maps: MaterialMaps, planes: Sequence[str], stored: TextureFormat) -> bytes:
    """Encode the same file in memory."""
    pixels = texture(maps, planes, stored).cpu().contiguous().numpy()
    return encode(pixels, stored.suffix, bits=stored.bits)
