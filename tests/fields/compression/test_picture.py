import hashlib
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor

from easel.commands.fields.rivals import rivals
from easel.fields.compression import band_coding, compressed_file
from easel.fields.compression.compressed_file import file_bytes, pack, unpack
from easel.fields.compression.detail_network import DetailNetwork, weight_count
from easel.fields.compression.picture import LARGEST_STEP, Colours, CompressedPicture, Encoder, halvings
from easel.fields.compression.quantization import Offsets
from easel.fields.compression.rate_control import EFFORTS, Effort, Trial, compress, step_for
from easel.graphics.files import FileError
from easel.graphics.metrics import psnr

QUICK = EFFORTS["quick"]
MEAN = np.array([6000, 7000, 8000], np.int16)


def photograph(rows: int = 96, columns: int = 80, channels: int = 3) -> Tensor:
    levels = skimage.data.astronaut()[40 : 40 + rows, 160 : 160 + columns]
    picture = torch.from_numpy(levels.copy()).float() / 255
    alpha = torch.linspace(0, 1, columns).expand(rows, columns)[..., None]
    return {1: picture[..., :1], 3: picture, 4: torch.cat([picture, alpha], -1)}[channels].contiguous()


def result(picture: Tensor, effort: Effort = QUICK, **goal: float) -> Trial:
    *_, trial = compress(picture, effort=effort, generator=torch.Generator().manual_seed(0), **goal)
    return trial


def quality(picture: Tensor, coded: CompressedPicture) -> float:
    return psnr(torch.from_numpy(coded.picture).float() / 255, picture).item()


@pytest.fixture(scope="module")
def trained() -> CompressedPicture:
    """With a network, whether it pays or not."""
    encoder = Encoder(photograph())
    plain = encoder.plain(step_for(70))
    *_, network = encoder.train(plain, 4, 30, generator=torch.Generator().manual_seed(0))
    assert network is not None and network.numbers.any()
    return encoder.with_network(plain, network)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (33, 20)])
def test_any_picture_comes_back_as_the_encoder_saw_it(size, channels):
    coded = result(photograph(*size, channels), quality=60).coded
    data = pack(coded)
    found = unpack(data)
    assert len(data) == file_bytes(coded)
    assert found.picture.shape == (*size, channels)
    assert np.array_equal(found.picture, coded.picture)
    assert pack(found) == data


def test_a_network_comes_back(trained):
    found = unpack(pack(trained))
    assert np.array_equal(found.network.numbers, trained.network.numbers)
    assert np.array_equal(found.picture, trained.picture)


@pytest.mark.slow
def test_another_process_with_other_threads_decodes_the_same_bytes(trained, tmp_path):
    compressed_file.write(tmp_path / "picture.easel", trained)
    program = (
        "import hashlib, sys, torch; torch.set_num_threads(int(sys.argv[2]));"
        "from easel.fields.compression import compressed_file;"
        "print(hashlib.sha256(compressed_file.read(sys.argv[1]).picture.tobytes()).hexdigest())"
    )
    for threads in ("1", "3"):
        command = [sys.executable, "-c", program, str(tmp_path / "picture.easel"), threads]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        assert found == hashlib.sha256(trained.picture.tobytes()).hexdigest()


def test_the_format_never_changes():
    # Files that were written stay readable, and show the same bytes on all machines: another digest is another format.
    bands = band_coding.no_bands(3, (40, 52), halvings((40, 52)))
    for number, band in enumerate([bands.low, *(band for detail in bands.details for band in detail)]):
        place = np.arange(band.size).reshape(band.shape)
        band[:] = (place * 7919 % 1009 % 31 - 15) // 6 if number else place * 31 % 97 - 40
    colours = Colours(np.array([[9000, 9000, 9000], [11500, 0, -11500], [6700, -13400, 6700]], np.int16).T, MEAN)
    offsets = Offsets(np.arange(-9, 0, dtype=np.int8).reshape(3, 3))
    network = DetailNetwork(2, (np.arange(weight_count(2, 3)) * 29 % 41 - 20).astype(np.int32))
    coded = CompressedPicture((40, 52), colours, 700, bands, offsets, network)
    assert np.array_equal(unpack(pack(coded)).picture, coded.picture)
    assert hashlib.sha256(pack(coded)).hexdigest()[:16] == "255fb6d43257b78f"
    assert hashlib.sha256(coded.picture.tobytes()).hexdigest()[:16] == "36c17bca04704b5d"


def test_equal_seeds_give_equal_files():
    effort = Effort(hidden=3, steps=10, rounds=1)
    assert pack(result(photograph(), effort).coded) == pack(result(photograph(), effort).coded)


def test_quality_is_bought_with_bytes():
    picture = photograph()
    trials = [result(picture, quality=wanted) for wanted in (10, 40, 70, 100)]
    assert sorted(trials, key=lambda trial: trial.bytes) == trials
    found = [quality(picture, trial.coded) for trial in trials]
    assert sorted(found) == found and found[-1] > 46


