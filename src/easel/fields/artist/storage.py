"""Fields and recipes in files: a checkpoint holds weights and recipe, a picture its recipe, with small weights inside.

A PNG file keeps the recipe as international text 'easel.recipe', a TIFF file as its description.
Settings in files of neural-canvas are read, too.
"""

import base64
import json
import math
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

# A picture should stay a picture: most programs read its texts, too, whenever they open it.
EMBEDDED_BYTES = 2**20
"""Weights up to this many bytes travel inside a picture."""
# Several times the embedded weights in base64; a stranger's text may not fill memory.
TEXT_BYTES = 8 * 2**20
"""Longer texts in pictures are not read."""

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class SavedWeights:
    """Path and digest of a checkpoint that holds a field's weights as they are."""

    path: Path
    sha256: str


def save_field(path: str | os.PathLike[str], field: Field, recipe: Recipe) -> SavedWeights:
    """Write weights and recipe as one safetensors file, whole or not at all."""
    # Without weights in the recipe: they are the file itself.
    tensors = field.state_dict()
    checkpoint.write(path, tensors, replace(recipe, weights=None).to_json())
    return SavedWeights(Path(path), checkpoint.digest(tensors))


def load_field(path: str | os.PathLike[str]) -> tuple[Recipe, Tensors]:
    """Read a file that `save_field` wrote; whatever is wrong with it is a FileError of one line."""
    tensors, config = checkpoint.read(path)
    try:
        return Recipe.from_json(config), tensors
    except ValueError as error:
        raise _unreadable(path, error) from None


def with_weights(recipe: Recipe, field: Field, saved: SavedWeights | None) -> Recipe:
    """Return a fitted field's recipe with its weights inside or, where they are large, the name of a checkpoint."""
    if not recipe.fitted:
        return recipe
    weights = None
    if sum(tensor.nbytes for tensor in field.state_dict().values()) <= EMBEDDED_BYTES:
        weights = {"data": base64.b64encode(checkpoint.pack(field.state_dict(), {})).decode()}
    elif saved:
        weights = {"file": saved.path.name, "sha256": saved.sha256}
    return replace(recipe, weights=weights)


def weights_of(recipe: Recipe, folder: Path) -> Tensors | None:
    """Return the learned weights that a recipe holds or names, a checkpoint in `folder`; None where a seed draws them.

    ValueError where they are lacking, damaged or others.
    """
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
    # A file of that name may be another model's by now.
    tensors, _ = checkpoint.read(path)
    if checkpoint.digest(tensors) != weights.get("sha256"):
        raise ValueError(f"{path.name!r} has other weights than the picture was made with.")
    return tensors


