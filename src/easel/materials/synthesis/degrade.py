"""Faults of a photo from a hand-held camera: dirt on the lens, shake, a wrong focus, noise, JPEG.

`Faults` has the strength of each, `draw_faults` and `draw_dirt` draw them, and `photograph` turns exposed radiance into
a picture with them, in the order in which light meets lens, shutter, sensor and file. Radiance is scene-linear
(3, h, w), exposed so that a white card is about 1. Lengths are fractions of the picture's height, so that a fault looks
the same at every size. Constants of dirt are NeuroPBR's.
"""

import io
import math
from dataclasses import dataclass, fields
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Generator, Tensor

from easel.graphics.color import linear_to_srgb, tonemap
from easel.materials.collection.noise import ramp
from easel.materials.synthesis.endless_noise import fbm, value_noise

Radiance = Float[Tensor, "3 h w"]
Picture = Float[Tensor, "h w 3"]

SMUDGE_COLOUR = (0.8, 0.75, 0.7)
SMUDGE_ALPHA = 0.15
"""Opacity of the densest grease."""
SCRATCH_COLOUR = (0.95, 0.95, 0.95)
SCRATCH_ALPHA = 0.3
"""Opacity of one scratch; crossing ones add up."""
SCRATCH_FAMILIES = 3
"""Directions of scratches."""
FINE_LINES = 512
"""Rows of a photo in which every scratch is at least about a pixel wide."""
MOST_REGISTRATION_PIXELS = 2.0
"""Farthest that a photo lies from the place that its camera says."""


