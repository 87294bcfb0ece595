"""Materials: photographs to albedo, roughness, metallic and normal maps."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easel.materials.config import TrainConfig
    from easel.materials.presets import get_default_config, get_lightweight_config, get_quick_test_config

_HOME: dict[str, str] = {
    "TrainConfig": "config",
    "get_default_config": "presets",
    "get_lightweight_config": "presets",
    "get_quick_test_config": "presets",
}
"""Public name → the file below `easel.materials` it comes from."""

__all__ = [
    "TrainConfig",
    "get_default_config",
    "get_lightweight_config",
    "get_quick_test_config",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
