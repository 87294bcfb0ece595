"""A material as a MaterialX 1.39 document over texture files."""

from collections.abc import Mapping
from pathlib import Path

from easel.graphics.files import write_whole

USUAL_INPUTS = {
    "albedo": "base_color",
    "roughness": "specular_roughness",
    "metallic": "metalness",
    "normal": "normal",
}
SHADERS = {
    "gltf_pbr": USUAL_INPUTS | {"roughness": "roughness", "metallic": "metallic"},
    "open_pbr_surface": USUAL_INPUTS | {"metallic": "base_metalness", "normal": "geometry_normal"},
    "standard_surface": USUAL_INPUTS,
}
"""Node → map → its input. All three square the roughness and give dielectrics an index of refraction of 1.5."""

TYPES = {"albedo": "color3", "roughness": "float", "metallic": "float", "normal": "vector3"}


def save_materialx(
    path: Path, name: str, files: Mapping[str, str], *, shader: str = "standard_surface", linear: bool = False
) -> None:
    """Write the document over texture files: map → path beside it, as `textures.write_maps` returns them.

    `shader` is one of `SHADERS`; `linear` says that the albedo's file is not sRGB-encoded.
    """
    with write_whole(path) as partial:
        partial.write_text(document(name, shader, files, linear=linear), encoding="utf-8")


def document(name: str, shader: str, files: Mapping[str, str], *, linear: bool) -> str:
    """Return the document's text; maps that the shader has no input for are left out."""
    inputs_by_map = SHADERS[shader]
    files = {kind: file for kind, file in files.items() if kind in inputs_by_map}
    # Only colours have a space; floats and vectors are taken as they are stored
    spaces = {"albedo": f' colorspace="{"lin_rec709" if linear else "srgb_texture"}"'}
    images = "".join(
        f'  <image name="{name}_{kind}" type="{TYPES[kind]}">\n'
        f'    <input name="file" type="filename" value="{file}"{spaces.get(kind, "")} />\n'
        '    <input name="uaddressmode" type="string" value="periodic" />\n'
        '    <input name="vaddressmode" type="string" value="periodic" />\n'
        "  </image>\n"
        for kind, file in files.items()
    )
    # Tangent space, green up, is what a normalmap takes without being told
    sources = {kind: f"{name}_{kind}" for kind in files} | {"normal": f"{name}_bump"}
    inputs = "".join(
        f'    <input name="{inputs_by_map[kind]}" type="{TYPES[kind]}" nodename="{source}" />\n'
        for kind, source in sources.items()
    )
    return (
        '<?xml version="1.0"?>\n'
        '<materialx version="1.39" colorspace="lin_rec709">\n'
        f"{images}"
        f'  <normalmap name="{name}_bump" type="vector3">\n'
        f'    <input name="in" type="vector3" nodename="{name}_normal" />\n'
        "  </normalmap>\n"
        f'  <{shader} name="{name}_shader" type="surfaceshader">\n'
        f"{inputs}"
        f"  </{shader}>\n"
        f'  <surfacematerial name="{name}" type="material">\n'
        f'    <input name="surfaceshader" type="surfaceshader" nodename="{name}_shader" />\n'
        "  </surfacematerial>\n"
        "</materialx>\n"
    )
