"""Groups of tokens: what is split is joined again, and nobody looks outside."""

import pytest
import torch

from easel.materials.models.attention import HIDDEN, AcrossPhotos, Everything, TransformerBlock, Windows, shown_bias

GROUPS = [AcrossPhotos(), Everything(), *(Windows(4, s, p) for s in (False, True) for p in ("zeros", "circular"))]


def named(groups: object) -> str:
    """What a test is called after: no address of an object, which differs from run to run and from worker to worker."""
    return type(groups).__name__ if type(groups).__repr__ is object.__repr__ else repr(groups)


@pytest.mark.parametrize("groups", GROUPS, ids=named)
@pytest.mark.parametrize(("height", "width"), [(8, 8), (5, 9), (3, 4), (1, 13)])
def test_what_is_split_is_joined_again(groups, height, width):
    tokens = torch.rand(2, 3, height, width, 5)
    assert torch.equal(groups.join(groups.split(tokens), tokens), tokens)


@pytest.mark.parametrize("groups", GROUPS, ids=named)
def test_a_bias_goes_with_its_tokens(groups):
    bias = torch.randn(2, 3, 5, 9)
    split = groups.split_bias(bias, bias[..., None])
    values = groups.split(bias[..., None])[..., 0]
    beyond = split == HIDDEN
    assert torch.equal(split[~beyond], values[~beyond])
    assert beyond.any() == (isinstance(groups, Windows) and groups.padding == "zeros")


@pytest.mark.parametrize("groups", GROUPS, ids=named)
def test_attention_reaches_its_group_and_no_further(groups):
    torch.manual_seed(0)
    block = TransformerBlock(8, 2, 2.0, attention_drop=0.0, drop=0.0, path_drop=0.0, groups=groups).eval()
    tokens = torch.rand(1, 2, 8, 8, 8, requires_grad=True)
    block(tokens, None)[0, 0, 1, 1].sum().backward()
    reached = {tuple(index) for index in tokens.grad.abs().sum(-1)[0].nonzero().tolist()}
    rows = [-2 % 8, -1 % 8, 0, 1] if isinstance(groups, Windows) and groups.padding == "circular" else [0, 1]
    if not isinstance(groups, Windows):
        everywhere = {(n, i, j) for n in range(2) for i in range(8) for j in range(8)}
        expected = everywhere if isinstance(groups, Everything) else {(0, 1, 1), (1, 1, 1)}
    else:
        rows = rows if groups.shifted else range(4)
        expected = {(0, i, j) for i in rows for j in rows}
    assert reached == expected


def test_hidden_texels_are_not_looked_at():
    torch.manual_seed(0)
    block = TransformerBlock(
        8, 2, 2.0, attention_drop=0.0, drop=0.0, path_drop=0.0, groups=Windows(4, False, "zeros")
    ).eval()
    tokens = torch.rand(1, 1, 4, 4, 8, requires_grad=True)
    shown = torch.ones(1, 1, 4, 4)
    shown[..., 2:] = 0
    block(tokens, shown_bias(shown))[0, 0, 0, 0].sum().backward()
    assert tokens.grad[..., 2:, :].abs().max() == 0
    assert tokens.grad[..., :2, :].abs().min(-1).values.min() > 0


def test_half_shown_counts_half():
    bias = shown_bias(torch.tensor([1.0, 0.5, 0.0]).reshape(1, 3, 1, 1))
    weights = bias.softmax(1).flatten()
    torch.testing.assert_close(weights, torch.tensor([2 / 3, 1 / 3, 0.0]))
