"""Records beside the photos of a sample: `views.json`, how they were taken, `corners.json`, where the tile lies.

    {"version": 1, "seed": 7, "views": [
        {"file": "0.png",
         "camera": {"position": [x, y, z], "target": [x, y, z], "up": [x, y, z], "fov_y_deg": 55.0,
                    "width": 128, "height": 128},
         "uv_to_pixel": [[…], […], […]],
         "light": [{…}, …],
         "exposure": 1.3,
         "artefacts": {"smudges": 0.15, "white_balance": [1.04, 1.0, 0.93]}}]}

`camera` and `uv_to_pixel` are null where nobody knows them. World and plane are those of `PlaneCamera`; `uv_to_pixel`
follows from the camera and is written for readers without one. `light` is a list of what `light_to_json` gives.

    {"0.png": [[12.5, 30], [480, 22], [500.5, 490], [8, 470]], …}

Corners are marked by somebody, in pixels, x right and y down: the tile's top left, top right, bottom right and bottom
left. Whatever is wrong with either file is a FileError of one line.
"""

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from easel.checkpoint import read_json
from easel.graphics.files import MAX_PIXELS, FileError, open_file, write_whole
from easel.materials.dataset.reading import patiently
from easel.materials.dataset.rectify import corners_to_uv_to_pixel
from easel.materials.rendering.plane_camera import PlaneCamera

Source = Literal["clean", "dirty"]
"""Photos of a material without faults, or with those of a hand-held camera."""
SOURCES: tuple[Source, ...] = get_args(Source)
"""Both, as their folders are called below `input`."""

VIEWS_FILE = "views.json"
CORNERS_FILE = "corners.json"
VERSION = 1
"""Version of `views.json`."""
MOST_BYTES = 1 << 20
"""Largest file that is read: strangers' files must not fill the memory."""
CAMERA_KEYS = ("position", "target", "up", "fov_y_deg", "width", "height")
"""Keys of a camera, in the order of the fields of `PlaneCamera`."""
MOST_SHOTS = 1000
"""Most shots of one sample."""
MOST_CORNER_PIXELS = 1e6
"""Farthest that a corner may lie from the photo; the tile may reach beyond it."""
PIXEL_TOLERANCE = 0.05
"""Pixels at the tile's corners by which a stored `uv_to_pixel` may differ from its camera's own."""

T = TypeVar("T")

Strengths = Mapping[str, float | tuple[float, ...]]
"""Artefact → its strength, or several numbers where one does not say it."""


@dataclass(frozen=True)
class Shot:
    """One photo of a material and the conditions it was taken under."""

    file: str
    """Name of the photo inside the sample's folder."""
    camera: PlaneCamera | None = None
    """Camera that took it; None where that is unknown."""
    lights: tuple[Mapping[str, Any], ...] = ()
    """Lights that shone, each as `light_to_json` gives it; none where that is unknown."""
    exposure: float | int = 1.0
    """Factor of scene-linear radiance."""
    artefacts: Strengths = field(default_factory=dict)
    """Faults of the photo, after or besides the light of the scene."""


@dataclass(frozen=True)
class ShotList:
    """Shots of one sample."""

    seed: int
    """Seed they were drawn from."""
    shots: tuple[Shot, ...]


def write_views_json(path: str | os.PathLike[str], shots: ShotList) -> None:
    """Write `views.json`, whole or not at all."""
    record = {"version": VERSION, "seed": shots.seed, "views": [_shot_to_json(shot) for shot in shots.shots]}
    with write_whole(path) as partial:
        partial.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_views_json(path: str | os.PathLike[str]) -> ShotList:
    """Read `views.json` as `write_views_json` stored it."""
    return read_record(path, _shots_from_json, "Remove it, or render the sample again.")


def read_corners(path: str | os.PathLike[str]) -> dict[str, Float[Tensor, "4 2"]]:
    """Read `corners.json`: photo → its corners."""
    return read_record(path, _corners_from_json, "Mark the corners again, or remove it.")


def read_record(
    path: str | os.PathLike[str], parse: Callable[[dict[str, Any]], T], remedy: str, most_bytes: int = MOST_BYTES
) -> T:
    """Return `parse` of the JSON object in a file.

    Its ValueError, like whatever else is wrong with the file, becomes a FileError of one line that ends with `remedy`.
    """
    try:
        with open_file(path) as file:
            data = patiently(lambda: file.read(most_bytes + 1))
        if len(data) > most_bytes:
            raise ValueError(f"it is larger than {most_bytes >> 20} MiB")
        return parse(read_json(data.decode("utf-8")))
    except ValueError as error:
        reason = " ".join(str(error).split())[:300]
        raise FileError(f"cannot read {os.fspath(path)!r}: {reason}. {remedy}") from None


def _shots_from_json(record: dict[str, Any]) -> ShotList:
    _object(record, "it", ("version", "seed", "views"))
    if record["version"] != VERSION:
        raise ValueError(f"version {str(record['version'])[:40]} is not known, {VERSION} is")
    if type(record["seed"]) is not int:
        raise ValueError("seed is no whole number")
    views = record["views"]
    if not isinstance(views, list) or not 1 <= len(views) <= MOST_SHOTS:
        raise ValueError(f"views is no list of 1 to {MOST_SHOTS} shots")
    shots = tuple(_shot_from_json(view, f"view {number}") for number, view in enumerate(views))
    if len({shot.file for shot in shots}) < len(shots):
        raise ValueError("two views name the same file")
    return ShotList(record["seed"], shots)


