"""Sheet maps: where each value of a tensor lies in a rectangle of cells, and which value a cell shows.

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
"""Largest ratio of a sheet's sides; a longer plane folds."""


@dataclass(frozen=True)
class SheetMap:
    """Mapping between indices of a tensor of `shape` and cells of its sheet."""

    shape: tuple[int, ...]
    row_axes: tuple[int, ...]
    """Axes of the tensor down the plane, the slowest first."""
    column_axes: tuple[int, ...]
    """The other axes, across."""
    block: tuple[int, int]
    """Rows and columns of a block; along one of the two it is as long as the plane."""
    across: int = 1
    """Blocks side by side."""
    gutter: int = 0
    """Cells between blocks."""
    kernel: tuple[int, int] = (1, 1)
    """Rows and columns of a convolution's kernel, or of a channel's map; (1, 1) where gutters part them already."""
    band: int = 0
    """Rows between lines that part gates or groups; 0 draws none."""

    @property
    def plane(self) -> tuple[int, int]:
        """(R, C), cells of the plane."""
        rows, columns = (math.prod(self.shape[axis] for axis in axes) for axes in (self.row_axes, self.column_axes))
        return rows, columns

    @property
    def blocks(self) -> int:
        """Number of blocks into which the plane is cut."""
        rows, columns = self.plane
        height, width = self.block
        # -(-a // b) is a / b rounded up, without the detour over floats.
        return -(-rows // height) * -(-columns // width)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the sheet, gutters and unused cells included."""
        height, width = self.block
        down = -(-self.blocks // self.across)
        return down * (height + self.gutter) - self.gutter, self.across * (width + self.gutter) - self.gutter

    @property
    def is_folded(self) -> bool:
        """True if the sheet is not the plane itself."""
        return self.block != self.plane

    @property
    def is_wide(self) -> bool:
        """True if the plane's columns are cut, not its rows."""
        return self.block[1] < self.plane[1]

    def cell(self, index: tuple[int, ...]) -> tuple[int, int]:
        """Return the (row, column) of the sheet that shows the value at `index`.

        An index without the last axis, as a complex value has it, means the first cell: the real part.
        """
        index = (*index, 0)[: len(self.shape)]
        row, column = self._flat(index, self.row_axes), self._flat(index, self.column_axes)
        height, width = self.block
        # One of the two quotients is 0: a plane is cut along one side only.
        down, beside = divmod(row // height + column // width, self.across)
        return down * (height + self.gutter) + row % height, beside * (width + self.gutter) + column % width

    def index(self, row: int, column: int) -> tuple[int, ...] | None:
        """Return the index of the value that a cell shows; None in a gutter, in an unused cell and outside."""
        rows, columns = self.grid
        height, width = self.block
        down, plane_row = divmod(row, height + self.gutter)
        beside, plane_column = divmod(column, width + self.gutter)
        if not (0 <= row < rows and 0 <= column < columns and plane_row < height and plane_column < width):
            return None
        number = down * self.across + beside
        if self.is_wide:
            plane_column += number * width
        else:
            plane_row += number * height
        # The last block, and the blocks that fill up the last line, may be empty.
        if plane_row >= self.plane[0] or plane_column >= self.plane[1]:
            return None
        index = [0] * len(self.shape)
        for axes, flat in ((self.row_axes, plane_row), (self.column_axes, plane_column)):
            for axis in reversed(axes):
                flat, index[axis] = divmod(flat, self.shape[axis])
        return tuple(index)

    def is_used(self, rows: Int[np.ndarray, "*n"], columns: Int[np.ndarray, "*n"]) -> Bool[np.ndarray, "*n"]:
        """Return True for the cells of the sheet that show a value, not a gutter or the rest of the last block."""
        height, width = self.block
        down, inner_row = np.divmod(rows, height + self.gutter)
        beside, inner_column = np.divmod(columns, width + self.gutter)
        number = down * self.across + beside
        inside = (inner_row < height) & (inner_column < width)
        if self.is_wide:
            return inside & (number * width + inner_column < self.plane[1])
        return inside & (number * height + inner_row < self.plane[0])

    def spread(self, tensor: Shaped[Tensor, "*shape"]) -> Shaped[Tensor, "rows columns"]:
        """Return the values in the sheet's cells, zeros in those that show none; shares memory if it can."""
        plane = tensor.permute(*self.row_axes, *self.column_axes).reshape(self.plane)
        if not self.is_folded:
            return plane
        height, width = self.block
        down = -(-self.blocks // self.across)
        # Padded to whole blocks, then block by block with the gutters below and to the right of each.
        plane = torch.nn.functional.pad(plane, (0, -plane.shape[1] % width, 0, -plane.shape[0] % height))
        blocks = plane.unflatten(1, (-1, width)).unflatten(0, (-1, height)).transpose(1, 2).flatten(0, 1)
        sheet = plane.new_zeros(down * self.across, height + self.gutter, width + self.gutter)
        sheet[: self.blocks, :height, :width] = blocks
        sheet = sheet.unflatten(0, (down, self.across)).transpose(1, 2).flatten(2).flatten(0, 1)
        # No gutter after the last block of a line.
        return sheet[: self.grid[0], : self.grid[1]]

    def _flat(self, index: tuple[int, ...], axes: tuple[int, ...]) -> int:
        """Return the place along `axes`, the first of them the slowest."""
        flat = 0
        for axis in axes:
            flat = flat * self.shape[axis] + index[axis]
        return flat


def sheet_of(ref: TensorRef) -> SheetMap:
    """Return the sheet of a tensor: outputs down the rows; images, heads and slices as a grid of maps.

    A complex tensor counts as its `torch.view_as_real`, whose two halves lie side by side.
    """
    shape = tuple(ref.tensor.shape)
    if ref.kind == "activation" and not ref.tensor.is_complex():
        return _activation(shape)
    rows, columns, kernel, band = _plane(ref, shape)
    if ref.tensor.is_complex():
        # The axis of real and imaginary parts comes last in the tensor and is the slowest across the plane.
        columns = (len(shape), *columns)
        shape = (*shape, 2)
    return _folded(shape, rows, columns, kernel, band)


def _plane(ref: TensorRef, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, int], int]:
    """Return (row axes, column axes, kernel, band) of a parameter, or of what has a parameter's shape."""
    # Transposed convolutions store inputs first.
    outputs = int("Transpose" in ref.module)
    inputs = 1 - outputs
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
    """Return the outputs of a gate (LSTM: i, f, g, o; GRU: r, z, n), of q, k and v, or of a group; 0 for one only."""
    last = ref.name.rpartition(".")[2]
    parts = 1
    if last.startswith(("weight_ih", "weight_hh")):
        gates = {"LSTM": 4, "LSTMCell": 4, "GRU": 3, "GRUCell": 3, "RNN": 1, "RNNCell": 1}
        # A file without the model does not tell the class: 4 gates are a guess, unless (gates · hidden, hidden) tells.
        known = (count for count in (1, 3) if last.startswith("weight_hh") and shape[0] == count * shape[-1])
        parts = gates.get(ref.module) or next(known, 4)
    elif last == "in_proj_weight":
        parts = 3
    elif "Transpose" not in ref.module:
        parts = ref.groups
    # A guess has to fit.
    return 0 if parts == 1 or shape[0] % parts else shape[0] // parts


def _folded(
    shape: tuple[int, ...], rows: tuple[int, ...], columns: tuple[int, ...], kernel: tuple[int, int], band: int
) -> SheetMap:
    """Return the sheet of a plane, cut into blocks of whole kernels if it would be too long."""
    height, width = (math.prod(shape[axis] for axis in axes) for axes in (rows, columns))
    block, across = (height, width), 1
    if len(shape) > 1 and height > MOST_ASPECT * width and kernel == (1, 1):
        # k columns of height / k rows are k² times as wide for their length.
        across = max(round(math.sqrt(height / width / 2)), 2)
        block = -(-height // across), width
        # Rounded up, blocks may be fewer than asked for.
        across = -(-height // block[0])
        # Lines across all columns would not lie between the same outputs.
        band = 0
    elif len(shape) > 1 and width > MOST_ASPECT * height:
        step = kernel[1]
        pieces = max(round(math.sqrt(width / height / 2)), 2)
        block = height, min(-(-width // pieces // step) * step or step, width)
    return SheetMap(shape, rows, columns, block, across, 0, kernel, band)


def _activation(shape: tuple[int, ...]) -> SheetMap:
    """Return the sheet of a layer's outputs, the batch first."""
    count = len(shape)
    if count < 2 or (count == 2 and shape[0] == 1):
        # One row of values, in lines of about the square root.
        length = max(math.prod(shape), 1)
        width = math.isqrt(length - 1) + 1
        return SheetMap(shape, (), tuple(range(count)), (1, width))
    if count == 2:
        return _folded(shape, (0,), (1,), (1, 1), 0)
    if count == 3:
        return _folded(shape, (0, 1), (2,), (1, 1), shape[1] if shape[0] > 1 else 0)
    height, width = shape[-2:]
    maps = math.prod(shape[:-2])
    if maps == 1:
        return SheetMap(shape, tuple(range(count - 1)), (count - 1,), (height, width))
    # About square: `across` maps of `width` beside one another, maps / across of `height` below.
    across = math.ceil(math.sqrt(maps * height / max(width, 1)))
    return SheetMap(shape, tuple(range(count - 1)), (count - 1,), (height, width), min(across, maps), 1)
