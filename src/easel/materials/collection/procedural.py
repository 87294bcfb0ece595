"""Materials from a seed: any size, tileable, the same on every machine."""

from importlib import import_module
from itertools import product

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray

from easel.materials.collection.noise import combine, tile_rows
from easel.materials.collection.sampling import Draw
from easel.materials.collection.surface import Family, Field, Painting, Relief
from easel.materials.maps import CHANNELS, MaterialMaps

_FAMILIES = {
    "masonry": {"brick": 4, "tile": 4, "cobblestone": 2},
    "wood": {"wood": 4, "planks": 4, "parquet": 2},
    "stone": {"marble": 3, "granite": 2, "slate": 2, "concrete": 3, "terrazzo": 3},
    "metal": {
        "brushed_metal": 5,
        "hammered_metal": 5,
        "tread_plate": 4,
        "galvanised_metal": 4,
        "crumpled_foil": 3,
        "cast_metal": 4,
        "woven_wire": 3,
    },
    "weathered": {"rusted_metal": 6, "painted_metal": 5, "verdigris": 4},
    "cloth": {"leather": 4, "fabric": 5, "knit": 2, "carpet": 2},
    "coats": {"plaster": 4, "peeling_paint": 3, "plastic": 5},
    "ground": {"gravel": 3, "pebbles": 3, "soil": 3, "sand": 2, "asphalt": 2, "moss": 2},
    "phases": {"phases": 6},
}
"""File below `families` → its functions, each a family of its own name → its share of all seeds."""

_SHARES = {name: share for families in _FAMILIES.values() for name, share in families.items()}
_HOME = {name: file for file, families in _FAMILIES.items() for name in families}

FAMILIES = tuple(_SHARES)
"""The names that `procedural` takes."""

_BAND_POINTS = 2**16
"""Texels worked on at a time: their arrays stay in the processor's cache, and memory does not grow with the size."""
_SAMPLES = 2
"""Samples across a texel: what is finer than a texel is averaged, not aliased."""
MAX_SIZE = 8192


def procedural(seed: int, size: int = 512, family: str | None = None) -> MaterialMaps:
    """Return the maps (C, size, size) of material `seed`, of the family of its name or of another `family`.

    One seed is one material: a larger size shows it finer. Any integer is a seed; neighbours are as different as any
    others. ValueError for an unknown family and a size that is not 8 to 8192.
    """
    if family is not None and family not in _SHARES:
        raise ValueError(f"unknown family {family!r}. Known: {', '.join(FAMILIES)}.")
    if not 8 <= size <= MAX_SIZE:
        raise ValueError(f"a material has 8 to {MAX_SIZE} texels a side; got {size}.")
    name = family or family_of(seed)
    make: Family = getattr(import_module(f"easel.materials.collection.families.{_HOME[name]}"), name)
    salt = int(combine(np.frombuffer(name.ljust(16).encode(), np.uint32), 0).sum(dtype=np.uint32))
    fine = _SAMPLES * size
    band = max(1, _BAND_POINTS // (_SAMPLES * fine))
    maps = {key: np.empty((size, size, depth), np.float32) for key, depth in CHANNELS.items()}
    for first in range(0, size, band):
        last = min(first + band, size)
        # One row more at each side: the slope of the first and last row needs its neighbours
        points = tile_rows(fine, _SAMPLES * first - 1, _SAMPLES * last + 1)
        draw = Draw(seed % 2**32 | salt << 32)
        # The place where the tile is cut: families lay their bricks from 0, and networks would learn the seam's joint
        surface = make(points.moved(draw.uniform(0, 1), draw.uniform(0, 1)), draw)
        for key, values in _finished(surface, fine).items():
            maps[key][first:last] = _averaged(values)
    maps["normal"] = _unit(*np.moveaxis(maps["normal"], -1, 0))
    return MaterialMaps(**{key: torch.from_numpy(values).permute(2, 0, 1).contiguous() for key, values in maps.items()})


def family_of(seed: int) -> str:
    """Return the family of a seed. Any run of seeds has all families in about their shares."""
    # Multiples of the golden ratio spread evenly over [0, 1)
    place = (seed * 0x9E3779B1) % 2**32 / 2**32 * sum(_SHARES.values())
    for family, share in _SHARES.items():
        place -= share
        if place < 0:
            return family
    raise AssertionError(place)


def name_of(seed: int, family: str | None = None) -> str:
    """Return a name for files, such as brick_0012."""
    return f"{family or family_of(seed)}_{seed:04d}"


def _finished(surface: Relief, size: int) -> dict[str, Float32[ndarray, "h w c"]]:
    """Return the maps of all rows but the first and the last."""
    inner = slice(1, -1)
    # No material is blacker than soot, whiter than fresh snow or a perfect mirror
    return {
        "albedo": surface.albedo[inner].clip(0.01, 0.99),
        "roughness": surface.roughness[inner, :, None].clip(0.05, 1),
        "metallic": surface.metallic[inner, :, None].clip(0, 1),
        "normal": _normals(surface.height, size),
    }


def _normals(height: Float32[ndarray, "h w"], size: int) -> Float32[ndarray, "h2 w 3"]:
    """Return unit normals (right, up, out) of a height in tile sides, by central differences; loses the outer rows."""
    half = np.float32(size / 2)
    right = (np.roll(height, -1, 1) - np.roll(height, 1, 1))[1:-1] * half
    # Row 0 is the top
    up = (height[:-2] - height[2:]) * half
    return _unit(-right, -up, np.ones_like(up))


def _unit(x: Field, y: Field, z: Field) -> Painting:
    # No sum over an axis, here and below: numpy leaves its order, and so the last bit, to the processor
    return np.stack((x, y, z), -1) / np.sqrt(x * x + y * y + z * z)[..., None]


def _averaged(fine: Float32[ndarray, "h2 w2 c"]) -> Float32[ndarray, "h w c"]:
    """Return the mean of every texel's samples."""
    height, width, depth = fine.shape
    # From 0 on: a mean of four times -0 would be -0, whose bits are others
    total = np.zeros((height // _SAMPLES, width // _SAMPLES, depth), np.float32)
    for row, column in product(range(_SAMPLES), repeat=2):
        total += fine[row::_SAMPLES, column::_SAMPLES]
    return total / np.float32(_SAMPLES**2)
