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
    from easel.fields.rendering import render

_HOME = {
    "Architecture": "architecture",
    "DenseGrid": "encodings",
    "Field": "field",
    "FieldConfig": "config",
    "FourierEncoding": "encodings",
    "HashGrid": "grids",
    "Identity": "encodings",
    "Knobs": "config",
    "OneBlob": "encodings",
    "PlaneProduct": "grids",
    "RandomFourier": "encodings",
    "SphericalHarmonics": "encodings",
    "Step": "fitting",
    "StraightThroughStep": "activations",
    "build": "architecture",
    "build_field": "field",
    "fit": "fitting",
    "render": "rendering",
    "resolve": "architecture",
}
__all__ = [
    "Architecture",
    "DenseGrid",
    "Field",
    "FieldConfig",
    "FourierEncoding",
    "HashGrid",
    "Identity",
    "Knobs",
    "OneBlob",
    "PlaneProduct",
    "RandomFourier",
    "SphericalHarmonics",
    "Step",
    "StraightThroughStep",
    "build",
    "build_field",
    "fit",
    "render",
    "resolve",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
