"""Volumes as zarr: the same numbers as .npy, whole or not at all."""

import numpy as np
import pytest
import torch

from easel.fields.artist.inrf import INRF3D
from easel.fields.files import zarr_files
from easel.fields.files.sample_files import write_samples
from easel.graphics.files import FileError


@pytest.fixture(autouse=True)
def zarr():
    return pytest.importorskip("zarr", reason="needs zarr: pip install 'torch-easel[volume]'")


@pytest.mark.parametrize("slab_bytes", [1, 300, 2**25])
def test_it_holds_what_the_model_generates(tmp_path, monkeypatch, zarr, slab_bytes):
    monkeypatch.setattr(zarr_files, "SLAB_BYTES", slab_bytes)
    model = INRF3D(seed=1, output_shape=(7, 6, 5, 3))
    written = model.generate(dtype="uint8", out=tmp_path / "volume.zarr")
    assert tuple(written.shape) == (7, 6, 5, 3)
    read = zarr.open_array(tmp_path / "volume.zarr", mode="r")
    assert np.array_equal(read[:], model.generate(dtype="uint8").numpy())


def test_a_failure_leaves_what_was_there(tmp_path, zarr):
    path = tmp_path / "volume.zarr"
    whole = [torch.full((8, 1), 3.0)]
    write_samples(path, whole, (2, 2, 2, 1), "float32")

    def failing():
        yield torch.zeros(4, 1)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        write_samples(path, failing(), (2, 2, 2, 1), "float32")
    assert [entry.name for entry in tmp_path.iterdir()] == ["volume.zarr"]
    assert (zarr.open_array(path, mode="r")[:] == 3.0).all()
    write_samples(path, [torch.ones(8, 1)], (2, 2, 2, 1), "float32")
    assert (zarr.open_array(path, mode="r")[:] == 1.0).all()


def test_it_replaces_nothing_else(tmp_path):
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "thesis.txt").write_text("years of work")
    with pytest.raises(FileError, match="something else"):
        write_samples(tmp_path / "mine.zarr", [torch.zeros(8, 1)], (2, 2, 2, 1), "float32")
    assert (tmp_path / "mine.zarr" / "thesis.txt").exists()
