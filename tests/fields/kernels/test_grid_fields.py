"""The kernel against plain torch."""

import copy
import math
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from easel.fields import FieldConfig, Knobs, build_field
from easel.fields.fitting.fused_learner import FusedLearner
from easel.fields.fitting.learner import Learner
from easel.fields.fitting.losses import LOSSES, mean_loss
from easel.fields.kernels.grid_fields import runs_fused
from easel.fields.model.coordinates import pixel_centers
from easel.fields.rendering.render import values_at

pytest.importorskip("numba")

SHAPES = [
    pytest.param((37, 53), 3, {}, id="default"),
    pytest.param((64, 20), 1, {"hidden": 50, "layers": 2}, id="odd-width"),
    pytest.param((16, 16), 4, {"hidden": 64, "layers": 5, "grid_features": 2}, id="deep"),
    pytest.param((9, 300), 3, {"layers": 1, "grid_levels": 3}, id="linear"),
    pytest.param((1, 1), 3, {"hidden": 33, "layers": 8, "grid_features": 1}, id="one-pixel"),
    pytest.param((7, 12, 9), 3, {"hidden": 16}, id="volume"),
    pytest.param((1, 40, 2), 4, {"grid_levels": 3}, id="one-slice"),
]


def problem(size, channels, config):
    """A field with strong features, so that no gradient is small by accident, and a picture."""
    generator = torch.Generator().manual_seed(1)
    field = build_field(FieldConfig(**config), size, channels, generator=generator)
    with torch.no_grad():
        field.encoding.table.uniform_(-0.5, 0.5, generator=generator)
    return field, torch.rand(*size, channels, generator=generator)


def distance(found, expected):
    return ((found - expected).norm() / expected.norm()).item()


@pytest.mark.parametrize(("size", "channels", "config"), SHAPES)
def test_values_are_those_of_torch(size, channels, config):
    field, _ = problem(size, channels, config)
    index = torch.arange(math.prod(size))
    assert runs_fused(field)
    with torch.no_grad():
        expected = field(pixel_centers(size))
    assert distance(values_at(field, index, size), expected) < 1e-5


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("size", "channels", "config"), SHAPES)
def test_loss_and_gradients_are_those_of_torch(size, channels, config, loss):
    field, picture = problem(size, channels, config)
    # 1000 points: seven blocks and a part of one.
    index = torch.randint(math.prod(size), (1000,), generator=torch.Generator().manual_seed(2))
    expected = mean_loss(loss, field(pixel_centers(size)[index]), picture.flatten(0, -2)[index])
    expected.backward()

    learner = FusedLearner(copy.deepcopy(field), picture)
    assert learner.step(index, Knobs(loss=loss), averaging=1.0) == pytest.approx(expected.item(), rel=1e-5)
    gradients = learner.gradient.split([parameter.numel() for parameter in field.parameters()])
    for parameter, gradient in zip(field.parameters(), gradients, strict=True):
        assert distance(gradient, parameter.grad.flatten()) < 1e-4


@pytest.mark.parametrize("weight_decay", [0.0, 1e-2])
@pytest.mark.parametrize("optimizer", ["adam", "sgd", "adamw"])
def test_a_run_of_steps_is_that_of_torch_optim(optimizer, weight_decay):
    field, picture = problem((40, 30), 3, {})
    knobs = Knobs(lr=1e-3, optimizer=optimizer, weight_decay=weight_decay)
    fields = []
    for make in (FusedLearner, Learner):
        fields.append(copy.deepcopy(field))
        learner = make(fields[-1], picture)
        generator = torch.Generator().manual_seed(3)
        for number in range(12):
            learner.step(torch.randint(1200, (300,), generator=generator), knobs, averaging=1 / (1 + number))
    fused, plain = (torch.cat([p.detach().flatten() for p in f.parameters()]) for f in fields)
    start = torch.cat([p.detach().flatten() for p in field.parameters()])
    # Adam divides by the gradient's size, so a gradient of rounding errors moves a weight as far as any other.
    assert distance(fused - start, plain - start) < (1e-3 if optimizer == "sgd" else 3e-2)


def test_changing_the_optimizer_keeps_the_weights_and_drops_the_moments():
    field, picture = problem((40, 30), 3, {})
    index = torch.arange(1200)
    once, twice = copy.deepcopy(field), copy.deepcopy(field)
    FusedLearner(once, picture).step(index, Knobs(lr=0.0), averaging=1.0)
    learner = FusedLearner(twice, picture)
    learner.step(index, Knobs(lr=0.0, optimizer="sgd"), averaging=1.0)
    learner.step(index, Knobs(lr=0.0, optimizer="adam"), averaging=1.0)
    for field_now in (once, twice):
        assert all(torch.equal(p, q) for p, q in zip(field_now.parameters(), field.parameters(), strict=True))
    fresh = FusedLearner(once, picture)
    for running in (learner, fresh):
        for _ in range(3):
            running.step(index, Knobs(lr=1e-3, optimizer="adamw"), averaging=1.0)
    assert all(torch.equal(p, q) for p, q in zip(once.parameters(), twice.parameters(), strict=True))


def test_bits_do_not_depend_on_the_number_of_threads():
    field, picture = problem((80, 90), 3, {})
    found = []
    threads = torch.get_num_threads()
    try:
        for number in (1, 2, 3):
            torch.set_num_threads(number)
            run = copy.deepcopy(field)
            learner = FusedLearner(run, picture)
            generator = torch.Generator().manual_seed(3)
            for _ in range(20):
                learner.step(torch.randint(7200, (3000,), generator=generator), Knobs(), averaging=0.1)
            weights = [parameter.detach().flatten() for parameter in run.parameters()]
            found.append(torch.cat([*weights, values_at(run, torch.arange(7200), (80, 90)).flatten()]))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])


def test_fourier_fields_stay_with_torch():
    config = FieldConfig(encoding="fourier")
    assert not runs_fused(build_field(config, (8, 8), generator=torch.Generator()))
    assert runs_fused(build_field(replace(config, encoding="grid"), (8, 8), generator=torch.Generator()))


FIT = """
import torch
from easel.fields import FieldConfig, build_field, fit, render
from easel.fields.kernels.grid_fields import runs_fused
generator = torch.Generator().manual_seed(0)
field = build_field(FieldConfig(), (16, 16), 3, generator=generator)
steps = list(fit(field, torch.rand(16, 16, 3, generator=generator), steps=3, generator=generator))
assert render(field, (16, 16)).shape == (16, 16, 3)
print(len(steps), runs_fused(field))
"""


def run(program, **environment):
    environment = os.environ | environment
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)


def test_without_numba_torch_takes_over():
    assert run("import sys; sys.modules['numba'] = None\n" + FIT).stdout == "3 False\n"


@pytest.mark.slow
def test_the_kernel_runs_where_nothing_can_be_cached(tmp_path):
    blocked = "import numba.core.caching as caching; caching.CacheImpl._locator_classes = []\n"
    assert run(blocked + FIT).stdout == "3 True\n"
