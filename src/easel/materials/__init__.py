"""Materials: photographs to albedo, roughness, metallic and normal maps."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

_HOME: dict[str, str] = {}
"""Public name → the file below `easel.materials` it comes from."""

__all__: list[str] = []


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
