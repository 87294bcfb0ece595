"""INRF2D and INRF3D: the artist's face of a field. A seed gives a picture, and the picture every size and detail of it.

`INRF2D().generate(output_shape=(256, 256))` is the whole of it; the rest changes what is made (`init_map_fn`), where it
is looked at (`zoom`, `pan`), or what it is fitted to (`fit`).
"""

import json
import math
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from easel.fields.activations import activation_name
from easel.fields.architecture import Architecture, draw_latent
from easel.fields.calibration import RANGES, Calibration, is_blank, reference_size, reference_values, stretched
from easel.fields.field import Field
from easel.fields.latents import Fields, LatentInputs, Latents, Reusable, reused_sample, reused_shape
from easel.fields.recipe import Recipe, architecture_recipe, check_shape
from easel.fields.rendering import FILE_LIMIT_BYTES, check_bytes, check_size, finished, render
from easel.fields.sample_files import mapped, write_samples
from easel.fields.window import PerAxis, Window, from_divisor

Size = Sequence[int]
Splits = int | Literal["auto"]
Activation = str | type
Weights = float | int | Sequence[float | int]

_TOPOLOGY = "topology"
"""For `final_activation`: what the topology has, since None is a choice of its own."""


class INRF:
    """What `INRF2D` and `INRF3D` share: everything but the number of axes."""

    dimensions: ClassVar[int]
    default_shape: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        latent_dim: int = 8,
        latent_scale: float | int = 1.0,
        graph_topology: str = "mlp",
        output_shape: Size | None = None,
        output_dir: str | os.PathLike[str] = "./outputs",
        tmp_dir: str | os.PathLike[str] | None = None,
        seed: int | None = None,
        seed_gen: int = 987654321,
        device: str | torch.device = "cpu",
        *,
        contrast: Literal["auto", "stretch"] = "auto",
    ) -> None:
        """A field with random weights; nothing is written anywhere.

        `latent_scale` multiplies coordinates and z. `output_shape` without its last number has one channel. Without a
        `seed` one is drawn below `seed_gen`. `output_dir` is where `save_image` puts names without a folder. `contrast`
        'stretch' spreads every picture of this model from black to white. `tmp_dir` has no effect.
        """
        shape = tuple(output_shape or self.default_shape)
        shape = check_shape((*shape, 1) if len(shape) == self.dimensions else shape, self.dimensions)
        self.output_dir = Path(output_dir)
        self.device = torch.device(device)
        self.seed_gen = seed_gen
        architecture = Architecture(
            topology=graph_topology, dimensions=self.dimensions, channels=shape[-1], latent_dim=latent_dim
        )
        self.latent_dim = latent_dim
        seed = secrets.randbelow(seed_gen) if seed is None else seed
        self._adopt(architecture_recipe(architecture, seed, shape, latent_scale=float(latent_scale), contrast=contrast))

    def _adopt(self, recipe: Recipe, tensors: Mapping[str, Tensor] | None = None) -> None:
        """Become what a recipe says."""
        if not recipe.latents and isinstance(recipe.network, Architecture):
            z = draw_latent(recipe.network.latent_dim, self.dimensions, recipe.seed, recipe.latent_draw)
            recipe = replace(recipe, latents=() if z is None else (tuple(z.tolist()),))
        self.recipe = recipe
        self.map_fn: Field = recipe.build(tensors).to(self.device)
        self._chosen = False
        self._calibrations: dict[bytes, Calibration] = {}

    def init_map_fn(
        self,
        mlp_layer_width: int | None = None,
        conv_feature_map_size: int | None = None,
        input_encoding_dim: int | None = None,
        activations: Activation | Sequence[Activation] | None = None,
        final_activation: Activation | None = _TOPOLOGY,
        weight_init: str | None = None,
        num_fourier_freqs: int | None = None,
        graph_topology: str | None = None,
        num_graph_nodes: int | None = None,
        graph: str | None = None,
        *,
        weight_init_mean: Weights | None = None,
        weight_init_std: Weights | None = None,
        weight_init_min: Weights | None = None,
        weight_init_max: Weights | None = None,
        num_siren_layers: int | None = None,
        siren_scale: float | int | None = None,
        siren_scale_init: float | int | None = None,
        encoding: str | None = None,
        encoding_settings: Mapping[str, float | int] | None = None,
        conv_norm: Literal["layer", "batch"] | None = None,
    ) -> None:
        """Another architecture, with weights drawn from the same seed; what is left out, the topology decides.

        Activations are 'fixed', 'random', a name such as 'GELU' or 'sin', a class, or one of these for every slot;
        `final_activation=None` is none at all. `architecture.Architecture` says what the others mean.
        """
        old = self.recipe.network
        topology = graph_topology or (old.topology if isinstance(old, Architecture) else "mlp")
        if input_encoding_dim not in (None, 1) and input_encoding_dim != 2 * (num_fourier_freqs or 0):
            raise ValueError(
                f"input_encoding_dim is 2 x num_fourier_freqs, here {2 * (num_fourier_freqs or 0)}; "
                f"got {input_encoding_dim}. Leave it out."
            )
        given = {
            "topology": topology,
            "dimensions": self.dimensions,
            "channels": self.c_dim,
            "latent_dim": self.latent_dim,
            "width": conv_feature_map_size if topology.lower() == "conv" else mlp_layer_width,
            "activations": _names(activations),
            "final_activation": "identity" if final_activation is None else _names(final_activation),
            "weight_init": weight_init,
            "weight_init_mean": _per_layer(weight_init_mean),
            "weight_init_std": _per_layer(weight_init_std),
            "weight_init_min": _per_layer(weight_init_min),
            "weight_init_max": _per_layer(weight_init_max),
            "num_graph_nodes": num_graph_nodes if topology.lower() == "ws" else None,
            "graph": graph,
            "fourier_freqs": num_fourier_freqs,
            "siren_layers": num_siren_layers,
            "siren_scale": siren_scale,
            "siren_scale_init": siren_scale_init,
            "encoding": encoding,
            "encoding_settings": encoding_settings,
            "norm": conv_norm,
        }
        if final_activation == _TOPOLOGY:
            given["final_activation"] = None
        architecture = Architecture(**{name: value for name, value in given.items() if value is not None})
        settings = {name: getattr(self.recipe, name) for name in ("latents", "latent_draw", "latent_scale", "contrast")}
        self._adopt(architecture_recipe(architecture, self.seed, self.output_shape, **settings))
        self._chosen = True

    def init_map_weights(self) -> None:
        """The next weights of the same architecture, activations and graph; a fitted field forgets what it learned."""
        chosen = self._chosen
        self._adopt(replace(self.recipe, draw=self.recipe.draw + 1, fitted=False, fitted_latent=False))
        self._chosen = chosen

    def new_latents(self, seed: int | None = None) -> Latents:
        """The next z of this model's seed, or the first of another; the model keeps it."""
        draw = self.recipe.latent_draw + 1 if seed is None else 0
        z = draw_latent(self.latent_dim, self.dimensions, self.seed if seed is None else seed, draw)
        if z is not None and self.map_fn.latent is not None:
            self.recipe = replace(self.recipe, latents=(tuple(z.tolist()),), latent_draw=draw)
            with torch.no_grad():
                self.map_fn.latent.copy_(z * self.recipe.latent_scale)
        return self.sample_latents()

    def sample_latents(self, reuse_latents: Reusable | None = None, output_shape: Size | None = None) -> Latents:
        """The model's latents, or those of an earlier call, for a picture of that or the earlier call's size."""
        if output_shape is None and reuse_latents is not None:
            output_shape = reused_shape(reuse_latents, self.dimensions)
        sample = self._sample(1) if reuse_latents is None else reused_sample(reuse_latents)
        if sample.shape[-1] != self._sample(1).shape[-1]:
            raise ValueError(f"this model's latents have {self._sample(1).shape[-1]} numbers; got {sample.shape[-1]}.")
        return Latents(sample, self.recipe.latent_scale, self._size(output_shape))

    def construct_fields(
        self,
        output_shape: Size | None = None,
        zoom: PerAxis | None = None,
        pan: PerAxis | None = None,
        coord_fn: Callable[[tuple[int, ...]], Tensor] | None = None,
    ) -> Fields | Tensor:
        """Where the field is sampled; with `coord_fn`, its (axes + 1, *size) coordinates and radius for that size."""
        size = self._size(output_shape)
        return coord_fn(size)[None] if coord_fn else Fields(size, self._window(zoom, pan))

    def init_latent_inputs(
        self,
        output_shape: Size | None = None,
        *,
        zoom: PerAxis | None = None,
        pan: PerAxis | None = None,
        center: PerAxis | None = None,
        pan_mode: Literal["shift", "divisor"] = "shift",
        aspect: Literal["stretch", "keep"] = "stretch",
        align: Literal["centers", "corners"] = "centers",
        reuse_latents: Reusable | None = None,
        batch_size: int = 1,
        splits: int | None = None,
    ) -> LatentInputs:
        """(latents, fields, meta) of a picture: what it is, where it is looked at, and its recipe. Takes no memory.

        Without `reuse_latents` the latents are the model's own, followed by new ones where the batch is larger.
        """
        latents = self.sample_latents(reuse_latents, output_shape)
        if reuse_latents is None:
            latents = replace(latents, sample=self._sample(batch_size))
        window = self._window(zoom, pan, center, pan_mode=pan_mode, aspect=aspect, align=align)
        fields = Fields(latents.shape, window, splits or "auto", len(latents.sample))
        return LatentInputs(latents, fields, self.metadata(latents, fields))

    def generate(
        self,
        latents: Reusable | None = None,
        fields: Fields | Tensor | None = None,
        output_shape: Size | None = None,
        splits: Splits = "auto",
        *,
        size: Size | None = None,
        zoom: PerAxis | None = None,
        pan: PerAxis | None = None,
        center: PerAxis | None = None,
        dtype: str | None = None,
        raw: bool = False,
        out: Tensor | np.ndarray | str | os.PathLike[str] | None = None,
        supersample: int = 1,
        dither: bool = False,
        calibration: Calibration | None = None,
        force: bool = False,
        progress: Callable[[float], object] | None = None,
    ) -> Tensor:
        """The picture (H, W, C) or volume (X, Y, Z, C) in [0, 1]; the same arguments give the same bytes.

        `size` is another name of `output_shape`; numbers that it lacks at its end are the model's. Several latents give
        a batch of pictures. `out` is an array to fill, or the path of a .npy, .tif or .png file: pictures of any size
        flow there without taking memory, and what is returned is mapped from the .npy file or, for TIFF and PNG, which
        keep the recipe, has a shape but no data (device 'meta'). `dtype` is float32, in a .png file uint8. A film's
        `calibration`, say, stands in for the model's own. The rest is said at `rendering.render`.
        """
        place, coords = self._place(fields, output_shape, size, latents, self._window(zoom, pan, center))
        if fields is not None and any(value is not None for value in (zoom, pan, center)):
            if coords is not None or place.window != self._window(zoom, pan, center):
                raise ValueError("fields already say zoom and pan, and these differ; give one of them.")
        asked = self.sample_latents(latents, place.shape)
        if latents is None:
            asked = replace(asked, sample=self._sample(place.batch_size))
        path = Path(out) if isinstance(out, str | os.PathLike) else None
        array = None if isinstance(out, str | os.PathLike) else out
        dtype = dtype or ("uint8" if path and path.suffix.lower() == ".png" else "float32")
        settings: dict[str, Any] = {
            "window": place.window,
            "coords": coords,
            "raw": raw,
            "dtype": dtype,
            "dither": dither,
            "supersample": supersample,
            "splits": place.splits if splits == "auto" else splits,
        }
        looks = [settings | {"z": z, "calibration": calibration or self._calibration(z)} for z in self._scaled(asked)]
        if len(looks) > 1 and out is not None:
            raise ValueError(f"out takes one picture; these are {len(looks)}.")
        if path:
            text = json.dumps(self.metadata(asked, place)) if coords is None and not raw else ""
            shape = (*place.shape, self.c_dim)
            check_bytes(shape, dtype, FILE_LIMIT_BYTES, force, "Take fewer samples")
            samples = finished(self.map_fn, place.shape, **looks[0])
            write_samples(path, samples, shape, dtype, text=text, progress=progress)
            return mapped(path, shape, dtype)
        pictures = [
            render(self.map_fn, place.shape, **look, out=array, force=force, progress=progress) for look in looks
        ]
        return pictures[0] if len(pictures) == 1 else torch.stack(pictures)

    def metadata(self, latents: Reusable | None = None, fields: Fields | None = None) -> dict[str, Any]:
        """The recipe of a picture, as plain data: of these latents, seen as these fields say."""
        asked, place = self.sample_latents(latents), fields or self.fields
        calibration = self._calibration(*self._scaled(asked))
        return replace(
            self.recipe,
            output_shape=(*place.shape, self.c_dim),
            latents=tuple(tuple(row[0].tolist()) for row in asked.sample if len(row[0])),
            window=replace(place.window, latent_scale=1.0),
            calibration=(calibration.lo, calibration.hi),
        ).to_json()

    @property
    def data(self) -> Tensor:
        """The picture or volume at `output_shape`."""
        return self.generate()

    @property
    def seed(self) -> int:
        return self.recipe.seed

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Samples on every axis, then channels: what `generate` makes where nothing else is asked for."""
        return self.recipe.output_shape

    @property
    def x_dim(self) -> int:
        return self.output_shape[0]

    @property
    def y_dim(self) -> int:
        return self.output_shape[1]

    @property
    def c_dim(self) -> int:
        return self.output_shape[-1]

    @property
    def fields(self) -> Fields:
        """Where `generate` samples where nothing else is asked for."""
        return Fields(self.recipe.size, self._window())

    @property
    def size(self) -> int:
        """Trainable numbers; z counts where it was fitted."""
        return self.map_fn.size

    @property
    def nbytes(self) -> int:
        """Bytes of weights, z and whatever else a saved field holds."""
        return sum(tensor.nbytes for tensor in self.map_fn.state_dict().values())

    @property
    def bpp(self) -> float:
        """Bits of weights for every sample of `output_shape`."""
        return 8 * self.nbytes / math.prod(self.recipe.size)

    def is_blank(self) -> bool:
        """Whether a thumbnail, of the same size for every model, hardly shows anything."""
        return is_blank(self.generate(output_shape=reference_size(self.dimensions)))

    def calibration(self, latents: Reusable | None = None) -> Calibration:
        """The numbers that become black and white, for all of these latents together; by default for the model's."""
        return self._calibration(*self._scaled(self.sample_latents(latents)))

    def __repr__(self) -> str:
        network = self.recipe.network
        kind = network.topology if isinstance(network, Architecture) else f"{network.encoding} + {network.network}"
        return f"{type(self).__name__}({kind}, {self.size:,} parameters, {self.output_shape}, seed {self.seed})"

    def _place(
        self,
        fields: Fields | Tensor | None,
        output_shape: Size | None,
        size: Size | None,
        latents: Reusable | None,
        window: Window,
    ) -> tuple[Fields, Tensor | None]:
        """Where to sample, and the coordinates (n, axes + 1) themselves where a caller has made them."""
        if size is not None and output_shape is not None and tuple(size) != tuple(output_shape):
            raise ValueError(f"size={tuple(size)} and output_shape={tuple(output_shape)} differ; give one of them.")
        asked = size if output_shape is None else output_shape
        if fields is None:
            if asked is None and latents is not None:
                asked = reused_shape(latents, self.dimensions)
            return Fields(self._size(asked), window), None
        coords = None
        if isinstance(fields, Tensor):
            inputs = fields[0] if fields.ndim == self.dimensions + 2 and len(fields) == 1 else fields
            if inputs.ndim != self.dimensions + 1 or len(inputs) != self.dimensions + 1:
                raise ValueError(
                    f"fields are a tensor ({self.dimensions + 1}, *size) of coordinates and radius; "
                    f"got {tuple(fields.shape)}."
                )
            coords, fields = inputs.flatten(1).T.float(), Fields(tuple(inputs.shape[1:]))
        if asked is not None and self._size(asked) != fields.shape:
            raise ValueError(f"fields are for {fields.shape}, not for {tuple(asked)}; give one of them.")
        return fields, coords

    def _size(self, output_shape: Size | None) -> tuple[int, ...]:
        """Samples on every axis; what is missing at the end is the model's, and the channels are always its own."""
        if output_shape is None:
            return self.recipe.size
        given = check_size(output_shape)
        if len(given) > self.dimensions + 1 or given[self.dimensions :] not in ((), (self.c_dim,)):
            raise ValueError(
                f"a size of this model has up to {self.dimensions} numbers, then {self.c_dim}; got {given}."
            )
        return (*given, *self.recipe.size[len(given) :])[: self.dimensions]

    def _window(
        self,
        zoom: PerAxis | None = None,
        pan: PerAxis | None = None,
        center: PerAxis | None = None,
        *,
        pan_mode: Literal["shift", "divisor"] = "shift",
        aspect: Literal["stretch", "keep"] = "stretch",
        align: Literal["centers", "corners"] = "centers",
    ) -> Window:
        """The window asked for, or where nothing is asked for, the one of the picture that the model was read from."""
        # Grids that were fitted cover the unit view.
        scale = self.recipe.latent_scale if isinstance(self.recipe.network, Architecture) else 1.0
        if pan_mode == "divisor":
            zoom, pan = from_divisor(0.5 if zoom is None else zoom, 2.0 if pan is None else pan, self.dimensions)
        elif (zoom, pan, center, aspect, align) == (None, None, None, "stretch", "centers"):
            return replace(self.recipe.window, latent_scale=scale)
        zoom, pan = 1.0 if zoom is None else zoom, 0.0 if pan is None else pan
        return Window(zoom, pan, center, latent_scale=scale, aspect=aspect, align=align)

    def _sample(self, batch_size: int = 1) -> Float[Tensor, "b 1 l"]:
        """The model's z, then as many of the seed's next ones as a batch needs."""
        rows = [torch.tensor(row) for row in self.recipe.latents[:1]] or [torch.empty(0)]
        for k in range(1, batch_size):
            z = draw_latent(len(rows[0]), self.dimensions, self.seed, self.recipe.latent_draw + k)
            rows.append(torch.empty(0) if z is None else z)
        return torch.stack(rows)[:, None, :]

    def _scaled(self, latents: Latents) -> list[Tensor | None]:
        """Every z as the field takes it."""
        return [z[0] * latents.scale if len(z[0]) else None for z in latents.sample.to(self.device)]

    def _calibration(self, *latents: Tensor | None) -> Calibration:
        network = self.recipe.network
        final = network.final_activation if isinstance(network, Architecture) and not self.recipe.fitted else "fitted"
        if self.recipe.contrast == "auto" and final in RANGES:
            return RANGES[final]
        key = b"".join(b"" if z is None else z.cpu().numpy().tobytes() for z in latents)
        if key not in self._calibrations:
            window = replace(self._window(zoom=1.0), zoom=1.0)
            self._calibrations[key] = stretched(reference_values(self.map_fn, self.dimensions, latents, window))
        return self._calibrations[key]


class INRF2D(INRF):
    """Pictures: a field of two coordinates and the distance from the centre."""

    dimensions, default_shape = 2, (512, 512, 3)


class INRF3D(INRF):
    """Volumes: a field of three coordinates and the distance from the centre."""

    dimensions, default_shape = 3, (256, 256, 256, 3)

    @property
    def z_dim(self) -> int:
        return self.output_shape[2]


def _names(activations: Activation | Sequence[Activation] | None) -> str | tuple[str, ...] | None:
    """Activations as an architecture has them: by name."""
    if activations is None or isinstance(activations, str):
        return activations
    return activation_name(activations) if isinstance(activations, type) else tuple(map(activation_name, activations))


def _per_layer(value: Weights | None) -> float | int | tuple[float | int, ...] | None:
    return tuple(value) if isinstance(value, Sequence) else value
