import numpy as np
import pytest
import tifffile
import torch

from easel.fields.files.sample_files import regrouped, write_samples
from easel.graphics.files import FileError
from easel.graphics.image import imread


def samples(shape, dtype):
    generator = np.random.default_rng(0)
    if np.dtype(dtype).kind == "f":
        return generator.random(shape).astype(dtype)
    return generator.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def chunks(array, pieces=5):
    flat = torch.from_numpy(array.reshape(-1, array.shape[-1]))
    return iter(flat.chunk(pieces))


def read(path):
    if path.suffix == ".npy":
        return np.load(path)
    if path.suffix == ".png":
        stored = imread(path, channels=0)
        return stored
    return tifffile.imread(path)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    ("suffix", "dtype"),
    [(".npy", "float32"), (".npy", "uint16"), (".tif", "uint8"), (".tif", "float16"), (".tif", "float32")],
)
@pytest.mark.parametrize("size", [(1, 1), (30, 20), (300, 517), (5, 6, 7)])
def test_samples_come_back(tmp_path, suffix, dtype, size, channels):
    array, path = samples((*size, channels), dtype), tmp_path / f"a{suffix}"
    write_samples(path, chunks(array), array.shape, dtype)
    assert np.array_equal(read(path).reshape(array.shape), array)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("dtype", "white"), [("uint8", 255), ("uint16", 65535)])
@pytest.mark.parametrize("size", [(1, 1), (30, 20), (301, 517)])
def test_a_png_holds_the_levels(tmp_path, dtype, white, size, channels):
    array, path = samples((*size, channels), dtype), tmp_path / "a.png"
    write_samples(path, chunks(array), array.shape, dtype)
    assert np.array_equal(np.rint(imread(path, channels=0).numpy() * white), array)


def test_a_large_tiff_is_tiled(tmp_path):
    array = samples((300, 517, 3), "uint8")
    write_samples(tmp_path / "a.tif", chunks(array), array.shape, "uint8", text='{"a": 1}')
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert tiff.pages.first.tile == (256, 256) and tiff.pages.first.description == '{"a": 1}'


def test_a_volume_is_a_page_for_every_x(tmp_path):
    array = samples((4, 6, 8, 3), "uint8")
    write_samples(tmp_path / "a.tif", chunks(array), array.shape, "uint8", text="{}")
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert [page.shape for page in tiff.pages] == [(6, 8, 3)] * 4
        assert tiff.pages[0].is_memmappable


def failing():
    yield torch.zeros(100, 3, dtype=torch.uint8)
    raise RuntimeError("the field has had enough")


@pytest.mark.parametrize("suffix", [".npy", ".png", ".tif"])
def test_half_a_file_never_stays(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"before")
    with pytest.raises(RuntimeError, match="enough"):
        write_samples(path, failing(), (100, 100, 3), "uint8")
    assert [file.name for file in tmp_path.iterdir()] == [path.name] and path.read_bytes() == b"before"


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "words"),
    [
        ("a.xyz", (4, 4, 3), "uint8", "go into .npy .png"),
        ("a", (4, 4, 3), "uint8", "no suffix"),
        ("a.png", (4, 4, 3), "float32", "dtype='uint8'"),
        ("a.png", (4, 4, 2), "uint8", "1, 3 or 4"),
        ("a.png", (4, 4, 4, 3), "uint8", "PNG holds"),
        ("a.tif", (4, 4, 4, 4, 3), "uint8", "pictures and volumes"),
        ("a.npy", (10**6, 10**6, 3), "uint8", "more than is free"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_first_sample(tmp_path, name, shape, dtype, words):
    with pytest.raises(FileError, match=words):
        write_samples(tmp_path / name, failing(), shape, dtype)
    assert list(tmp_path.iterdir()) == []


def test_progress_rises_to_one(tmp_path):
    array, heard = samples((50, 50, 3), "uint8"), []
    write_samples(tmp_path / "a.png", chunks(array), array.shape, "uint8", progress=heard.append)
    assert len(heard) == 5 and heard == sorted(heard) and heard[-1] == 1.0


def test_regrouping_keeps_every_sample():
    arrays = np.split(np.arange(34)[:, None], [3, 3, 17, 20])
    groups = list(regrouped(arrays, 7))
    assert [len(group) for group in groups] == [7, 7, 7, 7, 6]
    assert np.concatenate(groups).ravel().tolist() == list(range(34))
