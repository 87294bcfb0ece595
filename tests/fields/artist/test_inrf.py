"""INRF2D and INRF3D: what the seed names, and the laws between sizes, windows, latents and models."""

import json
from functools import cache

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from easel.fields import INRF2D, INRF3D, LatentInputs
from easel.fields.model.extent import Extent
from easel.fields.model.latents import Fields, Latents


@cache
def plain():
    """A model that no test changes."""
    return INRF2D(seed=0)


TOPOLOGIES = ("mlp", "simple", "conv", "WS", "siren")


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize(("kind", "size"), [(INRF2D, (24, 40)), (INRF3D, (7, 8, 9))])
def test_one_seed_is_one_picture(topology, kind, size):
    picture = kind(graph_topology=topology, seed=5).generate(output_shape=size)
    assert picture.shape == (*size, 3) and picture.dtype == torch.float32
    assert picture.min() >= 0 and picture.max() <= 1
    assert torch.equal(picture, kind(graph_topology=topology, seed=5).generate(size=size))


def test_another_seed_is_another_picture():
    first, second = (INRF2D(seed=seed).generate(size=(8, 8)) for seed in (5, 6))
    assert not torch.equal(first, second)


def test_constructing_and_generating_leave_no_trace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    INRF2D(graph_topology="WS").generate(output_shape=(8, 8))
    assert torch.equal(torch.rand(3), expected) and (np.random.get_state()[1] == before).all()
    assert list(tmp_path.iterdir()) == []


def test_without_a_seed_models_differ_and_know_theirs():
    first, second = INRF2D(seed_gen=10**6), INRF2D(seed_gen=10**6)
    assert first.seed != second.seed and 0 <= first.seed < 10**6
    again = INRF2D(seed=first.seed)
    assert torch.equal(first.generate(size=(8, 8)), again.generate(size=(8, 8)))


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_sizes_windows_and_splits_are_one_picture(topology):
    model = INRF2D(graph_topology=topology, seed=1)
    picture = model.generate(size=(64, 96))
    for splits in (7, 100):
        assert torch.equal(model.generate(size=(64, 96), splits=splits), picture)
    assert torch.equal(model.generate(size=(32, 48), zoom=2), picture[16:48, 24:72])
    assert torch.equal(model.generate(size=(32, 48), zoom=2, center=(-0.5, 0.5)), picture[:32, 48:])
    assert torch.equal(model.generate(size=(192, 288))[1::3, 1::3], picture)


def test_threads_change_nothing():
    model, before = INRF2D(graph_topology="conv", seed=1), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = model.generate(size=(101, 99))
        torch.set_num_threads(2)
        assert torch.equal(model.generate(size=(101, 99)), one)
    finally:
        torch.set_num_threads(before)


def test_a_larger_render_averaged_is_the_smaller_one_supersampled():
    model = INRF2D(seed=1)
    means = model.generate(size=(256, 256)).view(64, 4, 64, 4, 3).mean(dim=(1, 3))
    assert torch.allclose(model.generate(size=(64, 64), supersample=4), means, atol=1e-5)
    assert (means - model.generate(size=(64, 64))).square().mean() < 0.01


@pytest.mark.slow
@settings(deadline=None, max_examples=8)
@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([1, 2, 3, 5]))
def test_a_zoom_by_a_whole_number_is_a_crop_of_any_size(rows, columns, zoom):
    model = INRF2D(seed=2)
    large = model.generate(size=(rows * zoom, columns * zoom))
    # The crop is in the middle where the rest is even on both sides.
    if (rows * (zoom - 1)) % 2 == 0 and (columns * (zoom - 1)) % 2 == 0:
        top, left = rows * (zoom - 1) // 2, columns * (zoom - 1) // 2
        assert torch.equal(model.generate(size=(rows, columns), zoom=zoom), large[top:, left:][:rows, :columns])


def test_inputs_are_latents_fields_and_a_recipe():
    model = INRF2D(seed=3)
    found = model.init_latent_inputs(output_shape=(20, 30), zoom=(10, 10), pan=(5, -5))
    assert isinstance(found, LatentInputs) and len(found) == 3
    latents, fields, meta = found
    assert latents["sample"].shape == (1, 1, 8) and latents["sample"].abs().max() <= 2
    assert latents["input"].shape == (1, 600, 8) and latents["input"].untyped_storage().nbytes() < 100
    assert (latents["base_shape"], latents["sample_shape"]) == ((20, 30), (1, 1, 8))
    assert (fields.shape, fields.zoom, fields.pan) == ((20, 30), (10.0, 10.0), (5.0, -5.0))
    assert json.loads(json.dumps(meta)) == meta
    with pytest.raises(KeyError, match="base_shape"):
        latents["shape"]


