"""From the files of a sample to photos in the frame of its maps: by camera, corners, matching, or as they are."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.dataset.listing import Entry
from easel.materials.dataset.reading import patiently, read_photo
from easel.materials.dataset.record import Record, pack, pack_maps
from easel.materials.dataset.rectify import rectify
from easel.materials.maps import MaterialMaps, map_paths
from easel.materials.rendering.plane_camera import TILE_SIDE, PlaneCamera

Rectify = Literal["camera", "match", "corners", "none"]

Photo = Float[Tensor, "3 h w"]


def make_record(
    entry: Entry, image_size: tuple[int, int], output_size: tuple[int, int], how: Rectify, margin: int
) -> Record:
    """Read a sample. Photos get `margin` pixels of the neighbouring tiles where their cameras are known, else none."""
    for path in map_paths(entry.maps_folder).values():
        patiently(path.read_bytes)
    maps = MaterialMaps.load(entry.maps_folder, size=output_size)
    read = [read_photo(path) for path in entry.photos]
    photos, dtype = [photo for photo, _ in read], max((dtype for _, dtype in read), key=lambda dtype: dtype.itemsize)
    cameras = [shot.camera for shot in entry.shots or ()]
    known = [camera for camera in cameras if camera is not None]
    if how == "camera" and len(known) == len(photos):
        pairs = [
            rectify(photo, uv_to_pixel(camera, photo), image_size, margin=margin)
            for photo, camera in zip(photos, known, strict=True)
        ]
        positions = torch.tensor([camera.position for camera in known], dtype=torch.float32) / TILE_SIDE
    else:
        margin = 0
        pairs = [as_it_is(photo, image_size) for photo in photos]
        positions = torch.full((len(photos), 3), math.nan)
    return Record(
        torch.stack([pack(photo, dtype) for photo, _ in pairs]),
        torch.stack([valid > 0 for _, valid in pairs]),
        positions,
        pack_maps(maps),
        margin,
    )


def uv_to_pixel(camera: PlaneCamera, photo: Photo) -> Float[Tensor, "3 3"]:
    """The camera's, for a photo that may have been resized since."""
    scale = torch.tensor([photo.shape[-1] / camera.width, photo.shape[-2] / camera.height, 1])
    return scale[:, None] * camera.uv_to_pixel()


def as_it_is(photo: Photo, size: tuple[int, int]) -> tuple[Float[Tensor, "3 h2 w2"], Float[Tensor, "1 h2 w2"]]:
    """The whole photo at `size`, all of it taken for valid."""
    resized = torch.nn.functional.interpolate(photo[None], size, mode="bilinear", antialias=True)[0]
    return resized.clamp(0, 1), resized.new_ones(1, *size)
