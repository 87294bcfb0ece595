"""An architecture is data; with a seed it is a field."""

import itertools
import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from easel.fields import Architecture, build, resolve
from easel.fields.art.architecture import slots
from easel.fields.art.catalog import ENCODINGS, TOPOLOGIES
from easel.fields.model.coordinates import pixel_centers
from easel.fields.rendering.tiles import RenderSettings, tiles

TILE = 4096


def values(field, coords=None, z=None):
    coords = pixel_centers((64, 64)) if coords is None else coords
    settings = RenderSettings(coords=coords, z=z)
    return torch.cat([values for _, values in tiles(field, (len(coords),), settings)])


def weights(field):
    return torch.cat([tensor.flatten().float() for tensor in field.state_dict().values()])


def roughness(picture):
    """Mean difference of neighbours, in standard deviations; noise has 1.1."""
    return ((picture.diff(dim=0).abs().mean() + picture.diff(dim=1).abs().mean()) / 2 / picture.std()).item()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_every_topology_takes_every_encoding_in_one_to_four_dimensions(topology, encoding, monkeypatch):
    # 160 fields: their levels may come from a coarse look.
    monkeypatch.setattr("easel.fields.art.architecture.reference_size", lambda dimensions: (4,) * dimensions)
    for dimensions, latent_dim in ((1, 3), (2, 0), (3, 8), (4, 1)):
        field = build(Architecture(topology, dimensions, latent_dim=latent_dim, encoding=encoding), seed=1)
        coords = torch.rand(100, dimensions, generator=torch.Generator().manual_seed(0)) * 2 - 1
        painted = values(field, coords)
        assert painted.shape == (100, 3) and painted.isfinite().all()
        assert painted.std(dim=0).max() > 1e-3
        assert (field.dimensions, field.channels, field.latent_dim) == (dimensions, 3, latent_dim)


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({}, 3_653),
        ({"dimensions": 3}, 3_684),
        ({"topology": "simple"}, 1_539),
        ({"topology": "conv"}, 8_547),
        ({"topology": "conv", "activations": "GELU", "weight_init": "dip", "final_activation": "tanh"}, 8_547),
        ({"topology": "conv", "fourier_freqs": 0}, 7_875),
        ({"topology": "conv", "fourier_freqs": 8}, 9_315),
        ({"topology": "conv", "fourier_freqs": 0, "width": 64}, 30_083),
        ({"topology": "siren"}, 9_987),
    ],
)
def test_sizes(settings, size):
    assert build(Architecture(**settings), seed=0).size == size


def test_what_is_left_out_is_the_topologys_own():
    spelled = Architecture(
        "ws",
        width=32,
        activations="random",
        final_activation="identity",
        weight_init="normal",
        num_graph_nodes=10,
        weight_init_mean=0,
        weight_init_std=3,
    )
    assert torch.equal(values(build(spelled, 5)), values(build(Architecture("WS"), 5)))


@pytest.mark.parametrize("settings", [{}, {"topology": "WS"}, {"topology": "conv", "activations": "random"}])
def test_resolved_it_no_longer_depends_on_the_seed_and_is_plain_data(settings):
    architecture = Architecture(**settings)
    resolved = resolve(architecture, 7)
    assert resolve(resolved, 8) == resolved
    assert Architecture.from_json(json.loads(json.dumps(resolved.to_json()))) == resolved
    assert torch.equal(values(build(architecture, 7)), values(build(resolved, 7)))


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_the_same_seed_is_the_same_field_and_a_redraw_keeps_architecture_and_latent(topology):
    architecture = Architecture(topology, activations="random")
    first, again, redrawn = build(architecture, 3), build(architecture, 3), build(architecture, 3, draw=1)
    assert torch.equal(weights(first), weights(again))
    assert not torch.equal(weights(first), weights(redrawn)) and first.size == redrawn.size
    assert torch.equal(first.latent, redrawn.latent)
    assert not torch.equal(values(first), values(build(architecture, 4)))


