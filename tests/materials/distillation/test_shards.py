"""Stored answers: what is written comes back, a part at a time, and whatever was changed is found and named."""

import json
import shutil

import pytest
import torch

from easel.graphics.files import FileError
from easel.materials.distillation import shards
from easel.materials.distillation.shards import Origin, Shards, shard_name, write_index, write_shard
from easel.materials.maps import MAP_NAMES, MaterialMaps, unit_normals

SIDE = 8
NAMES = ["sample_0000/clean", "sample_0000/dirty", "sample_0007/clean"]


def origin(**changes) -> Origin:
    facts = {"teacher_sha256": "t", "config_sha256": "c", "dataset_sha256": "d", "split_seed": 42, "val_ratio": 0.1}
    return Origin(**facts | {"height": SIDE, "width": SIDE, "form": "float16"} | changes)


def materials() -> dict[str, MaterialMaps]:
    generator = torch.Generator().manual_seed(0)
    found = {}
    for name in NAMES:
        values = torch.rand(8, SIDE, SIDE, generator=generator)
        up = torch.tensor([0.0, 0.0, 1.0])[:, None, None]
        found[name] = MaterialMaps(values[:3], values[3:4], values[4:5], unit_normals(values[5:] - 0.5 + up))
    return found


def fill(folder, form="float16"):
    """Two samples in the first shard, one in the second."""
    said = {name: ("photos", maps) for name, maps in materials().items()}
    write_shard(folder / shard_name(0), origin(form=form), {name: said[name] for name in NAMES[:2]})
    write_shard(folder / shard_name(1), origin(form=form), {NAMES[2]: said[NAMES[2]]})
    write_index(folder, origin(form=form))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    fill(folder)
    return folder


@pytest.fixture
def folder(written, tmp_path):
    """A copy to be spoilt."""
    return shutil.copytree(written, tmp_path / "shards")


@pytest.mark.parametrize(("form", "tolerance"), [("float16", 6e-4), ("uint8", 9e-3)])
def test_what_is_written_comes_back(tmp_path, form, tolerance):
    fill(tmp_path, form)
    kept = Shards(tmp_path)
    assert len(kept) == 3 and kept.origin == origin(form=form)
    for name, maps in materials().items():
        back = kept.read(name)
        assert all((back[key] - maps[key]).abs().max() < tolerance for key in MAP_NAMES)
        assert torch.allclose(back.normal.norm(dim=0), torch.ones(SIDE, SIDE), atol=1e-6)


def test_the_index_says_all_that_a_stranger_needs(written):
    index = json.loads((written / "index.json").read_text())
    assert index["schema"] == 1 and index["dtype"] == "float16"
    assert index["shapes"] == {"albedo": [3, 8, 8], "roughness": [1, 8, 8], "metallic": [1, 8, 8], "normal": [3, 8, 8]}
    assert index["colour_space"]["albedo"] == "sRGB"
    assert len(index["shards"]["shard_00000.safetensors"]["sha256"]) == 64
    assert set(index["shards"]["shard_00001.safetensors"]["samples"]["sample_0007/clean"]["crc32"]) == set(MAP_NAMES)


@pytest.mark.parametrize("place", [0.02, 0.3, 0.6, 0.99])
def test_a_flipped_bit_is_found_and_named(folder, place):
    path = folder / shard_name(0)
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 4
    path.write_bytes(data)
    with pytest.raises(FileError, match=r"shard_00000\.safetensors.* was altered"):
        Shards(folder)


def test_a_bit_that_flips_later_is_found_as_it_is_read(folder):
    kept = Shards(folder)
    path = folder / shard_name(0)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    fine, spoilt = [], []
    for name in NAMES[:2]:
        try:
            kept.read(name)
            fine.append(name)
        except FileError as error:
            spoilt.append(str(error))
    assert len(fine) == 1 and len(spoilt) == 1  # a sample is read without the others
    assert "was altered" in spoilt[0] and "sample_0000/" in spoilt[0]


def test_what_is_missing_cut_short_or_exchanged_is_named(folder):
    kept = Shards(folder)
    with pytest.raises(FileError, match="sample_0099/clean"):
        kept.read("sample_0099/clean")
    other = (folder / shard_name(1)).read_bytes()
    (folder / shard_name(0)).write_bytes(other)
    with pytest.raises(FileError, match="shard_00000"):
        kept.read(NAMES[0])
    with pytest.raises(FileError, match=r"shard_00000.* bytes, not"):
        Shards(folder)
    (folder / shard_name(0)).unlink()
    with pytest.raises(FileError, match=r"shard_00000.* is missing"):
        Shards(folder)
    with pytest.raises(FileError, match="shard_00000"):
        kept.read(NAMES[0])
    (folder / "index.json").write_text('{"schema": 1}')
    with pytest.raises(FileError, match=r"index\.json.* is damaged"):
        Shards(folder)
    with pytest.raises(FileError, match="easel materials shards"):
        Shards(folder / "nothing")


def test_a_shard_that_is_there_and_whole_is_known(folder):
    path = folder / shard_name(0)
    assert shards.is_written(path, origin(), NAMES[:2])
    assert not shards.is_written(path, origin(), NAMES[1:])
    assert not shards.is_written(path, origin(teacher_sha256="other"), NAMES[:2])
    path.write_bytes(path.read_bytes()[:-1])
    assert not shards.is_written(path, origin(), NAMES[:2])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"teacher_sha256": "other"}, "another teacher"),
        ({"dataset_sha256": "other"}, "another dataset"),
        ({"height": 16}, "height 8, not 16"),
    ],
)
def test_answers_of_others_are_not_mixed(folder, change, words):
    shards.check_folder(folder, origin())
    with pytest.raises(FileError, match=words):
        shards.check_folder(folder, origin(**change))


def test_an_answer_that_is_no_number_is_not_stored(tmp_path):
    maps = materials()[NAMES[0]]
    spoilt = MaterialMaps(maps.albedo, maps.roughness * torch.nan, maps.metallic, maps.normal)
    with pytest.raises(ValueError, match=r"sample_0000/clean.*roughness"):
        write_shard(tmp_path / shard_name(0), origin(), {NAMES[0]: ("", spoilt)})
    assert not list(tmp_path.iterdir())
