"""PSNR and SSIM against scikit-image, their symmetries and their gradients."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from easel.graphics.metrics import psnr, ssim, ssim_map

sizes = st.tuples(st.integers(1, 30), st.integers(1, 30), st.sampled_from([1, 3, 4]))


def _pair(shape: tuple[int, ...], seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    true = torch.rand(shape, generator=generator)
    return (true + 0.2 * torch.randn(shape, generator=generator)).clamp(0, 1), true


@pytest.mark.parametrize("shape", [(11, 11, 1), (40, 33, 3), (11, 64, 4), (65, 12, 1)])
def test_both_equal_scikit_image(shape):
    predicted, true = _pair(shape)
    arrays = predicted.double().numpy(), true.double().numpy()
    reference = structural_similarity(
        *arrays, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1, channel_axis=-1
    )
    assert ssim(predicted, true).item() == pytest.approx(reference, abs=1e-12)
    assert psnr(predicted, true).item() == pytest.approx(peak_signal_noise_ratio(*arrays, data_range=1), abs=1e-10)


@settings(deadline=None, max_examples=40)
@given(sizes, st.integers(0, 99))
def test_a_picture_equals_itself_and_order_does_not_matter(shape, seed):
    predicted, true = _pair(shape, seed)
    assert ssim(true, true).item() == pytest.approx(1, abs=1e-9) and psnr(true, true).item() == math.inf
    assert -1 <= ssim(predicted, true).item() < 1
    assert ssim(predicted, true).item() == pytest.approx(ssim(true, predicted).item(), abs=1e-12)
    assert ssim(predicted.mT.contiguous().mT, true).item() == pytest.approx(ssim(predicted, true).item(), abs=1e-12)
    assert ssim(predicted.flip(0), true.flip(0)).item() == pytest.approx(ssim(predicted, true).item(), abs=1e-9)
    turned = ssim(predicted.transpose(0, 1), true.transpose(0, 1)).item()
    assert turned == pytest.approx(ssim(predicted, true).item(), abs=1e-9)


def test_a_pixel_alone_compares_brightness():
    half, quarter = torch.full((1, 1, 3), 0.5), torch.full((1, 1, 3), 0.25)
    expected = (2 * 0.5 * 0.25 + 1e-4) / (0.5**2 + 0.25**2 + 1e-4)
    assert ssim(half, quarter).item() == pytest.approx(expected)
    assert psnr(half, quarter).item() == pytest.approx(-10 * math.log10(1 / 16))


def test_worked_by_hand():
    # An error of 0.1 everywhere is 20 dB; half of the pixels off by 0.1 lies 10·log10(2) above it.
    true = torch.full((20, 20, 3), 0.5)
    assert psnr(true + 0.1, true).item() == pytest.approx(20, abs=1e-5)
    half = true.clone()
    half[::2] += 0.1
    assert psnr(half, true).item() == pytest.approx(20 + 10 * math.log10(2), abs=1e-5)


def test_worse_is_lower():
    generator = torch.Generator().manual_seed(0)
    true = torch.rand(32, 32, 3, generator=generator)
    noise = torch.randn(32, 32, 3, generator=generator)
    levels = [0.01, 0.05, 0.2]
    for metric in (psnr, ssim):
        scores = [metric(true + level * noise, true).item() for level in levels]
        assert scores == sorted(scores, reverse=True) and scores[0] > scores[-1] + 0.1


def test_tiny_errors_of_many_pixels_are_not_lost():
    true = torch.full((500, 500, 3), 0.5, dtype=torch.float64)
    predicted = true + 1e-7
    assert psnr(predicted, true).item() == pytest.approx(140, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("metric", [psnr, ssim])
def test_gradients(metric):
    predicted, true = (t.double() for t in _pair((13, 12, 2)))
    assert torch.autograd.gradcheck(lambda t: metric(t, true), predicted.requires_grad_())


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_shapes_must_agree(metric):
    # (4, 4, 1) against (4, 4, 3) would broadcast, and mean something else
    with pytest.raises((ValueError, TypeError), match=r"shape|4 4 3|Type-check"):
        metric(torch.zeros(4, 4, 1), torch.zeros(4, 4, 3))


@pytest.mark.parametrize("shape", [(40, 33, 3), (12, 64, 1), (5, 7, 3), (1, 1, 3)])
def test_the_map_is_where_the_similarity_is(shape):
    predicted, true = _pair(shape)
    found = ssim_map(predicted, true)
    assert found.shape == shape[:2]
    if min(shape[:2]) > 11:
        assert found[5:-5, 5:-5].mean().item() == pytest.approx(ssim(predicted, true).item(), abs=1e-12)
    assert ssim_map(true, true).min().item() == pytest.approx(1, abs=1e-9)
    damaged = true.clone()
    damaged[0, 0] = 1 - damaged[0, 0]
    assert ssim_map(damaged, true)[0, 0] < 1
