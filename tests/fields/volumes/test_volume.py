import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from easel.fields.volumes import volume
from easel.fields.volumes.look import Look
from easel.fields.volumes.medium import Medium
from easel.fields.volumes.raymarching import DARK, march, orbit_camera
from easel.fields.volumes.transfer import TRANSFERS
from easel.fields.volumes.views import render_volume, turntable, twelve_views
from easel.fields.volumes.volume import as_values, check_volume, half_sides, maximum_projection, slice_picture
from easel.graphics.camera import Camera
from easel.graphics.color import linear_to_srgb

FRONT = Camera(azimuth=0.0, elevation=0.0, distance=20.0, fov=8.0)
MATTER = Look(transfer="constant", shading=0.0, shadows=0.0)


def blobs(samples=16, channels=3):
    """A smooth volume without any symmetry."""
    axes = [torch.linspace(-1, 1, samples + k) for k in range(3)]
    x, y, z = torch.meshgrid(*axes, indexing="ij")
    waves = [torch.sin(3 * x + k) * torch.cos(2 * y - k) + torch.sin(4 * z + x * k) for k in range(channels)]
    return torch.stack(waves, -1) / 4 + 0.5


def lamp_in_the_corner():
    """A black volume with a white voxel at high X, low Y and the middle of Z."""
    dark = torch.zeros(5, 5, 5, 1)
    dark[4, 0, 2] = 1
    return dark


@pytest.mark.parametrize("density", [0.3, 2.0])
def test_a_slab_of_constant_density_follows_beer_and_lambert(density):
    box = torch.full((8, 8, 4, 1), 0.5)
    _, through = march(Medium(box, replace(MATTER, density=density)), replace(FRONT, distance=200, fov=1), (9, 9))
    # The box is 4 voxels of 8 thick, whose 8 are 2 units long.
    assert 1 - through[4, 4].item() == pytest.approx(1 - math.exp(-density * 1.0), rel=1e-4)


def test_matter_without_light_has_its_own_colour():
    box = torch.tensor([0.2, 0.5, 0.8]).expand(6, 6, 6, 3)
    radiance, through = march(Medium(box, replace(MATTER, density=500)), FRONT, (9, 9))
    assert through[4, 4] < 1e-3
    assert torch.allclose(linear_to_srgb(radiance)[4, 4], box[0, 0, 0], atol=2e-3)


def test_front_to_back_equals_back_to_front():
    """The picture is the one that painting every sample over those behind it would give."""
    # From far away, samples fall nearly on the middles of voxels.
    cube = torch.stack([blobs(8, 1)[:8, :8, :8, 0]] * 3, -1)
    look = replace(MATTER, transfer="linear", density=3.0, contrast=1.0)
    prepared = Medium(cube, look)
    radiance, through = march(prepared, replace(FRONT, distance=114.6, fov=1), (8, 8))
    colour, extinction = prepared.whole.values[0, :3], prepared.whole.values[0, 3]
    painted, left = torch.zeros(3, 8, 8), torch.ones(8, 8)
    for z in range(8):  # from the far end, low Z, to the eye
        alpha = 1 - torch.exp(-extinction[:, :, z] * 2 / 8)
        painted = painted * (1 - alpha) + colour[:, :, :, z] * alpha
        left = left * (1 - alpha)
    assert torch.allclose(through, left.T.flip(0), atol=1e-2)
    assert torch.allclose(radiance, painted.permute(2, 1, 0).flip(0), atol=1e-2)


@pytest.mark.slow
def test_slabs_leave_no_trace(monkeypatch):
    look = Look(shape="ball")
    camera = orbit_camera(half_sides(blobs().shape), (24, 30), look)
    inside = replace(camera, distance=0.4)
    whole = [march(Medium(blobs(), look), camera_, (24, 30)) for camera_ in (camera, inside)]
    monkeypatch.setattr(volume, "SLAB_VOXELS", 3 * 17 * 18)
    for (radiance, through), camera_ in zip(whole, (camera, inside), strict=True):
        again = Medium(blobs(), look)
        parts = march(again, camera_, (24, 30))
        assert len(list(volume.slabs(again.volume, 0))) > 3
        assert torch.allclose(parts[1], through, atol=DARK) and torch.allclose(parts[0], radiance, atol=DARK)


def test_a_quarter_turn_of_a_symmetrical_volume_shows_nothing():
    x, y, z = torch.meshgrid(*[torch.linspace(-1, 1, 12)] * 3, indexing="ij")
    ring = torch.exp(-8 * ((x**2 + z**2).sqrt() - 0.5) ** 2 - 3 * y**2)[..., None]
    here, there = (render_volume(ring, (32, 32), camera=Camera(azimuth=a)) for a in (0.3, 0.3 + math.pi / 2))
    assert here.std() > 0.02 and torch.allclose(here, there, atol=1e-4)


def test_an_empty_volume_is_the_background():
    look = Look(background=((0.5, 0.4, 0.3), (0.5, 0.4, 0.3)))
    picture = render_volume(torch.full((4, 4, 4, 3), 0.7), (7, 9), look)  # no slope, no matter
    assert torch.allclose(picture, torch.tensor([0.5, 0.4, 0.3]).expand(7, 9, 3), atol=1e-6)


