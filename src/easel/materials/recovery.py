"""From registered photos to maps as a whole: sizes, tiles, and the seams of what repeats."""

from collections.abc import Callable
from typing import Any

from easel.materials.infer import enlargement, infer_windows, usual_tile
from easel.materials.maps import MaterialMaps
from easel.materials.photos import Photos
from easel.materials.tileable import MARGIN_SHARE, MOST_SEAM, make_tileable, roll_to_rest, seams
from easel.materials.tiles import LEAST_OVERLAP_PIXELS, Tiling
from easel.materials.training.run_files import Trained


def recover(
    trained: Trained,
    photos: Photos,
    *,
    size: int | None = None,
    tile: int | None = None,
    overlap: int | None = None,
    tileable: bool = False,
    progress: Callable[[float | int], object] | None = None,
) -> tuple[MaterialMaps, dict[str, Any]]:
    """The maps (C, H, W) on the CPU, and how they were made: photo_size, tile, overlap, windows, seams, rolled.

    `size` is the side of the photos in their common frame, `tile` and `overlap` those of the windows, in pixels; None
    is as the network learned. ValueError for an overlap that does not fit its tile, and for photos that the network
    cannot take.
    """
    size = size or min(trained.config.data.image_size)
    tile = tile or usual_tile(trained)
    overlap = overlap or min(LEAST_OVERLAP_PIXELS, tile // 2)
    margin = size // MARGIN_SHARE if tileable else 0
    whole = (size + margin, size + margin)
    # One tile of a texture repeats, and what lies beyond it is known; else the margin is part of what is photographed.
    frame = (size, size) if photos.how == "camera" else whole
    tiling = Tiling(whole, tile, overlap)
    facts: dict[str, Any] = {"photo_size": size, "tile": tile, "overlap": overlap, "windows": len(tiling)}
    maps = infer_windows(
        trained, lambda window: photos.cut(window, frame), photos.cameras, tiling, frame=frame, progress=progress
    )
    if tileable:
        maps, rolled = make_tileable(maps, margin * enlargement(trained)), (0, 0)
        if max(seams(maps).values()) > MOST_SEAM:
            maps, rolled = roll_to_rest(maps)
        facts["seams"] = {name: round(ratio, 4) for name, ratio in seams(maps).items()}
        facts["rolled"] = rolled
    return maps, facts
