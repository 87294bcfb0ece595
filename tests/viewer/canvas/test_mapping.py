"""The display settings of a canvas: what they do to values, that they stay, and that a save is what was shown."""

import dataclasses

import pytest
import torch

from easel.graphics.color import COLORMAPS, colormap, linear_to_srgb, tonemap
from easel.graphics.image import imread
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.display import apply, check, lock
from easel.viewer.canvas.invalid_pixels import NAN_MARK, OVER_MARK, UNDER_MARK
from easel.viewer.canvas.settings import Display


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def test_without_settings_the_picture_is_the_tensor_itself():
    for tensor in (noise(4, 5, 3), noise(4, 5).half(), torch.arange(4, dtype=torch.uint8)[None]):
        picture = apply(tensor, Display())
        assert picture.data_ptr() == tensor.data_ptr() and picture.dtype == tensor.dtype


def test_every_step_is_the_formula():
    values = noise(6, 7, 3) * 3 - 1
    for display, expected in (
        (Display(exposure=1.5), values * 2**1.5),
        (Display(exposure=-1, offset=0.25), values / 2 + 0.25),
        (Display(vmin=-1, vmax=2), (values + 1) / 3),
        (Display(vmin=1, vmax=0), 1 - values),
        (Display(gamma=2.2), values.clamp(min=0) ** (1 / 2.2)),
        (Display(tonemap="srgb"), linear_to_srgb(values)),
        (Display(tonemap="neutral", exposure=1), tonemap(values, 1)),
        (Display(channels="normals"), (values + 1) / 2),
        (Display(channels=2), values[..., 2:]),
        (Display(channels=(2, 0, 1)), values[..., [2, 0, 1]]),
        (Display(channels=-1), values[..., 2:]),
        (Display(cmap="viridis", vmin=-1, vmax=2), colormap(values.mean(-1), "viridis", vmin=-1, vmax=2)),
    ):
        assert torch.allclose(apply(values, display), expected.clamp(0, 1), atol=1e-6), display
    assert torch.equal(values, noise(6, 7, 3) * 3 - 1)


def test_alpha_is_no_colour():
    values = noise(4, 4, 4)
    picture = apply(values, Display(exposure=-2))
    assert torch.allclose(picture, torch.cat([values[..., :3] / 4, values[..., 3:]], -1))


def test_integers_are_shown_once_a_choice_says_what_they_mean():
    counts = torch.arange(12).reshape(3, 4)
    assert torch.equal(apply(counts, Display(cmap="gray")), colormap(counts, "gray"))
    with pytest.raises(ValueError, match="dtype"):
        apply(counts, Display())


def test_lengths_and_components_fill_their_range():
    features = noise(20, 30, 16)
    length = apply(features, Display(channels="norm"))
    assert length.shape == (20, 30, 1) and (length.min(), length.max()) == (0, 1)
    components = apply(features, Display(channels="pca"))
    assert components.shape == (20, 30, 3) and 0.3 < components.mean() < 0.7


def test_a_batch_of_channels_first_is_a_grid():
    batch = noise(4, 3, 8, 8)
    picture = apply(batch, Display(layout="bchw"))
    assert torch.equal(picture[8:, :8], batch[2].permute(1, 2, 0))


