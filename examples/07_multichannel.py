"""Trace rays at a sphere and look at everything that comes of it.

One pass gives colour, depth, normals and coverage; each is a tensor, each has a panel. Depth is a number per pixel and
gets its colours from a colormap, a normal's three parts in [-1, 1] become a colour in [0, 1].

tested: 10 frames
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

import easel

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE = 256
ALBEDO = torch.tensor([0.85, 0.45, 0.25], device=DEVICE)
EYE = torch.tensor([0.0, 0.0, -2.0], device=DEVICE)

y, x = torch.meshgrid(
    torch.linspace(1, -1, SIZE, device=DEVICE), torch.linspace(-1, 1, SIZE, device=DEVICE), indexing="ij"
)
RAYS = F.normalize(torch.stack([x, y, torch.ones_like(x)], dim=-1), dim=-1)


class Buffers(NamedTuple):
    rgb: Tensor  # (H, W, 3)
    depth: Tensor  # (H, W), along the ray; infinite where it hits nothing
    normal: Tensor  # (H, W, 3), of length 1; zero where the ray hits nothing
    alpha: Tensor  # (H, W)


def light_direction(azimuth: float, elevation: float) -> Tensor:
    """Of length 1, towards the light; angles in radians, both 0 where the eye is."""
    flat = math.cos(elevation)
    return torch.tensor([flat * math.sin(azimuth), math.sin(elevation), -flat * math.cos(azimuth)], device=DEVICE)


def trace(radius: float, light: Tensor, ambient: float, background: tuple[float, float, float]) -> Buffers:
    """A sphere around the origin: |eye + t·ray|² = radius², solved for the nearest t > 0."""
    half_b = RAYS @ EYE
    discriminant = half_b.square() - (EYE @ EYE - radius**2)
    root = discriminant.clamp(min=0).sqrt()
    near, far = -half_b - root, -half_b + root
    t = torch.where(near > 0, near, far)  # from within the sphere only its far side is in front
    hit = (discriminant >= 0) & (t > 0)
    depth = torch.where(hit, t, math.inf)
    normal = torch.where(hit[..., None], F.normalize(EYE + t[..., None] * RAYS, dim=-1), 0.0)
    shade = ambient + (1 - ambient) * (normal @ light).clamp(min=0)
    rgb = torch.where(hit[..., None], ALBEDO * shade[..., None], torch.tensor(background, device=DEVICE))
    return Buffers(rgb, depth, normal, hit.float())


def depth_colors(depth: Tensor, background: tuple[float, float, float]) -> Tensor:
    hit = depth.isfinite()
    return torch.where(hit[..., None], easel.colormap(depth, "turbo"), torch.tensor(background, device=DEVICE))


view = easel.viewer.launch("07 - Multichannel", 1200, 900)
color_panel = view.panel("RGB", side="left", width=0.5)
canvases = {name: view.panel(name).canvas(name.lower()) for name in ("RGB", "Depth", "Normal", "Alpha")}


@color_panel.on_frame
def render():
    radius = color_panel.slider("Radius", 0.1, 1.5, default=0.6)
    azimuth = color_panel.slider("Azimuth", -math.pi, math.pi, default=0.5)
    elevation = color_panel.slider("Elevation", -math.pi / 2, math.pi / 2, default=0.8)
    ambient = color_panel.slider("Ambient", 0.0, 1.0, default=0.1)
    background = color_panel.color_picker("Background", default=(0.12, 0.12, 0.14))

    buffers = trace(radius, light_direction(azimuth, elevation), ambient, background)
    canvases["RGB"].bind(buffers.rgb)
    canvases["Depth"].bind(depth_colors(buffers.depth, background))
    canvases["Normal"].bind(buffers.normal * 0.5 + 0.5)
    canvases["Alpha"].bind(buffers.alpha)


if __name__ == "__main__":
    view.run()
