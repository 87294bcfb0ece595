"""Settings drawn at random are usable, repeat with their seed, and say nothing that has no effect."""

import pytest

from easel.commands.fields.models import FieldOptions, make_model
from easel.fields.art.random_settings import random_settings


@pytest.mark.slow
@pytest.mark.parametrize("dimensions", [2, 3])
def test_every_draw_makes_a_field(dimensions):
    for seed in range(6):
        drawn = random_settings(dimensions, seed)
        assert drawn == random_settings(dimensions, seed)
        assert ("weight_init_std" in drawn) == (drawn["weight_init"] == "normal")
        assert ("num_graph_nodes" in drawn) == (drawn["topology"] == "WS")
        model = make_model(FieldOptions(**drawn), (*[4] * dimensions, 3), seed)
        assert model.generate().shape == (*[4] * dimensions, 3)
    assert len({str(random_settings(dimensions, seed)) for seed in range(20)}) > 10
