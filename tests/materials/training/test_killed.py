"""Runs that are killed and continued end with the same bits as runs that are left alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from easel import checkpoint

PROGRAM = Path(__file__).with_name("killed_runs.py")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")


def start(*arguments: object) -> str:
    # With the shared store, processes that torchrun starts again may find the addresses of those before: pytorch#135712
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=1200
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def ended_with(checkpoints: Path) -> dict[str, str]:
    folder = checkpoints / "latest"
    checkpoint.read_manifest(folder)
    names = ("generator", "g_optimizer")
    digests = {name: checkpoint.digest(checkpoint.read(folder / f"{name}.safetensors")[0]) for name in names}
    return digests | {"state": (folder / "state.json").read_text()}


@pytest.mark.slow
def test_killed_at_ten_random_moments(noise_data, tmp_path):
    assert start(PROGRAM, "one", noise_data, tmp_path / "whole", 0) == "0\n"
    assert start(PROGRAM, "one", noise_data, tmp_path / "killed", 10) == "10\n"
    assert ended_with(tmp_path / "killed") == ended_with(tmp_path / "whole")
    assert not list((tmp_path / "killed").glob(".*")), "nothing unfinished is left"


@pytest.mark.slow
def test_one_of_two_processes_killed(noise_data, tmp_path):
    """torchrun starts both again; they continue where they saved, and end as two that were left alone.

    Both have the same weights, and those of one process with twice the batch.
    """
    pytest.importorskip("lightning_fabric")
    launcher = ("-m", "torch.distributed.run", "--nproc_per_node=2", "--max-restarts=1", "--standalone")
    start(*launcher, PROGRAM, "two", noise_data, tmp_path / "whole", 0)
    start(*launcher, PROGRAM, "two", noise_data, tmp_path / "killed", 5)
    assert ended_with(tmp_path / "killed") == ended_with(tmp_path / "whole")
    for folder in (tmp_path / "whole", tmp_path / "killed"):
        assert (folder / "rank0").read_text() == (folder / "rank1").read_text() == ended_with(folder)["generator"]
    start(PROGRAM, "alone", noise_data, tmp_path / "alone", 0)
    one, two = (checkpoint.read(tmp_path / name / "latest" / "generator.safetensors")[0] for name in ("alone", "whole"))
    assert max((one[name] - two[name]).abs().max().item() for name in one) < 1e-5
