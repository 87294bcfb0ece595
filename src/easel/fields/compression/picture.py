"""Compressed pictures: a field of wavelet features and a small network, in few bytes.

    picture = colours(Σ levels + network(level 1, level 2, …))

Every level is a plane of smooth bumps (CDF 9/7) with whole numbers for heights; their contributions at a pixel go
through a network of two layers that is fitted to the picture. Encoder and decoder run the same function on the same
whole numbers, and it only adds and multiplies, in a fixed order: the decoded picture is the one that the encoder
measured, byte for byte, in any process, with any number of threads.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from easel.fields.compression import band_coding, detail_network
from easel.fields.compression.band_coding import Bands
from easel.fields.compression.detail_network import NO_NETWORK, DetailNetwork
from easel.fields.compression.quantization import BITS_WEIGHT, Offsets, best_offsets, quantize
from easel.fields.compression.wavelets import Detail, Plane, analyze, synthesize

STEP_PARTS = 64
"""Parts of a grey level in which quantiser steps are stored."""
LARGEST_STEP = 65_535
"""Largest step that two bytes hold."""
NETWORK_PIXELS = 2**24
"""Most pixels of a picture with a network, whose features would take gigabytes beyond."""
_MATRIX_PARTS = 2**14
_MEAN_PARTS = 64
_SMALLEST_LOW = 8
"""Longest side of the low band."""


@dataclass(frozen=True)
class Colours:
    """Transform between decorrelated planes and colours in grey levels from 0 to 255."""

    matrix: NDArray[np.int16]
    """(channels, planes), in 1/16384: an orthonormal matrix, rounded."""
    mean: NDArray[np.int16]
    """Colour of planes that are zero, in 1/64 grey levels."""

    def to_planes(self, levels: Plane) -> Plane:
        """Transform colours (h, w, channels) into planes (planes, h, w)."""
        # The inverse of the rounded matrix, not its transpose, so that both ways fit together.
        inverse = np.linalg.inv(self.matrix.astype(np.float64) / _MATRIX_PARTS)
        centred = levels - self.mean / _MEAN_PARTS
        return np.ascontiguousarray(np.moveaxis(centred @ inverse.T, -1, 0), np.float32)

    def to_levels(self, planes: Plane) -> UInt8[np.ndarray, "h w c"]:
        """Transform planes (planes, h, w) into rounded colours."""
        colours = np.empty((*planes.shape[1:], len(self.matrix)), np.uint8)
        for channel, (row, mean) in enumerate(zip(self.matrix, self.mean, strict=True)):
            # Plane after plane: a matrix product would leave the order of the sum to a library.
            total = np.full(planes.shape[1:], np.float32(mean) / np.float32(_MEAN_PARTS), np.float32)
            for share, plane in zip(row, planes, strict=True):
                total += np.float32(share) / np.float32(_MATRIX_PARTS) * plane
            colours[..., channel] = np.rint(np.clip(total, 0, 255))
        return colours


@dataclass(frozen=True)
class CompressedPicture:
    """Content of a file of a compressed picture."""

    size: tuple[int, int]
    """(height, width)"""
    colours: Colours
    step: int
    """Step of the quantiser, in 1/64 grey levels."""
    bands: Bands
    offsets: Offsets
    network: DetailNetwork

    @cached_property
    def payload(self) -> bytes:
        """Bands and network, entropy-coded."""
        return band_coding.encode(self.bands, self.network.numbers)

    @cached_property
    def picture(self) -> UInt8[np.ndarray, "h w c"]:
        """The field at its own pixels; the same bytes everywhere."""
        return self._shown(self.added())

    def picture_at(self, size: tuple[int, int]) -> UInt8[np.ndarray, "h w c"]:
        """Return the field at other (rows, columns): its features are interpolated, then pass through the network.

        ValueError for a size without pixels or with more than `NETWORK_PIXELS`.
        """
        if min(size) < 1 or math.prod(size) > NETWORK_PIXELS:
            raise ValueError(f"a picture has 1 to {NETWORK_PIXELS:,} pixels; got {size[0]} x {size[1]}.")
        added = torch.from_numpy(self.added())
        # Smoothed only where it shrinks: enlarged, the filter would blur.
        smooth = min(size[0] / self.size[0], size[1] / self.size[1]) < 1
        return self._shown(interpolate(added, size, mode="bicubic", antialias=smooth).numpy())

    def planes(self) -> Plane:
        """Return the decoded planes (planes, height, width) in steps."""
        return self._joined(self.added())

    def added(self) -> Plane:
        """Return the contribution of every group of levels, (groups, planes, height, width) in steps.

        Without a network all levels are one group.
        """
        low, details = self.values()
        if not self.network.hidden:
            return synthesize(low, details, self.size)[None]
        return detail_network.features(low, details, self.size)

    def _joined(self, added: Plane) -> Plane:
        planes = added[0].copy()
        for group in added[1:]:
            planes += group
        if self.network.hidden:
            planes += self.network.apply(added)
        return planes

    def _shown(self, added: Plane) -> UInt8[np.ndarray, "h w c"]:
        step = np.float32(self.step) / np.float32(STEP_PARTS)
        return self.colours.to_levels(self._joined(added) * step)

    def values(self) -> tuple[Plane, list[Detail]]:
        """Return the reconstructed wavelet bands in steps."""
        details: list[Detail] = []
        for level, (across, down, both) in enumerate(self.bands.details):
            values = self.offsets.values
            details.append((values(across, level), values(down, level), values(both, level)))
        return self.bands.low.astype(np.float32), details


def halvings(size: tuple[int, int]) -> int:
    """Return the number of levels of a picture of that size."""
    return max(0, (-(-max(size) // _SMALLEST_LOW) - 1).bit_length())


def colours_of(levels: Plane) -> Colours:
    """Return the rotation of colours that leaves differences between neighbours uncorrelated, and the mean colour."""
    # Of differences, not of colours: wavelets store edges, and the mean costs nothing.
    channels = levels.shape[2]
    differences = [np.diff(levels, axis=axis).reshape(-1, channels) for axis in (0, 1)]
    differences = np.concatenate(differences).astype(np.float64)
    # The small diagonal keeps a flat picture from having any rotation for its own.
    _, vectors = np.linalg.eigh(differences.T @ differences + 1e-3 * np.eye(channels))
    rotation = vectors[:, ::-1]  # the largest first
    # Eigenvectors have no sign of their own: with positive sums the first plane is brightness, not its negative.
    rotation = rotation * np.where(rotation.sum(axis=0) < 0, -1, 1)
    mean = levels.reshape(-1, channels).mean(axis=0, dtype=np.float64)
    return Colours(np.rint(rotation * _MATRIX_PARTS).astype(np.int16), np.rint(mean * _MEAN_PARTS).astype(np.int16))


class Encoder:
    """Encoder of one picture, display-referred values in [0, 1], with any step."""

    def __init__(self, picture: Float[Tensor, "h w c"]) -> None:
        levels = picture.cpu().numpy().astype(np.float32) * 255
        self.size = (levels.shape[0], levels.shape[1])
        self.colours = colours_of(levels)
        self.planes = self.colours.to_planes(levels)
        self._low, self._details = analyze(self.planes, halvings(self.size))

    def plain(self, step: int) -> CompressedPicture:
        """Compress without a network."""
        return self._quantized(step, NO_NETWORK, self._low, self._details)

    def refined(self, step: int, network: DetailNetwork) -> CompressedPicture:
        """Compress with a network that was trained for a step like this one."""
        return self.with_network(self.plain(step), network)

    def with_network(self, coded: CompressedPicture, network: DetailNetwork) -> CompressedPicture:
        """Compress with the same step and this network; the bands are chosen anew for the rest that it leaves."""
        added = network.apply(detail_network.features(*coded.values(), self.size))
        # The bands need not repeat what the network adds.
        wanted = self.planes - added * np.float32(coded.step / STEP_PARTS)
        low, details = analyze(wanted, len(self._details))
        return self._quantized(coded.step, network, low, details)

    def loss(self, coded: CompressedPicture) -> float:
        """Return the loss that the encoder minimises, per pixel: squared error in steps + weight · bits."""
        step = coded.step / STEP_PARTS
        return self.error(coded) / step**2 + BITS_WEIGHT * 8 * len(coded.payload) / (self.size[0] * self.size[1])

    def error(self, coded: CompressedPicture) -> float:
        """Return the squared error per pixel, all planes together, in grey levels."""
        error = coded.planes() * np.float32(coded.step / STEP_PARTS) - self.planes
        return float(np.square(error, dtype=np.float64).sum()) / (self.size[0] * self.size[1])

    def train(
        self, coded: CompressedPicture, hidden: int, steps: int, *, generator: torch.Generator
    ) -> Iterator[DetailNetwork | None]:
        """Fit a network to the error that the bands leave; see `detail_network.train`."""
        features = detail_network.features(*coded.values(), self.size)
        # The residual in steps, as the network takes and gives them.
        wanted = self.planes / np.float32(coded.step / STEP_PARTS) - features.sum(axis=0)
        yield from detail_network.train(hidden, features, wanted, steps, generator=generator)

    def _quantized(self, step: int, network: DetailNetwork, low: Plane, details: list[Detail]) -> CompressedPicture:
        scale = np.float32(STEP_PARTS / step)
        # In units of the step, so that every threshold of the quantiser is one number for all qualities.
        scaled: list[Detail] = [(across * scale, down * scale, both * scale) for across, down, both in details]
        bands = quantize(low * scale, scaled)
        return CompressedPicture(self.size, self.colours, step, bands, best_offsets(scaled, bands), network)
