"""FLIP against what its authors' own program answers, and what their paper says of it."""

import pytest
import torch

from easel.graphics.flip import flip, flip_map


def pattern() -> tuple[torch.Tensor, torch.Tensor]:
    """A ramp of an orange, and the same with a faint checkerboard over it."""
    across, down = torch.linspace(0, 1, 96)[None, :, None], torch.linspace(0.2, 1, 64)[:, None, None]
    ramp = across * torch.tensor([1.0, 0.6, 0.2]) * down
    squares = ((torch.arange(64)[:, None] // 8 + torch.arange(96) // 8) % 2)[..., None] * 0.2
    return (ramp + squares).clamp(0, 1), ramp


def noise(seed: int = 0) -> torch.Tensor:
    return torch.rand(40, 50, 3, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("pixels_per_degree", "mean"), [(30, 0.378504), (67.0206, 0.417997), (120, 0.420666)])
def test_it_is_what_the_authors_program_answers(pixels_per_degree, mean):
    """flip-evaluator 1.7, LDR, on the same pictures."""
    predicted, true = pattern()
    assert flip(predicted, true, pixels_per_degree).item() == pytest.approx(mean, abs=1e-5)
    if pixels_per_degree == 67.0206:
        answers = flip_map(predicted, true)
        for at, value in (((10, 10), 0.0512), ((32, 48), 0.3954), ((60, 90), 0.3638)):
            assert answers[at].item() == pytest.approx(value, abs=6e-5)


def test_black_and_white_are_nearly_as_far_apart_as_it_goes():
    assert flip(torch.zeros(20, 20, 3), torch.ones(20, 20, 3)).item() == pytest.approx(0.967386, abs=1e-5)


def test_equal_pictures_do_not_differ_and_the_order_does_not_matter():
    a, b = noise(), noise(1)
    assert flip_map(a, a).max() == 0
    assert torch.allclose(flip_map(a, b), flip_map(b, a), atol=1e-6)


def test_it_grows_with_the_error_and_stays_within_its_range():
    true, error = noise(), noise(1) - 0.5
    means = [flip((true + size * error).clamp(0, 1), true).item() for size in (0.02, 0.05, 0.1, 0.3, 1.0)]
    assert means == sorted(means) and 0 < means[0] and means[-1] < 1
    assert flip_map(noise(), 1 - noise()).max() <= 1


def test_what_the_eye_cannot_resolve_counts_less():
    """A checkerboard of single pixels is grey from afar; the same change in one large patch is not."""
    grey, amount = torch.full((64, 64, 3), 0.5), 0.08
    fine = ((torch.arange(64)[:, None] + torch.arange(64)) % 2 * 2 - 1)[..., None] * amount
    patch = torch.where(torch.arange(64) < 32, amount, -amount)[None, :, None]
    assert flip(grey + fine, grey, 120) < 0.5 * flip(grey + patch, grey, 120)
