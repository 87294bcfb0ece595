"""Work that Ray gives out: the same files as here, also when a worker is killed while it writes them."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from easel.cli import main
from easel.materials.config import TrainConfig
from easel.materials.engines.cluster import ray_cluster
from easel.materials.models.build import build_model
from easel.materials.models.network_files import Trained, save_generator


@pytest.fixture(scope="module")
def cluster() -> Generator[None]:
    """Two workers, which every command of this module finds."""
    with ray_cluster(2):
        yield


def files(folder: Path) -> dict[str, bytes]:
    """Path → bytes of all that lies there, hidden files too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def kill_one(writing: Callable[[], bool], killed: list[int], over: threading.Event) -> None:
    """Kill a process of our Ray that makes a unit, when one is being written; look until the work is over."""
    while not killed and not over.wait(0.002):
        for process in busy() if writing() else ():
            os.kill(process, signal.SIGKILL)
            killed.append(process)
            break


def busy() -> list[int]:
    """The processes of our Ray that make a unit: children of a child, and named for what they do."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cmdline").read_bytes().startswith(b"ray::_make_one"):
                raylet = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
                parent = Path(f"/proc/{raylet}/stat").read_text().rsplit(")", 1)[1].split()[1]
                if int(parent) == os.getpid():
                    found.append(int(entry.name))
        except OSError:
            continue  # it has just ended
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds workers through /proc")
def test_a_killed_worker_loses_and_doubles_nothing(cluster, tmp_path, capfd):
    render = "materials render --materials 4 --size 32 --both --out".split()
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    killed: list[int] = []
    over = threading.Event()
    watch = threading.Thread(target=kill_one, args=(lambda: any(shared.rglob(".*.partial")), killed, over))
    watch.start()
    try:
        assert main([*render, str(shared), "--engine", "ray", "--workers", "2"]) == 0
    finally:
        over.set()
        watch.join()
    assert main([*render, str(alone)]) == 0
    assert killed and files(shared) == files(alone)
    said = capfd.readouterr()
    # Ray itself says nothing
    assert len(said.out.splitlines()) == 6
    assert {line.split(":")[0] for line in said.err.splitlines()} <= {"photographing"}

    # Shards and maps from the same two workers
    config = TrainConfig()
    config.data.input_dir, config.data.output_dir = str(alone / "input"), str(alone / "output")
    config.data.image_size = config.data.output_size = (32, 32)
    config.model.encoder_type, config.model.encoder_channels = "unet", [8, 16]
    config.model.use_transformer = config.model.use_gan = False
    network = tmp_path / "network.safetensors"
    save_generator(network, Trained(build_model(config), config, 1, ""))
    shards = ["materials", "shards", "--checkpoint", str(network), "--shard-size", "1", "--device", "cpu"]
    infer = ["materials", "infer", "--all", "--checkpoint", str(network), "--device", "cpu"]
    for command, option, folder in ((shards, "--shards-dir", "answers"), (infer, "--out-dir", "maps")):
        here, there = tmp_path / f"{folder}_here", tmp_path / f"{folder}_there"
        assert main([*command, option, str(here)]) == 0
        assert main([*command, option, str(there), "--engine", "ray", "--workers", "2"]) == 0
        assert len(files(here)) > 6 and files(there) == files(here)
    capfd.readouterr()
    (alone / "input/clean/sample_0001/1.png").write_bytes(b"cut")
    taken = ["--input-dir", str(alone / "input/clean"), "--out-dir", str(tmp_path / "maps_there")]
    assert main([*infer, *taken, "--engine", "ray"]) == 1
    said = capfd.readouterr()
    assert "sample_0001 is left out: cannot read" in said.err and "3 materials; 3 of them were there" in said.out


@pytest.mark.slow
def test_ray_that_is_not_there_is_one_line(monkeypatch, tmp_path, capsys):
    render = ["materials", "render", "--materials", "1", "--out", str(tmp_path), "--engine", "ray"]
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    assert main(render) == 2
    said = capsys.readouterr().err
    assert "no Ray cluster is reached at RAY_ADDRESS=127.0.0.1:9 (" in said and len(said.splitlines()) == 1
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(render) == 2
    assert capsys.readouterr().err == "easel: --engine ray needs Ray: pip install 'torch-easel[ray]'.\n"
