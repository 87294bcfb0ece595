"""Picture file formats, one row each: every list of suffixes comes from this table, and so do readers and writers.

A format costs its own file and one row here. Standard library only, so that help texts need not wait for torch: a row
names its functions as "module:function", and they are imported when a file of that format is met.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class PictureFormat:
    """A kind of picture file."""

    name: str
    """As messages call it."""
    suffixes: tuple[str, ...]
    signatures: tuple[bytes, ...]
    """First bytes that tell it; without any the suffix does."""
    reader: str
    """Function of a binary file at its start. Returns the stored pixels (h, w, c) and their EXIF orientation."""
    writer: str
    """Function of float32 pixels (h, w, c), `quality` and `bits`. Returns the bytes of a file."""
    scene_linear: bool = False
    """It stores light, which is tone mapped before it is a picture; the others store display-referred colour."""
    sixteen_bits: bool = False
    """Its writer takes `bits=16` besides 8."""


_PILLOW = "easel.graphics.pillow"
_TIFF = (b"II*\0", b"MM\0*", b"MM*\0", b"II\0*", b"II+\0", b"MM\0+")  # with both byte orders mixed up, and BigTIFF

FORMATS = (
    PictureFormat("PNG", (".png",), (b"\x89PNG",), f"{_PILLOW}:read_pillow", f"{_PILLOW}:write_png", sixteen_bits=True),
    PictureFormat("JPEG", (".jpg", ".jpeg"), (b"\xff\xd8\xff",), f"{_PILLOW}:read_pillow", f"{_PILLOW}:write_jpeg"),
    PictureFormat("BMP", (".bmp",), (b"BM",), f"{_PILLOW}:read_pillow", f"{_PILLOW}:write_bmp"),
    PictureFormat("TGA", (".tga",), (), f"{_PILLOW}:read_targa", f"{_PILLOW}:write_targa"),
    PictureFormat("TIFF", (".tif", ".tiff"), _TIFF, "easel.graphics.tiff:read_tiff", "easel.graphics.tiff:write_tiff"),
    PictureFormat("WebP", (".webp",), (b"RIFF",), f"{_PILLOW}:read_pillow", f"{_PILLOW}:write_webp"),
    PictureFormat(
        "Radiance .hdr",
        (".hdr",),
        (b"#?",),
        "easel.graphics.rgbe:read_radiance",
        "easel.graphics.rgbe:write_rgbe",
        scene_linear=True,
    ),
    PictureFormat(
        "OpenEXR",
        (".exr",),
        (b"v/1\x01",),
        "easel.graphics.exr:read_exr",
        "easel.graphics.exr:write_exr",
        scene_linear=True,
        sixteen_bits=True,
    ),
    PictureFormat(
        "PFM",
        (".pfm",),
        (b"PF\n", b"Pf\n", b"PF\r", b"Pf\r", b"PF ", b"Pf "),
        "easel.graphics.pfm:read_pfm",
        "easel.graphics.pfm:write_pfm",
        scene_linear=True,
    ),
    PictureFormat(".npy", (".npy",), (b"\x93NUMPY",), "easel.graphics.npy:read_npy", "easel.graphics.npy:write_npy"),
)

SUFFIXES = tuple(suffix for form in FORMATS for suffix in form.suffixes)
"""Of all files that `imread` reads and `imwrite` writes."""
PICTURE_SUFFIXES = tuple(suffix for suffix in SUFFIXES if suffix != ".npy")
"""Of those that always hold a picture; an array may be anything."""
SCENE_LINEAR_SUFFIXES = tuple(suffix for form in FORMATS if form.scene_linear for suffix in form.suffixes)
"""Of those that hold light."""
SIGNATURE_BYTES = max(len(signature) for form in FORMATS for signature in form.signatures)
_BY_SUFFIX = {suffix: form for form in FORMATS for suffix in form.suffixes}


def format_of(suffix: str) -> PictureFormat | None:
    """Return the format of files whose names end like this, in lower case; None for an unknown suffix."""
    return _BY_SUFFIX.get(suffix)


def recognize(start: bytes) -> PictureFormat | None:
    """Return the format of a file from its first `SIGNATURE_BYTES`; None where no signature fits."""
    return next((form for form in FORMATS if form.signatures and start.startswith(form.signatures)), None)
