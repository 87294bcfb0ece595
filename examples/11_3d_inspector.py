"""Turn a picture over in your hands.

A texture lies on a surface under a lamp. Drag with the left button to walk around it and with the right one to move it;
the wheel and the middle button bring it nearer. The sliders turn the same camera: they follow the mouse, and the mouse
goes on from where they are. Everything but the surface can be had around it, too: axes, points, other cameras.

tested: 10 frames
"""

import math

import torch
from torch import Tensor

import easel

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE = 512
TURN = 0.02
"""Radians per frame."""

axis = torch.linspace(-1, 1, SIZE, device=DEVICE)
y, x = torch.meshgrid(axis, axis, indexing="ij")


def checker() -> Tensor:
    index = torch.arange(SIZE, device=DEVICE) * 8 // SIZE
    c = ((index[:, None] + index) % 2).float()
    return torch.stack([0.9 * c + 0.1, 0.1 * c + 0.2, 0.3 * c + 0.4], dim=-1)


def radial() -> Tensor:
    v = (1 - torch.hypot(x, y)).clamp(min=0)
    return torch.stack([v, 0.5 * v, 0.2 * v], dim=-1)


def sines() -> Tensor:
    angles = 6 * math.pi * torch.stack([x, y, x + y], dim=-1)
    return 0.5 + 0.5 * angles.sin()


def normals() -> Tensor:
    z = (1 - x * x - y * y).clamp(min=0).sqrt()
    inside = (z > 0)[..., None]
    return 0.5 + 0.5 * torch.where(inside, torch.stack([x, -y, z], dim=-1), torch.tensor([0.0, 0, 1], device=DEVICE))


TEXTURES = {"Checker": checker, "Radial": radial, "Sines": sines, "Normals": normals}
GEOMETRIES = ("plane", "sphere", "cube", "heightfield")
SAMPLES = (1, 2, 4, 8)

view = easel.viewer.launch("11 - 3D Inspector", 1200, 800)
controls = view.panel("Controls", side="left", width=0.28)
stage = view.panel("Scene")
scene = easel.SceneView("inspector", msaa=4)
camera, light = scene.camera, scene.light
textures = [make() for make in TEXTURES.values()]


def follow(label: str, value: float, low: float, high: float) -> float:
    """A slider that is where `value` is, unless a hand is on it; returns where it is now."""
    controls.set(label, value)
    return controls.slider(label, low, high, format="%.2f")


@controls.on_frame
def draw_controls():
    controls.section("Surface")
    scene.set_tensor(textures[controls.combo("Texture", list(TEXTURES))])
    scene.geometry = GEOMETRIES[controls.combo("Geometry", [name.capitalize() for name in GEOMETRIES])]
    scene.msaa = SAMPLES[controls.combo("MSAA", [f"{n} x" for n in SAMPLES], default=2)]
    scene.background = controls.color_picker("Background", default=scene.background)

    controls.section("Camera")
    if controls.button("Reset Camera", width=-1):
        camera.reset()
    camera.fov = follow("FOV", camera.fov, 10, 120)
    camera.distance = follow("Distance", camera.distance, 1, 10)
    if controls.checkbox("Auto Rotate"):
        camera.azimuth += TURN
    controls.text(f"azimuth {camera.azimuth:.2f}   elevation {camera.elevation:.2f}")
    controls.text("target  " + "  ".join(f"{value:.2f}" for value in camera.target))

    controls.section("Light")
    azimuth = math.radians(controls.slider("Light Az", -180, 180, default=-149, format="%.0f°"))
    elevation = math.radians(controls.slider("Light El", -90, 90, default=60, format="%.0f°"))
    flat = -math.cos(elevation)
    light.direction = (flat * math.sin(azimuth), -math.sin(elevation), flat * math.cos(azimuth))
    light.intensity = controls.slider("Intensity", 0, 3, default=1)
    light.ambient = controls.slider("Ambient", 0, 1, default=light.ambient)
    light.specular = controls.slider("Specular", 0, 2, default=0.5)
    light.shininess = controls.slider("Shininess", 1, 128, default=32, format="%.0f")

    controls.separator()
    controls.text(f"{scene.samples} samples per pixel   {view.fps:.0f} FPS")


@stage.on_frame
def draw_scene():
    scene.render()


if __name__ == "__main__":
    view.run()
