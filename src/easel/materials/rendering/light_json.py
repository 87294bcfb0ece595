"""Lights as plain JSON values, for the record that lies beside each photo.

{"type": "point", "position": [x, y, z], "intensity": [r, g, b]}
{"type": "directional", "direction": [x, y, z], "irradiance": [r, g, b]}
{"type": "environment", "source": "sky:7", "rotation_degrees": 90.0, "strength": 1.0}
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from easel.materials.rendering.environment import Environment, procedural_environment
from easel.materials.rendering.lights import DirectionalLight, LightSource, PointLight
from easel.materials.rendering.vectors import Vector

_FIELDS = {
    "point": ("position", "intensity"),
    "directional": ("direction", "irradiance"),
    "environment": ("source", "rotation_degrees", "strength"),
}
"""Type → its fields, in the order of its class; of lamps they are two vectors."""

_LARGEST = 1e9
"""Numbers beyond it are a damaged record."""


def light_to_json(light: LightSource) -> dict[str, object]:
    """Return a light as JSON holds it.

    An environment is stored by the place it came from: ValueError for one made by hand, which has none.
    """
    if not isinstance(light, Environment):
        kind = "point" if isinstance(light, PointLight) else "directional"
        return {"type": kind, **{name: _numbers(getattr(light, name)) for name in _FIELDS[kind]}}
    if light.source is None:
        raise ValueError("an environment without a source cannot be stored: load it from a file, or name a kind.")
    return {"type": "environment", **{name: getattr(light, name) for name in _FIELDS["environment"]}}


def light_from_json(value: object) -> LightSource:
    """Build the light that `light_to_json` stored.

    ValueError, or an environment's `FileError`, says in one line what is wrong.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"a light is an object with a type; got {value!r:.80}.")
    kind = value.get("type")
    names = _FIELDS.get(str(kind))
    if names is None:
        raise ValueError(f"a light's type is point, directional or environment; got {kind!r:.80}.")
    if set(value) != {"type", *names}:
        raise ValueError(f"a light of type {kind} has {', '.join(names)}; got {', '.join(map(str, value))}.")
    if kind == "environment":
        return _environment_from_json(value)
    for name in names:
        vector = value[name]
        if not isinstance(vector, list) or len(vector) != 3 or not all(map(_is_number, vector)):
            raise ValueError(f"a light's {name} is three finite numbers; got {vector!r:.80}.")
    make = {"point": PointLight, "directional": DirectionalLight}[str(kind)]
    return make(*(tuple(value[name]) for name in names))


def _environment_from_json(value: Mapping[str, Any]) -> Environment:
    source, rotation, strength = (value[name] for name in _FIELDS["environment"])
    if not isinstance(source, str) or not _is_number(rotation) or not _is_number(strength):
        raise ValueError(f"an environment has a source and two numbers; got {dict(value)!r:.200}.")
    return environment(source, rotation_degrees=rotation, strength=strength)


def environment(source: str, *, rotation_degrees: float | int = 0.0, strength: float | int = 1.0) -> Environment:
    """Open the environment of a file, or make that of "kind:seed", such as "sky:7"."""
    kind, colon, seed = source.partition(":")
    if colon and seed.isdecimal() and "." not in kind:
        return procedural_environment(kind, int(seed), rotation_degrees=rotation_degrees, strength=strength)
    return Environment.load(source, rotation_degrees=rotation_degrees, strength=strength)


def _numbers(vector: Vector) -> list[float]:
    numbers = vector.tolist() if isinstance(vector, Tensor) else vector
    return [float(number) for number in numbers]


def _is_number(value: object) -> bool:
    # Not isfinite: JSON's integers may be larger than any float
    return isinstance(value, float | int) and not isinstance(value, bool) and abs(value) <= _LARGEST
