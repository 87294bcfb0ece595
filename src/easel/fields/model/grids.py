"""Learned features over space beside the dense grid of `encodings`: hashed grids and planes.

Letters and equation numbers in `HashGrid` are those of Müller et al. 2022, "Instant Neural Graphics Primitives".
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations, product

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import grid_sample

PRIMES = (1, 2_654_435_761, 805_459_861, 3_674_653_429)
"""Factors of the spatial hash, one for every axis: Müller et al. 2022, eq. 4, and for the fourth their code."""


class HashGrid(nn.Module):
    """Grids over [-1, 1]^d, each finer than the last by one factor, in tables of limited size (Müller et al. 2022).

    A level whose nodes fit into its table has one entry for each; in a finer one nodes share entries, by a hash of
    their place. `finest` is the number of cells of the last level: on the longest axis, or on every axis.
    """

    table: nn.Parameter

    def __init__(
        self,
        levels: int = 16,
        features: int = 2,
        log2_table: int = 19,
        base: int = 16,
        finest: int | Sequence[int] = 512,
        *,
        dimensions: int = 2,
        bound: float = 1e-4,
        generator: torch.Generator,
    ) -> None:
        """Features begin as U(-bound, bound)."""
        super().__init__()
        self.features = features
        self.entries = 2**log2_table
        self.cells = level_cells(levels, base, (finest,) * dimensions if isinstance(finest, int) else finest)
        self.sizes = [min(self.entries, math.prod(n + 1 for n in cells)) for cells in self.cells]
        self.table = nn.Parameter(
            torch.empty(sum(self.sizes), features, device=generator.device).uniform_(-bound, bound, generator=generator)
        )

    def width(self, dimensions: int) -> int:
        """Return the number of features: those of all levels, side by side."""
        return len(self.cells) * self.features

    def forward(self, coords: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        encoded = []
        for cells, table in zip(self.cells, self.table.split(self.sizes), strict=True):
            nodes = [n + 1 for n in cells]
            corners = corners_of(coords, nodes)
            encoded.append(sum(table[self._places(node, nodes)] * weight[:, None] for node, weight in corners))
        return torch.cat(encoded, dim=1)

    def _places(self, node: Int[Tensor, "n d"], nodes: Sequence[int]) -> Int[Tensor, " n"]:
        """Return the table entries of nodes: their own where the level fits, else by the spatial hash of eq. 4."""
        if math.prod(nodes) <= self.entries:
            return ravel(node, nodes)
        place = node[:, 0]
        for axis, prime in zip(node.unbind(1)[1:], PRIMES[1:], strict=False):
            # In int64 no product overflows: an axis has far fewer than 2^31 nodes, and primes are below 2^32.
            place = place ^ (axis * prime)
        return place % self.entries


class PlaneProduct(nn.Module):
    """One feature plane for every pair of axes; features of all planes are multiplied (Fridovich-Keil et al. 2023).

    A plane has `finest` nodes on each axis, from -1 to 1. In 1D it is a line.
    """

    planes: nn.Parameter

    def __init__(
        self,
        finest: int = 64,
        features: int = 16,
        *,
        dimensions: int = 3,
        low: float = 0.1,
        high: float = 0.5,
        generator: torch.Generator,
    ) -> None:
        """Features begin as U(low, high), above zero: a factor near 0 would silence the others and their gradients."""
        super().__init__()
        # A signal has no pair of axes: its line is a plane of one row.
        self.pairs = list(combinations(range(dimensions), 2)) or [(0, 0)]
        nodes = (1 if dimensions == 1 else finest, finest)
        self.features = features
        self.planes = nn.Parameter(
            torch.empty(len(self.pairs), features, *nodes, device=generator.device).uniform_(
                low, high, generator=generator
            )
        )

    def width(self, dimensions: int) -> int:
        """Return the number of features, the same for any number of coordinates."""
        return self.features

    def forward(self, coords: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        # (pairs, 1, n, 2): the points as grid_sample takes them for every plane, across before down.
        points = torch.stack([coords[:, [second, first]] for first, second in self.pairs])[:, None]
        sampled = grid_sample(self.planes, points, mode="bilinear", padding_mode="border", align_corners=True)
        return sampled[:, :, 0].prod(dim=0).T


def level_cells(levels: int, base: int, finest: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the cells on every axis of every level: `base` to the longest of `finest`, in equal ratios (eq. 2, 3)."""
    longest = max(finest)
    growth = math.exp((math.log(longest) - math.log(base)) / max(levels - 1, 1))
    found = []
    for level in range(levels):
        cells = min(longest, base) * max(1.0, growth) ** level
        # 1e-6: exp(log(n)) may come out just below n, and floor would take a whole cell from the finest level.
        found.append(tuple(max(1, math.floor(cells * n / longest + 1e-6)) for n in finest))
    return found


def corners_of(
    coords: Float[Tensor, "n d"], nodes: Sequence[int]
) -> Iterator[tuple[Int[Tensor, "n d"], Float[Tensor, " n"]]]:
    """Yield the 2^d nodes around every point and their weights, in a grid of so many nodes from -1 to 1 on every axis.

    Points outside take the value on the border.
    """
    last = torch.tensor(nodes, device=coords.device) - 1
    places = ((coords + 1) / 2 * last).clamp(min=0).minimum(last.to(coords.dtype))
    # The last cell takes the points on the far border, too; an axis of one node has no cell.
    low = places.detach().floor().long().minimum((last - 1).clamp(min=0))
    fraction = places - low
    for corner in product((0, 1), repeat=len(nodes)):
        sides = torch.tensor(corner, device=coords.device)
        # Axis after axis: prod() over rows may round differently from one number of rows to another.
        weight, *others = torch.where(sides > 0, fraction, 1 - fraction).unbind(1)
        for other in others:
            weight = weight * other
        yield (low + sides).minimum(last), weight


def ravel(node: Int[Tensor, "n d"], nodes: Sequence[int]) -> Int[Tensor, " n"]:
    """Return the row-major index of every node."""
    place = node[:, 0]
    for axis, count in zip(node.unbind(1)[1:], nodes[1:], strict=True):
        place = place * count + axis
    return place
