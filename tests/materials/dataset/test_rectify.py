import pytest
import torch

from easel.materials.dataset.rectify import corners_to_uv_to_pixel, rectify, warp
from easel.materials.rendering.plane_camera import PlaneCamera


def error(seen, truth, valid):
    return float(((seen - truth).square() * valid).sum() / (3 * valid.sum())) ** 0.5


@pytest.mark.parametrize(("tilt", "pixels", "limit"), [(0, 160, 0.013), (40, 160, 0.02), (30, 500, 0.013)])
def test_a_photographed_texture_comes_back(scene, tilt, pixels, limit):
    texture = scene.smooth(3, 3, 64)
    camera = PlaneCamera.orbit(200, tilt, width=pixels, height=pixels)
    seen, valid = rectify(scene.photograph(texture, camera), camera.uv_to_pixel(), (64, 64))
    assert error(seen, texture, valid) < limit
    assert valid.mean() > 0.95


@pytest.mark.parametrize("tilt", [0, 40])
def test_a_checkerboard_comes_back(scene, tilt):
    cell = (torch.arange(64) // 8) % 2
    board = (0.2 + 0.6 * (cell[:, None] ^ cell)).expand(3, 64, 64).contiguous()
    camera = PlaneCamera.orbit(45, tilt, width=320, height=320)
    seen, valid = rectify(scene.photograph(board, camera), camera.uv_to_pixel(), (64, 64))
    # Where the edges are lies exactly between texels: the middles of the cells keep their value, and no cell moves.
    assert (((seen - board).abs() > 0.3) * valid).sum() == 0
    assert error(seen, board, valid) < 0.05


def test_a_minified_photo_is_averaged_not_picked(scene):
    noise = torch.rand(3, 512, 512, generator=torch.Generator().manual_seed(0))
    camera = PlaneCamera((0, 0, 0.48), width=512, height=512)
    seen, _ = rectify(noise, camera.uv_to_pixel(), (32, 32))
    # 16 x 16 pixels each: what is left of the deviation of a single one, .29, is a sixteenth and little more.
    assert seen.std() < 0.04


def test_what_lies_outside_the_photo_is_not_valid():
    camera = PlaneCamera((0.25, 0, 0.6), (0.25, 0, 0), width=100, height=100)
    _, valid = rectify(torch.rand(3, 100, 100), camera.uv_to_pixel(), (40, 40))
    # It looks at the middle of the tile's right edge, and sees 0.31 of world to each side.
    assert valid[0, :, 20:].all() and not valid[0, :, :10].any()


def test_nothing_behind_the_horizon_is_valid():
    camera = PlaneCamera((0, -1, 0.05), (0, 0, 0.05), (0, 0, 1), 90, 64, 64)
    _, valid = rectify(torch.rand(3, 64, 64), camera.uv_to_pixel(), (16, 16), margin=64)
    rows = valid[0].any(dim=1)
    behind = 64 + 16 // 2 + round(1 / 0.5 * 16)  # the row below the camera
    assert rows[:behind].any() and not rows[behind:].any()


def test_margins_show_the_neighbouring_tiles(scene):
    texture = scene.smooth(4, 3, 64)
    camera = PlaneCamera.orbit(10, 15, width=200, height=200)
    photo = scene.photograph(texture, camera)
    inside, valid = rectify(photo, camera.uv_to_pixel(), (64, 64))
    wide, wide_valid = rectify(photo, camera.uv_to_pixel(), (64, 64), margin=8)
    assert torch.allclose(wide[:, 8:-8, 8:-8], inside, atol=0.02) and torch.equal(wide_valid[:, 8:-8, 8:-8], valid)
    assert error(wide, texture.roll((8, 8), (1, 2)).repeat(1, 2, 2)[:, :80, :80], wide_valid) < 0.03


def test_four_corners_are_as_good_as_a_camera():
    camera = PlaneCamera.orbit(70, 25, width=120, height=120)
    corners = torch.tensor([[0, 1, 1], [1, 1, 1], [1, 0, 1], [0, 0, 1.0]]) @ camera.uv_to_pixel().T
    found = corners_to_uv_to_pixel(corners[:, :2] / corners[:, 2:])
    expected = camera.uv_to_pixel().double()
    assert torch.allclose(found, expected / expected[2, 2], atol=1e-3)


@pytest.mark.parametrize("order", [[0, 3, 2, 1], [0, 2, 1, 3], [0, 0, 1, 2]])
def test_corners_out_of_order_are_refused(order):
    corners = torch.tensor([[0, 0], [100, 0], [100, 100], [0, 100.0]])
    corners_to_uv_to_pixel(corners)
    with pytest.raises(ValueError, match="clockwise"):
        corners_to_uv_to_pixel(corners[order])


def test_a_warp_by_nothing_changes_nothing():
    photo = torch.rand(3, 9, 7, generator=torch.Generator().manual_seed(0))
    y, x = torch.meshgrid(torch.arange(9) + 0.5, torch.arange(7) + 0.5, indexing="ij")
    seen, valid = warp(photo, torch.eye(3, dtype=torch.float64), torch.stack([x, y], dim=-1).double())
    assert torch.allclose(seen, photo, atol=1e-4) and valid.all()
