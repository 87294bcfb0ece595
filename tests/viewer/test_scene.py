"""A scene shows its tensor, follows the mouse, and keeps to itself."""

import gc
import math

import pytest
import torch
from torch import Tensor

from easel.graphics.camera import Camera, orbit_pose, project
from easel.viewer import ui
from easel.viewer.backends.headless import HeadlessBackend
from easel.viewer.driver import Driver
from easel.viewer.imgui.events import PointerButton, PointerMoved
from easel.viewer.scene import SceneView
from easel.viewer.scenery import Frustum
from easel.viewer.view import View
from easel.viewer.window import Window


def in_panel(view: View, scene: SceneView, panel: str = "P", **settings) -> SceneView:
    view.panel(panel, **settings).on_frame(lambda: scene.render())
    return scene


def plain(scene: SceneView) -> SceneView:
    """Lit so that the tensor's own values are seen."""
    scene.light.ambient, scene.light.intensity, scene.light.specular = 1, 0, 0
    return scene


def seen(view: View, scene: SceneView) -> Tensor:
    """What the view shows where the scene says that it is."""
    picture = view.capture()
    assert scene.rectangle is not None
    x, y, width, height = map(int, scene.rectangle)
    return picture[y : y + height, x : x + width]


def from_above(scene: SceneView) -> SceneView:
    scene.camera.elevation = math.pi / 2
    return scene


# What it shows


def test_the_picture_s_own_values_are_seen(open_headless) -> None:
    view = open_headless("Square", 400, 400)
    scene = plain(from_above(in_panel(view, SceneView(msaa=1))))
    ramp = torch.linspace(0, 1, 64)
    picture = torch.stack([ramp.expand(64, 64), ramp[:, None].expand(64, 64), torch.full((64, 64), 0.4)], -1)
    scene.set_tensor(picture)
    view.run(max_frames=1)
    shown = seen(view, scene)
    assert scene.size is not None
    corners = torch.tensor([[-0.9, 0.0, -0.9], [0.9, 0.0, -0.9], [-0.9, 0.0, 0.9], [0.0, 0.0, 0.0], [0.5, 0.0, 0.1]])
    for world, (x, y, _) in zip(corners, project(corners, scene.camera.pose(), 45.0, scene.size).tolist(), strict=True):
        # Texel 31.5 + 32 u is found at world position u.
        expected = [(0.5 + world[0] / 2) * 64 / 63 - 0.5 / 63, (0.5 + world[2] / 2) * 64 / 63 - 0.5 / 63, 0.4]
        assert shown[int(y), int(x)].tolist() == pytest.approx(
            [float(value) for value in expected], abs=2 / 255 + 0.004
        )


@pytest.mark.parametrize(
    ("shape", "geometry"), [((64, 64), "plane"), ((32, 64), "plane"), ((96, 32), "plane"), ((32, 64), "heightfield")]
)
def test_a_sheet_has_the_aspect_of_its_picture(open_headless, shape, geometry) -> None:
    view = open_headless("Aspect", 420, 420)
    scene = plain(from_above(in_panel(view, SceneView(msaa=1, geometry=geometry))))
    scene.background, scene.relief = (0.0, 0.0, 0.0), 0.0
    scene.set_tensor(torch.ones(shape))
    view.run(max_frames=1)
    rows, columns = seen(view, scene)[..., 0].nonzero().unbind(-1)
    height, width = rows.max() - rows.min() + 1, columns.max() - columns.min() + 1
    assert (width / height).item() == pytest.approx(shape[1] / shape[0], rel=0.03)
    assert max(width, height) > 250


