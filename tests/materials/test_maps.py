"""The four maps: order, ranges, turns, files."""

import numpy as np
import pytest
import torch
from PIL import Image

from easel.graphics.files import FileError
from easel.graphics.image import imread, imwrite
from easel.materials.maps import CHANNELS, MAP_NAMES, MaterialMaps, unit_normals


def some(size=(6, 8), batch=(), seed=0):
    generator = torch.Generator().manual_seed(seed)
    tensors = [torch.rand(*batch, channels, *size, generator=generator) for channels in CHANNELS.values()]
    lifted = torch.cat([tensors[3][..., :2, :, :] - 0.5, torch.ones_like(tensors[1])], dim=-3)
    return MaterialMaps(*tensors[:3], unit_normals(lifted))


def same(a, b, **tolerance):
    torch.testing.assert_close(dict(a), dict(b), **tolerance)


def test_it_is_a_mapping_in_the_order_of_the_names():
    maps = some()
    assert tuple(maps) == MAP_NAMES == ("albedo", "roughness", "metallic", "normal") and len(maps) == 4
    assert maps["roughness"] is maps.roughness
    assert maps.size == (6, 8)
    with pytest.raises(KeyError):
        maps["height"]


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_one_tensor_holds_all_maps(batch):
    maps = some(batch=batch)
    tensor = maps.to_tensor()
    assert tensor.shape == (*batch, 8, 6, 8)
    same(MaterialMaps.from_tensor(tensor), maps)
    assert torch.equal(tensor[..., 3:4, :, :], maps.roughness)


def test_targets_are_four_maps_of_three_channels():
    maps = some(batch=(2,))
    targets = maps.to_targets()
    assert targets.shape == (2, 4, 3, 6, 8)
    assert torch.equal(targets[:, 1, 0], targets[:, 1, 2]) and torch.equal(targets[:, 3], maps.normal)
    same(MaterialMaps.from_targets(targets), maps)


def test_a_batch_is_stacked_and_unstacked():
    singles = [some(seed=seed) for seed in range(3)]
    for single, back in zip(singles, MaterialMaps.stack(singles).unstack(), strict=True):
        same(single, back)


def test_turns_come_back():
    maps = some()
    same(maps.flip_h().flip_h(), maps)
    same(maps.flip_v().flip_v(), maps)
    same(maps.flip_h().flip_v(), maps.rot90(2))
    turned = maps
    for _ in range(4):
        turned = turned.rot90()
    same(turned, maps)
    same(maps.rot90(-1), maps.rot90(3))
    same(maps.roll(2, 3).roll(-2, -3), maps)
    same(maps.roll(6, -8), maps)


def test_a_slope_keeps_facing_the_same_part_of_the_picture():
    """Normals that lean out of the middle, as on a hill, lean out of it after every turn."""
    y, x = torch.meshgrid(torch.linspace(1, -1, 5), torch.linspace(-1, 1, 5), indexing="ij")
    hill = unit_normals(torch.stack([x, y, torch.ones_like(x)]))
    maps = MaterialMaps(torch.rand(3, 5, 5), torch.rand(1, 5, 5), torch.rand(1, 5, 5), hill)
    for turned in (maps.flip_h(), maps.flip_v(), maps.rot90(), maps.rot90(2), maps.rot90(3)):
        torch.testing.assert_close(turned.normal, hill)


def test_a_quarter_turn_is_counter_clockwise():
    maps = some()
    assert torch.equal(maps.rot90().albedo[:, -1, 0], maps.albedo[:, 0, 0]), "the top left goes to the bottom left"


def test_sizes():
    maps = some(size=(8, 12), batch=(2,))
    same(maps.crop(2, 3, 4, 5), maps.each(lambda value: value[..., 2:6, 3:8]))
    same(maps.repeat(2, 3).crop(8, 12, 8, 12), maps)
    smaller = maps.resize((4, 6))
    smaller.validate()
    torch.testing.assert_close(smaller.albedo.mean(), maps.albedo.mean(), atol=0.02, rtol=0)
    assert some(batch=(2, 3)).resize((3, 4)).normal.shape == (2, 3, 3, 3, 4)
    with pytest.raises(ValueError, match="8 x 12; got rows 6 to 10"):
        maps.crop(6, 0, 4, 4)


def test_normals_that_cancel_out_face_up():
    assert torch.equal(unit_normals(torch.zeros(3, 2, 2))[2], torch.ones(2, 2))


@pytest.mark.parametrize(("bits", "step"), [(8, 1 / 255), (16, 1 / 65535)])
def test_what_is_saved_is_loaded(tmp_path, bits, step):
    maps = some()
    maps.save(tmp_path / "oak", bits=bits)
    loaded = MaterialMaps.load(tmp_path / "oak")
    for name in MAP_NAMES[:3]:
        torch.testing.assert_close(loaded[name], maps[name], atol=0.51 * step, rtol=0)
    torch.testing.assert_close(loaded.normal, maps.normal, atol=2.1 * step, rtol=0)
    loaded.validate()


