"""MaterialX documents, checked by MaterialX."""

import pytest

from easel.materials.asset_export.materialx import SHADERS, save_materialx
from easel.materials.asset_export.textures import EXR, PNG, write_maps
from easel.materials.collection.procedural import procedural


def read(materialx, path):
    """The document, after MaterialX found it valid."""
    library, document = materialx.createDocument(), materialx.createDocument()
    materialx.loadLibraries(materialx.getDefaultDataLibraryFolders(), materialx.getDefaultDataSearchPath(), library)
    materialx.readFromXmlFile(document, str(path))
    document.setDataLibrary(library)
    assert document.validate() == (True, "")
    return document


@pytest.mark.parametrize("shader", SHADERS)
def test_materialx_takes_it(shader, materialx, tmp_path):
    files = write_maps(tmp_path / "textures", procedural(0, 8), "brick")
    save_materialx(tmp_path / "brick.mtlx", "brick", files, shader=shader)
    document = read(materialx, tmp_path / "brick.mtlx")
    node = document.getNode("brick_shader")
    definition = node.getNodeDef()
    assert definition.getNodeString() == shader
    for entry in node.getInputs():
        # Validation lets inputs pass that no shader has
        assert definition.getActiveInput(entry.getName()).getType() == entry.getType()
        assert entry.getConnectedNode().getNodeDef()
    assert document.getNode("brick_bump").getNodeDef().getNodeString() == "normalmap"
    assert document.getNode("brick").getConnectedNode("surfaceshader").getName() == "brick_shader"
    for image in document.getNodes("image"):
        assert (tmp_path / image.getInputValue("file")).is_file()
        assert image.getInputValue("uaddressmode") == image.getInputValue("vaddressmode") == "periodic"


@pytest.mark.parametrize(("stored", "space"), [(PNG, "srgb_texture"), (EXR, "lin_rec709")])
def test_colour_spaces_are_those_of_the_files(stored, space, materialx, exr, tmp_path):
    files = write_maps(tmp_path / "textures", procedural(0, 8), "brick", stored)
    save_materialx(tmp_path / "brick.mtlx", "brick", files, linear=stored.linear)
    document = read(materialx, tmp_path / "brick.mtlx")
    assert document.getNode("brick_albedo").getInput("file").getActiveColorSpace() == space
    for kind in ("roughness", "metallic", "normal"):
        assert not document.getNode(f"brick_{kind}").getInput("file").hasColorSpace()
