"""The losses: right for what is right, worse for what is worse, and what their authors say of known cases."""

import math

import pytest
import torch
import torch.nn.functional as F

from easel.materials.config import LossConfig, TrainConfig
from easel.materials.dataset.keys import key
from easel.materials.maps import MaterialMaps
from easel.materials.training.losses import HybridLoss, angle_degrees, discriminator_loss, generator_loss
from easel.materials.training.rerendering import draw_scenes, light_up
from easel.materials.training.ssim import ssim

INFO = {
    "l1_albedo",
    "l1_roughness",
    "l1_metallic",
    "l1_normal",
    "loss_l1_total",
    "loss_ssim",
    "loss_normal",
    "normal_angle_deg",
    "loss_render",
    "loss_gan_g",
    "mae_albedo",
    "rmse_albedo",
    "loss_total",
}


def random_maps(seed: int = 0, batch: int = 2, size: int = 16) -> MaterialMaps:
    generator = torch.Generator().manual_seed(seed)

    def draw(channels):
        return torch.rand(batch, channels, size, size, generator=generator)

    normal = F.normalize(torch.cat([draw(2) - 0.5, draw(1) + 0.5], dim=1), dim=1)
    return MaterialMaps(draw(3), draw(1), draw(1), normal)


@pytest.mark.parametrize("shape", [(1, 3, 32, 41), (2, 1, 11, 12)])
def test_ssim_is_that_of_pytorch_msssim(shape):
    from pytorch_msssim import ssim as reference

    generator = torch.Generator().manual_seed(1)
    true = torch.rand(shape, generator=generator)
    for predicted in (true, 1 - true, 0.7 * true, torch.rand(shape, generator=generator)):
        expected = reference(predicted, true, data_range=1.0, size_average=False)
        assert (ssim(predicted, true) - expected).abs().max() < 1e-5


def test_ssim_of_pictures_smaller_than_its_window():
    picture = torch.rand(1, 3, 7, 4)
    assert ssim(picture, picture) == pytest.approx(1) and ssim(picture, 1 - picture) < 0.9


def test_equal_maps_lose_nothing():
    maps = random_maps()
    total, info = HybridLoss(TrainConfig())(maps, maps.to_targets(), adversarial=torch.tensor(0.0))
    assert set(info) == INFO and abs(total) < 1e-6
    assert all(value.abs() < 1e-6 for value in info.values()) and not any(v.requires_grad for v in info.values())


def test_the_loss_is_the_weighted_sum_of_its_parts():
    config = LossConfig(w_l1=0.5, w_albedo=2.0, w_metallic=0.25, w_render=0.75, w_gan=0.125)
    adversarial = torch.tensor(3.0)
    total, info = HybridLoss(config)(random_maps(1), random_maps(2), adversarial=adversarial, key=key(1, "lights"))
    l1 = 2 * info["l1_albedo"] + info["l1_roughness"] + 0.25 * info["l1_metallic"] + info["l1_normal"]
    parts = 0.3 * info["loss_ssim"] + 0.5 * info["loss_normal"] + 0.75 * info["loss_render"] + 0.125 * adversarial
    assert total == pytest.approx(0.5 * l1.item() + parts.item(), rel=1e-5)
    assert info["loss_normal"] == pytest.approx(
        1 - (random_maps(1).normal * random_maps(2).normal).sum(1).mean().item()
    )


def test_l1_only_is_l1_only():
    total, info = HybridLoss(LossConfig(loss_type="l1_only"))(random_maps(1), random_maps(2))
    assert total == info["loss_l1_total"] and "loss_render" not in info and "loss_ssim" not in info


def test_every_part_has_a_finite_gradient_even_where_the_maps_are_extreme():
    true = random_maps(2)
    flat = MaterialMaps(
        torch.zeros(2, 3, 16, 16), torch.zeros(2, 1, 16, 16), torch.ones(2, 1, 16, 16), true.normal.clone()
    )
    for start in (flat, random_maps(3)):
        predicted = {name: value.clone().requires_grad_() for name, value in start.items()}
        total, _ = HybridLoss(LossConfig(render_lights=4))(predicted, true, key=key(3, "lights"))
        total.backward()
        assert all(value.grad.isfinite().all() for value in predicted.values())


def test_losses_are_float32_under_half_precision():
    halves = {name: value.bfloat16() for name, value in random_maps(1).items()}
    with torch.autocast("cpu", torch.bfloat16):
        total, info = HybridLoss()(halves, random_maps(2))
    assert total.dtype == torch.float32 and all(value.dtype == torch.float32 for value in info.values())


