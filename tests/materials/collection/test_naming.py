"""What file names of texture sites mean."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easel.materials.collection.naming import classify, slug


def maps_of(*names: str) -> dict[str, str]:
    """File → its maps, as one word; a channel as a digit, ! for inverted, v for green down."""
    return {
        named.path.name: " ".join(
            f"{wanted}{'' if channel is None else channel}{'!' * named.usage.inverted}{'v' * named.usage.directx}"
            for wanted, channel in named.usage.channels.items()
        )
        for named in classify([Path(name) for name in names])
    }


ALONE = {
    "basecolor.png": "albedo",
    "Base_Color.png": "albedo",
    "base colour.tif": "albedo",
    "T_Rock_BC.tga": "albedo",
    "brick_wall_02_diff_1k.jpg": "albedo",
    "Bricks001_1K-PNG_Color.png": "albedo",
    "wood.diffuse.jpg": "albedo",
    "metalness.png": "metallic",
    "Metal049A_2K-JPG_Metalness.jpg": "metallic",
    "plate_MTL.png": "metallic",
    "plate_metalic.png": "metallic",
    "rusty_metal_02_metal_4k.exr": "metallic",
    "rough.png": "roughness",
    "rough_wood_rough_2k.jpg": "roughness",
    "Bark_RGH.png": "roughness",
    "metal_plate_glossiness.png": "roughness!",
    "ice-gloss.png": "roughness!",
    "Normals.png": "normal",
    "T_Rock_N.png": "normal",
    "rock_nrm.png": "normal",
    "Bricks001_1K-PNG_NormalGL.png": "normal",
    "Bricks001_1K-PNG_NormalDX.png": "normalv",
    "brick_wall_02_nor_gl_1k.exr": "normal",
    "brick_wall_02_nor_dx_1k.png": "normalv",
    "rough-planks-normal-ogl.png": "normal",
    "stone_Normal_OpenGL.png": "normal",
    "stone_Normal_DirectX.png": "normalv",
    "brick_wall_02_arm_1k.png": "roughness1 metallic2",
    "T_Rock_ORM.png": "roughness1 metallic2",
    "Mat_OcclusionRoughnessMetallic.png": "roughness1 metallic2",
    "Mat_metallicRoughness.png": "roughness1 metallic2",
    "T_Rock_RMA.png": "roughness0 metallic1",
    "robot_albedo_1001.png": "albedo",
    "robot.normal.1002.exr": "normal",
    "ALBEDO.PNG": "albedo",
}


@pytest.mark.parametrize(("name", "meaning"), ALONE.items())
def test_one_name(name, meaning):
    assert maps_of(name) == {name: meaning}


@pytest.mark.parametrize(
    "name",
    [
        "brick_wall_02_disp_1k.png",
        "Bricks001_1K-PNG_AmbientOcclusion.png",
        "wood_ao.png",
        "metal_plate_height.png",
        "rough_wood_preview.jpg",
        "Opacity.png",
        "normal_mask.png",
        "Bricks001.png",
        "photo.jpg",
        "...png",
    ],
)
def test_other_maps_and_previews_are_no_map(name):
    assert maps_of(name) == {}


def test_words_of_the_material_are_not_the_map():
    names = ("albedo_metal.png", "rough_metal.png", "normal_metal.png", "metallic_metal.png")
    assert list(maps_of(*names).values()) == ["albedo", "roughness", "normal", "metallic"]
    # the picture of the whole material beside its maps is not taken for one
    names = ("rusty_metal.png", "rusty_metal_albedo.png", "rusty_metal_metalness.png")
    assert list(maps_of(*names).values()) == ["albedo", "metallic"]


def test_a_udim_tile_keeps_its_number():
    first, second = classify([Path("robot_albedo.1001.png"), Path("robot_normal.1002.png")])
    assert (first.udim, second.udim, first.material) == (1001, 1002, "robot")


def test_preference_is_by_content_then_resolution_then_length():
    def best(*names: str) -> str:
        return min(classify([Path(name) for name in names]), key=lambda named: named.preference()).path.name

    assert best("diffuse.png", "basecolor.png") == "basecolor.png"
    assert best("x_nor_dx_4k.png", "x_nor_gl_1k.png") == "x_nor_gl_1k.png"
    assert best("x_diff_1k.png", "x_diff_4k.png") == "x_diff_4k.png"
    assert best("x_albedo_copy.png", "x_albedo.png") == "x_albedo.png"


@given(st.text(max_size=200))
def test_a_slug_is_a_plain_name(name):
    made = slug(name)
    assert made == slug(made)
    assert 1 <= len(made) <= 81
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
    assert made not in ("con", "nul", "aux")


def test_slugs():
    assert slug("../../etc/passwd") == "etc_passwd"
    assert slug("CON") == "con_"
    assert slug("木材") == "material"
