"""The sRGB curve, the tone mapper's promises and the published colormaps."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from easel.graphics.color import COLORMAPS, _tables, colormap, linear_to_srgb, srgb_to_linear, tonemap

values = st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=20).map(torch.tensor)


@settings(deadline=None)
@given(values)
def test_encoding_and_decoding_are_inverse_beyond_the_range_too(light):
    assert (srgb_to_linear(linear_to_srgb(light)) - light).abs().max() <= 4e-6
    assert (linear_to_srgb(srgb_to_linear(light)) - light).abs().max() <= 4e-6


@settings(deadline=None)
@given(values)
def test_encoding_is_odd_and_monotone(light):
    assert torch.equal(linear_to_srgb(-light), -linear_to_srgb(light))
    assert (linear_to_srgb(light.sort().values).diff() >= 0).all()


def test_known_values_of_the_srgb_curve():
    assert linear_to_srgb(torch.tensor([0.0, 1.0, 0.0031308])).tolist() == pytest.approx([0, 1, 0.04045], abs=1e-5)
    # Mid grey, 18 % light, is 46.1 % on the screen; byte 188 stands for half the light.
    assert linear_to_srgb(torch.tensor(0.18)).item() == pytest.approx(0.4613, abs=1e-4)
    assert srgb_to_linear(torch.tensor(188 / 255)).item() == pytest.approx(0.5029, abs=1e-4)


@pytest.mark.parametrize("curve", [linear_to_srgb, srgb_to_linear])
def test_gradients_are_finite_and_right(curve):
    points = torch.tensor(
        [-2.0, -0.1, -1e-6, 1e-6, 0.002, 0.01, 0.5, 1.0, 3.0], dtype=torch.float64, requires_grad=True
    )
    assert torch.autograd.gradcheck(curve, points)
    at_zero = torch.zeros(3, requires_grad=True)
    curve(at_zero).sum().backward()
    assert at_zero.grad is not None and torch.isfinite(at_zero.grad).all() and (at_zero.grad > 0).all()


def test_tonemapping_leaves_light_below_the_shoulder():
    light = 0.8 * torch.rand(5, 6, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(tonemap(light), linear_to_srgb(light))
    torch.testing.assert_close(tonemap(light / 4, 2), linear_to_srgb(light))


@settings(deadline=None)
@given(st.lists(st.tuples(*3 * [st.floats(0, 1e6, width=32)]), min_size=1, max_size=8), st.floats(-10, 10))
def test_tonemapping_stays_in_range_and_never_darkens_with_exposure(colours, stops):
    radiance = torch.tensor(colours)[None]
    picture, brighter = tonemap(radiance, stops), tonemap(radiance, stops + 1)
    assert picture.min() >= 0 and picture.max() <= 1
    assert (brighter.amax(-1) - picture.amax(-1)).min() >= -1e-6
    # The order of a pixel's channels, its hue, stays
    assert (picture.gather(-1, radiance.sort(-1).indices).diff(dim=-1) >= -1e-6).all()


def test_tonemapping_keeps_alpha_and_survives_any_light():
    radiance = torch.tensor([[[1e30, 0.0, 0.0, 0.5], [torch.nan, torch.inf, -1.0, 0.25]]])
    picture = tonemap(radiance)
    assert picture[..., 3].tolist() == [[0.5, 0.25]] and torch.isfinite(picture).all()
    assert tonemap(torch.full((1, 1, 1), 100.0)).item() > 0.95
    bright = torch.tensor([[[0.0, 5.0, 1.0]]], requires_grad=True)
    tonemap(bright).sum().backward()
    assert bright.grad is not None and torch.isfinite(bright.grad).all()


ENDS = {
    "cool": ((0, 1, 1), (1, 0, 1)),
    "gray": ((0, 0, 0), (1, 1, 1)),
    "grey": ((0, 0, 0), (1, 1, 1)),
    "hot": ((0.0416, 0, 0), (1, 1, 1)),
    "inferno": ((0.001462, 0.000466, 0.013866), (0.988362, 0.998364, 0.644924)),
    "jet": ((0, 0, 0.5), (0.5, 0, 0)),
    "magma": ((0.001462, 0.000466, 0.013866), (0.987053, 0.991438, 0.749504)),
    "plasma": ((0.050383, 0.029803, 0.527975), (0.940015, 0.975158, 0.131326)),
    "turbo": ((0.18995, 0.07176, 0.23217), (0.4796, 0.01583, 0.01055)),
    "viridis": ((0.267004, 0.004874, 0.329415), (0.993248, 0.906157, 0.143936)),
}
"""The first and the last row of the published tables."""


@pytest.mark.parametrize("name", ENDS)
def test_the_ends_of_the_published_tables(name):
    ramp = colormap(torch.linspace(0, 1, 256)[None], name)
    assert ramp.shape == (1, 256, 3) and ramp.dtype == torch.float32
    for row, end in zip((0, -1), ENDS[name], strict=True):
        assert ramp[0, row].tolist() == pytest.approx(end, abs=5e-5)


def test_the_names_are_sorted_and_each_has_its_table():
    assert tuple(sorted(COLORMAPS)) == COLORMAPS and set(ENDS) == set(COLORMAPS)
    assert {*_tables(), "grey"} == set(COLORMAPS)
    assert all(table.shape == (256, 3) for table in _tables().values())


def test_values_round_to_the_nearest_of_256_rows():
    position = torch.tensor([[0.0, 0.499 / 255, 0.501 / 255, 254.4 / 255, 254.6 / 255, 1.0]])
    shown = colormap(position, "gray", vmin=0, vmax=1)[0, :, 0] * 255
    assert shown.round().tolist() == [0, 0, 1, 254, 255, 255]


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=20), st.sampled_from(COLORMAPS))
def test_the_range_is_the_values_own_and_reverses(numbers, name):
    t = torch.tensor(numbers)[None]
    low, high = t.min().item(), t.max().item()
    shown = colormap(t, name)
    torch.testing.assert_close(shown, colormap(t, name.upper(), vmin=low, vmax=high))
    if high - low > 1e-3:
        ends = colormap(torch.tensor([[low, high]]), name)
        assert torch.equal(colormap(torch.tensor([[high, low]]), name, vmin=high, vmax=low), ends)
        assert torch.equal(shown[0, t[0].argmin()], ends[0, 0]) and torch.equal(shown[0, t[0].argmax()], ends[0, 1])


def test_nan_is_marked_and_infinities_are_ends():
    t = torch.tensor([[0.0, math.nan, math.inf, -math.inf, 1.0]])
    shown = colormap(t, "gray", nan=(0.1, 0.2, 0.3))[0]
    assert shown[1].tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert shown[:, 0].tolist() == pytest.approx([0, 0.1, 1, 0, 1])
    nothing = colormap(torch.full((2, 2), math.nan))
    assert torch.equal(nothing, torch.tensor([1.0, 0.0, 1.0]).expand(2, 2, 3))
    assert torch.isfinite(colormap(torch.tensor([[math.inf, -math.inf]]))).all()


def test_constants_and_huge_spans_do_not_break():
    for t in (torch.zeros(2, 2), torch.full((2, 2), 1e30), torch.tensor([[-3e38, 3e38]])):
        assert torch.isfinite(colormap(t)).all()
    assert torch.equal(colormap(torch.zeros(1, 1), "gray"), torch.zeros(1, 1, 3))
    assert colormap(torch.zeros(1, 1), "gray", vmin=1, vmax=1).max() == 0


@pytest.mark.parametrize(
    "dtype", [torch.uint8, torch.int64, torch.int16, torch.float16, torch.bfloat16, torch.float64, torch.bool]
)
def test_any_real_dtype(dtype):
    t = torch.tensor([[0, 1], [1, 0]]).to(dtype)
    assert torch.equal(colormap(t, "gray")[..., 0], torch.tensor([[0.0, 1.0], [1.0, 0.0]]))


def test_bytes_are_fractions_of_255():
    t = torch.arange(256, dtype=torch.uint8).reshape(16, 16)
    assert torch.equal(colormap(t, vmin=0, vmax=1), colormap(t.float() / 255, vmin=0, vmax=1))


def test_no_graph_is_kept_and_the_channel_may_be_named():
    t = torch.rand(3, 4, 1, requires_grad=True)
    assert not colormap(t).requires_grad
    assert torch.equal(colormap(t), colormap(t[..., 0]))


@pytest.mark.parametrize(
    ("t", "options", "words"),
    [
        (torch.zeros(2, 2), {"cmap": "virdis"}, ["'virdis'", "Did you mean 'viridis'", "cool", "turbo"]),
        (torch.zeros(2, 2), {"cmap": "zzz"}, ["'zzz'", "cool", "turbo"]),
        (torch.zeros(2, 2, 3), {}, ["one channel", "(2, 2, 3)"]),
        (torch.zeros(2), {}, ["2D or 3D"]),
        (torch.zeros(0, 2), {}, ["at least one"]),
        (torch.zeros(2, 2, dtype=torch.complex64), {}, ["dtype", "abs()"]),
        (torch.zeros(2, 2), {"vmin": math.nan}, ["vmin"]),
        (torch.zeros(2, 2), {"vmax": math.inf}, ["vmax"]),
    ],
)
def test_wrong_arguments_say_what_fits(t, options, words):
    with pytest.raises(ValueError) as raised:
        colormap(t, **options)
    assert all(word in str(raised.value) for word in words)