@dataclass(frozen=True)
class Faults:
    """Strengths of the faults of one photo; the defaults are a perfect camera on a tripod."""

    exposure_stops: float = 0.0
    """Stops by which the photo is too bright."""
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Factors of red, green and blue light."""
    defocus: float = 0.0
    """Radius of the circle of confusion, the disc that a point becomes, of the height."""
    motion_blur: tuple[float, float] = (0.0, 0.0)
    """Path of a point while the shutter is open, right and down, of the height."""
    vignetting: float = 0.0
    """Share of the light that is lost in the corners."""
    shot_noise: float = 0.0
    """Variance of a white pixel; that of others is in proportion to their light."""
    read_noise: float = 0.0
    """Standard deviation that every pixel has, a dark one too."""
    clipping: float = 0.0
    """1 where highlights end abruptly, 0 where they roll off."""
    jpeg_quality: float = 0.0
    """1 to 100; 0 stores the photo without loss."""
    registration_pixels: tuple[float, float] = (0.0, 0.0)
    """Pixels, right and down, between the photo and the place that its camera says."""

    def strengths(self) -> dict[str, float | tuple[float, ...]]:
        """Return the faults that are there, by name."""
        return {entry.name: value for entry in fields(self) if (value := getattr(self, entry.name)) != entry.default}


def uniform(generator: Generator, low: float | int = 0.0, high: float | int = 1.0) -> float:
    """Draw a number between two, of six decimals."""
    # Rounded here, so that views.json tells exactly the number that made the photo
    return round(low + (high - low) * torch.rand((), generator=generator, dtype=torch.float64).item(), 6)


def draw_faults(generator: Generator, height: int) -> Faults:
    """Draw the faults of one photo of `height` pixels, without dirt on the lens."""
    # The order of draws is part of a dataset's seed
    between = partial(uniform, generator)
    warmth = between(-0.2, 0.2)
    tint = between(-0.05, 0.05)
    shake = between(0, 0.008)
    angle = between(0, 2 * math.pi)
    furthest = min(MOST_REGISTRATION_PIXELS, height / 128)
    off = between(0, furthest)
    towards = between(0, 2 * math.pi)
    return Faults(
        exposure_stops=between(-1, 1),
        white_balance=(round(2**warmth, 6), round(2**tint, 6), round(2**-warmth, 6)),
        defocus=between(0, 0.004),
        motion_blur=(round(shake * math.cos(angle), 6), round(shake * math.sin(angle), 6)),
        vignetting=between(0, 0.35),
        shot_noise=between(0.0001, 0.002),
        read_noise=between(0.0005, 0.005),
        clipping=float(between(0, 1) < 0.5),
        jpeg_quality=float(round(between(70, 95))),
        registration_pixels=(round(off * math.cos(towards), 6), round(off * math.sin(towards), 6)),
    )


def photograph(light: Radiance, faults: Faults, generator: Generator, dirt: "Dirt | None" = None) -> Picture:
    """Return the picture that a camera with these faults makes of exposed radiance.

    `generator` draws the noise; `registration_pixels` are for whoever aims the camera.
    """
    if dirt is not None:
        light = torch.lerp(light, dirt.colour, dirt.alpha)
    if faults.vignetting:
        light = vignette(light, faults.vignetting)
    if faults.defocus:
        light = defocus(light, faults.defocus * light.shape[1])
    if any(faults.motion_blur):
        light = motion_blur(light, *(part * light.shape[1] for part in faults.motion_blur))
    gains = light.new_tensor(faults.white_balance) * 2.0**faults.exposure_stops
    light = light * gains[:, None, None]
    if faults.shot_noise or faults.read_noise:
        light = add_noise(light, faults.shot_noise, faults.read_noise, generator)
    light = light.movedim(0, -1)
    picture = linear_to_srgb(light.clamp(0, 1)) if faults.clipping else tonemap(light)
    return jpeg(picture, round(faults.jpeg_quality)) if faults.jpeg_quality else picture


@dataclass(frozen=True)
class Dirt:
    """Layer on a lens that nobody has wiped, as it lies over every photo."""

    alpha: Float[Tensor, "h w"]
    """Opacity."""
    colour: Radiance


def draw_dirt(height: int, width: int, seed: int) -> Dirt:
    """Draw smudges of grease and scratches; any seed is another lens."""
    # Scratches are thinner than the pixels of a small photo: averaged over finer ones they do not break into dots.
    finer = max(1, round(FINE_LINES / height))
    # float32 and integer hashes: the same dirt on every machine
    x, y = np.broadcast_arrays(
        (np.arange(finer * width, dtype=np.float32) + np.float32(0.5))[None, :] / np.float32(finer * height),
        (np.arange(finer * height, dtype=np.float32) + np.float32(0.5))[:, None] / np.float32(finer * height),
    )
    grease = torch.from_numpy(smudge_pattern(x, y, seed)) * SMUDGE_ALPHA
    lines = (torch.from_numpy(scratch_pattern(x, y, seed + 100)) * SCRATCH_ALPHA).clamp(max=1)
    fine = torch.stack([torch.maximum(grease, lines), (lines > grease).to(lines.dtype)])
    alpha, line = torch.nn.functional.avg_pool2d(fine[None], finer)[0]
    smudge, scratch = (torch.tensor(colour)[:, None, None] for colour in (SMUDGE_COLOUR, SCRATCH_COLOUR))
    return Dirt(alpha, torch.lerp(smudge, scratch, line))


def smudge_pattern(x: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """Return the density of grease in [0, 1]; x and y in heights of the picture."""
    warp = np.float32(0.5) * fbm(x, y, seed)
    return ramp(fbm(4 * (2 * x + warp), 4 * (2 * y + warp), seed + 10), 0.45, 0.85)


def scratch_pattern(x: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """Return the density of scratches: families of parallel lines, broken into strokes."""
    total = np.zeros_like(x)
    draws = np.random.default_rng(seed)
    for family in range(SCRATCH_FAMILIES):
        angle = draws.uniform(0, math.pi)
        frequency = draws.uniform(80, 200)
        cos, sin = (np.float32(function(angle)) for function in (math.cos, math.sin))
        across = cos * x + sin * y
        along = cos * y - sin * x
        lines = value_noise(across * np.float32(frequency), along * np.float32(1.5), seed + 3 * family)
        # The power leaves hairlines along the contours on which the noise crosses its middle
        thin = (1 - 2 * np.abs(lines - np.float32(0.5))) ** 40
        total += thin * ramp(value_noise(4 * x, 4 * y, seed + 3 * family + 1), 0.6, 0.8)
    return total


def vignette(light: Radiance, strength: float | int) -> Radiance:
    """Darken away from the centre, by `strength` in the corners."""
    # Quadratic in the distance, the first term of a lens's cos⁴ law
    height, width = light.shape[1:]
    x = torch.linspace(-1, 1, width, dtype=light.dtype) ** 2
    y = torch.linspace(-1, 1, height, dtype=light.dtype) ** 2
    return light * (1 - strength * (x[None, :] + y[:, None]) / 2)


def defocus(light: Radiance, radius_pixels: float | int) -> Radiance:
    """Spread every point over a disc, the circle of confusion."""
    # A sunflower's seeds fill it evenly, at least four a pixel; each has its opposite, so that nothing is displaced.
    count = 16 + math.ceil(2 * math.pi * radius_pixels**2)
    seeds = torch.arange(count, dtype=light.dtype) + 0.5
    radius = radius_pixels * (seeds / count).sqrt()
    angle = seeds * (math.pi * (3 - math.sqrt(5)))
    right = radius * angle.cos()
    down = radius * angle.sin()
    return _spread(light, torch.cat([right, -right]), torch.cat([down, -down]))


def motion_blur(light: Radiance, right_pixels: float | int, down_pixels: float | int) -> Radiance:
    """Spread every point over a line of this length and direction, around it."""
    # At least four a pixel, so that the line has no gaps
    moments = torch.linspace(-0.5, 0.5, 9 + 4 * math.ceil(math.hypot(right_pixels, down_pixels)), dtype=light.dtype)
    return _spread(light, moments * right_pixels, moments * down_pixels)


def _spread(light: Radiance, right: Float[Tensor, "n"], down: Float[Tensor, "n"]) -> Radiance:
    """Return the mean of the light displaced by each of these many pixels; the border is continued."""
    reach = math.ceil(max(right.abs().max().item(), down.abs().max().item()))
    offsets = torch.arange(-reach, reach + 1, dtype=light.dtype)[:, None]
    # Each displacement goes to the four pixels around it
    near_x, near_y = ((1 - (offsets - part).abs()).clamp(min=0) for part in (right, down))
    kernel = near_y @ near_x.mT / len(right)
    padded = torch.nn.functional.pad(light[None], (reach,) * 4, mode="replicate")
    # Turned: conv2d correlates, it looks up the pixel that light comes from
    weights = kernel.flip(0, 1).expand(3, 1, -1, -1)
    return torch.nn.functional.conv2d(padded, weights, groups=3)[0]


def add_noise(light: Radiance, shot: float | int, read: float | int, generator: Generator) -> Radiance:
    """Add the noise of photons, which arrive by chance, and of the amplifier; light below black is black."""
    deviation = (shot * light.clamp(min=0) + read * read).sqrt()
    return (light + deviation * torch.randn(light.shape, generator=generator, dtype=light.dtype)).clamp(min=0)


def jpeg(picture: Picture, quality: int) -> Picture:
    """Return the picture as a JPEG file of this quality, 1 to 100, shows it."""
    pixels = (picture.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    with io.BytesIO() as file:
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        with Image.open(file, formats=("JPEG",)) as image:
            return torch.from_numpy(np.array(image)).to(picture.dtype) / 255
