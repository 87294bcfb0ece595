"""Topologies and encodings: the names in an architecture and their meaning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from easel.fields.model.activations import LARGE_SET, SMALL_SET
from easel.fields.model.encodings import (
    DenseGrid,
    FourierEncoding,
    Identity,
    OneBlob,
    RandomFourier,
    SphericalHarmonics,
)
from easel.fields.model.grids import HashGrid, PlaneProduct

AXES = "xyzw"
"""Names of the inputs, in the order of the array's axes; r is the radius."""


@dataclass(frozen=True)
class Topology:
    """Defaults of a topology for what an architecture leaves out."""

    activations: str
    final_activation: str
    weight_init: str
    weight_init_std: float
    fourier_freqs: int
    random_set: tuple[str, ...]
    """Activations of 'random'."""
    fixed: Mapping[str, str]
    """Slot → activation of 'fixed' up to 2D; `fixed_3d` from 3D on."""
    fixed_3d: Mapping[str, str]

    def fixed_of(self, dimensions: int) -> Mapping[str, str]:
        """Return the activations of 'fixed' for fields of so many dimensions."""
        return self.fixed if dimensions <= 2 else self.fixed_3d


def _slots(names: str, activations: str) -> dict[str, str]:
    return dict(zip(names.split(), activations.split(), strict=True))


_MLP = "x y z w r features latent sum hidden-1 hidden-2 hidden-3 output"
_SIMPLE = _slots("sum hidden-1 hidden-2 hidden-3 output", "Tanh ELU Softplus Tanh identity") | dict.fromkeys(
    ["x", "y", "z", "w", "r", "features", "latent"], "identity"
)
_WS = "x y z w r features latent sum hidden end-1 end-2 node"
_CONV = " ".join(f"layer-{number}" for number in range(1, 9))
_SINES = {f"layer-{number}": "sin" for number in range(1, 65)}

# Slots in the order of the names above, volumes in the second line.
TOPOLOGIES: dict[str, Topology] = {
    "mlp": Topology(
        *("fixed", "Sigmoid", "normal", 1.0, 0, LARGE_SET),
        _slots(_MLP, "scale Softplus Tanh sin Tanh Tanh sin GELU Softplus Tanh sin gain"),
        _slots(_MLP, "Tanhshrink Tanh sin Tanh ELU Tanh RReLU ELU SiLU sin scale identity"),
    ),
    "simple": Topology("fixed", "half_sine", "normal", 1.0, 0, SMALL_SET, _SIMPLE, _SIMPLE),
    "conv": Topology(
        *("fixed", "Sigmoid", "normal", 0.45, 4, LARGE_SET),
        _slots(_CONV, "Tanh ELU Softplus Tanh sin Tanh ELU Softplus"),
        _slots(_CONV, "GELU ELU Softplus Tanh sin Tanh ELU Softplus"),
    ),
    "WS": Topology(
        *("random", "identity", "normal", 3.0, 0, LARGE_SET),
        _slots(_WS, "Tanh Softplus sin Tanh ELU Tanh Tanh gaussian sin Tanh Tanh sin"),
        _slots(_WS, "gaussian Tanh ELU Tanh Softplus Tanh SiLU sin GELU Tanh Tanh sin"),
    ),
    "siren": Topology("fixed", "Sigmoid", "siren", 1.0, 0, SMALL_SET, _SINES, _SINES),
}
NORMS = ("layer", "batch")

Number = float | int


@dataclass(frozen=True)
class EncodingSetting:
    """Default and bounds of a number that an encoding takes."""

    default: Number
    least: Number
    most: Number


@dataclass(frozen=True)
class EncodingKind:
    """Settings of an encoding, and its dependence on the inputs."""

    settings: Mapping[str, EncodingSetting]
    by_axis: bool
    """Every input is encoded by itself, each to as many numbers."""
    radius: bool
    """The distance from the centre may be one of its inputs; a map of space takes places alone."""


# Few levels with few nodes: fine grids of random numbers are noise.
_LEVELS = EncodingSetting(2, 1, 24)
_FEATURES = EncodingSetting(2, 1, 64)
ENCODINGS: dict[str, EncodingKind] = {
    "identity": EncodingKind({}, by_axis=True, radius=True),
    "fourier": EncodingKind({}, by_axis=True, radius=True),
    "random_fourier": EncodingKind(
        {
            "num": EncodingSetting(16, 1, 4096),
            "sigma": EncodingSetting(0.25, 1e-6, 1e6),
            "seed": EncodingSetting(0, 0, 2**63 - 1),
        },
        by_axis=False,
        radius=True,
    ),
    "one_blob": EncodingKind({"bins": EncodingSetting(8, 1, 1024)}, by_axis=True, radius=True),
    "harmonics": EncodingKind({"degree": EncodingSetting(4, 1, 4)}, by_axis=False, radius=False),
    "grid": EncodingKind(
        {"levels": _LEVELS, "features": _FEATURES, "finest": EncodingSetting(6, 2, 65_536)}, by_axis=False, radius=False
    ),
    "hash": EncodingKind(
        {
            "levels": _LEVELS,
            "features": _FEATURES,
            "log2_table": EncodingSetting(14, 1, 24),
            "base": EncodingSetting(3, 1, 65_536),
            "finest": EncodingSetting(6, 2, 2**20),
        },
        by_axis=False,
        radius=False,
    ),
    "planes": EncodingKind(
        {"finest": EncodingSetting(6, 2, 8192), "features": EncodingSetting(16, 1, 256)}, by_axis=False, radius=False
    ),
}


def make_encoding(
    name: str | None, settings: Mapping[str, Number], frequencies: int, inputs: int, generator: torch.Generator
) -> nn.Module:
    """Create the encoding of that many inputs, by default the identity."""
    given: dict[str, Any] = dict(settings)
    # Features over space are drawn as large as coordinates are, not small as for a fit: they paint.
    match name:
        case "fourier":
            return FourierEncoding(frequencies)
        case "random_fourier":
            return RandomFourier(**given, inputs=inputs)
        case "one_blob":
            return OneBlob(**given)
        case "harmonics":
            return SphericalHarmonics(**given)
        case "grid":
            finest = (given.pop("finest"),) * inputs
            return DenseGrid(**given, finest=finest, bound=1.0, generator=generator)
        case "hash":
            return HashGrid(**given, dimensions=inputs, bound=1.0, generator=generator)
        case "planes":
            return PlaneProduct(**given, dimensions=inputs, low=-1.0, high=1.0, generator=generator)
    return Identity()


def weights_in_space(name: str | None, settings: Mapping[str, Number], dimensions: int) -> int:
    """Return the learned numbers that an encoding spreads over space, at most."""
    # Upper bounds, in floats: the settings are a stranger's, and levels below the finest only take less.
    match name:
        case "grid":
            return round(settings["levels"] * settings["features"] * settings["finest"] ** dimensions)
        case "hash":
            return round(settings["levels"] * settings["features"] * 2 ** settings["log2_table"])
        case "planes":
            return round(6 * settings["features"] * settings["finest"] ** 2)
    return 0
