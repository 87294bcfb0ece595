"""`resolve`: the one look at a whole config, after every override and before anything is built.

Standard library only: a mistake must be told before torch is loaded.
"""

import logging
import os
from typing import Literal

from easel.materials.config import CHANNELS, DataConfig, ModelConfig, TrainConfig

_LOG = logging.getLogger("easel")

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

PATCHGAN_LEAST_PIXELS = {3: 24, 4: 48, 5: 96, 6: 192}
"""Strided layers of a discriminator → the smallest side for which one logit is left."""
SIMPLE_LEAST_PIXELS = 32
"""The same for the discriminator 'simple'."""


def resolve(config: TrainConfig) -> TrainConfig:
    """Return the config that is trained: `checked`, and with no more reading processes than this machine has CPUs."""
    config = checked(config)
    workers = os.cpu_count() or 1
    if config.data.num_workers > workers:
        _LOG.warning("data.num_workers %d becomes %d, the CPUs of this machine.", config.data.num_workers, workers)
        config.data.num_workers = workers
    return config


def checked(config: TrainConfig) -> TrainConfig:
    """Return a copy with what follows from other settings filled in; ValueError says what came, what fits, what to do.

    Filled in are decoder_sr_scale, ImageNet's mean and deviation, and render_curriculum 2 for use_dirty_renders.
    Checking twice changes nothing.
    """
    # The caller's config stays as it was written: presets are compared with it.
    config = config.copy()
    # First, so that everything below may trust types and ranges.
    config.check()
    data = config.data
    model = config.model
    # The predecessor's spelling; the newer setting wins where both are given.
    if data.use_dirty_renders and data.render_curriculum == 0:
        data.render_curriculum = 2
    if data.min_views > data.num_views:
        raise ValueError(f"data.min_views is {data.min_views}, more than data.num_views, {data.num_views}.")
    if config.transform.use_imagenet_stats:
        config.transform.mean = list(IMAGENET_MEAN)
        config.transform.std = list(IMAGENET_STD)
    for name in ("mean", "std"):
        if len(getattr(config.transform, name)) != model.encoder_in_channels:
            raise ValueError(f"transform.{name} needs {model.encoder_in_channels} numbers, one for each channel.")
    if min(config.transform.std) <= 0:
        raise ValueError(f"transform.std is {config.transform.std}; photos are divided by it: use more than 0.")
    model.decoder_sr_scale = _sr_scale(data, model)
    _check_model(model)
    if model.use_gan:
        _check_discriminator(config)
    return config


def output_stride(model: ModelConfig) -> int:
    """Return pixels of a photo for one of the decoder's, before super-resolution: only some encoders have a stride."""
    return model.encoder_stride if model.encoder_type in ("resnet", "mobilenetv3") else 1


