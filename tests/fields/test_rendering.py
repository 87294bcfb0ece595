import pytest
import torch

from easel.fields import FieldConfig, build_field, render
from easel.fields.rendering import TILE, values_at


def built(encoding, size=(24, 40), channels=3):
    generator = torch.Generator().manual_seed(0)
    field = build_field(FieldConfig(encoding=encoding), size, channels, generator=generator)
    with torch.no_grad():
        for parameter in field.parameters():
            parameter.normal_(0.0, 0.5, generator=generator)
    return field


@pytest.mark.parametrize("encoding", ["grid", "fourier"])
def test_a_render_is_a_picture_at_any_size(encoding):
    for channels in (1, 3, 4):
        for size in ((1, 1), (24, 40), (301, 7)):
            picture = render(built(encoding, channels=channels), size)
            assert picture.shape == (*size, channels) and picture.dtype == torch.float32
            assert 0 <= picture.min() and picture.max() <= 1 and not picture.requires_grad


@pytest.mark.parametrize("encoding", ["grid", "fourier"])
def test_the_middle_of_three_times_the_samples_is_the_picture(encoding):
    field = built(encoding)
    assert torch.allclose(render(field, (72, 120))[1::3, 1::3], render(field, (24, 40)), atol=1e-6)


def test_tiles_leave_no_trace():
    field, size = built("grid"), (300, 500)
    assert size[0] * size[1] > 2 * TILE
    whole = values_at(field, torch.arange(150_000), size)
    assert torch.equal(render(field, size).flatten(0, 1), whole.clamp(0, 1))


def test_rendering_changes_nothing():
    field = built("grid")
    before = [parameter.clone() for parameter in field.parameters()]
    assert torch.equal(render(field, (24, 40)), render(field, (24, 40)))
    assert all(torch.equal(p, q) and p.requires_grad for p, q in zip(before, field.parameters(), strict=True))
