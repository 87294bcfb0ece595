"""The predecessor's structure, where it is asked for: its number of weights and its fixed order of photos."""

import pytest
import torch

from easel.materials.config import ModelConfig
from easel.materials.models.generator import MultiViewPBRGenerator
from easel.materials.models.predecessor import ConcatFusion
from easel.materials.presets import PRESETS


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("dim", "heads", "ratio", "depth", "count"),
    [
        (2048, 32, 4.0, 4, 214_022_144),
        (2048, 32, 4.0, 2, 113_305_600),
        (2048, 32, 4.0, 6, 314_738_688),
        (256, 4, 2.0, 2, 1_251_584),
    ],
)
def test_fusion(dim, heads, ratio, depth, count):
    config = ModelConfig(
        transformer_dim=dim, transformer_num_heads=heads, transformer_mlp_ratio=ratio, transformer_depth=depth
    )
    with torch.device("meta"):
        assert parameters(ConcatFusion(dim, 3, config)) == count


@pytest.mark.parametrize(
    ("preset", "millions"),
    [
        ("default", 261.02),
        ("high_res", 261.02),
        ("lightweight", 261.02),
        ("fast_iteration", 129.21),
        ("normal_focused", 261.22),
        ("high_quality", 380.93),
        ("mobilenetv3_512", 5.02),
        ("mobilenetv3_2048", 5.02),
    ],
)
def test_whole_networks(preset, millions):
    config = PRESETS[preset]()
    config.model.norm, config.model.fusion = "batch", "concat"
    with torch.device("meta"):
        assert round(parameters(MultiViewPBRGenerator(config)) / 1e6, 2) == millions


def test_it_takes_its_number_of_photos_and_heeds_their_order(small):
    generator = MultiViewPBRGenerator(small(fusion="concat")).eval()
    views = torch.randn(1, 3, 3, 32, 32)
    with torch.no_grad():
        found, turned = generator(views), generator(views[:, [1, 2, 0]])
        assert (found["albedo"] - turned["albedo"]).abs().max() > 1e-4
        with pytest.raises(ValueError, match="built for 3 photos and got 2: 'vit' takes any"):
            generator(views[:, :2])
