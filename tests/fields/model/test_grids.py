import math
from itertools import pairwise

import pytest
import torch
from torch.nn.functional import grid_sample

from easel.fields import DenseGrid, HashGrid, PlaneProduct
from easel.fields.model.grids import PRIMES, corners_of, level_cells, ravel


def generator():
    return torch.Generator().manual_seed(0)


def points(count, dimensions):
    return torch.rand(count, dimensions, generator=generator()) * 2 - 1


def test_growth_is_that_of_the_paper():
    cells = level_cells(16, 16, (2**19,))
    assert cells[0] == (16,) and cells[-1] == (2**19,)
    growth = math.exp((math.log(2**19) - math.log(16)) / 15)
    assert all(abs(fine[0] / coarse[0] - growth) < 0.1 for coarse, fine in pairwise(cells))
    assert level_cells(3, 16, (64, 32)) == [(16, 8), (32, 16), (64, 32)]


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
def test_weights_of_a_cell_sum_to_one_and_reproduce_places(dimensions):
    nodes, coords = [3, 4, 5, 6][:dimensions], points(50, dimensions)
    found = list(corners_of(coords, nodes))
    assert torch.allclose(sum(weight for _, weight in found), torch.ones(50), atol=1e-6)
    last = torch.tensor(nodes) - 1
    assert torch.allclose(sum(weight[:, None] * node for node, weight in found), (coords + 1) / 2 * last, atol=1e-5)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_level_that_fits_is_dense(dimensions):
    grid = HashGrid(1, 2, 12, base=7, finest=7, dimensions=dimensions, bound=1.0, generator=generator())
    coords = points(40, dimensions)
    level = grid.table.detach().T.view(1, 2, *[8] * dimensions)
    where = coords.flip(-1).view(1, *[1] * (dimensions - 1), 40, dimensions)
    expected = grid_sample(level, where, mode="bilinear", align_corners=True, padding_mode="border").view(2, 40).T
    assert torch.allclose(grid(coords), expected, atol=1e-5)


def test_a_level_that_does_not_fit_is_hashed():
    grid = HashGrid(1, 1, 4, base=64, finest=64, dimensions=2, bound=1.0, generator=generator())
    assert grid.table.shape == (16, 1)
    node = torch.tensor([[3, 5]])
    coords = node / 32 - 1
    place = (3 ^ (5 * PRIMES[1])) % 16
    assert torch.allclose(grid(coords), grid.table[place], atol=1e-4)


@pytest.mark.parametrize("dimensions", [1, 4])
def test_a_dense_grid_in_other_dimensions_is_linear_between_its_nodes(dimensions):
    grid = DenseGrid(1, [4, 3, 5, 2][:dimensions], dimensions, generator=generator())
    axes = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in grid.shapes[0]), indexing="ij")
    with torch.no_grad():
        grid.table.copy_(torch.stack(axes).flatten())
    coords = points(30, dimensions)
    assert torch.allclose(grid(coords), coords, atol=1e-6)


def test_planes_multiply():
    planes = PlaneProduct(5, 2, dimensions=3, generator=generator())
    corner = torch.tensor([[-1.0, 1.0, -1.0]])
    first, second, third = planes.planes.detach()
    expected = first[:, 0, -1] * second[:, 0, 0] * third[:, -1, 0]
    assert planes.pairs == [(0, 1), (0, 2), (1, 2)]
    assert torch.allclose(planes(corner)[0], expected)


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
def test_every_table_learns(dimensions):
    coords = points(500, dimensions)
    for grid in (
        HashGrid(3, 2, 6, 2, 9, dimensions=dimensions, generator=generator()),
        PlaneProduct(4, 3, dimensions=dimensions, generator=generator()),
        DenseGrid(2, (4,) * dimensions, 2, generator=generator()),
    ):
        encoded = grid(coords)
        assert encoded.shape == (500, grid.width(dimensions))
        encoded.sum().backward()
        assert all(parameter.grad.abs().sum() > 0 for parameter in grid.parameters())


def test_places_are_row_major():
    assert ravel(torch.tensor([[1, 2, 3]]), (2, 3, 4)).tolist() == [23]
