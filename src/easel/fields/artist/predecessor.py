"""Settings in files of neural-canvas: they make a field of the same kind, never the same picture.

Its TIFF files keep these settings, partly as text, and a latent; its pictures depend on random states that no file has.
"""

import math
from collections.abc import Mapping
from typing import Any

_INTEGERS = {
    "seed",
    "latent_dim",
    "x_dim",
    "y_dim",
    "z_dim",
    "c_dim",
    "mlp_layer_width",
    "conv_feature_map_size",
    "num_graph_nodes",
}
_FLOATS = {"latent_scale", "weight_init_mean", "weight_init_std", "weight_init_min", "weight_init_max"}
_TEXTS = {"activations", "final_activation", "weight_init", "graph_topology", "graph"}
_OLD_NAMES = {"noise_dim": "latent_dim", "noise_scale": "latent_scale", "latent": "latents"}
_UNUSED = {"device", "input_encoding_dim", "shape"}


def is_predecessors(data: Mapping[str, Any]) -> bool:
    """Whether this is no recipe of ours but looks like its settings."""
    return "format" not in data and {"seed", "x_dim", "y_dim"} <= set(data)


def settings(data: Mapping[str, Any], dimensions: int) -> tuple[dict[str, Any], dict[str, Any], tuple[float, ...]]:
    """Arguments of the constructor, arguments of `init_map_fn`, and z, empty where the file has none."""
    given = {_OLD_NAMES.get(name, name): value for name, value in data.items()}
    read: dict[str, Any] = {}
    for name, value in given.items():
        if name in _UNUSED or name == "latents" or value in (None, "None", "null"):
            continue
        if name not in _INTEGERS | _FLOATS | _TEXTS:
            raise ValueError(f"unknown setting {str(name)[:40]!r} in the file's metadata.")
        try:
            read[name] = int(value) if name in _INTEGERS else float(value) if name in _FLOATS else str(value)
        except (TypeError, ValueError):
            raise ValueError(f"{name} is {str(value)[:40]!r}, which is no number.") from None
        if name in _FLOATS and not math.isfinite(read[name]):
            raise ValueError(f"{name} is {read[name]}, which is no finite number.")
    if read.get("activations") == "basic":
        read["activations"] = "fixed"
    shape = tuple(read.pop(name, None) for name in ("x_dim", "y_dim", "z_dim", "c_dim"))
    shape = (*shape[:dimensions], shape[3] or 1)
    if None in shape:
        raise ValueError(f"the file's metadata has a size of {shape}, a field of {dimensions} axes needs all of them.")
    first = {name: read.pop(name) for name in ("seed", "latent_dim", "latent_scale", "graph_topology") if name in read}
    final = given.get("final_activation", "")
    second = read | {"final_activation": None} if final in (None, "None", "null") else read
    return first | {"output_shape": shape}, second, _flat(given.get("latents"))


def _flat(values: Any) -> tuple[float, ...]:
    """The numbers of a nested list."""
    if isinstance(values, list | tuple):
        if len(values) > 4096:
            raise ValueError(f"a latent has up to 4096 numbers; got {len(values)}.")
        return tuple(number for value in values for number in _flat(value))
    if isinstance(values, int | float) and math.isfinite(values):
        return (float(values),)
    return ()