def _sr_scale(data: DataConfig, model: ModelConfig) -> Literal[0, 2, 4]:
    """Return the enlargement that the sizes ask for, 0 for none; ValueError lists the sizes that fit."""
    stride = output_stride(model)
    scales: tuple[Literal[0, 2, 4], ...] = (0,) if model.encoder_type == "compact" else (0, 2, 4)
    fitting = [tuple(side // stride * (scale or 1) for side in data.image_size) for scale in scales]
    if min(data.image_size) < 16 or any(side % stride for side in data.image_size):
        raise ValueError(f"data.image_size is {data.image_size}; it needs 16 pixels or more, multiples of {stride}.")
    if data.output_size not in fitting:
        known = " or ".join(f"{height}x{width}" for height, width in fitting)
        raise ValueError(
            f"data.output_size is {data.output_size}, which photos of {data.image_size} at stride {stride} cannot "
            f"become: choose {known}, or another data.image_size."
        )
    scale = scales[fitting.index(data.output_size)]
    if model.decoder_sr_scale not in (0, scale):
        raise ValueError(
            f"model.decoder_sr_scale is {model.decoder_sr_scale}, but {data.image_size} to {data.output_size} at "
            f"stride {stride} is {scale or 1}. Leave it 0: it follows from the sizes."
        )
    most = min(data.image_size)
    if data.crop_size is not None and (not 16 <= data.crop_size <= most or data.crop_size % stride):
        raise ValueError(f"data.crop_size is {data.crop_size}; it needs 16 to {most}, in multiples of {stride}.")
    if data.focus_size is not None and model.encoder_type != "compact":
        raise ValueError(f"data.focus_size is {data.focus_size}: only 'compact' looks around a window; leave it None.")
    texels = data.crop_size or min(data.output_size)
    if data.focus_size is not None and not 1 <= data.focus_size <= texels:
        raise ValueError(f"data.focus_size is {data.focus_size}; it needs 1 to {texels} texels.")
    return scale


def _check_model(model: ModelConfig) -> None:
    family = {"resnet": "resnet", "mobilenetv3": "mobilenet_v3"}.get(model.encoder_type, "")
    if not model.encoder_backbone.startswith(family):
        raise ValueError(
            f"model.encoder_backbone is {model.encoder_backbone!r}, no {model.encoder_type}: choose one of its family, "
            f"whose names start with {family!r}."
        )
    if len(model.encoder_channels) < 2 or min(model.encoder_channels) < 1:
        raise ValueError(f"model.encoder_channels is {model.encoder_channels}; a U-Net needs two or more widths.")
    if len(model.compact_channels) != 4 or min(model.compact_channels) < 1:
        raise ValueError(f"model.compact_channels is {model.compact_channels}; 'compact' has four widths.")
    if model.encoder_type == "compact" and model.weights is not None:
        raise ValueError(
            "model.weights holds an encoder, which 'compact' has not: leave it None, or resume a checkpoint."
        )
    # Attention splits a token into as many equal parts as it has heads.
    heads = model.transformer_num_heads
    dim = model.transformer_dim
    if fusion_of(model) in ("vit", "concat") and dim % heads:
        fitting = [count for count in (1, 2, 4, 8, 16, 32, 64) if dim % count == 0]
        raise ValueError(
            f"model.transformer_num_heads is {heads}, which does not divide transformer_dim, {dim}: choose "
            f"{', '.join(map(str, fitting))}."
        )
    if fusion_of(model) == "convattn" and model.kernel_size % 2 == 0:
        raise ValueError(f"model.kernel_size is {model.kernel_size}; a kernel with a centre is odd.")
    if model.output_channels != list(CHANNELS.values()):
        raise ValueError(f"model.output_channels is {model.output_channels}; the maps have {list(CHANNELS.values())}.")
    if model.gradient_checkpointing and model.norm == "batch":
        raise ValueError(
            "model.gradient_checkpointing runs every layer twice, and model.norm 'batch' would count each batch twice: "
            "choose norm 'group'."
        )


def fusion_of(model: ModelConfig) -> str:
    """Return the fusion that is built: without use_transformer it is 'pool'."""
    return model.fusion if model.use_transformer else "pool"


def _check_discriminator(config: TrainConfig) -> None:
    data = config.data
    model = config.model
    channels = sum(model.output_channels)
    if model.discriminator_in_channels != channels:
        raise ValueError(
            f"model.discriminator_in_channels is {model.discriminator_in_channels}; all maps have {channels}."
        )
    if model.discriminator_use_sigmoid and config.loss.gan_loss_type == "bce":
        raise ValueError(
            "loss.gan_loss_type 'bce' takes logits, model.discriminator_use_sigmoid would squash them before: set it "
            "to False."
        )
    # A crop of the photos is a crop of the maps times the enlargement.
    scale = data.output_size[0] / data.image_size[0]
    side = min(data.output_size) if data.crop_size is None else int(data.crop_size * scale)
    simple = model.discriminator_type == "simple"
    least = SIMPLE_LEAST_PIXELS if simple else PATCHGAN_LEAST_PIXELS[model.discriminator_n_layers]
    if side < least:
        fitting = [str(layers) for layers, pixels in PATCHGAN_LEAST_PIXELS.items() if pixels <= side]
        remedy = f"set model.discriminator_n_layers to {' or '.join(fitting)}" if fitting else "use larger maps"
        raise ValueError(
            f"the discriminator sees maps of {side} pixels and needs {least}: {remedy}, or model.use_gan to False."
        )
