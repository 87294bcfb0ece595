"""From the files of a sample to what is kept of it in memory."""

from easel.materials.dataset.listing import Entry
from easel.materials.dataset.reading import patiently, read_photo
from easel.materials.dataset.record import Record, pack, pack_maps
from easel.materials.dataset.registration import (
    Photo,
    Rectify,
    Registered,
    as_they_are,
    by_camera,
    by_corners,
    by_matching,
)
from easel.materials.maps import MaterialMaps, map_paths


def load_record(
    entry: Entry, image_size: tuple[int, int], output_size: tuple[int, int], how: Rectify, margin: int
) -> Record:
    """Read a sample and bring its photos into the frame of its maps, with `margin` pixels where cameras are known.

    FileError, FileNotFoundError or OSError say what is wrong with a file.
    """
    for path in map_paths(entry.maps_folder).values():
        patiently(path.read_bytes)
    maps = MaterialMaps.load(entry.maps_folder, size=output_size)
    read = [read_photo(path) for path in entry.photos]
    dtype = max((dtype for _, dtype in read), key=lambda dtype: dtype.itemsize)
    found = _register(entry, [photo for photo, _ in read], maps, image_size, how, margin)
    return Record(pack(found.photos, dtype), found.valid > 0, found.cameras, pack_maps(maps), found.margin, found.notes)


def _register(
    entry: Entry, photos: list[Photo], maps: MaterialMaps, size: tuple[int, int], how: Rectify, margin: int
) -> Registered:
    cameras = [shot.camera for shot in entry.shots or () if shot.camera is not None]
    if how == "none":
        return as_they_are(photos, size)
    if how == "corners" and entry.corners is not None:
        return by_corners(photos, entry.corners, size)
    if how == "camera" and len(cameras) == len(photos):
        return by_camera(photos, cameras, size, margin=margin)
    # Matched with each other, photos would share a frame, but not that of the maps: the albedo is one more photo.
    matched = by_matching(photos, size, reference=maps.albedo)
    if matched.valid.any():
        return matched
    return as_they_are(photos, size, notes=(*matched.notes, "no photo matches the albedo: all stay as they are."))
