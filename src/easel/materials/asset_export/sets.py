"""Texture sets as programs name and pack them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from easel.materials.asset_export.textures import OCCLUSION_ROUGHNESS_METALLIC, TextureFormat, write_texture
from easel.materials.maps import MaterialMaps


@dataclass(frozen=True)
class TextureSlot:
    """One file of a set."""

    file: str
    """Its name without a suffix, with {name} for the material's."""
    planes: tuple[str, ...]
    """Planes in its channels, of `textures.PLANES`."""
    note: str
    """Setting to choose where the program asks."""


SETS: dict[str, tuple[TextureSlot, ...]] = {
    "blender": (
        # Names by which Node Wrangler's "Principled Texture Setup" knows them
        TextureSlot("{name}_BaseColor", ("albedo",), "colour space sRGB"),
        TextureSlot("{name}_Roughness", ("roughness",), "colour space Non-Color"),
        TextureSlot("{name}_Metallic", ("metallic",), "colour space Non-Color"),
        TextureSlot("{name}_Normal", ("normal",), "colour space Non-Color, through a Normal Map node"),
    ),
    "godot": (
        TextureSlot("{name}_albedo", ("albedo",), "ORMMaterial3D, Albedo"),
        TextureSlot("{name}_orm", OCCLUSION_ROUGHNESS_METALLIC, "ORMMaterial3D, ORM"),
        TextureSlot("{name}_normal", ("normal",), "ORMMaterial3D, Normal Map"),
    ),
    "plain": (
        TextureSlot("albedo", ("albedo",), "sRGB in a PNG, linear in an EXR"),
        TextureSlot("roughness", ("roughness",), "linear"),
        TextureSlot("metallic", ("metallic",), "linear"),
        TextureSlot("normal", ("normal",), "linear, green is up"),
    ),
    "unity": (
        TextureSlot("{name}_BaseMap", ("albedo",), "sRGB on"),
        # HDRP's order. URP and the built-in pipeline read metallic from its red, occlusion from its green and
        # smoothness from its alpha, so that one file serves all three.
        TextureSlot(
            "{name}_MaskMap", ("metallic", "white", "white", "smoothness"), "sRGB off; HDRP mask, URP metallic map"
        ),
        TextureSlot("{name}_Normal", ("normal",), "texture type Normal map"),
    ),
    "unreal": (
        TextureSlot("T_{name}_BC", ("albedo",), "sRGB on"),
        TextureSlot("T_{name}_ORM", OCCLUSION_ROUGHNESS_METALLIC, "compression Masks, sRGB off"),
        TextureSlot("T_{name}_N", ("normal_directx",), "compression Normalmap; green is down, as Unreal has it"),
    ),
}
"""Program → its files. Green is up in normal maps but for Unreal's."""


def save_set(
    folder: Path, maps: MaterialMaps, name: str, slots: Sequence[TextureSlot], stored: TextureFormat
) -> list[tuple[Path, str]]:
    """Write the files of a set; returns the path of each and what to choose for it."""
    return [
        (write_texture(folder, slot.file.format(name=name), maps, slot.planes, stored), slot.note) for slot in slots
    ]
