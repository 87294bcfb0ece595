"""Presets are what their documentation says, and every call makes a new one."""

import pytest

from easel.materials import get_default_config, get_lightweight_config, get_quick_test_config
from easel.materials.presets import PRESETS
from easel.materials.resolve import resolve

SIZES = {
    "default": (2048, 2048, 0),
    "quick_test": (256, 256, 0),
    "lightweight": (2048, 2048, 0),
    "high_quality": (2048, 2048, 2),
    "fast_iteration": (2048, 2048, 2),
    "normal_focused": (2048, 2048, 2),
    "high_res": (2048, 2048, 0),
    "mobilenetv3_512": (512, 1024, 2),
    "mobilenetv3_2048": (2048, 2048, 2),
    "convattn_student": (1024, 1024, 2),
    "convattn_student_512": (512, 1024, 4),
    "convattn_student_high_quality": (1024, 1024, 2),
    "convattn_student_fast": (1024, 1024, 2),
}
"""Pixels in, texels out, super-resolution; presets of the compact network are tested beside it."""


@pytest.mark.parametrize("name", SIZES)
def test_sizes(name):
    config = resolve(PRESETS[name]())
    image, output, scale = SIZES[name]
    assert config.data.image_size == (image, image)
    assert config.data.output_size == (output, output)
    assert config.model.decoder_sr_scale == scale


@pytest.mark.parametrize("name", PRESETS)
def test_every_call_makes_a_new_one(name):
    config = PRESETS[name]()
    config.model.encoder_channels.append(1)
    config.training.batch_size = 1000
    assert PRESETS[name]() != config
    assert PRESETS[name].__doc__


def test_the_names_of_the_predecessor():
    assert get_default_config() == PRESETS["default"]()
    assert get_quick_test_config().model.encoder_backbone == "resnet18"
    assert not get_lightweight_config().model.use_gan
    assert PRESETS["convattn_student"]().training.epochs == 60
