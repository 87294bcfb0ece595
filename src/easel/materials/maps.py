"""The four maps of a material: their order, their ranges, how they turn, and where they lie on disk.

`albedo` (3) is sRGB-encoded and in [0,1]; `roughness` (1) is perceptual, in [0,1], GGX's alpha being its square;
`metallic` (1) is in [0,1]; `normal` (3) is a unit vector in tangent space: x along the picture to the right (+u), y up
the picture (+v, as OpenGL has it: green is up), z out of the surface. The first row is the top of the picture.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.color import linear_to_srgb, srgb_to_linear
from easel.graphics.files import FileError
from easel.graphics.image import imread, imwrite, is_radiance
from easel.materials.config import CHANNELS

MAP_NAMES = tuple(CHANNELS)
"""The maps in the order of every tensor that holds them all."""

SUFFIXES = (".png", ".exr", ".tif", ".tiff", ".jpg", ".jpeg", ".webp")
"""Suffixes of a map's file; the first that is there is read."""

NORMAL_LENGTH_ERROR = 0.02
"""Largest deviation from length 1 of a normal that still counts as a unit vector: 8 bits round each part by 1/255."""


@dataclass(frozen=True, eq=False)
class MaterialMaps(Mapping[str, Tensor]):
    """One material, or a batch of them: float tensors (*b, C, H, W), a mapping from `MAP_NAMES` to them.

    Shapes that do not fit together are a ValueError at once; `validate` looks at the values too.
    """

    albedo: Tensor
    """(*b, 3, H, W), sRGB-encoded, [0,1]."""
    roughness: Tensor
    """(*b, 1, H, W), perceptual, [0,1]."""
    metallic: Tensor
    """(*b, 1, H, W), [0,1]."""
    normal: Tensor
    """(*b, 3, H, W), unit vectors; green is up."""

    def __post_init__(self) -> None:
        for name, channels in CHANNELS.items():
            value = getattr(self, name)
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"{name} is a tensor ({channels}, H, W) or (B, {channels}, H, W); got {type(value).__name__}."
                )
            # Albedo sets size and batch: it is the map that everyone has.
            expected = (*self.albedo.shape[:-3], channels, *self.albedo.shape[-2:])
            if value.ndim < 3 or tuple(value.shape) != expected:
                raise ValueError(
                    f"{name} has {channels} channels and albedo's size, ({channels}, H, W) or (B, {channels}, H, W); "
                    f"got {tuple(value.shape)} where albedo is {tuple(self.albedo.shape)}."
                )
            if not value.is_floating_point():
                raise ValueError(f"{name} is a float tensor; got {value.dtype}. Use x / 255 of 8-bit values.")

    def __getitem__(self, name: str) -> Tensor:
        if name not in MAP_NAMES:
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(MAP_NAMES)

    def __len__(self) -> int:
        return len(MAP_NAMES)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.albedo.shape[-2], self.albedo.shape[-1]

    @property
    def albedo_linear(self) -> Float[Tensor, "*b 3 h w"]:
        """The share of light that the albedo stands for, as shading takes it."""
        return srgb_to_linear(self.albedo)

    # Tensors of all maps

    @staticmethod
    def join(maps: Mapping[str, Tensor], dim: int = -3) -> Tensor:
        """Concatenate the maps of any mapping, such as a network's answer, along `dim`, in the order of `MAP_NAMES`."""
        return torch.cat([maps[name] for name in MAP_NAMES], dim=dim)

    @staticmethod
    def split(tensor: Tensor, dim: int = -3) -> dict[str, Tensor]:
        """Undo `join`: views of the maps that a tensor holds along `dim`."""
        return dict(zip(MAP_NAMES, tensor.split(list(CHANNELS.values()), dim=dim), strict=True))

    def to_tensor(self) -> Float[Tensor, "*b c h w"]:
        """Return all maps in one tensor."""
        return MaterialMaps.join(self)

    @staticmethod
    def from_tensor(tensor: Float[Tensor, "*b c h w"]) -> "MaterialMaps":
        """Undo `to_tensor`; the maps are views."""
        return MaterialMaps(**MaterialMaps.split(tensor))

    def to_targets(self) -> Float[Tensor, "*b m 3 h w"]:
        """Return a dataset's target: every map with three channels, those of one channel repeated."""
        return torch.stack([value.expand_as(self.albedo) for value in self.values()], dim=-4)

    @staticmethod
    def from_targets(targets: Float[Tensor, "*b m 3 h w"]) -> "MaterialMaps":
        """Undo `to_targets`: views, those of one channel from the first of three."""
        return MaterialMaps(*(targets.select(-4, k).narrow(-3, 0, width) for k, width in enumerate(CHANNELS.values())))

    @staticmethod
    def stack(materials: Sequence["MaterialMaps"]) -> "MaterialMaps":
        """Stack materials of one size into a batch."""
        return MaterialMaps(*(torch.stack([maps[name] for maps in materials]) for name in MAP_NAMES))

    def unstack(self) -> list["MaterialMaps"]:
        """Return the materials of a batch; views of it."""
        return [MaterialMaps(*parts) for parts in zip(*(value.unbind(0) for value in self.values()), strict=True)]

    def each(self, change: Callable[[Tensor], Tensor]) -> "MaterialMaps":
        """Apply `change` to every tensor, to normals as to numbers: moving, detaching, indexing."""
        return MaterialMaps(*(change(value) for value in self.values()))

    def to(self, target: torch.device | torch.dtype | str) -> "MaterialMaps":
        """Move to another device or dtype."""
        return self.each(lambda value: value.to(target))

    def detach(self) -> "MaterialMaps":
        return self.each(Tensor.detach)

    # Sizes and turns. Rows and columns move all maps alike; what turns the picture turns the normals in it.

    def resize(self, size: tuple[int, int]) -> "MaterialMaps":
        """Resize to (H, W), bilinear, averaging over what a texel covers when that shrinks; normals of length 1."""
        if tuple(size) == self.size:
            return self
        # One interpolation for all maps, of at most one batch dimension.
        flat = self.to_tensor().flatten(0, -4) if self.albedo.ndim > 4 else self.to_tensor()
        batch = flat if flat.ndim == 4 else flat[None]
        resized = torch.nn.functional.interpolate(batch, tuple(size), mode="bilinear", antialias=True)
        maps = MaterialMaps.from_tensor(resized.reshape(*self.albedo.shape[:-3], -1, *size))
        return replace(maps, normal=unit_normals(maps.normal))

    def crop(self, top: int, left: int, height: int, width: int) -> "MaterialMaps":
        """Return that part of the maps; a view."""
        if min(top, left) < 0 or min(height, width) < 1 or top + height > self.size[0] or left + width > self.size[1]:
            raise ValueError(
                f"a crop lies inside the maps of {self.size[0]} x {self.size[1]}; "
                f"got rows {top} to {top + height}, columns {left} to {left + width}."
            )
        return self.each(lambda value: value[..., top : top + height, left : left + width])

    def roll(self, rows: int, columns: int) -> "MaterialMaps":
        """Move down and to the right; what leaves on one side comes in on the other."""
        return self.each(lambda value: value.roll((rows, columns), (-2, -1)))

    def repeat(self, rows: int, columns: int) -> "MaterialMaps":
        """Repeat so many tiles below and beside each other."""
        return self.each(lambda value: value.repeat(*[1] * (value.ndim - 2), rows, columns))

    def flip_h(self) -> "MaterialMaps":
        """Swap left and right."""
        return self._turned(lambda value: value.flip(-1), ((-1, 0), (0, 1)))

    def flip_v(self) -> "MaterialMaps":
        """Swap top and bottom."""
        return self._turned(lambda value: value.flip(-2), ((1, 0), (0, -1)))

    def rot90(self, k: int = 1) -> "MaterialMaps":
        """Turn by `k` quarters, counter-clockwise as one looks at the picture."""
        # Exact, as cos and sin of multiples of a quarter turn are not in floats.
        cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[k % 4]
        return self._turned(lambda value: value.rot90(k, (-2, -1)), ((cos, -sin), (sin, cos)))

    def _turned(
        self, move: Callable[[Tensor], Tensor], turn: tuple[tuple[int, int], tuple[int, int]]
    ) -> "MaterialMaps":
        moved = self.each(move)
        # The vectors turn with the picture: their x and y are its axes.
        x, y, z = moved.normal.unbind(-3)
        (xx, xy), (yx, yy) = turn
        normal = torch.stack([xx * x + xy * y, yx * x + yy * y, z], dim=-3)
        return replace(moved, normal=normal)

    # Pictures and files

    def picture(self, name: str) -> Float[Tensor, "h w 3"]:
        """Return one map of one material as it is shown and stored: normals as n/2 + 1/2, grey maps in RGB."""
        if self.albedo.ndim != 3:
            raise ValueError(f"one material makes a picture; this is a batch {tuple(self.albedo.shape)}. Use unstack.")
        value = self[name] / 2 + 0.5 if name == "normal" else self[name]
        return value.expand_as(self.albedo).permute(1, 2, 0).clamp(0, 1)

    def save(self, folder: str | os.PathLike[str], bits: int = 8) -> None:
        """Write albedo.png, roughness.png, metallic.png and normal.png, grey maps in grey, with `bits` of 8 or 16."""
        for name, channels in CHANNELS.items():
            imwrite(Path(folder) / f"{name}.png", self.picture(name).detach()[..., :channels], bits=bits)

    @staticmethod
    def load(
        folder: str | os.PathLike[str], *, normal: str = "opengl", size: tuple[int, int] | None = None
    ) -> "MaterialMaps":
        """Read the four maps of a folder, on the CPU; `FileError` names what is missing or unfit.

        PNG of 8 and 16 bits, JPEG, WebP, TIFF, EXR. An EXR's albedo is linear and gets encoded; a normal map of floats
        that go below 0 holds the vectors themselves. `normal="directx"` says that green is down in the file. Without a
        `size` = (H, W) to bring them to, all four have one size.
        """
        if normal not in ("opengl", "directx"):
            raise ValueError(f"normal is 'opengl' (green is up) or 'directx' (green is down); got {normal!r}.")
        # All names are looked up before the first file is decoded.
        paths = map_paths(folder)
        maps = {name: _read_map(name, path) for name, path in paths.items()}
        if normal == "directx":
            maps["normal"] = maps["normal"] * torch.tensor([1.0, -1.0, 1.0])[:, None, None]
        if size is not None:
            maps = {name: _resized(name, value, size) for name, value in maps.items()}
        sizes = {name: tuple(value.shape[-2:]) for name, value in maps.items()}
        if len(set(sizes.values())) > 1:
            listed = ", ".join(f"{name} {height} x {width}" for name, (height, width) in sizes.items())
            raise FileError(f"the maps in {os.fspath(folder)!r} differ in size: {listed}. Give a size to read them at.")
        return MaterialMaps(**maps)

    def validate(self) -> None:
        """Raise ValueError naming the map whose values are not finite, not in [0,1], or not unit vectors."""
        for name, value in self.items():
            if not value.isfinite().all():
                raise ValueError(f"{name} has values that are not finite. Replace them: x.nan_to_num().")
            low, high = (bound.item() for bound in value.aminmax())
            if name != "normal" and not 0 <= low <= high <= 1:
                raise ValueError(f"{name} lies in [0,1]; got {low:.3g} to {high:.3g}. 8-bit values? Divide by 255.")
        length = self.normal.norm(dim=-3)
        if (length - 1).abs().max() > NORMAL_LENGTH_ERROR:
            raise ValueError(
                f"normal holds unit vectors in [-1,1]; got lengths {length.min().item():.3g} to "
                f"{length.max().item():.3g}. From a picture? Use 2 * x - 1 and unit_normals."
            )


