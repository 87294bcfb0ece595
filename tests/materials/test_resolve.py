"""`resolve` fills in what follows from other settings and refuses what cannot work, before anything is built."""

import logging
import os

import pytest

from easel.materials.config import TrainConfig
from easel.materials.presets import PRESETS, tiny
from easel.materials.resolve import checked, resolve


@pytest.mark.parametrize("name", PRESETS)
def test_resolving_twice_changes_nothing(name):
    config = PRESETS[name]()
    before = config.copy()
    once = resolve(config)
    assert config == before
    assert resolve(once) == once


@pytest.mark.parametrize(("stride", "output", "scale"), [(1, 64, 0), (1, 128, 2), (1, 256, 4), (2, 32, 0), (2, 64, 2)])
def test_super_resolution_follows_from_the_sizes(stride, output, scale):
    config = sized(64, output, stride)
    assert checked(config).model.decoder_sr_scale == scale


def sized(image: int, output: int, stride: int = 1) -> TrainConfig:
    config = TrainConfig()
    config.data.image_size, config.data.output_size = (image, image), (output, output)
    config.model.encoder_stride = stride
    config.model.use_gan = False
    return config


def test_a_unet_has_no_stride():
    config = sized(64, 64, 2)
    config.model.encoder_type = "unet"
    assert checked(config).model.decoder_sr_scale == 0


def test_sizes_that_fit_are_listed():
    with pytest.raises(ValueError, match="choose 64x64 or 128x128 or 256x256"):
        checked(sized(64, 96))


def test_the_compact_network_keeps_the_size_whatever_the_stride_says():
    config = sized(64, 64, 2)
    config.model.encoder_type = "compact"
    assert checked(config).model.decoder_sr_scale == 0
    config.data.output_size = (128, 128)
    with pytest.raises(ValueError, match="choose 64x64, or another"):
        checked(config)


def test_a_scale_set_by_hand_must_agree():
    config = sized(64, 128)
    config.model.decoder_sr_scale = 4
    with pytest.raises(ValueError, match=r"decoder_sr_scale is 4.* is 2"):
        checked(config)


def test_old_spellings_and_imagenet_are_filled_in():
    config = TrainConfig()
    config.data.use_dirty_renders = True
    config.transform.use_imagenet_stats = True
    found = checked(config)
    assert found.data.render_curriculum == 2
    assert found.transform.mean == [0.485, 0.456, 0.406]
    config.data.render_curriculum = 1
    assert checked(config).data.render_curriculum == 1


@pytest.mark.parametrize(
    ("section", "settings", "words"),
    [
        ("model", {"transformer_num_heads": 3}, "does not divide transformer_dim, 2048: choose 1, 2, 4"),
        ("model", {"encoder_type": "mobilenetv3"}, "'resnet50', no mobilenetv3"),
        ("model", {"encoder_channels": [64]}, "two or more widths"),
        ("model", {"fusion": "convattn", "kernel_size": 4}, "odd"),
        ("model", {"output_channels": [3, 1, 1]}, r"\[3, 1, 1, 3\]"),
        ("model", {"gradient_checkpointing": True, "norm": "batch"}, "choose norm 'group'"),
        ("model", {"discriminator_in_channels": 9}, "all maps have 8"),
        ("model", {"window_size": 0}, "1 or more"),
        ("model", {"transformer_proj_drop": 1.0}, "below 1"),
        ("model", {"encoder_type": "compact", "compact_channels": [8]}, "four widths"),
        ("model", {"encoder_type": "compact", "weights": "a.pth"}, "leave it None"),
        ("data", {"min_views": 4}, "more than data.num_views"),
        ("data", {"crop_size": 4096}, "needs 16 to 2048"),
        ("data", {"focus_size": 32}, "only 'compact' looks around"),
        ("data", {"batch_size": 0}, "1 or more"),
        ("data", {"val_ratio": 1.0}, "below 1"),
        ("transform", {"std": [0.5, 0.5, 0.0]}, "divided"),
        ("transform", {"mean": [0.5]}, "3 numbers"),
        ("optimizer", {"g_lr": 0.0}, "above 0"),
        ("loss", {"w_l1": -1.0}, "0 or more"),
        ("training", {"epochs": 0}, "1 or more"),
        ("training", {"steps": 0}, "1 or more"),
        ("training", {"ema_decay": 1.0}, "below 1"),
    ],
)
def test_what_cannot_work_is_refused(section, settings, words):
    config = TrainConfig()
    for name, value in settings.items():
        setattr(getattr(config, section), name, value)
    with pytest.raises(ValueError, match=words):
        checked(config)


def test_what_is_learned_from_lies_in_the_crop():
    config = tiny()
    config.data.crop_size, config.data.focus_size = 32, 40
    with pytest.raises(ValueError, match="needs 1 to 32 texels"):
        checked(config)


def test_a_discriminator_needs_maps_of_some_size():
    config = sized(64, 64)
    config.model.use_gan = True
    with pytest.raises(ValueError, match=r"64 pixels and needs 192: set model\.discriminator_n_layers to 3 or 4"):
        checked(config)
    config.model.discriminator_n_layers = 4
    checked(config)
    config.data.crop_size = 32
    with pytest.raises(ValueError, match="32 pixels and needs 48"):
        checked(config)


def test_logits_are_not_squashed_twice():
    config = TrainConfig()
    config.model.discriminator_use_sigmoid = True
    checked(config)
    config.loss.gan_loss_type = "bce"
    with pytest.raises(ValueError, match="takes logits"):
        checked(config)


def test_workers_are_capped_with_one_line(caplog, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with caplog.at_level(logging.WARNING, "easel"):
        assert resolve(TrainConfig()).data.num_workers == 2
        config = TrainConfig()
        config.data.num_workers = 0
        assert resolve(config).data.num_workers == 0
    assert [record.getMessage() for record in caplog.records] == [
        "data.num_workers 8 becomes 2, the CPUs of this machine."
    ]
