"""The display pass on the GPU: pixel by pixel what torch works out, marks and all."""

import numpy as np
import pytest
import torch

from easel.gl.context import open_headless
from easel.gl.mapping import PictureMapper, is_software
from easel.gl.texture import PictureTexture
from easel.graphics.color import COLORMAPS
from easel.viewer.canvas.display import apply, split
from easel.viewer.canvas.invalid_pixels import MARKS
from easel.viewer.canvas.settings import TONEMAPS, Display


@pytest.fixture(scope="module")
def mapped():
    """A function: a tensor shown by a display, as 8-bit RGB from the GPU."""
    with open_headless() as context:
        mapper, texture = PictureMapper(context, MARKS), PictureTexture(context)

        def draw(tensor: torch.Tensor, display: Display) -> torch.Tensor:
            halves = split(tensor, display)
            assert halves is not None
            chosen, mapping = halves
            source = texture.upload(chosen)
            target = mapper.map(source, chosen.shape[-1], mapping)
            rows = np.frombuffer(target.read(), np.uint8).reshape(*chosen.shape[:2], 4)
            assert (rows[..., 3] == 255).all()
            target.release()
            return torch.from_numpy(rows[..., :3].copy()).int()

        yield draw
        mapper.release()
        texture.release()


def values(channels: int = 3, seed: int = 0) -> torch.Tensor:
    """Mostly in [0, 1], some far out, every kind of strange number among them."""
    tensor = torch.randn(64, 96, channels, generator=torch.Generator().manual_seed(seed)) * 0.4 + 0.5
    tensor[:8] *= 20
    for number, strange in enumerate((torch.nan, torch.inf, -torch.inf)):
        tensor[10 + number, ::7, number % channels] = strange
        tensor[20 + number, ::5, channels - 1] = strange
    tensor[12, 7, 0], tensor[12, 7, -1] = torch.inf, -torch.inf
    return tensor


def check(mapped, tensor: torch.Tensor, display: Display) -> None:
    expected = (apply(tensor, display)[..., :3] * 255).round().int()
    difference = (mapped(tensor, display) - expected.expand(*expected.shape[:2], 3)).abs()
    # A false colour's neighbour in the table may be several levels away.
    assert display.colors is not None or difference.max() <= 1
    assert (difference == 0).double().mean() >= 0.999


@pytest.mark.usefixtures("gl")
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    "settings",
    [
        {"exposure": 1.5},
        {"exposure": -2.0, "offset": 0.25},
        {"vmin": -1.0, "vmax": 3.0},
        {"vmin": 1.0, "vmax": 0.0},
        {"gamma": 2.2},
        {"clip_marks": True},
        {"dither": True},
        {"alpha": True},
        {"alpha": True, "tonemap": "neutral", "dither": True, "clip_marks": True},
        *({"tonemap": name, "exposure": stops} for name in TONEMAPS for stops in (0.0, 3.0)),
    ],
    ids=str,
)
def test_it_is_what_torch_works_out(mapped, settings, channels):
    check(mapped, values(channels), Display(**settings))


@pytest.mark.usefixtures("gl")
@pytest.mark.parametrize("cmap", COLORMAPS)
def test_every_colormap(mapped, cmap):
    ramp = torch.linspace(-0.2, 1.2, 4096).reshape(16, 256)
    check(mapped, ramp, Display(cmap=cmap, vmin=0.0, vmax=1.0))
    check(mapped, values(3), Display(cmap=cmap, vmin=0.0, vmax=1.0, gamma=1.4))


@pytest.mark.usefixtures("gl")
@pytest.mark.parametrize("dtype", [torch.float16, torch.uint8, torch.bool, torch.int32, torch.float64])
def test_tensors_of_other_types(mapped, dtype):
    tensor = (values(1).nan_to_num(0, 0, 0).clamp(0, 1) * (1 if dtype.is_floating_point else 200)).to(dtype)
    check(mapped, tensor, Display(cmap="viridis"))
    check(mapped, tensor.expand(-1, -1, 3), Display(channels=(0, 1, 2), exposure=0.5))


@pytest.mark.usefixtures("gl")
def test_what_it_cannot_is_left_to_torch():
    for settings in ({}, {"channels": "norm"}, {"channels": "pca"}):
        assert split(values(), Display(**settings)) is None
    assert split(torch.zeros(4, 4, dtype=torch.int32), Display(channels="labels")) is None


@pytest.mark.usefixtures("gl")
def test_a_driver_that_draws_on_the_processor_is_known():
    with open_headless() as context:
        name = context.info["GL_RENDERER"].lower()
        assert is_software(context) == ("llvmpipe" in name or "softpipe" in name)