@pytest.mark.slow
def test_a_fresh_process_builds_the_same_bytes():
    program = (
        "import hashlib, torch; from easel.fields import Architecture, build\n"
        "for t in ('mlp', 'conv', 'WS', 'siren'):\n"
        "    field = build(Architecture(t, activations='random'), 11)\n"
        "    print(hashlib.sha256(b''.join(v.numpy().tobytes() for v in field.state_dict().values())).hexdigest())"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1] and len(set(runs[0].split())) == 4


@pytest.mark.slow
def test_global_generators_are_neither_read_nor_set():
    # In a process of its own: the checker of arguments under test draws from Python's generator.
    program = """
import random, numpy as np, torch
from easel.fields import Architecture, build
def states():
    return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()
def built():
    architectures = [Architecture(t, activations="random") for t in ("mlp", "simple", "conv", "WS", "siren")]
    return [[v.tolist() for v in build(a, 2).state_dict().values()] for a in architectures]
before = states()
first = built()
assert states() == before
torch.manual_seed(1), np.random.seed(1), random.seed(1)
assert built() == first
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_sample_knows_neither_its_neighbours_nor_its_place(topology, dimensions):
    field = build(Architecture(topology, dimensions, activations="random"), 6)
    coords = torch.rand(3 * TILE, dimensions, generator=torch.Generator().manual_seed(0)) * 2 - 1
    chosen = torch.randperm(len(coords), generator=torch.Generator().manual_seed(1))[:TILE]
    assert torch.equal(values(field, coords)[chosen], values(field, coords[chosen]))


def test_another_latent_is_another_picture_of_the_same_field():
    for topology in TOPOLOGIES:
        field = build(Architecture(topology), 0)
        assert not torch.equal(values(field), values(field, z=field.latent + 0.5))
        assert torch.equal(values(field), values(field, z=field.latent))


def test_the_callers_own_radius_is_taken():
    field = build(Architecture(), 0)
    coords = pixel_centers((64, 64))
    radius = coords.square().sum(1, keepdim=True).sqrt()
    assert torch.allclose(values(field), values(field, torch.cat([coords, radius], 1)), atol=1e-5)
    assert not torch.allclose(values(field), values(field, torch.cat([coords, 2 * radius], 1)), atol=1e-2)


@pytest.mark.parametrize("activations", ["fixed", "random"])
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_defaults_paint_neither_noise_nor_flat_frames_nor_bare_primaries(topology, activations):
    pictures = [
        values(build(Architecture(topology, activations=activations), seed)).view(64, 64, 3) for seed in range(6)
    ]
    if topology == "WS":  # no final activation: a page stretches it
        pictures = [(p - p.quantile(0.001)) / (p.quantile(0.999) - p.quantile(0.001)) for p in pictures]
    assert all(0.04 < picture.std() < 0.45 for picture in pictures)
    assert sorted(map(roughness, pictures))[3] < 0.35
    # Bare primaries have every channel at an end.
    ends = [((picture < 0.02) | (picture > 0.98)).all(dim=-1).float().mean().item() for picture in pictures]
    assert sum(ends) / len(ends) < 0.25


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_norms_keep_samples_apart(norm):
    field = build(Architecture("conv", norm=norm), 0)
    coords = torch.rand(2 * TILE, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert torch.equal(values(field, coords)[:TILE], values(field, coords[:TILE]))
    assert values(field, coords).std() > 0.05
    assert not torch.allclose(values(field, coords), values(build(Architecture("conv"), 0), coords), atol=1e-2)


def test_every_slot_takes_its_own_activation():
    names = slots(Architecture())
    assert names == ["x", "y", "r", "latent", "sum", "hidden-1", "hidden-2", "hidden-3", "output"]
    one_by_one = [Architecture(activations=tuple("cos" if s == slot else "Tanh" for s in names)) for slot in names]
    pictures = [values(build(architecture, 0)) for architecture in one_by_one]
    assert not any(torch.equal(one, other) for one, other in itertools.combinations(pictures, 2))


def test_a_final_activation_with_a_weight_is_drawn_too():
    first, again = (build(Architecture(final_activation="scale"), 3) for _ in range(2))
    assert 1 <= first.output.value.item() <= 10 and torch.equal(weights(first), weights(again))


def test_dip_starts_flat():
    picture = values(build(Architecture("conv", weight_init="dip"), 0))
    assert torch.equal(picture, torch.full_like(picture, 0.5))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"topology": "simpel"}, "unknown topology 'simpel'. Did you mean 'simple'.*Known: .*WS"),
        ({"activations": "GELUU"}, "unknown activation 'GELUU'. Did you mean 'GELU'.*Known: "),
        ({"final_activation": "Softmax"}, "unknown activation 'Softmax'"),
        ({"weight_init": "norma"}, "unknown weight_init 'norma'. Did you mean 'normal'.*dip"),
        ({"encoding": "forier"}, "unknown encoding 'forier'. Did you mean 'fourier'"),
        ({"encoding": "grid", "encoding_settings": {"leels": 3}}, "'leels'. Did you mean 'levels'"),
        ({"encoding": "grid", "encoding_settings": {"levels": 0}}, "levels is 0"),
        ({"encoding": "grid", "fourier_freqs": 4}, "exclude"),
        ({"dimensions": 5}, "dimensions is 5; it must be 1 to 4"),
        ({"width": 0}, "width is 0"),
        ({"encoding": "grid", "radius": True}, "does not take the radius"),
        ({"encoding": "grid", "encoding_settings": {"levels": 2.0}}, "whole number"),
        ({"norm": "layer"}, "norm 'layer' is for the topology 'conv'"),
        ({"graph": "<graphml/>"}, "for the topology 'WS'"),
    ],
)
def test_what_cannot_be_is_refused_with_what_could(settings, words):
    with pytest.raises(ValueError, match=words):
        Architecture(**settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"activations": ("Tanh", "sin")}, r"mlp has 9 activations \(x, y, r, latent.*got 2"),
        ({"weight_init_std": (1, 2)}, "this network has 5 layers; got 2"),
        ({"topology": "WS", "num_graph_nodes": 500, "width": 1024}, "fill memory"),
        ({"encoding": "grid", "dimensions": 4, "encoding_settings": {"finest": 512}}, "fill memory"),
    ],
)
def test_what_does_not_fit_together_is_refused_when_it_is_built(settings, words):
    with pytest.raises(ValueError, match=words):
        build(Architecture(**settings), 0)


def test_an_unknown_key_is_refused():
    with pytest.raises(ValueError, match=r"'widht'. Did you mean 'width'"):
        Architecture.from_json({"widht": 3})


@pytest.mark.parametrize(
    "data",
    [
        {"width": "32"},
        {"width": True},
        {"topology": None},
        {"dimensions": 2.5},
        {"activations": 3},
        {"activations": [["Tanh"]]},
        {"weight_init_std": ["1"]},
        {"weight_init_std": float("nan")},
        {"siren_scale": 0},
        {"encoding": "grid", "encoding_settings": {"levels": "3"}},
        {"encoding_settings": []},
        {"graph": "<!DOCTYPE x><graphml/>", "topology": "mlp"},
    ],
)
def test_strangers_data_is_refused_in_one_line(data):
    with pytest.raises(ValueError) as refused:
        Architecture.from_json(data)
    assert "\n" not in str(refused.value)


def test_a_graph_can_be_handed_on():
    resolved = resolve(Architecture("WS"), 1)
    assert resolved.num_graph_nodes == 10
    elsewhere = replace(Architecture("WS"), graph=resolved.graph, activations=resolved.activations)
    assert torch.equal(values(build(elsewhere, 1)), values(build(Architecture("WS"), 1)))
