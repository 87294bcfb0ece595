import pytest
import torch
from torch import nn

from easel.fields import Field, FieldConfig, build_field, render
from easel.fields.model.extent import Extent
from easel.fields.rendering.calibration import Calibration
from easel.fields.rendering.render import finished, values_at
from easel.fields.rendering.tiles import ROWS, TILE, RenderSettings, tile_samples, tiles

DTYPES = ("float32", "float16", "uint8", "uint16")


def built(encoding="fourier", size=(20, 30), channels=3):
    generator = torch.Generator().manual_seed(0)
    field = build_field(FieldConfig(encoding=encoding), size, channels, generator=generator)
    with torch.no_grad():  # away from the grey start, over black and white
        for parameter in field.parameters():
            parameter.normal_(0.0, 0.5, generator=generator)
    return field


@pytest.mark.parametrize("encoding", ["grid", "fourier"])
def test_a_render_is_a_picture_at_any_size(encoding):
    for channels in (1, 3, 4):
        for size in ((1, 1), (24, 40), (301, 7)):
            picture = render(built(encoding, channels=channels), size)
            assert picture.shape == (*size, channels) and picture.dtype == torch.float32
            assert 0 <= picture.min() and picture.max() <= 1 and not picture.requires_grad


def test_tiles_leave_no_trace():
    field, size = built("grid"), (300, 500)
    assert size[0] * size[1] > 2 * TILE
    whole = values_at(field, torch.arange(150_000), size)
    assert torch.equal(render(field, size).flatten(0, 1), whole.clamp(0, 1))


def test_rendering_changes_nothing():
    field = built("grid")
    before = [parameter.clone() for parameter in field.parameters()]
    assert torch.equal(render(field, (24, 40)), render(field, (24, 40)))
    assert all(torch.equal(p, q) and p.requires_grad for p, q in zip(before, field.parameters(), strict=True))


@pytest.mark.parametrize("splits", [7, 100, 10**9])
def test_parts_do_not_change_bits(splits):
    field = built()
    assert torch.equal(render(field, (300, 299), splits=splits), render(field, (300, 299)))


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_change_bits(threads):
    field, before = built(), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        one = render(field, (150, 301))
        torch.set_num_threads(threads)
        assert torch.equal(render(field, (150, 301)), one)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2, 3, 6, 16, 48])
def test_every_thread_has_a_multiple_of_the_same_rows(threads):
    for samples, splits in ((1, "auto"), (10**6, "auto"), (10**6, 7), (10**6, 10**6)):
        step = tile_samples(samples, splits, threads)
        assert step % (ROWS * threads) == 0 and 0 < step <= max(TILE, ROWS * threads)


def test_a_zoomed_window_is_the_crop_of_a_larger_picture():
    field = built()
    large = render(field, (200, 120))
    assert torch.equal(render(field, (100, 60), window=Extent(zoom=2)), large[50:150, 30:90])
    assert torch.equal(render(field, (100, 60), window=Extent(zoom=2, pan=(-1, 1))), large[:100, 60:])


def test_a_larger_picture_holds_the_smaller_one():
    for encoding in ("grid", "fourier"):
        field = built(encoding)
        assert torch.allclose(render(field, (90, 120))[1::3, 1::3], render(field, (30, 40)), atol=1e-6)
    if torch.backends.cpu.get_cpu_capability() != "DEFAULT":  # with AVX; see `ROWS`
        assert torch.equal(render(field, (90, 120))[1::3, 1::3], render(field, (30, 40)))


def test_supersampling_is_the_mean_of_a_larger_picture():
    field = built()
    large = render(field, (80, 120), raw=True)
    means = large.view(40, 2, 60, 2, 3).mean(dim=(1, 3))
    assert torch.allclose(render(field, (40, 60), raw=True, supersample=2), means, atol=1e-6)


class Distance(nn.Module):
    """From coordinates to the distance from the centre."""

    channels = 1

    def forward(self, coords):
        return coords.square().sum(-1, keepdim=True).sqrt()


def test_a_volume_is_the_same_thing_with_one_axis_more():
    volume = render(Field(nn.Identity(), Distance(), nn.Identity(), dimensions=3), (4, 5, 6), raw=True)
    assert volume.shape == (4, 5, 6, 1)
    assert torch.equal(volume, volume.flip(0, 1, 2))
    assert volume[1, 2, 3, 0].item() == pytest.approx((0.25**2 + (1 / 6) ** 2) ** 0.5)


