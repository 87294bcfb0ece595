"""Networks small enough to be asked many times."""

from collections.abc import Callable, Generator

import pytest
import torch

from easel.materials.config import TrainConfig


@pytest.fixture
def small() -> Callable[..., TrainConfig]:
    """A config of 32 pixels with every part small; settings of the model by name."""

    def make(**settings: object) -> TrainConfig:
        config = TrainConfig()
        config.data.image_size = config.data.output_size = (32, 32)
        defaults = {
            "encoder_type": "unet",
            "encoder_channels": [8, 16, 16],
            "transformer_dim": 16,
            "transformer_num_heads": 2,
            "window_size": 2,
            "bottleneck_channels": 16,
            "kernel_size": 5,
            "use_gan": False,
        }
        for name, value in (defaults | settings).items():
            setattr(config.model, name, value)
        return config

    return make


@pytest.fixture(autouse=True)
def seeded() -> Generator[None]:
    """The same random weights in every order of tests; one thread, since these tensors are too small for two."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)
