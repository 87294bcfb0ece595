"""Radiance files: precision, run lengths old and new, and all eight ways a picture may lie in one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from easel.graphics.codecs import decode
from easel.graphics.rgbe import read_rgbe, write_rgbe

light = st.floats(0, 2.0**120, width=32) | st.floats(0, 1, width=32)
pictures = arrays.arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 12), st.just(3)), elements=light)


@settings(deadline=None)
@given(pictures)
def test_every_channel_is_within_a_256th_of_the_brightest(radiance):
    read, orientation = read_rgbe(write_rgbe(radiance))
    peak = radiance.max(axis=-1, keepdims=True).astype(float)
    assert orientation == 1 and read.dtype == np.float32 and read.shape == radiance.shape
    # Below 2^-128 the exponent's byte ends: such light is black.
    assert (abs(read.astype(float) - radiance) <= np.maximum(peak / 256, 2.0**-128)).all()


@settings(deadline=None)
@given(pictures)
def test_what_was_read_is_written_without_loss(radiance):
    read, _ = read_rgbe(write_rgbe(radiance))
    again, _ = read_rgbe(write_rgbe(read))
    np.testing.assert_array_equal(again, read)


def test_known_bytes():
    # 2^(129 - 136) · (128, 64, 32) = (1, .5, .25)
    header = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 2\n"
    np.testing.assert_array_equal(
        read_rgbe(header + bytes((128, 64, 32, 129, 9, 9, 9, 0)))[0], [[[1, 0.5, 0.25], [0, 0, 0]]]
    )
    assert write_rgbe(np.array([[[1, 0.5, 0.25], [0, 0, 0]]], np.float32)) == header + bytes(
        (128, 64, 32, 129, 0, 0, 0, 0)
    )


def test_what_light_cannot_be():
    radiance = np.array([[[-1, 2, np.nan], [np.inf, 1, 0]]], np.float32)
    read, _ = read_rgbe(write_rgbe(radiance))
    np.testing.assert_array_equal(read[0, 0], [0, 2, 0])
    assert np.isfinite(read).all() and read[0, 1, 0] > 1e38


def _runs(plane: bytes) -> bytes:
    """One byte plane of a scanline: runs where a byte repeats, literals of up to 128 bytes elsewhere."""
    out, i = bytearray(), 0
    while i < len(plane):
        run = 1
        while i + run < len(plane) and plane[i + run] == plane[i] and run < 127:
            run += 1
        if run > 1:
            out += bytes((128 + run, plane[i]))
        else:
            while i + run < len(plane) and plane[i + run] != plane[i + run - 1] and run < 128:
                run += 1
            out += bytes((run,)) + plane[i : i + run]
        i += run
    return bytes(out)


@settings(deadline=None)
@given(st.integers(8, 300), st.integers(1, 4), st.integers(0, 99))
def test_run_length_coded_scanlines(width, height, seed):
    quads = np.random.default_rng(seed).integers(126, 129, (height, width, 4), np.uint8)
    body = b"".join(
        bytes((2, 2, width >> 8, width & 255)) + b"".join(_runs(row[:, plane].tobytes()) for plane in range(4))
        for row in quads
    )
    header = f"#?RGBE\nEXPOSURE=2\n# a comment\n\n-Y {height} +X {width}\n".encode()
    flat = b"#?RGBE\n\n-Y 1 +X 1\n"
    read, _ = read_rgbe(header + body)
    expected = quads[..., :3] * 2.0 ** (quads[..., 3:].astype(int) - 136)
    np.testing.assert_array_equal(read, expected.astype(np.float32))
    assert read_rgbe(flat + quads[0, 0].tobytes())[0].shape == (1, 1, 3)


def test_old_repeats_count_in_base_256():
    quads = bytes((200, 100, 50, 130)) + bytes((1, 1, 1, 3)) + bytes((1, 1, 1, 1)) + bytes((10, 20, 130, 131))
    read, _ = read_rgbe(b"#?RADIANCE\n\n-Y 1 +X 261\n" + quads)
    first, last = read[0, 0], read[0, -1]
    assert (read[0, :260] == first).all() and not (last == first).any()


AXES = {
    "-Y {h} +X {w}": lambda a: a,
    "-Y {h} -X {w}": lambda a: a[:, ::-1],
    "+Y {h} +X {w}": lambda a: a[::-1],
    "+Y {h} -X {w}": lambda a: a[::-1, ::-1],
    "+X {w} -Y {h}": lambda a: a.swapaxes(0, 1),
    "+X {w} +Y {h}": lambda a: a[::-1].swapaxes(0, 1),
    "-X {w} -Y {h}": lambda a: a[:, ::-1].swapaxes(0, 1),
    "-X {w} +Y {h}": lambda a: a[::-1, ::-1].swapaxes(0, 1),
}
"""Resolution line → how the upright picture is laid out in the file."""


@pytest.mark.parametrize("line", AXES)
def test_the_resolution_line_turns_the_picture_upright(tmp_path, line):
    upright = np.random.default_rng(0).integers(128, 256, (4, 6, 4), np.uint8)
    upright[..., 3] = 136
    header = b"#?RADIANCE\n\n" + line.format(h=4, w=6).encode() + b"\n"
    (tmp_path / "x.hdr").write_bytes(header + AXES[line](upright).tobytes())
    np.testing.assert_array_equal(decode(tmp_path / "x.hdr"), upright[..., :3].astype(np.float32))
