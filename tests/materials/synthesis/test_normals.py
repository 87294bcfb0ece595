import numpy as np
import pytest

from easel.materials.collection.procedural import procedural
from easel.materials.synthesis.normals import look_at_normals


def stored(vectors, bits=8):
    top = 2**bits - 1
    return ((vectors / 2 + 0.5) * top).round().astype(np.uint8 if bits == 8 else np.uint16)


@pytest.fixture(params=[0, 5, 12])
def vectors(request):
    return procedural(request.param, 64).normal.permute(1, 2, 0).numpy()


@pytest.mark.parametrize("bits", [8, 16])
def test_green_that_points_down_is_seen(vectors, bits):
    good = look_at_normals(stored(vectors, bits))
    bad = look_at_normals(stored(vectors * np.array([1, -1, 1], np.float32), bits))
    assert not good.looks_directx and bad.looks_directx
    assert good.agreement == pytest.approx(-bad.agreement, abs=0.05)
    assert good.non_unit == good.inward == 0


def test_floats_are_taken_as_vectors_or_as_pictures(vectors):
    for floats in (vectors, vectors / 2 + 0.5):
        seen = look_at_normals(floats)
        assert seen.non_unit == seen.inward == 0
        assert seen.agreement == pytest.approx(look_at_normals(stored(vectors, 16)).agreement, abs=0.01)


def test_turns_and_mirrors_of_a_good_map_are_good(vectors):
    quarter = np.rot90(vectors, 1) @ np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]], np.float32)
    mirrored = np.flip(vectors, 1) * np.array([-1, 1, 1], np.float32)
    assert not look_at_normals(stored(quarter)).looks_directx
    assert not look_at_normals(stored(mirrored)).looks_directx
    # but a mirrored picture whose vectors were not mirrored is no surface
    assert look_at_normals(stored(np.flip(vectors, 1))).looks_directx


@pytest.mark.parametrize("slope", [(0.0, 0.0), (0.3, 0.0), (0.0, -0.4)])
def test_flat_and_straight_surfaces_say_nothing(slope):
    waves = np.sin(np.arange(32, dtype=np.float32))[:, None, None] * np.array([*slope, 0], np.float32)
    vectors = np.broadcast_to(np.array([0, 0, 1], np.float32) + waves, (32, 32, 3))
    vectors = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    assert look_at_normals(stored(vectors)).agreement == 0


def test_what_is_no_normal_map_is_seen():
    assert look_at_normals(np.zeros((8, 8, 3), np.uint8)).all_zero
    grey = look_at_normals(np.full((300, 8, 3), 128, np.uint8))
    assert grey.non_unit == 1 and not grey.all_zero
    assert look_at_normals(np.full((8, 8, 3), [128, 128, 0], np.uint8)).inward == 1
    assert look_at_normals(np.full((8, 8, 3), np.nan, np.float32)).non_unit == 1
    assert look_at_normals(np.full((1, 1, 3), [128, 128, 255], np.uint8)).agreement == 0
