"""Where the tile's corners lie in each photo, as somebody marked them: `corners.json` beside the photos.

    {"0.png": [[12.5, 30], [480, 22], [500.5, 490], [8, 470]], …}

Pixels, x right and y down: the tile's top left, top right, bottom right and bottom left.
"""

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from easel.checkpoint import read_json
from easel.graphics.files import FileError, open_file
from easel.materials.dataset.rectify import corners_to_uv_to_pixel

CORNERS_FILE = "corners.json"
MOST_BYTES = 1 << 20
MOST_PIXELS = 1e6
"""How far from the photo a corner may lie; the tile may reach beyond it."""


def read_corners(path: Path) -> dict[str, Float[Tensor, "4 2"]]:
    """Photo → its corners; FileError of one line for whatever is wrong with the file."""
    try:
        with open_file(path) as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES >> 20} MiB")
        corners = {name: _corners(name[:40], points) for name, points in read_json(data.decode("utf-8")).items()}
        for points in corners.values():
            corners_to_uv_to_pixel(points)
    except ValueError as error:
        reason = " ".join(str(error).split())[:300]
        raise FileError(f"cannot read {str(path)!r}: {reason}. Mark the corners again, or remove it.") from None
    return corners


def _corners(name: str, points: Any) -> Float[Tensor, "4 2"]:
    if not isinstance(points, list) or len(points) != 4:
        raise ValueError(f"{name!r} has no list of 4 corners")
    for point in points:
        if not isinstance(point, list) or len(point) != 2 or not all(map(_is_place, point)):
            raise ValueError(f"a corner of {name!r} is no pair of pixels within {MOST_PIXELS:.0f}")
    return torch.tensor(points, dtype=torch.float64)


def _is_place(number: Any) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and abs(number) <= MOST_PIXELS
