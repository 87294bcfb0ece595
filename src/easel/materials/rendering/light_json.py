"""Lights as plain JSON values, for the record that lies beside each photo."""

from collections.abc import Mapping

from torch import Tensor

from easel.materials.rendering.environment import Environment
from easel.materials.rendering.lights import DirectionalLight, Light, PointLight
from easel.materials.rendering.procedural_environment import procedural_environment
from easel.materials.rendering.vectors import Vector

_VECTORS = {"point": ("position", "intensity"), "directional": ("direction", "irradiance")}
"""Type → its two vectors."""

_LARGEST = 1e9
"""Numbers beyond it are a damaged record."""


def light_to_json(light: Light) -> dict[str, object]:
    """A light as JSON holds it; an environment by where it came from, so one made by hand has no JSON."""
    if isinstance(light, Environment):
        if light.source is None:
            raise ValueError("an environment without a source cannot be stored: load it from a file, or name a kind.")
        return {
            "type": "environment",
            "source": light.source,
            "rotation_degrees": light.rotation_degrees,
            "strength": light.strength,
        }
    kind = "point" if isinstance(light, PointLight) else "directional"
    return {"type": kind, **{name: _numbers(getattr(light, name)) for name in _VECTORS[kind]}}


def light_from_json(value: object) -> Light:
    """Inverse of `light_to_json`; ValueError, or an environment's `FileError`, says what is wrong."""
    if not isinstance(value, Mapping):
        raise ValueError(f"a light is an object with a type; got {value!r:.80}.")
    kind = value.get("type")
    names = ("source", "rotation_degrees", "strength") if kind == "environment" else _VECTORS.get(str(kind), ())
    if not names:
        raise ValueError(f"a light's type is point, directional or environment; got {kind!r:.80}.")
    if set(value) != {"type", *names}:
        raise ValueError(f"a light of type {kind} has {', '.join(names)}; got {', '.join(map(str, value))}.")
    if kind == "environment":
        source, rotation, strength = value["source"], value["rotation_degrees"], value["strength"]
        if not isinstance(source, str) or not all(map(_is_number, (rotation, strength))):
            raise ValueError(f"an environment has a source and two numbers; got {dict(value)!r:.200}.")
        return environment(source, rotation_degrees=rotation, strength=strength)
    vectors = [value[name] for name in names]
    for name, vector in zip(names, vectors, strict=True):
        if not isinstance(vector, list) or len(vector) != 3 or not all(map(_is_number, vector)):
            raise ValueError(f"a light's {name} is three finite numbers; got {vector!r:.80}.")
    make = PointLight if kind == "point" else DirectionalLight
    return make(tuple(vectors[0]), tuple(vectors[1]))


def environment(source: str, *, rotation_degrees: float | int = 0.0, strength: float | int = 1.0) -> Environment:
    """The environment of a file, or of "kind:seed"."""
    kind, colon, seed = source.partition(":")
    if colon and seed.isdecimal() and "." not in kind:
        return procedural_environment(kind, int(seed), rotation_degrees=rotation_degrees, strength=strength)
    return Environment.load(source, rotation_degrees=rotation_degrees, strength=strength)


def _numbers(vector: Vector) -> list[float]:
    return [float(number) for number in (vector.tolist() if isinstance(vector, Tensor) else vector)]


def _is_number(value: object) -> bool:
    # Not isfinite: JSON's integers may be larger than any float
    return isinstance(value, float | int) and not isinstance(value, bool) and abs(value) <= _LARGEST