def test_every_14_of_quality_halve_the_step():
    assert step_for(72) == 2 * step_for(86) == 4 * step_for(100)


@pytest.mark.parametrize("bits_per_pixel", [0.5, 2])
def test_bits_are_a_limit_that_is_used(bits_per_pixel):
    picture = photograph()
    bits = 8 * result(picture, bits_per_pixel=bits_per_pixel).bytes / (96 * 80)
    assert 0.95 * bits_per_pixel < bits <= bits_per_pixel


def test_too_few_bits_are_told():
    with pytest.raises(ValueError, match="too few for this picture: it takes"):
        result(photograph(8, 8), bits_per_pixel=0.5)


@pytest.mark.slow
def test_the_fewest_bits_leave_no_room_for_a_network():
    picture = photograph(40, 40)
    least = file_bytes(Encoder(picture).plain(LARGEST_STEP))
    trial = result(picture, Effort(hidden=8, steps=5, rounds=1), bits_per_pixel=8 * least / 40**2)
    assert trial.bytes <= least and not trial.coded.network.hidden


def test_a_flat_picture_is_exact_and_tiny():
    trial = result(torch.full((64, 64, 3), 0.2))
    assert (trial.coded.picture == 51).all() and trial.bytes < 100


@pytest.mark.slow
def test_a_field_beats_jpeg_and_webp_of_equal_bytes():
    picture = photograph(160, 160)
    trial = result(picture, bits_per_pixel=0.6)
    others = {one.codec: one.psnr for one in rivals(picture, trial.bytes)}
    assert quality(picture, trial.coded) > max(others["JPEG"] + 2, others["WebP"] + 0.3)


@pytest.mark.slow
def test_the_network_pays():
    picture = photograph(192, 192)
    plain = Encoder(picture).plain(step_for(60))
    with_network = result(picture, Effort(hidden=8, steps=150, rounds=1), quality=60).coded
    encoder = Encoder(picture)
    assert with_network.network.hidden and encoder.loss(with_network) < encoder.loss(plain)


def test_a_field_has_any_size(trained):
    assert np.array_equal(trained.picture_at(trained.size), trained.picture)
    assert trained.picture_at((200, 33)).shape == (200, 33, 3)
    small = torch.from_numpy(trained.picture_at((48, 40))).float() / 255
    averaged = torch.from_numpy(trained.picture).float().unfold(0, 2, 2).unfold(1, 2, 2).mean((-1, -2)) / 255
    assert psnr(small, averaged) > 30
    for size in ((0, 5), (2**20, 2**20)):
        with pytest.raises(ValueError, match="a picture has 1 to"):
            trained.picture_at(size)


def test_halvings_end_with_a_few_samples():
    assert [halvings(size) for size in ((1, 1), (8, 8), (9, 2), (512, 768))] == [0, 0, 1, 7]


def reframed(body: bytes) -> bytes:
    """A file whose checksum is right, whatever it says."""
    return struct.pack("<4sBBI", b"EASL", 1, 1, zlib.crc32(body)) + body


def hostile() -> dict[str, tuple[bytes, str]]:
    data = pack(result(photograph(16, 16)).coded)
    body = data[10:]
    return {
        "nothing": (b"", "no compressed field"),
        "another format": (b"\x89PNG\r\n\x1a\n" + bytes(50), "no compressed field"),
        "cut short": (data[:-1], "checksum"),
        "altered": (data[:40] + bytes([data[40] ^ 1]) + data[41:], "checksum"),
        "newer": (data[:4] + b"\x02" + data[5:], "newer Easel"),
        "another kind": (data[:5] + b"\x09" + data[6:], "kind 9"),
        "no header": (reframed(body[:5]), "too short"),
        "half a header": (reframed(body[:30]), "too short"),
        "no pixels": (reframed(struct.pack("<I", 0) + body[4:]), "no picture"),
        "absurd": (reframed(struct.pack("<II", 2**31, 2**31) + body[8:]), "pixels"),
        "two channels": (reframed(body[:8] + b"\x02" + body[9:]), "2 channels"),
        "no step": (reframed(body[:10] + b"\0\0" + body[12:]), "step of 0"),
        "a huge network": (reframed(struct.pack("<IIBB", 2**13, 2**13, 3, 9) + body[10:]), "claims a network"),
    }


@pytest.mark.parametrize("name", hostile())
def test_hostile_files_are_told_in_one_line(name, tmp_path):
    data, words = hostile()[name]
    with pytest.raises(ValueError, match=words) as told:
        unpack(data)
    assert "\n" not in str(told.value)
    path = tmp_path / "file.easel"
    path.write_bytes(data)
    with pytest.raises(FileError):
        compressed_file.read(path)


def test_a_payload_of_noise_is_a_picture_of_noise():
    data = pack(result(photograph(16, 16)).coded)
    noise = reframed(data[10 : 10 + 60] + np.random.default_rng(0).bytes(80))
    assert unpack(noise).picture.shape == (16, 16, 3)
