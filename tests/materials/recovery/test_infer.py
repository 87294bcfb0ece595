"""Maps do not depend on how the picture is cut, and say how sure they are."""

import pytest
import torch

from easel.materials.config import TrainConfig
from easel.materials.maps import MAP_NAMES
from easel.materials.models.network_files import Trained
from easel.materials.recovery.infer import ask, infer, infer_windows, spread_windows
from easel.materials.tiles import Tiling


class Stencil(torch.nn.Module):
    """Says of every texel what it sees there: albedo is the mean photo, roughness tells where the cameras are."""

    def __init__(self, scale: int = 1) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.scale = scale

    def forward(self, views, valid, cameras):
        count = valid.sum(1).clamp(min=1)
        albedo = (views / 2 + 0.5 * valid).sum(1) / count
        x = torch.arange(views.shape[-1]) + 0.5
        # How many pixels to the right of a texel the first camera is: the same in every window.
        away = cameras[:, 0, 0, None] * views.shape[-1] + views.shape[-1] / 2 - x
        rough = torch.sigmoid(away.nan_to_num() / 16)[:, None, None].expand(-1, 1, views.shape[-2], -1)
        normal = torch.zeros_like(albedo)
        normal[:, 2] = 1
        answer = dict(zip(MAP_NAMES, (albedo, rough, valid.mean(1), normal), strict=True))
        return {
            name: value.repeat_interleave(self.scale, -1).repeat_interleave(self.scale, -2)
            for name, value in answer.items()
        }


def trained(side: int = 32, scale: int = 1) -> Trained:
    config = TrainConfig()
    config.data.image_size, config.data.output_size = (side, side), (side * scale, side * scale)
    return Trained(Stencil(scale), config, 0, "")


@pytest.fixture
def photos() -> torch.Tensor:
    return torch.rand(2, 3, 96, 64, generator=torch.Generator().manual_seed(1))


def test_a_picture_in_windows_has_the_maps_of_the_whole(photos):
    cameras = torch.tensor([[0.2, 0.1, 1.2], [0.0, 0.0, 1.0]])
    whole = infer(trained(), photos, cameras=cameras, tile=96)
    cut = infer(trained(), photos, cameras=cameras, tile=32, overlap=8)
    assert whole.size == (96, 64)
    for name in MAP_NAMES:
        assert torch.allclose(whole[name], cut[name], atol=1e-5)
    assert torch.allclose(whole.albedo, photos.mean(0), atol=1e-5)
    assert whole.roughness.std() > 0.1


def test_what_a_photo_does_not_show_does_not_count(photos):
    valid = torch.ones(2, 1, 96, 64)
    valid[0, :, :50] = 0
    maps = infer(trained(), photos, valid)
    assert torch.allclose(maps.albedo[:, :50], photos[1, :, :50], atol=1e-5)
    assert torch.allclose(maps.albedo[:, 50:], photos.mean(0)[:, 50:], atol=1e-5)


def test_eight_bits_and_unknown_cameras(photos):
    bytes_ = (photos * 255).round().to(torch.uint8)
    maps = infer(trained(), bytes_)
    assert torch.allclose(maps.albedo, bytes_.float().mean(0) / 255, atol=1e-5)
    assert torch.allclose(maps.normal.norm(dim=0), torch.ones(96, 64))


def test_sizes_that_no_network_takes_are_padded_and_cut():
    photos = torch.rand(1, 3, 37, 51, generator=torch.Generator().manual_seed(2))
    seen = []
    model = trained()
    model.model.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].shape[-2:]))
    said = ask(model, photos, torch.ones(1, 1, 37, 51), torch.full((1, 3), torch.nan))
    assert said.shape == (8, 37, 51) and torch.allclose(said[:3], photos[0], atol=1e-6)
    assert seen == [(64, 64)]


def test_a_network_that_enlarges_gives_larger_maps(photos):
    maps = infer(trained(scale=2), photos, tile=32, overlap=8)
    assert maps.size == (192, 128)
    assert torch.allclose(maps.albedo[:, ::2, ::2], photos.mean(0), atol=1e-5)


def test_progress_ends_at_1(photos):
    told = []
    infer(trained(), photos, tile=32, overlap=8, progress=told.append)
    assert told == sorted(told) and told[-1] == 1


def test_photos_that_agree_leave_nothing_unsure_and_others_do(photos):
    def spread(both):
        return spread_windows(
            trained(),
            lambda w: (w.cut(both), torch.ones(2, 1, w.height, w.width)),
            torch.full((2, 3), torch.nan),
            Tiling((96, 64), 32, 8),
        )

    assert spread(photos[:1].expand(2, -1, -1, -1)).max() < 1e-3
    # Of eight channels three differ, by half the difference each.
    expected = (photos[0] - photos[1]).abs().mul(0.5).sum(0) / 8
    assert torch.allclose(spread(photos)[0], expected, atol=1e-3)


def test_windows_beyond_a_frame_keep_its_cameras(photos):
    """A margin around a tile: cameras are told in the tile's sides, not in those of tile and margin."""
    cameras = torch.tensor([[0.2, 0.0, 1.0], [0.0, 0.0, 1.0]])

    def look(window):
        return window.cut(photos), torch.ones(2, 1, window.height, window.width)

    maps = infer_windows(trained(), look, cameras, Tiling((96, 64), 96, 8), frame=(64, 48))
    where = (0.2 + 0.5) * 48
    assert maps.roughness[0, 0, int(where) - 1] > 0.5 > maps.roughness[0, 0, int(where) + 1]