def test_every_way_of_giving_the_window_gives_the_same_bytes():
    model = INRF2D(seed=3)
    latents, _, meta = model.init_latent_inputs(output_shape=(20, 30))
    expected = model.generate(size=(20, 30), zoom=(10, 10), pan=(5, -5))
    for reused in (latents, meta, LatentInputs(latents, Fields((20, 30)), meta)):
        inputs = model.init_latent_inputs(reuse_latents=reused, zoom=(10, 10), pan=(5, -5))
        assert torch.equal(model.generate(fields=inputs.fields), expected)
        assert torch.equal(model.generate(*inputs[:2]), expected)
    coords = inputs.fields.coords()
    assert coords.shape == (1, 3, 20, 30)
    assert torch.equal(model.generate(fields=coords), expected)
    assert torch.equal(model.generate(size=(20, 30), zoom=10, center=(0.5, -0.5)), expected)


def test_the_predecessors_pan_is_a_divisor():
    model = INRF2D(seed=3)
    whole = model.init_latent_inputs(zoom=0.5, pan=2.0, pan_mode="divisor").fields
    assert whole.window == Extent(zoom=(1, 1), pan=(0, 0))
    with pytest.raises(ValueError, match="divides by zero"):
        model.init_latent_inputs(zoom=1, pan=0, pan_mode="divisor")


def test_latents_can_be_drawn_anew_and_reused():
    model = INRF2D(seed=3)
    first, picture = model.sample_latents(), model.generate(size=(16, 16))
    second = model.new_latents()
    assert not torch.equal(first.sample, second.sample)
    assert not torch.equal(model.generate(size=(16, 16)), picture)
    assert torch.equal(model.generate(first, size=(16, 16)), picture)
    other = INRF2D(seed=3)
    assert torch.equal(other.new_latents().sample, second.sample)
    assert torch.equal(other.new_latents(seed=99).sample, model.new_latents(seed=99).sample)


def test_a_batch_is_its_pictures():
    model = INRF2D(seed=3)
    inputs = model.init_latent_inputs(output_shape=(12, 14), batch_size=3)
    pictures = model.generate(inputs.latents, inputs.fields)
    assert pictures.shape == (3, 12, 14, 3)
    assert torch.equal(pictures[0], model.generate(size=(12, 14)))
    model.new_latents()
    assert torch.equal(pictures[1], model.generate(size=(12, 14)))


@pytest.mark.slow
def test_weights_can_be_drawn_anew():
    model = INRF2D(graph_topology="WS", seed=3)
    picture, size, z = model.generate(size=(16, 16)), model.size, model.sample_latents().sample
    model.init_map_weights()
    assert not torch.equal(model.generate(size=(16, 16)), picture)
    assert model.size == size and torch.equal(model.sample_latents().sample, z)
    other = INRF2D(graph_topology="WS", seed=3)
    other.init_map_weights()
    assert torch.equal(other.generate(size=(16, 16)), model.generate(size=(16, 16)))


def test_settings_that_are_left_out_are_the_topologys():
    for topology in ("conv", "WS"):
        model = INRF2D(graph_topology=topology, seed=4)
        before = model.generate(size=(16, 16))
        model.init_map_fn(graph_topology=topology)
        assert torch.equal(model.generate(size=(16, 16)), before)


@pytest.mark.parametrize("activation", ["GELU", "nn.GELU", torch.nn.GELU, "sin", ["Tanh"] * 8])
def test_activations_by_name_class_and_list(activation):
    model = INRF2D(seed=4)
    model.init_map_fn(graph_topology="conv", activations=activation, final_activation="tanh")
    assert model.size == 8547
    assert 0 <= model.generate(size=(16, 16)).min()


def test_a_latent_scale_scales_coordinates_and_latents():
    small, large = INRF2D(seed=5), INRF2D(seed=5, latent_scale=4)
    z = small.sample_latents().sample[0, 0]
    coords = 4 * small.init_latent_inputs(output_shape=(8, 8)).fields.coords()
    with torch.no_grad():
        expected = small.map_fn(coords[0].flatten(1).T.contiguous(), 4 * z).view(8, 8, 3)
    # torch and the kernel add in another order. A map of 32 inputs with weights of N(0, 1) rounds its sums by about
    # √32 · 2^-24 · 25 = 8e-6 and passes errors on up to √32-fold; after four maps that is 2e-3 at worst, of which the
    # levels (a span of 5 for √32 standard deviations) and the sigmoid (a quarter) leave a tenth.
    assert torch.allclose(large.generate(size=(8, 8)), expected, atol=2e-4)
    assert torch.equal(large.generate(fields=Fields((8, 8))), large.generate(size=(8, 8)))


