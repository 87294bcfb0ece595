"""Losses of the networks: maps that are right, look right, and light right.

G = w_l1 · Σ w_map · L1(map) + w_ssim · (1 − SSIM(albedo)) + w_normal · mean(1 − cos) + w_render · R + w_gan · A + extra
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from easel.materials.config import LossConfig, TrainConfig
from easel.materials.maps import MAP_NAMES, MaterialMaps
from easel.materials.training.rerendering import Keys, draw_scenes, log_difference
from easel.materials.training.ssim import ssim

Maps = Mapping[str, Tensor]
"""albedo (B,3,H,W), roughness (B,1,H,W), metallic (B,1,H,W), normal (B,3,H,W): a network's answer, or MaterialMaps."""


UNCERTAINTY_WEIGHT = 0.1
"""Small, since the features that it shares with the maps should serve them."""


class HybridLoss:
    """The generator's loss, from a config's weights."""

    def __init__(self, config: TrainConfig | LossConfig | None = None) -> None:
        """Raise ValueError where `extra` names a function that cannot be found."""
        self.config: LossConfig = config.loss if isinstance(config, TrainConfig) else config or LossConfig()
        self.extra = {name: (named_function(name), weight) for name, weight in self.config.extra.items()}

    def __call__(
        self, predicted: Maps, target: Maps | Tensor, *, adversarial: Tensor | None = None, key: Keys | None = None
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return (loss, its parts by name, detached), all in float32.

        `target` is MaterialMaps or the dataset's tensor (B, 4, 3, H, W). `adversarial` is what `generator_loss` made of
        the discriminator's logits. `key` draws the lights of the re-rendering part, always the same without one.
        """
        truth = MaterialMaps.from_targets(target) if isinstance(target, Tensor) else target
        # Differences of near-equal maps vanish in half precision.
        with torch.autocast(truth["albedo"].device.type, enabled=False):
            mine, true = ({name: maps[name].float() for name in MAP_NAMES} for maps in (predicted, truth))
            total, info = self._sum(mine, true, adversarial, key)
            if "log_variance" in predicted:
                uncertainty = uncertainty_loss(mine, true, predicted["log_variance"].float())
                info["loss_uncertainty"] = uncertainty.detach()
                total = total + UNCERTAINTY_WEIGHT * uncertainty
                info["loss_total"] = total.detach()
            return total, info

    def _sum(
        self, mine: Maps, true: Maps, adversarial: Tensor | None, key: Keys | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        config = self.config
        l1 = {name: (mine[name] - true[name]).abs().mean() for name in MAP_NAMES}
        weights = {name: getattr(config, "w_normal_map" if name == "normal" else f"w_{name}") for name in MAP_NAMES}
        l1_total = torch.stack([weight * l1[name] for name, weight in weights.items()]).sum()
        # One stack and one sum below: fewer kernels than adding part by part.
        total = config.w_l1 * l1_total
        info: dict[str, Tensor] = {f"l1_{name}": value for name, value in l1.items()} | {"loss_l1_total": l1_total}
        if config.loss_type == "hybrid":
            parts = self._parts(mine, true, adversarial, key)
            total = torch.stack([total, *(weight * value for weight, value in parts.values())]).sum()
            info |= {name: value for name, (_, value) in parts.items()}
        # Figures to read, in the user's units; no gradient flows through them.
        with torch.no_grad():
            info["normal_angle_deg"] = angle_degrees(mine["normal"], true["normal"]).mean()
            info["mae_albedo"] = l1["albedo"]
            info["rmse_albedo"] = (mine["albedo"] - true["albedo"]).square().mean().sqrt()
        info["loss_total"] = total
        return total, {name: value.detach() for name, value in info.items()}

    def _parts(
        self, mine: Maps, true: Maps, adversarial: Tensor | None, key: Keys | None
    ) -> dict[str, tuple[float, Tensor]]:
        """Return name → (weight, value) of everything but L1; a part of weight 0 costs nothing."""
        config = self.config
        parts: dict[str, tuple[float, Tensor]] = {}
        if config.w_ssim:
            parts["loss_ssim"] = config.w_ssim, 1 - ssim(mine["albedo"], true["albedo"]).mean()
        if config.w_normal:
            cosine = F.cosine_similarity(mine["normal"], true["normal"], dim=1)
            parts["loss_normal"] = config.w_normal, 1 - cosine.mean()
        # Rendering is the dearest part: without weight it is left out, not multiplied by 0.
        if config.w_render:
            scenes = draw_scenes(key, len(true["albedo"]), config.render_lights)
            difference = log_difference(mine, true, scenes, config.render_epsilon)
            parts["loss_render"] = config.w_render, difference
        if adversarial is not None:
            parts["loss_gan_g"] = config.w_gan, adversarial.float()
        # Last, so that a function of the user's cannot change the draws above.
        for name, (function, weight) in self.extra.items():
            parts[f"loss_{name.rpartition(':')[2]}"] = weight, function(mine, true)
        return parts


def uncertainty_loss(predicted: Maps, true: Maps, log_variance: Float[Tensor, "b m h w"]) -> Float[Tensor, ""]:
    """Return the negative log-likelihood of the maps' squared errors. Kendall and Gal 2017, eq. 8.

    The maps themselves are not moved by it.
    """
    # Detached: a map must not become worse to be predictably wrong.
    squares = [(predicted[name] - true[name]).detach().square().mean(dim=1) for name in MAP_NAMES]
    # exp(10) is enough for the smallest error that 8 bits know, and does not overflow
    log_variance = log_variance.clamp(-10, 10)
    return ((-log_variance).exp() * torch.stack(squares, dim=1) + log_variance).mean() / 2


def angle_degrees(predicted: Float[Tensor, "b 3 h w"], true: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b h w"]:
    """Return the angle between two normals at every texel; neither needs unit length."""
    # atan2 of |a×b| and a·b: acos of a·b knows no angle below 0.01° in float32.
    cross = torch.linalg.cross(predicted, true, dim=1)
    return torch.rad2deg(torch.atan2(cross.norm(dim=1), (predicted * true).sum(1)))


def discriminator_loss(config: LossConfig, real: Tensor, fake: Tensor) -> Float[Tensor, ""]:
    """Return the discriminator's loss from its logits for true and for predicted maps, without its weight."""
    real = real.float()
    fake = fake.float()
    if config.gan_loss_type == "hinge":
        # Lim and Ye 2017, Geometric GAN
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    # Halved, so that one logit weighs as much as in one classifier over both
    return (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2


def generator_loss(config: LossConfig, fake: Tensor) -> Float[Tensor, ""]:
    """Return the generator's adversarial loss from the logits for predicted maps, without its weight."""
    if config.gan_loss_type == "hinge":
        return -fake.float().mean()
    return F.softplus(-fake.float()).mean()


def named_function(name: str) -> Callable[[Maps, Maps], Any]:
    """Import the loss "package.module:function" of (predicted, true) maps; ValueError where there is none.

    It imports the module, which runs its code: for names that the person who trains wrote.
    """
    module, _, function = name.partition(":")
    try:
        found = getattr(import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"loss.extra names {name!r}, which cannot be loaded ({error}); write 'package.module:function'."
        ) from None
    if not callable(found):
        raise ValueError(f"loss.extra names {name!r}, which is a {type(found).__name__}, not a function.")
    return found
