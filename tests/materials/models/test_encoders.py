"""Encoders: torchvision's structure and names, any size, every normalisation, and freezing."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from easel.materials.config import ModelConfig
from easel.materials.models.backbone import NORMS
from easel.materials.models.encoders import build_encoder

LARGE, SMALL = "mobilenet_v3_large", "mobilenet_v3_small"


def encoder(kind, backbone="resnet18", **settings):
    config = ModelConfig(encoder_type=kind, encoder_backbone=backbone, **settings)
    return build_encoder(config).eval()


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "backbone", "count", "latent", "skips"),
    [
        ("resnet", "resnet18", 11_176_512, (512, 16), ((64, 1), (64, 2), (128, 4), (256, 8))),
        ("resnet", "resnet34", 21_284_672, (512, 16), ((64, 1), (64, 2), (128, 4), (256, 8))),
        ("resnet", "resnet50", 23_508_032, (2048, 16), ((64, 1), (256, 2), (512, 4), (1024, 8))),
        ("resnet", "resnet101", 42_500_160, (2048, 16), ((64, 1), (256, 2), (512, 4), (1024, 8))),
        ("resnet", "resnet152", 58_143_808, (2048, 16), ((64, 1), (256, 2), (512, 4), (1024, 8))),
        ("mobilenetv3", LARGE, 2_971_952, (960, 16), ((16, 1), (24, 2), (40, 4), (112, 8))),
        ("mobilenetv3", SMALL, 927_008, (576, 16), ((16, 1), (16, 2), (24, 4), (48, 8))),
        ("unet", "", 75_478_464, (2048, 32), ((64, 1), (128, 1), (256, 2), (512, 4), (1024, 8), (2048, 16))),
        ("unet_stride", "", 75_478_464, (2048, 32), ((64, 1), (128, 1), (256, 2), (512, 4), (1024, 8), (2048, 16))),
    ],
)
def test_structure(kind, backbone, count, latent, skips):
    with torch.device("meta"):
        network = encoder(kind, backbone or "resnet50")
        features, deepest = network(torch.empty(2, 3, 128, 192))
    expected = [(channels, 128 // scale, 192 // scale) for channels, scale in (*skips, latent)]
    assert [tuple(feature.shape[1:]) for feature in (*features, deepest)] == expected
    assert network.skip_channels == [channels for channels, _ in skips]
    assert network.channels == latent[0]
    assert parameters(network) == count


@pytest.mark.parametrize(("kind", "backbone"), [("resnet", "resnet18"), ("mobilenetv3", LARGE)])
def test_stride_2_halves_everything(kind, backbone):
    with torch.device("meta"):
        whole, half = encoder(kind, backbone), encoder(kind, backbone, encoder_stride=2)
        photos = torch.empty(1, 3, 64, 64)
        sizes = [[feature.shape[-1] for feature in network(photos)[0]] for network in (whole, half)]
    assert [2 * size for size in sizes[1]] == sizes[0]
    assert parameters(half) == parameters(whole)


@pytest.mark.parametrize("norm", ["group", "batch", "instance"])
def test_every_norm_has_a_scale_and_a_shift(norm):
    with torch.device("meta"):
        assert parameters(encoder("resnet", "resnet18", norm=norm)) == 11_176_512


@pytest.mark.parametrize(
    ("kind", "backbone", "names"),
    [
        (
            "resnet",
            "resnet18",
            {"conv1.weight", "bn1.running_var", "layer2.0.downsample.1.bias"},
        ),
        ("resnet", "resnet50", {"layer1.0.downsample.0.weight", "layer3.5.conv3.weight", "layer4.2.bn3.running_mean"}),
        (
            "mobilenetv3",
            LARGE,
            {
                "features.0.0.weight",
                "features.4.block.2.fc1.bias",
                "features.15.block.3.1.weight",
                "features.16.1.bias",
            },
        ),
        (
            "mobilenetv3",
            SMALL,
            {"features.1.block.1.fc2.weight", "features.12.0.weight"},
        ),
    ],
)
def test_names_are_those_of_torchvision(kind, backbone, names):
    with torch.device("meta"):
        network = encoder(kind, backbone, norm="batch")
    assert names <= set(network.state_dict())


@pytest.mark.parametrize("kind", ["resnet", "mobilenetv3", "unet", "unet_stride"])
def test_any_size(kind):
    with torch.device("meta"):
        network = encoder(kind, SMALL if kind == "mobilenetv3" else "resnet18", encoder_channels=[4, 6, 8])
        features, latent = network(torch.empty(1, 3, 37, 51))
    sizes = [feature.shape[-2:] for feature in (*features, latent)]
    assert sizes[0] == (37, 51)
    for (h, w), (h2, w2) in pairwise(sizes):
        assert (h2, w2) in {(h, w), ((h + 1) // 2, (w + 1) // 2)}


@pytest.mark.parametrize("kind", ["resnet", "mobilenetv3", "unet", "unet_stride"])
def test_with_circular_padding_a_rolled_photo_has_rolled_features(kind):
    torch.manual_seed(0)
    backbone = SMALL if kind == "mobilenetv3" else "resnet18"
    network = encoder(kind, backbone, padding="circular", encoder_channels=[4, 6, 8])
    photo = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        still = network(photo)[0]
        rolled = network(photo.roll((16, 16), (2, 3)))[0]
    for one, other in zip(still, rolled, strict=True):
        half = one.shape[-1] // 2
        torch.testing.assert_close(one.roll((half, half), (2, 3)), other, rtol=1e-4, atol=1e-4)


def test_photos_are_seen_alone():
    torch.manual_seed(0)
    network = encoder("unet", encoder_channels=[4, 6, 8])
    photos = torch.rand(3, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(network(photos)[1][1:2], network(photos[1:2])[1], rtol=1e-4, atol=1e-5)


def test_a_frozen_backbone_keeps_its_early_convolutions():
    network = encoder("resnet", "resnet18", freeze_backbone=True)
    frozen = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    assert {"conv1.weight", "layer1.0.conv1.weight", "layer2.1.conv2.weight"} <= frozen
    assert not any(name.startswith(("layer3", "layer4")) or ".bn" in name for name in frozen)
    mobile = encoder("mobilenetv3", SMALL, freeze_backbone=True)
    assert not any(m.weight.requires_grad for m in mobile.modules() if isinstance(m, nn.Conv2d))


def test_frozen_norms_keep_scales_and_statistics():
    torch.manual_seed(0)
    network = encoder("unet", encoder_channels=[4, 6, 8], norm="batch", freeze_bn=True).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network(torch.rand(2, 3, 16, 16))[1].sum().backward()
    for module in network.modules():
        if isinstance(module, NORMS):
            assert not module.training and module.weight.grad is None
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert network.get_parameter("blocks.0.conv1.weight").grad is not None


def test_recomputed_activations_give_the_same_gradients():
    gradients = []
    for recomputes in (False, True):
        torch.manual_seed(0)
        network = encoder("unet", encoder_channels=[4, 6, 8], gradient_checkpointing=recomputes).train()
        network(torch.rand(1, 3, 16, 16))[1].square().sum().backward()
        gradients.append([parameter.grad for parameter in network.parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))
