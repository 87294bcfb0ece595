import struct

import pytest
import torch

from easel.graphics.files import FileError
from easel.graphics.image import imwrite
from easel.materials.dataset.reading import check_picture, patiently, read_photo


def failing(times, error):
    calls = []

    def read():
        calls.append(1)
        if len(calls) <= times:
            raise error
        return "read"

    return read, calls


def test_a_disk_that_stumbles_is_asked_three_times_more():
    pauses = []
    read, calls = failing(3, OSError("stale handle"))
    assert patiently(read, pauses.append) == "read"
    assert len(calls) == 4 and pauses == pytest.approx([0.1, 0.2, 0.3])
    read, calls = failing(4, OSError("stale handle"))
    with pytest.raises(OSError, match="stale handle"):
        patiently(read, pauses.append)


def test_what_is_not_there_is_not_waited_for():
    read, calls = failing(1, FileNotFoundError("gone"))
    with pytest.raises(FileNotFoundError):
        patiently(read, pytest.fail)
    assert len(calls) == 1


@pytest.mark.parametrize(("bits", "dtype"), [(8, torch.uint8), (16, torch.uint16)])
def test_photos_are_read_exactly_and_their_depth_is_known(tmp_path, bits, dtype):
    largest = 2**bits - 1
    picture = torch.randint(0, largest + 1, (6, 5, 4), generator=torch.Generator().manual_seed(0)) / largest
    imwrite(tmp_path / "0.png", picture, bits=bits)
    photo, found = read_photo(tmp_path / "0.png")
    assert found == dtype
    assert torch.equal((photo * largest).round(), (picture[..., :3] * largest).round().movedim(-1, 0))


def test_a_mean_of_16_bits_is_not_saturated(tmp_path):
    imwrite(tmp_path / "0.png", torch.full((4, 4, 3), 0.5), bits=16)
    assert read_photo(tmp_path / "0.png")[0].mean() == pytest.approx(0.5, abs=1e-4)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "normal.png"
    imwrite(path, torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(0)))
    return path


def test_what_can_be_used_passes(picture):
    check_picture(picture, 3, is_normal=True)


@pytest.mark.parametrize("kept", [0.99, 0.5, 0.002])
def test_a_truncated_file_is_refused(picture, kept):
    data = picture.read_bytes()
    picture.write_bytes(data[: int(len(data) * kept)])
    for look in (lambda: check_picture(picture, 3), lambda: read_photo(picture)):
        with pytest.raises(FileError, match=r"normal\.png"):
            look()


def test_a_damaged_end_is_decoded_to_tell(picture):
    picture.write_bytes(picture.read_bytes() + b"a comment that some program left")
    check_picture(picture, 3)


def test_grey_photos_are_refused(tmp_path):
    imwrite(tmp_path / "0.png", torch.rand(8, 8))
    with pytest.raises(FileError, match=r"0\.png.*needs 3 channels, this file has 1"):
        check_picture(tmp_path / "0.png", 3)
    with pytest.raises(FileError, match="Save it as RGB"):
        read_photo(tmp_path / "0.png")


def test_a_normal_map_without_normals_is_refused(tmp_path):
    imwrite(tmp_path / "normal.png", torch.zeros(64, 64, 3))
    check_picture(tmp_path / "normal.png", 3)
    with pytest.raises(FileError, match="every normal in it is zero"):
        check_picture(tmp_path / "normal.png", 3, is_normal=True)
    imwrite(tmp_path / "normal.png", torch.tensor([0.5, 0.5, 1]).expand(64, 64, 3))
    check_picture(tmp_path / "normal.png", 3, is_normal=True)


def test_a_claim_of_a_billion_pixels_costs_nothing(picture):
    data = bytearray(picture.read_bytes())
    data[16:24] = struct.pack(">II", 40000, 40000)
    picture.write_bytes(data)
    with pytest.raises(FileError, match="40000 x 40000"):
        check_picture(picture, 3)
