"""Texture sets: what programs find in the channels of each file."""

import pytest
import torch

from easel.graphics.image import imread
from easel.materials.asset_export.sets import SETS, save_set
from easel.materials.asset_export.textures import EXR, PNG, TextureFormat
from easel.materials.collection.importing import ImportOptions, import_each
from easel.materials.collection.procedural import procedural
from easel.materials.maps import MaterialMaps

STEP = 1.01 / 255


@pytest.fixture(scope="module")
def maps():
    return procedural(0, 32, "rusted_metal")


def same(found, true, within=STEP):
    return all((found[name] - true[name]).abs().max() < within for name in true)


def test_unity_reads_smoothness_from_alpha(maps, tmp_path):
    save_set(tmp_path, maps, "rust", SETS["unity"], PNG)
    mask = imread(tmp_path / "rust_MaskMap.png").permute(2, 0, 1)
    metallic, occlusion, _, smoothness = mask.split(1)
    assert (metallic - maps.metallic).abs().max() < STEP and (occlusion == 1).all()
    assert (smoothness - (1 - maps.roughness)).abs().max() < STEP


def test_green_is_down_for_unreal_and_up_for_others(maps, tmp_path):
    for program, file in (("unreal", "T_rust_N"), ("godot", "rust_normal"), ("unity", "rust_Normal")):
        save_set(tmp_path, maps, "rust", SETS[program], PNG)
        green = imread(tmp_path / f"{file}.png", channels=3)[..., 1] * 2 - 1
        sign = -1 if program == "unreal" else 1
        assert (green - sign * maps.normal[1]).abs().max() < 2 * STEP


@pytest.mark.parametrize("program", ["blender", "godot", "unreal"])
def test_a_set_comes_back_by_import(program, maps, tmp_path):
    save_set(tmp_path / "set", maps, "rust", SETS[program], PNG)
    (result,) = import_each(tmp_path / "set", tmp_path / "library", ImportOptions())
    # The name of Unreal's file does not say which way its green points
    normal = "directx" if program == "unreal" else "opengl"
    found = MaterialMaps.load(tmp_path / "library" / result.name, normal=normal)
    assert same(found, maps, 2.5 * STEP)


@pytest.mark.parametrize(("stored", "within"), [(PNG, 2 * STEP), (TextureFormat(bits=16), 3 / 65535), (EXR, 2e-3)])
def test_plain_files_come_back_as_they_were(stored, within, maps, exr, tmp_path):
    save_set(tmp_path, maps, "rust", SETS["plain"], stored)
    assert same(MaterialMaps.load(tmp_path), maps, within)


def test_names_tell_the_material(maps, tmp_path):
    for program, slots in SETS.items():
        written = save_set(tmp_path / program, maps, "rust", slots, PNG)
        assert len({path for path, _ in written}) == len(slots) and all(note for _, note in written)
        assert all(path.is_file() and ("rust" in path.name or program == "plain") for path, _ in written)
    assert torch.equal(imread(tmp_path / "unreal" / "T_rust_ORM.png"), imread(tmp_path / "godot" / "rust_orm.png"))