def test_a_size_is_completed_by_the_model():
    model = INRF3D(output_shape=(4, 5, 6, 3), seed=0)
    assert model.generate(output_shape=(8, 7)).shape == (8, 7, 6, 3)
    assert model.generate(output_shape=(8, 7, 2, 3)).shape == (8, 7, 2, 3)
    assert INRF2D(output_shape=(9, 8), seed=0).generate().shape == (9, 8, 1)


def test_calibration_belongs_to_the_model():
    model = INRF2D(graph_topology="WS", seed=7)
    whole = model.generate(size=(128, 128), raw=True)
    lo, hi = np.percentile(whole.numpy().astype(np.float64), [0.1, 99.9])
    calibration = model.calibration()
    assert (calibration.lo, calibration.hi) == pytest.approx((lo, hi))
    zoomed = model.generate(size=(32, 32), zoom=20, raw=True)
    shown = model.generate(size=(32, 32), zoom=20)
    assert torch.allclose(shown, ((zoomed - lo) / (hi - lo)).clamp(0, 1).float(), atol=1e-6)
    assert INRF2D(seed=7).calibration().hi == 1.0
    stretched = INRF2D(seed=7, contrast="stretch")
    assert stretched.calibration() != INRF2D(seed=7).calibration()
    assert stretched.generate(size=(128, 128)).std() > INRF2D(seed=7).generate(size=(128, 128)).std()


def test_blank_pictures_are_seen_at_every_size():
    flat = INRF2D(seed=1)
    flat.init_map_fn(weight_init="dip")
    for size in ((4, 4), (512, 512)):
        flat.recipe = INRF2D(seed=1, output_shape=(*size, 3)).recipe
        assert flat.is_blank()
        assert not INRF2D(seed=1, output_shape=(*size, 3)).is_blank()


def test_the_small_facts():
    model = INRF3D(output_shape=(4, 5, 6, 3), seed=0)
    assert (model.x_dim, model.y_dim, model.z_dim, model.c_dim) == (4, 5, 6, 3)
    assert torch.equal(model.data, model.generate())
    assert model.fields.coords().shape == (1, 4, 4, 5, 6)
    assert model.size == 3684 and model.nbytes >= 4 * model.size
    assert isinstance(model.map_fn, torch.nn.Module)
    assert not hasattr(INRF2D(seed=0), "z_dim")
    assert "3,684" in repr(model)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": (8, 8), "output_shape": (9, 9)}, "differ"),
        ({"size": (8, 8, 4)}, "then 3"),
        ({"size": (0, 8)}, "from 1 up"),
        ({"size": (-5, 8)}, "from 1 up"),
        ({"size": (8, 8, 3, 1)}, "up to 2 numbers"),
        ({"size": (100_000, 100_000)}, "the limit is 4"),
        ({"zoom": 0}, "above 0"),
        ({"zoom": float("nan")}, "finite"),
        ({"zoom": (1, 2, 3)}, "each of the 2 axes"),
        ({"pan": 1, "center": 0}, "one of them"),
        ({"fields": Fields((8, 8)), "size": (9, 9)}, "one of them"),
        ({"fields": Fields((8, 8)), "zoom": 3}, "one of them"),
        ({"fields": torch.zeros(2, 8, 8)}, "coordinates and radius"),
        ({"latents": {"seed": 3}}, "keys 'latents'"),
        ({"latents": Latents(torch.zeros(1, 1, 3), 1.0, (8, 8))}, "8 numbers; got 3"),
    ],
)
def test_contradictions_and_bad_sizes_are_one_line(options, words):
    with pytest.raises(ValueError, match=words) as failure:
        plain().generate(**options)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: INRF2D(graph_topology="mpl"), "Known: .*mlp"),
        (lambda: INRF2D(output_shape=(8,)), "2 sizes"),
        (lambda: INRF2D(output_shape=(8, 8, 8, 3)), "2 sizes"),
        (lambda: INRF2D(output_shape=(0, 8, 3)), "1 to"),
        (lambda: INRF2D(seed=-1), "0 to"),
        (lambda: INRF2D(latent_scale=float("nan")), "finite"),
        (lambda: INRF2D(seed=0).init_map_fn(activations="GULE"), "GELU"),
        (lambda: INRF2D(seed=0).init_map_fn(weight_init="norml"), "Known: .*normal"),
        (lambda: INRF2D(seed=0).init_map_fn(input_encoding_dim=4, num_fourier_freqs=3), "Leave it out"),
    ],
)
def test_unknown_names_list_the_known_ones(call, words):
    with pytest.raises(ValueError, match=words):
        call()
