"""Fields from flags and from files. Standard library only at the top: help texts must not wait for torch."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from easel.console import BadInput, explained

if TYPE_CHECKING:
    from easel.fields.artist.inrf import INRF

MOST_REDRAWS = 20
"""Most seeds that are tried after one that shows nothing."""


@dataclass(frozen=True)
class FieldOptions:
    """Settings of a random field; the topology decides those that are left out."""

    topology: Literal["mlp", "simple", "conv", "WS", "siren"] = "mlp"
    """mlp: sums of waves; conv: folded octaves; WS: a random graph; siren: sines of sines; simple: one layer thrice."""
    latent_dim: int = 8
    """Numbers of the latent; 0 for none."""
    latent_scale: float = 1.0
    """Factor of coordinates and latent: larger shows more of the field."""
    width: int | None = None
    """Hidden units, or feature maps of conv; 32."""
    activations: str | None = None
    """fixed, random, or one for all: GELU, Tanh, sin, cos, gaussian, …"""
    final_activation: str | None = None
    """sigmoid, tanh, any other, or none."""
    weight_init: Literal["normal", "uniform", "dip", "siren", "he", "torch"] | None = None
    """Distribution of the weights."""
    weight_init_mean: float | None = None
    """For normal: 0."""
    weight_init_std: float | None = None
    """For normal: 1, for WS 3."""
    weight_init_min: float | None = None
    """For uniform: -2."""
    weight_init_max: float | None = None
    """For uniform: 2."""
    num_graph_nodes: int | None = None
    """Nodes of WS, at least 5; 10."""
    fourier_freqs: int | None = None
    """Octaves of sines and cosines in place of the coordinates; 0, for conv 4."""
    siren_layers: int | None = None
    """Sine layers of siren; 5."""
    conv_norm: Literal["layer", "batch"] | None = None
    """Normalisation of conv."""
    contrast: Literal["auto", "stretch"] = "auto"
    """stretch spreads every picture from black to white."""


# Options whose name is another one for the network's constructor.
_RENAMED = {"width": "mlp_layer_width", "fourier_freqs": "num_fourier_freqs", "siren_layers": "num_siren_layers"}


def make_model(options: FieldOptions, shape: tuple[int, ...], seed: int) -> "INRF":
    """Return the random field of these options; `shape` is its sizes and channels. BadInput for what does not fit."""
    from easel.fields.artist.inrf import INRF2D, INRF3D

    kind = INRF3D if len(shape) == 4 else INRF2D
    given = {entry.name: getattr(options, entry.name) for entry in fields(FieldOptions)}
    # Settings of the model itself; all others belong to its network.
    kept = {name: given.pop(name) for name in ("latent_dim", "latent_scale", "contrast")}
    topology = given.pop("topology")
    chosen: dict[str, Any] = {_RENAMED.get(name, name): value for name, value in given.items() if value is not None}
    if chosen.get("final_activation", "").lower() == "none":
        chosen["final_activation"] = None
    # conv counts feature maps where the others count units: one option for both.
    if options.width is not None:
        chosen["conv_feature_map_size"] = options.width
    with explained():
        model = kind(**kept, graph_topology=topology, output_shape=shape, seed=seed)
        # Only where something was chosen: the defaults of a topology are its own, and drawn with the seed.
        if chosen:
            model.init_map_fn(**chosen)
    return model


def visible_model(
    options: Callable[[int], FieldOptions], shape: tuple[int, ...], seed: int, step: int = 1
) -> tuple["INRF", int]:
    """Return the first field from that seed on, in steps, that shows something, and the number of those that did not.

    `options` gives those of a seed. After 20 the last one comes, whatever it shows.
    """
    model = make_model(options(seed), shape, seed)
    # Bounded: with some options no seed shows anything.
    redraws = 0
    while redraws < MOST_REDRAWS and model.is_dull():
        redraws += 1
        seed += step
        model = make_model(options(seed), shape, seed)
    return model, redraws


def options_by_seed(options: FieldOptions, dimensions: int, at_random: bool) -> Callable[[int], FieldOptions]:
    """Return a function from a seed to its options: these, or drawn `at_random` for fields of so many dimensions."""
    from easel.fields.art.random_settings import random_settings

    if at_random:
        return lambda seed: FieldOptions(**random_settings(dimensions, seed))
    return lambda seed: options


def seed_or_any(seed: int | None) -> int:
    """Return `seed`, or one that nobody can guess."""
    return secrets.randbelow(10**9) if seed is None else seed


def open_model(path: Path) -> "INRF":
    """Return the model of a .safetensors file, or of a PNG or TIFF with a recipe. Raises FileError or BadInput."""
    from easel.fields.artist.inrf import INRF2D, INRF3D
    from easel.fields.files.sample_files import RECIPE_SUFFIXES

    if path.suffix.lower() not in RECIPE_SUFFIXES:
        raise BadInput(f"{path} holds no field; {', '.join(RECIPE_SUFFIXES)} written by Easel do.")
    return (INRF3D if _dimensions(path) == 3 else INRF2D).from_metadata(path)


def _dimensions(path: Path) -> int:
    """Number of axes of a file's field: 2 of a picture, 3 of a volume."""
    from easel.fields.artist.storage import is_predecessors, load_field, read_metadata

    if path.suffix.lower() == ".safetensors":
        return load_field(path)[0].dimensions
    with explained(f"{path}: "):
        data = read_metadata(path)
    # neural-canvas writes a depth for every picture, "None" where it has none.
    if is_predecessors(data):
        return 2 if data.get("z_dim") in (None, "None") else 3
    shape = data.get("output_shape")
    return len(shape) - 1 if isinstance(shape, list) else 2


def recipes_in(path: Path) -> list[Path]:
    """Return the file itself, or all files of a folder that may hold a recipe, by name."""
    from easel.fields.files.sample_files import RECIPE_SUFFIXES

    if not path.is_dir():
        return [path]
    return sorted(entry for entry in path.iterdir() if entry.suffix.lower() in RECIPE_SUFFIXES)
