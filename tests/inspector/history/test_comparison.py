"""Differences: exactly zero between equals, exact elsewhere, and honest about what cannot be compared."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch import nn

from easel.inspector.history.comparison import difference, relative, subtract
from easel.inspector.history.snapshot import Snapshot

DTYPES = st.sampled_from(["float16", "float32", "float64", "int8", "int64", "uint8", "bool", "complex64"])


@settings(deadline=None, max_examples=60)
@given(DTYPES.flatmap(lambda dtype: arrays.arrays(dtype, arrays.array_shapes(max_dims=3, min_side=0))))
def test_the_difference_of_equals_is_exactly_zero(array):
    tensor = torch.from_numpy(array)
    found = difference({"t": tensor}, {"t": tensor.clone()})
    assert not found.tensors["t"].any()
    assert found.change == {"t": 0.0}
    assert found.mismatch == ""


def test_nan_and_infinity_against_others_are_seen():
    a = torch.tensor([float("nan"), float("inf"), float("-inf"), 1.0])
    assert subtract(torch.tensor([1.0, 1.0, float("inf"), 1.0]), a).tolist()[1:] == [-float("inf"), float("inf"), 0]
    assert subtract(torch.ones(4), a)[0].isnan()


def test_types_that_cannot_hold_a_difference_are_widened():
    one, other = torch.tensor([0], dtype=torch.uint8), torch.tensor([255], dtype=torch.uint8)
    assert subtract(one, other).tolist() == [-255]
    assert subtract(torch.tensor([False]), torch.tensor([True])).tolist() == [-1]
    tiny = torch.tensor([1.0, 1.0078125], dtype=torch.bfloat16)
    assert subtract(tiny[1:], tiny[:1]).tolist() == [0.0078125]
    large = torch.tensor([2**62 + 1])
    assert subtract(large, torch.tensor([2**62])).tolist() == [1]


def test_models_and_snapshots_and_their_ranking():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3), nn.BatchNorm1d(3))
    before = Snapshot(0, {name: tensor.clone() for name, tensor in model.state_dict().items()})
    with torch.no_grad():
        model[0].weight.mul_(1.5)
        model[1].weight.mul_(1.1)
    found = difference(before, model)
    assert [name for name, _ in found.ranking[:2]] == ["0.weight", "1.weight"]
    assert abs(found.change["0.weight"] - 0.5) < 1e-6
    assert dict(found.ranking[2:]) == dict.fromkeys((name for name, _ in found.ranking[2:]), 0.0)
    assert difference({"w": torch.zeros(2)}, {"w": torch.ones(2)}).change == {"w": float("inf")}
    torch.testing.assert_close(relative(model[0].weight, before.tensors["0.weight"]), torch.full((3, 3), 0.5))


def test_tensors_without_values_have_a_difference_without_values():
    values, none = torch.ones(2), torch.ones(2, device="meta")
    for a, b in ((values, none), (none, values)):
        found = difference({"w": a}, {"w": b})
        assert found.tensors["w"].is_meta and found.change == {}


def test_what_does_not_match_is_told_in_one_line():
    a = {name: torch.zeros(2) for name in "abcdef"}
    b = {"f": torch.zeros(3), "g": torch.zeros(1)}
    found = difference(a, b)
    assert found.missing == tuple("abcde") and found.added == ("g",)
    assert found.reshaped == (("f", (2,), (3,)),)
    assert found.mismatch == ("5 missing (a, b, c …); 1 unexpected (g); 1 of another shape (f (3,) instead of (2,))")
