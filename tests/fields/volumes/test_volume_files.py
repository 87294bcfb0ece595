import gzip
import struct

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from easel.fields.fitting.run import fit
from easel.fields.model.config import FieldConfig
from easel.fields.model.field import build_field
from easel.fields.rendering.render import render
from easel.fields.volumes.nifti import read_nifti
from easel.fields.volumes.views import render_volume
from easel.fields.volumes.volume_files import read_volume, write_volume
from easel.graphics.files import FileError


def counted(*shape, dtype=np.uint8):
    return (np.arange(np.prod(shape)) % 251).reshape(shape).astype(dtype)


def nifti(voxels, *, code=2, order="<", slope=1.0, affine=None, dims=None, offset=352.0, spacing=(1.0, 2.0, 3.0)):
    """The bytes of a NIfTI-1 file of an (X, Y, Z) array."""
    header = bytearray(348)
    rank, dims = voxels.ndim, dims or voxels.shape
    struct.pack_into(f"{order}i", header, 0, 348)
    struct.pack_into(f"{order}8h", header, 40, rank, *dims, *[1] * (7 - len(dims)))
    struct.pack_into(f"{order}2h", header, 70, code, voxels.dtype.itemsize * 8)
    struct.pack_into(f"{order}8f", header, 76, 1.0, *spacing, 0, 0, 0, 0)
    struct.pack_into(f"{order}3f", header, 108, offset, slope, 0.0)
    if affine is not None:
        struct.pack_into(f"{order}2h", header, 252, 0, 1)
        struct.pack_into(f"{order}12f", header, 280, *np.hstack([affine, np.zeros((3, 1))]).ravel())
    header[344:348] = b"n+1\0"
    data = voxels.astype(voxels.dtype.newbyteorder(order)).tobytes(order="F")
    return bytes(header) + b"\0" * 4 + data


@pytest.mark.parametrize("suffix", [".npy", ".tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_round_trip(tmp_path, suffix, channels, kind):
    voxels = counted(5, 6, 7, channels)
    volume = voxels if kind == "uint8" else voxels.astype(np.float32) / 251
    write_volume(torch.from_numpy(volume), tmp_path / f"v{suffix}", spacing=(0.5, 0.25, 2), unit="mm")
    scan = read_volume(tmp_path / f"v{suffix}")
    assert scan.volume.dtype == volume.dtype and np.array_equal(scan.volume, volume)
    assert scan.spacing == ((0.5, 0.25, 2) if suffix == ".tif" else (1, 1, 1))


def test_fiji_opens_a_stack_as_a_hyperstack(tmp_path):
    voxels = counted(5, 6, 7, 3)
    write_volume(voxels, tmp_path / "rgb.tif")
    write_volume(voxels[..., :1], tmp_path / "grey.tif")
    with tifffile.TiffFile(tmp_path / "rgb.tif") as tiff:
        assert tiff.is_imagej and tiff.series[0].axes == "ZYXS" and tiff.imagej_metadata["slices"] == 7
        # Page 2 is Z = 2; its row 1 is Y = 1; its column 4 is X = 4.
        assert np.array_equal(tiff.pages[2].asarray()[1, 4], voxels[4, 1, 2])
    with tifffile.TiffFile(tmp_path / "grey.tif") as tiff:
        assert tiff.is_imagej and tiff.series[0].axes == "ZYX" and tiff.imagej_metadata["images"] == 7


def test_stacks_of_other_programs_are_pages_of_z(tmp_path):
    voxels = counted(5, 6, 7)
    tifffile.imwrite(tmp_path / "plain.tif", voxels.transpose(2, 1, 0), photometric="minisblack", metadata=None)
    assert np.array_equal(read_volume(tmp_path / "plain.tif").volume[..., 0], voxels)


def test_arrays_stay_on_the_disk(tmp_path):
    np.save(tmp_path / "v.npy", counted(4, 5, 6, 3))
    scan = read_volume(tmp_path / "v.npy")
    assert isinstance(scan.volume.base, np.memmap) or isinstance(scan.volume, np.memmap)


def test_other_numbers_are_stretched(tmp_path):
    np.save(tmp_path / "v.npy", np.array([-1000, 0, 3000], np.int16).reshape(3, 1, 1))
    scan = read_volume(tmp_path / "v.npy")
    assert np.allclose(scan.volume.ravel(), [0, 0.25, 1]) and (scan.low, scan.high) == (-1000, 3000)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_nifti_of_either_byte_order(tmp_path, order, suffix):
    voxels = counted(3, 4, 5, dtype=np.int16)
    data = nifti(voxels, code=4, order=order)
    (tmp_path / f"v{suffix}").write_bytes(gzip.compress(data) if suffix == ".nii.gz" else data)
    found, spacing = read_nifti(tmp_path / f"v{suffix}")
    assert np.array_equal(found, voxels) and found.dtype == np.int16 and spacing == (1, 2, 3)
    assert read_volume(tmp_path / f"v{suffix}").volume.shape == (3, 4, 5, 1)


def test_nifti_numbers_are_scaled(tmp_path):
    (tmp_path / "v.nii").write_bytes(nifti(counted(2, 2, 2), slope=0.5))
    assert read_nifti(tmp_path / "v.nii")[0].ravel().tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]


def test_nifti_axes_are_turned_to_right_front_and_up(tmp_path):
    # The file runs to the front, down and to the left.
    affine = np.array([[0, 0, -3.0], [1, 0, 0], [0, -2, 0]])
    voxels = counted(3, 4, 5)
    (tmp_path / "v.nii").write_bytes(nifti(voxels, affine=affine))
    found, spacing = read_nifti(tmp_path / "v.nii")
    assert found.shape == (5, 3, 4) and spacing == (3, 1, 2)
    assert all(found[4 - k, i, 3 - j] == voxels[i, j, k] for i in range(3) for j in range(4) for k in range(5))


def test_a_series_gives_its_first_volume(tmp_path):
    series = counted(2, 3, 4, 5)
    (tmp_path / "v.nii").write_bytes(nifti(series))
    assert np.array_equal(read_nifti(tmp_path / "v.nii")[0], series[..., 0])


GOOD = nifti(counted(3, 4, 5))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (GOOD[:200], "no NIfTI"),
        (GOOD[:-1], "ends after 59 of 60 bytes"),
        (b"x" * 400, "no NIfTI"),
        (nifti(counted(3, 4, 5), dims=(32767, 32767, 32767)), "GiB"),
        (nifti(counted(3, 4, 5), dims=(3, -4, 5)), "axes"),
        (nifti(counted(3, 4, 5), code=32), "type number 32"),
        (nifti(counted(3, 4, 5), offset=float("nan")), "begin at byte"),
        (nifti(counted(3, 4, 5), offset=1e30), "begin at byte"),
        (gzip.compress(GOOD, mtime=0)[:-30], "damaged"),
        (gzip.compress(GOOD[:348], mtime=0), "ends after 0"),
        (GOOD[:344] + b"ni1\0" + GOOD[348:], "second file"),
        (b"", "empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_nifti_is_told_in_one_line(tmp_path, data, says):
    (tmp_path / "v.nii.gz").write_bytes(data)
    with pytest.raises(FileError, match=says) as error:
        read_volume(tmp_path / "v.nii.gz")
    assert "\n" not in str(error.value) and "v.nii.gz" in str(error.value)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 411), st.binary(min_size=1, max_size=8))
