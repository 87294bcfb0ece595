"""Base of all encoders: stages one after another, whose results a decoder sees again."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

NORMS = (nn.BatchNorm2d, nn.GroupNorm, nn.InstanceNorm2d)


class StagedEncoder(nn.Module):
    """Sees each photo alone; every encoder is one."""

    skip_channels: list[int]
    """Channels of the features, finest first."""
    channels: int
    """Channels of the latent."""

    def __init__(self) -> None:
        super().__init__()
        self.recomputes = False
        """Stages keep only their inputs, and run again when gradients are asked for."""
        self._has_frozen_norms = False

    @property
    def stages(self) -> list[Callable[[Tensor], Tensor]]:
        """Layers that a photo passes in order; the result of each but the last is a feature."""
        raise NotImplementedError

    @property
    def early(self) -> list[nn.Module]:
        """Layers that `freeze(backbone=True)` keeps as they are."""
        raise NotImplementedError

    def forward(self, photos: Float[Tensor, "b c h w"]) -> tuple[list[Tensor], Tensor]:
        """Return (features, finest first, and latent), each (b, channels, height, width)."""
        found = [photos]
        for stage in self.stages:
            found.append(recomputed(stage, found[-1]) if self.recomputes else stage(found[-1]))
        return found[1:-1], found[-1]

    def freeze(self, *, backbone: bool, norms: bool) -> None:
        """Take the early convolutions, and scales, shifts and statistics of all norms, out of training."""
        if backbone:
            for module in (module for part in self.early for module in part.modules()):
                if isinstance(module, nn.Conv2d):
                    module.requires_grad_(False)
        if norms:
            self._has_frozen_norms = True
            for module in self.modules():
                if isinstance(module, NORMS):
                    module.requires_grad_(False)
            # Puts the norms that were just frozen into evaluation mode.
            self.train(self.training)

    def train(self, mode: bool = True) -> "StagedEncoder":
        """Set the mode as every module does, but keep frozen statistics as they are."""
        super().train(mode)
        if self._has_frozen_norms:
            for module in self.modules():
                if isinstance(module, NORMS):
                    module.eval()
        return self


def recomputed(layer: Callable[..., Any], *inputs: Any) -> Any:
    """Run a layer without keeping what its gradient needs: it runs again for that."""
    # Nothing is kept without gradients: there is nothing to recompute.
    if not torch.is_grad_enabled():
        return layer(*inputs)
    # The reentrant variant needs inputs with gradients, which photos have not.
    return checkpoint(layer, *inputs, use_reentrant=False)
