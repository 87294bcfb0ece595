"""What is drawn in space is where projection says, in the colour that the shading equation says."""

import math
from collections.abc import Callable, Iterator

import moderngl
import pytest
import torch
from torch import Tensor

from easel.gl.context import open_headless
from easel.gl.draw import LineBrush, MeshBrush, PointBrush
from easel.gl.target import Target
from easel.gl.texture import PictureTexture
from easel.graphics.camera import orbit_pose, perspective, project, rays, view_of
from easel.graphics.color import linear_to_srgb, srgb_to_linear
from easel.graphics.light import Light
from easel.graphics.mesh import Mesh, cube, heightfield, plane, sphere

SIZE, FOV = (96, 128), 45.0
BLACK = (0.0, 0.0, 0.0)
PLAIN = Light(ambient=1.0, intensity=0.0, specular=0.0)
WHITE = torch.ones(2, 2, 3)
OBLIQUE = orbit_pose(0.5, 0.6, 3.0)


@pytest.fixture(scope="module")
def shared_context(gl_failure: str | None) -> Iterator[moderngl.Context | None]:
    if gl_failure:
        yield None
        return
    context = open_headless()
    with context:
        yield context
    context.release()


@pytest.fixture
def context(gl: None, shared_context: moderngl.Context) -> moderngl.Context:
    return shared_context


Draw = Callable[..., Tensor]


@pytest.fixture
def draw(context: moderngl.Context) -> Iterator[Draw]:
    """`draw(pose, *paint)`: what a camera at `pose` sees of all that is painted, on black."""
    target = Target(context)

    def draw_(pose: Tensor, *paint: Callable[[Tensor], None], size=SIZE, fov=FOV, samples=1) -> Tensor:
        target.begin(size, samples, BLACK)
        for stroke in paint:
            stroke(perspective(fov, size[1] / size[0]) @ view_of(pose))
        target.finish()
        return target.read()

    yield draw_
    target.release()


@pytest.fixture
def surface(context: moderngl.Context) -> Iterator[Callable]:
    """`surface(mesh, picture, light, pose)`: a mesh to paint, seen from `pose`."""
    brush, texture = MeshBrush(context), PictureTexture(context)

    def paint(mesh: Mesh, picture: Tensor, light: Light, pose: Tensor) -> Callable[[Tensor], None]:
        def stroke(clip_from_world: Tensor) -> None:
            brush.load(mesh)
            brush.draw(clip_from_world, pose[:3, 3], texture.upload(picture), light)

        return stroke

    yield paint
    brush.release()
    texture.release()


@pytest.fixture
def points(context: moderngl.Context) -> Iterator[Callable]:
    brush = PointBrush(context)

    def paint(positions: Tensor, colors: Tensor, diameter: float) -> Callable[[Tensor], None]:
        def stroke(clip_from_world: Tensor) -> None:
            brush.load(positions, colors)
            brush.draw(clip_from_world, diameter)

        return stroke

    yield paint
    brush.release()


@pytest.fixture
def lines(context: moderngl.Context) -> Iterator[Callable]:
    brush = LineBrush(context)

    def paint(segments: Tensor, colors: Tensor, width: float) -> Callable[[Tensor], None]:
        def stroke(clip_from_world: Tensor) -> None:
            brush.load(segments, colors)
            brush.draw(clip_from_world, width)

        return stroke

    yield paint
    brush.release()


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(3))


FROM_ABOVE = orbit_pose(0.0, math.pi / 2, 2.0)
FILLED = 2 * math.degrees(math.atan(0.5))
"""The field of view that `plane()` fills when seen from `FROM_ABOVE`."""


@pytest.mark.parametrize("samples", [1, 4])
def test_under_plain_light_a_surface_shows_the_picture_itself(draw, surface, samples):
    picture = noise(64, 64, 3)
    seen = draw(FROM_ABOVE, surface(plane(), picture, PLAIN, FROM_ABOVE), size=(64, 64), fov=FILLED, samples=samples)
    assert (seen - picture).abs().max() <= 1.01 / 255


def test_every_eight_bit_value_survives_the_way_through_linear_light(draw, surface):
    levels = torch.arange(256, dtype=torch.uint8).reshape(16, 16, 1)
    seen = draw(FROM_ABOVE, surface(plane(), levels, PLAIN, FROM_ABOVE), size=(16, 16), fov=FILLED)
    assert torch.equal((seen[..., :1] * 255).round().to(torch.uint8), levels)


