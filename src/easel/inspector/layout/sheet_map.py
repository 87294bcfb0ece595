"""Sheets: where each value of a tensor lies in a rectangle of cells, and which value a cell shows.

A *plane* (R, C) lists some axes of the tensor down its rows and the others across its columns. A *sheet* is the plane,
or the plane cut into *blocks* of equal size that lie side by side, with `gutter` cells between them: so long matrices
fold, and maps of channels form a grid. Rows count down from the top, columns from the left.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from easel.inspector.models.graph import TensorRef

MOST_ASPECT = 8.0
"""How many times as long as wide a sheet may be; beyond, it folds."""


@dataclass(frozen=True)
class SheetMap:
    """Indices of a tensor of `shape` ↔ cells of its sheet."""

    shape: tuple[int, ...]
    row_axes: tuple[int, ...]
    """The tensor's axes down the plane, the slowest first."""
    column_axes: tuple[int, ...]
    """The other axes, across."""
    block: tuple[int, int]
    """Rows and columns of a block; along one of the two it is as long as the plane."""
    across: int = 1
    """Blocks side by side."""
    gutter: int = 0
    kernel: tuple[int, int] = (1, 1)
    """Rows and columns of what belongs together: a convolution's kernel, the map of a channel."""
    band: int = 0
    """Rows between lines that part gates or groups; 0 draws none."""

    @property
    def plane(self) -> tuple[int, int]:
        """(R, C), cells of the plane."""
        return self._product(self.row_axes), self._product(self.column_axes)

    @property
    def blocks(self) -> int:
        """How many blocks the plane is cut into."""
        (rows, columns), (height, width) = self.plane, self.block
        return -(-rows // height) * -(-columns // width)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the sheet, gutters and unused cells included."""
        height, width = self.block
        down = -(-self.blocks // self.across)
        return down * (height + self.gutter) - self.gutter, self.across * (width + self.gutter) - self.gutter

    @property
    def is_folded(self) -> bool:
        """Whether the sheet is not the plane itself."""
        return self.block != self.plane

    @property
    def is_wide(self) -> bool:
        """Whether the plane's columns are cut, not its rows."""
        return self.block[1] < self.plane[1]

    def cell(self, index: tuple[int, ...]) -> tuple[int, int]:
        """The (row, column) of the sheet that shows the value at `index`."""
        row, column = self._flat(index, self.row_axes), self._flat(index, self.column_axes)
        height, width = self.block
        down, beside = divmod(row // height + column // width, self.across)
        return down * (height + self.gutter) + row % height, beside * (width + self.gutter) + column % width

    def index(self, row: int, column: int) -> tuple[int, ...] | None:
        """The index of the value that a cell shows; None in a gutter, in an unused cell and outside."""
        (height, width), (rows, columns) = self.block, self.grid
        if not (0 <= row < rows and 0 <= column < columns):
            return None
        (down, inner_row), (beside, inner_column) = (
            divmod(row, height + self.gutter),
            divmod(column, width + self.gutter),
        )
        if inner_row >= height or inner_column >= width:
            return None
        number = down * self.across + beside
        plane_row = inner_row if self.is_wide else number * height + inner_row
        plane_column = number * width + inner_column if self.is_wide else inner_column
        if plane_row >= self.plane[0] or plane_column >= self.plane[1]:
            return None
        index = [0] * len(self.shape)
        for axes, flat in ((self.row_axes, plane_row), (self.column_axes, plane_column)):
            for axis in reversed(axes):
                flat, index[axis] = divmod(flat, self.shape[axis])
        return tuple(index)

    def is_used(self, rows: Int[np.ndarray, "*n"], columns: Int[np.ndarray, "*n"]) -> Bool[np.ndarray, "*n"]:
        """Which cells of the sheet show a value."""
        height, width = self.block
        (down, inner_row), (beside, inner_column) = (
            np.divmod(rows, height + self.gutter),
            np.divmod(columns, width + self.gutter),
        )
        number = down * self.across + beside
        place = number * width + inner_column if self.is_wide else number * height + inner_row
        return (inner_row < height) & (inner_column < width) & (place < self.plane[1 if self.is_wide else 0])

    def spread(self, tensor: Shaped[Tensor, "*shape"]) -> Shaped[Tensor, "rows columns"]:
        """The values in the sheet's cells, zeros in those that show none; shares memory where it can."""
        plane = tensor.permute(*self.row_axes, *self.column_axes).reshape(self.plane)
        if not self.is_folded:
            return plane
        height, width = self.block
        down, size = -(-self.blocks // self.across), self.gutter
        # Padded to whole blocks, then block by block with the gutters below and to the right of each.
        missing = (
            (0, self.blocks * width - plane.shape[1])
            if self.is_wide
            else (0, 0, 0, self.blocks * height - plane.shape[0])
        )
        plane = torch.nn.functional.pad(plane, missing)
        blocks = plane.unflatten(1, (-1, width)).transpose(0, 1) if self.is_wide else plane.unflatten(0, (-1, height))
        sheet = plane.new_zeros(down * self.across, height + size, width + size)
        sheet[: self.blocks, :height, :width] = blocks
        sheet = sheet.unflatten(0, (down, self.across)).transpose(1, 2).flatten(2).flatten(0, 1)
        return sheet[: self.grid[0], : self.grid[1]]

    def _product(self, axes: tuple[int, ...]) -> int:
        return math.prod(self.shape[axis] for axis in axes)

    def _flat(self, index: tuple[int, ...], axes: tuple[int, ...]) -> int:
        flat = 0
        for axis in axes:
            flat = flat * self.shape[axis] + index[axis]
        return flat


def sheet_of(ref: TensorRef) -> SheetMap:
    """The sheet of a tensor: outputs down the rows; images, heads and slices as a grid of maps.

    A complex tensor counts as its `torch.view_as_real`, whose two halves lie side by side.
    """
    shape = tuple(ref.tensor.shape)
    if ref.tensor.is_complex():
        flat = _plane(ref, shape)
        parts = (*shape, 2)
        return _folded(parts, flat[0], (len(shape), *flat[1]), flat[2], flat[3])
    if ref.kind == "activation":
        return _activation(shape)
    return _folded(shape, *_plane(ref, shape))


def _plane(ref: TensorRef, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, int], int]:
    """(row axes, column axes, kernel, band) of a parameter, or of what has a parameter's shape."""
    outputs, inputs = (1, 0) if "Transpose" in ref.module else (0, 1)  # transposed convolutions store inputs first
    band = _band(ref, shape)
    match len(shape):
        case 0 | 1:
            return tuple(range(len(shape))), (), (1, 1), 0
        case 2:
            return (0,), (1,), (1, 1), band
        case 3 if ref.module and "Conv" not in ref.module:
            return (0, 1), (2,), (shape[1], shape[2]), 0
        case 3:
            return (outputs,), (inputs, 2), (1, shape[2]), band
        case 4:
            return (outputs, 2), (inputs, 3), (shape[2], shape[3]), band * shape[2]
        case 5:
            return (outputs, 3), (inputs, 2, 4), (shape[3], shape[2] * shape[4]), band * shape[3]
        case count:
            return tuple(range(count - 1)), (count - 1,), (1, 1), 0


def _band(ref: TensorRef, shape: tuple[int, ...]) -> int:
    """Outputs of a gate (LSTM: i, f, g, o; GRU: r, z, n), of q, k and v, or of a group; 0 where there is one only."""
    last = ref.name.rpartition(".")[2]
    if last.startswith("weight_hh"):
        return shape[1] if shape[0] > shape[1] else 0
    if last.startswith("weight_ih"):
        gates = {"GRU": 3, "GRUCell": 3, "RNN": 1, "RNNCell": 1}.get(ref.module, 4)
        return shape[0] // gates if gates > 1 and shape[0] % gates == 0 else 0
    if last == "in_proj_weight":
        return shape[0] // 3
    return shape[0] // ref.groups if ref.groups > 1 and "Transpose" not in ref.module else 0


def _folded(
    shape: tuple[int, ...], rows: tuple[int, ...], columns: tuple[int, ...], kernel: tuple[int, int], band: int
) -> SheetMap:
    """The plane, cut into blocks of whole kernels where it would be too long."""
    height = math.prod(shape[axis] for axis in rows)
    width = math.prod(shape[axis] for axis in columns)
    block, across = (height, width), 1
    if len(shape) > 1 and height > MOST_ASPECT * width and kernel == (1, 1):
        # k columns of height / k rows are k² times as wide for their length.
        across = max(round(math.sqrt(height / width / 2)), 2)
        block = -(-height // across), width
        across = -(-height // block[0])
        band = 0
    elif len(shape) > 1 and width > MOST_ASPECT * height:
        step = kernel[1]
        pieces = max(round(math.sqrt(width / height / 2)), 2)
        block = height, min(-(-width // pieces // step) * step or step, width)
    return SheetMap(shape, rows, columns, block, across, 0, kernel, band)


def _activation(shape: tuple[int, ...]) -> SheetMap:
    """Outputs of a layer, the batch first."""
    count = len(shape)
    if count <= 2:
        # One row of values, in lines of about the square root.
        if count < 2 or shape[0] == 1:
            length = math.prod(shape)
            width = max(math.isqrt(max(length - 1, 0)) + 1, 1)
            return SheetMap(shape, (), tuple(range(count)), (1, min(width, max(length, 1))))
        return _folded(shape, (0,), (1,), (1, 1), 0)
    if count == 3:
        return _folded(shape, (0, 1), (2,), (1, 1), shape[1] if shape[0] > 1 else 0)
    height, width = shape[-2:]
    maps = math.prod(shape[:-2])
    if maps == 1:
        return SheetMap(shape, tuple(range(count - 1)), (count - 1,), (height, width))
    across = math.ceil(math.sqrt(maps * height / max(width, 1)))
    return SheetMap(shape, tuple(range(count - 1)), (count - 1,), (height, width), min(across, maps), 1)
