import pytest
import torch

from easel.fields.volumes import transfer
from easel.fields.volumes.transfer import KNOWN, TRANSFERS, opaque_at, steepness


def ramp(*slopes):
    """A volume whose channels grow by these (X, Y, Z) slopes per voxel."""
    axes = torch.meshgrid(*[torch.arange(5.0)] * 3, indexing="ij")
    return torch.stack([sum(s * axis for s, axis in zip(slope, axes, strict=True)) for slope in slopes], -1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("norm/mean", (3 + 2) / 2),
        ("norm/norm", 13**0.5),
        ("mean/mean", (5 / 3 + 2 / 3) / 2),
        ("sum/mean", (1 + 2) / 2),
        ("sum/sum", 3),
        ("X/mean", (2 + 0) / 2),
        ("Y/norm", 2),
        ("Z/sum", 1 + 2),
        ("constant", 1),
    ],
)
def test_ramps_have_the_steepness_of_their_slopes(name, expected):
    found = steepness(ramp((2, -2, 1), (0, 0, -2)), name)
    assert torch.allclose(found, torch.full((5, 5, 5), float(expected)))


def test_linear_is_the_first_channel():
    values = torch.rand(3, 4, 5, 3)
    assert torch.equal(steepness(values, "linear"), values[..., 0])


def test_slopes_are_per_length():
    assert torch.allclose(steepness(ramp((2, 0, 0)), "X/mean", (0.5, 1, 1)), torch.tensor(4.0))


def test_a_flat_axis_has_no_slope():
    assert steepness(torch.rand(1, 3, 1, 2), "X/norm").max() == 0


def test_one_in_a_hundred_is_beyond_opaque():
    values = torch.rand(24, 24, 24, 3)
    for name in ("norm/mean", "linear"):
        share = (steepness(values, name) > opaque_at(values, name)).double().mean().item()
        assert share == pytest.approx(0.01, abs=1e-3)


def test_a_few_slices_of_a_large_volume_tell_as_much(monkeypatch):
    values = torch.rand(40, 20, 20, 3)
    exact = opaque_at(values, "norm/mean")
    monkeypatch.setattr(transfer, "SLAB_VOXELS", 4000)
    assert opaque_at(values, "norm/mean") == pytest.approx(exact, rel=0.02)
    assert opaque_at(values, "linear") == pytest.approx(0.99, rel=0.01)


def test_what_is_flat_almost_everywhere_still_has_a_scale():
    values = torch.zeros(20, 20, 20, 1)
    assert opaque_at(values, "norm/mean") == 1
    values[10, 10, 10] = 0.5
    assert opaque_at(values, "norm/mean") == 0.25


def test_known_names():
    assert len(set(TRANSFERS)) == 12 and set(TRANSFERS) <= set(KNOWN)
    with pytest.raises(ValueError, match="norm/mean"):
        opaque_at(torch.zeros(2, 2, 2, 1), "norm")
