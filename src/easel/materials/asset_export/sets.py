"""Texture sets as programs name and pack them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from easel.materials.asset_export.textures import OCCLUSION_ROUGHNESS_METALLIC, TextureFormat, write_texture
from easel.materials.maps import MaterialMaps


@dataclass(frozen=True)
class Slot:
    """One file of a set."""

    file: str
    """Its name without a suffix, with {name} for the material's."""
    planes: tuple[str, ...]
    """What its channels hold, of `textures.PLANES`."""
    note: str
    """What to choose where the program asks."""


SETS: dict[str, tuple[Slot, ...]] = {
    "blender": (
        # Names by which Node Wrangler's "Principled Texture Setup" knows them
        Slot("{name}_BaseColor", ("albedo",), "colour space sRGB"),
        Slot("{name}_Roughness", ("roughness",), "colour space Non-Color"),
        Slot("{name}_Metallic", ("metallic",), "colour space Non-Color"),
        Slot("{name}_Normal", ("normal",), "colour space Non-Color, through a Normal Map node"),
    ),
    "godot": (
        Slot("{name}_albedo", ("albedo",), "ORMMaterial3D, Albedo"),
        Slot("{name}_orm", OCCLUSION_ROUGHNESS_METALLIC, "ORMMaterial3D, ORM"),
        Slot("{name}_normal", ("normal",), "ORMMaterial3D, Normal Map"),
    ),
    "plain": (
        Slot("albedo", ("albedo",), "sRGB in a PNG, linear in an EXR"),
        Slot("roughness", ("roughness",), "linear"),
        Slot("metallic", ("metallic",), "linear"),
        Slot("normal", ("normal",), "linear, green is up"),
    ),
    "unity": (
        Slot("{name}_BaseMap", ("albedo",), "sRGB on"),
        # HDRP's order. URP and the built-in pipeline read metallic from its red, occlusion from its green and
        # smoothness from its alpha, so that one file serves all three.
        Slot("{name}_MaskMap", ("metallic", "white", "white", "smoothness"), "sRGB off; HDRP mask, URP metallic map"),
        Slot("{name}_Normal", ("normal",), "texture type Normal map"),
    ),
    "unreal": (
        Slot("T_{name}_BC", ("albedo",), "sRGB on"),
        Slot("T_{name}_ORM", OCCLUSION_ROUGHNESS_METALLIC, "compression Masks, sRGB off"),
        Slot("T_{name}_N", ("normal_directx",), "compression Normalmap; green is down, as Unreal has it"),
    ),
}
"""Program → its files. Green is up in normal maps but for Unreal's."""


def save_set(
    folder: Path, maps: MaterialMaps, name: str, slots: Sequence[Slot], stored: TextureFormat
) -> list[tuple[Path, str]]:
    """Write the files of a set; returns the path of each and what to choose for it."""
    return [
        (write_texture(folder, slot.file.format(name=name), maps, slot.planes, stored), slot.note) for slot in slots
    ]