@pytest.mark.parametrize("degrees", [0.001, 1.0, 90.0, 179.0])
def test_angles_are_exact_from_tiny_to_opposite(degrees):
    a = torch.tensor([0.0, 0.0, 2.0])[None, :, None, None]
    angle = math.radians(degrees)
    b = torch.tensor([math.sin(angle), 0.0, math.cos(angle)])[None, :, None, None]
    assert angle_degrees(a, b).item() == pytest.approx(degrees, rel=1e-4)


def test_the_discriminator_is_asked_to_tell_real_from_fake():
    hinge, bce = LossConfig(), LossConfig(gan_loss_type="bce")
    sure, unsure = torch.full((2, 1, 3, 3), 5.0), torch.zeros(2, 1, 3, 3)
    assert discriminator_loss(hinge, sure, -sure) == 0 and discriminator_loss(hinge, unsure, unsure) == 2
    assert generator_loss(hinge, sure) == -5
    assert discriminator_loss(bce, unsure, unsure).item() == pytest.approx(math.log(2))
    ones = F.binary_cross_entropy_with_logits(sure, torch.ones_like(sure))
    assert generator_loss(bce, sure).item() == pytest.approx(ones.item())


def test_uncertainty_is_least_at_the_true_variance_and_moves_no_map():
    predicted = {name: value.clone().requires_grad_() for name, value in random_maps(1).items()}
    squares = [(predicted[name] - random_maps(2)[name]).square().mean().log().item() for name in predicted]
    losses = []
    for shift in (-0.5, 0.0, 0.5):
        variance = torch.tensor(squares)[None, :, None, None].expand(2, 4, 16, 16) + shift
        total, info = HybridLoss(LossConfig())({**predicted, "log_variance": variance}, random_maps(2))
        losses.append(info["loss_uncertainty"])
    assert losses[1] < losses[0] and losses[1] < losses[2]
    plain, _ = HybridLoss(LossConfig())(predicted, random_maps(2))
    (mine,), (other,) = (torch.autograd.grad(loss, predicted["albedo"], retain_graph=True) for loss in (total, plain))
    assert torch.equal(mine, other) and total != plain


def brighter(predicted, true):
    """An extra loss: how much too bright albedo is."""
    return (predicted["albedo"] - true["albedo"]).clamp(min=0).mean()


def test_extra_losses_are_named_functions():
    name = f"{brighter.__module__}:brighter"
    plain, _ = HybridLoss(LossConfig())(random_maps(1), random_maps(2))
    total, info = HybridLoss(LossConfig(extra={name: 2.0}))(random_maps(1), random_maps(2))
    assert total.item() == pytest.approx((plain + 2 * info["loss_brighter"]).item())
    for wrong in ("nowhere.to_be:found", "math:nothing", "math:pi", "math"):
        with pytest.raises(ValueError, match=r"loss\.extra"):
            HybridLoss(LossConfig(extra={wrong: 1.0}))


def test_half_of_the_scenes_show_a_highlight():
    mirror = MaterialMaps(
        torch.ones(8, 3, 32, 32),
        torch.full((8, 1, 32, 32), 0.1),
        torch.ones(8, 1, 32, 32),
        torch.tensor([0.0, 0.0, 1.0])[None, :, None, None].expand(8, 3, 32, 32),
    )
    brightest = light_up(mirror, draw_scenes(key(0, "lights"), 8, 4)).amax(dim=(2, 3, 4))
    assert brightest[:, :2].min() > 1 and brightest[:, 2:].median() < 0.1


def test_a_material_has_the_same_scenes_in_any_batch():
    four = draw_scenes([key(0, index) for index in range(4)], 4, 3)
    two = draw_scenes([key(0, index) for index in (2, 3)], 2, 3)
    assert torch.equal(four.cameras[2:], two.cameras) and torch.equal(four.lights[2:], two.lights)
    assert not torch.equal(four.lights[0], four.lights[1])


def test_white_chalk_has_radiance_one():
    chalk = MaterialMaps(
        torch.ones(1, 3, 33, 33),
        torch.ones(1, 1, 33, 33),
        torch.zeros(1, 1, 33, 33),
        torch.tensor([0.0, 0.0, 1.0])[None, :, None, None].expand(1, 3, 33, 33),
    )
    scenes = draw_scenes(None, 1, 1)
    above = type(scenes)(torch.tensor([[[0.0, 0.0, 1.0]]]), torch.tensor([[[0.0, 0.0, 2.0]]]))
    assert light_up(chalk, above)[..., 16, 16].mean() == pytest.approx(1, abs=0.08)
