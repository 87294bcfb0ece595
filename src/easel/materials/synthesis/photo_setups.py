"""Photo setups: cameras, lights and mishaps of a sample, all of them drawn from its index.

Every draw has a key of its own (`dataset.keys`): a sample depends neither on the others nor on the order in which its
parts are asked for.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

import torch

from easel.materials.dataset.keys import key, key_seed
from easel.materials.dataset.views import Shot, Source
from easel.materials.maps import MaterialMaps
from easel.materials.rendering.environment import Environment, procedural_environment
from easel.materials.rendering.light_json import light_to_json
from easel.materials.rendering.lights import PointLight
from easel.materials.rendering.plane import render_plane
from easel.materials.rendering.plane_camera import ORBIT_RADIUS, PlaneCamera
from easel.materials.synthesis import degrade
from easel.materials.synthesis.degrade import Faults, Picture, uniform
from easel.materials.synthesis.shadows import LUMINANCE, Shadow, daylight_of

LightKind = Literal["flash", "room", "mixed", "environment"]

MOST_TILT_DEGREES = 40.0
"""Largest angle of a camera from straight above."""
P_SHADOW = 0.75
"""Chance that a dirty sample has shadows."""
P_LENS = 0.60
"""Chance that a dirty sample has dirt on its lens."""
WHITE_CARD = 0.85
"""Luminance to which a white card is exposed: phones leave some room for highlights."""
FLASH_OFFSET = 0.025
"""World units between lens and flash: 15 mm at a distance of 36 cm."""
FLASH_JITTER = 0.005
"""Standard deviation of the flash's place, from photo to photo."""
FULL_FLASH = math.pi * ORBIT_RADIUS**2
"""Radiant intensity under which a white sheet below the camera has a radiance of 1, as under an environment."""
DIM = (0.02, 0.2)
"""Strengths of surroundings beside a flash of strength 1, in the evening."""
ANY = (0.1, 10.0)
"""The same at any time of the day."""
ROOMS = 1_000_000
"""Different surroundings of each kind."""
KINDS = ("room", "sky", "softbox", "studio")
"""Kinds of surroundings; their order is part of a dataset's seed."""


