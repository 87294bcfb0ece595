"""Inputs of a painting field: its latents, and the samples at which it is evaluated."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from easel.fields.model.coordinates import norm, pixel_centers
from easel.fields.model.extent import WHOLE, Extent, PerAxis


@dataclass(frozen=True, eq=False)
class Latents:
    """One latent for every picture of a batch, also by the keys 'sample', 'input', 'base_shape' and 'sample_shape'."""

    sample: Float[Tensor, "b 1 l"]
    scale: float
    """Factor of z on its way into the field."""
    shape: tuple[int, ...]
    """Samples on every axis of the picture that they were made for."""

    def __getitem__(self, key: str) -> Any:
        match key:
            case "sample":
                return self.sample
            case "input":
                return (self.sample * self.scale).expand(-1, math.prod(self.shape), -1)
            case "base_shape":
                return self.shape
            case "sample_shape":
                return tuple(self.sample.shape)
        raise KeyError(f"latents have sample, input, base_shape, sample_shape; not {key!r}.")


@dataclass(frozen=True)
class Fields:
    """The samples of a picture as a description, which takes no memory; `coords()` makes it numbers."""

    shape: tuple[int, ...]
    """Samples on every axis."""
    window: Extent = WHOLE
    splits: int | Literal["auto"] = "auto"
    """The least number of parts in which a picture is computed."""
    batch_size: int = 1

    @property
    def zoom(self) -> PerAxis:
        return self.window.zoom

    @property
    def pan(self) -> PerAxis:
        return self.window.pan

    def coords(self) -> Float[Tensor, "b k *shape"]:
        """Return coordinates and radius of every sample: x, y, r of a picture, x, y, z, r of a volume."""
        points = pixel_centers(self.shape, window=self.window)
        # Channels first, as neural-canvas has them.
        inputs = torch.cat([points, norm(points)], dim=1).T.reshape(1, -1, *self.shape)
        # A view: all pictures of a batch have the same coordinates.
        return inputs.expand(self.batch_size, *[-1] * (inputs.ndim - 1))


class LatentInputs(NamedTuple):
    """Latents, fields and recipe of a picture, as `init_latent_inputs` returns them."""

    latents: Latents
    fields: Fields
    meta: dict[str, Any]
    """The recipe of the picture, as plain data."""


Size = Sequence[int]
Reusable = Latents | LatentInputs | Mapping[str, Any]
"""Sources of latents: themselves, a whole `LatentInputs`, or a recipe."""


def reused_sample(source: Reusable) -> Float[Tensor, "b 1 l"]:
    """Return the latents of an earlier call."""
    if isinstance(source, Latents):
        return source.sample
    if isinstance(source, LatentInputs):
        return source.latents.sample
    _check_keys(source)
    # As float32, in which fields compute and files store them.
    rows: Sequence[Sequence[float]] = source["latents"]
    return torch.tensor(rows, dtype=torch.float32)[:, None, :]


def reused_shape(source: Reusable, dimensions: int) -> tuple[int, ...]:
    """Return the samples on every axis in an earlier call."""
    if isinstance(source, Latents):
        return source.shape
    if isinstance(source, LatentInputs):
        return source.fields.shape
    _check_keys(source)
    # A recipe's shape ends with the channels.
    return tuple(source["output_shape"])[:dimensions]


def explicit(coords: Tensor, dimensions: int) -> tuple[Fields, Float[Tensor, "n k"]]:
    """Split a tensor (axes + 1, *size) of coordinates and radius into its size, as fields, and one row a sample.

    A leading batch axis of 1 may stand before it. ValueError for other shapes.
    """
    inputs = coords
    if coords.ndim == dimensions + 2 and len(coords) == 1:
        inputs = coords[0]
    if inputs.ndim != dimensions + 1 or len(inputs) != dimensions + 1:
        raise ValueError(
            f"fields are a tensor ({dimensions + 1}, *size) of coordinates and radius; got {tuple(coords.shape)}."
        )
    return Fields(tuple(inputs.shape[1:])), inputs.flatten(1).T.float()


def _check_keys(recipe: Mapping[str, Any]) -> None:
    if not {"latents", "output_shape"} <= set(recipe):
        raise ValueError(
            "latents come from Latents, LatentInputs or a recipe, which has the keys 'latents' and 'output_shape'; "
            f"got {', '.join(map(str, recipe)) or 'no keys'}."
        )
