"""A recipe: what rebuilds a picture bit for bit, as plain data. Strangers write them, so they are checked."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args, get_type_hints

import torch
from torch import Tensor, nn

from easel.fields.art.architecture import Architecture, build, resolve
from easel.fields.model.config import FieldConfig
from easel.fields.model.extent import WHOLE, Extent
from easel.fields.model.field import Field, build_field
from easel.fields.model.streams import stream
from easel.version import __version__

FORMAT = 1
MAX_SIDE = 2**24
"""Most samples of an axis: beyond it float32 does not tell neighbours apart."""

_CONFIG_LIMITS = {
    "hidden": 4096,
    "layers": 64,
    "fourier_levels": 64,
    "random_features": 65_536,
    "grid_levels": 32,
    "grid_features": 32,
    "grid_parameters": 2**27,
    "hash_log2_table": 24,
}
"""Most of what sizes a field: a recipe must not exhaust memory."""


@dataclass(frozen=True)
class Recipe:
    """How a field is made, and which picture of it is meant."""

    seed: int
    output_shape: tuple[int, ...]
    """Samples on every axis, then channels."""
    network: Architecture | FieldConfig
    """An artist's architecture with every choice spelled out, or the config of a field that was fitted."""
    config_size: tuple[int, ...] = ()
    """The size of the picture that a config's grids were made for."""
    draw: int = 0
    """How often the weights have been drawn anew."""
    latents: tuple[tuple[float, ...], ...] = ()
    """z of every picture of a batch, before `latent_scale`; empty where the field has none."""
    latent_draw: int = 0
    """How often z has been drawn anew."""
    latent_scale: float = 1.0
    """Factor of coordinates and z."""
    window: Extent = WHOLE
    calibration: tuple[float, float] = (0.0, 1.0)
    """The numbers that become black and white."""
    contrast: Literal["auto", "stretch"] = "auto"
    fitted: bool = False
    """The weights were learned: a seed alone does not bring them back."""
    fitted_latent: bool = False
    weights: Mapping[str, str] | None = None
    """Where learned weights are: 'data' holds a checkpoint in base64, 'file' and 'sha256' name one."""

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
        """As plain data."""
        network = self.network
        own = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return _plain(
            own
            | {
                "format": FORMAT,
                "easel": __version__,
                "kind": "architecture" if isinstance(network, Architecture) else "config",
                "network": network.to_json() if isinstance(network, Architecture) else asdict(network),
                "window": asdict(self.window),
            }
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Recipe":
        """What `to_json` gave, here or in another program; ValueError of one line for all else."""
        check_format(data)
        known = {entry.name for entry in fields(cls)} | {"format", "easel", "kind"}
        if strange := sorted(map(str, set(data) - known)):
            raise ValueError(f"the recipe has unknown keys: {', '.join(strange)[:200]}.")
        if lacking := sorted({"seed", "output_shape", "network", "kind"} - set(data)):
            raise ValueError(f"the recipe lacks {', '.join(lacking)}.")
        try:
            return _checked(dict(data))
        except (TypeError, ValueError, AttributeError, KeyError, OverflowError) as error:
            raise ValueError(f"the recipe makes no sense: {' '.join(str(error).split())[:300]}") from None

    def build(self, tensors: Mapping[str, Tensor] | None = None) -> Field:
        """The field, with these tensors as its parameters and buffers, or else with the weights that the seed draws."""
        if isinstance(self.network, Architecture):
            field = build(self.network, self.seed, self.draw)
        else:
            generator = stream(self.seed, "weights", self.draw)
            field = build_field(self.network, self.config_size, self.output_shape[-1], generator=generator)
        if field.latent is not None:
            if self.latents and len(self.latents[0]) != len(field.latent):
                raise ValueError(f"the recipe has {len(self.latents[0])} latents for a field of {len(field.latent)}.")
            if self.latents:
                field.latent = torch.tensor(self.latents[0], dtype=torch.float32) * self.latent_scale
            if self.fitted_latent:
                latent = nn.Parameter(field.latent)
                del field.latent
                field.latent = latent
        if tensors is not None:
            try:
                field.load_state_dict(dict(tensors))
            except RuntimeError as error:
                reason = " ".join(str(error).split())[:200]
                raise ValueError(f"the weights do not fit the recipe ({reason}).") from None
        return field


def architecture_recipe(
    architecture: Architecture, seed: int, output_shape: tuple[int, ...], **settings: Any
) -> Recipe:
    """The recipe of an artist's field; defaults and random choices are spelled out."""
    return Recipe(seed, output_shape, resolve(architecture, seed), **settings)


def check_format(data: Mapping[str, Any]) -> None:
    """Refuse what a newer Easel wrote, and what is no recipe."""
    version = data.get("format")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ValueError("it is no recipe: a recipe has a 'format', a number from 1 up.")
    if version > FORMAT:
        raise ValueError(
            f"the recipe has format {version}, written by easel {str(data.get('easel'))[:20]}; this is {__version__}, "
            f"which reads up to {FORMAT}. Update: pip install -U torch-easel."
        )


def check_shape(output_shape: tuple[int, ...], dimensions: int | None = None) -> tuple[int, ...]:
    """Refuse what is no size with channels."""
    *size, channels = output_shape
    axes = dimensions or len(size)
    if len(size) != axes or not 1 <= axes <= 4 or not all(1 <= n <= MAX_SIDE for n in size) or not 1 <= channels <= 64:
        raise ValueError(
            f"an output_shape has {dimensions or '1 to 4'} sizes, each 1 to {MAX_SIDE:,}, then channels, 1 to 64; "
            f"got {tuple(output_shape)}."
        )
    return tuple(output_shape)


def _plain(value: Any) -> Any:
    """With lists for tuples, as JSON has them."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _checked(data: dict[str, Any]) -> Recipe:
    kind = data.pop("kind")
    if kind not in ("architecture", "config"):
        raise ValueError(f"unknown kind {kind!r}; known: architecture, config")
    for name in ("format", "easel"):
        data.pop(name, None)
    network = {name: tuple(v) if isinstance(v, list) else v for name, v in _mapping(data.pop("network")).items()}
    data["output_shape"] = check_shape(_integers(data["output_shape"]))
    data["config_size"] = _integers(data.get("config_size", []))
    data["latents"] = tuple(tuple(map(_number, _list(row, 1024))) for row in _list(data.get("latents", []), 4096))
    data["window"] = Extent(**_mapping(data.get("window", {})))
    low, high = map(_number, data.get("calibration", (0.0, 1.0)))
    if not low < high:
        raise ValueError(f"calibration {low}, {high}: the first must be the smaller")
    data["calibration"] = (low, high)
    data["latent_scale"] = _number(data.get("latent_scale", 1.0))
    for name in ("seed", "draw", "latent_draw"):
        (data[name],) = _integers([data.get(name, 0)], least=0, most=2**63 - 1)
    for name in ("fitted", "fitted_latent"):
        if not isinstance(data.get(name, False), bool):
            raise ValueError(f"{name} is true or false")
    if data.get("contrast", "auto") not in ("auto", "stretch"):
        raise ValueError("contrast is 'auto' or 'stretch'")
    weights = data.get("weights")
    if weights is not None and not all(isinstance(v, str) for v in _mapping(weights).values()):
        raise ValueError("weights are texts")
    if kind == "architecture":
        return Recipe(network=Architecture.from_json(network), **data)
    size = data["config_size"]
    if len(size) != len(data["output_shape"]) - 1:
        raise ValueError(f"config_size {size} does not go with the output_shape")
    # Finding the finest grid takes time in proportion to the longest side.
    _integers(size, least=1, most=2**16)
    return Recipe(network=_config(network), **data)


def _config(data: dict[str, Any]) -> FieldConfig:
    hints = get_type_hints(FieldConfig)
    for name, value in data.items():
        if name not in hints:
            raise ValueError(f"unknown config key {name!r}")
        choices = get_args(hints[name])
        if choices and value not in choices:
            raise ValueError(f"{name} is {value!r}; known: {', '.join(choices)}")
        if hints[name] is int:
            _integers([value], least=0, most=_CONFIG_LIMITS.get(name, 2**20))
        elif hints[name] is float:
            _number(value)
    return FieldConfig(**data)


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"expected an object, got {type(value).__name__}")
    return dict(value)


def _list(value: Any, most: int) -> list[Any]:
    if not isinstance(value, list | tuple) or len(value) > most:
        raise ValueError(f"expected a list of up to {most} values, got {str(value)[:40]}")
    return list(value)


def _integers(values: Any, *, least: int = 0, most: int = MAX_SIDE) -> tuple[int, ...]:
    for value in _list(values, 8):
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"expected whole numbers from {least} to {most}, got {str(value)[:40]}")
    return tuple(values)


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"expected finite numbers, got {str(value)[:40]}")
    return float(value)