def test_sixteen_bits_are_sixteen_bits(tmp_path):
    maps = some()
    maps.save(tmp_path, bits=16)
    stored = np.array(Image.open(tmp_path / "roughness.png"))
    assert stored.dtype in (np.uint16, np.int32)
    assert np.array_equal(stored, (maps.roughness[0].double() * 65535).round().numpy().astype(stored.dtype))


def test_files_of_other_formats(tmp_path):
    maps = some()
    maps.save(tmp_path)
    for name in ("roughness.png", "albedo.png", "normal.png"):
        (tmp_path / name).unlink()
    imwrite(tmp_path / "roughness.tiff", maps.roughness[0])
    imwrite(tmp_path / "albedo.jpg", maps.picture("albedo"))
    imwrite(tmp_path / "normal.tif", maps.normal.permute(1, 2, 0))  # the vectors themselves
    loaded = MaterialMaps.load(tmp_path)
    torch.testing.assert_close(loaded.roughness, maps.roughness)
    torch.testing.assert_close(loaded.normal, maps.normal, atol=1e-6, rtol=0)


def test_exr_holds_linear_albedo(tmp_path):
    pytest.importorskip("OpenEXR")
    maps = some()
    maps.save(tmp_path)
    (tmp_path / "albedo.png").unlink()
    imwrite(tmp_path / "albedo.exr", maps.albedo_linear.permute(1, 2, 0))
    torch.testing.assert_close(MaterialMaps.load(tmp_path).albedo, maps.albedo, atol=1e-5, rtol=0)


def test_directx_normals_have_green_down(tmp_path):
    maps = some()
    maps.save(tmp_path, bits=16)
    swapped = MaterialMaps.load(tmp_path, normal="directx").normal
    torch.testing.assert_close(swapped[1], -maps.normal[1], atol=1e-4, rtol=0)
    torch.testing.assert_close(swapped[0], maps.normal[0], atol=1e-4, rtol=0)


def test_pictures_are_what_is_stored(tmp_path):
    maps = some()
    maps.save(tmp_path)
    for name in MAP_NAMES:
        stored = imread(tmp_path / f"{name}.png", channels=3, device="cpu")
        torch.testing.assert_close(stored, maps.picture(name), atol=0.51 / 255, rtol=0)
    with pytest.raises(ValueError, match="unstack"):
        some(batch=(2,)).picture("albedo")


def test_a_folder_with_two_maps_names_the_others(tmp_path):
    some().save(tmp_path)
    (tmp_path / "metallic.png").unlink()
    (tmp_path / "normal.png").unlink()
    with pytest.raises(FileError, match="metallic, normal missing") as raised:
        MaterialMaps.load(tmp_path)
    assert str(tmp_path) in str(raised.value) and "\n" not in str(raised.value)


def test_maps_of_several_sizes_need_one(tmp_path):
    some((6, 8)).save(tmp_path)
    imwrite(tmp_path / "metallic.png", torch.rand(3, 4))
    with pytest.raises(FileError, match=r"metallic 3 x 4.*Give a size"):
        MaterialMaps.load(tmp_path)
    loaded = MaterialMaps.load(tmp_path, size=(4, 4))
    assert loaded.size == (4, 4)
    loaded.validate()


@pytest.mark.parametrize(
    ("name", "picture", "text"),
    [
        ("normal", torch.rand(6, 8), "has 1 channel, normal has 3"),
        ("albedo", torch.rand(6, 8), "has 1 channel, albedo has 3"),
        ("normal", torch.zeros(6, 8, 3), "all zero"),
    ],
)
def test_a_file_that_is_no_such_map_is_named(tmp_path, name, picture, text):
    some().save(tmp_path)
    imwrite(tmp_path / f"{name}.png", picture)
    with pytest.raises(FileError, match=text) as raised:
        MaterialMaps.load(tmp_path)
    assert f"{name}.png" in str(raised.value)


def test_a_truncated_file_is_an_error(tmp_path):
    some((64, 64)).save(tmp_path)
    whole = (tmp_path / "albedo.png").read_bytes()
    (tmp_path / "albedo.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match=r"albedo\.png"):
        MaterialMaps.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"roughness": torch.full((1, 6, 8), 3.0)}, r"roughness lies in \[0,1\]; got 3 to 3"),
        ({"albedo": torch.full((3, 6, 8), torch.nan)}, "albedo has values that are not finite"),
        ({"normal": torch.full((3, 6, 8), 0.9)}, "normal holds unit vectors"),
    ],
)
def test_values_that_do_not_fit_are_named(change, text):
    with pytest.raises(ValueError, match=text):
        MaterialMaps(**(dict(some()) | change)).validate()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"roughness": torch.rand(3, 6, 8)}, "roughness has 1 channels"),
        ({"normal": torch.rand(3, 6, 7)}, "normal has 3 channels and albedo's size"),
        ({"metallic": torch.zeros(1, 6, 8, dtype=torch.uint8)}, "metallic is a float tensor"),
        ({"albedo": torch.rand(6, 3)}, "albedo has 3 channels"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_at_once(change, text):
    with pytest.raises(ValueError, match=text):
        MaterialMaps(**(dict(some()) | change))