def unit_normals(vectors: Float[Tensor, "*b 3 h w"]) -> Float[Tensor, "*b 3 h w"]:
    """Normalise vectors to length 1; those without a direction become straight up."""
    # 1e-6: what is left of opposite normals that cancelled out says nothing about a direction.
    # Not torch's norm, which over three planes takes ten times as long.
    squared = vectors.square().sum(dim=-3, keepdim=True)
    up = vectors.new_tensor([0, 0, 1])[:, None, None]
    return torch.where(squared > 1e-12, vectors * squared.clamp(min=1e-12).rsqrt(), up)


def map_paths(folder: str | os.PathLike[str]) -> dict[str, Path]:
    """Return map → its file in a folder; `FileError` names those that are missing."""
    found = {
        name: next((path for suffix in SUFFIXES if (path := Path(folder) / f"{name}{suffix}").exists()), None)
        for name in MAP_NAMES
    }
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise FileError(
            f"cannot read maps from {os.fspath(folder)!r}: {', '.join(missing)} missing. A material has "
            f"{', '.join(f'{name}.png' for name in MAP_NAMES)}; {' '.join(SUFFIXES[1:])} are read too."
        )
    return {name: path for name, path in found.items() if path is not None}


def _read_map(name: str, path: Path) -> Float[Tensor, "c h w"]:
    values = imread(path, channels=0, device="cpu").permute(2, 0, 1)
    channels = CHANNELS[name]
    if len(values) < channels:
        raise FileError(f"{str(path)!r} has {len(values)} channel, {name} has {channels}. Export it in colour.")
    values = values[:channels]
    if not values.isfinite().all():
        raise FileError(f"{str(path)!r} has values that are not finite. Export it again.")
    if name != "normal":
        return (linear_to_srgb(values) if name == "albedo" and is_radiance(path) else values).clamp(0, 1)
    # Below 0 only vectors go; a picture of them is n/2 + 1/2
    vectors = values if values.min() < 0 else 2 * values - 1
    if values.abs().max() == 0:
        raise FileError(f"{str(path)!r} is all zero, which is no direction. Export the normal map again.")
    return unit_normals(vectors)


def _resized(name: str, value: Float[Tensor, "c h w"], size: tuple[int, int]) -> Float[Tensor, "c h2 w2"]:
    if tuple(value.shape[-2:]) == tuple(size):
        return value
    resized = torch.nn.functional.interpolate(value[None], tuple(size), mode="bilinear", antialias=True)[0]
    # Means of unit vectors are shorter than 1.
    return unit_normals(resized) if name == "normal" else resized
