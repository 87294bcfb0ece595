"""Fields from flags and from files. Standard library only at the top: help texts must not wait for torch."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from easel.console import BadInput

if TYPE_CHECKING:
    from easel.fields.artist.inrf import INRF

RECIPES = (".png", ".tif", ".tiff", ".safetensors")
"""Files that hold a recipe."""
MOST_REDRAWS = 20
"""How often a picture that shows nothing is drawn anew."""
THUMBNAIL = 48
NOISE = 0.9
"""Neighbours that differ by this share of the spread are noise; where they are independent it is 1.41."""


@dataclass(frozen=True)
class FieldOptions:
    """What a random field is made of; what is left out, its topology decides."""

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
    """How weights are drawn."""
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


_CONSTRUCTOR = {"topology", "latent_dim", "latent_scale", "contrast"}
_RENAMED = {
    "width": "mlp_layer_width",
    "fourier_freqs": "num_fourier_freqs",
    "siren_layers": "num_siren_layers",
}


def make_model(options: FieldOptions, shape: tuple[int, ...], seed: int) -> "INRF":
    """The random field of these options; `shape` is its sizes and channels."""
    from easel.fields.artist.inrf import INRF2D, INRF3D

    kind = INRF3D if len(shape) == 4 else INRF2D
    given = {entry.name: getattr(options, entry.name) for entry in fields(FieldOptions)}
    chosen: dict[str, Any] = {
        _RENAMED.get(name, name): value
        for name, value in given.items()
        if value is not None and name not in _CONSTRUCTOR
    }
    if chosen.get("final_activation", "").lower() == "none":
        chosen["final_activation"] = None
    if "mlp_layer_width" in chosen:
        chosen["conv_feature_map_size"] = chosen["mlp_layer_width"]
    try:
        model = kind(
            latent_dim=options.latent_dim,
            latent_scale=options.latent_scale,
            graph_topology=options.topology,
            output_shape=shape,
            seed=seed,
            contrast=options.contrast,
        )
        if chosen:
            model.init_map_fn(**chosen)
    except ValueError as error:
        raise BadInput(str(error)) from None
    return model


def visible_model(
    options: Callable[[int], FieldOptions], shape: tuple[int, ...], seed: int, step: int = 1
) -> tuple["INRF", int]:
    """The first field from that seed on, in steps, that shows something, and how many did not; after 20 the last one.

    `options` tells those of a seed.
    """
    model = make_model(options(seed), shape, seed)
    redraws = 0
    while redraws < MOST_REDRAWS and (model.is_blank() or _is_noise(model)):
        redraws += 1
        seed += step
        model = make_model(options(seed), shape, seed)
    return model, redraws


def _is_noise(model: "INRF") -> bool:
    """Whether neighbours in a thumbnail have little to do with each other: television snow."""
    thumbnail = model.generate(output_shape=(THUMBNAIL,) * model.dimensions)
    spread = thumbnail.std()
    return bool((thumbnail[1:] - thumbnail[:-1]).square().mean().sqrt() > NOISE * spread)


def open_model(path: Path) -> "INRF":
    """The model of a .safetensors file, or of a PNG or TIFF with a recipe inside. Raises FileError or BadInput."""
    from easel.fields.artist.inrf import INRF2D, INRF3D
    from easel.fields.artist.predecessor import is_predecessors
    from easel.fields.artist.storage import load_field, read_metadata

    if path.suffix.lower() not in RECIPES:
        raise BadInput(f"{path} holds no field; {', '.join(RECIPES)} written by Easel do.")
    if path.suffix.lower() == ".safetensors":
        axes = load_field(path)[0].dimensions
    else:
        try:
            data = read_metadata(path)
        except ValueError as error:
            raise BadInput(f"{path}: {error}") from None
        if is_predecessors(data):
            axes = 3 if data.get("z_dim") not in (None, "None") else 2
        else:
            shape = data.get("output_shape")
            axes = len(shape) - 1 if isinstance(shape, list) else 2
    return (INRF3D if axes == 3 else INRF2D).from_metadata(path)


def recipes_in(path: Path) -> Iterator[Path]:
    """The file itself, or all files of a folder that may hold a recipe, by name."""
    if not path.is_dir():
        yield path
        return
    for entry in sorted(os.listdir(path)):
        if Path(entry).suffix.lower() in RECIPES:
            yield path / entry