def read_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the recipe, or the settings of neural-canvas, in a PNG or TIFF file, unchecked; FileError without one."""
    with open_file(path) as file:
        start = file.read(8)
        read_text = _png_text if start == b"\x89PNG\r\n\x1a\n" else _tiff_text
        try:
            text = read_text(file, start)
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


def _png_text(file: BinaryIO, start: bytes) -> str:
    """Find the text with our keyword behind the signature `start`; PNG specification, section 11.3.3.4."""
    while header := file.read(8):
        length, name = struct.unpack(">I4s", header)
        if name == b"IEND":
            return ""
        # Skipped, not read: pixels may be gigabytes, and a stranger's length may lie.
        if name != b"iTXt" or length > TEXT_BYTES:
            file.seek(length + 4, os.SEEK_CUR)
            continue
        data = file.read(length)
        if file.read(4) != struct.pack(">I", zlib.crc32(name + data)):
            raise ValueError("it was altered or cut short")
        keyword, _, rest = data.partition(b"\0")
        if keyword == RECIPE_KEY.encode():
            # After the keyword: compression flag and method, then language tag and translated keyword, 0 behind each.
            _, _, text = rest[2:].split(b"\0", 2)
            return (_inflated(text) if rest[:1] == b"\1" else text).decode()
    raise ValueError("it is cut short")


def _inflated(packed: bytes) -> bytes:
    """Decompress up to TEXT_BYTES: a few kilobytes of zeros may stand for gigabytes."""
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(packed, TEXT_BYTES)
    if not unpacker.eof:
        raise ValueError(f"its recipe is cut short or larger than {TEXT_BYTES // 2**20} MiB")
    return text


def _tiff_text(file: BinaryIO, start: bytes) -> str:
    """Return the description of a TIFF file; nothing for other files."""
    if start[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return ""
    # On demand: it is optional for all who write no TIFF files, and slow to import.
    import tifffile

    file.seek(0)
    try:
        with tifffile.TiffFile(file) as tiff:
            return tiff.pages.first.description[:TEXT_BYTES]
    except Exception as error:  # damaged files raise nearly everything there is
        raise ValueError(f"it is damaged ({' '.join(str(error).split())[:120]})") from None


def as_json(recipe: Recipe) -> str:
    """Write a recipe as the text that goes into a picture."""
    return json.dumps(recipe.to_json(), allow_nan=False)


def from_plain(data: Mapping[str, Any], folder: Path) -> tuple[Recipe, Tensors | None]:
    """Check a recipe from anywhere, and read the learned weights that it needs."""
    recipe = Recipe.from_json(data)
    return recipe, weights_of(recipe, folder)


# Settings in files of neural-canvas.

_INTEGERS = frozenset(
    "seed latent_dim x_dim y_dim z_dim c_dim mlp_layer_width conv_feature_map_size num_graph_nodes".split()
)
_FLOATS = frozenset("latent_scale weight_init_mean weight_init_std weight_init_min weight_init_max".split())
_TEXTS = frozenset("activations final_activation weight_init graph_topology graph".split())
_KINDS = dict.fromkeys(_INTEGERS, int) | dict.fromkeys(_FLOATS, float) | dict.fromkeys(_TEXTS, str)
_OLD_NAMES = {"noise_dim": "latent_dim", "noise_scale": "latent_scale", "latent": "latents"}
_UNUSED = frozenset("device input_encoding_dim shape latents".split())


def is_predecessors(data: Mapping[str, Any]) -> bool:
    """Return whether this is no recipe of ours but looks like the settings of neural-canvas."""
    return "format" not in data and {"seed", "x_dim", "y_dim"} <= set(data)


def predecessors_settings(
    data: Mapping[str, Any], dimensions: int
) -> tuple[dict[str, Any], dict[str, Any], tuple[float, ...]]:
    """Return arguments of the constructor, arguments of `init_map_fn`, and z, empty where the file has none.

    They make a field of the same kind, never the same picture: neural-canvas' TIFF files keep settings, partly as text,
    and a latent, but its pictures depend on random states that no file has. ValueError for settings it never wrote.
    """
    given = {_OLD_NAMES.get(name, name): value for name, value in data.items()}
    read: dict[str, Any] = {}
    for name, value in given.items():
        if name in _UNUSED or value in (None, "None", "null"):
            continue
        if name not in _KINDS:
            raise ValueError(f"unknown setting {str(name)[:40]!r} in the file's metadata.")
        try:
            read[name] = _KINDS[name](value)
        except (TypeError, ValueError):
            raise ValueError(f"{name} is {str(value)[:40]!r}, which is no number.") from None
        if name in _FLOATS and not math.isfinite(read[name]):
            raise ValueError(f"{name} is {read[name]}, which is no finite number.")
    # Its name for the activations that we call fixed.
    if read.get("activations") == "basic":
        read["activations"] = "fixed"
    *size, channels = (read.pop(name, None) for name in ("x_dim", "y_dim", "z_dim", "c_dim"))
    shape = (*size[:dimensions], channels or 1)
    if None in shape:
        raise ValueError(f"the file's metadata has a size of {shape}, a field of {dimensions} axes needs all of them.")
    constructor = {
        name: read.pop(name) for name in ("seed", "latent_dim", "latent_scale", "graph_topology") if name in read
    }
    # None is no activation at all, which is not the default of the topology.
    if given.get("final_activation", "") in (None, "None", "null"):
        read["final_activation"] = None
    return constructor | {"output_shape": shape}, read, _flat(given.get("latents"))


def _flat(values: Any) -> tuple[float, ...]:
    """Return the numbers of a nested list."""
    if isinstance(values, list | tuple):
        # Of every level: nesting could multiply them otherwise.
        if len(values) > 4096:
            raise ValueError(f"a latent has up to 4096 numbers; got {len(values)}.")
        return tuple(number for value in values for number in _flat(value))
    if isinstance(values, int | float) and math.isfinite(values):
        return (float(values),)
    return ()
