"""Losses of single samples, and mixtures whose terms may need whole patches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from importlib import import_module

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import huber_loss

from easel.graphics.metrics import ssim

HUBER_DELTA = 0.1
"""δ of the Huber loss."""
# The kernel knows losses by their order here: append, never insert.
LOSSES = {
    "mse": lambda predicted, true: (predicted - true).square(),
    "l1": lambda predicted, true: (predicted - true).abs(),
    "huber": lambda predicted, true: huber_loss(predicted, true, reduction="none", delta=HUBER_DELTA),
}
# Large enough for SSIM's window of 11, and so small that a batch holds several.
PATCH = 32
"""Side in pixels of the patches of SSIM and perceptual terms."""
MS_SSIM_PATCH = 176
"""The same for MS-SSIM, whose five scales need more than 160."""


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms of a mixture; 0 leaves a term out. SSIM terms are 1 - SSIM: less is better, as everywhere.

    Of RGBA the colour counts as much as its alpha says, in the terms of single samples.

        model.fit(picture, loss=fields.LossWeights(l1=1.0, ssim=0.2))
    """

    l1: float | int = 0.0
    """Mean of |error|."""
    l2: float | int = 0.0
    """Mean of error²."""
    huber: float | int = 0.0
    """Square below an error of 0.1, straight above."""
    ssim: float | int = 0.0
    """1 - SSIM over random patches of 32 x 32 pixels."""
    ms_ssim: float | int = 0.0
    """1 - MS-SSIM over random patches of 176 x 176 pixels; needs pytorch-msssim."""
    perceptual: float | int = 0.0
    """`metric` of random patches of 32 x 32 pixels."""
    embedding: float | int = 0.0
    """Mean square of a trainable latent."""
    metric: Callable[[Tensor, Tensor], Tensor] | None = None
    """For `perceptual`: takes the field's patches and the true ones, (B, C, H, W) in [0, 1], and gives one number."""

    def __post_init__(self) -> None:
        weights = {name: getattr(self, name) for name in _TERMS}
        for name, weight in weights.items():
            if not 0 <= weight < float("inf"):
                raise ValueError(f"LossWeights.{name} is {weight}; a weight is 0 or more.")
        # The embedding term alone would pull z to zero and leave the picture alone.
        if not any(weight for name, weight in weights.items() if name != "embedding"):
            raise ValueError(f"a mixture needs a term that looks at the target; give one of {', '.join(_TERMS[:-1])}.")
        if self.perceptual and self.metric is None:
            raise ValueError("LossWeights.perceptual needs a metric=, a function (predicted, true) -> one number.")

    @classmethod
    def from_alphas(
        cls,
        l1_alpha: float | int = 0.0,
        l2_alpha: float | int = 0.0,
        ssim_alpha: float | int = 0.0,
        perceptual_alpha: float | int = 0.0,
        discriminator_alpha: float | int = 0.0,
        embedding_alpha: float | int = 0.0,
        metric: Callable[[Tensor, Tensor], Tensor] | None = None,
    ) -> "LossWeights":
        """Convert the arguments of neural-canvas' LossModule; its `ssim` rewarded difference, its `embedding` took the
        picture, and both are right here."""
        # An adversarial loss needs a second network and a data set; a single picture has neither.
        if discriminator_alpha:
            raise ValueError("there is no discriminator loss; use ssim, or perceptual with a metric of your own.")
        return cls(
            l1=l1_alpha,
            l2=l2_alpha,
            ssim=ssim_alpha,
            perceptual=perceptual_alpha,
            embedding=embedding_alpha,
            metric=metric,
        )

    @property
    def alone(self) -> str | None:
        """The knobs' name of a mixture that is one plain loss of weight 1, which the kernel can take; else None."""
        term, *others = [name for name in _TERMS if getattr(self, name)]
        return None if others or getattr(self, term) != 1 else _ALONE.get(term)

    def patch_side(self, size: Sequence[int]) -> int:
        """Return the side of the patches that the terms need in a picture of that size; 0 when single samples do."""
        small = PATCH if self.ssim or self.perceptual else 0
        return min(MS_SSIM_PATCH if self.ms_ssim else small, *size)


def channel_weights(pixels: Float[Tensor, "*n c"]) -> Float[Tensor, "*n 4"] | None:
    """Return the weight of each channel of these pixels: alpha for the colours of RGBA; None when all weigh 1."""
    if pixels.shape[-1] != 4:
        return None
    # What is transparent has no colour to learn, but must learn to be transparent.
    return torch.cat([pixels[..., 3:].expand(*pixels.shape[:-1], 3), torch.ones_like(pixels[..., :1])], dim=-1)


_ALONE = {"l1": "l1", "l2": "mse", "huber": "huber"}
_TERMS = [term.name for term in fields(LossWeights) if term.name != "metric"]


def mean_loss(name: str, predicted: Float[Tensor, "n c"], true: Float[Tensor, "n c"]) -> Float[Tensor, ""]:
    """Average the loss of that name over samples and channels; of RGBA the colour counts as much as its alpha says."""
    losses, weights = LOSSES[name](predicted, true), channel_weights(true)
    return (losses if weights is None else losses * weights).mean()


def mixed_loss(
    weights: LossWeights,
    predicted: Float[Tensor, "n c"],
    true: Float[Tensor, "n c"],
    latent: Float[Tensor, " l"] | None,
    size: Sequence[int],
) -> Float[Tensor, ""]:
    """Return the mixture's value; where it needs patches, the samples are those of whole ones, one after the other."""
    total = predicted.new_zeros(())
    for term, name in _ALONE.items():
        if getattr(weights, term):
            total = total + getattr(weights, term) * mean_loss(name, predicted, true)
    if side := weights.patch_side(size):
        found, wanted = (values.view(-1, side, side, values.shape[-1]) for values in (predicted, true))
        if weights.ssim:
            similar = torch.stack([ssim(*pair) for pair in zip(found, wanted, strict=True)]).mean()
            total = total + weights.ssim * (1 - similar).float()
        # Libraries take channels first.
        found = found.permute(0, 3, 1, 2)
        wanted = wanted.permute(0, 3, 1, 2)
        if weights.ms_ssim:
            total = total + weights.ms_ssim * (1 - _ms_ssim(found, wanted))
        if weights.perceptual and weights.metric is not None:
            total = total + weights.perceptual * weights.metric(found, wanted)
    if weights.embedding and latent is not None:
        total = total + weights.embedding * latent.square().mean()
    return total


def _ms_ssim(found: Float[Tensor, "b c h w"], wanted: Float[Tensor, "b c h w"]) -> Float[Tensor, ""]:
    # Imported on demand: the library is optional and takes a moment.
    try:
        library = import_module("pytorch_msssim")
    except ImportError as error:
        raise ImportError("the MS-SSIM loss needs pytorch-msssim: pip install 'torch-easel[train]'") from error
    return library.ms_ssim(found, wanted, data_range=1.0)
