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

import torch
from conftest import config_for

from easel.materials.training.train import train

EPOCHS = 24


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
    config.training.distributed, config.training.epochs = True, 4
    doomed = os.environ["RANK"] == "1" and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
    for step in train(config):
        if doomed and step.index == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    how, data, checkpoints, number = sys.argv[1:]
    config = config_for(Path(data), Path(checkpoints))
    config.training.epochs, config.optimizer.scheduler_warmup_epochs = EPOCHS, 1
    config.training.save_every_n_epochs, config.training.save_best_only = 1, True
    config.data.batch_size = {"one": 3, "two": 1}[how]
    {"one": one, "two": two}[how](config, int(number))
