"""USD layers, checked by USD's own validators."""

import importlib

import pytest

from easel.materials.asset_export.textures import EXR, PNG, write_maps
from easel.materials.asset_export.usd import save_usd
from easel.materials.collection.procedural import procedural


@pytest.mark.slow
@pytest.mark.parametrize(("stored", "space"), [(PNG, "sRGB"), (EXR, "raw")])
def test_usd_takes_it(stored, space, usd, exr, tmp_path):
    files = write_maps(tmp_path / "textures", procedural(0, 8), "brick", stored)
    path = tmp_path / "brick.usda"
    save_usd(path, "brick", files, repeats=3, linear=stored.linear)
    stage = importlib.import_module("pxr.Usd").Stage.Open(str(path))
    validation = importlib.import_module("pxr.UsdValidation")
    registry = validation.ValidationRegistry()
    validators = registry.GetOrLoadValidatorsByName([entry.name for entry in registry.GetAllValidatorMetadata()])
    assert len(validators) > 10
    assert [error.GetMessage() for error in validation.ValidationContext(validators).Validate(stage)] == []

    shade = importlib.import_module("pxr.UsdShade")
    plane = stage.GetPrimAtPath("/brick/plane")
    material, _ = shade.MaterialBindingAPI(plane).ComputeBoundMaterial()
    surface = material.ComputeSurfaceSource()[0]
    found = {}
    for entry in surface.GetInputs():
        if entry.HasConnectedSource():
            texture = shade.Shader(entry.GetConnectedSources()[0][0].source.GetPrim())
            found[entry.GetBaseName()] = {part.GetBaseName(): part.Get() for part in texture.GetInputs()}
    assert set(found) == {"diffuseColor", "roughness", "metallic", "normal"}
    assert all((tmp_path / inputs["file"].path).is_file() for inputs in found.values())
    assert all(inputs["wrapS"] == inputs["wrapT"] == "repeat" for inputs in found.values())
    spaces = {name: inputs["sourceColorSpace"] for name, inputs in found.items()}
    assert spaces == {"diffuseColor": space, "roughness": "raw", "metallic": "raw", "normal": "raw"}
    assert tuple(found["normal"]["scale"]) == (2, 2, 2, 1) and tuple(found["normal"]["bias"]) == (-1, -1, -1, 0)
