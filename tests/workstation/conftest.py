import pytest
import torch

from easel.fields.config import FieldConfig, Knobs
from easel.workstation.live_fit import End, LiveFit


@pytest.fixture
def picture() -> torch.Tensor:
    """A small picture with smooth colour and one hard edge."""
    rows, columns = torch.linspace(0, 1, 24), torch.linspace(0, 1, 32)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x, y, (x > y).float()], dim=-1)


@pytest.fixture
def live_fit(picture) -> LiveFit:
    return LiveFit(picture, FieldConfig(), Knobs(batch=256), End(steps=40))
