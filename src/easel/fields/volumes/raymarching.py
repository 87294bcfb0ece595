"""Ray marching of volumes, front to back.

Each ray is cut into equal steps inside the volume's box; a step of length s through extinction σ has the opacity
1 - exp(-σ s) (Max 1995, Optical Models for Direct Volume Rendering). Light is added up in linear space. The volume is
prepared and passed slab by slab, so that one larger than memory leaves no trace of that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from easel.fields.volumes.look import Color, Look
from easel.fields.volumes.medium import Medium, Slab, sample
from easel.fields.volumes.volume import Number, slabs
from easel.graphics.camera import Camera, rays
from easel.graphics.color import linear_to_srgb, srgb_to_linear
from easel.graphics.light import Light

DARK = 1e-4
"""Transmittance below which a ray ends: white behind black is then a third of an 8-bit step."""
BLOCK_STEPS = 16
"""Steps along every ray between two tests for its end."""
BLOCK = 2**19
"""Samples that are taken at once: about 60 MB."""
BAND = 2**20
"""Rays that are followed at once; a larger picture is made in bands of rows."""
FAINT = 0.1
"""Slope of the brightness, per half side of the box, that is lit half as a surface and half as mist."""


def lamp() -> Light:
    """Return the default light of volumes, over the viewer's left shoulder: its direction is in the camera's axes."""
    return Light(direction=(0.6, -0.8, -0.45), ambient=0.25, intensity=1.35, specular=0.55, shininess=40.0)


def orbit_camera(half: Sequence[Number], size: tuple[int, int] = (512, 512), look: Look | None = None) -> Camera:
    """Return a camera, a little from above and from the right, that sees all of a box of these half sides."""
    radius = math.hypot(*half)
    if look is not None and look.shape == "ball":
        radius = max(half)
    fov_degrees = 30.0
    # Half the field of view along the shorter side of the picture.
    narrow = math.atan(math.tan(math.radians(fov_degrees / 2)) * min(size[1] / size[0], 1))
    distance = 1.08 * radius / math.sin(narrow)  # the ball that holds the box, and a little air around it
    return Camera(azimuth=0.62, elevation=0.42, distance=distance, fov=fov_degrees)


def march(
    medium: Medium, camera: Camera, size: tuple[int, int], light: Light | None = None
) -> tuple[Float[Tensor, "h w 3"], Float[Tensor, "h w"]]:
    """Return the scene-linear light from the volume in a picture of (height, width), and the transmittance.

    Transmittance is 1 where the background is all that is seen, and 0 before opaque matter.
    """
    height, width = size
    light = light or lamp()
    pose = _upright(camera.pose(), medium.look.up)
    # Bands of rows bound the memory of a large picture; rays do not know of each other.
    scene = _Scene(medium, light, pose)
    rows = max(BAND // width, 1)
    bands = []
    with torch.inference_mode():
        for top in range(0, height, rows):
            y, x = torch.meshgrid(
                torch.arange(top, min(top + rows, height)) + 0.5, torch.arange(width) + 0.5, indexing="ij"
            )
            eye, directions = rays(torch.stack([x, y], dim=-1).reshape(-1, 2), pose, camera.fov, size)
            bands.append(_follow(scene, eye, directions))
    radiance, through = (torch.cat(parts) for parts in zip(*bands, strict=True))
    return radiance.reshape(height, width, 3), through.reshape(height, width)


def over_background(
    radiance: Float[Tensor, "h w 3"], through: Float[Tensor, "h w"], background: tuple[Color, Color]
) -> Float[Tensor, "h w 3"]:
    """Compose the results of `march` with a background that goes from the middle's colour to the corners'."""
    height, width = through.shape
    # Mixed in display-referred colour, where even steps look even; light is added in linear.
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    share = ((x**2 + y**2) / 2)[..., None]
    middle, corner = (torch.tensor(colour, dtype=torch.float32) for colour in background)
    behind = srgb_to_linear((1 - share) * middle + share * corner)
    return linear_to_srgb(radiance + through[..., None] * behind).clamp_(0.0, 1.0)


@dataclass
class _Bundle:
    """Rays on their way through the box, with the light gathered so far."""

    eye: Float[Tensor, "3"]
    directions: Float[Tensor, "n 3"]
    enter: Float[Tensor, " n"]
    """Distance from the eye at which the box begins."""
    step: Float[Tensor, " n"]
    steps: Int[Tensor, " n"]
    radiance: Float[Tensor, "n 3"]
    through: Float[Tensor, " n"]


class _Scene:
    """A medium under a light, as a camera sees it."""

    def __init__(self, medium: Medium, light: Light, pose: Float[Tensor, "4 4"]) -> None:
        self.medium = medium
        self.light = light
        direction = torch.tensor(light.direction, dtype=torch.float32)
        self.towards_light = -normalize(pose[:3, :3] @ direction, dim=0)
        self.light_color = srgb_to_linear(torch.tensor(light.color, dtype=torch.float32))[:, None, None]
        self.arriving: Float[Tensor, "1 1 x y z"] | None = None
        if light.enabled and medium.look.shadows and medium.look.density:
            self.arriving = medium.lit(self.towards_light)

    def shade(
        self, found: Float[Tensor, "7 n k"], points: Float[Tensor, "n k 3"], directions: Float[Tensor, "n 3"]
    ) -> Float[Tensor, "3 n k"]:
        """Return the light that samples send towards the eye, by Blinn and Phong, alike on both sides of a surface."""
        colour = found[:3]
        slope = found[4:]
        look = self.medium.look
        light = self.light
        intensity = light.intensity * light.enabled
        arriving = torch.ones(())
        if self.arriving is not None:
            arriving = 1 - look.shadows * (1 - sample(self.arriving, points / self.medium.half))
        if not look.shading:
            return colour * arriving
        length = slope.square().sum(dim=0, keepdim=True).sqrt()  # torch's norm takes four times as long
        normal = slope / length.clamp_min(1e-9)  # no slope, no surface: any direction does
        # Mist has no normal: the flatter the brightness, the less a place is lit as a surface.
        surface = look.shading * length / (length + FAINT)
        halfway = normalize(self.towards_light - directions, dim=-1)
        facing = torch.einsum("ank,a->nk", normal, self.towards_light).abs()[None]
        glancing = torch.einsum("ank,na->nk", normal, halfway).abs()[None]
        lit = light.ambient + facing * intensity * self.light_color
        shine = light.specular * intensity * glancing**light.shininess * self.light_color
        return ((1 - surface + surface * lit) * colour + surface * shine) * arriving


def _follow(
    scene: _Scene, eye: Float[Tensor, "3"], directions: Float[Tensor, "n 3"]
) -> tuple[Float[Tensor, "n 3"], Float[Tensor, " n"]]:
    half = scene.medium.half
    bundle = _enter(eye, directions, half, float(scene.medium.voxel.min()))
    # Across the axis along which the eye is farthest out all rays meet the slabs in one order; from inside, in two.
    axis = int((eye.abs() / half).argmax())
    for ascending in (True, False):
        these = (bundle.directions[:, axis] >= 0) == ascending
        parts = sorted(slabs(scene.medium.volume, axis), reverse=not ascending)
        for start, stop in parts:
            _pass(scene, axis, start, stop, bundle, these)
    return bundle.radiance, bundle.through


def _enter(
    eye: Float[Tensor, "3"], directions: Float[Tensor, "n 3"], half: Float[Tensor, "3"], voxel: float
) -> _Bundle:
    """Place rays at their first step in the box; those that miss it have none. Slab test of Kay and Kajiya 1986."""
    # Never 0, so that a ray along a face meets it at infinity and 0 / 0 does not occur.
    directions = torch.where(directions.abs() < 1e-9, 1e-9, directions)
    near, far = ((sign * half - eye) / directions for sign in (-1, 1))
    enter = torch.minimum(near, far).amax(-1).clamp_min(0.0)
    leave = torch.maximum(near, far).amin(-1)
    # Steps of about a voxel, an exact number of them for each ray: no remainder at the far side shows as a rim.
    steps = ((leave - enter).clamp_min(0.0) / voxel).ceil().long()
    step = (leave - enter) / steps.clamp_min(1)
    return _Bundle(
        eye,
        directions,
        enter,
        step,
        steps,
        radiance=torch.zeros(len(directions), 3),
        through=torch.ones(len(directions)),
    )


def _pass(scene: _Scene, axis: int, start: int, stop: int, bundle: _Bundle, these: Bool[Tensor, " n"]) -> None:
    """Follow the rays through the slices start ≤ index < stop along an axis."""
    begin, end = _steps_inside(axis, start, stop, bundle, scene.medium)
    # Rays that have nothing to meet here, or that no light comes through, are left out.
    chosen = (these & (end > begin) & (bundle.through > DARK)).nonzero()[:, 0]
    if not len(chosen):  # preparing a slab costs more than following rays through it
        return
    slab = scene.medium.slab(axis, start, stop)
    while len(chosen):
        for part in chosen.split(BLOCK // BLOCK_STEPS):
            _advance(scene, slab, bundle, part, begin[part], end[part])
        begin[chosen] += BLOCK_STEPS
        chosen = chosen[(end[chosen] > begin[chosen]) & (bundle.through[chosen] > DARK)]


def _steps_inside(
    axis: int, start: int, stop: int, bundle: _Bundle, medium: Medium
) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
    """Return the steps begin ≤ k < end of each ray whose middles lie in these slices."""
    samples = medium.volume.shape[axis]
    half = medium.half[axis]
    along = bundle.directions[:, axis]
    eye = bundle.eye[axis]

    def first_behind(index: int) -> Int[Tensor, " n"]:
        # The same numbers for both slabs that share a face, so that a step is taken exactly once.
        distance = ((2 * index / samples - 1) * half - eye) / along
        step = ((distance - bundle.enter) / bundle.step.clamp_min(1e-12) - 0.5).ceil().clamp(-1e9, 1e9).long()
        return step.clamp_min(0).minimum(bundle.steps)

    forward = along >= 0
    low = first_behind(start)
    high = first_behind(stop)
    # The outer faces are where the ray enters and leaves the box: all steps up to there, however they round.
    if start == 0:
        low = torch.where(forward, 0, bundle.steps)
    if stop == samples:
        high = torch.where(forward, bundle.steps, 0)
    return torch.where(forward, low, high), torch.where(forward, high, low)


def _advance(
    scene: _Scene,
    slab: Slab,
    bundle: _Bundle,
    part: Int[Tensor, " n"],
    begin: Int[Tensor, " n"],
    end: Int[Tensor, " n"],
) -> None:
    """Take up to `BLOCK_STEPS` steps along these rays."""
    index = begin[:, None] + torch.arange(BLOCK_STEPS)
    step = bundle.step[part][:, None]
    directions = bundle.directions[part]
    # +0.5: a step is sampled at its middle.
    distance = bundle.enter[part][:, None] + (index + 0.5) * step
    points = bundle.eye + distance[..., None] * directions[:, None]
    found = slab.at(points)
    # Steps beyond the slab count nothing: all rays of a block take the same number.
    depth = found[3] * step * (index < end[:, None])
    if scene.medium.look.shape == "ball":
        depth = depth * _ball(points, scene.medium)
    behind = depth.cumsum(dim=1)
    through = bundle.through[part]
    # expm1: a thin step's opacity, 1 - exp(-depth), would lose its digits.
    weight = through[:, None] * torch.exp(depth - behind) * -torch.expm1(-depth)
    bundle.radiance[part] += (scene.shade(found, points, directions) * weight).sum(-1).T
    bundle.through[part] = through * torch.exp(-behind[:, -1])


def _ball(points: Float[Tensor, "n k 3"], medium: Medium) -> Float[Tensor, "n k"]:
    """Return 1 inside the ellipsoid that fills the box and 0 outside, with two voxels from one to the other."""
    radius = (points / medium.half).norm(dim=-1)
    return ((1 - radius) / (2 * medium.voxel.min() / medium.half.max())).clamp(0.0, 1.0)


def _upright(pose: Float[Tensor, "4 4"], up: str) -> Float[Tensor, "4 4"]:
    """Return the pose in a world whose array axis `up` takes the place of Y."""
    if up == "Y":
        return pose
    # Array axes (X, Y, Z) stand as (X, Z, -Y) in the camera's world.
    turn = torch.tensor([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]], dtype=torch.float32)
    return turn @ pose
