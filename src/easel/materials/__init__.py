"""Materials: photographs to albedo, roughness, metallic and normal maps."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easel.materials.config import TrainConfig
    from easel.materials.dataset.dataset import PBRDataset
    from easel.materials.library.procedural import FAMILIES, family_of, name_of, procedural
    from easel.materials.presets import get_default_config, get_lightweight_config, get_quick_test_config
    from easel.materials.training.losses import HybridLoss

_HOME: dict[str, str] = {
    "FAMILIES": "library.procedural",
    "PBRDataset": "dataset.dataset",
    "TrainConfig": "config",
    "family_of": "library.procedural",
    "get_default_config": "presets",
    "get_lightweight_config": "presets",
    "get_quick_test_config": "presets",
    "name_of": "library.procedural",
    "procedural": "library.procedural",
    "HybridLoss": "training.losses",
}
"""Public name → the file below `easel.materials` it comes from."""

__all__ = [
    "FAMILIES",
    "HybridLoss",
    "PBRDataset",
    "TrainConfig",
    "family_of",
    "get_default_config",
    "get_lightweight_config",
    "get_quick_test_config",
    "name_of",
    "procedural",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
