"""From registered photos to maps as a whole: sizes, tiles, refinement, and the seams of what repeats."""

from collections.abc import Callable
from typing import Any

import torch

from easel.materials.dataset.keys import key
from easel.materials.maps import MaterialMaps
from easel.materials.models.network_files import Trained
from easel.materials.recovery.infer import device_of, enlargement, infer_windows, usual_tile
from easel.materials.recovery.observation import difference, guessed_strengths, observe
from easel.materials.recovery.photos import Photos
from easel.materials.recovery.refinement import RefinementConfig, Step, carried, refine
from easel.materials.tileable import MARGIN_SHARE, MOST_SEAM, make_tileable, roll_to_rest, seams
from easel.materials.tiles import LEAST_OVERLAP_PIXELS, Tiling

MOST_REFINED = 512
"""Texels a side at which maps are refined: larger ones take over the corrections of smaller ones."""


def recover(
    trained: Trained,
    photos: Photos,
    *,
    size: int | None = None,
    tile: int | None = None,
    overlap: int | None = None,
    tileable: bool = False,
    refinement: int = 0,
    progress: Callable[[float | int], object] | None = None,
    refining: Callable[[Step], object] | None = None,
) -> tuple[MaterialMaps, dict[str, Any]]:
    """Recover maps (C, H, W) on the CPU; returned with the facts photo_size, tile, overlap, windows, refined, seams,
    rolled.

    `size` is the side of the photos in their common frame, `tile` and `overlap` those of the windows, in pixels; None
    is as the network learned. `refinement` steps of `refine` follow the network. `progress` hears the share of windows
    that are done, `refining` every step. ValueError for an overlap that does not fit its tile, for photos that the
    network cannot take, and for a refinement with several photos in no common frame.
    """
    if refinement and photos.how == "none" and len(photos.photos) > 1:
        raise ValueError("maps are refined with photos in one frame: match them, or mark their corners.")
    size = size or min(trained.config.data.image_size)
    tile = tile or usual_tile(trained)
    overlap = overlap or min(LEAST_OVERLAP_PIXELS, tile // 2)
    margin = 0
    if tileable:
        # The margin is photographed as well, and then blended over the opposite edge.
        margin = size // MARGIN_SHARE
    whole = (size + margin, size + margin)
    # One tile of a texture repeats, and what lies beyond it is known; else the margin is part of what is photographed.
    frame = (size, size) if photos.how == "camera" else whole
    tiling = Tiling(whole, tile, overlap)
    facts: dict[str, Any] = {"photo_size": size, "tile": tile, "overlap": overlap, "windows": len(tiling)}
    maps = infer_windows(
        trained, lambda window: photos.cut(window, frame), photos.cameras, tiling, frame=frame, progress=progress
    )
    if refinement:
        side = frame[0] * enlargement(trained)
        refined, facts["refined"] = refine_all(
            maps.crop(0, 0, side, side), photos, refinement, device_of(trained), refining
        )
        # Beyond one tile of a texture it begins anew
        around = torch.arange(maps.size[0]) % side
        maps = refined.each(lambda value: value[..., around[:, None], around])
    if tileable:
        maps = make_tileable(maps, margin * enlargement(trained))
        rolled = (0, 0)
        if max(seams(maps).values()) > MOST_SEAM:
            maps, rolled = roll_to_rest(maps)
        facts["seams"] = {name: round(ratio, 4) for name, ratio in seams(maps).items()}
        facts["rolled"] = rolled
    return maps, facts


def refine_all(
    maps: MaterialMaps,
    photos: Photos,
    steps: int,
    device: torch.device,
    refining: Callable[[Step], object] | None = None,
) -> tuple[MaterialMaps, dict[str, Any]]:
    """Refine square maps of any size on photos of their frame; return them and what came of it.

    Facts are steps, side, light ("stored", or "guessed" where it was estimated as well), and difference: between the
    photos and the maps rendered as they were taken, before and after. Maps that would not come nearer stay as they are.
    """
    side = min(maps.size[0], MOST_REFINED)
    # Refinement takes hundreds of renderings: it is done small, and carried over.
    start = maps.resize((side, side)).to(device)
    observations = observe(photos, side, device)
    found = start
    lit = tuple(guessed_strengths(start, observation) for observation in observations)
    before = difference(found, observations, lit)
    for step in refine(start, observations, RefinementConfig(steps), generator=key(0, "refinement")):
        found = step.maps
        lit = step.strengths
        if refining is not None:
            refining(step)
    after = difference(found, observations, lit)
    light = "stored" if all(observation.is_lit_as_told for observation in observations) else "guessed"
    facts = {"steps": steps, "side": side, "light": light, "difference": [round(before, 6), round(after, 6)]}
    return carried(maps, start.to("cpu"), found.to("cpu")) if after < before else maps, facts
