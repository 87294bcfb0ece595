import numpy as np
import pytest

from easel.fields.compression.wavelets import analyze, level_sizes, synthesize

SIZES = [(1, 1), (1, 9), (8, 1), (2, 3), (37, 50), (64, 64)]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("levels", [0, 1, 4])
def test_synthesis_is_the_inverse_of_analysis(size, levels):
    planes = noise(2, *size)
    low, details = analyze(planes, levels)
    assert low.shape[1:] == level_sizes(size, levels)[-1]
    assert sum(band.size for detail in details for band in detail) + low.size == planes.size
    assert np.allclose(synthesize(low, details, size), planes, atol=1e-5)


def test_the_transform_nearly_keeps_energy():
    planes = noise(1, 64, 64)
    low, details = analyze(planes, 3)
    energy = np.square(low).sum() + sum(np.square(band).sum() for detail in details for band in detail)
    assert energy == pytest.approx(np.square(planes).sum(), rel=0.1)


def test_smooth_pictures_have_no_details():
    rows = np.linspace(0, 1, 32, dtype=np.float32)
    _, details = analyze((rows[:, None] + rows)[None], 1)
    across, down, both = (band[:, 2:-2, 2:-2] for band in details[0])
    assert max(np.abs(across).max(), np.abs(down).max(), np.abs(both).max()) < 1e-5


def test_levels_add_up():
    low, details = analyze(noise(1, 21, 34), 3)
    alone = [
        synthesize(np.zeros_like(low), [d if level == n else None for n, d in enumerate(details)], (21, 34))
        for level in range(3)
    ]
    rest = synthesize(low, [None] * 3, (21, 34))
    assert np.allclose(sum(alone) + rest, synthesize(low, details, (21, 34)), atol=1e-5)
