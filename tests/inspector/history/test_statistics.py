"""Numbers about tensors, against numpy and by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from easel.inspector.history import statistics
from easel.inspector.history.snapshot import Snapshot
from easel.inspector.history.statistics import dead_units, singular_values, summarize, summarize_network

NUMBERS = st.floats(-1e6, 1e6, width=32) | st.sampled_from([0.0, float("nan"), float("inf"), -float("inf")])


@settings(deadline=None, max_examples=60)
@given(arrays.arrays("float32", arrays.array_shapes(max_dims=3, min_side=0, max_side=5), elements=NUMBERS))
def test_numbers_are_numpys(array):
    found, values = summarize(torch.from_numpy(array)), array.astype(np.float64)
    finite = values[np.isfinite(values)]
    assert (found.count, found.nan_count) == (array.size, int(np.isnan(values).sum()))
    assert found.infinite_count == int(np.isinf(values).sum())
    assert sum(found.histogram) + found.underflow + found.overflow == array.size - found.nan_count
    assert sum(found.histogram) == finite.size
    if finite.size:
        expected = [finite.mean(), finite.std(), finite.min(), finite.max(), np.abs(finite).max()]
        expected += [np.abs(finite).sum(), np.sqrt((finite**2).sum()), np.sqrt((finite**2).mean())]
        got = [found.mean, found.std, found.min, found.max, found.abs_max, found.l1, found.l2, found.rms]
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)
        assert found.zero_share == (values == 0).sum() / array.size


def test_large_tensors_are_summed_in_parts(monkeypatch):
    tensor = torch.randn(100, 7)
    whole = summarize(tensor)
    monkeypatch.setattr(statistics, "_CHUNK", 16)
    parts = summarize(tensor)
    assert (parts.histogram, parts.min, parts.max) == (whole.histogram, whole.min, whole.max)
    assert math.isclose(parts.std, whole.std) and math.isclose(parts.mean, whole.mean, abs_tol=1e-12)
    torch.testing.assert_close(parts.row_norms, tensor.double().norm(dim=1))


def test_a_small_histogram_by_hand():
    found = summarize(torch.tensor([0.0, 1.0, 64.0]))
    assert [place for place, count in enumerate(found.histogram) if count] == [0, 1, 63]
    found = summarize(torch.tensor([-1.0, 0.0, 1.0, 9.0, float("inf")]), limits=(0.0, 8.0))
    assert (found.underflow, found.overflow, sum(found.histogram)) == (1, 2, 2)
    assert sum(summarize(torch.full((5,), 3.0)).histogram) == 5


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.int64, torch.bool, torch.complex64, torch.float16])
def test_any_type(dtype):
    found = summarize(torch.ones(2, 3).to(dtype))
    assert (found.mean, found.l1, found.row_norms.shape) == (1, 6, (2,))


def test_dead_rows_and_units():
    weight = torch.ones(4, 3)
    weight[[1, 3]] = 0
    assert summarize(weight).dead_rows == (1, 3)
    activation = torch.randn(5, 4, 2, 2).abs()
    activation[:, 1] = 0
    activation[:, 2] = 0.5
    activation[:, 3] = -activation[:, 3]
    found = dead_units(activation)
    assert (found.samples, found.units, found.never_positive, found.never_varying) == (5, 4, (1, 3), (1, 2))
    with pytest.raises(ValueError, match=r"\(samples, units, …\); got \(3,\)"):
        dead_units(torch.ones(3))


def test_a_spectrum():
    torch.testing.assert_close(singular_values(torch.diag(torch.tensor([1.0, 3.0]))), torch.tensor([3.0, 1.0]).double())
    assert singular_values(torch.rand(4, 2, 3, 3)).shape == (4,)


def network(**changed):
    tensors = {f"{layer}.weight": torch.ones(2, 2) for layer in "abc"}
    tensors |= {f"{layer}.weight.grad": torch.full((2, 2), 0.1) for layer in "abc"} | changed
    return Snapshot(7, tensors, {name: "gradient" for name in tensors if name.endswith(".grad")})


def test_a_network_compared_with_its_start_and_the_step_before():
    now = network(**{"a.weight": torch.full((2, 2), 3.0), "b.weight": -torch.ones(2, 2)})
    found = summarize_network(now, initial=network(), previous=now)
    rows = {row.name: row for row in found.rows}
    assert list(rows) == ["a.weight", "b.weight", "c.weight"]
    assert (rows["a.weight"].distance, rows["b.weight"].distance, rows["c.weight"].distance) == (2, 2, 0)
    assert [round(row.cosine, 12) for row in found.rows] == [1, -1, 1]
    assert [row.update_ratio for row in found.rows] == [0, 0, 0]
    assert math.isclose(rows["a.weight"].gradient_norm, 0.2, rel_tol=1e-6)
    assert found.warnings == ()
    assert [row.name for row in found.sorted_by("l2")] == ["a.weight", "b.weight", "c.weight"]
    assert found.sorted_by("cosine", descending=False)[0].name == "b.weight"
    with pytest.raises(ValueError, match="'name' is no column of numbers"):
        found.sorted_by("name")


def test_what_is_not_known_is_none_and_sorts_last():
    found = summarize_network(network(), initial=Snapshot(0, {"b.weight": torch.zeros(2, 2)}))
    assert [row.distance for row in found.rows] == [None, float("inf"), None]
    assert found.sorted_by("distance")[0].name == "b.weight"
    assert found.rows[0].update_ratio is None


@pytest.mark.parametrize(
    ("changed", "warning"),
    [
        ({"a.weight.grad": torch.full((2, 2), 1e-6)}, "a.weight: gradients vanish (RMS 1e-06, median of all 0.1)"),
        ({"a.weight.grad": torch.full((2, 2), 1e6)}, "a.weight: gradients explode (RMS 1e+06, median of all 0.1)"),
        (
            {"c.weight.grad": torch.tensor([[float("nan"), 0.1], [0.1, float("inf")]])},
            "c.weight: gradients are not finite (1 NaN, 1 infinite)",
        ),
        ({"b.weight": torch.tensor([[0.0, 0.0], [1.0, 1.0]])}, "b.weight: 1 of 2 rows are zero"),
        ({"b.weight": torch.tensor([[float("nan"), 1.0]])}, "b.weight: values are not finite (1 NaN, 0 infinite)"),
    ],
)
def test_warnings(changed, warning):
    assert summarize_network(network(**changed)).warnings == (warning,)


def test_gradients_that_vanish_everywhere_are_noticed():
    changed = {f"{layer}.weight.grad": torch.zeros(2, 2) for layer in "abc"}
    assert len(summarize_network(network(**changed)).warnings) == 3