@dataclass(frozen=True)
class PhotoSetups:
    """Setups in which samples are photographed; sample `index` is a function of this and of the index."""

    seed: int = 0
    views: int = 3
    """Photos a sample."""
    size: int = 128
    """Pixels a side."""
    light: LightKind = "flash"
    """The phone's flash in a dim room; surroundings alone; both, weak or strong; or those of a file alone."""
    environment: Path | None = None
    """The file of `light` "environment"."""
    p_dirty: float | int = 0.25
    """Share of samples with shadows, dirt and the faults of a hand."""
    both: bool = False
    """Take every sample clean and dirty."""

    def sources(self, index: int) -> tuple[Source, ...]:
        """Return whether sample `index` is taken clean, dirty or both ways."""
        if self.both:
            return ("clean", "dirty")
        return ("dirty",) if uniform(key(self.seed, index, "source")) < self.p_dirty else ("clean",)

    def cameras(self, index: int) -> list[PlaneCamera]:
        """Draw the cameras of a sample: from all sides, one of them nearly from above.

        Both angles are stratified, as somebody walks around a thing that is photographed: photos from one side leave
        open how it slopes along the other.
        """
        draws = key(self.seed, index, "cameras")
        start = uniform(draws, 0, 360)
        tilts = torch.randperm(self.views, generator=draws).tolist()
        cameras = []
        for view, place in enumerate(tilts):
            azimuth = start + 360 * uniform(draws, view, view + 1) / self.views
            tilt = MOST_TILT_DEGREES * uniform(draws, place, place + 1) / self.views
            cameras.append(PlaneCamera.orbit(azimuth, tilt, width=self.size, height=self.size))
        return cameras

    def surroundings(self, index: int) -> Environment:
        """Draw the surroundings of all photos of a sample."""
        draws = key(self.seed, index, "surroundings")
        turn, place, amount = (uniform(draws) for _ in range(3))
        low, high = {"flash": DIM, "mixed": ANY}.get(self.light, (1.0, 1.0))
        # Even in stops: light is seen by its ratio
        strength = low * (high / low) ** amount
        if self.environment is not None:
            room = _loaded(self.environment)
            # Procedural ones are made so; a file has any brightness
            strength /= sheet_luminance(room)
        else:
            kind = "room" if self.light == "flash" else KINDS[int(uniform(draws) * len(KINDS))]
            room = procedural_environment(kind, int(place * ROOMS))
        return room.turned(round(360 * turn, 6), round(strength, 9))

    def flashes(self, index: int, cameras: list[PlaneCamera]) -> list[PointLight | None]:
        """Draw the lamp beside the lens for each photo; None where it is off."""
        if self.light not in ("flash", "mixed"):
            return [None] * len(cameras)
        draws = key(self.seed, index, "flash")
        # Of one phone: its colour and place; of each photo: how it is held and how strong the flash was.
        warmth = uniform(draws, -0.06, 0.06)
        around = uniform(draws, 0, 2 * math.pi)
        lamps: list[PointLight | None] = []
        for camera in cameras:
            right, up = camera.pose()[:3, :2].double().unbind(-1)
            offset = FLASH_OFFSET * (math.cos(around) * right + math.sin(around) * up)
            offset += FLASH_JITTER * torch.randn(3, generator=draws, dtype=torch.float64)
            position = torch.tensor(camera.position, dtype=torch.float64) + offset
            strength = FULL_FLASH * 2 ** uniform(draws, -0.2, 0.2)
            colour = (strength * (1 + warmth), strength, strength * (1 - warmth))
            lamps.append(PointLight(_rounded(position.tolist()), _rounded(colour)))
        return lamps

    def take(self, maps: MaterialMaps, index: int, source: Source) -> list[tuple[Picture, Shot]]:
        """Photograph sample `index`, whose material has these maps; return each photo with its shot."""
        cameras = self.cameras(index)
        room = self.surroundings(index)
        shadow = lens_seed = dirt = None
        if source == "dirty":
            shadow, lens_seed = self.mishaps(index)
        if lens_seed is not None:
            # Nobody wipes it between the photos
            dirt = degrade.draw_dirt(self.size, self.size, lens_seed)
        out = []
        for view, (camera, flash) in enumerate(zip(cameras, self.flashes(index, cameras), strict=True)):
            exposure = round(WHITE_CARD / incident(room, flash), 9)
            known: dict[str, float | tuple[float, ...]] = {}
            faults = Faults()
            aimed = camera
            if source == "dirty":
                faults = degrade.draw_faults(key(self.seed, index, "faults", view), camera.height)
                aimed = misaimed(camera, *faults.registration_pixels)
                known |= faults.strengths()
            if lens_seed is not None:
                known |= {"smudges": degrade.SMUDGE_ALPHA, "scratches": degrade.SCRATCH_ALPHA, "lens_seed": lens_seed}
            # Things that cast shadows stand between the room and the material; the flash shines past, from the lens.
            if shadow is not None:
                daylight = daylight_of(room.radiance * (room.strength * exposure))
                light = render_plane(maps, aimed, [room], shadow=partial(shadow.left, daylight=daylight))
                if flash is not None:
                    light = light + render_plane(maps, aimed, [flash])
                known |= {"shadow": round(daylight.depth, 6), "shadow_seed": shadow.seed}
            else:
                light = render_plane(maps, aimed, [room] if flash is None else [room, flash])
            picture = degrade.photograph(light * exposure, faults, key(self.seed, index, "noise", view), dirt)
            lights = tuple(light_to_json(lamp) for lamp in (room, flash) if lamp is not None)
            out.append((picture, Shot(f"{view}.png", camera, lights, exposure, known)))
        return out

    def mishaps(self, index: int) -> tuple[Shadow | None, int | None]:
        """Draw the shadow over a dirty sample, and the seed of the dirt on its lens; one of them at least."""
        draws = key(self.seed, index, "mishaps")
        has_shadow = has_dirt = False
        while not (has_shadow or has_dirt):
            # Both are drawn each time: the numbers that follow stay those of the same key
            has_shadow = uniform(draws) < P_SHADOW
            has_dirt = uniform(draws) < P_LENS
        shadow = Shadow(_seed(self.seed, index, "shadow"), uniform(draws, -1, 1), uniform(draws, -1, 1))
        return shadow if has_shadow else None, _seed(self.seed, index, "lens") if has_dirt else None


def incident(room: Environment, flash: PointLight | None) -> float:
    """Return the luminance of a white sheet that lies at the origin, as a light meter on it measures it."""
    received = room.strength * sheet_luminance(room)
    if flash is not None:
        x, y, z = map(float, flash.position)
        light = sum(weight * float(part) for weight, part in zip(LUMINANCE, flash.intensity, strict=True))
        # E = I cos / d², of which a white sheet reflects E / π each way
        received += light * z / math.hypot(x, y, z) ** 3 / math.pi
    return received


def sheet_luminance(room: Environment) -> float:
    """Return the luminance of a white sheet that lies flat under an environment, at strength 1."""
    return daylight_of(room.radiance).irradiance / math.pi


def misaimed(camera: PlaneCamera, right_pixels: float | int, down_pixels: float | int) -> PlaneCamera:
    """Return the camera turned so that the middle of its photo moves by so many pixels."""
    pose = camera.pose().double()
    # World units of a pixel at the target
    pixel = math.dist(camera.position, camera.target) / camera.focal_pixels
    shift = pixel * (down_pixels * pose[:3, 1] - right_pixels * pose[:3, 0])
    return replace(camera, target=tuple((torch.tensor(camera.target, dtype=torch.float64) + shift).tolist()))


# A dataset has one environment, whose tables are filtered once
_loaded = lru_cache(maxsize=1)(Environment.load)


def _seed(seed: int, index: int, what: str) -> int:
    """Return a seed that fits the 32 bits of the noise, with room for the numbers beside it."""
    return key_seed(seed, index, what) % 2**30


# Rounded before use, so that views.json tells exactly the lamp that made the photo
def _rounded(vector: tuple[float, float, float] | list[float]) -> tuple[float, float, float]:
    x, y, z = (round(number, 7) for number in vector)
    return x, y, z
