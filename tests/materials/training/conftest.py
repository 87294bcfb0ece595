"""A dataset of noise and a network of 19 thousand weights: enough to tell one step from another."""

from pathlib import Path

import pytest
import torch

from easel.graphics.image import imwrite
from easel.materials.config import TrainConfig
from easel.materials.maps import MaterialMaps, unit_normals
from easel.materials.training.train import train

SIDE = 16
SAMPLES = 6


@pytest.fixture(scope="session")
def noise_data(tmp_path_factory) -> Path:
    """Folder with input/ and output/: six materials, three photos each."""
    root = tmp_path_factory.mktemp("noise")
    generator = torch.Generator().manual_seed(0)
    names = {}
    for number in range(SAMPLES):
        sample = f"sample_{number:04d}"
        names[sample] = f"material_{number}"

        def draw(channels):
            return torch.rand(channels, SIDE, SIDE, generator=generator)

        normal = unit_normals(draw(3) - torch.tensor([0.5, 0.5, 0.0])[:, None, None])
        MaterialMaps(draw(3), draw(1), draw(1), normal).save(root / "output" / names[sample])
        for view in range(3):
            imwrite(root / "input" / "clean" / sample / f"{view}.png", draw(3).permute(1, 2, 0))
    listed = ", ".join(f'"{sample}": "{material}"' for sample, material in names.items())
    (root / "input" / "render_metadata.json").write_text(f"{{{listed}}}")
    return root


@pytest.fixture
def small_config(noise_data, tmp_path) -> TrainConfig:
    """Three epochs of two steps, no discriminator, everything under tmp_path."""
    return config_for(noise_data, tmp_path / "checkpoints")


@pytest.fixture(scope="session")
def checkpoints(noise_data, tmp_path_factory) -> Path:
    """The checkpoint folder of a run of one epoch; not to be changed."""
    config = config_for(noise_data, tmp_path_factory.mktemp("run") / "checkpoints")
    config.training.epochs = 1
    for _ in train(config):
        pass
    return Path(config.training.checkpoint_dir)


def config_for(data: Path, checkpoints: Path) -> TrainConfig:
    config = TrainConfig()
    config.data.input_dir, config.data.output_dir = str(data / "input"), str(data / "output")
    config.data.image_size = config.data.output_size = (SIDE, SIDE)
    config.data.batch_size, config.data.num_workers, config.data.rectify = 3, 0, "none"
    config.data.val_ratio = 0.2
    config.model.encoder_type, config.model.encoder_channels = "unet", [8, 16]
    config.model.use_transformer = config.model.use_gan = False
    config.training.epochs, config.training.checkpoint_dir = 3, str(checkpoints)
    config.training.save_every_n_epochs = config.training.log_every_n_steps = 1
    config.training.use_tensorboard = False
    return config
