"""What a student is asked for, by hand and by its properties."""

import math

import pytest
import torch

from easel.materials.config import LossConfig, TrainConfig
from easel.materials.dataset.sample import Batch
from easel.materials.distillation.objective import (
    FeatureObjective,
    SoftObjective,
    coin_divergence,
    distillation_loss,
    feature_loss,
    matched,
    watch_features,
)
from easel.materials.maps import MaterialMaps, unit_normals
from easel.materials.models.generator import MultiViewPBRGenerator


def maps(seed: int, side: int = 4) -> MaterialMaps:
    generator = torch.Generator().manual_seed(seed)
    value = torch.rand(2, 8, side, side, generator=generator)
    return MaterialMaps(value[:, :3], value[:, 3:4], value[:, 4:5], unit_normals(value[:, 5:] - 0.4))


def batch(true: MaterialMaps) -> Batch:
    side = true.size[0]
    return Batch(
        torch.zeros(2, 3, 3, side, side), torch.ones(2, 3, 1, side, side), torch.zeros(2, 3, 3), true, ("a", "b")
    )


def test_coins_by_hand():
    student, teacher = torch.tensor([0.25]), torch.tensor([0.5])
    by_hand = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert coin_divergence(student, teacher, 1).item() == pytest.approx(by_hand, abs=1e-6)
    # at T = 2 the odds 1 : 3 become 1 : √3
    softened = 1 / (1 + math.sqrt(3))
    by_hand = 0.5 * math.log(0.5 / softened) + 0.5 * math.log(0.5 / (1 - softened))
    assert coin_divergence(student, teacher, 2).item() == pytest.approx(by_hand, abs=1e-6)


def test_who_agrees_loses_nothing_and_the_more_apart_the_more():
    teacher, other = maps(0), maps(1)
    total, parts = distillation_loss(teacher, teacher, 4)
    assert total.item() == pytest.approx(0, abs=1e-5)
    assert parts.keys() == {
        "distill_albedo", "distill_roughness", "distill_metallic", "distill_normal", "distill_total"
    }  # fmt: skip
    halfway = MaterialMaps.from_tensor((teacher.to_tensor() + other.to_tensor()) / 2)
    far, near = distillation_loss(other, teacher, 4)[0], distillation_loss(halfway, teacher, 4)[0]
    assert far > near > 0


def test_gradients_are_finite_even_where_answers_are_certain():
    logits = torch.tensor([-60.0, -8.0, 0.0, 8.0, 60.0], requires_grad=True)
    coin_divergence(logits.sigmoid(), torch.tensor([1.0, 0.0, 1.0, 1.0, 0.0]), 4).backward()
    assert logits.grad is not None and logits.grad.isfinite().all()
    assert logits.grad[2] < 0  # towards the teacher


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.9])
def test_alpha_is_the_teachers_share(alpha):
    answer, teacher = maps(0), maps(1)
    config = LossConfig(distill_alpha=alpha, distill_temperature=3.0)
    loss = SoftObjective(
        config, lambda *_, **__: (torch.tensor(2.0), {"l1_albedo": torch.tensor(1.0)}), lambda _: (teacher, [])
    )
    total, info = loss(answer, batch(maps(2)))
    soft = distillation_loss(answer, teacher, 3)[0]
    assert total.item() == pytest.approx((1 - alpha) * 2 + alpha * soft.item(), rel=1e-5)
    assert info["loss_hard"] == 2 and info["loss_soft"] == soft and info["loss_total"] == total
    assert {"l1_albedo", "distill_total"} < info.keys()


def test_features_are_brought_to_the_students_size():
    teacher = torch.arange(8.0)[None, :, None, None].expand(1, 8, 4, 4)
    small = matched(teacher, torch.zeros(1, 2, 2, 2))
    assert torch.equal(small[0, :, 0, 0], torch.tensor([1.5, 5.5]))
    assert matched(small, teacher).shape == teacher.shape
    assert feature_loss([small], [teacher]) == 0
    assert feature_loss([small + 2, small], [teacher, teacher, teacher]) == 4


def network() -> MultiViewPBRGenerator:
    config = TrainConfig()
    config.data.image_size = config.data.output_size = (16, 16)
    config.model.encoder_type, config.model.encoder_channels = "unet", [4, 4, 8, 8]
    config.model.use_transformer = config.model.use_gan = False
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return MultiViewPBRGenerator(config)


def test_a_student_that_thinks_and_answers_as_its_teacher_is_asked_for_the_truth_alone():
    student = network()
    look = watch_features(student)
    true = maps(3, 16)
    config = LossConfig(lambda_feat=0.1, distill_alpha=0.25)
    shown = batch(true)

    def hard(*_, **__):
        return torch.tensor(0.0), {}

    loss = FeatureObjective(config, student, hard, lambda _: (answer, [feature.detach() for feature in look()]))
    answer = student(shown.views, shown.valid, shown.cameras)
    total, info = loss(answer, shown)
    l1 = torch.stack([(answer[name] - true[name]).abs().mean() for name in true]).mean()
    assert total.item() == pytest.approx(0.75 * l1.item(), rel=1e-5)
    assert info["distill_features"] == 0 and info["distill_output"] == 0
    strange = FeatureObjective(config, student, hard, lambda _: (answer, [feature.detach() + 1 for feature in look()]))
    answer = student(shown.views, shown.valid, shown.cameras)  # it is watched from now on
    assert strange(answer, shown)[1]["distill_features"].item() == pytest.approx(3, rel=1e-5)
