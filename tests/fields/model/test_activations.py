import pytest
import torch
from torch import nn

from easel.fields import StraightThroughStep
from easel.fields.model.activations import LARGE_SET, OWN, SMALL_SET, TORCH, Sin, Weighted, activation, activation_name
from easel.fields.model.streams import stream


@pytest.mark.parametrize("name", [*OWN, *TORCH])
def test_every_activation_works_number_by_number_and_repeats(name):
    x = torch.linspace(-3, 3, 60).view(20, 3)
    built = activation(name)
    for module in built.modules():
        if isinstance(module, Weighted):
            module.draw_(stream(0, "test"))
    first = built(x)
    assert first.shape == x.shape and first.isfinite().all()
    assert torch.equal(built(x), first) and torch.allclose(built(x[::4]), first[::4], atol=1e-6)


@pytest.mark.parametrize("given", ["GELU", "gelu", "nn.GELU", "torch.nn.GELU", nn.GELU])
def test_a_name_in_any_spelling_or_a_class(given):
    assert activation_name(given) == "GELU"


def test_own_classes_have_their_names():
    assert [activation_name(kind) for kind in (Sin, StraightThroughStep)] == ["sin", "step"]
    assert set(LARGE_SET + SMALL_SET) == {activation_name(name) for name in LARGE_SET + SMALL_SET}


def test_values_worked_by_hand():
    x = torch.tensor([0.0, 1.0, -2.0])
    assert torch.allclose(activation("gaussian")(x), torch.tensor([1.0, 0.60653, 0.13534]), atol=1e-5)
    assert torch.allclose(activation("half_sine")(x), torch.tensor([0.5, 0.92074, 0.04535]), atol=1e-5)
    assert torch.equal(activation("step")(x), torch.tensor([0.0, 1.0, 0.0]))


def test_the_steps_gradient_passes_straight_and_clamped():
    x = torch.tensor([-5.0, 0.1, 3.0], requires_grad=True)
    activation("step")(x).backward(torch.tensor([0.5, -7.0, 2.0]))
    assert torch.equal(x.grad, torch.tensor([0.5, -1.0, 1.0]))


@pytest.mark.parametrize("name", ["Softmax", "GLU", "Threshold", "gelu2", ""])
def test_others_are_refused_by_the_known_names(name):
    with pytest.raises(ValueError, match=r"unknown activation.*Known: .*Tanh"):
        activation(name)
