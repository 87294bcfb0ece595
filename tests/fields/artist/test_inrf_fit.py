"""What INRF2D and INRF3D learn, and that it is theirs afterwards."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from easel.fields import INRF2D, INRF3D, FitResult, Knobs, LossWeights
from easel.fields.fitting.presets import PRESETS
from easel.graphics.metrics import psnr


def scene(size=(20, 30), channels=3):
    axes = torch.meshgrid(*(torch.linspace(0, 1, n) for n in size), indexing="ij")
    return torch.stack([axes[0], axes[1], (axes[0] > axes[1]).float(), 0.5 * axes[0]][:channels], dim=-1)


def chosen(**options):
    model = INRF2D(seed=3, **options)
    model.init_map_fn(graph_topology="conv", activations="GELU", weight_init="dip", final_activation="tanh")
    return model


def test_a_fit_is_a_result_and_the_model_shows_it():
    model = INRF2D(seed=3)
    result = model.fit(scene(), steps=200)
    assert isinstance(result, FitResult) and result.steps == 200 and result.stopped_by == "steps"
    picture = model.generate()
    assert picture.shape == (20, 30, 3) and psnr(picture, scene()) == pytest.approx(result.psnr, abs=0.01)
    assert result.psnr > 25 and result.model is model.map_fn
    assert "dB" in str(result) and model.bpp == 8 * model.nbytes / 600


def test_a_fitted_model_has_the_laws_of_all_others():
    model = INRF2D(seed=3)
    model.fit(scene(), steps=100)
    large = model.generate(size=(60, 90))
    zoomed = model.generate(size=(30, 45), zoom=2, center=(-0.5, -0.5))
    # Before AVX a product of three columns rounds by the place of its row: three roundings of numbers up to about 10.
    apart = 0.0 if torch.backends.cpu.get_cpu_capability() != "DEFAULT" else 1e-5
    assert torch.allclose(large[1::3, 1::3], model.generate(), rtol=0, atol=apart)
    assert torch.allclose(zoomed, large[:30, :45], rtol=0, atol=apart)
    again = INRF2D(seed=3)
    again.fit(scene(), steps=100)
    assert torch.equal(again.generate(), model.generate())


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_chosen_architecture_is_kept(channels):
    model = chosen()
    z = model.sample_latents().sample
    model.fit(scene(channels=channels), steps=150, batch=300)
    assert model.recipe.network.topology == "conv" and model.output_shape == (20, 30, channels)
    assert psnr(model.generate()[..., 0], scene()[..., 0]) > 15
    assert torch.equal(model.sample_latents().sample, z)


@pytest.mark.slow
def test_a_second_fit_goes_on():
    model = chosen()
    first = model.fit(scene(), steps=100, batch=300)
    assert model.fit(scene(), steps=100, batch=300, lr=1e-3).psnr > first.psnr
    model.init_map_weights()
    assert not model.recipe.fitted


@pytest.mark.slow
def test_a_latent_scale_is_part_of_what_is_fitted():
    model = chosen(latent_scale=3.0)
    result = model.fit(scene(), steps=100, batch=300)
    assert psnr(model.generate(), scene()) == pytest.approx(result.psnr, abs=0.05)


@pytest.mark.slow
def test_a_latent_can_be_fitted_and_counts_then(tmp_path):
    model = chosen()
    z, size = model.sample_latents().sample, model.size
    model.fit(scene(), steps=50, batch=300, trainable_latent=True)
    assert model.size == size + 8 and not torch.equal(model.sample_latents().sample, z)
    model.save(tmp_path / "a.safetensors")
    again = INRF2D.load(tmp_path / "a.safetensors")
    assert again.size == model.size and torch.equal(again.generate(), model.generate())
    with pytest.raises(ValueError, match="no latent to train"):
        INRF2D(seed=3).fit(scene(), steps=1, trainable_latent=True)


def test_volumes_are_fitted(tmp_path):
    model = INRF3D(seed=3)
    model.fit(scene((8, 9, 10)), steps=100)
    assert model.generate().shape == (8, 9, 10, 3)
    assert psnr(model.generate(), scene((8, 9, 10))) > 20
    model.save(tmp_path / "a.safetensors")
    assert torch.equal(INRF3D.load(tmp_path / "a.safetensors").generate(), model.generate())


def test_a_target_is_whatever_holds_a_picture(tmp_path):
    levels = (scene() * 255).round().to(torch.uint8)
    image = Image.fromarray(levels.numpy())
    image.save(tmp_path / "a.png")
    results = [
        INRF2D(seed=3).fit(target, steps=30).psnr
        for target in (tmp_path / "a.png", image, levels.numpy(), levels.permute(2, 0, 1)[None])
    ]
    assert results == [pytest.approx(results[0], abs=1e-3)] * 4


def test_what_is_masked_is_filled_in():
    damaged, mask = scene(), torch.ones(20, 30, dtype=torch.bool)
    damaged[8:12, 10:14], mask[8:12, 10:14] = 0.0, False
    model = INRF2D(seed=3)
    model.fit(damaged, steps=200, mask=mask.numpy(), preset="tiny")
    assert psnr(model.generate()[8:12, 10:14], scene()[8:12, 10:14]) > psnr(damaged[8:12, 10:14], scene()[8:12, 10:14])


@pytest.mark.slow
def test_the_run_can_be_turned_and_watched():
    heard = []
    result = INRF2D(seed=3).fit(
        scene(),
        loss="L1",
        optimizer="SGD",
        lr=1e-3,
        batch=100,
        weight_decay=1e-4,
        knobs=Knobs(batch=9),
        on_step=lambda step: heard.append(step) or len(heard) < 5,
    )
    assert result.stopped_by == "on_step" and [step.samples for step in heard] == [100] * 5
    assert {step.lr for step in heard} == {1e-3}
    assert INRF2D(seed=3).fit(scene(), target_psnr=20, steps=500).stopped_by == "target_psnr"
    assert INRF2D(seed=3).fit(scene((40, 40)), steps=3, loss=LossWeights(l2=1, ssim=0.1)).steps == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"preset": "fastest"}, "Known: fast"),
        ({"loss": "psnr"}, "unknown loss 'psnr'. Known: mse"),
        ({"optimizer": "lion"}, "Known: adam"),
        ({"batch": 0}, "counts from 1"),
        ({"lr": -1.0}, "lr=-1.0"),
        ({"bounds": (1, 0)}, "smaller first"),
        ({"mask": np.ones((3, 3), bool)}, "mask"),
    ],
)
def test_bad_settings_say_what_fits_and_change_nothing(options, words):
    model = INRF2D(seed=3)
    before = model.generate(size=(8, 8))
    with pytest.raises(ValueError, match=words):
        model.fit(scene(), steps=1, **options)
    assert torch.equal(model.generate(size=(8, 8)), before)


def test_a_target_with_holes_or_of_other_numbers_is_refused():
    for target, words in ((scene() * torch.nan, "NaN"), (scene() * 2 - 1, "bounds"), (torch.empty(0, 5, 3), "empty")):
        with pytest.raises(ValueError, match=words):
            INRF2D(seed=3).fit(target, steps=1)


def test_a_psnr_out_of_reach_is_given_up(monkeypatch):
    monkeypatch.setitem(PRESETS, "fast", replace(PRESETS["fast"], steps=3))
    noise = torch.rand(16, 16, 3, generator=torch.Generator().manual_seed(0))
    result = INRF2D(seed=1).fit(noise, target_psnr=200.0)
    assert result.steps == 30 and result.stopped_by == "steps"
