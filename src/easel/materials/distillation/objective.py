"""Objectives of a student: the truth, and the answers of its teacher.

(1 − α) · hybrid(student, truth) + α · Σ T² · KL(σ(logit teacher / T) ‖ σ(logit student / T)) + α · T² · MSE(normals)

KL is that of two coins (Hinton et al. 2015), for every number of albedo, roughness and metallic. Where features are
compared as well:

(1 − α) · L1(student, truth) + λ_output · L1(student, teacher) + λ_feat · MSE(features)
"""

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from easel.materials.config import LossConfig
from easel.materials.dataset.sample import Batch
from easel.materials.maps import MAP_NAMES
from easel.materials.models.generator import MultiViewPBRGenerator
from easel.materials.training.losses import Maps
from easel.materials.training.networks import Objective
from easel.materials.training.rerendering import Keys

LEAST_SURE = 2.0**-12
"""Distance of an answer from 0 and 1, where its logit would be infinite: half of what float16 can tell from 1."""
COARSE_SKIPS = 2
"""The encoder's features that are compared beside the bottleneck, from the coarsest on: they say what, not where."""

Info = dict[str, Tensor]
Answers = Callable[[Batch], tuple[Maps, Sequence[Tensor]]]
"""The teacher's maps and, where they are compared, its features, for a batch."""


class SoftObjective:
    """The truth and the softened answers of a teacher, in place of the truth alone."""

    def __init__(self, config: LossConfig, hard: Objective, teacher: Answers) -> None:
        self.config = config
        self.hard = hard
        self.teacher = teacher

    def __call__(
        self, answer: Maps, batch: Batch, *, adversarial: Tensor | None = None, key: Keys | None = None
    ) -> tuple[Float[Tensor, ""], Info]:
        alpha = self.config.distill_alpha
        hard, info = self.hard(answer, batch, adversarial=adversarial, key=key)
        soft, parts = distillation_loss(answer, self.teacher(batch)[0], self.config.distill_temperature)
        # Hinton et al. 2015: a weighted mean, so that α alone sets the balance.
        total = (1 - alpha) * hard + alpha * soft
        info |= parts | {"loss_hard": hard.detach(), "loss_soft": soft.detach(), "loss_total": total.detach()}
        return total, info


class FeatureObjective:
    """The truth, a teacher's maps, and what it has in mind between photos and maps."""

    def __init__(self, config: LossConfig, student: MultiViewPBRGenerator, hard: Objective, teacher: Answers) -> None:
        """Watch `student` while it answers: its latest features are those of the answer that is judged."""
        self.config = config
        self.hard = hard
        self.teacher = teacher
        self.features = watch_features(student)

    def __call__(
        self, answer: Maps, batch: Batch, *, adversarial: Tensor | None = None, key: Keys | None = None
    ) -> tuple[Float[Tensor, ""], Info]:
        config = self.config
        # To be told; what it weighs as a whole is not asked for here.
        with torch.no_grad():
            _, info = self.hard(answer, batch, adversarial=adversarial, key=key)
        # Asked after the student, whose features are those of its latest call.
        maps, features = self.teacher(batch)
        with torch.autocast(batch.views.device.type, enabled=False):
            truth, taught = (
                torch.stack([F.l1_loss(answer[name].float(), other[name].float()) for name in MAP_NAMES]).mean()
                for other in (batch.maps, maps)
            )
            # In float32: squared differences of half-precision features overflow.
            felt = feature_loss(self.features(), features)
        hard = (1 - config.distill_alpha) * truth
        # The discriminator judges against the truth: it belongs to the hard part.
        if adversarial is not None:
            hard = hard + config.w_gan * adversarial.float()
        soft = config.lambda_output * taught + config.lambda_feat * felt
        total = hard + soft
        parts = {"distill_output": taught, "distill_features": felt, "distill_total": soft}
        parts |= {"loss_hard": hard, "loss_soft": soft, "loss_total": total}
        return total, info | {name: value.detach() for name, value in parts.items()}


def distillation_loss(student: Maps, teacher: Maps, temperature: float | int) -> tuple[Float[Tensor, ""], Info]:
    """Return (distill_total, all its parts by name, detached) of the maps of both, in float32; 0 where they agree."""
    parts: Info = {}
    with torch.autocast(student["albedo"].device.type, enabled=False):
        for name in MAP_NAMES:
            mine = student[name].float()
            other = teacher[name].float()
            difference = F.mse_loss(mine, other) if name == "normal" else coin_divergence(mine, other, temperature)
            # T² keeps the gradient as large as without softening. Hinton et al. 2015, section 2
            parts[f"distill_{name}"] = temperature**2 * difference
        total = torch.stack(list(parts.values())).sum()
    return total, {name: value.detach() for name, value in (parts | {"distill_total": total}).items()}


def coin_divergence(
    student: Float[Tensor, "*b"], teacher: Float[Tensor, "*b"], temperature: float | int
) -> Float[Tensor, ""]:
    """Return the mean KL(teacher ‖ student) of coins that fall heads as often as the values say, softened."""
    mine, other = (torch.logit(x.clamp(LEAST_SURE, 1 - LEAST_SURE)) / temperature for x in (student, teacher))
    expected = other.sigmoid()
    # Cross-entropy without what the teacher's own entropy adds, which no student could remove
    return F.binary_cross_entropy_with_logits(mine, expected) - F.binary_cross_entropy_with_logits(other, expected)


def feature_loss(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Float[Tensor, ""]:
    """Return the sum of the mean squared differences of features (B, C, H, W), the teacher's resized to the student's.

    As many are compared as both have: the smallest U-Nets have but one beside the bottleneck.
    """
    differences = [
        F.mse_loss(mine.float(), matched(other.float(), mine)) for mine, other in zip(student, teacher, strict=False)
    ]
    return torch.stack(differences).sum()


def matched(feature: Float[Tensor, "b c h w"], like: Float[Tensor, "b c2 h2 w2"]) -> Float[Tensor, "b c2 h2 w2"]:
    """Resize bilinearly in the picture, and by the mean, or repetition, of neighbours among the channels."""
    # Teachers may halve the picture oftener than their students.
    sized = F.interpolate(feature, like.shape[-2:], mode="bilinear", align_corners=False)
    return F.adaptive_avg_pool3d(sized[:, None], (like.shape[1], like.shape[2], like.shape[3]))[:, 0]


def watch_features(network: MultiViewPBRGenerator) -> Callable[[], list[Tensor]]:
    """Return a function that gives a network's latest features: bottleneck, then skips from the coarsest on."""
    watched: Mapping[int, nn.Module] = dict(enumerate([network.fusion, *reversed(network.skips[-COARSE_SKIPS:])]))
    kept: dict[int, Tensor] = {}

    def remember(place: int) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object, result: Tensor) -> None:
            kept[place] = result

        return hook

    # Hooks, not return values: the networks are left as they are, and so are their exports.
    for place, module in watched.items():
        module.register_forward_hook(remember(place))
    return lambda: [kept[place] for place in watched]
