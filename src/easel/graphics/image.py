"""Pictures: tensors (H, W, C) of display-referred sRGB in [0, 1], C of 1, 3 or 4; read, written, resized, checked.

The same numbers are on the screen, in files and in tensors: there is no gamma anywhere in here. Networks work on
(B, C, H, W); `to_batch` and `from_batch` are the only crossing.
"""

import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Shaped, UInt8
from PIL import Image
from torch import Tensor

from easel.graphics.codecs import decode, encode
from easel.graphics.files import FileError, open_file, write_whole
from easel.graphics.picture_formats import FORMATS, SIGNATURE_BYTES, SUFFIXES, format_of, recognize
from easel.graphics.pillow import image_pixels

_WHITE = {torch.uint8: 255, torch.uint16: 65535}
"""Integer dtypes of pictures and their white; bool is 0 and 1, floats mean what they say."""

_PICTURE_DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64, *_WHITE, torch.bool)

_LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G, B in grey. ITU-R BT.601."""


@runtime_checkable
class Lender(Protocol):
    """A window that lends memory it draws from."""

    def share(self, height: int, width: int, channels: int, device: torch.device) -> Tensor | None:
        """Return a float32 tensor (height, width, channels) in such memory; None where there is none."""
        ...


def imread(
    path: str | os.PathLike[str],
    *,
    channels: int = 4,
    size: tuple[int, int] | None = None,
    device: torch.device | str | None = None,
    shared: bool = False,
    name: str = "tensor",
    window: Lender | None = None,
) -> Float[Tensor, "h w c"]:
    """Read a picture file, upright, as float32 (H, W, C).

    8-bit files give v/255 and 16-bit files v/65535, exactly; `.hdr`, `.exr`, `.npy` and float TIFF files the stored
    values, which for `.hdr` and `.exr` are scene-linear (see `is_radiance`). Of an animation, the first frame.

    `channels` is 1 (0.299 R + 0.587 G + 0.114 B), 3, 4, or 0 for the file's own, where grey with alpha and palettes
    with transparency have 4. `size=(h, w)` resizes. Without a `device` the picture goes to the GPU if CUDA has one.
    `shared` puts it into memory that the `window`'s OpenGL draws from, where there is such memory; `name` only labels.
    Raises FileError for whatever is wrong with the file.

        photo = imread("photo.jpg", channels=3, device="cpu")
    """
    if channels not in (0, 1, 3, 4):
        raise ValueError(f"imread gives 1, 3 or 4 channels, or 0 for the file's own; got channels={channels}.")
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    picture = as_picture(as_tensor(decode(path)).to(device))
    if size is not None:
        picture = resize(picture, size)
    if channels == 1 and picture.shape[-1] > 1:
        red, green, blue = picture[..., :3].unbind(-1)
        picture = (_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue)[..., None]
    picture = _with_channels(picture, channels)
    if shared and window is not None:
        height, width, channels = picture.shape
        lent = window.share(height, width, channels, picture.device)
        if lent is not None:
            return lent.copy_(picture)
    return picture


def imwrite(
    path: str | os.PathLike[str],
    tensor: Tensor | np.ndarray | Image.Image,
    *,
    channels: int = 0,
    size: tuple[int, int] | None = None,
    quality: int = 95,
    bits: int = 8,
) -> None:
    """Write a picture in the format of the path's suffix, whole or not at all, creating missing folders.

    Formats of 8 bits (PNG, JPEG, BMP, TGA, WebP) store round(255·x) of x clamped to [0, 1], PNG with `bits=16`
    round(65535·x); formats of floats store the float32 values, `.exr` with `bits=16` half floats, `.hdr`
    shared-exponent radiance. Where a format has no alpha it is dropped. `.exr` needs the extra `exr`.
    `channels` 0 keeps what the tensor has; fewer drops the last ones, more repeats grey and adds an opaque alpha.
    `size=(h, w)` resizes first; `quality`, 1 to 100, is for JPEG and WebP.

    Raises FileError for a suffix or a place that cannot be written, ValueError for a tensor that is no picture; an
    OSError such as a full disk passes through and leaves what was there before.

        imwrite("render.png", picture, bits=16)
    """
    suffix = Path(path).suffix.lower()
    form = format_of(suffix)
    if form is None:
        raise FileError(
            f"cannot write {os.fspath(path)!r}: {suffix or 'no suffix'} names no picture format that is written. "
            f"Use one of {' '.join(SUFFIXES)}."
        )
    if channels not in (0, 1, 3, 4):
        raise ValueError(f"imwrite stores 1, 3 or 4 channels, or 0 for the tensor's own; got channels={channels}.")
    if not 1 <= quality <= 100:
        raise ValueError(f"quality is 1 to 100; got {quality}.")
    if bits != 8 and not (bits == 16 and form.sixteen_bits):
        deep = " and ".join(form.suffixes[0] for form in FORMATS if form.sixteen_bits)
        raise ValueError(f"bits is 8, or 16 for {deep}; got bits={bits} for {suffix}. Others store floats.")
    # Everything is checked before the file is touched: a wrong argument leaves the old file as it is.
    picture = as_picture(tensor)
    if size is not None:
        picture = resize(picture, size)
    pixels = _with_channels(picture, channels).cpu().contiguous().numpy()
    try:
        data = encode(pixels, suffix, quality=quality, bits=bits)
    except FileError as error:
        raise FileError(f"cannot write {os.fspath(path)!r}: {error}") from None
    except (ValueError, OSError, OverflowError, struct.error) as error:  # in memory: the codec's, never the disk's
        height, width = pixels.shape[:2]
        raise FileError(
            f"cannot write {os.fspath(path)!r}: {suffix} does not take {width} x {height} pixels ({error}). "
            "Use .png or resize it."
        ) from error
    with write_whole(path) as partial:
        partial.write_bytes(data)


def is_radiance(path: str | os.PathLike[str]) -> bool:
    """True if a file stores scene-linear light, as `.hdr` and `.exr` do, to be tone mapped before it is shown.

    Its content tells, not its name. FileError for a file that cannot be read.
    """
    with open_file(path) as file:
        form = recognize(file.read(SIGNATURE_BYTES))
    return form is not None and form.scene_linear


def check_tensor(tensor: Tensor | np.ndarray | Image.Image, who: str = "a picture") -> Shaped[Tensor, "h w c"]:
    """Check that `tensor` is a picture and return it as (H, W, C), detached, its dtype and device kept.

    Pictures are (H, W) or (H, W, C) with 1, 3 or 4 channels and at least one pixel; float32, float16, bfloat16,
    float64, uint8, uint16 or bool; of any strides. Tensors and writable numpy arrays share their memory with the
    result. `who` begins the message of the ValueError, for instance "canvas 'prediction'".
    """
    checked = as_tensor(tensor, who).detach()
    shape = tuple(checked.shape)
    if checked.dtype not in _PICTURE_DTYPES:
        names = ", ".join(_dtype_name(dtype) for dtype in _PICTURE_DTYPES)
        raise ValueError(
            f"{who} takes {names}; got dtype {_dtype_name(checked.dtype)}. "
            "Labels, indices or counts? Show them with colormap(t)."
        )
    if checked.ndim not in (2, 3):
        hint = ""
        if checked.ndim == 4:
            hint = " A batch? Take x[0]."
            if shape[1] in (1, 3, 4):
                hint = " A batch with channels first? Take x[0].permute(1, 2, 0)."
        raise ValueError(
            f"{who} takes 2D or 3D tensors, (H, W) or (H, W, C) with 1, 3 or 4 channels; got {shape}.{hint}"
        )
    picture = torch.atleast_3d(checked)  # (H, W) becomes (H, W, 1)
    count = picture.shape[-1]
    if count not in (1, 3, 4):
        hint = "Choose some, such as x[..., :3]."
        if shape[0] in (1, 3, 4):
            hint = "Channels first? Use x.permute(1, 2, 0)."
        elif count == 2:
            hint = "A flow? Show its length with colormap(x.norm(dim=-1))."
        raise ValueError(
            f"{who} takes (H, W) or (H, W, C). Expected 1, 3, or 4 channels, got {count} in {shape}. {hint}"
        )
    if not picture.numel():
        raise ValueError(f"{who} takes at least one pixel; got the empty shape {shape}.")
    return picture


def as_picture(tensor: Tensor | np.ndarray | Image.Image, who: str = "a picture") -> Float[Tensor, "h w c"]:
    """Return `check_tensor` in float32: uint8 /255, uint16 /65535, bool 0 and 1; float32 keeps sharing its memory."""
    return as_values(check_tensor(tensor, who))


def as_values(tensor: Shaped[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return any real tensor in float32, uint8 /255 and uint16 /65535 as in pictures.

    float32 keeps sharing its memory.
    """
    if tensor.dtype == torch.float32:
        return tensor
    values = empty_values(tensor.shape, tensor.device).copy_(tensor)
    if tensor.dtype in _WHITE:
        values.div_(_WHITE[tensor.dtype])  # not times 1/255, which would be off by one bit for some levels
    return values


