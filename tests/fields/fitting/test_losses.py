import sys

import pytest
import torch

from easel.fields.fitting.losses import LOSSES, LossWeights, mean_loss, mixed_loss
from easel.graphics.metrics import ssim

SIZE = (32, 40)
PREDICTED, TRUE = torch.rand(2, 2 * 32 * 32, 3, generator=torch.Generator().manual_seed(0))


def mixture(latent=None, predicted=PREDICTED, true=TRUE, **weights):
    return mixed_loss(LossWeights(**weights), predicted, true, latent, SIZE).item()


@pytest.mark.parametrize("loss", LOSSES)
def test_of_rgba_the_colour_counts_as_much_as_its_alpha(loss):
    true = torch.rand(50, 4, generator=torch.Generator().manual_seed(1))
    wrong = true + 0.3
    hidden = true.clone()
    hidden[:, 3] = 0.0
    assert mean_loss(loss, hidden + torch.tensor([0.5, -0.5, 1.0, 0.0]), hidden) == 0
    assert 0 < mean_loss(loss, wrong, true) < mean_loss(loss, wrong[:, :3], true[:, :3])


def test_a_mixture_is_the_sum_of_its_terms():
    terms = {"l1": 0.5, "l2": 2.0, "huber": 1.0, "ssim": 0.25}
    assert mixture(**terms) == pytest.approx(sum(mixture(**{name: weight}) for name, weight in terms.items()))
    assert mixture(l2=2) == pytest.approx(2 * mean_loss("mse", PREDICTED, TRUE).item())


def test_the_ssim_term_is_zero_between_equals_and_grows_with_the_difference():
    assert mixture(predicted=TRUE, ssim=1) == pytest.approx(0, abs=1e-6)
    patches = [values.view(2, 32, 32, 3) for values in (PREDICTED, TRUE)]
    expected = 1 - torch.stack([ssim(*pair) for pair in zip(*patches, strict=True)]).mean().item()
    assert mixture(ssim=1) == pytest.approx(expected, abs=1e-6)


def test_a_metric_of_ones_own_sees_patches_with_channels_first():
    seen = []

    def metric(found, wanted):
        seen.extend([found.shape, wanted.shape])
        return (found - wanted).abs().amax()

    assert mixture(perceptual=2, metric=metric) == pytest.approx(2 * (PREDICTED - TRUE).abs().max().item())
    assert seen == [(2, 3, 32, 32)] * 2


def test_the_embedding_term_is_of_the_latent():
    latent = torch.tensor([1.0, -3.0])
    assert mixture(latent, predicted=TRUE, l2=1, embedding=0.1) == pytest.approx(0.5)


def test_the_ms_ssim_term():
    pytest.importorskip("pytorch_msssim")
    picture = torch.rand(176 * 176, 3, generator=torch.Generator().manual_seed(0))
    weights = LossWeights(ms_ssim=1)
    assert weights.patch_side((500, 400)) == 176
    same, other = (mixed_loss(weights, found, picture, None, (500, 400)) for found in (picture, 1 - picture))
    assert same.item() == pytest.approx(0, abs=1e-5) and other > 0.5


def test_without_its_library_the_ms_ssim_term_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytorch_msssim", None)
    with pytest.raises(ImportError, match=r"torch-easel\[train\]"):
        mixture(ms_ssim=1)


def test_gradients_reach_the_field():
    predicted = PREDICTED.clone().requires_grad_()
    mixed_loss(LossWeights(l1=1, ssim=1), predicted, TRUE, None, SIZE).backward()
    assert predicted.grad is not None and predicted.grad.isfinite().all() and predicted.grad.abs().sum() > 0


def test_one_plain_loss_is_left_to_the_kernel():
    assert (LossWeights(l2=1).alone, LossWeights(l1=1).alone, LossWeights(huber=1).alone) == ("mse", "l1", "huber")
    assert LossWeights(l2=0.5).alone is LossWeights(l1=1, l2=1).alone is LossWeights(ssim=1).alone is None


def test_the_predecessors_names():
    assert LossWeights.from_alphas(l2_alpha=1, ssim_alpha=0.1) == LossWeights(l2=1, ssim=0.1)
    with pytest.raises(ValueError, match="discriminator"):
        LossWeights.from_alphas(discriminator_alpha=1.0)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ({}, "needs a term that looks at the target; give one of l1, l2"),
        ({"embedding": 1}, "looks at the target"),
        ({"l1": -1}, r"LossWeights\.l1 is -1"),
        ({"l1": float("nan")}, "nan"),
        ({"perceptual": 1}, "needs a metric="),
    ],
)
def test_no_sense_is_refused(weights, says):
    with pytest.raises(ValueError, match=says):
        LossWeights(**weights)
