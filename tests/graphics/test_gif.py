"""GIFs last exactly as long as they should and show what they were given, however their frames repeat or move."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from easel.graphics import gif
from easel.graphics.gif import GifWriter, quantize


def film_of(frames: list[tuple[np.ndarray, int]], fps: float | int = 30, colors: int = 256) -> Image.Image:
    file = io.BytesIO()
    writer = GifWriter(file, fps=fps, colors=colors)
    for pixels, count in frames:
        writer.append(pixels, count)
    writer.close()
    return Image.open(file)


def shown(gif: Image.Image) -> list[tuple[np.ndarray, int]]:
    """Every image of a GIF as it looks on the screen, and its milliseconds."""
    images = []
    for number in range(getattr(gif, "n_frames", 1)):
        gif.seek(number)
        images.append((np.asarray(gif.convert("RGB")), gif.info["duration"]))
    return images


def noise(seed: int, height: int = 24, width: int = 31) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def flat(value: int) -> np.ndarray:
    return np.full((5, 7, 3), value, np.uint8)


def test_thirty_frames_a_second_are_30_30_40_milliseconds():
    assert [ms for _, ms in shown(film_of([(flat(n), 1) for n in range(7)]))] == [30, 30, 40, 30, 30, 40, 30]


@settings(deadline=None)
@given(st.integers(1, 50), st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9)), min_size=1, max_size=12))
def test_the_durations_add_up(fps, frames):
    total = sum(ms for _, ms in shown(film_of([(flat(100 * value), count) for value, count in frames], fps)))
    true = 1000 * sum(count for _, count in frames) / fps
    assert true - 10 < total <= true


def test_a_pause_longer_than_one_delay_can_say():
    assert sum(ms for _, ms in shown(film_of([(flat(0), 700), (flat(9), 1)], fps=1))) == 701_000


def test_it_plays_for_ever():
    assert film_of([(flat(1), 1)]).info["loop"] == 0


def test_equal_frames_are_one():
    images = shown(film_of([(flat(3), 1)] * 30))
    assert [ms for _, ms in images] == [1000]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 23), st.integers(0, 30), st.integers(0, 3)), max_size=10))
def test_frames_of_few_colours_are_exact_wherever_they_change(changes):
    pixels = noise(0) // 128 * 255
    frames = [pixels]
    for row, column, value in changes:
        pixels = pixels.copy()
        pixels[row : row + 3, column : column + 4] = 60 * value
        frames.append(pixels)
    distinct = [frame for n, frame in enumerate(frames) if n == 0 or (frame != frames[n - 1]).any()]
    images = [picture for picture, _ in shown(film_of([(frame, 1) for frame in frames], colors=16))]
    assert np.array_equal(images, distinct)


def test_the_caller_may_write_into_its_frame_afterwards():
    pixels, file = flat(0), io.BytesIO()
    writer = GifWriter(file, fps=10, colors=2)
    for value in (0, 50, 100):
        pixels[:] = value
        writer.append(pixels)
    writer.close()
    assert [int(picture[0, 0, 0]) for picture, _ in shown(Image.open(file))] == [0, 50, 100]


@pytest.mark.parametrize("colors", [2, 16, 205, 256])
def test_a_smooth_picture_has_as_many_colours_as_asked_for_and_looks_like_itself(colors):
    ramp = np.linspace(0, 255, 200)
    pixels = np.stack([*np.meshgrid(ramp, ramp), np.full((200, 200), 80)], -1).astype(np.uint8)
    (picture, _), *_ = shown(film_of([(pixels, 1)], colors=colors))
    assert 2 <= len(np.unique(picture.reshape(-1, 3), axis=0)) <= colors
    # n colours cut the square of red and green into cells of 256² / n: half a side is how far a value can be off
    assert np.abs(picture.astype(int) - pixels)[..., :2].mean() < 256 / colors**0.5 / 2


def test_colours_stay_from_frame_to_frame_until_others_are_clearly_nearer():
    smooth = noise(2) // 8 + 112
    first, _ = quantize(noise(0), 64)
    assert quantize(noise(1), 64, first)[0] is quantize(noise(1), 64, first, reconsider=False)[0] is first
    assert quantize(smooth, 64, first)[0] is not first
    dark, _ = quantize(noise(3) // 8, 64)
    assert quantize(noise(4), 64, dark, reconsider=False)[0] is not dark


def test_a_small_change_does_not_cost_a_large_picture_its_colours(monkeypatch):
    chosen = []
    median_cut = gif._median_cut
    monkeypatch.setattr(gif, "_median_cut", lambda *a: chosen.append(a) or median_cut(*a))
    writer = GifWriter(io.BytesIO(), fps=10, colors=64)
    for number in range(10):
        pixels = noise(number)
        writer.append(pixels)
        pixels[3, 4:6] = number
        writer.append(pixels)
    assert len(chosen) == 1
