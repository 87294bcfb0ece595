import math

import pytest
import torch

from easel.fields import Field, FieldConfig, Identity, build_field
from easel.fields.art.networks import ArtMLP
from easel.fields.model.coordinates import pixel_centers


def built(size=(20, 30), channels=3, seed=0, **config):
    return build_field(FieldConfig(**config), size, channels, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (20, 30), (301, 2)])
@pytest.mark.parametrize("encoding", ["grid", "fourier"])
def test_every_picture_size_and_channel_count_has_a_field(size, encoding):
    for channels in (1, 3, 4):
        field = built(size, channels, encoding=encoding)
        assert field.channels == channels
        assert field(pixel_centers(size)).shape == (size[0] * size[1], channels)


@pytest.mark.parametrize("encoding", ["grid", "fourier"])
@pytest.mark.parametrize(("hidden", "layers"), [(32, 2), (64, 8), (256, 2)])
def test_width_and_depth_are_those_of_the_sliders(encoding, hidden, layers):
    linears = built(encoding=encoding, hidden=hidden, layers=layers).network.linears
    assert len(linears) == layers and linears[0].out_features == hidden


@pytest.mark.parametrize("octaves", range(11))
def test_fourier_levels_are_those_of_the_slider(octaves):
    assert built(encoding="fourier", fourier_levels=octaves).network.linears[0].in_features == 2 + 4 * octaves


def test_the_tutorials_network_has_its_size():
    assert built(encoding="fourier", hidden=128, layers=4, fourier_levels=6).size == 36_867


@pytest.mark.parametrize("size", [(512, 512), (512, 768), (3000, 200), (64, 64), (5000, 7000)])
def test_grids_take_what_the_budget_leaves_and_keep_the_aspect(size):
    field = built(size)
    rows, columns = field.encoding.shapes[-1]
    assert field.size <= 400_000
    assert rows <= size[0] and columns <= size[1]
    assert abs(rows / columns - size[0] / size[1]) < 0.1 * size[0] / size[1]
    assert field.size > 340_000 or (rows, columns) == size


def test_a_point_does_not_know_its_neighbours():
    field, coords = built(), pixel_centers((20, 30))
    with torch.no_grad():
        field.encoding.table.normal_(generator=torch.Generator().manual_seed(1))
        assert torch.allclose(field(coords)[::7], field(coords[::7]), atol=1e-6)


def test_the_same_seed_builds_the_same_field():
    first, again, other = (torch.cat([p.flatten() for p in built(seed=seed).parameters()]) for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize(
    ("config", "words"),
    [({"layers": 0}, "layers is 0"), ({"fourier_levels": -1}, "-1")],
)
def test_bad_settings_say_what_came_and_what_fits(config, words):
    with pytest.raises(ValueError, match=words):
        FieldConfig(**config)


@pytest.mark.parametrize("network", ["relu", "siren", "finer", "wire"])
@pytest.mark.parametrize("encoding", ["grid", "hash", "fourier", "random_fourier", "identity"])
def test_every_network_stands_behind_every_encoding_in_one_to_four_dimensions(network, encoding):
    for size in ((9,), (9, 8), (5, 6, 7), (4, 5, 6, 3)):
        field = built(size, network=network, encoding=encoding)
        assert field.dimensions == len(size)
        values = field(pixel_centers(size))
        assert values.shape == (math.prod(size), 3) and values.isfinite().all()


def test_more_than_four_dimensions_are_refused():
    with pytest.raises(ValueError, match="1 to 4 dimensions"):
        built((2, 2, 2, 2, 2))


def test_a_latent_that_is_a_parameter_is_fitted_and_counted():
    generator = torch.Generator().manual_seed(0)
    network = ArtMLP([1, 1, 1], 4, 8, 3, ["Tanh"] * 9)
    field = Field(Identity(), network, torch.sigmoid, latent=torch.zeros(4), radius=True)
    fitted = Field(Identity(), network, torch.sigmoid, latent=torch.nn.Parameter(torch.zeros(4)), radius=True)
    assert fitted.size == field.size + 4 and field.latent_dim == fitted.latent_dim == 4
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(generator=generator)
    fitted(pixel_centers((3, 3))).sum().backward()
    assert fitted.latent.grad.abs().sum() > 0
