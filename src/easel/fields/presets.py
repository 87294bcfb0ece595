"""Fields and settings that fit pictures well, by name; `benchmarks/fit_image.py` measures them."""

from dataclasses import dataclass

from easel.fields.config import FieldConfig, Knobs


@dataclass(frozen=True)
class Preset:
    """A field, how it is fitted, and when that is enough."""

    field: FieldConfig
    knobs: Knobs
    """Where a run starts. Turn a copy, `dataclasses.replace(preset.knobs)`: this one is everybody's."""
    steps: int
    """Where a run ends that has no other limit."""


_SINES = Knobs(lr=1e-3, schedule="cosine")

PRESETS = {
    "fast": Preset(FieldConfig(), Knobs(), steps=2_000),
    "balanced": Preset(FieldConfig(grid_parameters=800_000), Knobs(), steps=12_000),
    "quality": Preset(FieldConfig(grid_parameters=1_100_000), Knobs(schedule="cosine"), steps=30_000),
    "tiny": Preset(FieldConfig(grid_levels=4, grid_parameters=7_000), Knobs(), steps=2_000),
    "tutorial": Preset(FieldConfig(encoding="fourier", hidden=128, layers=4), Knobs(), steps=2_000),
    "siren": Preset(FieldConfig(encoding="identity", network="siren", hidden=64, layers=4), _SINES, steps=2_000),
    "finer": Preset(FieldConfig(encoding="identity", network="finer", hidden=64, layers=4), _SINES, steps=2_000),
    "wire": Preset(
        FieldConfig(encoding="identity", network="wire", hidden=64, layers=4, omega=20.0, omega_hidden=20.0),
        _SINES,
        steps=2_000,
    ),
    "fourier": Preset(
        FieldConfig(encoding="random_fourier", random_features=32, hidden=52, layers=4), _SINES, steps=2_000
    ),
}


def preset_named(name: str) -> Preset:
    """The preset of that name; a ValueError lists the known ones."""
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}. Known: {', '.join(PRESETS)}.")
    return PRESETS[name]
