import dataclasses
import math

import pytest
import torch

from easel.fields.fitting.result import drain
from easel.fields.fitting.run import fit
from easel.fields.model.config import FieldConfig, Knobs
from easel.fields.model.field import build_field
from easel.fields.rendering.render import render
from easel.graphics.metrics import psnr, ssim

PICTURE = torch.stack(torch.meshgrid(torch.linspace(0, 1, 30), torch.linspace(0, 1, 20), indexing="ij"), dim=-1)
PICTURE = torch.cat([PICTURE, PICTURE[..., :1] * PICTURE[..., 1:]], dim=-1)


def begin(**limits):
    generator = torch.Generator().manual_seed(0)
    field = build_field(FieldConfig(), (30, 20), 3, generator=generator)
    return field, fit(field, PICTURE, Knobs(batch=200), generator=generator, **limits)


def test_a_result_measures_the_picture_that_the_field_renders():
    field, run = begin(steps=40)
    result = drain(run, field, PICTURE)
    rendered = render(field, (30, 20))
    assert result.psnr == pytest.approx(psnr(rendered, PICTURE).item(), abs=1e-3)
    assert result.ssim == pytest.approx(ssim(rendered, PICTURE).item(), abs=1e-6)
    assert (result.steps, result.stopped_by, result.model) == (40, "steps", field)
    assert [step.index for step in result.history] == [0, 16, 32, 39]
    assert result.seconds == result.history[-1].seconds and result.loss == result.history[-1].loss
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.psnr = 0.0


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"seconds": 0.05, "steps": 10**6}, "seconds"),
        ({"target_psnr": 20.0, "steps": 10**6}, "target_psnr"),
        ({"steps": 3, "seconds": 1e6}, "steps"),
        ({"steps": 0}, "steps"),
    ],
)
def test_it_says_what_stopped_the_run(limits, reason):
    field, run = begin(**limits)
    result = drain(run, field, PICTURE)
    assert result.stopped_by == reason
    assert result.psnr >= limits.get("target_psnr", 0)


def test_a_caller_may_watch_and_stop():
    field, run = begin(steps=100)
    seen = []
    result = drain(run, field, PICTURE, on_step=lambda step: seen.append(step.index) or len(seen) < 5)
    assert (seen, result.steps, result.stopped_by) == ([0, 1, 2, 3, 4], 5, "on_step")


@pytest.mark.parametrize("steps", [0, 20])
def test_it_prints_on_one_line(steps):
    field, run = begin(steps=steps)
    result = drain(run, field, PICTURE, model=field)
    for text in (str(result), repr(result)):
        assert "\n" not in text and len(text) < 200
    assert f"{result.psnr:.2f} dB" in str(result)


def test_what_a_mask_leaves_out_does_not_count():
    field, run = begin(steps=5)
    mask = torch.zeros(30, 20, dtype=torch.bool)
    mask[:15] = True
    half = drain(run, field, PICTURE, mask=mask)
    rendered = render(field, (30, 20))
    assert half.psnr == pytest.approx(psnr(rendered[:15], PICTURE[:15]).item(), abs=1e-3)
    spoiled = torch.where(mask[..., None], PICTURE, torch.rand(30, 20, 3))
    assert drain(iter(()), field, spoiled, mask=mask).ssim == pytest.approx(half.ssim)


def test_a_perfect_fit_is_infinitely_good():
    field, _ = begin()
    assert drain(iter(()), field, render(field, (30, 20))).psnr == math.inf
