"""`easel materials convert`: finished maps leave for other programs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import FlagCreatePairsOff, Positional

from easel.console import BadInput, prepare_folder, require_folder, suggestion
from easel.graphics.checked_record import Range

if TYPE_CHECKING:
    from easel.materials.maps import MaterialMaps

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")


@dataclass(frozen=True)
class ConvertConfig:
    """Write a material for other programs; without a choice as glTF, MaterialX and USD.

    Roughness and metallic are stored as they are, albedo is sRGB-encoded in PNG and linear in EXR files, and green is
    up in normal maps but for Unreal's.
    """

    maps_dir: Annotated[Positional[Path], tyro.conf.arg(metavar="MAPS_DIR")]
    """Folder with albedo.png, normal.png, roughness.png and metallic.png."""
    out: Path = Path("easel-out")
    """Folder for what is written."""
    name: str | None = None
    """Of the material and its files: letters, digits and underscores. MAPS_DIR's if it is not given."""
    gltf: Annotated[bool, FlagCreatePairsOff] = False
    """Write NAME.glb: a ball on a plane, with everything in one file."""
    gltf_separate: Annotated[bool, FlagCreatePairsOff] = False
    """Write the same as NAME.gltf, NAME.bin and textures."""
    materialx: Annotated[bool, FlagCreatePairsOff] = False
    """Write NAME.mtlx and textures."""
    materialx_shader: Literal["gltf_pbr", "open_pbr_surface", "standard_surface"] = "standard_surface"
    """Shader node of NAME.mtlx."""
    usd: Annotated[bool, FlagCreatePairsOff] = False
    """Write NAME.usda, a UsdPreviewSurface on a plane, and textures."""
    sets: Annotated[tuple[str, ...], tyro.conf.arg(name="set", metavar="PROGRAM ...")] = ()
    """Write textures as programs name and pack them, a folder each: blender, godot, plain, unity, unreal."""
    bits: Literal[8, 16] = 8
    """Of PNG files."""
    exr: Annotated[bool, FlagCreatePairsOff] = False
    """Write half-float EXR instead of PNG, but for glTF, which knows no EXR (extra exr)."""
    normal: Literal["opengl", "directx"] = "opengl"
    """Green is up (opengl) or down (directx) in MAPS_DIR's normal map."""
    repeats: Annotated[float, Range(0, 64, above=True)] = 2.0
    """Tiles across the plane, and around half the ball."""


def convert(config: ConvertConfig) -> int:
    """Write what is asked for and say what it is; returns 0."""
    require_folder(config.maps_dir, "MAPS_DIR")
    # Imported after the checks: help and mistakes must not wait for torch.
    from easel.materials.asset_export.sets import SETS
    from easel.materials.maps import MaterialMaps

    # All names before the first file: a typo must not leave half of the sets.
    for program in config.sets:
        if program not in SETS:
            raise BadInput(f"unknown --set {program!r}.{suggestion(program, SETS)} Known: {', '.join(SETS)}.")
    name = _name(config)
    maps = MaterialMaps.load(config.maps_dir, normal=config.normal)
    prepare_folder(config.out)
    for path, note in _written(config, maps, name):
        print(f"wrote {path}: {note}")
    return 0


def _name(config: ConvertConfig) -> str:
    from easel.materials.collection.naming import slug

    # USD and MaterialX take identifiers alone, which folder names need not be.
    if config.name is None:
        name = slug(config.maps_dir.resolve().name)
        return name if _NAME.fullmatch(name) else f"material_{name}"[:80]
    if not _NAME.fullmatch(config.name):
        raise BadInput(f"--name is a letter and up to 79 letters, digits and underscores; got {config.name!r:.100}.")
    return config.name


def _written(config: ConvertConfig, maps: "MaterialMaps", name: str) -> Iterator[tuple[Path, str]]:
    """Write one thing after the other: its path, and what to know about it."""
    from easel.materials.asset_export.gltf import save_glb, save_gltf
    from easel.materials.asset_export.materialx import save_materialx
    from easel.materials.asset_export.sets import SETS, save_set
    from easel.materials.asset_export.textures import EXR, TextureFormat, write_maps
    from easel.materials.asset_export.usd import save_usd

    stored = EXR if config.exr else TextureFormat(bits=config.bits)
    everything = not (config.gltf or config.gltf_separate or config.materialx or config.usd or config.sets)
    if config.gltf or everything:
        path = config.out / f"{name}.glb"
        save_glb(path, maps, name, repeats=config.repeats, bits=config.bits)
        yield path, "glTF 2.0 in one file"
    if config.gltf_separate:
        path = config.out / f"{name}.gltf"
        save_gltf(path, maps, name, repeats=config.repeats, bits=config.bits)
        yield path, f"glTF 2.0, with {name}.bin and textures beside it"
    # MaterialX and USD share one set of textures.
    over_files = config.materialx or config.usd or everything
    files = write_maps(config.out / "textures", maps, name, stored) if over_files else {}
    if config.materialx or everything:
        path = config.out / f"{name}.mtlx"
        save_materialx(path, name, files, shader=config.materialx_shader, linear=stored.linear)
        yield path, f"MaterialX 1.39, {config.materialx_shader}, with textures beside it"
    if config.usd or everything:
        path = config.out / f"{name}.usda"
        save_usd(path, name, files, repeats=config.repeats, linear=stored.linear)
        yield path, "USD, UsdPreviewSurface, with textures beside it"
    for program in config.sets:
        yield from save_set(config.out / program, maps, name, SETS[program], stored)
