"""Recipes: plain data that rebuilds a picture bit for bit. Strangers write them, so they are checked."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn

from easel.fields.art.architecture import Architecture, build, resolve
from easel.fields.model.config import FieldConfig
from easel.fields.model.extent import WHOLE, Extent
from easel.fields.model.field import Field, build_field
from easel.fields.model.streams import stream
from easel.graphics.checked_record import Range, annotations, fit
from easel.version import __version__

FORMAT = 1
# Beyond it float32 does not tell neighbours apart.
MAX_SIDE = 2**24
"""Most samples of an axis."""
Count = Annotated[int, Range(0, 2**63 - 1)]


@dataclass(frozen=True)
class Recipe:
    """Architecture, seed and weights of a field, and the size, latents and window of one of its pictures."""

    seed: Count
    output_shape: tuple[Annotated[int, Range(1, MAX_SIDE)], ...]
    """Samples on every axis, then channels."""
    network: Architecture | FieldConfig
    """An artist's architecture with every choice spelled out, or the config of a field that was fitted."""
    config_size: tuple[Annotated[int, Range(1, MAX_SIDE)], ...] = ()
    """The size of the picture that a config's grids were made for."""
    draw: Count = 0
    """Number of redraws of the weights."""
    latents: tuple[tuple[float, ...], ...] = ()
    """z of every picture of a batch, before `latent_scale`; empty where the field has none."""
    latent_draw: Count = 0
    """Number of redraws of z."""
    latent_scale: float = 1.0
    """Factor of coordinates and z."""
    window: Extent = WHOLE
    calibration: tuple[float, float] = (0.0, 1.0)
    """The numbers that become black and white."""
    contrast: Literal["auto", "stretch"] = "auto"
    fitted: bool = False
    """The weights were learned: a seed alone does not bring them back."""
    fitted_latent: bool = False
    weights: dict[str, str] | None = None
    """Learned weights: 'data' holds a checkpoint in base64, 'file' and 'sha256' name one."""

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"a seed is a whole number from 0 to 2^63 - 1; got {self.seed}.")
        if not math.isfinite(self.latent_scale):
            raise ValueError(f"latent_scale is {self.latent_scale}; it must be finite.")

    @property
    def dimensions(self) -> int:
        return len(self.output_shape) - 1

    @property
    def coordinate_scale(self) -> float:
        """Factor of coordinates; configs, whose grids cover the unit view, have none."""
        return self.latent_scale if isinstance(self.network, Architecture) else 1.0

    @property
    def size(self) -> tuple[int, ...]:
        """Samples on every axis."""
        return self.output_shape[:-1]

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as plain data, with lists for tuples as JSON has them."""
        data = asdict(self) | {"format": FORMAT, "easel": __version__, "kind": "config"}
        if isinstance(self.network, Architecture):
            data |= {"kind": "architecture", "network": self.network.to_json()}
        return _plain(data)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Recipe":
        """Return the recipe of `to_json`'s data, from here or another program; ValueError of one line for all else."""
        # First: a newer Easel may have keys that are unknown here, and its version is the better answer.
        check_format(data)
        known = {entry.name for entry in fields(cls)} | {"format", "easel", "kind"}
        if strange := sorted(map(str, set(data) - known)):
            raise ValueError(f"the recipe has unknown keys: {', '.join(strange)[:200]}.")
        if lacking := sorted({"seed", "output_shape", "network", "kind"} - set(data)):
            raise ValueError(f"the recipe lacks {', '.join(lacking)}.")
        # A stranger's data fails in every way there is; the caller gets one kind of error with one line.
        try:
            return _checked(dict(data))
        except (TypeError, ValueError, AttributeError, KeyError, OverflowError) as error:
            raise ValueError(f"the recipe makes no sense: {' '.join(str(error).split())[:300]}") from None

    def build(self, tensors: Mapping[str, Tensor] | None = None) -> Field:
        """Build the field, with these tensors as its parameters and buffers, or else with weights drawn from the seed.

        ValueError where tensors or latents do not fit the field.
        """
        if isinstance(self.network, Architecture):
            field = build(self.network, self.seed, self.draw)
        else:
            generator = stream(self.seed, "weights", self.draw)
            field = build_field(self.network, self.config_size, self.output_shape[-1], generator=generator)
        if field.latent is not None:
            if self.latents:
                if len(self.latents[0]) != len(field.latent):
                    raise ValueError(
                        f"the recipe has {len(self.latents[0])} latents for a field of {len(field.latent)}."
                    )
                # The first of a batch: the others are given to the field picture by picture.
                field.latent = torch.tensor(self.latents[0], dtype=torch.float32) * self.latent_scale
            if self.fitted_latent:
                # A module refuses a parameter under the name of a buffer that it still has.
                latent = nn.Parameter(field.latent)
                del field.latent
                field.latent = latent
        if tensors is not None:
            # torch names every tensor that is missing, in as many lines.
            try:
                field.load_state_dict(dict(tensors))
            except RuntimeError as error:
                reason = " ".join(str(error).split())[:200]
                raise ValueError(f"the weights do not fit the recipe ({reason}).") from None
        return field


