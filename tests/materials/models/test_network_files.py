"""Networks in files: the guide's lines open a `.pth`, and no file names a folder of the machine that wrote it."""

from pathlib import Path

import pytest
import torch

from easel import checkpoint
from easel.materials import MultiViewPBRGenerator
from easel.materials.config import TrainConfig
from easel.materials.models.network_files import (
    PATHS,
    SHIPPED,
    load_generator,
    located,
    portable,
    save_generator,
    save_inference,
)


def test_the_guides_lines_open_it(trained, tmp_path):
    network = trained(fusion="pool")
    save_inference(tmp_path / "model_inference.pth", network)
    found = torch.load(tmp_path / "model_inference.pth")
    model = MultiViewPBRGenerator(found["config"]).eval()
    model.load_state_dict(found["model_state_dict"])
    views = torch.randn(1, 3, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(model(views)["albedo"], network.model(views)["albedo"])
    assert load_generator(tmp_path / "model_inference.pth").digest == network.digest


def paths_in(config: dict) -> list[str]:
    return [path for section, names in PATHS.items() for name in names if (path := config[section][name])]


@pytest.mark.skipif(not SHIPPED.exists(), reason="this checkout has no network")
def test_the_shipped_network_names_no_folder():
    _, note = checkpoint.read(SHIPPED)
    assert paths_in(TrainConfig.from_dict(note["config"]).to_dict()) == []
    assert b"/tmp" not in SHIPPED.read_bytes() and b"/home" not in SHIPPED.read_bytes()


def test_files_to_hand_on_name_no_folder_of_this_machine(trained, tmp_path):
    network = trained(fusion="pool")
    network.config.data.input_dir, network.config.data.output_dir = str(tmp_path / "data/input"), "/elsewhere/alice"
    network.config.training.teacher_checkpoint = "C:\\Users\\Alice\\teacher.pth"
    network.config.training.checkpoint_dir = str(tmp_path / "runs/a")
    for name, save in (("net.safetensors", save_generator), ("net.pth", save_inference)):
        path = tmp_path / "out" / name
        path.parent.mkdir(exist_ok=True)
        save(path, network)
        data = path.read_bytes().lower()
        assert str(tmp_path).encode() not in data and b"alice" not in data
        assert paths_in(load_generator(path).config.to_dict()) == ["../data/input", "../runs/a"]


def test_relative_paths_lead_to_what_lies_beside_the_file(tmp_path):
    (tmp_path / "data/input").mkdir(parents=True)
    config = TrainConfig()
    config.data.input_dir, config.data.output_dir = str(tmp_path / "data/input"), "./data/output"
    run = tmp_path / "runs" / "a"
    run.mkdir(parents=True)
    stored = TrainConfig.from_dict(portable(config, run))
    assert stored.data.input_dir == "../../data/input"
    found = located(stored, run).data
    assert Path(found.input_dir) == tmp_path / "data/input" and found.output_dir == "./data/output"


def test_a_run_finds_its_data_wherever_that_lies_and_a_shared_file_leaves_it_out():
    config = TrainConfig()
    config.data.input_dir = "/elsewhere/data"
    assert portable(config, Path("/runs/a"), shared=False)["data"]["input_dir"] == "../../elsewhere/data"
    assert portable(config, Path("/runs/a"))["data"]["input_dir"] == ""
    assert portable(config, None)["data"]["input_dir"] == ""
