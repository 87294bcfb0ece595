"""Every knob acts at the next step, and none of them costs what was learned."""

import pytest
import torch

from easel.viewer.driver import Driver


@pytest.fixture
def tuning(example):
    """The program on a small picture, with a driver that turns the frames as its loop does."""
    program = example("09_live_tuning")
    program.shrink(32)
    module = program.module

    def turn() -> None:
        if module.view.step():
            module.work()
            module.view.end_step()

    program.driver = Driver(module.view, turn)
    return program


def weights(module) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in module.S.model.parameters()])


def test_the_learning_rate_applies_at_the_next_step(tuning) -> None:
    module, driver = tuning.module, tuning.driver
    driver.select("Optimizer", "SGD")
    driver.frames(2)
    moves = {}
    for exponent in (-5, -1):
        module.controls.set("log10(LR)", exponent)
        before = weights(module)
        driver.frames(1)
        assert module.S.optimizer.param_groups[0]["lr"] == pytest.approx(10**exponent)
        moves[exponent] = (weights(module) - before).norm()
    assert moves[-1] > 1000 * moves[-5] > 0


def test_changing_the_optimizer_keeps_the_weights(tuning) -> None:
    module, driver = tuning.module, tuning.driver
    driver.type("Steps / Frame", "8")
    driver.frames(10)
    module.work = lambda: None  # the widgets alone
    learned, psnr = weights(module), module.S.psnrs[-1]
    for name, kind in (("SGD", torch.optim.SGD), ("AdamW", torch.optim.AdamW), ("Adam", torch.optim.Adam)):
        driver.select("Optimizer", name)
        assert type(module.S.optimizer) is kind and torch.equal(weights(module), learned)
        assert {id(p) for p in module.S.optimizer.param_groups[0]["params"]} == set(
            map(id, module.S.model.parameters())
        )
    assert psnr > module.S.psnrs[0]


def test_weight_decay_applies_at_once(tuning) -> None:
    module, driver = tuning.module, tuning.driver
    module.LOSSES["MSE"] = lambda predicted, true: 0 * predicted.sum()  # no gradient: decay alone moves a weight
    driver.select("Optimizer", "AdamW")
    module.controls.set("log10(LR)", -1)
    driver.frames(1)
    optimizer, before = module.S.optimizer, weights(module)
    driver.frames(1)
    assert torch.equal(weights(module), before)
    module.controls.set("Weight Decay", 0.1)
    driver.frames(1)
    assert module.S.optimizer is optimizer
    torch.testing.assert_close(weights(module), before * (1 - 0.1 * 0.1))


def test_losses_differ_and_the_psnr_is_always_of_the_mse(tuning) -> None:
    module, driver = tuning.module, tuning.driver
    for name in ("MSE", "L1", "Huber"):
        driver.select("Loss", name)
        with torch.no_grad():
            output = module.S.model(module.coords)
        expected = module.LOSSES[name](output, module.gt.reshape(-1, 3)).item()
        driver.frames(1)
        assert module.S.losses[-1] == pytest.approx(expected, rel=1e-5)
        mse = (module.prediction_canvas.look() - module.gt).square().mean()
        assert module.S.psnrs[-1] == pytest.approx(-10 * mse.log10().item(), abs=1e-4)


def test_reset_starts_anew_and_learns_again(tuning) -> None:
    module, driver = tuning.module, tuning.driver
    driver.type("Steps / Frame", "5")
    driver.frames(10)
    learned = weights(module)
    driver.click("Reset Model")
    assert module.S.iteration == len(module.S.losses) <= 20 and len(module.S.psnrs) <= 4
    assert not torch.equal(weights(module), learned)
    assert {id(p) for p in module.S.optimizer.param_groups[0]["params"]} == set(map(id, module.S.model.parameters()))
    driver.frames(10)
    assert module.S.losses[-1] < 0.9 * module.S.losses[0]