def test_the_light_is_blinn_and_phong_s_in_linear_light(draw, surface):
    light = Light(direction=(0.4, -0.6, 0.7), color=(1.0, 0.8, 0.5), ambient=0.1, intensity=0.7, specular=0.4)
    color = torch.tensor([0.9, 0.5, 0.2])
    seen = draw(OBLIQUE, surface(plane(), color.expand(2, 2, 3), light, OBLIQUE))

    row, column = torch.meshgrid(torch.arange(SIZE[0]) + 0.5, torch.arange(SIZE[1]) + 0.5, indexing="ij")
    eye, directions = rays(torch.stack([column, row], -1), OBLIQUE, FOV, SIZE)
    at = eye - directions * (eye[1] / directions[..., 1:2])
    on_plane = (at.abs().amax(-1) < 0.98) & (directions[..., 1] < 0)
    to_light = -torch.nn.functional.normalize(torch.tensor(light.direction), dim=0)
    halfway = torch.nn.functional.normalize(to_light + torch.nn.functional.normalize(eye - at, dim=-1), dim=-1)
    lit = srgb_to_linear(color) * (light.ambient + light.intensity * to_light[1])
    shine = light.specular * halfway[..., 1:2].clamp(min=0) ** light.shininess
    expected = linear_to_srgb(((lit + shine) * srgb_to_linear(torch.tensor(light.color))).clamp(0, 1))
    assert on_plane.sum() > 1000
    assert (seen - expected)[on_plane].abs().max() <= 1.5 / 255
    assert expected[on_plane].std(dim=0).max() > 0.05, "a flat picture would prove nothing"


def test_switched_off_only_the_ambient_light_stays(draw, surface):
    light = Light(enabled=False, ambient=0.3)
    seen = draw(FROM_ABOVE, surface(plane(), WHITE, light, FROM_ABOVE), size=(8, 8), fov=FILLED)
    torch.testing.assert_close(seen, linear_to_srgb(torch.full((8, 8, 3), 0.3)), rtol=0, atol=1.01 / 255)


def test_the_underside_is_seen_but_not_lit(draw, surface):
    below = orbit_pose(0.0, -math.pi / 2, 2.0)
    light = Light(direction=(0.0, -1.0, 0.0), ambient=0.2, specular=1.0)
    seen = draw(below, surface(plane(), WHITE, light, below), size=(8, 8), fov=FILLED)
    torch.testing.assert_close(seen, linear_to_srgb(torch.full((8, 8, 3), 0.2)), rtol=0, atol=1.01 / 255)


def test_a_sphere_is_brightest_where_it_faces_the_light(draw, surface):
    pose = orbit_pose(0.0, 0.0, 4.0)
    toward = torch.tensor([0.6, 0.5, 0.6])
    light = Light(direction=tuple((-toward).tolist()), ambient=0.0, specular=0.0)
    seen = draw(pose, surface(sphere(), WHITE, light, pose), size=(128, 128)).mean(-1)
    brightest = (seen > seen.max() - 2 / 255).nonzero().float().mean(0).flip(0) + 0.5
    where = project(torch.nn.functional.normalize(toward, dim=0)[None], pose, FOV, (128, 128))[0, :2]
    assert (brightest - where).norm() < 2


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_no_colour_are_marked(draw, surface, value):
    picture = torch.full((2, 2, 3), value)
    seen = draw(FROM_ABOVE, surface(plane(), picture, PLAIN, FROM_ABOVE), size=(4, 4), fov=FILLED)
    assert torch.equal(seen, torch.tensor([1.0, 0.0, 1.0]).expand(4, 4, 3))


@pytest.mark.parametrize("mesh", [plane(1.5), sphere(24), cube(), heightfield(0.2 * noise(4, 4))])
def test_samples_change_edges_and_nothing_else(draw, surface, mesh, context):
    assert context.max_samples >= 4
    rough, smooth = (draw(OBLIQUE, surface(mesh, WHITE, PLAIN, OBLIQUE), samples=n) for n in (1, 4))
    changed = (rough - smooth).abs().amax(-1) > 2 / 255
    edge = torch.nn.functional.max_pool2d(rough.mean(-1)[None], 3, 1, 1) != -torch.nn.functional.max_pool2d(
        -rough.mean(-1)[None], 3, 1, 1
    )
    assert changed.any() and not (changed & ~edge[0]).any()
    between = (smooth > 0.1) & (smooth < 0.9)
    assert between.any() and not ((rough > 0.1) & (rough < 0.9)).any()


def test_the_far_side_of_a_closed_mesh_does_not_gleam_through_its_edges(draw, surface):
    below_the_light = Light(direction=(0.0, 1.0, 0.0), ambient=0.0, specular=0.0)  # from below: only the bottom is lit
    seen = draw(OBLIQUE, surface(cube(), WHITE, below_the_light, OBLIQUE), samples=4)
    assert seen.max() == 0


