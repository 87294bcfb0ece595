"""Several photos' features become one, whatever their number and order."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from easel.materials.models.attention import HIDDEN, Bias, Tokens


def shown_share(valid: Float[Tensor, "b n 1 h w"], height: int, width: int) -> Float[Tensor, "b n height width"]:
    """Return the share of every coarse texel that a photo shows, in [0,1]."""
    rows = valid.shape[-2] // height
    columns = valid.shape[-1] // width
    if rows * height == valid.shape[-2] and columns * width == valid.shape[-1]:
        # The same, and exported for any size.
        return F.avg_pool2d(valid[:, :, 0], (rows, columns))
    return F.adaptive_avg_pool2d(valid[:, :, 0], (height, width))


def mean_and_maximum(
    features: Float[Tensor, "b n c h w"], shown: Float[Tensor, "b n h w"] | None
) -> Float[Tensor, "b 2*c h w"]:
    """Return mean and maximum over the photos, as far as they show a texel; 0 where none does."""
    if shown is None:
        return torch.cat([features.mean(1), features.amax(1)], dim=1)
    share = shown[:, :, None].to(features.dtype)
    mean = (features * share).sum(1) / share.sum(1).clamp_min(1e-6)
    # No photo that shows the texel is below it.
    lowest = torch.finfo(features.dtype).min
    maximum = features.where(share > 0, lowest).amax(1).where(share.amax(1) > 0, 0)
    return torch.cat([mean, maximum], dim=1)


class PhotoPooling(nn.Module):
    """Mean and maximum over the photos, mixed by a 1x1 convolution; it starts as the mean."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(2 * inputs, outputs, 1, bias=False)
        # An identity for the means: training starts from plain averaging.
        if inputs == outputs:
            nn.init.zeros_(self.mix.weight)
            with torch.no_grad():
                self.mix.weight[:, :inputs, 0, 0].fill_diagonal_(1.0)

    def forward(
        self, features: Float[Tensor, "b n c h w"], shown: Float[Tensor, "b n h w"] | None
    ) -> Float[Tensor, "b d h w"]:
        return self.mix(mean_and_maximum(features, shown))


class PoolFusion(nn.Module):
    """Fusion of latents without anything between texels: mean and maximum over the photos."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.pool = PhotoPooling(channels, channels)

    def forward(
        self,
        latents: Float[Tensor, "b n c h w"],
        shown: Float[Tensor, "b n h w"] | None,
        cameras: Float[Tensor, "b n 3"] | None,
    ) -> Float[Tensor, "b c h w"]:
        """Fuse photos; `cameras` is not used."""
        return self.pool(latents, shown)


class AttentionPooling(nn.Module):
    """A weighted mean over the photos at every texel: each head asks its learned question, the same of every photo."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_in = nn.LayerNorm(dim)
        self.query = nn.Linear(dim, heads)
        self.norm_out = nn.LayerNorm(dim)

    def forward(self, tokens: Tokens, bias: Bias | None) -> Float[Tensor, "b h w d"]:
        # One logit per head: a dot product with a query that does not depend on the texel.
        logits = self.query(self.norm_in(tokens))
        if bias is not None:
            logits = logits + bias[..., None].to(logits.dtype)
        b, n, h, w, d = tokens.shape
        # Texels in one dimension: Core ML has no more than five.
        weights = logits.softmax(dim=1).reshape(b, n, h * w, self.heads, 1)
        mixed = (tokens.reshape(b, n, h * w, self.heads, -1) * weights).sum(1).reshape(b, h, w, d)
        if bias is not None:
            # A texel that no photo shows says nothing, not what hidden photos say.
            mixed = mixed.where(bias.amax(1)[..., None] > HIDDEN / 2, 0)
        return self.norm_out(mixed)
