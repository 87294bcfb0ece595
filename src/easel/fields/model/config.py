"""FieldConfig, the architecture of a field that is fitted, and Knobs, the settings that may change during a fit.

Standard library only: help texts must not wait for torch.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from easel.graphics.checked_record import Range, check


@dataclass(frozen=True)
class FieldConfig:
    """The architecture of a field: how coordinates are encoded and the network behind the encoding.

    ValueError for numbers outside of their ranges, "FieldConfig.layers is 0; it must be 1 to 64."
    """

    encoding: Literal["grid", "hash", "fourier", "random_fourier", "identity"] = "grid"
    """Multi-resolution grids of learned features, dense or hashed; sines and cosines of the coordinates, of octaves or
    of random directions; or the bare coordinates."""
    network: Literal["relu", "siren", "finer", "wire"] = "relu"
    """Nonlinearity between the linear layers: ReLU, sin(ωx), sin(ω(|x| + 1)x), or a complex Gabor wavelet."""
    hidden: Annotated[int, Range(1, 4096)] = 32
    """Width of the hidden layers."""
    layers: Annotated[int, Range(1, 64)] = 3
    """Linear layers, the output layer included."""
    omega: float = 30.0
    """Frequency ω of the first layer of 'siren', 'finer' and 'wire'."""
    omega_hidden: float = 30.0
    """Frequency ω of the layers behind it."""
    fourier_levels: Annotated[int, Range(0, 64)] = 6
    """Octaves of sines and cosines beside the coordinates; 0 leaves the coordinates alone. For 'fourier'."""
    random_features: Annotated[int, Range(1, 65_536)] = 128
    """Random directions, each with a sine and a cosine. For 'random_fourier'."""
    random_sigma: float = 10.0
    """Standard deviation of their frequencies, in periods for every unit of a coordinate. For 'random_fourier'."""
    grid_levels: Annotated[int, Range(1, 32)] = 5
    """Grids, each half as fine as the next; a small picture takes fewer. For 'grid' and 'hash'."""
    grid_features: Annotated[int, Range(1, 32)] = 2
    """Learned numbers at every grid node. For 'grid' and 'hash'."""
    grid_parameters: Annotated[int, Range(0, 2**27)] = 396_000
    """Most learned numbers in all grids together: it sets how fine the finest grid is. For 'grid'."""
    hash_log2_table: Annotated[int, Range(1, 24)] = 16
    """Most entries of a level's table, as a power of two; levels with fewer nodes are dense. For 'hash'."""

    def __post_init__(self) -> None:
        # Configs come from recipes of strangers, too: none may exhaust memory.
        check(self)


@dataclass
class Knobs:
    """Settings that a person may change while a fit runs; every step reads them anew."""

    lr: float = 1e-2
    """Learning rate of the next step."""
    optimizer: Literal["adam", "sgd", "adamw"] = "adam"
    """A new one starts with fresh moments and keeps the weights. SGD has momentum 0.9."""
    loss: Literal["mse", "l1", "huber"] = "mse"
    """Mean over pixels and channels; Huber turns from square to straight at 0.1."""
    weight_decay: float = 0.0
    """Pull of all weights towards zero: added to the gradient by adam and sgd, taken off the weights by adamw."""
    batch: int = 8192
    """Random pixels in a step."""
    schedule: Literal["constant", "cosine"] = "constant"
    """A constant rate, or one that falls along half a cosine towards the end of a run that has one."""