def as_tensor(value: object, who: str = "a picture") -> Tensor:
    """Return the tensor of a tensor, a numpy array (its memory shared where it is writable) or a PIL image.

    TypeError for anything else, ValueError for a tensor or an array without values to show; `who` begins the message.
    """
    if isinstance(value, Tensor):
        if value.layout != torch.strided:
            raise ValueError(f"{who} takes dense tensors; got layout {_dtype_name(value.layout)}. Use x.to_dense().")
        if value.is_meta:
            raise ValueError(f"{who} takes tensors that hold values; got one on the device 'meta', which holds none.")
        return value
    if isinstance(value, Image.Image):
        return torch.from_numpy(np.array(image_pixels(value)))
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biufc":
            raise ValueError(f"{who} takes arrays of numbers; got dtype {value.dtype}.")
        # torch knows neither foreign byte orders nor negative strides, and warns about arrays it must not write to.
        native = value.astype(value.dtype.newbyteorder("="), copy=False)
        if not native.flags.writeable or min(native.strides, default=0) < 0:
            native = native.copy()
        return torch.from_numpy(native)
    hint = ""
    if isinstance(value, str | os.PathLike):
        hint = " Read the file first: imread(path)."
    elif isinstance(value, list | tuple):
        hint = " Make it one: torch.tensor(x)."
    raise TypeError(f"{who} takes a torch tensor, a numpy array or a PIL image; got {type(value).__name__}.{hint}")


