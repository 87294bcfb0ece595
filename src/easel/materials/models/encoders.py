"""An encoder by its config, and its weights from a file."""

from torch import nn

from easel.materials.config import ModelConfig
from easel.materials.models.backbone import StagedEncoder
from easel.materials.models.mobilenet import MobileNetEncoder
from easel.materials.models.resnet import ResNetEncoder
from easel.materials.models.unet import UNetEncoder


def build_encoder(config: ModelConfig) -> StagedEncoder:
    """Build the encoder that a config describes, with random weights, frozen as it says."""
    norm = config.norm
    padding = config.padding
    channels = config.encoder_in_channels
    if config.encoder_type == "resnet":
        encoder = ResNetEncoder(config.encoder_backbone, channels, config.encoder_stride, norm, padding)
    elif config.encoder_type == "mobilenetv3":
        encoder = MobileNetEncoder(config.encoder_backbone, channels, config.encoder_stride, norm, padding)
    elif config.encoder_type in ("unet", "unet_stride"):
        strided = config.encoder_type == "unet_stride"
        encoder = UNetEncoder(config.encoder_channels, channels, strided, norm, padding)
    else:
        raise ValueError(f"{config.encoder_type!r} is a network of its own, not an encoder: build_model makes it.")
    for module in encoder.modules():
        if isinstance(module, nn.Conv2d):
            # Keeps the variance of what flows through ReLUs (He et al. 2015).
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    encoder.freeze(backbone=config.freeze_backbone, norms=config.freeze_bn)
    encoder.recomputes = config.gradient_checkpointing
    return encoder
