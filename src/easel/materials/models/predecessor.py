"""The structure of Easel's predecessor, for comparison: a fixed number of photos, in a fixed order.

It is `config.model.fusion = "concat"`; features that the decoder sees again are averaged over the photos. With
`norm = "batch"` the whole network has the predecessor's layers and number of weights.
"""

from jaxtyping import Float
from torch import Tensor, nn

from easel.materials.config import ModelConfig
from easel.materials.models.attention import Everything, TransformerBlock
from easel.materials.models.backbone import recomputed
from easel.materials.models.fusion import initialise_linear


class ConcatFusion(nn.Module):
    """Attention between all texels of all photos; then a matrix over the photos' tokens, laid end to end."""

    def __init__(self, channels: int, num_views: int, config: ModelConfig) -> None:
        super().__init__()
        dim = config.transformer_dim
        depth = config.transformer_depth
        self.channels = dim
        self.num_views = num_views
        self.recomputes = config.gradient_checkpointing
        self.project = nn.Conv2d(channels, dim, 1) if channels != dim else nn.Identity()
        self.blocks = nn.ModuleList(
            TransformerBlock(
                dim,
                config.transformer_num_heads,
                config.transformer_mlp_ratio,
                attention_drop=config.transformer_attn_drop,
                drop=config.transformer_proj_drop,
                path_drop=config.transformer_drop_path_rate * index / max(1, depth - 1),
                groups=Everything(),
            )
            for index in range(depth)
        )
        self.fusion = nn.Linear(num_views * dim, dim)
        self.norm = nn.LayerNorm(dim)
        initialise_linear(self)

    def forward(
        self,
        latents: Float[Tensor, "b n c h w"],
        shown: Float[Tensor, "b n h w"] | None,
        cameras: Float[Tensor, "b n 3"] | None,
    ) -> Float[Tensor, "b d h w"]:
        """Fuse photos; `shown` and `cameras` are not used."""
        b, n = latents.shape[:2]
        if n != self.num_views:
            raise ValueError(f"fusion 'concat' was built for {self.num_views} photos and got {n}: 'vit' takes any.")
        tokens = self.project(latents.flatten(0, 1)).unflatten(0, (b, n)).permute(0, 1, 3, 4, 2)
        for block in self.blocks:
            tokens = recomputed(block, tokens, None) if self.recomputes else block(tokens, None)
        # Position in the concatenation is what tells photos apart: hence the fixed order.
        fused = self.norm(self.fusion(tokens.permute(0, 2, 3, 1, 4).flatten(-2)))
        return fused.permute(0, 3, 1, 2)


class MeanOverPhotos(nn.Module):
    """Features that the decoder sees again, averaged over the photos."""

    def forward(
        self, features: Float[Tensor, "b n c h w"], shown: Float[Tensor, "b n h w"] | None
    ) -> Float[Tensor, "b c h w"]:
        """Average over the photos; `shown` is not used."""
        return features.mean(1)
