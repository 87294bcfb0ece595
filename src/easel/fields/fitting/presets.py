"""Presets: fields and settings that fit pictures well, by name. `benchmarks/fit_image.py` measures them."""

from dataclasses import dataclass

from easel.fields.model.config import FieldConfig, Knobs


@dataclass(frozen=True)
class Preset:
    """A field, the knobs of its fit, and the steps that are enough."""

    field: FieldConfig | None
    """None fits the field that is there, whatever it is."""
    knobs: Knobs
    """Knobs at the start of a run. Change a copy, `dataclasses.replace(preset.knobs)`: this one is everybody's."""
    steps: int
    """Steps of a run that has no other limit."""


_USUAL = Knobs()

# From fast to quality only the grids grow: they hold the detail, the network behind them needs no more.
PRESETS = {
    "fast": Preset(FieldConfig(), _USUAL, steps=4_000),
    "balanced": Preset(FieldConfig(grid_parameters=560_000), _USUAL, steps=12_000),
    "quality": Preset(FieldConfig(grid_parameters=800_000), _USUAL, steps=20_000),
    "tiny": Preset(FieldConfig(grid_levels=4, grid_parameters=7_000), _USUAL, steps=4_000),
    # Small enough to follow on paper: sines of six octaves and an MLP, as in NeRF.
    "tutorial": Preset(FieldConfig(encoding="fourier", hidden=128, layers=4), _USUAL, steps=2_000),
    # The cosine ends in a small rate: other networks than grids do not settle under a constant one.
    "keep": Preset(None, Knobs(batch=4096, schedule="cosine"), steps=2_000),
    # Of the size of tiny, beside which they are measured, at the rates and frequencies that did best of a few.
    "siren": Preset(FieldConfig("identity", "siren", hidden=64, layers=4), Knobs(lr=1e-3), steps=2_000),
    "finer": Preset(FieldConfig("identity", "finer", hidden=64, layers=4, omega=5.0), Knobs(lr=1e-3), steps=2_000),
    "wire": Preset(
        FieldConfig("identity", "wire", hidden=64, layers=4, omega=10.0, omega_hidden=10.0), Knobs(lr=5e-3), steps=2_000
    ),
    "fourier": Preset(
        FieldConfig("random_fourier", random_features=32, random_sigma=5.0, hidden=52, layers=4), _USUAL, steps=2_000
    ),
}


def preset_named(name: str) -> Preset:
    """Return the preset of that name; a ValueError lists the known ones."""
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}. Known: {', '.join(PRESETS)}.")
    return PRESETS[name]