@pytest.mark.parametrize(
    "settings", [{}, {"exposure": 1.0}, {"cmap": "turbo", "vmin": 0, "vmax": 1}, {"tonemap": "neutral"}]
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_is_not_a_number_is_marked(settings, channels):
    values = noise(3, 4, channels) / 2
    clean = apply(values, Display(**settings))
    values[0, 0, -1], values[0, 1, 0], values[0, 2, -1] = torch.nan, torch.inf, -torch.inf
    values[0, 1, -1] = torch.inf
    marked = apply(values, Display(**settings))
    marks = torch.tensor([NAN_MARK, OVER_MARK, UNDER_MARK])
    assert torch.equal(marked[0, :3, :3].float(), marks)
    assert torch.allclose(marked[1:, :, :3], clean[1:, :, :3].expand(-1, -1, 3))


def test_clipping_is_marked_when_asked():
    values = torch.tensor([[-0.5, 0.0, 0.5, 1.0, 1.5]])
    plain = apply(values, Display(offset=1e-9))
    assert plain.flatten().tolist() == pytest.approx([0, 0, 0.5, 1, 1], abs=1e-6)
    marked = apply(values, Display(clip_marks=True))
    assert torch.equal(marked[0, [0, 4]], torch.tensor([UNDER_MARK, OVER_MARK]))
    assert torch.allclose(marked[0, 1:4], torch.tensor([0, 0.5, 1.0])[:, None].expand(3, 3))


def test_a_range_is_found_once_and_stays():
    canvas = Canvas("depth").bind(torch.linspace(2, 6, 20).reshape(4, 5))
    canvas.cmap = "turbo"
    assert canvas.vmin is None
    first = canvas.look()
    assert (canvas.vmin, canvas.vmax) == (2, 6)
    canvas.bind(torch.linspace(0, 60, 20).reshape(4, 5))
    canvas.exposure = 0.0
    canvas.cmap = "viridis"
    canvas.look()
    assert (canvas.vmin, canvas.vmax) == (2, 6)
    canvas.vmin = 0
    canvas.look()
    assert (canvas.vmin, canvas.vmax) == (0, 6)
    canvas.vmax = None
    canvas.look()
    assert (canvas.vmin, canvas.vmax) == (0, 60)
    canvas.cmap = None
    assert (canvas.vmin, canvas.vmax) == (0, None) and first is not None


def test_a_blank_start_gives_no_range_to_stay_with():
    tensor = torch.zeros(4, 4)
    canvas = Canvas("c").bind(tensor)
    canvas.cmap = "gray"
    canvas.look()
    tensor[0, 0] = 8
    canvas.look()
    assert (canvas.vmin, canvas.vmax) == (0, 8)


def test_components_stay_between_pictures():
    canvas = Canvas("features")
    canvas.set_display(layout="chw", channels="pca")
    canvas.bind(noise(9, 6, 6))
    canvas.look()
    basis = canvas.display.basis
    canvas.bind(noise(9, 6, 6, seed=1)).look()
    assert basis is not None and canvas.display.basis is basis
    canvas.bind(noise(12, 6, 6)).look()
    assert len(canvas.display.basis.mean) == 12  # those of nine channels say nothing about twelve
    canvas.channels = "norm"
    assert canvas.display.basis is None


def test_settings_are_checked_when_they_are_set_and_a_bad_one_changes_nothing():
    canvas = Canvas("c").bind(noise(5, 4, 3))
    for name, value, words in (
        ("cmap", "virdis", "viridis"),
        ("vmin", float("inf"), "vmin is a finite number; got inf"),
        ("exposure", float("nan"), "exposure is a finite number"),
        ("gamma", 0, "gamma is above 0"),
        ("tonemap", "aces", "srgb, neutral"),
        ("channels", "pcs", "norm, pca"),
        ("channels", (0, 1), "1, 3 or 4"),
        ("channels", 7, "numbered 0 to 2"),
        ("channels", "flow", "canvas 'c': Expected 2 channels"),
        ("layout", "bchw", "Layouts that fit: hwc or chw or bhw"),
        ("layout", "chw", "canvas 'c': Expected 1, 3 or 4 channels"),
    ):
        with pytest.raises(ValueError, match=words):
            setattr(canvas, name, value)
        assert canvas.display == Display()
    canvas.cmap = "hot"
    with pytest.raises(ValueError, match="set one of the two to None"):
        canvas.tonemap = "srgb"
    with pytest.raises(ValueError, match="unknown setting vmn"):
        canvas.set_display(vmn=0)


def test_the_size_follows_the_layout_before_anything_is_computed():
    assert check(noise(6, 3, 8, 10), Display(layout="bchw")) == (16, 30)
    assert check(noise(3, 8, 10), Display(layout="chw")) == (8, 10)
    canvas = Canvas("c")
    canvas.layout = "chw"
    assert canvas.bind(noise(3, 8, 10)).size == (8, 10)


@pytest.mark.parametrize("settings", [{"cmap": "turbo"}, {"exposure": -1.0, "gamma": 2.0}, {"clip_marks": True}])
def test_a_save_is_what_was_shown_and_raw_what_is_stored(settings, tmp_path):
    values = noise(9, 7) * 3 - 1
    canvas = Canvas("c").bind(values)
    canvas.set_display(**settings)
    shown = canvas.look()
    canvas.save(tmp_path / "shown.npy")
    canvas.save(tmp_path / "shown.png")
    canvas.save(tmp_path / "raw.npy", raw=True)
    assert torch.equal(imread(tmp_path / "shown.npy", channels=0, device="cpu"), shown)
    assert (imread(tmp_path / "shown.png", channels=0, device="cpu") - shown).abs().max() <= 0.5001 / 255
    assert torch.equal(imread(tmp_path / "raw.npy", channels=0, device="cpu")[..., 0], values)


def test_an_unchanged_mapping_of_a_still_tensor_is_computed_once():
    tensor = noise(5, 5)
    canvas = Canvas("c").bind(tensor, live=False)
    canvas.cmap = "turbo"
    first = canvas.look()
    assert canvas.look() is first
    tensor.zero_()
    canvas.cmap = "gray"
    assert canvas.look() is not first and canvas.look().max() == 1
    canvas.refresh()
    assert canvas.look().max() < 1


def test_nothing_of_an_autograd_graph_is_kept():
    weight = torch.ones(3, requires_grad=True)
    for settings in ({"exposure": 1.0}, {"cmap": "hot"}, {"channels": "pca"}, {"channels": "norm"}):
        picture = Canvas("c").bind(torch.ones(4, 4, 3) * weight)
        picture.set_display(**settings)
        assert not picture.look().requires_grad


def test_every_field_is_an_attribute_of_a_canvas():
    names = {field.name for field in dataclasses.fields(Display)} - {"basis"}
    assert all(hasattr(Canvas, name) for name in names)
    canvas = Canvas("c")
    for cmap in COLORMAPS:
        canvas.cmap = cmap
        assert canvas.cmap == cmap
    assert lock(noise(2, 2), Display()) == Display()


def test_alpha_shows_a_checkerboard_when_asked_and_is_saved_like_that(tmp_path):
    picture = noise(32, 32, 4)
    picture[:16, :, 3], picture[16:, :, 3] = 1, 0
    canvas = Canvas("c").bind(picture)
    canvas.alpha = True
    seen = canvas.look()
    assert seen.shape == (32, 32, 3) and torch.equal(seen[:16], picture[:16, :, :3])
    assert seen[20:24, 2:6].unique().numel() == 1 and seen[20, 2, 0] != seen[20, 10, 0] == seen[28, 2, 0]
    canvas.save(tmp_path / "x.npy")
    assert torch.equal(imread(tmp_path / "x.npy", channels=0, device="cpu"), seen)


def test_dither_stays_within_half_a_level_and_leaves_marks_alone():
    values = noise(20, 24, 3)
    values[0, 0, 0] = torch.nan
    plain, dithered = (apply(values, Display(dither=dither)) for dither in (False, True))
    assert torch.equal(dithered[0, 0], torch.tensor(NAN_MARK))
    assert 0 < (dithered - plain).abs().max() < 0.5001 / 255
    assert torch.equal(dithered, apply(values, Display(dither=True)))


def test_a_dithered_save_has_the_levels_between(tmp_path):
    canvas = Canvas("c").bind(torch.full((32, 32, 3), 100.5 / 255))
    canvas.save(tmp_path / "x.png", dither=True)
    levels = imread(tmp_path / "x.png", channels=0, device="cpu") * 255
    assert levels.round().unique().tolist() == [100, 101] and levels.mean() == pytest.approx(100.5, abs=1e-3)
    canvas.dither = True
    canvas.save(tmp_path / "y.png")
    assert torch.equal(imread(tmp_path / "y.png", channels=0, device="cpu") * 255, levels)


@pytest.mark.parametrize("settings", [{"cmap": "turbo", "vmin": 0.0, "vmax": 1.0}, {"tonemap": "neutral"}, {}], ids=str)
def test_a_gpu_shows_what_torch_would(open_headless, monkeypatch, settings):
    values = noise(60, 80, 3) * 1.5
    values[5, 5] = torch.nan
    captures = []
    for software in (True, False):
        monkeypatch.setattr("easel.viewer.backends.frame_renderer.is_software", lambda _, answer=software: answer)
        view = open_headless()
        canvas = view.panel("P").canvas("c", filter="nearest").bind(values)
        canvas.set_display(**settings)
        canvas.legend = False
        captures.append(view.capture())
        canvas.exposure = 1.0
        captures.append(view.capture())
        canvas.bind(values[:10, :10])  # of another size, and without settings again
        canvas.set_display(exposure=0.0, **dict.fromkeys(settings))
        captures.append(view.capture())
    for torchs, gpus in zip(captures[:3], captures[3:], strict=True):
        assert (torchs - gpus).abs().max() <= 1.01 / 255 or "cmap" in settings
        assert (torchs == gpus).double().mean() >= 0.999


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("strange", [torch.nan, torch.inf, -torch.inf])
def test_one_strange_number_anywhere_is_marked_in_every_type(dtype, strange) -> None:
    for place in (0, 777, 40 * 50 * 3 - 1):
        values = torch.full((40, 50, 3), 0.5, dtype=dtype)
        assert apply(values, Display()).data_ptr() == values.data_ptr()
        values.view(-1)[place] = strange
        assert not apply(values, Display()).flatten(0, 1)[place // 3].eq(0.5).all()