def as_bytes(tensor: Tensor | np.ndarray | Image.Image, who: str = "a picture") -> UInt8[Tensor, "h w c"]:
    """Return `check_tensor` in uint8, as 8-bit files store it: round(255·x) of x clamped to [0, 1], NaN as 0.

    uint8 stays as it is.
    """
    checked = check_tensor(tensor, who)
    if checked.dtype == torch.uint8:
        return checked
    # round before the conversion, which would cut off: 254.9 is 255
    return (as_picture(checked) * 255).nan_to_num_().clamp_(0, 255).round_().to(torch.uint8)


def resize(picture: Float[Tensor, "h w c"], size: tuple[int, int]) -> Float[Tensor, "h2 w2 c"]:
    """Resize to `size=(h, w)` pixels, bilinear, averaging over what a new pixel covers; differentiable."""
    if min(size) < 1:
        raise ValueError(f"a picture has at least one pixel each way; got size={tuple(size)}.")
    if tuple(size) == tuple(picture.shape[:2]):
        return picture
    # antialias: without it a smaller picture takes single pixels, and fine patterns turn into false ones.
    batch = torch.nn.functional.interpolate(
        to_batch(picture), tuple(size), mode="bilinear", align_corners=False, antialias=True
    )
    return from_batch(batch).contiguous()


def to_batch(picture: Shaped[Tensor, "h w c"]) -> Shaped[Tensor, "1 c h w"]:
    """Return one picture as a batch with channels first; a view."""
    return picture.permute(2, 0, 1)[None]


def from_batch(batch: Shaped[Tensor, "1 c h w"]) -> Shaped[Tensor, "h w c"]:
    """Return the picture of a batch of one; a view."""
    return batch[0].permute(1, 2, 0)


def _with_channels(picture: Tensor, channels: int) -> Tensor:
    """Drop surplus channels, or repeat grey and add an opaque alpha, until there are `channels`; 0 keeps them."""
    if channels in (0, picture.shape[-1]):
        return picture
    if channels < picture.shape[-1]:
        return picture[..., :channels].contiguous()
    wider = empty_values((*picture.shape[:2], channels), picture.device)
    wider[..., :3] = picture
    wider[..., 3:] = 1
    return wider


def empty_values(shape: Sequence[int], device: torch.device) -> Tensor:
    """Return fresh float32 memory, whatever is in it."""
    # On the CPU from numpy, which asks for huge pages: fresh memory of large pictures then costs a third of the time.
    if device.type == "cpu":
        return torch.from_numpy(np.empty(tuple(shape), np.float32))
    return torch.empty(tuple(shape), dtype=torch.float32, device=device)


def _dtype_name(dtype: torch.dtype | torch.layout) -> str:
    return str(dtype).removeprefix("torch.")
