"""A painter: a recipe, its field, and every picture of it, at any size, in any window, for any latents."""

import logging
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from easel.fields.art.architecture import Architecture, draw_latent
from easel.fields.artist.recipe import Recipe
from easel.fields.artist.storage import Saved, as_json, with_weights
from easel.fields.files.sample_files import mapped, write_samples
from easel.fields.model.extent import PerAxis, Window, from_divisor
from easel.fields.model.field import Field
from easel.fields.model.latents import (
    Fields,
    LatentInputs,
    Latents,
    Reusable,
    Size,
    explicit,
    reused_sample,
    reused_shape,
)
from easel.fields.rendering.calibration import (
    RANGES,
    Calibration,
    is_blank,
    reference_size,
    reference_values,
    stretched,
)
from easel.fields.rendering.render import FILE_LIMIT_BYTES, check_bytes, check_size, finished, render

_LOG = logging.getLogger("easel")


class Painter:
    """Everything that a recipe decides; `inrf.INRF` changes the recipe."""

    dimensions: ClassVar[int]

    def __init__(
        self, recipe: Recipe, tensors: Mapping[str, Tensor] | None = None, device: str | torch.device = "cpu"
    ) -> None:
        self.device = torch.device(device)
        self.adopt(recipe, recipe.build(tensors) if tensors else None)

    def adopt(self, recipe: Recipe, field: Field | None = None) -> None:
        """Become what a recipe says, with the field that it has built already."""
        if not recipe.latents and isinstance(recipe.network, Architecture):
            z = draw_latent(recipe.network.latent_dim, self.dimensions, recipe.seed, recipe.latent_draw)
            recipe = replace(recipe, latents=() if z is None else (tuple(z.tolist()),))
        self.recipe = recipe
        self.map_fn: Field = (field or recipe.build()).to(self.device)
        self._saved: Saved | None = None
        self._calibrations: dict[bytes, Calibration] = {}
        self._given_calibration: Calibration | None = None

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
        splits: int | Literal["auto"] = "auto",
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
        if size is not None and output_shape is not None and tuple(size) != tuple(output_shape):
            raise ValueError(f"size={tuple(size)} and output_shape={tuple(output_shape)} differ; give one of them.")
        place, coords = self._place(fields, size if output_shape is None else output_shape, latents, zoom, pan, center)
        asked = self.sample_latents(latents, place.shape)
        if latents is None:
            asked = replace(asked, sample=self._sample(place.batch_size))
        path = Path(out) if isinstance(out, str | os.PathLike) else None
        array = None if isinstance(out, str | os.PathLike) else out
        dtype = dtype or ("uint8" if path and path.suffix.lower() == ".png" else "float32")
        look: dict[str, Any] = {
            "window": place.window,
            "coords": coords,
            "raw": raw,
            "dtype": dtype,
            "dither": dither,
            "supersample": supersample,
            "splits": place.splits if splits == "auto" else splits,
            # The kernel rounds differently from torch and knows no windows: a crop would not equal its zoom.
            "fused": False,
        }
        looks = [look | {"z": z, "calibration": calibration or self._calibration(z)} for z in self._scaled(asked)]
        if len(looks) > 1 and out is not None:
            raise ValueError(f"out takes one picture; these are {len(looks)}.")
        if path:
            text = ""
            if coords is None and not raw:
                recipe = self._recipe(asked, place, calibration)
                text = as_json(recipe)
                if recipe.fitted and recipe.weights is None and path.suffix != ".npy":
                    _LOG.warning("%s lacks the learned weights, which are large: save() the model first", path.name)
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
        return self._recipe(self.sample_latents(latents), fields or self.fields).to_json()

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
    def latent_dim(self) -> int:
        """Numbers of z."""
        return len(self.recipe.latents[0]) if self.recipe.latents else 0

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

    def _recipe(self, latents: Latents, fields: Fields, calibration: Calibration | None = None) -> Recipe:
        calibration = calibration or self._calibration(*self._scaled(latents))
        recipe = replace(
            self.recipe,
            output_shape=(*fields.shape, self.c_dim),
            latents=tuple(tuple(row[0].tolist()) for row in latents.sample if len(row[0])),
            window=replace(fields.window, latent_scale=1.0),
            calibration=(calibration.lo, calibration.hi),
        )
        return with_weights(recipe, self.map_fn, self._saved)

    def _place(
        self,
        fields: Fields | Tensor | None,
        size: Size | None,
        latents: Reusable | None,
        zoom: PerAxis | None,
        pan: PerAxis | None,
        center: PerAxis | None,
    ) -> tuple[Fields, Tensor | None]:
        """Where to sample, and the coordinates (n, axes + 1) themselves where a caller has made them."""
        window, is_asked = self._window(zoom, pan, center), any(value is not None for value in (zoom, pan, center))
        if fields is None:
            if size is None and latents is not None:
                size = reused_shape(latents, self.dimensions)
            return Fields(self._size(size), window), None
        place, coords = (fields, None) if isinstance(fields, Fields) else explicit(fields, self.dimensions)
        # The scale is the model's, whoever has made the fields.
        place = replace(place, window=replace(place.window, latent_scale=window.latent_scale))
        if size is not None and self._size(size) != place.shape:
            raise ValueError(f"fields are for {place.shape}, the size is {self._size(size)}; give one of them.")
        if is_asked and (coords is not None or place.window != window):
            raise ValueError("fields already say zoom and pan, and these differ; give one of them.")
        return place, coords

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
        scale = self.recipe.coordinate_scale
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
        if self._given_calibration:
            return self._given_calibration
        network = self.recipe.network
        final = network.final_activation if isinstance(network, Architecture) and not self.recipe.fitted else "fitted"
        if self.recipe.contrast == "auto" and final in RANGES:
            return RANGES[final]
        key = b"".join(b"" if z is None else z.cpu().numpy().tobytes() for z in latents)
        if key not in self._calibrations:
            values = reference_values(self.map_fn, self.dimensions, latents, self._window(zoom=1.0))
            self._calibrations[key] = stretched(values)
        return self._calibrations[key]
