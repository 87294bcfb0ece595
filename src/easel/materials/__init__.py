"""Materials: photographs to albedo, roughness, metallic and normal maps."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easel.materials.config import TrainConfig
    from easel.materials.config_files import open_config
    from easel.materials.dataset.dataset import PBRDataset
    from easel.materials.library.procedural import FAMILIES, family_of, name_of, procedural
    from easel.materials.models.build import build_discriminator, build_model
    from easel.materials.models.generator import MultiViewPBRGenerator
    from easel.materials.presets import PRESETS, get_default_config, get_lightweight_config, get_quick_test_config
    from easel.materials.training.losses import HybridLoss
    from easel.materials.training.train import train

_HOME: dict[str, str] = {
    "FAMILIES": "library.procedural",
    "PRESETS": "presets",
    "HybridLoss": "training.losses",
    "MultiViewPBRGenerator": "models.generator",
    "PBRDataset": "dataset.dataset",
    "TrainConfig": "config",
    "build_discriminator": "models.build",
    "build_model": "models.build",
    "family_of": "library.procedural",
    "get_default_config": "presets",
    "get_lightweight_config": "presets",
    "get_quick_test_config": "presets",
    "name_of": "library.procedural",
    "open_config": "config_files",
    "procedural": "library.procedural",
    "train": "training.train",
}
"""Public name → the file below `easel.materials` it comes from."""

__all__ = [
    "FAMILIES",
    "PRESETS",
    "HybridLoss",
    "MultiViewPBRGenerator",
    "PBRDataset",
    "TrainConfig",
    "build_discriminator",
    "build_model",
    "family_of",
    "get_default_config",
    "get_lightweight_config",
    "get_quick_test_config",
    "name_of",
    "open_config",
    "procedural",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
