"""Photos of one material from a folder, and how each of them sees it.

Every photo has a homography from (u, v, 1) of the material's frame, u to the right and v up, to its own pixels. By
stored cameras the frame is one tile of the texture; by corners it is what they enclose; otherwise it is the largest
square in the middle of the first photo.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from easel.graphics.files import FileError
from easel.graphics.image import as_values
from easel.materials.dataset.matching import features_of
from easel.materials.dataset.reading import read_photo
from easel.materials.dataset.rectify import corners_to_uv_to_pixel, texel_to_uv, warp
from easel.materials.dataset.registration import matched_with
from easel.materials.dataset.sample import pack
from easel.materials.dataset.views import CORNERS_FILE, VIEWS_FILE, Shot, read_corners, read_views_json
from easel.materials.rendering.plane_camera import TILE_SIDE, PlaneCamera
from easel.materials.tiles import Crop

SUFFIXES = (".png", ".jpg", ".jpeg")
Rectify = Literal["auto", "camera", "match", "corners", "none"]
MOST_PHOTOS = 64


@dataclass(frozen=True, eq=False)
class Photo:
    """One photo and how it sees the material."""

    path: Path
    pixels: Shaped[Tensor, "3 h w"]
    """sRGB in uint8 or uint16, of any size."""
    uv_to_pixel: Float[Tensor, "3 3"]
    position: tuple[float, float, float] | None = None
    """Camera position, in sides of the frame from its middle; None where that is unknown."""
    shot: Shot | None = None
    """Stored camera and light; None where nothing was stored."""


@dataclass(frozen=True, eq=False)
class Photos:
    """Photos of a folder, registered to each other."""

    photos: tuple[Photo, ...]
    how: Rectify
    """By what they are registered."""
    notes: tuple[str, ...]
    """Photos that were left out and why, a line each."""

    @property
    def cameras(self) -> Float[Tensor, "n 3"]:
        """Position of each camera, NaN where unknown."""
        return torch.tensor([photo.position or (torch.nan,) * 3 for photo in self.photos])

    @property
    def side(self) -> int:
        """Texels across the frame so that the photo that sees it largest keeps its pixels."""
        return max(round(max(pixels_across(photo.uv_to_pixel) for photo in self.photos)), 1)

    def cut(self, window: Crop, size: tuple[int, int]) -> tuple[Float[Tensor, "n 3 h w"], Float[Tensor, "n 1 h w"]]:
        """Resample all photos to a crop of the frame at `size` = (height, width); the mask is 1 where they show it.

        Over the edges of the frame it begins anew.
        """
        rows, columns = (
            (torch.arange(start, start + length, dtype=torch.float64) + 0.5) % whole
            for start, length, whole in ((window.top, window.height, size[0]), (window.left, window.width, size[1]))
        )
        points = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
        seen = [
            warp(as_values(photo.pixels), photo.uv_to_pixel.double() @ texel_to_uv(size), points)
            for photo in self.photos
        ]
        return torch.stack([picture for picture, _ in seen]), torch.stack([valid for _, valid in seen])


def pixels_across(uv_to_pixel: Float[Tensor, "3 3"]) -> float:
    """Return the mean length of the frame's sides in a photo, in pixels."""
    corners = uv_to_pixel.new_tensor([[0, 1, 1], [1, 1, 1], [1, 0, 1], [0, 0, 1]], dtype=torch.float64)
    mapped = corners @ uv_to_pixel.double().T
    points = mapped[:, :2] / mapped[:, 2:]
    return float((points - points.roll(1, 0)).norm(dim=-1).mean())


def read_photos(folder: Path, how: Rectify = "auto", corners: Sequence[float] = ()) -> Photos:
    """Read the photos of a folder, sorted by name; FileError for what cannot be read, ValueError for what does not fit.

    `corners` are x and y in pixels of the material's corners in the first photo, from its top left clockwise, or in
    every photo, one after the other; without them corners.json tells. "auto" takes corners where there are any,
    stored cameras where all photos have one, and else matches the others with the first, or with photos that do match.
    """
    return read_pictures(photo_paths(folder), how, corners)