@pytest.mark.parametrize(
    ("geometry", "dtype"),
    [("plane", torch.float32), ("sphere", torch.float16), ("cube", torch.uint8), ("heightfield", torch.bool)],
)
def test_every_surface_shows_every_type_in_the_middle_of_its_panel(open_headless, geometry, dtype) -> None:
    view = open_headless("Any", 200, 200)
    scene = plain(in_panel(view, SceneView(geometry=geometry)))
    scene.set_tensor(torch.full((5, 5, 3), 255 if dtype == torch.uint8 else 1, dtype=dtype))
    view.run(max_frames=1)
    shown = seen(view, scene)
    height, width = shown.shape[:2]
    assert shown[height // 2, width // 2].min() == 1
    assert shown[0, 0].tolist() == pytest.approx(scene.background, abs=1 / 255)


def test_a_tensor_written_between_the_halves_is_in_this_frame(open_headless) -> None:
    view = open_headless("Live", 200, 200)
    scene = plain(in_panel(view, SceneView()))
    tensor = torch.zeros(8, 8, 3, requires_grad=True)
    scene.set_tensor(tensor)
    view.step()
    tensor.detach().fill_(1.0)
    view.end_step()
    assert seen(view, scene).max() == 1
    assert scene.picture().grad_fn is None and not scene.picture().requires_grad


def test_without_a_tensor_the_background_is_seen(open_headless) -> None:
    view = open_headless("Empty", 200, 200)
    scene = in_panel(view, SceneView())
    scene.background = (0.2, 0.4, 0.6)
    scene.set_tensor(None)
    view.run(max_frames=1)
    assert (seen(view, scene) - torch.tensor([0.2, 0.4, 0.6])).abs().max() <= 1 / 255


def test_samples_smooth_edges_and_nothing_else(open_headless) -> None:
    view = open_headless("MSAA", 300, 300)
    scene = plain(in_panel(view, SceneView(msaa=1)))
    scene.set_tensor(torch.rand(16, 16, 3, generator=torch.Generator().manual_seed(0)))
    view.run(max_frames=1)
    rough = seen(view, scene)
    scene.msaa = 64
    smooth = seen(view, scene)
    assert 4 <= scene.samples <= 64
    inside = (rough - torch.tensor(scene.background)).abs().amax(-1) > 2 / 255
    near_edge = torch.nn.functional.max_pool2d(inside[None].float(), 3, 1, 1) != -torch.nn.functional.max_pool2d(
        -inside[None].float(), 3, 1, 1
    )
    changed = (rough - smooth).abs().amax(-1) > 1 / 255
    assert changed.any() and not (changed & ~near_edge[0]).any()


# The mouse


@pytest.mark.parametrize("backend", ["window", "headless", "none"])
def test_the_mouse_turns_moves_and_zooms_by_the_formulas(request, open_view, monkeypatch, backend) -> None:
    if backend == "window":
        monkeypatch.setenv("DISPLAY", request.getfixturevalue("xvfb"))
    if backend == "headless":
        request.getfixturevalue("gl")
    view = open_view(backend=backend)
    assert view.backend_name == backend, view.backend_reason
    driver, scene = Driver(view), in_panel(view, SceneView())
    driver.frames(2)
    expected = Camera()
    for button, follow in ((0, expected.orbit), (1, expected.pan), (2, lambda dx, dy: expected.zoom(-dy / 20))):
        driver.stroke(scene, [(100, 100), (130, 110), (150, 140)], button=button)
        follow(50, 40)
        assert close(scene.camera, expected)
    driver.wheel(scene, 3)
    expected.zoom(3)
    assert close(scene.camera, expected)
    driver.wheel(scene, 500)
    assert scene.camera.distance == 0.1


def close(camera: Camera, other: Camera) -> bool:
    numbers = [(c.azimuth, c.elevation, c.distance, *c.target, c.fov) for c in (camera, other)]
    return numbers[0] == pytest.approx(numbers[1])


def test_a_drag_goes_on_outside_the_picture_until_it_is_let_go(open_headless) -> None:
    view = open_headless()
    driver, scene = Driver(view), in_panel(view, SceneView(), side="left", width=0.5)
    view.panel("Other")
    driver.frames(2)
    at = [(100, 200), (300, 200), (600, 200)]
    driver.stroke(scene, at)
    assert scene.camera.azimuth == pytest.approx(-5.0)
    view.post(PointerMoved(620, 300))
    driver.frames(2)
    assert scene.camera.azimuth == pytest.approx(-5.0), "let go, it no longer follows"


def test_what_happens_elsewhere_is_not_the_scene_s(open_headless) -> None:
    view = open_headless()
    scene = in_panel(view, SceneView(), side="left", width=0.5)
    other = in_panel(view, SceneView("other"), "Q")
    driver = Driver(view)
    driver.frames(2)
    driver.stroke(other, [(50, 50), (90, 80)])
    driver.wheel(other, 2)
    view.post(PointerMoved(600, 200), PointerButton(0, True))
    driver.frames(1)
    assert scene.camera == Camera() and other.camera != Camera()


def test_the_wheel_zooms_and_does_not_scroll_the_panel(open_headless) -> None:
    view = open_headless("Scroll", 300, 300)
    scene, driver = SceneView(), Driver(view)

    @view.panel("P").on_frame
    def draw() -> None:
        scene.render(height=200)
        for line in range(50):
            view.panel("P").text(line)

    driver.frames(3)
    before = scene.rectangle
    driver.wheel(scene, -2)
    driver.frames(2)
    assert scene.rectangle == before and scene.camera.distance > 3


# Where it is


def test_it_is_as_large_as_its_panel_leaves_room(open_headless) -> None:
    view = open_headless("Room", 500, 400)
    scene = SceneView(width=100, height=80)

    @view.panel("P").on_frame
    def draw() -> None:
        view.panel("P").text("above")
        scene.render()

    view.run(max_frames=2)
    assert scene.rectangle is not None
    assert scene.rectangle.width > 450 and scene.rectangle.height > 300
    assert scene.rectangle.y + scene.rectangle.height <= 400
    assert seen(view, scene).shape[:2] == scene.size


def test_it_is_as_large_as_it_is_told(open_headless) -> None:
    view = open_headless("Told", 500, 400)
    scene = SceneView()
    view.panel("P").on_frame(lambda: scene.render(120, 90))
    view.run(max_frames=1)
    assert scene.size == (90, 120)


def test_where_nothing_is_free_it_has_its_own_size(open_headless) -> None:
    view = open_headless("Full", 300, 260)
    scene = SceneView(width=100, height=80)

    @view.panel("P").on_frame
    def draw() -> None:
        for _ in range(8):
            view.panel("P").text("much")
        scene.render()

    view.run(max_frames=2)
    assert scene.rectangle is not None and scene.rectangle.height == 80


def test_a_scene_that_nobody_sees_is_not_drawn(open_headless, monkeypatch) -> None:
    view = open_headless()
    drawn = []
    scene = in_panel(view, SceneView())
    view.run(max_frames=2)
    monkeypatch.setattr("easel.viewer.scene.SceneRenderer.draw", lambda *_: drawn.append(1))
    view.run(max_frames=5)
    assert scene.rectangle is not None and not drawn, "headless, nothing is drawn until a capture"


def test_scenes_stand_beside_each_other_each_with_its_own_camera(open_headless) -> None:
    view = open_headless("Many", 600, 400)
    colors = torch.eye(3)
    scenes = [plain(in_panel(view, SceneView(str(n)), str(n))) for n in range(3)]
    for number, scene in enumerate(scenes):
        scene.set_tensor(colors[number].expand(4, 4, 3))
        scene.camera.distance = 3 - number * 0.5
    view.run(max_frames=1)
    covered = []
    for number, scene in enumerate(scenes):
        shown = seen(view, scene)
        mine = shown[..., number] > 0.9
        covered.append(mine.float().mean().item())
        assert not (shown[..., (number + 1) % 3] > 0.5).any()
    assert covered == sorted(covered) and covered[0] > 0


def test_it_works_in_a_window_whose_frames_the_program_turns(gl) -> None:
    with Window("Raw", 300, 300, backend="headless") as window:
        scene = plain(SceneView())
        scene.set_tensor(torch.ones(4, 4))
        for _ in range(2):
            window.begin_frame()
            ui.set_next_window_size(200, 200)
            ui.begin("Panel")
            scene.render()
            ui.end()
            window.end_frame()
        assert scene.size is not None and max(scene.size) < 200
        assert (window.capture() == 1).all(-1).sum() > 1000


def test_outside_of_every_window_nothing_happens(open_view) -> None:
    scene = SceneView()
    scene.render()
    view = open_view(backend="none")
    view.on_frame(scene.render)
    view.run(max_frames=1)
    view.step()
    scene.render()
    view.end_step()
    view.close()
    scene.render()
    assert scene.rectangle is None


def test_without_opengl_or_widgets_it_keeps_its_state(open_any) -> None:
    view = open_any()
    scene = in_panel(view, SceneView())
    scene.set_tensor(torch.zeros(2, 2))
    scene.camera.azimuth = 1.0
    view.run(max_frames=2)
    view.capture()
    assert scene.camera.azimuth == 1.0 and (scene.rectangle is not None) == view.drawn


def test_a_dropped_scene_gives_its_memory_back(open_headless) -> None:
    view = open_headless()
    panel = view.panel("P")
    held = {"scene": SceneView()}
    panel.on_frame(lambda: held["scene"].render())
    view.run(max_frames=1)
    view.capture()
    backend = view.window.backend
    assert isinstance(backend, HeadlessBackend) and backend._renderer is not None
    for _ in range(3):
        held["scene"] = SceneView()
        view.run(max_frames=1)
        gc.collect()
        view.capture()
        assert len(backend._renderer._renderers) == 1


# Scenery


def marks(view: View, scene: SceneView) -> Tensor:
    """Where something other than the background is seen."""
    return (seen(view, scene) - torch.tensor(scene.background)).abs().amax(-1) > 0.1


def test_points_are_where_they_are_projected_and_live(open_headless) -> None:
    view = open_headless("Points", 300, 300)
    scene = in_panel(view, SceneView())
    positions = torch.tensor([[0.3, 0.2, 0.1]])
    points = scene.add_points(positions, (1.0, 1.0, 1.0), size=8)
    view.run(max_frames=1)
    for place in ([0.3, 0.2, 0.1], [-0.4, 0.1, 0.3]):
        positions[:] = torch.tensor(place)
        assert scene.size is not None
        x, y, _ = project(positions, scene.camera.pose(), scene.camera.fov, scene.size)[0].tolist()
        rows, columns = marks(view, scene).nonzero().float().mean(0).tolist()
        assert (columns + 0.5, rows + 0.5) == pytest.approx((x, y), abs=0.6)
    points.visible = False
    assert not marks(view, scene).any()
    points.visible = True
    points.positions, points.size = torch.randn(50, 3), 3
    assert marks(view, scene).any()
    scene.remove(points)
    assert not marks(view, scene).any() and scene.scenery == []


def test_the_point_under_the_pointer_is_picked_and_of_two_the_one_in_front(open_headless) -> None:
    view = open_headless("Pick", 300, 300)
    scene = in_panel(view, SceneView())
    eye = scene.camera.pose()[:3, 3]
    corner = torch.tensor([0.3, 0.2, 0.1])
    positions = torch.stack([torch.tensor([-0.4, 0.1, 0.3]), corner, corner + 0.4 * (eye - corner)])
    points = scene.add_points(positions, (1.0, 1.0, 1.0), size=10)
    driver = Driver(view)
    driver.frames(1)
    assert scene.mouse is None and scene.pick(points) is None
    for index, seen_index in ((0, 0), (1, 2), (2, 2)):
        assert scene.size is not None
        x, y, _ = project(positions[index : index + 1], scene.camera.pose(), scene.camera.fov, scene.size)[0].tolist()
        driver.move(scene, x, y)
        assert scene.mouse == pytest.approx((x, y), abs=1)
        assert scene.pick(points) == seen_index
        driver.move(scene, x + 9, y)
        assert scene.pick(points) is None
    points.visible = False
    driver.move(scene, x, y)
    assert scene.pick(points) is None


def test_lines_and_frustums_are_drawn_in_their_colours(open_headless) -> None:
    view = open_headless("Lines", 300, 300)
    scene = in_panel(view, SceneView())
    scene.add_lines([[[0, 0, 0], [1, 0, 0]], [[0, 0, 0], [0, 1, 0]]], torch.eye(3)[:2], width=4)
    view.run(max_frames=1)
    shown = seen(view, scene)
    height, width = shown.shape[:2]
    red, green = (shown[..., channel] - shown[..., 2] > 0.5 for channel in (0, 1))
    assert red.any() and green.any()
    assert red.nonzero()[:, 1].float().mean() > width / 2 + 10 and green.nonzero()[:, 0].float().mean() < height / 2


def test_a_frustum_is_what_its_camera_sees() -> None:
    pose = orbit_pose(0.7, 0.3, 2.0, (0.1, 0.2, 0.3))
    frustum = Frustum(pose, 40.0, 1.5, 0.8, (1, 1, 1), 2.0)
    segments = frustum.segments()
    corners = project(segments[:4, 1], pose, 40.0, (100, 150))
    expected = torch.tensor([[0.0, 0, 0.8], [150, 0, 0.8], [150, 100, 0.8], [0, 100, 0.8]])
    torch.testing.assert_close(corners, expected, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(segments[:4, 0], pose[:3, 3].expand(4, 3))


# What is refused


def test_a_tensor_needs_a_window() -> None:
    with pytest.raises(RuntimeError, match="No active"):
        SceneView().set_tensor(torch.zeros(2, 2))


@pytest.mark.parametrize(("tensor", "words"), [(torch.zeros(2, 2, 7), "channels"), (torch.zeros(3), "2D or 3D")])
def test_a_tensor_that_is_no_picture_is_refused(open_view, tensor, words) -> None:
    open_view(backend="none")
    with pytest.raises(ValueError, match=f"scene 'S'.*{words}"):
        SceneView("S").set_tensor(tensor)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: SceneView(msaa=3),
        lambda: SceneView(geometry="torus"),
        lambda: SceneView().add_points(torch.zeros(4, 2)),
        lambda: SceneView().add_points("here"),
        lambda: SceneView().add_points(torch.zeros(4, 3), torch.zeros(3, 3)),
        lambda: SceneView().add_lines(torch.zeros(4, 3)),
        lambda: SceneView().add_frustum(torch.eye(3)),
        lambda: SceneView().add_frustum(torch.eye(4), color=torch.zeros(2, 3)),
        lambda: setattr(SceneView(), "background", (1.0, 2.0)),
        lambda: setattr(SceneView(), "msaa", 0),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(wrong) -> None:
    with pytest.raises(ValueError, match=r"got|unknown"):
        wrong()
