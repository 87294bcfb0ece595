"""A dataset at a glance: the photos and maps of a few samples in one picture."""

from itertools import islice
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from easel.graphics.contact_sheet import contact_sheet
from easel.graphics.image import imread
from easel.materials.dataset.listing import METADATA_FILE, read_metadata
from easel.materials.dataset.views import SOURCES
from easel.materials.maps import MAP_NAMES

CELL = 160
"""Pixels a side of each picture."""


def overview(out: Path, samples: int, views: int) -> Float[Tensor, "rows columns 3"] | None:
    """One row for each of the first `samples` of the dataset in `out`: its photos, then its four maps.

    Photos of what was taken both ways are the clean ones. None without a sample of so many views.
    """
    metadata = out / "input" / METADATA_FILE
    listed = read_metadata(metadata) if metadata.exists() else {}
    pictures = []
    for sample, material in islice(sorted(listed.items()), samples):
        for source in SOURCES:
            files = [out / "input" / source / sample / f"{view}.png" for view in range(views)]
            if all(file.exists() for file in files):
                files += [out / "output" / material / f"{name}.png" for name in MAP_NAMES]
                pictures += [imread(file, channels=3, size=(CELL, CELL), device="cpu") for file in files]
                break
    return contact_sheet(pictures, columns=views + len(MAP_NAMES)) if pictures else None
