"""The mouse and the sliders turn one camera, and the light falls as the sliders say."""

import pytest
import torch

from easel.graphics.camera import Camera


def surface(program) -> torch.Tensor:
    """What is seen in the middle of the scene."""
    shown = program.shown(program.module.scene)
    height, width = shown.shape[:2]
    return shown[height // 3 : -height // 3, width // 3 : -width // 3]


def test_the_textures_are_those_of_the_book(example) -> None:
    module = example("11_3d_inspector").module
    checker, radial, sines, normals = module.textures
    assert {tuple(round(v, 1) for v in color) for color in checker.reshape(-1, 3).unique(dim=0).tolist()} == {
        (0.1, 0.2, 0.4),
        (1.0, 0.3, 0.7),
    }
    assert (checker[0, :, 0].diff() != 0).sum() == 7
    torch.testing.assert_close(radial, radial[..., :1] * torch.tensor([1, 0.5, 0.2]))
    assert sines.min() >= 0 and sines.max() <= 1
    torch.testing.assert_close((normals * 2 - 1).norm(dim=-1), torch.ones(512, 512), atol=1e-5, rtol=0)


def test_the_mouse_orbits_pans_and_zooms(example) -> None:
    program = example("11_3d_inspector")
    scene, driver = program.module.scene, program.driver
    driver.frames(2)
    before = surface(program)
    driver.stroke(scene, [(300, 300), (350, 320), (380, 330)])
    assert scene.camera.azimuth == pytest.approx(-0.8) and scene.camera.elevation == pytest.approx(0.9)
    assert not torch.equal(surface(program), before)
    driver.stroke(scene, [(300, 300), (330, 300)], button=1)
    assert scene.camera.target != (0.0, 0.0, 0.0)
    driver.wheel(scene, 2)
    assert scene.camera.distance == pytest.approx(3 * 2.718281828**-0.3)


def test_sliders_and_mouse_agree_and_reset_resets(example) -> None:
    program = example("11_3d_inspector")
    camera, driver = program.module.scene.camera, program.driver
    driver.frames(2)
    driver.wheel(program.module.scene, -3)
    assert driver.read("Distance") == pytest.approx(camera.distance, abs=1e-4) and camera.distance > 4
    driver.drag("Distance", 6.0)
    assert camera.distance == pytest.approx(6, abs=0.1)
    driver.type("FOV", "80")
    assert camera.fov == 80
    driver.wheel(program.module.scene, 1)
    assert camera.distance == pytest.approx(6 * 2.718281828**-0.15, abs=0.1) and camera.fov == 80
    driver.stroke(program.module.scene, [(300, 300), (350, 320)])
    driver.click("Reset Camera")
    driver.frames(3)
    assert camera == Camera()
    assert (driver.read("FOV"), driver.read("Distance")) == (45, 3)


def test_it_turns_by_itself(example) -> None:
    program = example("11_3d_inspector")
    driver, camera = program.driver, program.module.scene.camera
    driver.click("Auto Rotate")
    before = camera.azimuth
    driver.frames(10)
    assert camera.azimuth == pytest.approx(before + 0.2)


def test_in_plain_light_the_texture_s_own_colours_are_seen(example) -> None:
    program = example("11_3d_inspector")
    for label, value in (("Ambient", "1"), ("Intensity", "0"), ("Specular", "0")):
        program.driver.type(label, value)
    shown = surface(program)
    colors = torch.tensor([[0.1, 0.2, 0.4], [1.0, 0.3, 0.7]])
    off = (shown[..., None, :] - colors).abs().amax(-1).amin(-1)
    # between two squares the texture is blended
    assert (off <= 1.5 / 255).float().mean() > 0.9
    for color in colors:
        assert ((shown - color).abs().amax(-1) <= 1.5 / 255).float().mean() > 0.3


def test_more_samples_change_edges_alone(example) -> None:
    program = example("11_3d_inspector")
    scene, driver = program.module.scene, program.driver
    pictures = []
    for samples in ("1 x", "4 x", "8 x"):
        driver.select("MSAA", samples)
        driver.frames(1)
        pictures.append(program.shown(scene))
    assert scene.msaa == 8 and scene.samples >= 4
    rough, smooth, _ = pictures
    changed = (rough - smooth).abs().amax(-1) > 1 / 255
    assert 0 < changed.float().mean() < 0.01


def test_the_light_follows_its_sliders(example) -> None:
    program = example("11_3d_inspector")
    light, driver = program.module.light, program.driver
    driver.frames(2)
    assert light.direction == pytest.approx((0.3 / 1.157, -1 / 1.157, 0.5 / 1.157), abs=0.01)
    bright = surface(program).mean()
    driver.type("Light El", "-60")
    assert light.direction[1] > 0.8 and surface(program).mean() < 0.6 * bright, "lit from below, the upper side is dark"


@pytest.mark.parametrize("geometry", ["Sphere", "Cube", "Heightfield"])
def test_every_surface_can_be_chosen(example, geometry) -> None:
    program = example("11_3d_inspector")
    program.driver.frames(2)
    flat = program.shown(program.module.scene)
    program.driver.select("Geometry", geometry)
    program.driver.select("Texture", "Sines")
    program.driver.frames(1)
    assert (program.shown(program.module.scene) - flat).abs().amax(-1).gt(0.1).float().mean() > 0.2
