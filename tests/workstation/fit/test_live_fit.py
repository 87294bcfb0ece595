import threading

import pytest
import torch

from easel.fields.model.config import FieldConfig, Knobs
from easel.graphics.color import colormap
from easel.workstation.fit.live_fit import CURVE_LENGTH, End, LiveFit


def test_takes_the_steps_it_is_asked_for_and_ends_at_its_end(live_fit):
    live_fit.advance(steps=7)
    assert (live_fit.index, live_fit.progress, live_fit.finished) == (7, 7 / 40, False)
    live_fit.advance(steps=1000)
    assert (live_fit.index, live_fit.progress, live_fit.finished) == (40, 1.0, True)


def test_a_budget_of_no_time_still_takes_a_step(live_fit):
    live_fit.advance(steps=1)
    live_fit.advance(seconds=0.0)
    assert live_fit.index == 2


def test_learns(live_fit):
    before = live_fit.psnr
    live_fit.advance(steps=40)
    assert live_fit.look(now=True)
    assert live_fit.psnr > before + 6


def test_how_the_steps_are_cut_into_frames_changes_nothing(picture):
    def prediction(frames):
        fit = LiveFit(picture, FieldConfig(), Knobs(batch=256), End(steps=40), seed=3)
        for steps in frames:
            fit.advance(steps=steps)
            fit.look(now=True)
        return fit.prediction

    assert torch.equal(prediction([40]), prediction([1, 7, 30, 2]))


def test_restarting_repeats_the_fit_and_another_seed_does_not(picture, live_fit):
    live_fit.advance(steps=10)
    live_fit.look(now=True)
    first = live_fit.prediction
    live_fit.restart()
    assert live_fit.index == 0 and not live_fit.losses
    live_fit.advance(steps=10)
    live_fit.look(now=True)
    assert torch.equal(live_fit.prediction, first)
    other = LiveFit(picture, FieldConfig(), Knobs(batch=256), End(steps=40), seed=1)
    other.advance(steps=10)
    other.look(now=True)
    assert not torch.equal(other.prediction, first)


def test_a_prediction_that_nothing_has_changed_is_not_rendered_again(live_fit):
    live_fit.advance(steps=1)
    assert live_fit.look(now=True)
    assert not live_fit.look(now=True)


def test_the_error_map_is_the_mean_absolute_error_on_turbo(live_fit, picture):
    error = (live_fit.prediction - picture).abs().mean(-1)
    assert torch.equal(live_fit.error_map(4.0), colormap(error, "turbo", vmin=0.0, vmax=0.25))


def test_curves_keep_the_last_values_only(picture):
    fit = LiveFit(picture, FieldConfig(), Knobs(batch=16), End(steps=CURVE_LENGTH + 20))
    fit.advance(steps=CURVE_LENGTH + 20)
    assert len(fit.losses) == CURVE_LENGTH
    assert fit.losses[-1] == pytest.approx(fit.step.loss)


def test_a_new_architecture_counts_as_the_formula_says(live_fit):
    live_fit.restart(config=FieldConfig(encoding="fourier", hidden=128, layers=4, fourier_levels=6))
    assert live_fit.field.size == (26 * 128 + 128) + 2 * (128 * 128 + 128) + (128 * 3 + 3)


def test_an_end_by_psnr_stops_when_the_picture_is_that_good(picture):
    fit = LiveFit(picture, FieldConfig(), Knobs(batch=256), End(steps=2000, psnr=25.0))
    fit.advance(steps=2000)
    fit.look(now=True)
    assert fit.finished and fit.index < 2000
    assert fit.psnr == pytest.approx(25.0, abs=4.0)


def test_closing_ends_the_thread_of_the_first_step(picture):
    before = set(threading.enumerate())
    fit = LiveFit(picture, FieldConfig(), Knobs(batch=16), End(steps=2))
    fit.advance(steps=1)
    threads = [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("easel-first-step")]
    assert len(threads) == 1
    fit.close()
    assert not threads[0].is_alive()