def _shot_to_json(shot: Shot) -> dict[str, Any]:
    camera = shot.camera
    return {
        "file": shot.file,
        "camera": camera and dict(zip(CAMERA_KEYS, astuple(camera), strict=True)),
        "uv_to_pixel": camera and camera.uv_to_pixel().tolist(),
        "light": list(shot.lights),
        "exposure": shot.exposure,
        "artefacts": dict(shot.artefacts),
    }


def _shot_from_json(view: Any, who: str) -> Shot:
    view = _object(view, who, ("file", "camera", "uv_to_pixel", "light", "exposure", "artefacts"))
    name = view["file"]
    # A name with a folder in it could lead anywhere on the disk.
    if not isinstance(name, str) or not name or Path(name).name != name or "\\" in name or "\0" in name:
        raise ValueError(f"{who}: file {str(name)[:40]!r} is no plain file name")
    camera = None
    if view["camera"] is not None:
        camera = _camera_from_json(view["camera"], f"{who}: camera")
        _check_uv_to_pixel(camera, view["uv_to_pixel"], who)
    elif view["uv_to_pixel"] is not None:
        raise ValueError(f"{who}: uv_to_pixel is given without a camera")
    lights = view["light"]
    if not isinstance(lights, list) or not all(isinstance(light, dict) for light in lights):
        raise ValueError(f"{who}: light is no list of lights")
    exposure = _number(view["exposure"], f"{who}: exposure")
    if exposure <= 0:
        raise ValueError(f"{who}: exposure {exposure} is not above 0")
    if not isinstance(view["artefacts"], dict):
        raise ValueError(f"{who}: artefacts is no object")
    artefacts = {key: _strength(value, f"{who}: {key[:40]}") for key, value in view["artefacts"].items()}
    return Shot(name, camera, tuple(lights), exposure, artefacts)


def _camera_from_json(value: Any, who: str) -> PlaneCamera:
    value = _object(value, who, CAMERA_KEYS)
    width, height = value["width"], value["height"]
    if type(width) is not int or type(height) is not int or min(width, height) < 1 or width * height > MAX_PIXELS:
        raise ValueError(f"{who}: {str(width)[:20]} x {str(height)[:20]} is no size of a photo in pixels")
    fov_degrees = _number(value["fov_y_deg"], f"{who}: fov_y_deg")
    if not 0 < fov_degrees < 180:
        raise ValueError(f"{who}: fov_y_deg {fov_degrees} does not lie between 0 and 180")
    position, target, up = (_vector(value[key], f"{who}: {key}") for key in ("position", "target", "up"))
    if position[2] <= 0:
        raise ValueError(f"{who}: position lies behind the material")
    return PlaneCamera(position, target, up, fov_degrees, width, height)


def _check_uv_to_pixel(camera: PlaneCamera, stored: Any, who: str) -> None:
    if not isinstance(stored, list) or len(stored) != 3:
        raise ValueError(f"{who}: uv_to_pixel is no 3 x 3 matrix")
    rows = [_vector(row, f"{who}: uv_to_pixel") for row in stored]
    true_rows = camera.uv_to_pixel().tolist()
    # A homography is known by four points; comparing its numbers would say nothing about pixels
    for u, v in ((0, 0), (0, 1), (1, 0), (1, 1)):
        seen, expected = (_mapped(matrix, u, v) for matrix in (rows, true_rows))
        # float32 has fewer digits left far outside the photo. "not <=" is true of NaN as well
        if not math.dist(seen, expected) <= PIXEL_TOLERANCE * max(1.0, math.hypot(*expected) / 1000):
            raise ValueError(f"{who}: uv_to_pixel contradicts the camera")


def _mapped(matrix: Sequence[Sequence[float]], u: int, v: int) -> tuple[float, float]:
    x, y, w = (row[0] * u + row[1] * v + row[2] for row in matrix)
    return (x / w, y / w) if w else (math.inf, math.inf)


def _corners_from_json(record: dict[str, Any]) -> dict[str, Float[Tensor, "4 2"]]:
    return {name: _corners(name[:40], points) for name, points in record.items()}


def _corners(name: str, points: Any) -> Float[Tensor, "4 2"]:
    if not isinstance(points, list) or len(points) != 4:
        raise ValueError(f"{name!r} has no list of 4 corners")
    for point in points:
        if not isinstance(point, list) or len(point) != 2 or not all(_is_number(x, MOST_CORNER_PIXELS) for x in point):
            raise ValueError(f"a corner of {name!r} is no pair of pixels within {MOST_CORNER_PIXELS:.0f}")
    corners = torch.tensor(points, dtype=torch.float64)
    # Refuses corners that are out of order
    corners_to_uv_to_pixel(corners)
    return corners


def _object(value: Any, who: str, keys: Sequence[str]) -> dict[str, Any]:
    """Return `value`, which is a JSON object with just these keys."""
    if not isinstance(value, dict):
        raise ValueError(f"{who} is no object")
    for key in keys:
        if key not in value:
            raise ValueError(f"{who} has no {key!r}")
    if unknown := value.keys() - set(keys):
        raise ValueError(f"{who} has an unknown {min(unknown)[:40]!r}")
    return value


def _vector(value: Any, who: str) -> tuple[float, float, float]:
    if not isinstance(value, list) or len(value) != 3:
        raise ValueError(f"{who} is no list of 3 numbers")
    x, y, z = (_number(entry, who) for entry in value)
    return x, y, z


def _strength(value: Any, who: str) -> float | tuple[float, ...]:
    return tuple(_number(entry, who) for entry in value) if isinstance(value, list) else _number(value, who)


def _number(value: Any, who: str) -> float:
    # float() of a huge whole number overflows; of a text it would read it.
    if not _is_number(value, 1e300):
        raise ValueError(f"{who} is no number")
    return float(value)


def _is_number(value: Any, largest: float) -> bool:
    """Return True for a JSON number up to `largest` either way; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= largest
