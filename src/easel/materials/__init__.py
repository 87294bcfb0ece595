"""Materials: photographs to albedo, roughness, metallic and normal maps."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easel.materials.collection.procedural import FAMILIES, family_of, name_of, procedural
    from easel.materials.config import TrainConfig
    from easel.materials.config_files import open_config
    from easel.materials.dataset.dataset import PBRDataset
    from easel.materials.maps import MAP_NAMES, MaterialMaps
    from easel.materials.models.build import build_discriminator, build_model
    from easel.materials.models.generator import MultiViewPBRGenerator
    from easel.materials.presets import PRESETS, get_default_config, get_lightweight_config, get_quick_test_config
    from easel.materials.rendering.brdf import Brdf
    from easel.materials.rendering.environment import Environment
    from easel.materials.rendering.light_json import light_from_json, light_to_json
    from easel.materials.rendering.lights import DirectionalLight, PointLight
    from easel.materials.rendering.picture import to_picture
    from easel.materials.rendering.plane import render_plane
    from easel.materials.rendering.plane_camera import PlaneCamera
    from easel.materials.rendering.procedural_environment import procedural_environment
    from easel.materials.rendering.shading import render_texture, shade
    from easel.materials.rendering.sphere import render_sphere
    from easel.materials.training.losses import HybridLoss
    from easel.materials.training.train import train

_HOME: dict[str, str] = {
    "FAMILIES": "collection.procedural",
    "MAP_NAMES": "maps",
    "PRESETS": "presets",
    "Brdf": "rendering.brdf",
    "DirectionalLight": "rendering.lights",
    "Environment": "rendering.environment",
    "HybridLoss": "training.losses",
    "MaterialMaps": "maps",
    "MultiViewPBRGenerator": "models.generator",
    "PBRDataset": "dataset.dataset",
    "PlaneCamera": "rendering.plane_camera",
    "PointLight": "rendering.lights",
    "TrainConfig": "config",
    "build_discriminator": "models.build",
    "build_model": "models.build",
    "family_of": "collection.procedural",
    "get_default_config": "presets",
    "get_lightweight_config": "presets",
    "get_quick_test_config": "presets",
    "light_from_json": "rendering.light_json",
    "light_to_json": "rendering.light_json",
    "name_of": "collection.procedural",
    "open_config": "config_files",
    "procedural": "collection.procedural",
    "procedural_environment": "rendering.procedural_environment",
    "render_plane": "rendering.plane",
    "render_sphere": "rendering.sphere",
    "render_texture": "rendering.shading",
    "shade": "rendering.shading",
    "to_picture": "rendering.picture",
    "train": "training.train",
}
"""Public name → the file below `easel.materials` it comes from."""

__all__ = [
    "FAMILIES",
    "MAP_NAMES",
    "PRESETS",
    "Brdf",
    "DirectionalLight",
    "Environment",
    "HybridLoss",
    "MaterialMaps",
    "MultiViewPBRGenerator",
    "PBRDataset",
    "PlaneCamera",
    "PointLight",
    "TrainConfig",
    "build_discriminator",
    "build_model",
    "family_of",
    "get_default_config",
    "get_lightweight_config",
    "get_quick_test_config",
    "light_from_json",
    "light_to_json",
    "name_of",
    "open_config",
    "procedural",
    "procedural_environment",
    "render_plane",
    "render_sphere",
    "render_texture",
    "shade",
    "to_picture",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
