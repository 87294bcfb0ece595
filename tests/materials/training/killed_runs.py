"""A program: train in processes that are killed at random moments, and print what the last one ended with.

killed_runs.py one DATA CHECKPOINTS KILLS     one process, forked once the imports are done
killed_runs.py two DATA CHECKPOINTS KILL_AT   one of torchrun's; the second kills itself before that step
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest
import torch
from conftest import config_for

from easel import checkpoint
from easel.materials.training import train as run_module
from easel.materials.training.learner import Trainer
from easel.materials.training.train import train

EPOCHS, EPOCHS_OF_TWO = 24, 4


def run(config) -> None:
    torch.set_num_threads(1)
    for _ in train(config):
        pass


def one(config, kills: int) -> None:
    """Kill so many runs, each of which continues the one before, and let the last one end."""
    folder, draw = Path(config.training.checkpoint_dir), random.Random(0)
    killed = 0
    while True:
        # A run that was killed before it had saved anything begins again
        config.training.resume_from = str(folder) if any(folder.glob("*/manifest.json")) else None
        child = os.fork()
        if child == 0:
            try:
                run(config)
                os._exit(0)
            finally:
                os._exit(1)
        if killed < kills:
            time.sleep(draw.uniform(0.02, 0.5))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert status == 0, f"the run failed: {status}"
            break
        killed += 1
    print(killed)


def two(config, kill_at: int) -> None:
    """Also write down what each process ended with."""
    made = []
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(run_module, "Trainer", lambda *arguments: made.append(Trainer(*arguments)) or made[-1])
    doomed = os.environ["RANK"] == "1" and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
    for step in train(config):
        if doomed and step.index == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
    digest = checkpoint.digest(made[-1].generator.state_dict())
    Path(config.training.checkpoint_dir, f"rank{os.environ['RANK']}").write_text(digest)


if __name__ == "__main__":
    how, data, checkpoints, number = sys.argv[1:]
    config = config_for(Path(data), Path(checkpoints))
    config.training.epochs, config.optimizer.scheduler_warmup_epochs = EPOCHS, 1
    config.training.save_every_n_epochs, config.training.save_best_only = 1, True
    # Four samples to learn from, so that two processes need to see none of them twice
    config.data.val_ratio = 0.34
    if how == "two":
        config.training.distributed, config.training.epochs, config.data.batch_size = True, EPOCHS_OF_TWO, 1
    if how == "alone":
        config.training.epochs, config.data.batch_size = EPOCHS_OF_TWO, 2
    {"one": one, "two": two, "alone": one}[how](config, int(number))
