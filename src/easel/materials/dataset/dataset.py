"""Photos of materials and their maps, as training takes them."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast, get_args

from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

from easel.graphics.image import as_values
from easel.materials.dataset import listing, registration
from easel.materials.dataset.listing import METADATA_FILE, LeftOut, ListedSample, Report
from easel.materials.dataset.reading import patiently, read_photo
from easel.materials.dataset.registration import Photo, Rectify, Registered
from easel.materials.dataset.sample import Cache, PackedSample, Sample, normalize, pack, pack_maps, unpack_maps
from easel.materials.maps import MaterialMaps, map_paths
from easel.materials.tiles import Crop

log = logging.getLogger("easel")

Split = Literal["train", "val"]


class PBRDataset(Dataset[tuple[Tensor, Tensor]]):
    """Samples of a folder of photos and of a folder of maps, as `listing` describes them.

    `dataset[i]` is a network's input and its target: photos (num_views, 3, H, W) at `image_size`, normalised, and maps
    (4, 3, H, W) at `output_size`, in [0, 1] and normals in [-1, 1]. `sample(i)` says more.

    Samples that cannot be used are left out: `report` counts those of the split and one warning sums them up, or, with
    `strict`, the first of all is raised. FileNotFoundError without metadata or the folder of the curriculum, ValueError
    when nothing is left.

    >>> dataset = PBRDataset("data/input", "data/output", image_size=256, split="train")
    >>> photos, maps = dataset[0]
    """

    def __init__(
        self,
        input_dir: str | os.PathLike[str],
        output_dir: str | os.PathLike[str],
        metadata_path: str | os.PathLike[str] | None = None,
        transform_mean: Sequence[float | int] = (0.5, 0.5, 0.5),
        transform_std: Sequence[float | int] = (0.5, 0.5, 0.5),
        image_size: int | Sequence[int] = (2048, 2048),
        output_size: int | Sequence[int] | None = None,
        use_dirty: bool = False,
        curriculum_mode: int = 0,
        split: Split | None = None,
        val_ratio: float | int = 0.1,
        seed: int = 42,
        strict: bool = False,
        *,
        num_views: int = 3,
        rectify: str = "camera",
        margin: int = 0,
        cache_mib: int = 256,
    ) -> None:
        """Look at every file's beginning and end, and decode none.

        `metadata_path` None is render_metadata.json in `input_dir`, `output_size` None is `image_size`. `use_dirty` is
        the old spelling of curriculum 2. `split` keeps the training or the validation materials alone: `val_ratio` of
        those that the metadata names, whatever the curriculum, are for validation. Samples with fewer than `num_views`
        photos are left out. `rectify` says how photos come into the frame of the maps, and `margin` how many pixels
        of the neighbouring tiles are kept around each, for `packed`.
        """
        if len(transform_mean) != 3 or len(transform_std) != 3 or min(transform_std) <= 0:
            raise ValueError(
                f"transform_mean and transform_std have 3 numbers, the second above 0; "
                f"got {transform_mean} and {transform_std}."
            )
        self.mean = tuple(transform_mean)
        self.std = tuple(transform_std)
        self.image_size = _size(image_size, "image_size")
        self.output_size = self.image_size if output_size is None else _size(output_size, "output_size")
        if rectify not in get_args(Rectify):
            raise ValueError(f"rectify is one of {', '.join(get_args(Rectify))}; got {rectify!r}.")
        self.num_views = num_views
        self.margin = margin
        self.rectify: Rectify = cast(Rectify, rectify)
        curriculum = curriculum_mode or 2 * use_dirty
        inputs = Path(input_dir)
        metadata = listing.read_metadata(Path(metadata_path or inputs / METADATA_FILE))
        sources = listing.curriculum_sources(curriculum, inputs)
        marked = rectify == "corners"
        samples = listing.list_samples(inputs, Path(output_dir), metadata, sources, num_views, needs_corners=marked)
        found = list(samples)
        usable = [sample for sample in found if isinstance(sample, ListedSample)]
        left_out = [sample for sample in found if isinstance(sample, LeftOut)]
        if strict and left_out:
            raise left_out[0].error
        self.report = Report(len(usable), tuple(left_out))
        if not usable:
            raise ValueError(
                f"No samples found: curriculum {curriculum} requires {' or '.join(sources)} renders in "
                f"{os.fspath(input_dir)!r} and their maps in {os.fspath(output_dir)!r}; {self.report.summary()}."
                + "".join(f" The first: {sample.line}" for sample in left_out[:1])
            )
        if split is not None:
            # After the check above: a split may be empty, a dataset may not
            kept = listing.validation_materials(listing.material_names(metadata), val_ratio, seed)
            usable = [sample for sample in usable if (sample.material in kept) == (split == "val")]
            left_out = [sample for sample in left_out if (sample.material in kept) == (split == "val")]
            self.report = Report(len(usable), tuple(left_out))
        if left_out:
            log.warning("%s: %s. The first: %s", input_dir, self.report.summary(), left_out[0].line)
        self.entries = tuple(usable)
        self._cache = Cache(cache_mib << 20)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> tuple[Float[Tensor, "n 3 h w"], Float[Tensor, "4 3 h2 w2"]]:
        sample = self.sample(index)
        photos = sample.photos[: self.num_views]
        valid = sample.valid[: self.num_views]
        return normalize(photos, valid, self.mean, self.std), sample.maps.to_targets()

    def sample(self, index: int) -> Sample:
        """Return all photos of a sample, in the order of their numbers, and its maps.

        FileError, FileNotFoundError or OSError where a file cannot be read after all.
        """
        listed = self.entries[index]
        packed = self.packed(index)
        tile = Crop(packed.margin, packed.margin, *self.image_size)
        photos = as_values(tile.cut(packed.photos))
        valid = tile.cut(packed.valid).float()
        maps = unpack_maps(packed.maps)
        return Sample(listed.id, listed.source, listed.material, photos, valid, packed.cameras, maps, packed.notes)

    def packed(self, index: int) -> PackedSample:
        """Return a sample decoded and rectified; read once as long as memory lasts."""
        kept = self._cache.get(index)
        if kept is None:
            kept = load_sample(self.entries[index], self.image_size, self.output_size, self.rectify, self.margin)
            self._cache.put(index, kept)
        return kept

    record = packed
    """Its name in earlier versions."""


def _size(size: int | Sequence[int], name: str) -> tuple[int, int]:
    height, width = (size, size) if isinstance(size, int) else tuple(size)
    if min(height, width) < 1:
        raise ValueError(f"{name} is a height and a width in pixels, or one number for both; got {size}.")
    return height, width


def load_sample(
    listed: ListedSample, image_size: tuple[int, int], output_size: tuple[int, int], how: Rectify, margin: int
) -> PackedSample:
    """Read a sample and bring its photos into the frame of its maps, with `margin` pixels where cameras are known.

    FileError, FileNotFoundError or OSError say what is wrong with a file.
    """
    # Decoders answer a disk's errors and damaged bytes alike: read to the end first, as `read_pixels` does
    for path in map_paths(listed.maps_folder).values():
        patiently(path.read_bytes)
    maps = MaterialMaps.load(listed.maps_folder, size=output_size)
    read = [read_photo(path) for path in listed.photos]
    # Of mixed depths the deeper one holds all numbers
    dtype = max((dtype for _, dtype in read), key=lambda dtype: dtype.itemsize)
    found = _register(listed, [photo for photo, _ in read], maps, image_size, how, margin)
    return PackedSample(
        pack(found.photos, dtype), found.valid > 0, found.cameras, pack_maps(maps), found.margin, found.notes
    )


def _register(
    listed: ListedSample, photos: list[Photo], maps: MaterialMaps, size: tuple[int, int], how: Rectify, margin: int
) -> Registered:
    cameras = [shot.camera for shot in listed.shots or () if shot.camera is not None]
    if how == "none":
        return registration.as_they_are(photos, size)
    if how == "corners" and listed.corners is not None:
        return registration.by_corners(photos, listed.corners, size)
    if how == "camera" and len(cameras) == len(photos):
        return registration.by_camera(photos, cameras, size, margin=margin)
    # Matched with each other, photos would share a frame, but not that of the maps: the albedo is one more photo.
    matched = registration.by_matching(photos, size, reference=maps.albedo)
    if matched.valid.any():
        return matched
    notes = (*matched.notes, "no photo matches the albedo: all stay as they are.")
    return registration.as_they_are(photos, size, notes=notes)
