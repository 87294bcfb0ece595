"""A generator as `.pth`: config and weights, plain types alone, which torch.load's safe default opens."""

import io
from pathlib import Path

import torch

from easel.graphics.files import write_whole
from easel.materials.training.run_files import Trained


def save_inference(path: str | Path, trained: Trained) -> None:
    """Write {"config": dict, "model_state_dict": tensors}; `build_model(config)` makes the network that takes them."""
    weights = {name: value.detach().cpu() for name, value in trained.model.state_dict().items()}
    buffer = io.BytesIO()
    torch.save({"config": trained.config.to_dict(), "model_state_dict": weights}, buffer)
    with write_whole(path) as partial:
        partial.write_bytes(buffer.getbuffer())
