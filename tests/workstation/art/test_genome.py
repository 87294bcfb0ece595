"""Random fields as they are bred: traits change what they say, offspring are always the same."""

from dataclasses import fields, replace

import pytest
import torch

from easel.fields.artist.inrf import INRF2D
from easel.fields.rendering.calibration import is_dull
from easel.workstation.art.genome import Genome, Traits, initial_genome, random_genome
from easel.workstation.art.variations import thumbnail


@pytest.fixture
def genome():
    return initial_genome().with_traits(replace(initial_genome().traits, width=8))


CHANGES = {
    "topology": "conv", "activations": "sin", "output": "Sigmoid", "weights": "uniform", "spread": 0.5, "width": 12,
    "octaves": 2, "scale": 1.0, "latents": 3, "seed": 99,
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_trait_that_is_turned_is_there_and_changes_the_picture(genome, name):
    changed = genome.with_traits(replace(genome.traits, **{name: CHANGES[name]}))
    assert getattr(changed.traits, name) == CHANGES[name]
    if name != "topology":
        others = [entry.name for entry in fields(Traits) if entry.name not in (name, "spread")]
        assert all(getattr(changed.traits, other) == getattr(genome.traits, other) for other in others)
    assert not torch.equal(thumbnail(changed, 16), thumbnail(genome, 16))


def test_nodes_are_those_of_a_graph(genome):
    graph = genome.with_traits(replace(genome.traits, topology="WS"))
    larger = graph.with_traits(replace(graph.traits, nodes=14))
    assert (graph.traits.nodes, larger.traits.nodes) == (10, 14)
    assert not torch.equal(thumbnail(larger, 16), thumbnail(graph, 16))


def test_traits_that_are_not_turned_leave_it_alone(genome):
    assert genome.with_traits(genome.traits) is genome


@pytest.mark.parametrize("way", ["latent", "weights", "everything"])
def test_offspring_are_the_same_every_time_and_differ_from_each_other(genome, way):
    one, again, other = (genome.variation(way, 0.3, number) for number in (1, 1, 2))
    assert one.recipe == again.recipe != other.recipe
    assert not torch.equal(thumbnail(one, 16), thumbnail(other, 16))


def test_latents_wander_no_farther_than_they_are_told(genome):
    near, far = (torch.tensor(genome.variation("latent", s, 1).latent) for s in (0.01, 1.0))
    z = torch.tensor(genome.latent)
    assert (near - z).abs().max() < 0.05 < (far - z).abs().max() and far.abs().max() <= 3


def test_what_is_spelled_out_is_the_same_picture(genome, tmp_path):
    genome.model.save_image(tmp_path / "it.png", size=(24, 24))
    again = Genome.of(INRF2D.from_metadata(tmp_path / "it.png"))
    assert torch.equal(thumbnail(again, 16), thumbnail(genome, 16))
    assert again.traits.activations == "own" and again.is_seeded
    reseeded = again.with_traits(replace(again.traits, seed=4))
    assert reseeded.traits.activations == "own" and reseeded.traits.seed == 4


def test_a_seed_decides_everything():
    assert random_genome(5).recipe == random_genome(5).recipe != random_genome(6).recipe
    assert len({random_genome(seed).traits.topology for seed in range(12)}) > 1


def test_flat_pictures_and_snow_are_dull():
    x = torch.linspace(0, 1, 32)
    assert not is_dull(x[:, None, None] * torch.ones(1, 32, 3) * x[None, :, None].sqrt())
    assert is_dull(torch.full((32, 32, 3), 0.5))
    assert is_dull(torch.rand(32, 32, 3, generator=torch.Generator().manual_seed(0)))
