"""Portable float maps: every bit kept, both byte orders, rows from the bottom, and headers that lie."""

import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from easel.graphics.codecs import decode, encode
from easel.graphics.files import FileError
from easel.graphics.image import imread, imwrite, is_radiance

shapes = st.tuples(st.integers(1, 7), st.integers(1, 9), st.sampled_from([1, 3]))
NUMBERS = struct.pack("<6f", *range(6))


def _decoded(folder, data: bytes) -> np.ndarray:
    (folder / "x.pfm").write_bytes(data)
    return decode(folder / "x.pfm")


@settings(deadline=None)
@given(arrays.arrays(np.float32, shapes, elements=st.floats(width=32)))
def test_every_bit_comes_back_infinities_and_nan_too(tmp_path_factory, pixels):
    read = _decoded(tmp_path_factory.getbasetemp(), encode(pixels, ".pfm"))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read.view(np.uint32), pixels.view(np.uint32))


def test_known_bytes_run_from_the_bottom_row_to_the_top():
    pixels = np.arange(6, dtype=np.float32).reshape(2, 1, 3)
    assert encode(pixels, ".pfm") == b"PF\n1 2\n-1.0\n" + struct.pack("<6f", 3, 4, 5, 0, 1, 2)
    assert encode(pixels[..., :1], ".pfm") == b"Pf\n1 2\n-1.0\n" + struct.pack("<2f", 3, 0)


@pytest.mark.parametrize(("scale", "order"), [(b"1.0", ">"), (b"-1.0", "<"), (b"+250", ">"), (b"-2.5e-3", "<")])
def test_the_sign_of_the_scale_is_the_byte_order_and_its_size_changes_no_number(tmp_path, scale, order):
    numbers = (1.5, -2.0, 65536.0, 1e-30, 0.0, 3.0)
    read = _decoded(tmp_path, b"Pf\n3 2\n" + scale + b"\n" + struct.pack(f"{order}6f", *numbers))
    np.testing.assert_array_equal(read[::-1].ravel(), np.float32(numbers))


def test_any_white_space_divides_the_header_and_one_ends_it(tmp_path):
    tab = struct.unpack("<f", b"\n\t \n")[0]  # a number of white space alone is a number
    for header in (b"Pf 1 1 -1 ", b"Pf\r\n1\t1\r\n-1.0\r\n", b"Pf\n1\n1\n-1\n"):
        np.testing.assert_array_equal(_decoded(tmp_path, header + b"\n\t \n"), [[[tab]]])


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"PF\n", "header"),
        (b"PF\n2 1\n", "header"),
        (b"PF\n2 1\n-1", "header"),
        (b"PF\n-2 1\n-1\n" + NUMBERS, "header"),
        (b"PF\n2 1 -one\n" + NUMBERS, "header"),
        (b"PF\n2 1\n" + b"1" * 500, "header"),
        (b"PF\n2 1\n+-1\n" + NUMBERS, "damaged"),
        (b"PF\n2 1\n0\n" + NUMBERS, "scale"),
        (b"PF\n2 1\n1e999\n" + NUMBERS, "scale"),
        (b"PF\n2 1\n-1.0\n" + NUMBERS[:-1], "too short"),
        (b"Pf\n8000 8000\n-1.0\n" + NUMBERS, "too short"),
        (b"PF\n0 4\n-1.0\n" + NUMBERS, "claims 0 x 4"),
        (b"PF\n999999999 999999999\n-1.0\n" + NUMBERS, "claims 999999999 x 999999999"),
    ],
)
def test_what_is_no_float_map_is_refused_in_one_line(tmp_path, data, word):
    with pytest.raises(FileError, match=word) as raised:
        _decoded(tmp_path, data)
    assert "\n" not in str(raised.value)


def test_it_is_light_that_is_read_and_written_like_every_picture(tmp_path):
    light = torch.tensor([[[0.0, 2.5, 1e6]], [[-1.0, 0.5, 1.0]]])
    imwrite(tmp_path / "x.pfm", light)
    assert is_radiance(tmp_path / "x.pfm")
    assert torch.equal(imread(tmp_path / "x.pfm", channels=0, device="cpu"), light)
    imwrite(tmp_path / "x.pfm", light, channels=4)
    assert imread(tmp_path / "x.pfm", channels=0, device="cpu").shape == (2, 1, 3)  # alpha is dropped
