"""Maps that are made to repeat have no seam, and keep what they were away from the edges."""

import pytest
import torch

from easel.materials.collection.procedural import procedural
from easel.materials.maps import MAP_NAMES
from easel.materials.tileable import MOST_SEAM, make_tileable, roll_to_rest, seam, seams


@pytest.fixture(scope="module")
def maps():
    """A part of a material, which does not repeat."""
    return procedural(1, 128, "granite").crop(5, 9, 98, 98)


def test_a_ramp_has_a_seam_and_noise_has_none():
    ramp = torch.linspace(0, 1, 32).expand(1, 32, 32)
    assert seam(ramp) > 25 and seam(ramp.mT) > 25
    noise = torch.rand(1, 64, 64, generator=torch.Generator().manual_seed(0))
    assert seam(noise) == pytest.approx(1, abs=0.2)
    assert seam(torch.full((1, 8, 8), 0.3)) == pytest.approx(1)


def test_maps_made_tileable_have_no_seam(maps):
    assert max(seams(maps).values()) > 1.5
    tiled, _ = roll_to_rest(make_tileable(maps, 14))
    assert tiled.size == (84, 84) and max(seams(tiled).values()) <= MOST_SEAM
    tiled.validate()


def test_only_the_margin_changes_and_keeps_its_contrast(maps):
    tiled = make_tileable(maps, 14)
    for name in MAP_NAMES:
        assert torch.allclose(tiled[name][:, 14:, 14:], maps[name][:, 14:84, 14:84], atol=1e-5)
    blended, before = tiled.albedo[:, :14].std(), maps.albedo[:, :14].std()
    assert 0.8 * before < blended < 1.2 * before


def test_what_repeats_already_is_not_changed():
    maps = procedural(1, 64, "brick")
    twice = maps.repeat(2, 2).crop(0, 0, 72, 72)
    tiled = make_tileable(twice, 8)
    for name in MAP_NAMES:
        assert torch.allclose(tiled[name], maps[name], atol=1e-3)


def test_rolling_moves_the_edge_to_where_nothing_happens():
    maps = procedural(2, 64, "brick")
    rolled, (rows, columns) = roll_to_rest(maps)
    assert torch.equal(rolled.roll(-rows, -columns).albedo, maps.albedo)
    assert max(seams(rolled).values()) <= max(seams(maps).values())


def test_a_margin_that_is_too_large_is_told(maps):
    with pytest.raises(ValueError, match="1 to 49 texels; got 60"):
        make_tileable(maps, 60)
