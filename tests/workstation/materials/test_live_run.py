"""A run is followed by its files, and a training that is turned here writes them."""

import json
import math
import time

import pytest
import torch

from easel.materials.models.network_files import saved_config
from easel.materials.training.logs import METRICS
from easel.workstation.materials.live_run import MOST_POINTS, LiveRun, LoggedCurve
from easel.workstation.materials.live_training import LiveTraining, TrainingOptions, continued, new_run


def wait(condition):
    until = time.perf_counter() + 60
    while not condition():
        assert time.perf_counter() < until, "it never came"
        time.sleep(0.01)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr("easel.workstation.materials.live_run.POLL_SECONDS", 0.0)
    monkeypatch.setattr("easel.materials.recovery.evaluate.relit", lambda maps, side: torch.zeros(side, side, 3))
    run = LiveRun(tmp_path / "run")
    yield run
    run.close()


@pytest.mark.slow
def test_a_training_runs_pauses_and_is_followed(run, run_config):
    training = LiveTraining(run_config)
    training.paused = True
    training.advance()
    assert training.step is None and training.summary == "starting ..."
    training.paused = False

    def turn():
        training.advance()
        return training.finished

    wait(turn)
    assert training.summary == "done" and training.progress == 1 and not training.problem
    training.close()
    wait(run.poll)
    assert run.epoch == run.step == run.sheet.step == 4
    assert len(run.curves["train/g_loss"].values) == len(run.curves["val/loss"].values) == 4
    assert run.sheet.picture.shape[1] > 6 * 112 and run.model is run.sheet.trained.model
    assert not run.poll() and not run.judging


@pytest.mark.slow
def test_a_stopped_training_leaves_a_checkpoint_and_goes_on(run, run_config):
    training = LiveTraining(run_config)
    training.stop()
    wait(lambda: training.advance() or training.finished)
    assert training.summary == "stopped" and training.step.index == 1
    training.close()
    longer = LiveTraining(continued(run.folder, 1))
    wait(lambda: longer.advance() or longer.finished)
    assert longer.step.index == 5 and longer.step.epoch == 5
    longer.close()


def test_closing_a_training_keeps_what_it_learned(run, run_config):
    training = LiveTraining(run_config)
    training.advance()
    training.close()
    assert (run.folder / "latest").is_dir()


def test_what_cannot_be_trained_is_told(tmp_path):
    training = LiveTraining(new_run(tmp_path / "none", tmp_path / "run", TrainingOptions()))
    wait(lambda: training.advance() or training.finished)
    assert "none" in training.problem
    training.close()


def test_a_run_with_code_of_its_own_is_not_continued(run_config, tmp_path, monkeypatch):
    run_config.loss.extra = {"some.module:loss": 1.0}
    monkeypatch.setattr("easel.workstation.materials.live_training.saved_config", lambda folder: run_config)
    with pytest.raises(ValueError, match="would run code"):
        continued(tmp_path, 1)


def test_a_log_is_read_as_it_grows_whatever_is_in_it(run):
    run.folder.mkdir()
    log = run.folder / METRICS
    line = json.dumps({"step": 1, "epoch": 1, "time": 0.0, "train/g_loss": 0.5, "train/x": None})
    log.write_text(f'{line}\nnot json\n[1]\n{{"step": "a", "epoch": 1}}\n{line[:20]}')
    run.poll()
    assert run.curves["train/g_loss"].values == [0.5] and math.isnan(run.curves["train/x"].values[0])
    with log.open("a") as file:
        file.write(line[20:].replace("0.5", "0.4") + "\n")
    run.poll()
    assert run.curves["train/g_loss"].values == [0.5, 0.4]
    log.write_text(line + "\n")  # continued from an earlier step
    run.poll()
    assert run.curves["train/g_loss"].values == [0.5]


def test_a_run_without_a_dataset_says_so(run, run_config):
    training = LiveTraining(run_config)
    training.advance()
    training.close()
    config = saved_config(run.folder / "latest")
    assert config.data.input_dir == run_config.data.input_dir
    run_config.data.input_dir = "elsewhere"
    wait(lambda: run.poll() or run.problem or run.sheet)
    assert run.sheet is not None


def test_a_long_curve_keeps_its_newest_value():
    curve = LoggedCurve()
    for step in range(3 * MOST_POINTS):
        curve.add(step, float(step))
    assert len(curve.values) <= MOST_POINTS and curve.values[-1] == curve.steps[-1] == 3 * MOST_POINTS - 1
    assert curve.values == sorted(curve.values)
