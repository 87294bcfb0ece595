"""The formats of a material, by the names that a person chooses from."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from easel.materials.asset_export.gltf import save_glb
from easel.materials.asset_export.materialx import save_materialx
from easel.materials.asset_export.sets import SETS, save_set
from easel.materials.asset_export.textures import EXR, PNG, TextureFormat, write_maps
from easel.materials.asset_export.usd import save_usd
from easel.materials.maps import MaterialMaps
from easel.viewer.canvas.recording import free_path

NAME = "material"
"""Name of the material in files and documents."""
Writer = Callable[[Path, MaterialMaps], list[Path]]
"""Writes a material into a folder; returns the files."""


def _set(program: str, stored: TextureFormat, folder: Path, maps: MaterialMaps) -> list[Path]:
    return [path for path, _ in save_set(folder, maps, NAME, SETS[program], stored)]


def _glb(folder: Path, maps: MaterialMaps) -> list[Path]:
    save_glb(folder / f"{NAME}.glb", maps, NAME)
    return [folder / f"{NAME}.glb"]


def _documents(folder: Path, maps: MaterialMaps) -> list[Path]:
    # Apart from the documents, which name them by relative paths.
    (folder / "textures").mkdir()
    files = write_maps(folder / "textures", maps, NAME)
    save_materialx(folder / f"{NAME}.mtlx", NAME, files)
    save_usd(folder / f"{NAME}.usda", NAME, files)
    return [folder / f"{NAME}.mtlx", folder / f"{NAME}.usda", *(folder / file for file in files.values())]


FORMATS: dict[str, Writer] = {
    "PNG, 8 bit": partial(_set, "plain", PNG),
    "PNG, 16 bit": partial(_set, "plain", TextureFormat(bits=16)),
    "EXR": partial(_set, "plain", EXR),
    "glTF (.glb)": _glb,
    "MaterialX and USD": _documents,
    **{program.title(): partial(_set, program, PNG) for program in SETS if program != "plain"},
}
"""Name → writer."""


def export(maps: MaterialMaps, format: str, parent: Path) -> list[Path]:
    """Write a material as one of `FORMATS` into a new folder in `parent`; returns the files."""
    folder = free_path(parent / NAME)
    folder.mkdir(parents=True)
    return FORMATS[format](folder, maps)
