"""The map of a sheet takes every index to a cell of its own, and back."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from easel.inspector.layout.sheet_map import MOST_ASPECT, SheetMap, sheet_of
from easel.inspector.models.graph import TensorRef

MODULES = ("", "Linear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose2d", "ConvTranspose1d", "Embedding")


def ref(shape: tuple[int, ...], kind: str = "parameter", module: str = "", name: str = "weight") -> TensorRef:
    return TensorRef(name, torch.zeros(shape), kind, module=module)


def check(sheet: SheetMap) -> None:
    """Bijection of indices and used cells, by the scalar maps and by the tensor's own way into the sheet."""
    tensor = torch.arange(1, math.prod(sheet.shape) + 1).reshape(sheet.shape)
    cells = sheet.spread(tensor)
    assert tuple(cells.shape) == sheet.grid
    shown = 0
    for row in range(sheet.grid[0]):
        for column in range(sheet.grid[1]):
            index = sheet.index(row, column)
            if index is None:
                assert cells[row, column] == 0
            else:
                assert sheet.cell(index) == (row, column) and cells[row, column] == tensor[index]
                shown += 1
    assert shown == tensor.numel()
    used = sheet.is_used(*np.indices(sheet.grid))
    assert ((cells != 0).numpy() == used).all()


@pytest.mark.slow
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=6).map(tuple),
    st.sampled_from(["parameter", "activation"]),
    st.sampled_from(MODULES),
)
@settings(max_examples=80, deadline=None)
def test_every_value_has_one_cell(shape, kind, module):
    while math.prod(shape) > 400:
        shape = shape[1:]
    check(sheet_of(ref(shape, kind, module)))


@given(st.integers(1, 400), st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_folded_matrices(rows, columns):
    sheet = sheet_of(ref((rows, columns)))
    if rows * columns <= 400:
        check(sheet)
    height, width = sheet.grid
    assert max(height / width, width / height) <= MOST_ASPECT or min(rows, columns) * 3 > rows * columns


@pytest.mark.parametrize(
    ("shape", "module", "index", "cell"),
    [
        ((8, 4, 3, 3), "Conv2d", (2, 1, 0, 2), (6, 5)),
        ((4, 8, 3, 3), "ConvTranspose2d", (1, 2, 0, 2), (6, 5)),  # inputs are stored first
        ((8, 4, 3), "Conv1d", (2, 1, 2), (2, 5)),
        ((8, 4), "Linear", (5, 3), (5, 3)),
        ((2, 3, 4, 5, 6), "Conv3d", (1, 2, 3, 4, 5), (9, (2 * 4 + 3) * 6 + 5)),
        ((7,), "Linear", (5,), (5, 0)),
    ],
)
def test_outputs_run_down_and_kernels_stay_whole(shape, module, index, cell):
    assert sheet_of(ref(shape, module=module)).cell(index) == cell


def test_maps_of_an_activation_have_gutters():
    sheet = sheet_of(ref((1, 5, 4, 4), "activation"))
    assert sheet.across == 3 and sheet.grid == (9, 14)
    assert sheet.cell((0, 3, 0, 0)) == (5, 0) and sheet.index(4, 0) is None


def test_gates_and_groups_are_parted():
    assert sheet_of(ref((40, 6), module="LSTM", name="weight_ih_l0")).band == 10
    assert sheet_of(ref((30, 6), module="GRU", name="weight_ih_l0")).band == 10
    assert sheet_of(ref((30, 10), module="GRU", name="weight_hh_l0")).band == 10
    assert sheet_of(ref((10, 10), module="RNN", name="weight_hh_l0")).band == 0
    # With proj_size the second axis is shorter than a gate.
    assert sheet_of(ref((40, 6), module="LSTM", name="weight_hh_l0")).band == 10
    assert sheet_of(ref((40, 6), name="weight_hh_l0")).band == 10
    assert [sheet_of(ref((n, 10), name="weight_hh_l0")).band for n in (10, 30, 40)] == [0, 10, 10]
    assert sheet_of(ref((48, 16), module="MultiheadAttention", name="in_proj_weight")).band == 16
    grouped = TensorRef("weight", torch.zeros(8, 2, 3, 3), module="Conv2d", groups=4)
    assert sheet_of(grouped).band == 6


def test_a_vocabulary_folds():
    sheet = sheet_of(TensorRef("wte.weight", torch.empty(50257, 768, device="meta")))
    assert max(sheet.grid) / min(sheet.grid) < 3 and sheet.cell((50256, 767))[1] == sheet.grid[1] - 1


def test_complex_halves_lie_side_by_side():
    sheet = sheet_of(TensorRef("weight", torch.zeros(3, 4, dtype=torch.complex64)))
    assert sheet.shape == (3, 4, 2)
    # A value is picked by its own index, and its cell is that of the real part.
    assert sheet.cell((1, 2)) == sheet.cell((1, 2, 0)) == (1, 2)
    assert sheet.cell((1, 2, 0)) == (1, 2) and sheet.cell((1, 2, 1)) == (1, 6)
