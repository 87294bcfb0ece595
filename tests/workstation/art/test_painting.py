"""The picture that becomes finer: exact in the end, never empty while a hand moves, and always of the newest window."""

import time

import pytest
import torch

from easel.fields.art.architecture import Architecture
from easel.fields.artist.recipe import Recipe
from easel.fields.model.latents import Fields
from easel.workstation.art.genome import Genome
from easel.workstation.art.painting import Draft, Painting
from easel.workstation.art.viewport import Viewport

SIZE = (40, 56)


@pytest.fixture
def genome():
    return Genome(Recipe(3, (64, 64, 3), Architecture(topology="simple", width=8), latent_scale=2.0))


@pytest.fixture
def painting():
    painting = Painting()
    yield painting
    painting.close()


def settle(painting: Painting) -> torch.Tensor:
    until = time.monotonic() + 60
    while not painting.settled:
        assert time.monotonic() < until
        time.sleep(0.005)
    assert painting.draft is not None
    return painting.draft.picture


@pytest.mark.parametrize("viewport", [Viewport(), Viewport((0.3, -0.2), (7.5, 7.5)), Viewport((4.0, 9.0), (0.5, 0.25))])
def test_in_the_end_it_is_the_field_in_that_window_byte_for_byte(painting, genome, viewport):
    painting.show(genome, viewport, SIZE)
    picture = settle(painting)
    assert torch.equal(picture, genome.model.generate(fields=Fields(SIZE, viewport.extent), supersample=2))


def test_the_newest_request_wins(painting, genome):
    viewport = Viewport()
    for _ in range(30):
        viewport = viewport.magnified(1.1, (20, 10), SIZE)
        painting.show(genome, viewport, SIZE)
    picture = settle(painting)
    assert torch.equal(picture, genome.model.generate(fields=Fields(SIZE, viewport.extent), supersample=2))


def test_a_moved_picture_shows_at_once_what_is_known_of_it(painting, genome):
    painting.show(genome, Viewport(), SIZE)
    before = settle(painting).clone()
    draft = painting.draft.carried(Viewport().dragged((10, 4), SIZE), SIZE)
    assert torch.equal(draft.picture[4:, 10:], before[:-4, :-10])
    assert (draft.pixels[4:, 10:] == 1).all() and draft.pixels[:4].isinf().all() and draft.pixels[:, :10].isinf().all()


def test_an_enlarged_picture_is_known_more_coarsely(painting, genome):
    painting.show(genome, Viewport(), SIZE)
    settle(painting)
    enlarged = painting.draft.carried(Viewport((0.0, 0.0), (4.0, 4.0)), SIZE)
    assert (enlarged.pixels == 4).all()


def test_coarse_pictures_lie_under_what_is_known_better(genome):
    draft = Draft(genome, Viewport(), torch.zeros(*SIZE, 3), torch.full(SIZE, torch.inf))
    draft.pixels[:10] = 1.0
    draft.take(torch.ones(5, 7, 3), 8)
    assert (draft.picture[:10] == 0).all() and (draft.picture[10:] == 1).all()
    assert (draft.pixels[:10] == 1).all() and (draft.pixels[10:] == 8).all()


def test_a_field_that_cannot_be_built_says_why(painting):
    recipe = Recipe(0, (8, 8, 3), Architecture(topology="WS", num_graph_nodes=128, width=1024))
    painting.show(Genome(recipe), Viewport(), SIZE)
    settle(painting)
    assert "would fill memory" in painting.failure
