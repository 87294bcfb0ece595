import dataclasses

import pytest
import torch

from easel.fields.fitting.presets import PRESETS, preset_named
from easel.fields.fitting.result import drain
from easel.fields.fitting.run import fit
from easel.fields.model.field import build_field


def picture(size):
    rows, columns = torch.meshgrid(torch.linspace(0, 1, size[0]), torch.linspace(0, 1, size[1]), indexing="ij")
    return torch.stack([rows, columns, 0.5 + 0.5 * torch.sin(20 * rows * columns)], dim=-1)


@pytest.mark.parametrize("name", [name for name in PRESETS if PRESETS[name].field])
def test_every_preset_learns_a_picture(name):
    preset, target = PRESETS[name], picture((24, 32))
    generator = torch.Generator().manual_seed(0)
    field = build_field(preset.field, (24, 32), 3, generator=generator)
    knobs = dataclasses.replace(preset.knobs, batch=300)
    run = fit(field, target, knobs, steps=50, generator=generator)
    result = drain(run, field, target)
    assert result.loss < 0.5 * result.history[0].loss


def test_tiny_and_its_rivals_have_at_most_10000_parameters():
    for name in ("tiny", "siren", "finer", "wire", "fourier"):
        field = build_field(PRESETS[name].field, (512, 768), 3, generator=torch.Generator())
        assert 7_000 < field.size <= 10_000, name


def test_an_unknown_preset_lists_the_known():
    with pytest.raises(ValueError, match=r"unknown preset 'best'. Known: fast, balanced, quality, tiny, tutorial"):
        preset_named("best")
