import json
from pathlib import Path

import pytest
import torch

from easel.fields.model.config import FieldConfig, Knobs
from easel.graphics.image import imwrite
from easel.materials.collection.procedural import procedural
from easel.materials.config import TrainConfig
from easel.materials.dataset.views import Shot, ShotList, write_views_json
from easel.materials.models.build import build_model
from easel.materials.models.network_files import Trained, save_generator
from easel.materials.rendering.plane_camera import PlaneCamera
from easel.workstation.fit.live_fit import End, LiveFit


@pytest.fixture
def picture() -> torch.Tensor:
    """A small picture with smooth colour and one hard edge."""
    rows, columns = torch.linspace(0, 1, 24), torch.linspace(0, 1, 32)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x, y, (x > y).float()], dim=-1)


@pytest.fixture
def live_fit(picture) -> LiveFit:
    return LiveFit(picture, FieldConfig(), Knobs(batch=256), End(steps=40))


@pytest.fixture(scope="session")
def dataset(tmp_path_factory) -> Path:
    """Folder with input/ and output/: three materials of 16 texels, two photos each, with their cameras."""
    root = tmp_path_factory.mktemp("dataset")
    names = {}
    for number in range(3):
        sample = f"sample_{number:04d}"
        names[sample] = f"material_{number}"
        maps = procedural(number, 16)
        maps.save(root / "output" / names[sample])
        folder, shots = root / "input" / "clean" / sample, []
        for view, tilt in enumerate((0, 25)):
            imwrite(folder / f"{view}.png", maps.picture("albedo") * (1 - 0.3 * view))
            shots.append(Shot(f"{view}.png", PlaneCamera.orbit(90 * view, tilt, width=16, height=16)))
        write_views_json(folder / "views.json", ShotList(0, tuple(shots)))
    (root / "input" / "render_metadata.json").write_text(json.dumps(names))
    return root


@pytest.fixture
def run_config(dataset, tmp_path) -> TrainConfig:
    """A run of four epochs of one step, with one material held out."""
    config = TrainConfig()
    config.data.input_dir, config.data.output_dir = str(dataset / "input"), str(dataset / "output")
    config.data.image_size = config.data.output_size = (16, 16)
    config.data.batch_size, config.data.num_workers, config.data.num_views = 2, 0, 2
    config.data.val_ratio = 0.3
    config.model.encoder_type, config.model.encoder_channels = "unet", [8, 16]
    config.model.use_transformer = config.model.use_gan = False
    config.training.epochs, config.training.checkpoint_dir = 4, str(tmp_path / "run")
    config.training.save_every_n_epochs = config.training.log_every_n_steps = 1
    config.training.use_tensorboard = config.training.save_pth = False
    return config


@pytest.fixture
def network(run_config, tmp_path) -> Path:
    """A .safetensors file of a network that has learned nothing."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = build_model(run_config)
    path = tmp_path / "small.safetensors"
    save_generator(path, Trained(model, run_config, 7, ""))
    return path
