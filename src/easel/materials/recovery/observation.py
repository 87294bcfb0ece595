"""Photos as the renderer can repeat them: which texel each pixel shows, from where, and under what light.

A photo's light is a few groups of lamps, each with a strength in red, green and blue. Where views.json says how a photo
was lit there is one group, of strength 1 unless a hand's faults changed it; otherwise a flash beside the lens and an
even room of unknown strengths, as a phone's photos have it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from easel.graphics.color import srgb_to_linear, tonemap
from easel.graphics.image import as_values
from easel.materials.dataset.views import Shot
from easel.materials.maps import MaterialMaps
from easel.materials.recovery.photos import Photo, Photos, pixels_across
from easel.materials.rendering.brdf import Surface
from easel.materials.rendering.environment import Environment
from easel.materials.rendering.light_json import light_from_json
from easel.materials.rendering.lights import LightSource, PointLight
from easel.materials.rendering.plane_camera import FOV_DEGREES, TILE_SIDE
from easel.materials.rendering.shading import shade_surface
from easel.materials.rendering.texture import Texture
from easel.materials.rendering.vectors import normalize

PIXELS_A_TEXEL = 2.0
"""Photos whose pixels are finer than that, along a side, are shrunk."""
PIXELS_AT_ONCE = 2**17
NEAREST_EYE = 0.2
"""World units above the material that a camera keeps whose place is only guessed."""
DIM_ROOM = 0.2
"""Strength of the room beside a flash of strength 1, before it is estimated."""


@dataclass(frozen=True, eq=False)
class Observation:
    """One photo, where it was taken from, and what shone."""

    pixels: Float[Tensor, "3 h w"]
    """sRGB in [0, 1]."""
    to_uv: Float[Tensor, "3 3"]
    """The homography from pixels to the frame of the maps."""
    eye: Float[Tensor, "3"]
    """The camera, in world units."""
    lights: tuple[tuple[LightSource, ...], ...]
    """Groups of lamps whose strength is one unknown."""
    strengths: Float[Tensor, "groups 3"]
    """Factor of each group, exposure included: known, or a guess to begin with."""
    is_lit_as_told: bool
    """True if the strengths are known."""
    shown: Int[Tensor, " n"]
    """Numbers, row by row, of the pixels that show the material."""

    def seen(self, chosen: Int[Tensor, " n"]) -> Float[Tensor, "3 n"]:
        """Return the photo's values at these pixels, sRGB in [0, 1]."""
        return self.pixels.flatten(1)[:, chosen]

    def rendered(
        self, texture: Texture, strengths: Float[Tensor, "groups 3"], chosen: Int[Tensor, " n"]
    ) -> Float[Tensor, "3 n"]:
        """Render a photo of `texture` at these pixels, sRGB in [0, 1]."""
        width = self.pixels.shape[-1]
        # +0.5: a pixel's value is that of its centre.
        centers = torch.stack([chosen % width + 0.5, chosen // width + 0.5, torch.ones_like(chosen)])
        mapped = self.to_uv @ centers.to(self.to_uv)
        uv = mapped[:2] / mapped[2]
        # The derivative of a homography M has the determinant det M / w³
        area = (torch.linalg.det(self.to_uv) / mapped[2] ** 3).abs()[None].float()
        positions = torch.cat([(uv - 0.5) * TILE_SIDE, torch.zeros_like(uv[:1])])[:, None]
        to_camera = normalize(self.eye[:, None, None] - positions).float()
        # Footprint in texels: it picks the level of detail that does not alias.
        height, width = texture.sizes[0]
        surface = texture.sample(uv.float()[:, None], area * (height * width))
        radiance = torch.zeros((), device=area.device)
        for group, strength in zip(self.lights, strengths, strict=True):
            radiance = radiance + strength[:, None, None] * shade_surface(surface, positions.float(), to_camera, group)
        return tonemap(radiance.movedim(0, -1)).movedim(-1, 0)[:, 0]


def observe(photos: Photos, side: int, device: torch.device) -> list[Observation]:
    """Prepare the photos for comparison with renderings of maps of `side` texels.

    Stored cameras see a texture that repeats, so all of the photo counts; of other photos what lies inside the frame.
    Where no camera is stored it is taken to be a phone's, and the first photo of a match to be taken straight on.
    Photos that show nothing of the frame are left out; ValueError when none is left.
    """
    repeats = photos.how == "camera"
    observations = [_observation(photo, side, repeats, device) for photo in photos.photos]
    if not (useful := [observation for observation in observations if len(observation.shown)]):
        raise ValueError("no photo shows the frame of the maps: look at the corners that were marked.")
    return useful


def difference(maps: MaterialMaps, observations: Sequence[Observation], strengths: Sequence[Tensor]) -> float:
    """Return the mean difference between the photos and the maps rendered as they were taken, sRGB in [0, 1]."""
    texture = Texture.of(Surface.of(maps))
    errors = []
    with torch.no_grad():
        # In pieces: a photo has millions of pixels, and each needs a surface and all lights.
        for observation, strength in zip(observations, strengths, strict=True):
            for chosen in observation.shown.split(PIXELS_AT_ONCE):
                rendered = observation.rendered(texture, strength, chosen)
                errors.append((rendered - observation.seen(chosen)).abs().mean(0))
    return float(torch.cat(errors).mean())


def guessed_strengths(maps: MaterialMaps, observation: Observation) -> Float[Tensor, "groups 3"]:
    """Scale the strengths so that a rendering of `maps` is as bright as the photo in the mean; known ones stay."""
    if observation.is_lit_as_told:
        return observation.strengths
    # A sample of the pixels: a mean needs no more.
    chosen = observation.shown[:: max(1, len(observation.shown) // PIXELS_AT_ONCE)]
    with torch.no_grad():
        texture = Texture.of(Surface.of(maps))
        rendered = observation.rendered(texture, observation.strengths, chosen)
        both = [srgb_to_linear(values).mean() for values in (observation.seen(chosen), rendered)]
    return observation.strengths * (both[0] / both[1].clamp(min=1e-6))


def guessed_eye(uv_to_pixel: Float[Tensor, "3 3"], size: tuple[int, int]) -> Float[Tensor, "3"]:
    """Estimate the position of a camera of the usual field of view, from the homography of a photo of `size`.

    Zhang 2000, section 3.1: the columns of K⁻¹ H are two axes of the plane and the way to its corner.
    """
    height, width = size
    # The focal length in pixels, from the field of view across the shorter side.
    focal = min(size) / 2 / math.tan(math.radians(FOV_DEGREES) / 2)
    intrinsics = uv_to_pixel.new_tensor([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]], dtype=torch.float64)
    columns = torch.linalg.inv(intrinsics) @ uv_to_pixel.double()
    # The homography is known up to scale; the axes of the plane have length 1.
    columns = columns / columns[:, :2].norm(dim=0).mean()
    # The plane lies in front of the camera, so its depth is positive.
    if columns[2].sum() < 0:
        columns = -columns
    right = columns[:, 0]
    up = columns[:, 1]
    # The nearest rotation: noise, and a frame that is no square, make axes that are not quite at right angles
    left, _, turned = torch.linalg.svd(torch.stack([right, up, torch.linalg.cross(right, up)], dim=-1))
    eye = -(left @ turned).T @ columns[:, 2] - columns.new_tensor([0.5, 0.5, 0])
    eye = eye * TILE_SIDE
    eye[2] = eye[2].clamp(min=NEAREST_EYE)
    return eye.to(uv_to_pixel.dtype)


def _observation(photo: Photo, side: int, repeats: bool, device: torch.device) -> Observation:
    # float64 from here on: homographies of large photos lose pixels in float32.
    pixels = as_values(photo.pixels)
    homography = photo.uv_to_pixel.double()
    fineness = pixels_across(homography) / side
    if fineness > PIXELS_A_TEXEL:
        # What maps of so few texels cannot explain is averaged away
        before = pixels.shape[-2:]
        size = [max(8, round(length * PIXELS_A_TEXEL / fineness)) for length in before]
        pixels = torch.nn.functional.interpolate(pixels[None], size, mode="bilinear", antialias=True)[0].clamp(0, 1)
        scale = homography.new_tensor([size[1] / before[1], size[0] / before[0], 1])
        homography = scale[:, None] * homography
    height, width = pixels.shape[-2:]
    position = photo.position
    eye = guessed_eye(homography, (height, width)) if position is None else homography.new_tensor(position) * TILE_SIDE
    lights, strengths, is_lit_as_told = _light(photo.shot, eye)
    to_uv = torch.linalg.inv(homography)
    y, x = (torch.arange(length, dtype=torch.float64) + 0.5 for length in (height, width))
    x, y = torch.meshgrid(x, y, indexing="xy")
    u, v, w = to_uv @ torch.stack([x, y, torch.ones_like(x)]).flatten(1)
    # Behind the camera a homography mirrors: those pixels show nothing.
    shows = w > 0
    if not repeats:
        shows &= (u >= 0) & (v >= 0) & (u <= w) & (v <= w)
    return Observation(
        pixels.to(device),
        to_uv.to(device),
        eye.to(device),
        lights,
        strengths.to(device),
        is_lit_as_told,
        shows.nonzero()[:, 0].to(device),
    )


def _light(
    shot: Shot | None, eye: Float[Tensor, "3"]
) -> tuple[tuple[tuple[LightSource, ...], ...], Float[Tensor, "groups 3"], bool]:
    """Return the groups of lamps of a photo, the strength of each, and True if that is known."""
    if shot is not None and shot.lights:
        lamps = tuple(light_from_json(light) for light in shot.lights)
        return (lamps,), torch.full((1, 3), float(shot.exposure)), not shot.artefacts
    x, y, z = eye.tolist()
    flash = PointLight((x, y, z), (math.pi * (x * x + y * y + z * z),) * 3)
    return ((flash,), (Environment(torch.ones(2, 4, 3)),)), torch.tensor([[1.0] * 3, [DIM_ROOM] * 3]), False