def test_from_inside_a_closed_mesh_is_seen(draw, surface):
    inside = orbit_pose(0.3, 0.2, 0.1)
    assert draw(inside, surface(sphere(), WHITE, PLAIN, inside)).min() > 0.99


def test_points_are_discs_where_they_are_projected(draw, points):
    positions = torch.tensor([[0.5, 0.3, 0.2], [-0.6, 0.0, 0.4]])
    colors = torch.eye(3)[:2]
    for samples, tolerance in ((1, 6), (4, 6)):
        seen = draw(OBLIQUE, points(positions, colors, 11.0), samples=samples)
        assert seen[..., 2].max() == 0
        rows, columns = torch.meshgrid(torch.arange(SIZE[0]) + 0.5, torch.arange(SIZE[1]) + 0.5, indexing="ij")
        for channel, (x, y, _) in enumerate(project(positions, OBLIQUE, FOV, SIZE).tolist()):
            weight = seen[..., channel]
            assert weight.sum().item() == pytest.approx(math.pi * 5.5**2, abs=tolerance)
            assert ((weight * columns).sum() / weight.sum()).item() == pytest.approx(x, abs=0.3)
            assert ((weight * rows).sum() / weight.sum()).item() == pytest.approx(y, abs=0.3)


def test_what_is_nearer_hides_what_is_behind_in_any_order(draw, points, surface):
    pose = orbit_pose(0.0, math.pi / 2, 3.0)
    red, green = torch.eye(3)[:1], torch.eye(3)[1:2]
    over, under = torch.tensor([[0.0, 0.5, 0.0]]), torch.tensor([[0.0, -0.5, 0.0]])
    sheet = surface(plane(), WHITE, PLAIN, pose)
    for order in ([points(over, red, 9.0), sheet], [sheet, points(over, red, 9.0)]):
        assert draw(pose, *order)[48, 64].tolist() == [1, 0, 0]
    for order in ([points(under, green, 9.0), sheet], [sheet, points(under, green, 9.0)]):
        assert draw(pose, *order)[48, 64].tolist() == [1, 1, 1]


def test_lines_on_a_surface_are_whole(draw, lines, surface):
    segment = torch.tensor([[[-0.8, 0.0, 0.0], [0.8, 0.0, 0.0]]])
    red = torch.eye(3)[:1]
    alone = draw(OBLIQUE, lines(segment, red, 2.0))[..., 0] > 0.5
    on_sheet = draw(OBLIQUE, surface(plane(), WHITE, PLAIN, OBLIQUE), lines(segment, red, 2.0))
    assert torch.equal((on_sheet[..., 1] < 0.5) & (on_sheet[..., 0] > 0.5), alone)


@pytest.mark.parametrize("width", [1.0, 3.0, 8.0])
def test_a_line_is_as_wide_as_it_says(draw, lines, width):
    pose = orbit_pose(0.0, 0.0, 3.0)
    across = torch.tensor([[[-9.0, 0.01, 0.0], [9.0, 0.01, 0.0]]])
    seen = draw(pose, lines(across, torch.ones(1, 3), width), samples=4)
    assert seen[..., 0].sum(dim=0).mean().item() == pytest.approx(width, abs=0.3)


def test_a_line_that_passes_the_camera_is_cut_not_mirrored(draw, lines):
    pose = orbit_pose(0.0, 0.0, 3.0)
    past = torch.tensor([[[0.0, 0.0, 0.0], [1.0, 0.0, 6.0]]])
    seen = draw(pose, lines(past, torch.ones(1, 3), 2.0))[..., 0]
    columns = seen.amax(dim=0).nonzero()[:, 0]
    assert columns.min() >= SIZE[1] // 2 - 2 and columns.max() == SIZE[1] - 1
    behind = torch.tensor([[[0.0, 0.0, 4.0], [1.0, 0.0, 6.0]]])
    assert draw(pose, lines(behind, torch.ones(1, 3), 2.0)).max() == 0


def test_a_brush_draws_what_it_loaded_last_even_nothing(draw, points):
    for count in (5, 2, 0, 0, 7):
        positions = torch.linspace(-1, 1, count)[:, None] * torch.tensor([1.0, 0.0, 0.0])
        seen = draw(orbit_pose(0.0, 0.0, 4.0), points(positions, torch.ones(count, 3), 3.0))
        assert (seen.sum() > 0) == (count > 0)
        starts = seen[SIZE[0] // 2, :, 0].round().diff(prepend=torch.zeros(1)) > 0
        assert starts.sum() == count


@pytest.mark.parametrize("asked", [1, 2, 4, 64])
def test_samples_are_clamped_to_the_driver(context, asked):
    target = Target(context)
    assert target.begin((8, 8), asked, BLACK) == min(asked, context.max_samples)
    target.release()
