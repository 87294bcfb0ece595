"""Windows cover a picture, their weights add up to one, and blending is invisible where all windows agree."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from easel.materials.tiles import Crop, Tiling, blend, spans

SIZES = st.tuples(st.integers(1, 300), st.integers(8, 96), st.integers(1, 48), st.booleans())


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(SIZES)
def test_weights_add_up_to_one_and_neighbours_share_what_was_asked(given):
    length, tile, overlap, wrap = given
    overlap = min(overlap, tile // 2)
    parts = spans(length, tile, overlap, wrap=wrap)
    total = torch.zeros(length)
    for part in parts:
        assert (part.weights > 0).all()
        assert len(part.weights) <= tile
        total.index_add_(0, (part.start + torch.arange(len(part.weights))) % length, part.weights)
    assert torch.allclose(total, torch.ones(length), atol=1e-5)
    for before, after in pairwise(parts):
        assert before.start + len(before.weights) - after.start >= overlap
    if wrap:
        assert parts[-1].start + len(parts[-1].weights) - length >= overlap


def test_two_windows_cross_as_a_raised_cosine():
    first, second = spans(24, 16, 8)
    assert (first.start, second.start) == (0, 8)
    middles = (torch.arange(8) + 0.5) / 8
    assert torch.allclose(second.weights[:8], 0.5 - 0.5 * torch.cos(torch.pi * middles), atol=1e-6)
    assert torch.allclose(first.weights[8:] + second.weights[:8], torch.ones(8))
    assert (first.weights[:8] == 1).all() and (second.weights[8:] == 1).all()


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("size", [(50, 33), (16, 16), (7, 90)])
def test_blending_what_does_not_depend_on_the_window_gives_the_picture_back(size, wrap):
    picture = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
    tiling = Tiling(size, 16, 6, wrap)
    assert torch.allclose(blend(lambda window: window.cut(picture), tiling), picture, atol=1e-5)
    assert len(tiling) == len(list(tiling))


def test_a_network_that_enlarges():
    picture = torch.rand(1, 40, 24, generator=torch.Generator().manual_seed(0))
    larger = picture.repeat_interleave(2, 1).repeat_interleave(2, 2)
    blended = blend(
        lambda window: window.cut(picture).repeat_interleave(2, 1).repeat_interleave(2, 2),
        Tiling((40, 24), 16, 8),
        scale=2,
    )
    assert torch.allclose(blended, larger, atol=1e-5)


def test_what_is_seen_over_the_edge_is_the_other_side():
    picture = torch.arange(12).reshape(1, 3, 4)
    assert torch.equal(Crop(2, 3, 2, 3).cut(picture)[0], torch.tensor([[11, 8, 9], [3, 0, 1]]))


def test_a_wrapped_blend_has_no_seam():
    """Each window says its own constant: blended, the picture is as smooth over the edge as inside."""
    said = iter(torch.rand(100, generator=torch.Generator().manual_seed(3)).tolist())
    blended = blend(lambda w: torch.full((1, w.height, w.width), next(said)), Tiling((64, 64), 32, 16, wrap=True))
    for axis in (1, 2):
        steps = (blended - blended.roll(1, axis)).abs().amax(3 - axis)
        assert steps.flatten()[0] <= 1.1 * steps.max() and steps.max() < 0.12


def test_cameras_in_the_frame_of_a_window():
    cameras = torch.tensor([[0.25, 0.25, 1.0], [float("nan")] * 3])
    seen = Crop(0, 50, 50, 50).positions(cameras, (100, 100))
    # The upper right quarter has its middle at (¼, ¼), and its unit is half as long.
    assert torch.allclose(seen[0], torch.tensor([0.0, 0.0, 2.0])) and seen[1].isnan().all()
    assert torch.equal(Crop(0, 0, 100, 100).positions(cameras, (100, 100))[0], cameras[0])


def test_an_overlap_that_leaves_nothing_is_told():
    with pytest.raises(ValueError, match="overlap by 1 to 32; got 40"):
        spans(100, 64, 40)
