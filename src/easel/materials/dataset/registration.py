"""Registration: photos of one sample in one frame, by camera, by corners, by matching, or as they are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.color import colormap
from easel.graphics.contact_sheet import contact_sheet
from easel.materials.dataset.keys import key
from easel.materials.dataset.matching import Features, contrast, features_of, match
from easel.materials.dataset.rectify import corners_to_uv_to_pixel, rectify, texel_centers, warp
from easel.materials.rendering.plane_camera import TILE_SIDE, PlaneCamera

Rectify = Literal["camera", "match", "corners", "none"]

Photo = Float[Tensor, "3 _ _"]
"""sRGB in [0, 1]; photos of one sample may differ in size."""


@dataclass(frozen=True, eq=False)
class Registered:
    """Photos of one sample in one frame."""

    photos: Float[Tensor, "n 3 h w"]
    """sRGB in [0, 1]."""
    valid: Float[Tensor, "n 1 h w"]
    """1 where the photo shows the texel; 0 everywhere for a photo that could not be registered."""
    cameras: Float[Tensor, "n 3"]
    """Positions: x right, y up, z towards the camera, in sides of the tile from its centre; NaN where unknown."""
    margin: int = 0
    """Pixels of the neighbouring tiles on every side."""
    notes: tuple[str, ...] = ()
    """Photos that could not be registered, and why: a line each."""


def by_camera(
    photos: Sequence[Photo], cameras: Sequence[PlaneCamera], size: tuple[int, int], *, margin: int = 0
) -> Registered:
    """Rectify the tile as each camera sees it, with `margin` pixels of its neighbours around."""
    seen = []
    for photo, camera in zip(photos, cameras, strict=True):
        # The photo may have been resized since.
        scale = torch.tensor([photo.shape[-1] / camera.width, photo.shape[-2] / camera.height, 1])
        seen.append(rectify(photo, scale[:, None] * camera.uv_to_pixel(), size, margin=margin))
    positions = torch.tensor([camera.position for camera in cameras], dtype=torch.float32)
    return replace(_registered(seen), cameras=positions / TILE_SIDE, margin=margin)


def by_corners(photos: Sequence[Photo], corners: Sequence[Float[Tensor, "4 2"]], size: tuple[int, int]) -> Registered:
    """Rectify the tile between four pixels of each photo: its top left, then clockwise.

    ValueError for corners out of order.
    """
    pairs = zip(photos, corners, strict=True)
    return _registered([rectify(photo, corners_to_uv_to_pixel(points), size) for photo, points in pairs])


def by_matching(photos: Sequence[Photo], size: tuple[int, int], *, reference: Photo | None = None) -> Registered:
    """Warp the photos into the frame of `reference`, or of the first of them.

    A photo that does not match it may match another one that does. One that matches none stays as it is, nowhere
    valid, and a note says why.
    """
    features = [features_of(photo) for photo in photos]
    frame = features[0] if reference is None else features_of(reference)
    to_photo = matched_with(frame, features, is_first=reference is None)
    # Pixels of the result → pixels of the frame.
    scale = torch.diag(torch.tensor([frame.size[1] / size[1], frame.size[0] / size[0], 1], dtype=torch.float64))
    seen = []
    notes = []
    for number, (photo, matrix) in enumerate(zip(photos, to_photo, strict=True)):
        if isinstance(matrix, str):
            resized, valid = _resized(photo, size)
            seen.append((resized, valid * 0))
            notes.append(f"photo {number}: {matrix}. Mark its corners instead.")
        else:
            seen.append(warp(photo, matrix @ scale, texel_centers(size)))
    return _registered(seen, notes)


def as_they_are(photos: Sequence[Photo], size: tuple[int, int], *, notes: Sequence[str] = ()) -> Registered:
    """Resize the whole photos, in no common frame."""
    return _registered([_resized(photo, size) for photo in photos], notes)


def matched_with(frame: Features, features: Sequence[Features], *, is_first: bool) -> list[Tensor | str]:
    """Return the homography from the frame to each photo, or the reason why there is none.

    Photos that do not match the frame may match one that does. `is_first` says that the frame is the first of the
    photos.
    """
    found: list[Tensor | str] = []
    for number, photo in enumerate(features):
        if is_first and number == 0:
            found.append(torch.eye(3, dtype=torch.float64))
            continue
        # Always the same draws: the same photos give the same maps.
        direct = match(frame, photo, key(0, "match", number))
        found.append(direct.reason if direct.to_photo is None else direct.to_photo.double())
    # By way of photos that did match; the frame itself, if it is one of them, was asked already.
    bridges = [(number, matrix) for number, matrix in enumerate(found) if isinstance(matrix, Tensor)][int(is_first) :]
    for number, photo in enumerate(features):
        for bridge, to_bridge in bridges:
            if not isinstance(found[number], str):
                continue
            onwards = match(features[bridge], photo, key(0, "match", bridge, number)).to_photo
            if onwards is not None:
                found[number] = onwards.double() @ to_bridge
    return found


def _resized(photo: Photo, size: tuple[int, int]) -> tuple[Float[Tensor, "3 h w"], Float[Tensor, "1 h w"]]:
    resized = torch.nn.functional.interpolate(photo[None], size, mode="bilinear", antialias=True)[0]
    return resized.clamp(0, 1), resized.new_ones(1, *size)


def _registered(seen: Sequence[tuple[Tensor, Tensor]], notes: Sequence[str] = ()) -> Registered:
    """Put photos and their valid texels together; nothing is known of cameras."""
    photos, valid = (torch.stack(tensors) for tensors in zip(*seen, strict=True))
    return Registered(photos, valid, torch.full((len(seen), 3), math.nan), notes=tuple(notes))


STRIPE_PIXELS = 6
"""Half the period of the pattern where a photo shows nothing."""
LARGEST_DEVIATION = 2.0
"""Deviation of local contrast that is shown brightest. Its own is 1 in each photo; unrelated photos reach about 1."""


def overlap_picture(registered: Registered) -> Float[Tensor, "rows columns 3"]:
    """Draw every photo in the common frame, striped where it shows nothing, and below a row about their fit.

    That row has the mean of the photos; the number of photos that see each texel, from dark for none to bright for all;
    and the deviation of their local contrast, dark where they fit and bright where two that see a texel disagree: there
    they are not registered, or something stands out of the plane.
    """
    photos = registered.photos.float()
    valid = registered.valid.float()
    number, _, height, width = photos.shape
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    stripes = 0.12 + 0.1 * ((x + y) // STRIPE_PIXELS % 2).float()
    shown = [(valid[k] * photos[k] + (1 - valid[k]) * stripes).permute(1, 2, 0) for k in range(number)]
    count = valid.sum(0)
    mean = (photos * valid).sum(0) / count.clamp(min=1)
    mean = torch.where(count > 0, mean, stripes).permute(1, 2, 0)
    local = torch.stack([contrast(photo.mean(0)) for photo in photos])[:, None]
    spread = (local - (local * valid).sum(0) / count.clamp(min=1)).square().mul(valid).sum(0) / count.clamp(min=1)
    # Empty places up to a full row of three
    shown += [torch.full_like(mean, 0.08)] * (-number % 3)
    seen_by = colormap(count[0], "viridis", vmin=0, vmax=number)
    # One photo alone agrees with itself
    apart = colormap(spread[0].sqrt() * (count[0] > 1), "magma", vmin=0, vmax=LARGEST_DEVIATION)
    return contact_sheet([*shown, mean, seen_by, apart], columns=3)
