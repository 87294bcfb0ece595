"""The generator: any photos in any order, maps in their ranges, textures that go on over the edge."""

import json
import math

import pytest
import torch
from torch.nn.functional import interpolate
from torch.utils.flop_counter import FlopCounterMode

from easel.materials.config import TrainConfig
from easel.materials.maps import MAP_NAMES, MaterialMaps
from easel.materials.models.generator import MultiViewPBRGenerator

MOBILE = {"encoder_type": "mobilenetv3", "encoder_backbone": "mobilenet_v3_small"}
KINDS = {
    "vit": {},
    "global": {"fusion_attention": "global"},
    "convattn": {"fusion": "convattn"},
    "pool": {"fusion": "pool"},
    "strided": {"encoder_type": "unet_stride", "use_transformer": False, "norm": "batch"},
    "circular": {"padding": "circular"},
    "uncertain": {"predict_uncertainty": True},
}


@pytest.fixture(params=KINDS)
def generator(request, small):
    return MultiViewPBRGenerator(small(**KINDS[request.param])).eval()


def photos(count, batch=1, size=16):
    """views, valid and cameras, one of which is not known."""
    shown = (torch.rand(batch, count, 8, 8) > 0.4).float()
    cameras = torch.randn(batch, count, 3)
    cameras[..., 2] = 2.0
    cameras[:, 0] = math.nan
    return torch.randn(batch, count, 3, size, size), interpolate(shown, size)[:, :, None], cameras


def furthest(one, other):
    assert one.keys() == other.keys()
    return max((one[name] - other[name]).abs().max().item() for name in one)


@torch.no_grad()
def test_the_order_of_photos_does_not_matter_but_they_do(generator):
    order = torch.tensor([2, 0, 3, 1])
    views, valid, cameras = photos(4)
    found = generator(views, valid, cameras)
    assert furthest(found, generator(views[:, order], valid[:, order], cameras[:, order])) < 1e-5
    assert furthest(found, generator(views[:, :3], valid[:, :3], cameras[:, :3])) > 1e-3


@torch.no_grad()
def test_what_a_photo_does_not_show_changes_nothing(generator):
    views, valid, cameras = photos(2)
    hidden = [torch.cat([part, other], 1) for part, other in zip((views, valid, cameras), photos(2), strict=True)]
    hidden[1][:, 2:] = 0
    assert furthest(generator(views, valid, cameras), generator(*hidden)) < 1e-5


@torch.no_grad()
def test_a_photo_of_nothing_is_no_nan(generator):
    views, valid, cameras = photos(2)
    assert all(map.isfinite().all() for map in generator(views, torch.zeros_like(valid), cameras).values())


@torch.no_grad()
def test_a_photo_that_shows_everything_needs_no_mask(generator):
    views, valid, _ = photos(2)
    assert furthest(generator(views), generator(views, torch.ones_like(valid))) < 1e-5


@torch.no_grad()
@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_one_to_eight_photos(small, count):
    found = MultiViewPBRGenerator(small()).eval()(*photos(count, batch=2))
    MaterialMaps(*(found[name] for name in MAP_NAMES)).validate()
    assert found["albedo"].shape == (2, 3, 16, 16)


@torch.no_grad()
def test_samples_of_a_batch_do_not_meet(generator):
    views, valid, cameras = photos(2, batch=2)
    whole, alone = generator(views, valid, cameras), generator(views[1:], valid[1:], cameras[1:])
    assert furthest({name: map[1:] for name, map in whole.items()}, alone) < 1e-5


@torch.no_grad()
@pytest.mark.parametrize("size", [32, 45])
@pytest.mark.parametrize("settings", [MOBILE, {}, {"encoder_type": "unet_stride"}], ids=str)
def test_maps_are_as_large_as_photos_of_any_size(small, settings, size):
    found = MultiViewPBRGenerator(small(**settings)).eval()(torch.rand(1, 1, 3, size, size))
    assert found["normal"].shape == (1, 3, size, size)


