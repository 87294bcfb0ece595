"""The one door: every preset becomes a network whose maps have the declared size."""

import pytest
import torch

from easel.graphics.files import FileError
from easel.materials import build_discriminator, build_model
from easel.materials.presets import PRESETS
from easel.materials.resolve import checked

COUNTS = {
    "default": 251_325_672,
    "quick_test": 14_481_616,
    "high_quality": 371_239_848,
    "fast_iteration": 116_899_480,
    "normal_focused": 251_531_176,
    "mobilenetv3_512": 4_859_628,
    "mobilenetv3_2048": 4_859_628,
    "convattn_student": 5_790_808,
    "convattn_student_512": 6_361_112,
}
"""Weights of Easel's own networks."""


@pytest.mark.slow
@torch.no_grad()
@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_the_size_it_declares(name):
    config = checked(PRESETS[name]())
    (height, width), output = config.data.image_size, config.data.output_size
    with torch.device("meta"):
        model = build_model(config).eval()
        views, valid = torch.empty(1, 3, 3, height, width), torch.ones(1, 3, 1, height, width)
        found = model(views, valid, torch.zeros(1, 3, 3))
        assert {name: map.shape[1:] for name, map in found.items()} == {
            "albedo": (3, *output),
            "roughness": (1, *output),
            "metallic": (1, *output),
            "normal": (3, *output),
        }
        if config.model.use_gan:
            maps = torch.cat(list(found.values()), dim=1)
            assert build_discriminator(config)(maps).shape[:2] == (1, 1)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count == COUNTS.get(name, count)


def test_encoder_weights_are_read_where_training_starts(small, tmp_path):
    config = small()
    torch.manual_seed(1)
    other = build_model(config)
    torch.save(other.encoder.state_dict(), tmp_path / "weights.pth")
    config.model.weights = str(tmp_path / "weights.pth")
    found = build_model(config, pretrained=True).encoder.state_dict()
    assert all(torch.equal(value, found[name]) for name, value in other.encoder.state_dict().items())


def test_a_checkpoint_needs_no_encoder_file(small):
    config = small(weights="/nowhere/weights.pth")
    build_model(config.to_dict())
    with pytest.raises(FileError, match="no such file"):
        build_model(config, pretrained=True)
