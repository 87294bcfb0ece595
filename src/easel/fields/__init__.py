"""Neural fields: coordinates in, values out."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easel.fields.activations import StraightThroughStep
    from easel.fields.architecture import Architecture, build, resolve
    from easel.fields.config import FieldConfig, Knobs
    from easel.fields.encodings import DenseGrid, FourierEncoding, Identity, OneBlob, RandomFourier, SphericalHarmonics
    from easel.fields.field import Field, build_field
    from easel.fields.fitting import Step, fit
    from easel.fields.grids import HashGrid, PlaneProduct
    from easel.fields.losses import LossWeights
    from easel.fields.presets import PRESETS, Preset
    from easel.fields.rendering import render
    from easel.fields.result import FitResult, drain
    from easel.fields.targets import as_target, load_image_as_tensor

_HOME = {
    "PRESETS": "presets",
    "Architecture": "architecture",
    "DenseGrid": "encodings",
    "Field": "field",
    "FieldConfig": "config",
    "FitResult": "result",
    "FourierEncoding": "encodings",
    "HashGrid": "grids",
    "Identity": "encodings",
    "Knobs": "config",
    "LossWeights": "losses",
    "Preset": "presets",
    "OneBlob": "encodings",
    "PlaneProduct": "grids",
    "RandomFourier": "encodings",
    "SphericalHarmonics": "encodings",
    "Step": "fitting",
    "as_target": "targets",
    "StraightThroughStep": "activations",
    "build": "architecture",
    "build_field": "field",
    "drain": "result",
    "fit": "fitting",
    "load_image_as_tensor": "targets",
    "render": "rendering",
    "resolve": "architecture",
}
__all__ = [
    "PRESETS",
    "Architecture",
    "DenseGrid",
    "Field",
    "FieldConfig",
    "FitResult",
    "FourierEncoding",
    "HashGrid",
    "Identity",
    "Knobs",
    "LossWeights",
    "OneBlob",
    "PlaneProduct",
    "Preset",
    "RandomFourier",
    "SphericalHarmonics",
    "Step",
    "StraightThroughStep",
    "as_target",
    "build",
    "build_field",
    "drain",
    "fit",
    "load_image_as_tensor",
    "render",
    "resolve",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