@torch.no_grad()
@pytest.mark.parametrize("fusion", ["vit", "convattn", "pool"])
def test_circular_padding_makes_maps_that_go_on_over_the_edge(small, fusion):
    # Rolled photos give rolled maps: no texel knows where the edge is. The step is a whole window of the latent.
    settings = {"padding": "circular", "fusion": fusion, "position_code": False, "transformer_depth": 2}
    generator = MultiViewPBRGenerator(small(**settings)).eval()
    views = torch.randn(1, 2, 3, 32, 32)
    found = generator(views)
    rolled = generator(views.roll((8, 8), (3, 4)))
    assert furthest({name: map.roll((8, 8), (2, 3)) for name, map in found.items()}, rolled) < 1e-5


@pytest.mark.slow
@torch.no_grad()
def test_the_work_of_attention_grows_with_the_picture_and_no_faster(small):
    def work(size, attention):
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            MultiViewPBRGenerator(small(fusion_attention=attention)).eval()(torch.empty(1, 3, 3, size, size))
        return sum(counter.get_flop_counts()["MultiViewPBRGenerator.fusion"].values())

    assert work(256, "views_windows") < 4.2 * work(128, "views_windows")
    assert work(256, "global") > 10 * work(128, "global")


def test_every_weight_learns_and_recomputing_changes_nothing(small):
    gradients = []
    for recomputes in (False, True):
        torch.manual_seed(0)
        generator = MultiViewPBRGenerator(small(gradient_checkpointing=recomputes, predict_uncertainty=True)).train()
        torch.manual_seed(1)
        sum(map.square().mean() for map in generator(*photos(3, batch=2)).values()).backward()
        gradients.append({name: parameter.grad for name, parameter in generator.named_parameters()})
    assert all(grad is not None and grad.isfinite().all() for grad in gradients[0].values())
    assert {name for name, grad in gradients[0].items() if not grad.abs().max() > 0} == set()
    for name, grad in gradients[0].items():
        torch.testing.assert_close(grad, gradients[1][name])


@torch.no_grad()
def test_half_precision_stays_near(small):
    generator = MultiViewPBRGenerator(small()).eval()
    inputs = photos(2)
    with torch.autocast("cpu", torch.bfloat16):
        half = generator(*inputs)
    assert all(map.dtype == torch.float32 for map in half.values())
    assert furthest(generator(*inputs), half) < 0.05
    torch.testing.assert_close(half["normal"].norm(dim=1), torch.ones(1, 16, 16))


def test_a_config_may_be_what_a_checkpoint_holds(small):
    config = small()
    found = MultiViewPBRGenerator(json.loads(json.dumps(config.to_dict())))
    assert found.config == MultiViewPBRGenerator(config).config
    assert isinstance(found.config, TrainConfig)


def test_the_compact_network_comes_through_the_other_door(small):
    with pytest.raises(ValueError, match="build_model makes it"):
        MultiViewPBRGenerator(small(encoder_type="compact"))


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ((torch.rand(3, 3, 32, 32),), r"\(batch, photos, 3, height, width\); got \(3, 3, 32, 32\)"),
        ((torch.rand(1, 2, 4, 32, 32),), r"got \(1, 2, 4, 32, 32\)"),
        ((torch.rand(1, 0, 3, 32, 32),), r"got \(1, 0, 3, 32, 32\)"),
        ((torch.rand(1, 2, 3, 32, 32), torch.ones(1, 2, 32, 32)), r"valid .* is \(1, 2, 1, 32, 32\); got"),
        ((torch.rand(1, 2, 3, 32, 32), None, torch.ones(1, 3, 3)), r"cameras .* is \(1, 2, 3\); got"),
    ],
)
def test_shapes_that_do_not_fit_are_told(small, inputs, words):
    with pytest.raises(ValueError, match=words):
        MultiViewPBRGenerator(small())(*inputs)
