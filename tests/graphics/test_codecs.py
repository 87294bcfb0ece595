"""Every kind of file comes out right: checked against files that the test writes by itself or with another library."""

import io
import struct
import zlib
from importlib.util import find_spec

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageCms

from easel.graphics.codecs import decode, encode
from easel.graphics.picture_formats import SUFFIXES

EXR = pytest.mark.skipif(find_spec("OpenEXR") is None, reason="needs the extra exr")
EVERY_SUFFIX = [pytest.param(suffix, marks=EXR if suffix == ".exr" else ()) for suffix in SUFFIXES]
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""x0, y0, x step, y step of the seven passes."""
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Channels by PNG colour type."""


def _paeth(a: int, b: int, c: int) -> int:
    return min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]


def _filtered(rows: list[bytes], step: int, filters: list[int]) -> bytes:
    """PNG filters, straight from its specification, section 9."""
    out, above = bytearray(), bytes(len(rows[0]) if rows else 0)
    for index, row in enumerate(rows):
        kind = filters[index % len(filters)]
        out.append(kind)
        for i, x in enumerate(row):
            a, b, c = (row[i - step], above[i], above[i - step]) if i >= step else (0, above[i], 0)
            out.append((x - (0, a, b, (a + b) // 2, _paeth(a, b, c))[kind]) % 256)
        above = row
    return bytes(out)


def _png(
    values: np.ndarray,
    colour_type: int,
    depth: int = 8,
    *,
    filters: tuple[int, ...] = (0,),
    interlaced: bool = False,
    chunks: tuple[tuple[bytes, bytes], ...] = (),
) -> bytes:
    """A PNG of integer (h, w, c) samples."""
    height, width = values.shape[:2]
    step = max(1, CHANNELS[colour_type] * depth // 8)
    stream = b""
    for x, y, across, down in ADAM7 if interlaced else ((0, 0, 1, 1),):
        part = values[y::down, x::across].astype(np.uint64)
        if not part.size:
            continue
        bits = (part.reshape(len(part), -1, 1) >> np.arange(depth - 1, -1, -1, dtype=np.uint64)) & np.uint64(1)
        rows = [np.packbits(row.astype(np.uint8)).tobytes() for row in bits.reshape(len(part), -1)]
        stream += _filtered(rows, step, list(filters))
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, interlaced)
    parts = ((b"IHDR", header), *chunks, (b"IDAT", zlib.compress(stream)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def _decoded(folder, name: str, data: bytes) -> np.ndarray:
    (folder / name).write_bytes(data)
    return decode(folder / name)


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def _as_read(samples: np.ndarray, largest: int) -> np.ndarray:
    """Grey with alpha is read as RGBA, the other kinds as they are."""
    return samples[..., [0, 0, 0, 1]] if samples.shape[-1] == 2 else samples


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_png_of_every_kind_is_read_to_the_last_bit(tmp_path_factory, data):
    colour_type = data.draw(st.sampled_from([0, 2, 4, 6]))
    depth = data.draw(st.sampled_from([1, 2, 4, 8, 16] if colour_type == 0 else [8, 16]))
    shape = (data.draw(st.integers(1, 11)), data.draw(st.integers(1, 11)), CHANNELS[colour_type])
    values = data.draw(arrays.arrays(np.uint16, shape, elements=st.integers(0, 2**depth - 1)))
    filters = tuple(data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=5)))
    interlaced = data.draw(st.booleans())
    read = _decoded(
        tmp_path_factory.getbasetemp(),
        "x.png",
        _png(values, colour_type, depth, filters=filters, interlaced=interlaced),
    )
    assert read.dtype == (np.uint16 if depth == 16 else np.uint8)
    spread = 1 if depth >= 8 else 255 // (2**depth - 1)
    np.testing.assert_array_equal(read, _as_read(values, 2**depth - 1) * spread)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("alpha", [b"", b"\x00\x80"])
def test_palette_with_and_without_transparency(tmp_path, depth, alpha):
    colours = np.random.default_rng(0).integers(0, 256, (2**depth, 3), np.uint8)
    values = np.arange(35, dtype=np.uint16).reshape(5, 7, 1) % 2**depth
    chunks = ((b"PLTE", colours.tobytes()), *([(b"tRNS", alpha)] if alpha else []))
    read = _decoded(tmp_path, "x.png", _png(values, 3, depth, chunks=chunks))
    expected = colours[values[..., 0]]
    if alpha:
        alphas = np.full(2**depth, 255, np.uint8)
        alphas[: len(alpha)] = list(alpha)
        expected = np.concatenate([expected, alphas[values]], axis=-1)
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize(("colour_type", "depth"), [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16)])
def test_the_transparent_colour_of_grey_and_rgb(tmp_path, colour_type, depth):
    values = np.random.default_rng(1).integers(0, 2**depth, (6, 5, CHANNELS[colour_type])).astype(np.uint16)
    key = values[2, 3]
    read = _decoded(
        tmp_path, "x.png", _png(values, colour_type, depth, chunks=((b"tRNS", key.astype(">u2").tobytes()),))
    )
    white = 65535 if depth == 16 else 255
    transparent = (values == key).all(axis=-1)
    assert read.shape == (6, 5, 4)
    np.testing.assert_array_equal(read[..., 3], np.where(transparent, 0, white))
    spread = 1 if depth >= 8 else 255 // (2**depth - 1)
    np.testing.assert_array_equal(read[..., :3], np.broadcast_to(values * spread, (6, 5, 3)))


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f2", "f4", "f8"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_tiff_of_every_sample_and_layout(tmp_path, compression, planes, order, dtype, channels):
    pixels = np.random.default_rng(2).random((9, 7, channels))
    pixels = (pixels if dtype[0] == "f" else pixels * 255).astype(dtype)
    stored = np.moveaxis(pixels, -1, 0) if planes == "separate" and channels > 1 else pixels
    tifffile.imwrite(
        tmp_path / "x.tif",
        stored if channels > 1 else stored[..., 0],
        photometric="rgb" if channels > 1 else "minisblack",
        planarconfig=planes if channels > 1 else None,
        extrasamples=["unassalpha"] if channels == 4 else None,
        compression=compression,
        byteorder=order,
    )
    read = decode(tmp_path / "x.tif")
    assert read.dtype == {"u1": np.uint8, "u2": np.uint16}.get(dtype, np.float32)
    np.testing.assert_array_equal(read, pixels.astype(read.dtype))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_tiff_as_another_program_compresses_it(tmp_path, compression, mode):
    samples = np.random.default_rng(3).integers(0, 256, (9, 16, 4), np.uint8)
    if mode in ("I;16", "F"):
        expected = samples.view(np.uint16 if mode == "I;16" else np.uint32)[..., 0].astype(
            np.uint16 if mode == "I;16" else np.float32
        )
        image = Image.fromarray(expected)
    else:
        image = Image.fromarray(samples).convert("RGB" if mode == "CMYK" else mode).convert(mode)
        expected = np.asarray(image.convert({"1": "L", "P": "RGB", "CMYK": "RGB", "LA": "RGBA"}.get(mode, mode)))
    read = _decoded(tmp_path, "x.tif", _saved(image, "TIFF", compression=compression))
    np.testing.assert_array_equal(read, expected if expected.ndim == 3 else expected[..., None])


def test_sixteen_bit_colour_through_libtiff_keeps_every_bit(tmp_path):
    """The strip is stored by zlib, which tifffile reads, and read by Pillow as the LZW files of other programs are."""
    pixels = np.random.default_rng(4).integers(0, 65536, (9, 7, 4)).astype(np.uint16)
    for channels in (3, 4):
        tifffile.imwrite(
            tmp_path / "x.tif", pixels[..., :channels], photometric="rgb", compression="zlib", predictor=True
        )
        np.testing.assert_array_equal(decode(tmp_path / "x.tif"), pixels[..., :channels])


def _tiff(width: int, height: int, samples: int, bits: int, photometric: int, extra: int | None, data: bytes) -> bytes:
    """A little-endian TIFF of one strip."""
    tags = {256: width, 257: height, 259: 1, 262: photometric, 277: samples, 278: height, 279: len(data)}
    tags |= {338: extra} if extra is not None else {}
    count = len(tags) + 2
    end = 8 + 2 + 12 * count + 4
    entries = {tag: struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items()}
    entries[273] = struct.pack("<HHII", 273, 4, 1, end + 2 * samples)
    entries[258] = struct.pack("<HHI", 258, 3, samples) + struct.pack("<I", bits if samples == 1 else end)
    directory = struct.pack("<H", count) + b"".join(entries[tag] for tag in sorted(entries)) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8) + directory + struct.pack(f"<{samples}H", *[bits] * samples) + data


def test_twelve_bits_of_grey_reach_white(tmp_path):
    read = _decoded(tmp_path, "x.tif", _tiff(4, 1, 1, 12, 1, None, bytes.fromhex("000fff800001")))
    np.testing.assert_array_equal(read[0, :, 0], [0, 65535, round(0x800 * 65535 / 4095), 16])


@pytest.mark.parametrize(("extra", "channels"), [(0, 3), (2, 4)])
def test_a_fourth_sample_is_alpha_only_where_the_file_says_so(tmp_path, extra, channels):
    pixels = np.random.default_rng(8).integers(0, 65536, (3, 5, 4)).astype("<u2")
    read = _decoded(tmp_path, "x.tif", _tiff(5, 3, 4, 16, 2, extra, pixels.tobytes()))
    np.testing.assert_array_equal(read, pixels[..., :channels])


def test_cmyk_jpeg_is_not_inverted(tmp_path):
    """Adobe stores the ink upside down; the picture must come out bright all the same."""
    ink = np.zeros((16, 16, 4), np.uint8)
    ink[..., 1] = 200  # magenta: green is what is missing
    data = _saved(Image.fromarray(ink, "CMYK"), "JPEG", quality=100, subsampling=0)
    assert b"Adobe" in data
    read = _decoded(tmp_path, "x.jpg", data).astype(int)
    assert abs(read - [255, 55, 255]).max() <= 3


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 2}, {}])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg(tmp_path, mode, options):
    smooth = np.linspace(0, 255, 32 * 24).reshape(24, 32).astype(np.uint8)
    image = Image.merge("RGB", [Image.fromarray(smooth), Image.fromarray(smooth[::-1]), Image.fromarray(255 - smooth)])
    image = image.convert(mode)
    read = _decoded(tmp_path, "x.jpg", _saved(image, "JPEG", quality=98, **options))
    assert read.shape == (24, 32, 1 if mode == "L" else 3)
    assert abs(read.squeeze().astype(int) - np.asarray(image)).max() <= 12


