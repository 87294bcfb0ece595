"""Neural fields: coordinates in, values out."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easel.fields.activations import StraightThroughStep
    from easel.fields.art.architecture import Architecture, build, resolve
    from easel.fields.calibration import Calibration
    from easel.fields.compression.picture import CompressedPicture
    from easel.fields.compression.rate_control import compress
    from easel.fields.config import FieldConfig, Knobs
    from easel.fields.conversions import unnormalize_and_numpy
    from easel.fields.encodings import DenseGrid, FourierEncoding, Identity, OneBlob, RandomFourier, SphericalHarmonics
    from easel.fields.field import Field, build_field
    from easel.fields.films.film import latent_film, latent_keys, pan_film, rotation_film, write_film, zoom_film
    from easel.fields.films.schedules import schedule
    from easel.fields.films.walks import lerp, slerp
    from easel.fields.fitting.losses import LossWeights
    from easel.fields.fitting.presets import PRESETS, Preset
    from easel.fields.fitting.result import FitResult, drain
    from easel.fields.fitting.run import Step, fit
    from easel.fields.fitting.sizing import largest_field, smallest_field
    from easel.fields.fitting.targets import as_target, load_image_as_tensor
    from easel.fields.grids import HashGrid, PlaneProduct
    from easel.fields.inrf import INRF2D, INRF3D
    from easel.fields.latents import Fields, LatentInputs, Latents
    from easel.fields.rendering import render
    from easel.fields.volumes.look import Look
    from easel.fields.volumes.mesh_export import isosurface, write_mesh
    from easel.fields.volumes.pyvista_grid import to_pyvista
    from easel.fields.volumes.views import render_volume, turntable, twelve_views
    from easel.fields.volumes.volume_files import read_volume, write_volume
    from easel.fields.window import Window

_HOME = {
    "INRF2D": "inrf",
    "INRF3D": "inrf",
    "PRESETS": "fitting.presets",
    "Architecture": "art.architecture",
    "Calibration": "calibration",
    "CompressedPicture": "compression.picture",
    "DenseGrid": "encodings",
    "Field": "field",
    "FieldConfig": "config",
    "Fields": "latents",
    "FitResult": "fitting.result",
    "FourierEncoding": "encodings",
    "HashGrid": "grids",
    "Identity": "encodings",
    "Knobs": "config",
    "LatentInputs": "latents",
    "Latents": "latents",
    "Look": "volumes.look",
    "LossWeights": "fitting.losses",
    "OneBlob": "encodings",
    "PlaneProduct": "grids",
    "Preset": "fitting.presets",
    "RandomFourier": "encodings",
    "SphericalHarmonics": "encodings",
    "Step": "fitting.run",
    "StraightThroughStep": "activations",
    "Window": "window",
    "as_target": "fitting.targets",
    "build": "art.architecture",
    "build_field": "field",
    "compress": "compression.rate_control",
    "drain": "fitting.result",
    "fit": "fitting.run",
    "isosurface": "volumes.mesh_export",
    "largest_field": "fitting.sizing",
    "latent_film": "films.film",
    "latent_keys": "films.film",
    "lerp": "films.walks",
    "load_image_as_tensor": "fitting.targets",
    "pan_film": "films.film",
    "read_volume": "volumes.volume_files",
    "render": "rendering",
    "rotation_film": "films.film",
    "render_volume": "volumes.views",
    "resolve": "art.architecture",
    "schedule": "films.schedules",
    "slerp": "films.walks",
    "smallest_field": "fitting.sizing",
    "to_pyvista": "volumes.pyvista_grid",
    "turntable": "volumes.views",
    "twelve_views": "volumes.views",
    "unnormalize_and_numpy": "conversions",
    "write_film": "films.film",
    "write_mesh": "volumes.mesh_export",
    "write_volume": "volumes.volume_files",
    "zoom_film": "films.film",
}
__all__ = [
    "INRF2D",
    "INRF3D",
    "PRESETS",
    "Architecture",
    "Calibration",
    "CompressedPicture",
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
    "Look",
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
    "compress",
    "drain",
    "fit",
    "isosurface",
    "largest_field",
    "latent_film",
    "latent_keys",
    "lerp",
    "load_image_as_tensor",
    "pan_film",
    "read_volume",
    "render",
    "render_volume",
    "resolve",
    "rotation_film",
    "schedule",
    "slerp",
    "smallest_field",
    "to_pyvista",
    "turntable",
    "twelve_views",
    "unnormalize_and_numpy",
    "write_film",
    "write_mesh",
    "write_volume",
    "zoom_film",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
