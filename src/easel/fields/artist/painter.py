"""A painter: a recipe, its field, and every picture of it, at any size, in any window, for any latents.

One seed is one picture. The same arguments give the same bytes in every process on one machine, whatever the number of
threads. Other processors add the same numbers in another order and have other instructions for sines and exponentials:
colours were seen to differ by up to 1e-4 there, which changes an 8-bit level by one at most.
"""

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
from easel.fields.artist.storage import SavedWeights, as_json, with_weights
from easel.fields.files.sample_files import mapped, write_samples
from easel.fields.model.coordinates import reference_size
from easel.fields.model.extent import Extent, PerAxis, from_divisor
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
from easel.fields.rendering.calibration import RANGES, THUMBNAIL, Calibration, is_blank, is_dull, stretched
from easel.fields.rendering.render import FILE_LIMIT_BYTES, check_bytes, check_size, finished, render
from easel.fields.rendering.tiles import RenderSettings, reference_values

_LOG = logging.getLogger("easel")


class Painter:
    """Pictures of one recipe; `inrf.INRF` changes the recipe."""

    dimensions: ClassVar[int]

    def __init__(
        self, recipe: Recipe, tensors: Mapping[str, Tensor] | None = None, device: str | torch.device = "cpu"
    ) -> None:
        self.device = torch.device(device)
        # Without tensors `adopt` builds: only there the recipe has its latents.
        self.adopt(recipe, recipe.build(tensors) if tensors else None)

    def adopt(self, recipe: Recipe, field: Field | None = None) -> None:
        """Take on a recipe, with the field that it has built already, if any."""
        if not recipe.latents and isinstance(recipe.network, Architecture):
            z = draw_latent(recipe.network.latent_dim, self.dimensions, recipe.seed, recipe.latent_draw)
            if z is not None:
                recipe = replace(recipe, latents=(tuple(z.tolist()),))
        self.recipe = recipe
        self.map_fn: Field = (field or recipe.build()).to(self.device)
        # What was saved or measured belongs to the old field.
        self._saved: SavedWeights | None = None
        self._calibrations: dict[bytes, Calibration] = {}
        self._given_calibration: Calibration | None = None

    def sample_latents(self, reuse_latents: Reusable | None = None, output_shape: Size | None = None) -> Latents:
        """Return the model's latents, or those of an earlier call, for a picture of that or the earlier call's size."""
        sample = self._sample(1)
        if reuse_latents is not None:
            output_shape = output_shape or reused_shape(reuse_latents, self.dimensions)
            sample = reused_sample(reuse_latents)
        if sample.shape[-1] != self.latent_dim:
            raise ValueError(f"this model's latents have {self.latent_dim} numbers; got {sample.shape[-1]}.")
        return Latents(sample, self.recipe.latent_scale, self._size(output_shape))

    def construct_fields(
        self,
        output_shape: Size | None = None,
        zoom: PerAxis | None = None,
        pan: PerAxis | None = None,
        coord_fn: Callable[[tuple[int, ...]], Tensor] | None = None,
    ) -> Fields | Tensor:
        """Describe the samples of a picture; with `coord_fn`, return its (axes + 1, *size) coordinates and radius."""
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
        """Return (latents, fields, meta) of a picture: z, the samples, and the recipe. Takes no memory.

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
        """Return the picture (H, W, C) or volume (X, Y, Z, C) in [0, 1]; the same arguments give the same bytes.

        `size` is another name of `output_shape`; numbers that it lacks at its end are the model's. Several latents give
        a batch of pictures. `out` is an array to fill, or the path of a .npy, .tif or .png file: pictures of any size
        flow there without taking memory, and what is returned is mapped from the .npy file or, for TIFF and PNG, which
        keep the recipe, has a shape but no data (device 'meta'). `dtype` is float32, in a .png file uint8. A film's
        `calibration`, say, stands in for the model's own. The rest is said at `rendering.tiles.RenderSettings`.

            INRF2D(seed=7).generate(output_shape=(4096, 4096), supersample=2, out="wall.png")
        """
        if size is not None and output_shape is not None and tuple(size) != tuple(output_shape):
            raise ValueError(f"size={tuple(size)} and output_shape={tuple(output_shape)} differ; give one of them.")
        place, coords = self._place(fields, size if output_shape is None else output_shape, latents, zoom, pan, center)
        asked = self.sample_latents(latents, place.shape)
        if latents is None:
            asked = replace(asked, sample=self._sample(place.batch_size))
        path = None
        if isinstance(out, str | os.PathLike):
            path, out = Path(out), None
            if path.suffix.lower() == ".png":
                dtype = dtype or "uint8"
        common = RenderSettings(
            window=place.window,
            coords=coords,
            raw=raw,
            dtype=dtype or "float32",
            dither=dither,
            supersample=supersample,
            splits=place.splits if splits == "auto" else splits,
            # The kernel rounds differently from torch and knows no windows: a crop would not equal its zoom.
            fused=False,
        )
        # Every picture of a batch has its own range of numbers, unless the caller gives one for all.
        looks = [replace(common, z=z, calibration=calibration or self._calibration(z)) for z in self._scaled(asked)]
        if len(looks) > 1 and (path or out is not None):
            raise ValueError(f"out takes one picture; these are {len(looks)}.")
        if path:
            text = ""
            # Coordinates of a caller's own, and raw numbers, are no picture that a recipe could bring back.
            if coords is None and not raw:
                recipe = self._recipe(asked, place, calibration)
                text = as_json(recipe)
                if recipe.fitted and recipe.weights is None and path.suffix != ".npy":
                    _LOG.warning("%s lacks the learned weights, which are large: save() the model first", path.name)
            shape = (*place.shape, self.c_dim)
            check_bytes(shape, common.dtype, FILE_LIMIT_BYTES, force, "Take fewer samples")
            samples = finished(self.map_fn, place.shape, looks[0])
            write_samples(path, samples, shape, common.dtype, text=text, progress=progress)
            return mapped(path, shape, common.dtype)
        pictures = [render(self.map_fn, place.shape, look, out=out, force=force, progress=progress) for look in looks]
        return pictures[0] if len(pictures) == 1 else torch.stack(pictures)

    def metadata(self, latents: Reusable | None = None, fields: Fields | None = None) -> dict[str, Any]:
        """Return the recipe of a picture of these latents and fields, as plain data."""
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
        """Samples on every axis, then channels: the size that `generate` makes by default."""
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
        """Numbers of z; 0 without a latent."""
        return len(next(iter(self.recipe.latents), ()))

    @property
    def fields(self) -> Fields:
        """Samples of `generate` by default."""
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
        """Return whether the picture, at a size that is the same for every model, hardly shows anything."""
        return is_blank(self.generate(output_shape=reference_size(self.dimensions)))

    def thumbnail(self) -> Tensor:
        """Return the whole view as a gallery shows it: (112, 112, C), or (32, 32, 32, C) of a volume."""
        side, supersample = THUMBNAIL[self.dimensions]
        return self.generate(fields=Fields((side,) * self.dimensions), supersample=supersample)

    def is_dull(self) -> bool:
        """Return whether the thumbnail shows nothing, or noise: a gallery leaves such a model out."""
        return is_dull(self.thumbnail())

    def calibration(self, latents: Reusable | None = None) -> Calibration:
        """Return the calibration for all of these latents together; by default for the model's."""
        return self._calibration(*self._scaled(self.sample_latents(latents)))

    def _recipe(self, latents: Latents, fields: Fields, calibration: Calibration | None = None) -> Recipe:
        # One for all pictures of a batch: the recipe has place for one.
        calibration = calibration or self._calibration(*self._scaled(latents))
        # The window without the scale: a recipe has it once, as its own.
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
        """Return the samples, and the coordinates (n, axes + 1) themselves where a caller has made them."""
        window = self._window(zoom, pan, center)
        if fields is None:
            # Latents of an earlier call bring its size along.
            if size is None and latents is not None:
                size = reused_shape(latents, self.dimensions)
            return Fields(self._size(size), window), None
        place, coords = (fields, None) if isinstance(fields, Fields) else explicit(fields, self.dimensions)
        # The scale is the model's, whoever has made the fields.
        place = replace(place, window=replace(place.window, latent_scale=window.latent_scale))
        if size is not None and self._size(size) != place.shape:
            raise ValueError(f"fields are for {place.shape}, the size is {self._size(size)}; give one of them.")
        is_asked = any(value is not None for value in (zoom, pan, center))
        if is_asked and (coords is not None or place.window != window):
            raise ValueError("fields already say zoom and pan, and these differ; give one of them.")
        return place, coords

    def _size(self, output_shape: Size | None) -> tuple[int, ...]:
        """Return the samples on every axis; numbers missing at the end are the model's, the channels always its own."""
        if output_shape is None:
            return self.recipe.size
        given = check_size(output_shape)
        if len(given) > self.dimensions + 1 or given[self.dimensions :] not in ((), (self.c_dim,)):
            raise ValueError(
                f"a size of this model has up to {self.dimensions} numbers, then {self.c_dim}; got {given}."
            )
        # neural-canvas gives channels or leaves them out, and a volume's depth, too.
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
    ) -> Extent:
        """Return the window asked for, or by default that of the picture from which the model was read."""
        scale = self.recipe.coordinate_scale
        given = {name: value for name, value in (("zoom", zoom), ("pan", pan), ("center", center)) if value is not None}
        if pan_mode == "divisor":
            zooms, pans = from_divisor(given.get("zoom", 0.5), given.get("pan", 2.0), self.dimensions)
            given |= {"zoom": zooms, "pan": pans}
        elif not given and (aspect, align) == ("stretch", "centers"):
            return replace(self.recipe.window, latent_scale=scale)
        return Extent(**given, latent_scale=scale, aspect=aspect, align=align)

    def _sample(self, batch_size: int = 1) -> Float[Tensor, "b 1 l"]:
        """Return the model's z, then as many of the seed's next ones as a batch needs."""
        if not self.recipe.latents:
            return torch.empty(batch_size, 1, 0)
        rows = [torch.tensor(self.recipe.latents[0])]
        for k in range(1, batch_size):
            z = draw_latent(self.latent_dim, self.dimensions, self.seed, self.recipe.latent_draw + k)
            assert z is not None
            rows.append(z)
        return torch.stack(rows)[:, None, :]

    def _scaled(self, latents: Latents) -> list[Tensor | None]:
        """Return every z as the field takes it; None without a latent."""
        return [z[0] * latents.scale if z.numel() else None for z in latents.sample.to(self.device)]

    def _calibration(self, *latents: Tensor | None) -> Calibration:
        """Return the given calibration, that of a bounded output, or the stretch over the reference grid, kept."""
        if self._given_calibration:
            return self._given_calibration
        network = self.recipe.network
        final = "fitted"
        if isinstance(network, Architecture) and not self.recipe.fitted:
            final = network.final_activation
        if self.recipe.contrast == "auto" and final in RANGES:
            return RANGES[final]
        # By the bytes of z: tensors are equal by identity, and the same latents come in new ones every call.
        key = b"".join(b"" if z is None else z.cpu().numpy().tobytes() for z in latents)
        if key not in self._calibrations:
            values = reference_values(self.map_fn, self.dimensions, latents, self._window(zoom=1.0))
            self._calibrations[key] = stretched(values)
        return self._calibrations[key]
