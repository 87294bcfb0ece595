"""Learning rates by epoch, and optimizers that come back from their tensors."""

import math

import pytest
import torch

from easel.materials.config import OptimizerConfig
from easel.materials.training.schedule import Plateau, build_optimizer, learning_rate, load_optimizer, optimizer_tensors


def rates(epochs: int = 30, **settings) -> list[float]:
    config = OptimizerConfig(**settings)
    return [learning_rate(config, 1.0, epoch, epochs) for epoch in range(epochs)]


def test_warmup_rises_from_a_tenth():
    assert rates(scheduler_warmup_epochs=4, scheduler="none")[:5] == pytest.approx([0.325, 0.55, 0.775, 1, 1])


def test_cosine_falls_to_the_least():
    found = rates(scheduler_warmup_epochs=0, scheduler_min_lr=0.1)
    assert found[0] == 1 and found[15] == pytest.approx(0.55) and found == sorted(found, reverse=True)
    config = OptimizerConfig(scheduler_min_lr=0.1)
    assert learning_rate(config, 1.0, 30, 30) == pytest.approx(0.1)


def test_step_and_none():
    found = rates(scheduler="step", step_size=10, gamma=0.5, scheduler_warmup_epochs=2)
    assert found[11] == 1 and found[12] == 0.5 and found[22] == 0.25
    assert set(rates(scheduler="none", scheduler_warmup_epochs=0)) == {1.0}


def test_a_plateau_lowers_the_rate_once_patience_is_over():
    config, plateau = OptimizerConfig(scheduler="plateau", patience=1, factor=0.5, scheduler_min_lr=0.2), Plateau()
    factors = []
    for loss in (3.0, 2.0, 2.5, 2.1, 1.0, 1.0, 1.0):
        plateau.update(config, loss)
        factors.append(plateau.factor)
    assert factors == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]
    assert learning_rate(config, 1.0, 20, 30, plateau.factor) == 0.25
    assert learning_rate(config, 1.0, 20, 30, 0.01) == 0.2


@pytest.mark.parametrize("kind", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("whose", ["g", "d"])
def test_an_optimizer_goes_on_from_its_tensors(kind, whose):
    config = OptimizerConfig(**{f"{whose}_optimizer": kind, f"{whose}_lr": 0.01, f"{whose}_weight_decay": 0.1})

    def steps(weights, optimizer, count):
        for _ in range(count):
            optimizer.zero_grad()
            weights.square().sum().sin().backward()
            optimizer.step()
        return weights

    start = torch.linspace(-1, 1, 5)
    whole = start.clone().requires_grad_()
    steps(whole, build_optimizer(config, whose, [whole]), 4)
    first = start.clone().requires_grad_()
    before = build_optimizer(config, whose, [first])
    steps(first, before, 2)
    after = build_optimizer(config, whose, [first])
    load_optimizer(after, optimizer_tensors(before))
    assert torch.equal(steps(first, after, 2), whole)


def test_layers_with_many_inputs_learn_slower():
    weights = [torch.zeros(shape, requires_grad=True) for shape in ((6, 4, 3, 3), (5, 9), (7,))]
    groups = build_optimizer(OptimizerConfig(lr_fan_in=9), "g", weights).param_groups
    found = {id(weight): group["share"] for group in groups for weight in group["params"]}
    assert [found[id(weight)] for weight in weights] == [9 / 36, 1, 1]


def test_frozen_weights_are_left_out():
    frozen, moving = torch.zeros(2), torch.zeros(3, requires_grad=True)
    (group,) = build_optimizer(OptimizerConfig(), "g", [frozen, moving]).param_groups
    assert group["params"] == [moving] and not math.isnan(group["lr"])


@pytest.mark.parametrize(
    "tensors",
    [
        {"0.exp_avg": torch.zeros(7), "0.exp_avg_sq": torch.zeros(7), "0.step": torch.tensor(1.0)},
        {"9.step": torch.tensor(1.0)},
        {"0.step": torch.tensor(1.0)},
        {"0.momentum_buffer": torch.zeros(3)},
        {"x": torch.zeros(3)},
    ],
)
def test_the_state_of_another_optimizer_is_refused(tensors):
    weights = torch.zeros(3, requires_grad=True)
    with pytest.raises(ValueError, match="optimizer"):
        load_optimizer(build_optimizer(OptimizerConfig(), "g", [weights]), tensors)