def test_any_bytes_are_a_volume_or_a_file_error(tmp_path_factory, place, noise):
    path = tmp_path_factory.getbasetemp() / "noise.nii"
    path.write_bytes(GOOD[:place] + noise + GOOD[place + len(noise) :])
    try:
        assert read_volume(path).volume.ndim == 4
    except FileError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("v.npy", b"no array", "damaged"),
        ("v.tif", b"no picture", "no TIFF"),
        ("v.mha", b"...", "volumes are .npy"),
        ("w.npy", None, "no such file"),
    ],
)
def test_other_bad_files_are_told(tmp_path, name, data, says):
    if data:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(FileError, match=says):
        read_volume(tmp_path / name)


def test_what_is_no_volume_is_told(tmp_path):
    np.save(tmp_path / "flat.npy", counted(4, 4))
    with pytest.raises(FileError, match=r"\(X, Y, Z\)"):
        read_volume(tmp_path / "flat.npy")
    np.save(tmp_path / "words.npy", np.array([["a"]]))
    with pytest.raises(FileError, match="numbers"):
        read_volume(tmp_path / "words.npy")
    with pytest.raises(FileError, match=r"\.npy \.tif"):
        write_volume(counted(2, 2, 2), tmp_path / "v.nii")
    with pytest.raises(ValueError, match="spacing"):
        write_volume(counted(2, 2, 2), tmp_path / "v.tif", spacing=(0, 1, 1))


@pytest.mark.slow
def test_a_small_scan_is_fitted_and_rendered(tmp_path):
    place = np.stack(np.meshgrid(*[np.linspace(-1, 1, 12)] * 3, indexing="ij"))
    (tmp_path / "v.nii").write_bytes(nifti((1000 * np.exp(-3 * (place**2).sum(0))).astype(np.int16), code=4))
    target = torch.from_numpy(read_volume(tmp_path / "v.nii").volume)
    generator = torch.Generator().manual_seed(0)
    field = build_field(
        FieldConfig(encoding="fourier", fourier_levels=1, layers=2), (12, 12, 12), 1, generator=generator
    )
    for _ in fit(field, target, steps=70, generator=generator):
        pass
    fitted = render(field, (12, 12, 12))
    assert (fitted - target).square().mean() < 2e-3
    assert (render_volume(fitted, (16, 16)) - render_volume(target, (16, 16))).abs().mean() < 0.05