def test_the_background_shows_all_around_the_default_view():
    look = Look(transfer="constant", background=((0, 0, 0), (0, 0, 0)))
    for shape, size in (((8, 8, 8, 3), (40, 40)), ((4, 16, 8, 3), (30, 60)), ((16, 4, 4, 3), (60, 30))):
        picture = render_volume(torch.ones(shape), size, look)
        assert picture.max() > 0.2
        border = torch.cat([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert border.max() == 0


def test_bytes_and_floats_and_maps_are_one_volume(tmp_path):
    stored = (blobs() * 255).round().byte()
    np.save(tmp_path / "v.npy", stored.numpy())
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    first, *others = (render_volume(v, (16, 16)) for v in (stored, stored / 255, mapped))
    assert all(torch.equal(first, other) for other in others)


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_and_alpha(channels):
    grey = blobs(10, channels)
    assert render_volume(grey, (12, 12)).shape == (12, 12, 3)
    if channels == 4:
        clear = grey.clone()
        clear[..., 3] = 0
        background = render_volume(torch.zeros(2, 2, 2, 1), (12, 12))
        assert torch.allclose(render_volume(clear, (12, 12)), background, atol=1e-6)


def test_views_see_what_cameras_see():
    """The bright voxel lies at the right, at the bottom, and halfway away: seen from all three sides."""
    white = {view: maximum_projection(lamp_in_the_corner(), view)[..., 0].nonzero().tolist() for view in volume.VIEWS}
    assert white == {"front": [[4, 4]], "side": [[4, 2]], "top": [[2, 4]]}
    look = replace(MATTER, transfer="linear", density=200, background=((0, 0, 0), (0, 0, 0)))
    for view, azimuth, elevation in (("front", 0, 0), ("side", math.pi / 2, 0), ("top", 0, math.pi / 2)):
        camera = Camera(azimuth=azimuth, elevation=elevation, distance=60, fov=2)
        seen = render_volume(lamp_in_the_corner(), (5, 5), look, camera=camera)[..., 0]
        assert [divmod(seen.argmax().item(), 5)] == [tuple(place) for place in white[view]]


def test_z_stands_upright_on_demand():
    look = replace(MATTER, transfer="linear", density=200, up="Z", background=((0, 0, 0), (0, 0, 0)))
    seen = render_volume(lamp_in_the_corner(), (5, 5), look, camera=Camera(elevation=0, distance=60, fov=2))[..., 0]
    assert divmod(seen.argmax().item(), 5) == (2, 4)  # X to the right, Z up, Y away


def test_slices_go_from_near_to_far():
    x, y, z = torch.meshgrid(*[torch.arange(n) / 10 for n in (2, 3, 4)], indexing="ij")
    count = torch.stack([x, y, z], -1)
    near, far = slice_picture(count, "front", 0), slice_picture(count, "front", 1)
    assert near.shape == (3, 2, 3) and (near[..., 2] == 0.3).all() and (far[..., 2] == 0).all()
    assert torch.equal(near[:, 0, 1], torch.tensor([0.2, 0.1, 0.0]))  # up is +Y
    assert (slice_picture(count, "side", 0)[..., 0] == 0.1).all()
    assert (slice_picture(count, "top", 0.5)[..., 1] == 0.1).all()


def test_a_projection_is_the_largest_value(monkeypatch):
    monkeypatch.setattr(volume, "SLAB_VOXELS", 1000)
    assert torch.equal(maximum_projection(blobs(), "top"), blobs().amax(1).transpose(0, 1))


def test_spacing_stretches_the_box():
    assert half_sides((10, 20, 5), (2, 1, 4)) == (1, 1, 1)
    assert half_sides((10, 20, 5)) == (0.5, 1, 0.25)
    with pytest.raises(ValueError, match="positive"):
        half_sides((10, 20, 5), (1, 0, 1))


def test_a_sheet_of_twelve():
    sheet = twelve_views(blobs(8), (10, 12))
    assert len(TRANSFERS) == 12 and sheet.shape == (3 * 10 + 4 * 4, 4 * 12 + 5 * 4, 3)
    assert torch.equal(sheet[4:14, 4:16], render_volume(blobs(8), (10, 12), Look(transfer="constant")))


def test_a_turntable_is_a_loop_of_stills():
    camera = Camera(azimuth=0.2)
    frames = list(turntable(blobs(8), 4, (12, 12), camera=camera))
    assert len(frames) == 4 and not torch.allclose(frames[0], frames[-1], atol=1e-3)
    for k, frame in enumerate((*frames, frames[0])):
        still = render_volume(blobs(8), (12, 12), camera=replace(camera, azimuth=0.2 - k * math.pi / 2))
        assert torch.allclose(frame, still, atol=1e-5)


def test_what_is_no_number_is_black():
    broken = torch.tensor([float("nan"), float("inf"), -3.0, 2.0]).reshape(4, 1, 1, 1)
    assert as_values(broken).flatten().tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (torch.zeros(4, 4), "(X, Y, Z)"),
        (torch.zeros(4, 4, 4, 2), "1, 3 or 4 channels"),
        (torch.zeros(0, 4, 4, 3), "shape"),
        (torch.zeros(4, 4, 4, dtype=torch.int16), "int16"),
    ],
)
def test_what_is_no_volume_is_told(bad, says):
    with pytest.raises(ValueError, match=says.replace("(", r"\(").replace(")", r"\)")):
        check_volume(bad)


def test_wrong_looks_are_told():
    with pytest.raises(ValueError, match=r"Look\.density"):
        Look(density=-1)
    with pytest.raises(ValueError, match="Known: box, ball"):
        Look(shape="cone")
    with pytest.raises(ValueError, match="transfer"):
        render_volume(blobs(4), (4, 4), Look(transfer="norm/men"))
    with pytest.raises(ValueError, match="pixel"):
        render_volume(blobs(4), (0, 4))
    with pytest.raises(ValueError, match="Known: front"):
        maximum_projection(blobs(4), "back")