def read_pictures(paths: Sequence[Path], how: Rectify = "auto", corners: Sequence[float] = ()) -> Photos:
    """Read these photos alone, in this order, as `read_photos`; what is stored beside the first tells of them."""
    folder = paths[0].parent
    shots = stored_shots(folder, paths)
    # Packed in 8 or 16 bits: sixty photos as floats would be gigabytes.
    pixels = [pack(*read_photo(path)) for path in paths]
    marked = _marked(folder, paths, corners)
    # Marked corners are a person's word; stored cameras come next; matching is a guess.
    if how == "auto":
        known = all(shot is not None and shot.camera is not None for shot in shots)
        how = "corners" if marked else "camera" if known else "match" if len(paths) > 1 else "none"
    positions: list[tuple[float, float, float] | None] = [None] * len(paths)
    frame = _middle(pixels[0])
    notes = []
    if how == "camera":
        cameras = _cameras(folder, paths, shots)
        maps = [uv_to_pixel(camera, picture) for camera, picture in zip(cameras, pixels, strict=True)]
        positions = [_in_sides(camera.position) for camera in cameras]
    elif how == "none":
        maps = [_middle(picture) for picture in pixels]
    elif how == "corners" and not marked:
        raise ValueError(f"{folder}: no corners are given and there is no {CORNERS_FILE}. Give --corners.")
    elif how == "corners" and len(marked) == len(paths):
        maps = [corners_to_uv_to_pixel(quad) for quad in marked]
    else:
        maps, notes = _matched(paths, pixels, corners_to_uv_to_pixel(marked[0]) if how == "corners" else frame)
    photos = [
        Photo(path, picture, matrix, position, shot)
        for path, picture, matrix, position, shot in zip(paths, pixels, maps, positions, shots, strict=True)
        if matrix is not None
    ]
    return Photos(tuple(photos), how, tuple(notes))


def _cameras(folder: Path, paths: Sequence[Path], shots: Sequence[Shot | None]) -> list[PlaneCamera]:
    """Return the stored camera of every photo."""
    known = [shot.camera for shot in shots if shot is not None and shot.camera is not None]
    if len(known) < len(paths):
        raise ValueError(
            f"{folder}: {VIEWS_FILE} tells of {len(known)} of {len(paths)} photos where they were taken from. "
            "Match them instead, or give corners."
        )
    return known


def _marked(folder: Path, paths: Sequence[Path], corners: Sequence[float]) -> list[Float[Tensor, "4 2"]]:
    """Return the corners of the first photo or of all, as given or as stored; none where nobody marked any."""
    if corners:
        if len(corners) not in (8, 8 * len(paths)):
            raise ValueError(
                f"corners are x and y of four points of the first photo, 8 numbers, or of all {len(paths)} photos, "
                f"{8 * len(paths)}; got {len(corners)}."
            )
        return list(torch.tensor(list(corners), dtype=torch.float64).view(-1, 4, 2))
    if not (folder / CORNERS_FILE).exists():
        return []
    stored = read_corners(folder / CORNERS_FILE)
    if missing := [path.name for path in paths if path.name not in stored]:
        raise FileError(f"{str(folder / CORNERS_FILE)!r} has no corners of {', '.join(missing)}. Mark them as well.")
    return [stored[path.name] for path in paths]


def photo_paths(folder: Path) -> list[Path]:
    """List the pictures in a folder by name, 2.png before 10.png; FileError when there are none, or too many."""
    paths = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()]
    if not 1 <= len(paths) <= MOST_PHOTOS:
        raise FileError(
            f"{str(folder)!r} holds {len(paths)} photos ({', '.join(SUFFIXES)}); maps are made from 1 to {MOST_PHOTOS}."
        )
    return sorted(paths, key=lambda path: (len(path.stem) if path.stem.isdecimal() else 0, path.name))


def stored_shots(folder: Path, paths: Sequence[Path]) -> list[Shot | None]:
    """Return the entry of each photo in views.json."""
    if not (folder / VIEWS_FILE).exists():
        return [None] * len(paths)
    shots = {shot.file: shot for shot in read_views_json(folder / VIEWS_FILE).shots}
    return [shots.get(path.name) for path in paths]


def uv_to_pixel(camera: PlaneCamera, picture: Shaped[Tensor, "3 h w"]) -> Float[Tensor, "3 3"]:
    """Return the camera's homography, for a photo that may have been resized since."""
    scale = torch.tensor([picture.shape[-1] / camera.width, picture.shape[-2] / camera.height, 1])
    return scale[:, None] * camera.uv_to_pixel()


def _in_sides(position: Sequence[float | int]) -> tuple[float, float, float]:
    x, y, z = (float(value) / TILE_SIDE for value in position)
    return x, y, z


def _middle(picture: Shaped[Tensor, "3 h w"]) -> Float[Tensor, "3 3"]:
    """Return the frame that is the largest square in the middle of a photo."""
    height, width = picture.shape[-2:]
    side = min(height, width)
    left = (width - side) / 2
    top = (height - side) / 2
    return torch.tensor([[side, 0, left], [0, -side, top + side], [0, 0, 1]], dtype=torch.float64)


def _matched(
    paths: Sequence[Path], pixels: Sequence[Tensor], first: Float[Tensor, "3 3"]
) -> tuple[list[Tensor | None], list[str]]:
    """Match photos with the first, which sees the frame by `first`; None, and a note, for no match."""
    if len(pixels) == 1:
        return [first.double()], []
    found: list[Tensor | None] = []
    notes = []
    features = [features_of(as_values(picture)) for picture in pixels]
    for path, matched in zip(paths, matched_with(features[0], features, is_first=True), strict=True):
        if isinstance(matched, str):
            notes.append(f"{path.name} is left out: it does not match {paths[0].name}, {matched}")
            found.append(None)
        else:
            # From the frame to the first photo, and from there to this one.
            found.append(matched @ first.double())
    return found, notes
