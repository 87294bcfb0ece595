"""What travels of a picture: all that changed, little else, and at last exactly."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from easel.viewer.remote.encoding import MOST_BOXES, TILE, boxes, changed_tiles, encode


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)


def covered(found: list[tuple[int, int, int, int]], height: int, width: int) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    for x, y, w, h in found:
        assert w > 0 and h > 0 and x + w <= width and y + h <= height
        mask[y : y + h, x : x + w] = True
    return mask


@pytest.mark.slow
@given(
    st.integers(1, 200), st.integers(1, 200), st.lists(st.tuples(st.integers(0, 199), st.integers(0, 199)), max_size=9)
)
def test_every_changed_pixel_is_covered(height: int, width: int, places: list[tuple[int, int]]) -> None:
    before = picture(height, width)
    now = before.copy()
    for y, x in places:
        now[y % height, x % width] ^= 1
    tiles = changed_tiles(before, now)
    found = boxes(tiles, (width, height))
    within = [(x % width, y % height, 1, 1) for y, x in places]
    assert (changed_tiles(before, now, within) == tiles).all(), "no matter how much is known of where they can be"
    assert not ((before != now).any(-1) & ~covered(found, height, width)).any()
    assert bool(found) == bool((before != now).any())


def test_a_small_change_sends_one_tile() -> None:
    before = picture(720, 1280)
    now = before.copy()
    now[100, 700] += 1
    assert boxes(changed_tiles(before, now), (1280, 720)) == [(700 // TILE * TILE, 100 // TILE * TILE, TILE, TILE)]


def test_a_new_size_sends_everything_and_a_swarm_of_changes_one_box() -> None:
    now = picture(100, 150)
    assert boxes(changed_tiles(picture(90, 150), now), (150, 100)) == [(0, 0, 150, 100)]
    tiles = np.indices((20, 20)).sum(0) % 2 == 0
    assert len(boxes(tiles, (640, 640))) == 1 < MOST_BOXES


def decoded(data: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(data), formats=["PNG", "JPEG"]).convert("RGB"))


def test_letters_and_what_rests_arrive_exactly() -> None:
    flat = np.zeros((64, 64, 4), np.uint8)
    flat[20:40, 20:40] = 200
    data, exact = encode(flat, (8, 8, 40, 50), exact=False)
    assert exact and (decoded(data) == flat[8:58, 8:48, :3]).all()
    noise = picture(64, 64)
    data, exact = encode(noise, (0, 0, 64, 64), exact=True)
    assert exact and (decoded(data) == noise[..., :3]).all()


def test_photographs_on_the_move_are_small_and_close() -> None:
    y, x = np.mgrid[:256, :256]
    photo = np.stack([127 + 80 * np.sin(x / 20), 127 + 80 * np.cos(y / 31), 127 + 60 * np.sin((x + y) / 17), 0 * x], -1)
    photo = photo.astype(np.uint8)
    data, exact = encode(photo, (0, 0, 256, 256), exact=False)
    assert not exact and len(data) < photo.size / 20
    assert np.abs(decoded(data).astype(int) - photo[..., :3]).mean() < 3
