import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easel.materials.dataset.listing import validation_materials

NAMES = st.lists(st.text(min_size=1, max_size=8), max_size=40)


@given(NAMES, st.floats(0.01, 0.99), st.integers(0, 2**31))
@settings(deadline=None, max_examples=50)
def test_a_share_is_kept_whatever_the_order(names, ratio, seed):
    kept = validation_materials(names, ratio, seed)
    count = len(set(names))
    assert kept == validation_materials(reversed([*names, *names]), ratio, seed)
    assert kept < set(names) or not names
    assert len(kept) == (0 if count < 2 else min(max(1, round(count * ratio)), count - 1))


def test_another_seed_keeps_others_and_a_new_material_moves_few():
    names = [f"material_{number}" for number in range(100)]
    kept = validation_materials(names, 0.1, 42)
    assert len(kept) == 10 and kept != validation_materials(names, 0.1, 43)
    assert len(kept & validation_materials([*names, "new"], 0.1, 42)) >= 9
    assert validation_materials(names, 0, 42) == frozenset()


@pytest.mark.parametrize("ratio", [-0.1, 1, 1.5])
def test_a_share_is_below_one(ratio):
    with pytest.raises(ValueError, match="val_ratio is the share"):
        validation_materials(["a", "b"], ratio, 0)