def test_integers_are_the_nearest_levels():
    field = built()
    picture = render(field, (40, 50))
    assert torch.equal(render(field, (40, 50), dtype="uint8"), (picture * 255).round().to(torch.uint8))
    wide = render(field, (40, 50), dtype="uint16").to(torch.int32)
    assert torch.equal(wide, (picture * 65535).round().to(torch.int32))
    assert torch.equal(render(field, (40, 50), dtype="float16"), picture.half())


def test_dither_stays_within_a_level_and_keeps_the_mean():
    field = built()
    field.forward = lambda coords: torch.full((len(coords), 3), 100.25 / 255)
    dithered = render(field, (64, 64), dtype="uint8", dither=True)
    assert set(dithered.unique().tolist()) == {100, 101}
    assert dithered.double().mean().item() == pytest.approx(100.25, abs=0.02)
    assert torch.equal(dithered, render(field, (64, 64), dtype="uint8", dither=True, splits=9))


def test_raw_numbers_are_the_networks_own():
    field = built("grid")
    raw = render(field, (20, 30), raw=True)
    assert raw.min() < 0 and raw.max() > 1
    assert torch.equal(raw.clamp(0, 1), render(field, (20, 30)))
    low, high = raw.min().item(), raw.max().item()
    picture = render(field, (20, 30), calibration=Calibration(low, high))
    assert picture.min() == 0 and picture.max() == pytest.approx(1.0, abs=1e-6)


def test_coordinates_may_be_given():
    field = built()
    coords = torch.rand(12, 2, generator=torch.Generator().manual_seed(2)) * 2 - 1
    picture = render(field, (3, 4), coords=coords)
    with torch.no_grad():
        assert torch.allclose(picture.view(12, 3), field(coords), atol=1e-6)


def test_training_mode_and_gradients_are_left_alone():
    field = built()
    field.train()
    field.network.eval()
    render(field, (8, 8)).add_(0)  # an ordinary tensor
    assert field.training and not field.network.training
    field(torch.zeros(2, 2)).sum().backward()


def test_closed_early_the_field_is_in_its_mode_again():
    field = built().train()
    walk = tiles(field, (300, 300))
    next(walk)
    assert not field.training
    walk.close()
    assert field.training


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_given_array_is_filled(dtype):
    field = built()
    expected = render(field, (20, 30), dtype=dtype)
    tensor = torch.zeros(20, 30, 3, dtype=expected.dtype)
    assert render(field, (20, 30), dtype=dtype, out=tensor) is tensor and torch.equal(tensor, expected)
    array = expected.numpy() * 0
    render(field, (20, 30), dtype=dtype, out=array)
    assert (array == expected.numpy()).all()


def test_progress_rises_to_one():
    heard = []
    render(built(), (400, 400), progress=heard.append)
    assert len(heard) > 2 and heard == sorted(heard) and heard[-1] == 1.0


@pytest.mark.parametrize(
    ("size", "options", "words"),
    [
        ((0, 5), {}, "1 up; got"),
        ((-1, 5), {}, "1 up; got"),
        ((), {}, "1 to 4"),
        ((2,) * 5, {}, "1 to 4"),
        ((8, 8), {"dtype": "int3"}, "unknown dtype 'int3'. Known: float32"),
        ((8, 8), {"dtype": "uint8", "raw": True}, "no levels"),
        ((8, 8), {"supersample": 0}, "count from 1"),
        ((8, 8), {"splits": 0}, "count from 1"),
        ((100_000, 100_000), {}, "GiB, the limit is 4"),
        ((8, 8), {"out": torch.zeros(8, 8)}, "out is"),
        ((8, 8), {"out": torch.zeros(3, 8, 8).permute(1, 2, 0)}, "not contiguous"),
    ],
)
def test_bad_requests_say_what_came_and_what_fits(size, options, words):
    with pytest.raises((ValueError, TypeError), match=words):
        render(built(), size, **options)


def test_samples_come_in_order_and_small_pieces():
    pieces = list(finished(built(), (500, 500), RenderSettings(dtype="uint8")))
    assert max(map(len, pieces)) <= TILE and sum(map(len, pieces)) == 250_000
