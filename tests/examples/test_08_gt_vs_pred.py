"""The numbers beside the pictures are those of the pictures."""

import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

import easel


def test_the_psnr_is_that_of_the_prediction_on_screen(example) -> None:
    program = example("08_gt_vs_pred")
    program.shrink(48)
    module = program.module
    for _ in range(3):
        program.driver.frames(2)
        shown = module.prediction_canvas.look()
        expected = peak_signal_noise_ratio(module.gt.numpy(), shown.numpy(), data_range=1)
        assert module.psnrs[-1] == pytest.approx(expected, abs=1e-3)
    assert module.psnr(module.gt, module.gt) == 50
    assert module.psnrs[-1] > module.psnrs[0]


def test_mode_gain_and_steps_act_at_once(example) -> None:
    program = example("08_gt_vs_pred")
    program.shrink(48)
    driver, module = program.driver, program.module
    canvas = module.error_panel.canvas("error")
    maps = {}
    measures = {"L1": torch.mean, "L2": lambda x, dim: x.square().mean(dim).sqrt(), "Per-Channel Max": torch.amax}
    for mode, measure in measures.items():
        driver.select("Error Mode", mode)
        driver.type("Error Gain", "3")
        error = measure((module.prediction - module.gt).abs(), dim=-1)
        maps[mode] = canvas.look()
        assert torch.equal(maps[mode], easel.colormap(error.mul(3).clamp(0, 1), vmin=0, vmax=1))
    assert not torch.equal(maps["L1"], maps["L2"]) and not torch.equal(maps["L2"], maps["Per-Channel Max"])
    dim = program.shown(canvas)
    driver.drag("Error Gain", 20.0)
    assert (program.shown(canvas) - dim).abs().mean() > 0.05
    driver.type("Steps / Frame", "3")
    iteration = module.state["iteration"]
    driver.frames(2)
    assert module.state["iteration"] == iteration + 6


def test_it_learns_and_keeps_the_last_300(example) -> None:
    program = example("08_gt_vs_pred")
    program.shrink(48)
    module = program.module
    module.metrics.set("Steps / Frame", 10)
    program.driver.frames(10)
    assert module.losses[-1] < 0.8 * module.losses[0]
    assert module.losses.maxlen == module.psnrs.maxlen == 300
