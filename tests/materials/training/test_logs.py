"""Logs: metrics.jsonl is whole and true, and no other logger can stop a run."""

import json
import math

import pytest
import torch

from easel.materials.training import logs as logging_room
from easel.materials.training.logs import Logs


def lines(config):
    path = logging_room.Path(config.training.checkpoint_dir) / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_is_not_finite_is_null_and_named(small_config):
    logs = Logs(small_config, 0)
    logs.scalars(3, 1, {"train/g_loss": math.nan, "train/d_loss": 0.5})
    assert lines(small_config)[0].items() > {
        "step": 3, "epoch": 1, "train/g_loss": None, "train/d_loss": 0.5, "nonfinite": ["train/g_loss"]
    }.items()  # fmt: skip
    logs.close()


def test_lines_beyond_the_step_are_cut_when_a_run_goes_on(small_config):
    logs = Logs(small_config, 0)
    for step in range(1, 6):
        logs.scalars(step, 1, {"train/g_loss": float(step)})
    logs.close()
    path = logs.path
    path.write_text(path.read_text() + '{"step": 2, "tim')
    Logs(small_config, 3).close()
    assert [line["step"] for line in lines(small_config)] == [1, 2, 3]


def test_tensorboard_gets_scalars_and_pictures(small_config, caplog):
    pytest.importorskip("tensorboardX")
    small_config.training.use_tensorboard = True
    logs = Logs(small_config, 0)
    logs.scalars(1, 1, {"train/g_loss": 0.25})
    logs.picture(1, "val/comparison", torch.rand(4, 6, 3))
    logs.close()
    (events,) = (logs.folder / "logs").iterdir()
    assert b"train/g_loss" in events.read_bytes() and b"val/comparison" in events.read_bytes()
    assert caplog.text == ""


@pytest.mark.parametrize("name", ["tensorboardX", "wandb"])
def test_a_missing_logger_is_one_warning(small_config, caplog, monkeypatch, name):
    def missing(module):
        raise ModuleNotFoundError(module)

    monkeypatch.setattr(logging_room, "import_module", missing)
    small_config.training.use_tensorboard, small_config.training.use_wandb = name != "wandb", name == "wandb"
    logs = Logs(small_config, 0)
    for step in range(3):
        logs.scalars(step, 1, {"train/g_loss": 1.0})
    logs.close()
    assert caplog.text.count("pip install 'torch-easel[") == 1 and len(lines(small_config)) == 3


def test_wandb_mirrors_scalars(small_config, monkeypatch):
    told = []

    class Service:
        @staticmethod
        def init(**options):
            told.append(("init", options["project"], options["config"]["training"]["seed"]))
            return Service

        @staticmethod
        def log(values, step):
            told.append((step, values))

        @staticmethod
        def finish():
            told.append("finish")

    monkeypatch.setattr(logging_room, "import_module", lambda name: Service)
    small_config.training.use_wandb = True
    logs = Logs(small_config, 0)
    logs.scalars(7, 1, {"train/g_loss": 0.5})
    logs.close()
    assert told == [("init", "easel", 42), (7, {"train/g_loss": 0.5}), "finish"]


def test_a_logger_that_fails_is_left_alone(small_config, caplog, monkeypatch):
    class Service:
        @staticmethod
        def init(**options):
            raise OSError("no network")

    monkeypatch.setattr(logging_room, "import_module", lambda name: Service)
    small_config.training.use_wandb = True
    logs = Logs(small_config, 0)
    logs.scalars(1, 1, {"train/g_loss": 0.5})
    logs.scalars(2, 1, {"train/g_loss": 0.5})
    logs.close()
    assert caplog.text.count("no network") == 1
