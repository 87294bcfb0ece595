"""Datasets of a few pixels: photos that show the albedo of their material as it is, from cameras that are known."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from easel.graphics.camera import apply_homography
from easel.graphics.image import imwrite
from easel.materials.dataset.views import VIEWS_FILE, Shot, ShotList, write_views_json
from easel.materials.maps import MaterialMaps, unit_normals
from easel.materials.rendering.plane_camera import PlaneCamera


def smooth(seed: int, channels: int, size: int, cells: int = 8) -> torch.Tensor:
    """Random values in [0, 1] that change slowly and repeat, (channels, size, size)."""
    coarse = torch.rand(channels, cells, cells, generator=torch.Generator().manual_seed(seed))
    padded = torch.nn.functional.pad(coarse[None], (2, 2, 2, 2), mode="circular")
    side = size // cells
    fine = torch.nn.functional.interpolate(padded, scale_factor=side, mode="bicubic", align_corners=False)[0]
    return fine[:, 2 * side : -2 * side, 2 * side : -2 * side].clamp(0, 1)


@cache
def material(seed: int, size: int) -> MaterialMaps:
    maps = smooth(seed, 7, size)
    normal = torch.cat([maps[5:7] - 0.5, torch.ones(1, size, size)])
    return MaterialMaps(maps[:3], maps[3:4], maps[4:5], unit_normals(normal))


@cache
def photo(seed: int, size: int, camera: PlaneCamera) -> torch.Tensor:
    """Of that material's albedo; (h, w, 3)."""
    return photograph(material(seed, size).albedo, camera).movedim(0, -1)


def photograph(texture: torch.Tensor, camera: PlaneCamera) -> torch.Tensor:
    """What a camera sees of a texture (3, h, w) that shines by itself and repeats."""
    y, x = torch.meshgrid(torch.arange(camera.height) + 0.5, torch.arange(camera.width) + 0.5, indexing="ij")
    pixels = torch.stack([x, y], dim=-1).double()
    u, v = apply_homography(torch.linalg.inv(camera.uv_to_pixel().double()), pixels).unbind(-1)
    # One tile with its neighbours' edges, so that interpolation goes over the border.
    size = texture.shape[-1]
    padded = torch.nn.functional.pad(texture[None], (4, 4, 4, 4), mode="circular")
    place = torch.stack([u % 1, (1 - v) % 1], dim=-1) * size + 4
    grid = (place / (size + 8) * 2 - 1).float()[None]
    seen = torch.nn.functional.grid_sample(padded, grid, mode="bicubic", align_corners=False)[0]
    return seen.clamp(0, 1)


@pytest.fixture(scope="session")
def scene() -> SimpleNamespace:
    """The functions above."""
    return SimpleNamespace(smooth=smooth, material=material, photograph=photograph)


Write = Callable[..., Path]


@pytest.fixture
def write_dataset(tmp_path: Path) -> Write:
    """Writes input/ and output/ into the returned folder: `samples` of `materials`, with their cameras or without."""

    def write(
        *,
        samples: int = 4,
        materials: int = 2,
        views: int = 3,
        size: int = 32,
        cameras: bool = True,
        sources: Sequence[str] = ("clean",),
        bits: int = 8,
    ) -> Path:
        metadata = {}
        for number in range(materials):
            material(number, size).save(tmp_path / "output" / f"material_{number}", bits=bits)
        for number in range(samples):
            name = f"sample_{number:04d}"
            metadata[name] = f"material_{number % materials}"
            for source in sources:
                folder = tmp_path / "input" / source / name
                shots = []
                for view in range(views):
                    tilt = 0 if view == 0 else 25
                    camera = PlaneCamera.orbit(70 * view + 31 * number, tilt, width=2 * size, height=2 * size)
                    picture = photo(number % materials, size, camera) * (1 if source == "clean" else 0.8)
                    imwrite(folder / f"{view}.png", picture, bits=bits)
                    shots.append(Shot(f"{view}.png", camera))
                if cameras:
                    write_views_json(folder / VIEWS_FILE, ShotList(0, tuple(shots)))
        (tmp_path / "input" / "render_metadata.json").write_text(json.dumps(metadata))
        return tmp_path

    return write
