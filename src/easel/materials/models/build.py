"""The one door to every network: what a config describes, in training, in inference and in exports."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from easel.materials.config import TrainConfig
from easel.materials.models.compact import CompactGenerator
from easel.materials.models.discriminator import PatchDiscriminator
from easel.materials.models.encoder_weights import load_encoder
from easel.materials.models.generator import MultiViewPBRGenerator
from easel.materials.resolve import checked


def build_model(config: TrainConfig | Mapping[str, Any], *, pretrained: bool = False) -> nn.Module:
    """Build the generator, with random weights; `pretrained` reads the encoder's from the file of model.weights.

    What reads a checkpoint needs no such file. ValueError for a config that does not fit, FileError for such a file.
    """
    # Checked again: a config from a file has not been.
    config = checked(config if isinstance(config, TrainConfig) else TrainConfig.from_dict(config))
    if config.model.encoder_type == "compact":
        return CompactGenerator(config)
    model = MultiViewPBRGenerator(config)
    if pretrained and config.model.weights is not None:
        load_encoder(model.encoder, config.model.weights)
    return model


def build_discriminator(config: TrainConfig | Mapping[str, Any]) -> PatchDiscriminator:
    """Build the discriminator, even if the config trains none."""
    config = checked(config if isinstance(config, TrainConfig) else TrainConfig.from_dict(config))
    return PatchDiscriminator(config.model)


def misfit(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """Describe how the tensors found differ from those expected, in a few words; empty when they fit."""
    missing = sorted(expected.keys() - found.keys())
    more = sorted(found.keys() - expected.keys())
    for names, verb in ((missing, "lacks"), (more, "has")):
        if names:
            others = f" and {len(names) - 1} more" if len(names) > 1 else ""
            return f"it is of another network: it {verb} {names[0]!r}{others}"
    for name, value in expected.items():
        if found[name].shape != value.shape or found[name].is_floating_point() != value.is_floating_point():
            shapes = f"{tuple(found[name].shape)}, not {tuple(value.shape)}"
            return f"it is of another network: {name!r} is {shapes}"
    return ""
