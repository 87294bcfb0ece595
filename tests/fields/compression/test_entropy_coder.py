import numpy as np
import pytest

from easel.fields.compression import band_coding, entropy_coder
from easel.fields.compression.band_coding import Bands


def coded(numbers: np.ndarray, room: int = 100_000) -> bytes:
    model, data = entropy_coder.fresh(), np.zeros(room, np.uint8)
    entropy_coder.code_numbers(numbers.copy(), 3, model, data, True)
    return data[: entropy_coder.finish(model, data)].tobytes()


def decoded(data: bytes, count: int) -> np.ndarray:
    model, numbers = entropy_coder.fresh(), np.zeros(count, np.int32)
    buffer = np.frombuffer(bytearray(data), np.uint8)
    entropy_coder.begin(model, buffer)
    entropy_coder.code_numbers(numbers, 3, model, buffer, False)
    return numbers


def random_bands(size: tuple[int, int], levels: int, scale: float, planes: int = 3) -> Bands:
    generator = np.random.default_rng(0)
    bands = band_coding.no_bands(planes, size, levels)
    for band in [bands.low, *(band for detail in bands.details for band in detail)]:
        band[:] = np.rint(generator.laplace(0, scale, band.shape))
    return bands


@pytest.mark.parametrize("scale", [0.05, 1.0, 40.0, 1e5])
def test_numbers_come_back(scale):
    numbers = np.rint(np.random.default_rng(1).laplace(0, scale, 2000)).astype(np.int32)
    assert np.array_equal(decoded(coded(numbers), len(numbers)), numbers)


def test_nothing_and_extremes_come_back():
    for numbers in ([], [0], [2**23, -(2**23), 0, 1]):
        array = np.array(numbers, np.int32)
        assert np.array_equal(decoded(coded(array), len(array)), array)


def test_the_coder_comes_close_to_the_entropy():
    share = 0.1
    numbers = (np.random.default_rng(2).random(20_000) < share).astype(np.int32)
    entropy = -(share * np.log2(share) + (1 - share) * np.log2(1 - share)) + share * (1 + 0.02)  # signs, no twos
    assert 8 * len(coded(numbers)) < 1.03 * entropy * len(numbers)


def test_too_little_room_is_told_and_nothing_is_written_beyond():
    numbers = np.arange(-500, 500, dtype=np.int32)
    model, data = entropy_coder.fresh(), np.zeros(20, np.uint8)
    entropy_coder.code_numbers(numbers.copy(), 3, model, data[:10], True)
    assert entropy_coder.finish(model, data[:10]) == len(coded(numbers))
    assert not data[10:].any()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (37, 50)])
@pytest.mark.parametrize("scale", [0.2, 30.0])
def test_bands_come_back(size, scale):
    bands, weights = random_bands(size, 3, scale), np.array([5, -2, 0], np.int32)
    found, read = band_coding.no_bands(3, size, 3), np.zeros(3, np.int32)
    band_coding.decode(band_coding.encode(bands, weights), found, read)
    assert np.array_equal(read, weights) and np.array_equal(found.low, bands.low)
    for detail, true in zip(found.details, bands.details, strict=True):
        assert all(np.array_equal(band, other) for band, other in zip(detail, true, strict=True))


def test_empty_bands_cost_next_to_nothing():
    assert len(band_coding.encode(band_coding.no_bands(3, (256, 256), 5), np.zeros(0, np.int32))) < 30


def test_neighbours_make_numbers_cheaper():
    bands = random_bands((64, 64), 1, 0.0, planes=1)
    band = bands.details[0][0][0]
    band[:, 16:] = np.random.default_rng(3).integers(-3, 4, band[:, 16:].shape)
    together = len(band_coding.encode(bands, np.zeros(0, np.int32)))
    np.random.default_rng(4).shuffle(band.reshape(-1))
    assert together < 0.95 * len(band_coding.encode(bands, np.zeros(0, np.int32)))


def test_any_bytes_decode_to_something():
    for seed in range(3):
        data = np.random.default_rng(seed).bytes(40)
        band_coding.decode(data, band_coding.no_bands(3, (20, 30), 2), np.zeros(4, np.int32))
