"""What an artist's field is made of, as data: the same architecture and seed build the same field in any process."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from easel.fields.art.catalog import (
    AXES,
    ENCODINGS,
    LIMITS,
    NORMS,
    TOPOLOGIES,
    Topology,
    make_encoding,
    unknown,
    weights_in_space,
)
from easel.fields.art.graphml import Node, from_graphml, to_graphml
from easel.fields.art.networks import ArtMLP, ArtNetwork, ArtSiren, ConvStack
from easel.fields.art.topology import GraphNetwork, watts_strogatz, with_operations
from easel.fields.art.weights import draw_weights
from easel.fields.model.activations import BOUNDED_SET, Weighted, activation, activation_name
from easel.fields.model.coordinates import norm, pixel_centers, reference_size
from easel.fields.model.field import Field
from easel.fields.model.initialization import INITS, Initialization, PerLayer
from easel.fields.model.streams import stream

_DRAWN = ("weight_init_mean", "weight_init_std", "weight_init_min", "weight_init_max")
_SCALES = ("siren_scale", "siren_scale_init")
_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(LIMITS, (int,)),
    **dict.fromkeys(("topology", "final_activation", "weight_init", "graph", "encoding", "norm"), (str,)),
    **dict.fromkeys(_DRAWN, (int, float, list, tuple)),
    **dict.fromkeys(_SCALES, (int, float)),
    "activations": (str, list, tuple),
    "encoding_settings": (dict,),
    "radius": (bool,),
}
"""Of an architecture as plain data; None stands where it is the default."""
_PARTS = {"activations": (str,)}
"""Of what has parts; others have numbers."""
MOST_WEIGHTS = 2**26


@dataclass(frozen=True)
class Architecture:
    """Encoding, network and output of a field that paints. What is None is left to the topology."""

    topology: str = "mlp"
    """mlp, simple, conv, WS or siren, in any case."""
    dimensions: int = 2
    """Coordinates of a sample, 1 to 4."""
    channels: int = 3
    latent_dim: int = 8
    """Length of z; 0 is a field without latent."""
    width: int | None = None
    """Units of a hidden layer, or feature maps of the 1x1 stack; 32."""
    activations: str | tuple[str, ...] | None = None
    """'fixed', 'random', a name for every slot, or one name for each (see `slots`)."""
    final_activation: str | None = None
    """A name; 'identity' for none at all."""
    weight_init: str | None = None
    """normal, uniform, dip, siren, he or torch."""
    weight_init_mean: PerLayer | None = None
    """For normal: 0. One number, or one for each layer."""
    weight_init_std: PerLayer | None = None
    """For normal: 1, for conv 0.45, for WS 3 (inside the graph, see GRAPH_GAIN)."""
    weight_init_min: PerLayer | None = None
    """For uniform: -2."""
    weight_init_max: PerLayer | None = None
    """For uniform: 2."""
    num_graph_nodes: int | None = None
    """Nodes of a WS graph, 5 or more: 10."""
    graph: str | None = None
    """A WS graph as GraphML; drawn where it is None, and with it what it leaves open."""
    fourier_freqs: int | None = None
    """Octaves of sines and cosines that replace the coordinates; 0, for conv 4."""
    siren_layers: int | None = None
    """Sine layers of siren: 5."""
    siren_scale: float | int | None = None
    """Frequency of the sine layers after the first: 1."""
    siren_scale_init: float | int | None = None
    """Frequency of the first sine layer: 30."""
    encoding: str | None = None
    """An encoding by name, in place of `fourier_freqs`."""
    encoding_settings: Mapping[str, float | int] = field(default_factory=dict)
    """Arguments of that encoding; what is left out has the encoding's default."""
    norm: str | None = None
    """'layer' or 'batch', for conv; None has no norm."""
    radius: bool | None = None
    """Whether the distance from the centre is an input too: yes, unless the encoding is a map of space."""

    def __post_init__(self) -> None:
        known = {name.lower(): name for name in TOPOLOGIES}
        if self.topology.lower() not in known:
            raise ValueError(unknown("topology", self.topology, TOPOLOGIES))
        _set(self, "topology", known[self.topology.lower()])
        for name, (least, most) in LIMITS.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise ValueError(f"{name} is {value}; it must be {least} to {most}.")
        for name, choices in {"weight_init": INITS, "norm": NORMS, "encoding": ENCODINGS}.items():
            if getattr(self, name) not in (None, *choices):
                raise ValueError(unknown(name, getattr(self, name), choices))
        if self.graph is not None and self.topology != "WS":
            raise ValueError(f"a graph is for the topology 'WS'; this one is {self.topology!r}.")
        if self.norm is not None and self.topology != "conv":
            raise ValueError(f"norm {self.norm!r} is for the topology 'conv'; this one is {self.topology!r}.")
        if self.radius and not ENCODINGS[self.encoding or "identity"].radius:
            raise ValueError(f"the encoding {self.encoding!r} maps places; it does not take the radius.")
        if self.fourier_freqs and self.encoding not in (None, "fourier"):
            raise ValueError(f"encoding {self.encoding!r} and fourier_freqs exclude each other; leave one out.")
        self._check_numbers()
        if self.final_activation is not None:
            _set(self, "final_activation", activation_name(self.final_activation))
        if isinstance(self.activations, tuple):
            _set(self, "activations", tuple(map(activation_name, self.activations)))
        elif self.activations is not None and self.activations not in ("fixed", "random"):
            _set(self, "activations", activation_name(self.activations))

    def _check_numbers(self) -> None:
        for name in (*_DRAWN, *_SCALES):
            value = getattr(self, name)
            for number in value if isinstance(value, tuple) else () if value is None else (value,):
                if not math.isfinite(number):
                    raise ValueError(f"{name} is {value!r}; it takes finite numbers.")
                if (number < 0 and name == "weight_init_std") or (number <= 0 and name in _SCALES):
                    raise ValueError(f"{name} is {value!r}; it must be above 0.")
        known = ENCODINGS[self.encoding or "identity"].settings
        for name, value in self.encoding_settings.items():
            if name not in known:
                raise ValueError(unknown(f"setting of encoding {self.encoding or 'identity'!r}", name, known))
            if type(value) is not type(known[name].default) and not isinstance(known[name].default, float):
                raise ValueError(f"{name} is {value!r}; it is a whole number.")
            if not known[name].least <= value <= known[name].most:
                raise ValueError(f"{name} is {value}; it must be {known[name].least} to {known[name].most}.")

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self) | {"encoding_settings": dict(self.encoding_settings)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Architecture":
        """What `to_json` gave; an unknown key is refused."""
        known = [entry.name for entry in fields(cls)]
        for key in data:
            if key not in known:
                raise ValueError(unknown("architecture key", key, known))
        defaults = {entry.name: entry.default for entry in fields(cls)}
        read: dict[str, Any] = {}
        for key, value in data.items():
            parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
            fits = type(value) in _TYPES[key] or (value is None and defaults[key] is None)
            if not fits or any(type(part) not in _PARTS.get(key, (int, float)) for part in parts):
                raise ValueError(f"architecture key {key!r} cannot be {value!r}.")
            read[key] = tuple(value) if isinstance(value, list) else value
        return cls(**read)


def slots(architecture: Architecture) -> list[str]:
    """Names of an architecture's activations, in the order in which it uses them."""
    match architecture.topology:
        case "conv":
            return [f"layer-{number}" for number in range(1, 9)]
        case "siren":
            return [f"layer-{number}" for number in range(1, 1 + (architecture.siren_layers or 5))]
    if architecture.topology == "WS":
        ends = ["end-1", "end-2"] if architecture.dimensions <= 2 else ["end-1"]
        return [*_input_slots(architecture), "latent", "sum", "hidden", *ends]
    # Three hidden slots in `simple`, too: one layer, used three times.
    return [*_input_slots(architecture), "latent", "sum", "hidden-1", "hidden-2", "hidden-3", "output"]


def _input_slots(architecture: Architecture) -> list[str]:
    if not ENCODINGS[architecture.encoding or "identity"].by_axis:
        return ["features"]
    return [*AXES[: architecture.dimensions], *(["r"] if _has_radius(architecture) else [])]


def resolve(architecture: Architecture, seed: int) -> Architecture:
    """The same architecture with every default spelled out and every random choice made."""
    topology = TOPOLOGIES[architecture.topology]
    given = {name: value for name, value in vars(architecture).items() if value is not None}
    rule = given.get("weight_init", topology.weight_init)
    defaults: dict[str, Any] = {
        "width": given.get("width", 32),
        "final_activation": topology.final_activation,
        "weight_init": rule,
        "radius": _has_radius(architecture),
    }
    if rule == "normal":
        defaults |= {"weight_init_mean": 0.0, "weight_init_std": topology.weight_init_std}
    if rule == "uniform":
        defaults |= {"weight_init_min": -2.0, "weight_init_max": 2.0}
    if architecture.topology == "siren":
        defaults |= {"siren_layers": 5, "siren_scale": 1.0, "siren_scale_init": 30.0}
    if architecture.topology == "WS":
        nodes = _graph(architecture, seed)
        if len(nodes) * defaults["width"] ** 2 > MOST_WEIGHTS:
            raise ValueError(f"a graph of {len(nodes)} nodes, {defaults['width']} wide, would fill memory; take fewer.")
        given |= {"graph": to_graphml(nodes), "num_graph_nodes": len(nodes)}
    if architecture.encoding in (None, "fourier"):
        usual = topology.fourier_freqs if architecture.encoding is None else topology.fourier_freqs or 4
        frequencies = given.get("fourier_freqs", usual)
        given |= {"encoding": "fourier" if frequencies else "identity", "fourier_freqs": frequencies}
    known = ENCODINGS[architecture.encoding or "identity"].settings
    given["encoding_settings"] = {name: setting.default for name, setting in known.items()} | given["encoding_settings"]
    return replace(architecture, **(defaults | given | {"activations": _activations(architecture, seed)}))


def build(architecture: Architecture, seed: int, draw: int = 0) -> Field:
    """The field of this architecture; `draw` counts how often its weights have been drawn anew."""
    architecture = resolve(architecture, seed)
    settings = architecture.encoding_settings
    if weights_in_space(architecture.encoding, settings, architecture.dimensions) > MOST_WEIGHTS:
        raise ValueError(f"the encoding {architecture.encoding!r} would fill memory; take a smaller `finest`.")
    generator = stream(seed, "weights", draw)
    inputs = architecture.dimensions + _has_radius(architecture)
    frequencies = architecture.fourier_freqs or 0
    encoding: Any = make_encoding(architecture.encoding, settings, frequencies, inputs, generator)
    network = _network(architecture, encoding.width(inputs), inputs)
    _draw_weights(network, architecture, generator)
    assert architecture.final_activation is not None
    latent = draw_latent(architecture.latent_dim, architecture.dimensions, seed)
    field = Field(
        encoding,
        network,
        activation(architecture.final_activation),
        dimensions=architecture.dimensions,
        latent=latent,
        radius=_has_radius(architecture),
    ).eval()
    for module in field.modules():
        if isinstance(module, Weighted):
            module.draw_(generator)
    coords = pixel_centers(reference_size(architecture.dimensions))
    network.freeze(encoding(torch.cat([coords, norm(coords)], dim=1) if field.radius else coords), latent)
    return field


def draw_latent(latent_dim: int, dimensions: int, seed: int, draw: int = 0) -> Float[Tensor, " l"] | None:
    """A field's latent: from U(-2, 2) for pictures, from U(-1, 1) for volumes; None of length 0."""
    bound = 2.0 if dimensions <= 2 else 1.0
    generator = stream(seed, "latents", draw)
    return torch.empty(latent_dim).uniform_(-bound, bound, generator=generator) if latent_dim else None


def _activations(architecture: Architecture, seed: int) -> tuple[str, ...]:
    """A name for every slot."""
    names, topology = slots(architecture), TOPOLOGIES[architecture.topology]
    asked = architecture.activations or topology.activations
    if isinstance(asked, tuple):
        if len(asked) != len(names):
            raise ValueError(
                f"{architecture.topology} has {len(names)} activations ({', '.join(names)}); got {len(asked)}. "
                "One name stands for all."
            )
        return asked
    fixed = topology.fixed if architecture.dimensions <= 2 else topology.fixed_3d
    if asked == "fixed":
        return tuple(fixed[name] for name in names)
    # The output has the final activation for itself.
    if asked == "random":
        chosen = torch.randint(2**31, (len(names),), generator=stream(seed, "activations"))
        return tuple(_drawn(slot, number, topology) for slot, number in zip(names, chosen.tolist(), strict=True))
    return tuple("identity" if slot == "output" else asked for slot in names)


def _drawn(slot: str, number: int, topology: Topology) -> str:
    if slot == "output":
        return "identity"
    choice = BOUNDED_SET if slot.startswith("end") else topology.random_set
    return choice[number % len(choice)]


def _graph(architecture: Architecture, seed: int) -> list[Node]:
    """The graph with all its operations."""
    topology = TOPOLOGIES["WS"]
    if architecture.graph is None:
        nodes = watts_strogatz(architecture.num_graph_nodes or 10, seed)
    else:
        nodes = from_graphml(architecture.graph)
        if architecture.num_graph_nodes not in (None, len(nodes)):
            raise ValueError(f"the graph has {len(nodes)} nodes, num_graph_nodes is {architecture.num_graph_nodes}.")
    match architecture.activations or topology.activations:
        case "fixed":
            choice = ((topology.fixed if architecture.dimensions <= 2 else topology.fixed_3d)["node"],)
        case "random" | tuple():
            choice = topology.random_set
        case name:
            choice = (name,)
    return with_operations(nodes, choice, seed)


def _has_radius(architecture: Architecture) -> bool:
    default = ENCODINGS[architecture.encoding or "identity"].radius
    return default if architecture.radius is None else architecture.radius


def _network(architecture: Architecture, encoded: int, inputs: int) -> ArtNetwork:
    """The network behind that many encoded numbers of that many inputs, its weights not drawn yet."""
    width, channels, latent_dim = architecture.width, architecture.channels, architecture.latent_dim
    activations = architecture.activations
    assert width is not None and isinstance(activations, tuple)
    match architecture.topology:
        case "conv":
            return ConvStack(encoded, latent_dim, width, channels, activations, architecture.norm)
        case "siren":
            assert architecture.siren_scale is not None and architecture.siren_scale_init is not None
            omegas = {"first_omega": architecture.siren_scale_init, "omega": architecture.siren_scale}
            return ArtSiren(encoded, latent_dim, width, channels, activations, **omegas)
    assert architecture.graph is not None or architecture.topology != "WS"
    groups = [encoded // inputs] * inputs if ENCODINGS[architecture.encoding or "identity"].by_axis else [encoded]
    if architecture.graph is not None:
        return GraphNetwork(groups, latent_dim, width, channels, activations, from_graphml(architecture.graph))
    shared = architecture.topology == "simple"
    return ArtMLP(groups, latent_dim, width, channels, activations, shared=shared)


def _draw_weights(network: ArtNetwork, architecture: Architecture, generator: torch.Generator) -> None:
    chosen = {
        "name": architecture.weight_init,
        "mean": architecture.weight_init_mean,
        "std": architecture.weight_init_std,
        "low": architecture.weight_init_min,
        "high": architecture.weight_init_max,
        "scale": architecture.siren_scale,
    }
    rule = Initialization(**{name: value for name, value in chosen.items() if value is not None})
    octaves = architecture.fourier_freqs if architecture.encoding == "fourier" else 0
    draw_weights(network, rule, octaves or 0, generator)


def _set(architecture: Architecture, name: str, value: object) -> None:
    object.__setattr__(architecture, name, value)
