"""Neural fields: coordinates in, values out."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easel.fields.config import FieldConfig, Knobs
    from easel.fields.encodings import DenseGrid, FourierEncoding
    from easel.fields.field import Field, build_field
    from easel.fields.fitting import Step, fit
    from easel.fields.rendering import render

_HOME = {
    "DenseGrid": "encodings",
    "Field": "field",
    "FieldConfig": "config",
    "FourierEncoding": "encodings",
    "Knobs": "config",
    "Step": "fitting",
    "build_field": "field",
    "fit": "fitting",
    "render": "rendering",
}
__all__ = [
    "DenseGrid",
    "Field",
    "FieldConfig",
    "FourierEncoding",
    "Knobs",
    "Step",
    "build_field",
    "fit",
    "render",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
