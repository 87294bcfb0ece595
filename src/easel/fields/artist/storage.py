"""Fields and recipes in files: a checkpoint holds weights and recipe, a picture its recipe, with small weights inside.

A PNG file keeps the recipe as international text 'easel.recipe', a TIFF file as its description.
"""

import base64
import json
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from torch import Tensor

from easel import checkpoint
from easel.fields.artist.recipe import Recipe
from easel.fields.files.sample_files import RECIPE_KEY
from easel.fields.model.field import Field
from easel.graphics.files import FileError, open_file

EMBEDDED_BYTES = 2**20
"""Weights up to this many bytes travel inside a picture."""
TEXT_BYTES = 8 * 2**20
"""Longer texts in pictures are not read."""

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Saved:
    """A checkpoint of a field as it is."""

    path: Path
    sha256: str


def save_field(path: str | os.PathLike[str], field: Field, recipe: Recipe) -> Saved:
    """Write weights and recipe as one safetensors file."""
    tensors = field.state_dict()
    checkpoint.write(path, tensors, replace(recipe, weights=None).to_json())
    return Saved(Path(path), checkpoint.digest(tensors))


def load_field(path: str | os.PathLike[str]) -> tuple[Recipe, Tensors]:
    """What `save_field` wrote; whatever is wrong with the file is a FileError of one line."""
    tensors, config = checkpoint.read(path)
    try:
        return Recipe.from_json(config), tensors
    except ValueError as error:
        raise _unreadable(path, error) from None


def with_weights(recipe: Recipe, field: Field, saved: Saved | None) -> Recipe:
    """The recipe of a fitted field with its weights inside or, where they are large, with the name of a checkpoint."""
    if not recipe.fitted:
        return recipe
    if sum(tensor.nbytes for tensor in field.state_dict().values()) <= EMBEDDED_BYTES:
        data = base64.b64encode(checkpoint.pack(field.state_dict(), {})).decode()
        return replace(recipe, weights={"data": data})
    return replace(recipe, weights={"file": saved.path.name, "sha256": saved.sha256} if saved else None)


def weights_of(recipe: Recipe, folder: Path) -> Tensors | None:
    """The learned weights that a recipe holds or names, a checkpoint beside the picture; None for what seeds draw."""
    if not recipe.fitted:
        return None
    weights = dict(recipe.weights or {})
    if "data" in weights:
        try:
            return checkpoint.unpack(base64.b64decode(weights["data"], validate=True))[0]
        except ValueError as error:
            raise ValueError(f"the weights in the recipe cannot be read: {error}.") from None
    if "file" not in weights:
        raise ValueError("the recipe is a fitted field's and lacks the weights: save() the model before its pictures.")
    # The name alone: a picture must not point anywhere else.
    path = folder / Path(weights["file"]).name
    if not path.is_file():
        raise ValueError(f"the weights are in {path.name!r}, which is not beside the picture. Copy it to {folder}.")
    tensors, _ = checkpoint.read(path)
    if checkpoint.digest(tensors) != weights.get("sha256"):
        raise ValueError(f"{path.name!r} has other weights than the picture was made with.")
    return tensors


def read_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The recipe, or the settings of neural-canvas, in a PNG or TIFF file, not checked yet; FileError without one."""
    with open_file(path) as file:
        start = file.read(8)
        try:
            text = _png_text(file) if start == b"\x89PNG\r\n\x1a\n" else _tiff_text(file, start)
        except (ValueError, struct.error, zlib.error) as error:
            raise _unreadable(path, error) from None
    if not text:
        raise FileError(f"{os.fspath(path)!r} holds no recipe. PNG and TIFF files that Easel wrote do.")
    try:
        return checkpoint.read_json(text)
    except ValueError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: str | os.PathLike[str], error: Exception) -> FileError:
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return FileError(f"cannot read the recipe of {os.fspath(path)!r}: {reason}.")


def _png_text(file: BinaryIO) -> str:
    """The text with our keyword; PNG specification, section 11.3.3.4."""
    while header := file.read(8):
        length, name = struct.unpack(">I4s", header)
        if name == b"IEND":
            return ""
        if name != b"iTXt" or length > TEXT_BYTES:
            file.seek(length + 4, os.SEEK_CUR)
            continue
        data = file.read(length)
        if file.read(4) != struct.pack(">I", zlib.crc32(name + data)):
            raise ValueError("it was altered or cut short")
        keyword, _, rest = data.partition(b"\0")
        if keyword == RECIPE_KEY.encode():
            flags, (_, _, text) = rest[:2], rest[2:].split(b"\0", 2)
            return (_inflated(text) if flags[:1] == b"\1" else text).decode()
    raise ValueError("it is cut short")


def _inflated(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(packed, TEXT_BYTES)
    if not unpacker.eof:
        raise ValueError(f"its recipe is cut short or larger than {TEXT_BYTES // 2**20} MiB")
    return text


def _tiff_text(file: BinaryIO, start: bytes) -> str:
    if start[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return ""
    import tifffile

    file.seek(0)
    try:
        with tifffile.TiffFile(file) as tiff:
            return tiff.pages.first.description[:TEXT_BYTES]
    except Exception as error:  # damaged files raise nearly everything there is
        raise ValueError(f"it is damaged ({' '.join(str(error).split())[:120]})") from None


def as_json(recipe: Recipe) -> str:
    """The text that goes into a picture."""
    return json.dumps(recipe.to_json(), allow_nan=False)


def from_plain(data: Mapping[str, Any], folder: Path) -> tuple[Recipe, Tensors | None]:
    """A recipe from anywhere, checked, with the learned weights that it needs."""
    recipe = Recipe.from_json(data)
    return recipe, weights_of(recipe, folder)