# BMP with alpha is in test_image: Pillow writes one without saying where alpha is.
@pytest.mark.parametrize(
    ("form", "suffix", "mode"),
    [("BMP", "bmp", mode) for mode in ("1", "L", "P", "RGB")]
    + [(form, form.lower(), mode) for form in ("TGA", "WEBP") for mode in ("1", "L", "P", "RGB", "RGBA")],
)
def test_other_formats_in_every_mode(tmp_path, form, suffix, mode):
    image = Image.fromarray(np.random.default_rng(5).integers(0, 256, (9, 7, 4), np.uint8)).convert(mode)
    lossless = {"lossless": True, "exact": True} if form == "WEBP" else {}
    read = _decoded(tmp_path, f"x.{suffix}", _saved(image, form, **lossless))
    expected = np.asarray(image.convert("RGBA"))
    np.testing.assert_array_equal(np.broadcast_to(read[..., :3], (9, 7, 3)), expected[..., :3])
    if read.shape[-1] == 4:
        np.testing.assert_array_equal(read[..., 3], expected[..., 3])


ROUGH = np.random.default_rng(6).integers(0, 256, (4, 6, 3), np.uint8)
UPRIGHT = {
    1: ROUGH,
    2: ROUGH[:, ::-1],
    3: ROUGH[::-1, ::-1],
    4: ROUGH[::-1],
    5: ROUGH.swapaxes(0, 1),
    6: np.rot90(ROUGH, -1),
    7: np.rot90(ROUGH, 2).swapaxes(0, 1),
    8: np.rot90(ROUGH, 1),
}
"""What EXIF says: 6 was taken with the camera turned so that the picture must turn clockwise, 8 the other way."""


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("form", ["PNG", "TIFF", "TIFF lzw", "WEBP", "JPEG"])
def test_exif_orientation(tmp_path, orientation, form):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {
        "WEBP": {"lossless": True},
        "TIFF lzw": {"compression": "tiff_lzw"},
        "JPEG": {"quality": 100, "subsampling": 0},
    }
    large = np.kron(ROUGH, np.ones((16, 16, 1), np.uint8))
    data = _saved(Image.fromarray(large), form.split()[0], exif=exif, **options.get(form, {}))
    read = _decoded(tmp_path, "x." + form.split()[0].lower(), data)
    assert read.flags.c_contiguous
    np.testing.assert_allclose(
        read[8::16, 8::16].astype(int), UPRIGHT[orientation].astype(int), atol=4 if form == "JPEG" else 0
    )


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_of_deep_files(tmp_path, orientation):
    deep = ROUGH.astype(np.uint16) * 257
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = _png(deep, 2, 16, chunks=((b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")),))
    np.testing.assert_array_equal(_decoded(tmp_path, "x.png", data), UPRIGHT[orientation].astype(np.uint16) * 257)
    for pixels in (deep, ROUGH.astype(np.float32)):
        tifffile.imwrite(tmp_path / "x.tif", pixels, photometric="rgb", extratags=[(0x0112, 3, 1, orientation, True)])
        np.testing.assert_array_equal(
            decode(tmp_path / "x.tif"), UPRIGHT[orientation].astype(pixels.dtype) * (pixels.max() // ROUGH.max())
        )


@pytest.mark.parametrize(
    "damage", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
def test_damaged_metadata_does_not_cost_the_picture(tmp_path, damage):
    read = _decoded(tmp_path, "x.webp", _saved(Image.fromarray(ROUGH), "WEBP", lossless=True, exif=damage))
    np.testing.assert_array_equal(read, ROUGH)


def _profile(name: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


def _swapped_srgb() -> bytes:
    """An sRGB profile whose red and blue primaries have changed places, under another name."""
    data = bytearray(_profile("sRGB"))
    for i in range(struct.unpack(">I", data[128:132])[0]):
        tag = data[132 + 12 * i : 136 + 12 * i]
        data[132 + 12 * i : 136 + 12 * i] = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}.get(bytes(tag), tag)
    return bytes(data.replace("sRGB".encode("utf-16-be"), "BGR!".encode("utf-16-be")))


@pytest.mark.parametrize("alpha", [False, True])
def test_a_foreign_profile_is_converted(tmp_path, alpha):
    pixels = np.dstack([ROUGH, np.full((4, 6, 1), 77, np.uint8)]) if alpha else ROUGH
    read = _decoded(tmp_path, "x.png", _saved(Image.fromarray(pixels), "PNG", icc_profile=_swapped_srgb()))
    assert abs(read[..., :3].astype(int) - ROUGH[..., ::-1]).max() <= 2
    np.testing.assert_array_equal(read[..., 3:], pixels[..., 3:])


@pytest.mark.parametrize("profile", ["sRGB", "LAB", "damaged", "grey for colour"])
def test_srgb_and_wrong_profiles_leave_the_numbers(tmp_path, profile):
    data = _profile(profile) if profile in ("sRGB", "LAB") else b"\0" * 200
    read = _decoded(tmp_path, "x.png", _saved(Image.fromarray(ROUGH), "PNG", icc_profile=data))
    np.testing.assert_array_equal(read, ROUGH)


@pytest.mark.parametrize("name", ["x.tif", "x.webp", "x.png"])
def test_the_first_frame_of_many(tmp_path, name):
    frames = [Image.fromarray(ROUGH), Image.fromarray(255 - ROUGH)]
    options = {"lossless": True} if name == "x.webp" else {}
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
    np.testing.assert_array_equal(decode(tmp_path / name), ROUGH)


def test_a_jpeg_with_more_pictures_inside(tmp_path):
    frames = [Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")]
    frames[0].save(tmp_path / "x.jpg", format="MPO", save_all=True, append_images=frames[1:])
    assert abs(decode(tmp_path / "x.jpg")[8, 8].astype(int) - [255, 0, 0]).max() < 5


def test_content_decides_not_the_name(tmp_path):
    read = _decoded(tmp_path, "wrong.jpg", _saved(Image.fromarray(ROUGH), "PNG"))
    np.testing.assert_array_equal(read, ROUGH)
    np.save(tmp_path / "array.npy", ROUGH)
    np.testing.assert_array_equal(_decoded(tmp_path, "wrong.png", (tmp_path / "array.npy").read_bytes()), ROUGH)


@pytest.mark.parametrize("dtype", ["?", "u1", "<u2", ">u2", "<f2", "<f4", ">f4", "<f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_of_every_picture_type(tmp_path, dtype, order):
    array = np.asarray(ROUGH % 2 if dtype == "?" else ROUGH, dtype=dtype, order=order)
    np.save(tmp_path / "x.npy", array)
    read = decode(tmp_path / "x.npy")
    assert read.dtype.isnative and read.flags.c_contiguous
    np.testing.assert_array_equal(read, array.astype(np.uint8) * 255 if dtype == "?" else array.astype(read.dtype))
    np.save(tmp_path / "x.npy", array[..., 0])
    assert decode(tmp_path / "x.npy").shape == (4, 6, 1)


@pytest.mark.parametrize("suffix", EVERY_SUFFIX)
def test_the_same_pixels_give_the_same_bytes(suffix):
    pixels = np.random.default_rng(7).random((9, 7, 3)).astype(np.float32)
    assert encode(pixels, suffix) == encode(pixels.copy(), suffix)
    if suffix in (".png", ".exr"):
        assert encode(pixels, suffix, bits=16) == encode(pixels.copy(), suffix, bits=16) != encode(pixels, suffix)
