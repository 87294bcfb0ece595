"""Neural fields: coordinates in, values out."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easel.fields.activations import StraightThroughStep
    from easel.fields.architecture import Architecture, build, resolve
    from easel.fields.calibration import Calibration
    from easel.fields.config import FieldConfig, Knobs
    from easel.fields.conversions import unnormalize_and_numpy
    from easel.fields.encodings import DenseGrid, FourierEncoding, Identity, OneBlob, RandomFourier, SphericalHarmonics
    from easel.fields.field import Field, build_field
    from easel.fields.fitting import Step, fit
    from easel.fields.grids import HashGrid, PlaneProduct
    from easel.fields.inrf import INRF2D, INRF3D
    from easel.fields.latents import Fields, LatentInputs, Latents
    from easel.fields.losses import LossWeights
    from easel.fields.presets import PRESETS, Preset
    from easel.fields.rendering import render
    from easel.fields.result import FitResult, drain
    from easel.fields.sizing import largest_field, smallest_field
    from easel.fields.targets import as_target, load_image_as_tensor
    from easel.fields.window import Window

_HOME = {
    "INRF2D": "inrf",
    "INRF3D": "inrf",
    "PRESETS": "presets",
    "Architecture": "architecture",
    "Calibration": "calibration",
    "DenseGrid": "encodings",
    "Field": "field",
    "FieldConfig": "config",
    "Fields": "latents",
    "FitResult": "result",
    "FourierEncoding": "encodings",
    "HashGrid": "grids",
    "Identity": "encodings",
    "Knobs": "config",
    "LatentInputs": "latents",
    "Latents": "latents",
    "LossWeights": "losses",
    "OneBlob": "encodings",
    "PlaneProduct": "grids",
    "Preset": "presets",
    "RandomFourier": "encodings",
    "SphericalHarmonics": "encodings",
    "Step": "fitting",
    "StraightThroughStep": "activations",
    "Window": "window",
    "as_target": "targets",
    "build": "architecture",
    "build_field": "field",
    "drain": "result",
    "fit": "fitting",
    "largest_field": "sizing",
    "load_image_as_tensor": "targets",
    "render": "rendering",
    "resolve": "architecture",
    "smallest_field": "sizing",
    "unnormalize_and_numpy": "conversions",
}
__all__ = [
    "INRF2D",
    "INRF3D",
    "PRESETS",
    "Architecture",
    "Calibration",
    "DenseGrid",
    "Field",
    "FieldConfig",
    "Fields",
    "FitResult",
    "FourierEncoding",
    "HashGrid",
    "Identity",
    "Knobs",
    "LatentInputs",
    "Latents",
    "LossWeights",
    "OneBlob",
    "PlaneProduct",
    "Preset",
    "RandomFourier",
    "SphericalHarmonics",
    "Step",
    "StraightThroughStep",
    "Window",
    "as_target",
    "build",
    "build_field",
    "drain",
    "fit",
    "largest_field",
    "load_image_as_tensor",
    "render",
    "resolve",
    "smallest_field",
    "unnormalize_and_numpy",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
