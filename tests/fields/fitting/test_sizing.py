import pytest
import torch

from easel.fields.fitting.run import fit, psnr_of
from easel.fields.fitting.sizing import largest_field, smallest_field
from easel.fields.model.config import Knobs
from easel.fields.model.field import build_field
from easel.fields.rendering.render import render

PICTURE = torch.rand(32, 40, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("nbytes", [8_000, 20_000, 300_000])
@pytest.mark.parametrize("size", [(512, 768), (30, 40, 50)])
def test_the_largest_field_fills_its_bytes_and_no_more(nbytes, size):
    field = build_field(largest_field(nbytes, size), size, 3, generator=torch.Generator())
    assert 0.8 * nbytes < 4 * field.size <= nbytes


def test_a_picture_may_need_fewer_bytes_than_it_may_have():
    whole = build_field(largest_field(10**6, (16, 16)), (16, 16), 3, generator=torch.Generator())
    assert 4 * whole.size < 10**4


def test_bytes_that_hold_nothing_are_refused():
    with pytest.raises(ValueError, match="10 bytes hold no field; the least takes"):
        largest_field(10, (64, 64))


def test_the_smallest_field_reaches_the_target_and_half_of_it_does_not():
    config = smallest_field(15, PICTURE, steps=150, generator=torch.Generator().manual_seed(0))
    found = []
    for numbers in (config.grid_parameters // 4, config.grid_parameters):
        generator = torch.Generator().manual_seed(1)
        field = build_field(type(config)(grid_parameters=numbers), (32, 40), 3, generator=generator)
        list(fit(field, PICTURE, Knobs(), steps=150, generator=generator))
        found.append(psnr_of(render(field, (32, 40)), PICTURE))
    assert found[0] < 15 < found[1] + 0.5


def test_what_no_field_reaches_is_refused_with_what_the_largest_did():
    with pytest.raises(ValueError, match=r"comes to 99 dB in 20 steps; the largest comes to \d"):
        smallest_field(99, PICTURE[:8, :8], steps=20, generator=torch.Generator().manual_seed(0))
