"""A material as a USD layer in text: a UsdPreviewSurface over texture files, on a sheet to look at."""

from collections.abc import Mapping
from pathlib import Path

from easel.graphics.files import write_whole
from easel.materials.asset_export.meshes import Number
from easel.materials.rendering.plane_camera import TILE_SIDE

INPUTS = {
    "albedo": ("color3f", "diffuseColor", "rgb"),
    "roughness": ("float", "roughness", "r"),
    "metallic": ("float", "metallic", "r"),
    "normal": ("normal3f", "normal", "rgb"),
}
"""Map → type and name of UsdPreviewSurface's input, and what of the texture goes there."""
OUTPUT_TYPES = {"rgb": "float3", "r": "float"}


def save_usd(path: Path, name: str, files: Mapping[str, str], *, repeats: Number = 2, linear: bool = False) -> None:
    """Write the layer over texture files: map → path beside it, as `textures.write_maps` returns them.

    `linear` says that the albedo's file is not sRGB-encoded; the sheet shows `repeats` tiles each way.
    """
    with write_whole(path) as partial:
        partial.write_text(layer(name, files, repeats=repeats, linear=linear), encoding="utf-8")


def layer(name: str, files: Mapping[str, str], *, repeats: Number, linear: bool) -> str:
    """Return the layer's text."""
    material = f"/{name}/material"
    inputs = "".join(
        f"            {kind} inputs:{called}.connect = <{material}/{source}.outputs:{channels}>\n"
        for source, (kind, called, channels) in INPUTS.items()
    )
    textures = "".join(_texture(material, kind, file, linear) for kind, file in files.items() if kind in INPUTS)
    return f"""#usda 1.0
(
    defaultPrim = "{name}"
    metersPerUnit = 1
    upAxis = "Y"
)

def Xform "{name}" (
    kind = "component"
)
{{
    def Material "material"
    {{
        token outputs:surface.connect = <{material}/surface.outputs:surface>

        def Shader "surface"
        {{
            uniform token info:id = "UsdPreviewSurface"
{inputs}            float inputs:ior = 1.5
            int inputs:useSpecularWorkflow = 0
            token outputs:surface
        }}

        def Shader "uv"
        {{
            uniform token info:id = "UsdPrimvarReader_float2"
            string inputs:varname = "st"
            float2 outputs:result
        }}
{textures}    }}
{_sheet(material, repeats)}}}
"""


def _texture(material: str, kind: str, file: str, linear: bool) -> str:
    channels = INPUTS[kind][2]
    space = "sRGB" if kind == "albedo" and not linear else "raw"
    # [0,1] of the file → [-1,1] of a vector
    unpacked = (
        """
            float4 inputs:scale = (2, 2, 2, 1)
            float4 inputs:bias = (-1, -1, -1, 0)"""
        if kind == "normal"
        else ""
    )
    return f"""
        def Shader "{kind}"
        {{
            uniform token info:id = "UsdUVTexture"
            asset inputs:file = @{file}@
            float2 inputs:st.connect = <{material}/uv.outputs:result>
            token inputs:sourceColorSpace = "{space}"{unpacked}
            token inputs:wrapS = "repeat"
            token inputs:wrapT = "repeat"
            {OUTPUT_TYPES[channels]} outputs:{channels}
        }}
"""


def _sheet(material: str, repeats: Number) -> str:
    """Return the text of a square that faces +Y; st (0, 0) is the lower left of a tile."""
    half = repeats * TILE_SIDE / 2
    low = (1 - repeats) / 2
    high = (1 + repeats) / 2
    # Counter-clockwise from above: the face looks up.
    signs = ((-1, 1), (1, 1), (1, -1), (-1, -1))
    points = ", ".join(f"({x * half:g}, 0, {z * half:g})" for x, z in signs)
    st = ", ".join(f"({high if x > 0 else low:g}, {high if z < 0 else low:g})" for x, z in signs)
    return f"""
    def Mesh "plane" (
        prepend apiSchemas = ["MaterialBindingAPI"]
    )
    {{
        float3[] extent = [({-half:g}, 0, {-half:g}), ({half:g}, 0, {half:g})]
        int[] faceVertexCounts = [4]
        int[] faceVertexIndices = [0, 1, 2, 3]
        rel material:binding = <{material}>
        normal3f[] normals = [(0, 1, 0), (0, 1, 0), (0, 1, 0), (0, 1, 0)] (
            interpolation = "vertex"
        )
        point3f[] points = [{points}]
        texCoord2f[] primvars:st = [{st}] (
            interpolation = "vertex"
        )
        uniform token subdivisionScheme = "none"
    }}
"""