def architecture_recipe(
    architecture: Architecture, seed: int, output_shape: tuple[int, ...], **settings: Any
) -> Recipe:
    """Return the recipe of an artist's field, with defaults and random choices spelled out.

    A later version may choose other defaults; the picture of a recipe must stay.
    """
    return Recipe(seed, output_shape, resolve(architecture, seed), **settings)


def check_format(data: Mapping[str, Any]) -> None:
    """Raise a ValueError for data that a newer Easel wrote, or that is no recipe."""
    version = data.get("format")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ValueError("it is no recipe: a recipe has a 'format', a number from 1 up.")
    if version > FORMAT:
        raise ValueError(
            f"the recipe has format {version}, written by easel {str(data.get('easel'))[:20]}; this is {__version__}, "
            f"which reads up to {FORMAT}. Update: pip install -U torch-easel."
        )


def check_shape(output_shape: tuple[int, ...], dimensions: int | None = None) -> tuple[int, ...]:
    """Return the shape; ValueError unless it is a size with channels."""
    *size, channels = output_shape
    axes = dimensions or len(size)
    if len(size) != axes or not 1 <= axes <= 4 or not all(1 <= n <= MAX_SIDE for n in size) or not 1 <= channels <= 64:
        raise ValueError(
            f"an output_shape has {dimensions or '1 to 4'} sizes, each 1 to {MAX_SIDE:,}, then channels, 1 to 64; "
            f"got {tuple(output_shape)}."
        )
    return tuple(output_shape)


def _plain(value: Any) -> Any:
    """Return the same with lists for tuples."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _checked(data: dict[str, Any]) -> Recipe:
    """Build a recipe of a stranger's data; whatever is wrong with it is an exception that `from_json` words."""
    kind = data.pop("kind")
    if kind not in ("architecture", "config"):
        raise ValueError(f"unknown kind {kind!r}; known: architecture, config")
    for name in ("format", "easel"):
        data.pop(name, None)
    # Before any conversion: a list without an end must not take time.
    for rows in (data.get("latents", ()), *data.get("latents", ())):
        _list(rows, 4096)
    network = _mapping(data.pop("network"))
    data["window"] = Extent(**_mapping(data.get("window", {})))
    if data.get("weights") is not None:
        _mapping(data["weights"])
    hints = annotations(Recipe)
    for name in set(data) - {"window"}:
        try:
            data[name] = fit(data[name], hints[name])
        except ValueError as error:
            raise ValueError(f"{name} is {str(data[name])[:40]}; it must be {error}") from None
    check_shape(data["output_shape"])
    low, high = data.get("calibration", (0.0, 1.0))
    if not low < high:
        raise ValueError(f"calibration {low}, {high}: the first must be the smaller")
    if kind == "architecture":
        return Recipe(network=Architecture.from_json(network), **data)
    size = data.get("config_size", ())
    # Finding the finest grid takes time in proportion to the longest side.
    if len(size) != len(data["output_shape"]) - 1 or not all(1 <= side <= 2**16 for side in size):
        raise ValueError(f"config_size {size} does not go with the output_shape")
    if strange := sorted(set(network) - set(annotations(FieldConfig))):
        raise ValueError(f"unknown config key {strange[0]!r}")
    return Recipe(network=FieldConfig(**network), **data)


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"expected an object, got {type(value).__name__}")
    return dict(value)


def _list(value: Any, most: int) -> None:
    if not isinstance(value, list | tuple) or len(value) > most:
        raise ValueError(f"expected a list of up to {most} values, got {str(value)[:40]}")
