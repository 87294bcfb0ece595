"""Transformer blocks over the tokens of several photos, and the groups within which tokens see one another.

Tokens are (b, n, h, w, d): samples, photos, rows, columns, numbers. Their bias (b, n, h, w) is added to the logits of
attention: 0 where a photo shows the texel, the logarithm of the shown share where it shows a part, `HIDDEN` where
nothing.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from easel.materials.models.layers import DropPath, Padding

HIDDEN = -1e4
"""exp of it is 0 in every precision, and float16 still holds it. −inf would make a softmax over nothing NaN."""

Tokens = Float[Tensor, "b n h w d"]
Bias = Float[Tensor, "b n h w"]
Groups = Float[Tensor, "g t d"]
GroupBias = Float[Tensor, "g t"]


def shown_bias(shown: Float[Tensor, "b n h w"]) -> Bias:
    """Return the bias of attention from the share of each texel that is shown."""
    return shown.clamp_min(1e-6).log().where(shown > 0, HIDDEN)


class AcrossPhotos:
    """A group is one texel of all photos."""

    def split(self, tokens: Tokens) -> Groups:
        return tokens.permute(0, 2, 3, 1, 4).flatten(0, 2)

    def join(self, groups: Groups, like: Tokens) -> Tokens:
        b, n, h, w, d = like.shape
        return groups.reshape(b, h, w, n, d).permute(0, 3, 1, 2, 4)

    def split_bias(self, bias: Bias | None, like: Tokens) -> GroupBias | None:
        if bias is None:
            return None
        return self.split(bias[..., None])[..., 0]


class Everything:
    """A group is every texel of all photos of a sample: time grows with the square of their number."""

    def split(self, tokens: Tokens) -> Groups:
        return tokens.flatten(1, 3)

    def join(self, groups: Groups, like: Tokens) -> Tokens:
        return groups.reshape(like.shape)

    def split_bias(self, bias: Bias | None, like: Tokens) -> GroupBias | None:
        return None if bias is None else bias.flatten(1)


@dataclass(frozen=True)
class Windows:
    """A group is a square of texels of one photo; shifted by half a side, others meet."""

    side: int
    shifted: bool
    padding: Padding

    def split(self, tokens: Tokens) -> Groups:
        side, rows, columns = self._grid(tokens)
        if self.padding == "circular":
            padded = _wrapped(_wrapped(tokens, 2, rows), 3, columns)
        else:
            padded = F.pad(tokens, (0, 0, *columns, *rows))
        w, d = padded.shape[-2:]
        # No more than five dimensions: Core ML has no more.
        squares = padded.reshape(-1, side, w // side, side, d).transpose(1, 2)
        return squares.reshape(-1, side * side, d)

    def join(self, groups: Groups, like: Tokens) -> Tokens:
        b, n, h, w, d = like.shape
        side, (top, bottom), (left, right) = self._grid(like)
        high = top + h + bottom
        wide = left + w + right
        squares = groups.reshape(-1, wide // side, side, side, d).transpose(1, 2)
        return squares.reshape(b, n, high, wide, d)[:, :, top : top + h, left : left + w]

    def split_bias(self, bias: Bias | None, like: Tokens) -> GroupBias | None:
        """Hide what lies beyond the edge, unless it is the other edge. None where nothing is hidden."""
        _, rows, columns = self._grid(like)
        if bias is None:
            if self.padding == "circular" or not any((*rows, *columns)):
                return None
            bias = like.new_zeros(like.shape[:-1])
        if self.padding == "zeros":
            bias = F.pad(bias, (*columns, *rows), value=HIDDEN)
            return Windows(self.side, False, "zeros").split(bias[..., None])[..., 0]
        return self.split(bias[..., None])[..., 0]

    def _grid(self, tokens: Tokens) -> tuple[int, tuple[int, int], tuple[int, int]]:
        """Return (side, rows before and after, columns before and after) that whole windows need beyond the picture."""
        height, width = tokens.shape[2:4]
        side = min(self.side, max(height, width))

        def beyond(size: int) -> tuple[int, int]:
            # Where one window holds it all, a shift would only cut it.
            before = side // 2 if self.shifted and size > side else 0
            return before, -(size + before) % side

        return side, beyond(height), beyond(width)


def _wrapped(x: Tensor, dim: int, beyond: tuple[int, int]) -> Tensor:
    """Pad with as many rows or columns before and after, from the opposite edge."""
    if not any(beyond):
        return x
    size = x.shape[dim]
    return x.index_select(dim, torch.arange(-beyond[0], size + beyond[1], device=x.device) % size)


class Attention(nn.Module):
    """Multi-head self-attention (Vaswani et al. 2017)."""

    def __init__(self, dim: int, heads: int, *, attention_drop: float, drop: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_drop = attention_drop
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.drop = nn.Dropout(drop)

    def forward(self, x: Groups, bias: GroupBias | None) -> Groups:
        g, t, d = x.shape
        # One matrix for all three: one large product is faster than three.
        query, key, value = self.qkv(x).reshape(g, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        # The mask is added to the logits: the same for all heads and all queries.
        mask = None if bias is None else bias[:, None, None].to(query.dtype)
        # scaled_dot_product_attention drops weights whenever the rate is above 0, in evaluation, too.
        rate = self.attention_drop if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, mask, rate)
        return self.drop(self.proj(mixed.transpose(1, 2).reshape(g, t, d)))


class TransformerBlock(nn.Module):
    """Attention within groups, then two linear layers; both behind a LayerNorm and beside a shortcut."""

    def __init__(
        self,
        dim: int,
        heads: int,
        mlp_ratio: float,
        *,
        attention_drop: float,
        drop: float,
        path_drop: float,
        groups: AcrossPhotos | Windows | Everything,
    ) -> None:
        super().__init__()
        self.groups = groups
        self.norm1 = nn.LayerNorm(dim)
        self.attn = Attention(dim, heads, attention_drop=attention_drop, drop=drop)
        self.norm2 = nn.LayerNorm(dim)
        hidden = int(dim * mlp_ratio)
        self.mlp = nn.Sequential(
            nn.Linear(dim, hidden), nn.GELU(), nn.Dropout(drop), nn.Linear(hidden, dim), nn.Dropout(drop)
        )
        self.path = DropPath(path_drop)

    def forward(self, tokens: Tokens, bias: Bias | None) -> Tokens:
        # Pre-norm (Xiong et al. 2020): the shortcut is never normalised, so deep stacks train.
        groups = self.groups.split(self.norm1(tokens))
        mixed = self.attn(groups, self.groups.split_bias(bias, tokens))
        tokens = tokens + self.path(self.groups.join(mixed, tokens))
        return tokens + self.path(self.mlp(self.norm2(tokens)))
