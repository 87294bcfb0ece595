"""Attention between the photos of a material."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from easel.materials.config import ModelConfig
from easel.materials.models.attention import AcrossPhotos, Everything, TransformerBlock, Windows, shown_bias
from easel.materials.models.backbone import recomputed
from easel.materials.models.pooling import AttentionPooling
from easel.materials.models.positional_encoding import TokenCodes


class ViTFusion(nn.Module):
    """Tokens of all photos through transformer blocks, then a learned mean over the photos.

    Blocks look across the photos at every texel and, in turn, around within each photo; or everywhere at once. No
    weight belongs to a photo's number, so their order and count do not matter.
    """

    def __init__(self, channels: int, config: ModelConfig) -> None:
        super().__init__()
        dim = config.transformer_dim
        heads = config.transformer_num_heads
        depth = config.transformer_depth
        self.channels = dim
        self.recomputes = config.gradient_checkpointing
        self.project = nn.Conv2d(channels, dim, 1) if channels != dim else nn.Identity()
        self.codes = TokenCodes(dim, position=config.position_code, view=config.view_code)
        self.blocks = nn.ModuleList(
            TransformerBlock(
                dim,
                heads,
                config.transformer_mlp_ratio,
                attention_drop=config.transformer_attn_drop,
                drop=config.transformer_proj_drop,
                path_drop=config.transformer_drop_path_rate * index / max(1, depth - 1),
                groups=_groups(index, config),
            )
            for index in range(depth)
        )
        self.pool = AttentionPooling(dim, heads)
        initialise_linear(self)

    def forward(
        self,
        latents: Float[Tensor, "b n c h w"],
        shown: Float[Tensor, "b n h w"] | None,
        cameras: Float[Tensor, "b n 3"] | None,
    ) -> Float[Tensor, "b d h w"]:
        b, n = latents.shape[:2]
        tokens = self.project(latents.flatten(0, 1)).unflatten(0, (b, n)).permute(0, 1, 3, 4, 2)
        tokens = self.codes(tokens, cameras)
        bias = None if shown is None else shown_bias(shown)
        for block in self.blocks:
            tokens = recomputed(block, tokens, bias) if self.recomputes else block(tokens, bias)
        return self.pool(tokens, bias).permute(0, 3, 1, 2)


def _groups(index: int, config: ModelConfig) -> AcrossPhotos | Windows | Everything:
    """Return the groups of tokens within which block `index` looks."""
    if config.fusion_attention == "global":
        return Everything()
    if index % 2 == 0:
        return AcrossPhotos()
    # Every second window block is shifted, so that no border between windows stays.
    return Windows(config.window_size, index % 4 == 3, config.padding)


def initialise_linear(network: nn.Module) -> None:
    """Draw small weights and no biases, as Vision Transformers start (Dosovitskiy et al. 2021)."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            torch.nn.init.zeros_(module.bias)
