"""Networks that have learned nothing, small enough to be traced in a second or two."""

from collections.abc import Callable

import pytest

from easel import checkpoint
from easel.materials.config import TrainConfig
from easel.materials.models.build import build_model
from easel.materials.models.network_files import Trained


@pytest.fixture
def trained() -> Callable[..., Trained]:
    """A network of 64 pixels; settings of the model by name."""

    def make(output: int = 64, **settings: object) -> Trained:
        config = TrainConfig()
        config.data.image_size, config.data.output_size = (64, 64), (output, output)
        config.transform.use_imagenet_stats = True
        defaults = {
            "encoder_type": "unet",
            "encoder_channels": [4, 8],
            "compact_channels": [4, 4, 4, 4],
            "compact_context": 4,
            "transformer_dim": 8,
            "transformer_num_heads": 2,
            "transformer_depth": 2,
            "window_size": 16,
            "use_gan": False,
        }
        for name, value in (defaults | settings).items():
            setattr(config.model, name, value)
        network = build_model(config).eval()
        return Trained(network, network.config, 7, checkpoint.digest(network.state_dict()))

    return make
