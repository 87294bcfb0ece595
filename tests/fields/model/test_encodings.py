import math

import pytest
import torch

from easel.fields import DenseGrid, FourierEncoding, Identity, OneBlob, RandomFourier, SphericalHarmonics
from easel.fields.model.coordinates import pixel_centers
from easel.fields.model.encodings import level_shapes


def test_fourier_encoding_of_one_coordinate_is_all_sines_then_all_cosines():
    encoded = FourierEncoding(2)(torch.tensor([[0.25]]))
    assert torch.allclose(encoded, torch.tensor([[math.sqrt(0.5), 1.0, math.sqrt(0.5), 0.0]]), atol=1e-6)


def test_with_its_input_the_order_is_coordinates_sines_cosines():
    coords = torch.tensor([[0.25, 0.5]])
    x, y = FourierEncoding(1)(coords[:, :1])[0], FourierEncoding(1)(coords[:, 1:])[0]
    expected = torch.cat([coords[0], x[:1], y[:1], x[1:], y[1:]])
    assert torch.equal(FourierEncoding(1, include_input=True)(coords)[0], expected)


@pytest.mark.parametrize("octaves", [0, 1, 6, 10])
def test_width_is_what_comes_out(octaves):
    encoding = FourierEncoding(octaves, include_input=True)
    coords = pixel_centers((3, 4))
    before = coords.clone()
    assert encoding(coords).shape == (12, encoding.width(2))
    assert torch.equal(coords, before)
    assert octaves > 0 or torch.equal(encoding(coords), coords)


def grid(levels=1, finest=(3, 4), features=2, growth=2.0):
    return DenseGrid(levels, finest, features, growth, generator=torch.Generator().manual_seed(0))


def test_a_grid_returns_its_features_at_its_nodes():
    encoding = grid()
    nodes = torch.cartesian_prod(torch.linspace(-1, 1, 3), torch.linspace(-1, 1, 4))
    assert torch.allclose(encoding(nodes), encoding.levels()[0].detach().flatten(1).T, atol=1e-6)


@pytest.mark.parametrize("finest", [(5, 3), (3, 4, 5)])
def test_between_its_nodes_a_grid_is_linear(finest):
    encoding = grid(finest=finest, features=len(finest))
    with torch.no_grad():  # every feature is one coordinate
        axes = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in finest), indexing="ij")
        encoding.table.copy_(torch.stack(axes).flatten())
    coords = torch.rand(50, len(finest), generator=torch.Generator().manual_seed(1)) * 2 - 1
    assert torch.allclose(encoding(coords), coords, atol=1e-6)


def test_levels_follow_each_other_coarsest_first():
    encoding = grid(levels=3, finest=(8, 12))
    assert encoding.shapes == [(2, 3), (4, 6), (8, 12)]
    assert encoding.width(2) == 6
    assert [tuple(level.shape) for level in encoding.levels()] == [(2, 2, 3), (2, 4, 6), (2, 8, 12)]


@pytest.mark.parametrize(
    ("finest", "shapes"), [((1, 1), [(2, 2)]), ((3, 1), [(2, 2), (3, 2)]), ((4, 4), [(2, 2), (4, 4)])]
)
def test_small_grids_have_few_levels_and_never_one_twice(finest, shapes):
    assert level_shapes(6, finest, 2.0) == shapes


def test_random_fourier_features_have_the_spread_of_their_sigma_and_the_seed_decides():
    features, again, other = (RandomFourier(2000, 3.0, seed, inputs=2) for seed in (1, 1, 2))
    assert features.directions.std().item() == pytest.approx(3.0, rel=0.05)
    assert torch.equal(features.directions, again.directions) and not torch.equal(features.directions, other.directions)
    coords = pixel_centers((3, 4))
    encoded = features(coords)
    assert encoded.shape == (12, features.width(2))
    assert torch.allclose(encoded[:, :2000].square() + encoded[:, 2000:].square(), torch.ones(12, 2000), atol=1e-5)


def test_a_blob_is_highest_in_its_own_bin():
    encoded = OneBlob(4)(torch.tensor([[-0.75, 0.75]]))
    assert encoded.view(2, 4).argmax(1).tolist() == [0, 3]
    assert torch.allclose(encoded[0, :3], torch.exp(-0.5 * torch.tensor([0.0, 1.0, 4.0])))


def test_spherical_harmonics_are_orthonormal_and_know_directions_only():
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(200_000, 3, generator=generator)
    harmonics = SphericalHarmonics(4)
    encoded = harmonics(points)
    products = 4 * math.pi * encoded.T @ encoded / len(points)
    assert torch.allclose(products, torch.eye(16), atol=0.03)
    assert torch.allclose(harmonics(points[:9]), harmonics(7 * points[:9]), atol=1e-5)


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
def test_width_is_what_comes_out_in_every_dimension(dimensions):
    coords = torch.zeros(5, dimensions)
    features = RandomFourier(6, inputs=dimensions)
    for encoding in (Identity(), FourierEncoding(3), OneBlob(5), SphericalHarmonics(2), features):
        encoded = encoding(coords)
        assert encoded.shape == (5, encoding.width(dimensions)) and encoded.isfinite().all()
