"""Architectures of painting fields as data: the same one and the same seed build the same field in any process."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any

import torch
from jaxtyping import Float
from torch import Tensor

from easel.fields.art.catalog import AXES, ENCODINGS, NORMS, TOPOLOGIES, make_encoding, weights_in_space
from easel.fields.art.graphml import MOST_NODES, GraphNode, from_graphml, to_graphml
from easel.fields.art.networks import ArtMLP, ArtNetwork, ArtSiren, ConvStack
from easel.fields.art.topology import GraphNetwork, watts_strogatz, with_operations
from easel.fields.model.activations import BOUNDED_SET, Weighted, activation, activation_name
from easel.fields.model.coordinates import pixel_centers, reference_size
from easel.fields.model.field import Field
from easel.fields.model.initialization import INITS, Initialization, PerLayer, linears
from easel.fields.model.streams import stream
from easel.graphics.checked_record import Range, annotations, check, fit
from easel.graphics.names import unknown

# Ranges are wide enough for any picture, and so small that a recipe from a stranger cannot exhaust memory.
Units = Annotated[int, Range(1, 1024)]
Frequency = Annotated[float | int, Range(0, above=True)]
# A quarter of a gigabyte in float32: a stranger's recipe must not exhaust memory.
MOST_WEIGHTS = 2**26
"""Most weights of an encoding or a graph."""
# Paths run through many maps: were each of them 3 √width strong, as its default says, all pictures would be noise.
GRAPH_GAIN = 0.7
"""Inside a graph, the std of 'normal' (and the bounds of 'uniform') are relative to this over √width."""
# A factor far below 1 in each of five layers leaves nothing to see.
MODULATOR_GAIN = 2.0
"""Gain over PyTorch's own initialization of the maps that multiply sine layers."""


@dataclass(frozen=True)
class Architecture:
    """Encoding, network and output of a field that paints; the topology decides whatever is None."""

    topology: str = "mlp"
    """mlp, simple, conv, WS or siren, in any case."""
    dimensions: Annotated[int, Range(1, 4)] = 2
    """Coordinates of a sample, 1 to 4."""
    channels: Units = 3
    latent_dim: Annotated[int, Range(0, 1024)] = 8
    """Length of z; 0 is a field without latent."""
    width: Units | None = None
    """Units of a hidden layer, or feature maps of the 1x1 stack; 32."""
    activations: str | tuple[str, ...] | None = None
    """'fixed', 'random', a name for every slot, or one name for each (see `slots`)."""
    final_activation: str | None = None
    """A name; 'identity' for none at all."""
    weight_init: str | None = None
    """normal, uniform, dip, siren, he or torch."""
    weight_init_mean: PerLayer | None = None
    """For normal: 0. One number, or one for each layer."""
    weight_init_std: Annotated[PerLayer, Range(0)] | None = None
    """For normal: 1, for conv 0.45, for WS 3 (inside the graph, see GRAPH_GAIN)."""
    weight_init_min: PerLayer | None = None
    """For uniform: -2."""
    weight_init_max: PerLayer | None = None
    """For uniform: 2."""
    num_graph_nodes: Annotated[int, Range(5, MOST_NODES)] | None = None
    """Nodes of a WS graph, 5 or more: 10."""
    graph: str | None = None
    """A WS graph as GraphML; drawn where it is None, and with it what it leaves open."""
    fourier_freqs: Annotated[int, Range(0, 32)] | None = None
    """Octaves of sines and cosines that replace the coordinates; 0, for conv 4."""
    siren_layers: Annotated[int, Range(1, 64)] | None = None
    """Sine layers of siren: 5."""
    siren_scale: Frequency | None = None
    """Frequency of the sine layers after the first: 1."""
    siren_scale_init: Frequency | None = None
    """Frequency of the first sine layer: 30."""
    encoding: str | None = None
    """An encoding by name, in place of `fourier_freqs`."""
    encoding_settings: dict[str, float | int] = field(default_factory=dict)
    """Arguments of that encoding; what is left out has the encoding's default."""
    norm: str | None = None
    """'layer' or 'batch', for conv; None has no norm."""
    radius: bool | None = None
    """Make the distance from the centre an input, too: the default, unless the encoding is a map of space."""

    def __post_init__(self) -> None:
        check(self)
        # Names are stored in one spelling, so that architectures that say the same are equal and print alike.
        known = {name.lower(): name for name in TOPOLOGIES}
        if self.topology.lower() not in known:
            raise ValueError(unknown("topology", self.topology, TOPOLOGIES))
        _set(self, "topology", known[self.topology.lower()])
        for name, choices in {"weight_init": INITS, "norm": NORMS, "encoding": ENCODINGS}.items():
            if getattr(self, name) not in (None, *choices):
                raise ValueError(unknown(name, getattr(self, name), choices))
        if self.graph is not None and self.topology != "WS":
            raise ValueError(f"a graph is for the topology 'WS'; this one is {self.topology!r}.")
        if self.norm is not None and self.topology != "conv":
            raise ValueError(f"norm {self.norm!r} is for the topology 'conv'; this one is {self.topology!r}.")
        if self.radius and not ENCODINGS[self.encoding or "identity"].radius:
            raise ValueError(f"the encoding {self.encoding!r} maps places; it does not take the radius.")
        # Older recipes know octaves only; a second encoding beside them would be ignored in silence.
        if self.fourier_freqs and self.encoding not in (None, "fourier"):
            raise ValueError(f"encoding {self.encoding!r} and fourier_freqs exclude each other; leave one out.")
        self._check_settings()
        if self.final_activation is not None:
            _set(self, "final_activation", activation_name(self.final_activation))
        if isinstance(self.activations, tuple):
            _set(self, "activations", tuple(map(activation_name, self.activations)))
        elif self.activations is not None and self.activations not in ("fixed", "random"):
            _set(self, "activations", activation_name(self.activations))

    def _check_settings(self) -> None:
        known = ENCODINGS[self.encoding or "identity"].settings
        for name, value in self.encoding_settings.items():
            if name not in known:
                raise ValueError(unknown(f"setting of encoding {self.encoding or 'identity'!r}", name, known))
            if type(value) is not type(known[name].default) and not isinstance(known[name].default, float):
                raise ValueError(f"{name} is {value!r}; it is a whole number.")
            if not known[name].least <= value <= known[name].most:
                raise ValueError(f"{name} is {value}; it must be {known[name].least} to {known[name].most}.")

    def to_json(self) -> dict[str, Any]:
        """Return the architecture as plain data."""
        return asdict(self) | {"encoding_settings": dict(self.encoding_settings)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Architecture":
        """Return the architecture of `to_json`'s data; ValueError for unknown keys and values of other types."""
        hints = annotations(cls)
        for key, value in data.items():
            if key not in hints:
                raise ValueError(unknown("architecture key", key, hints))
            try:
                fit(value, hints[key])
            except ValueError as error:
                raise ValueError(f"architecture key {key!r} cannot be {value!r}; it must be {error}.") from None
        # JSON knows no tuples, so that lists come back.
        read: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
        return cls(**read)


def slots(architecture: Architecture) -> list[str]:
    """Return the names of an architecture's activations, in the order in which it uses them."""
    match architecture.topology:
        case "conv":
            return [f"layer-{number}" for number in range(1, 9)]
        case "siren":
            return [f"layer-{number}" for number in range(1, 1 + (architecture.siren_layers or 5))]
    inputs = ["features"]
    if ENCODINGS[architecture.encoding or "identity"].by_axis:
        inputs = [*AXES[: architecture.dimensions], *["r"] * _has_radius(architecture)]
    if architecture.topology == "WS":
        ends = ["end-1", "end-2"] if architecture.dimensions <= 2 else ["end-1"]
        return [*inputs, "latent", "sum", "hidden", *ends]
    # Three hidden slots in `simple`, too: one layer, used three times.
    return [*inputs, "latent", "sum", "hidden-1", "hidden-2", "hidden-3", "output"]


def resolve(architecture: Architecture, seed: int) -> Architecture:
    """Return the architecture with every default spelled out and every random choice made.

    ValueError for activations that do not go with the slots, or a graph that would fill memory.
    """
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
        # The graph with all its operations goes into the recipe: another networkx may draw another one.
        nodes = _graph(architecture, seed)
        if len(nodes) * defaults["width"] ** 2 > MOST_WEIGHTS:
            raise ValueError(f"a graph of {len(nodes)} nodes, {defaults['width']} wide, would fill memory; take fewer.")
        given |= {"graph": to_graphml(nodes), "num_graph_nodes": len(nodes)}
    if architecture.encoding in (None, "fourier"):
        # Whoever asks for 'fourier' by name means some, also where the topology has none by default.
        usual = topology.fourier_freqs or (4 if architecture.encoding else 0)
        frequencies = given.get("fourier_freqs", usual)
        given |= {"encoding": "fourier" if frequencies else "identity", "fourier_freqs": frequencies}
    # Defaults are written out, for a later version may have others.
    known = ENCODINGS[architecture.encoding or "identity"].settings
    given["encoding_settings"] = {name: setting.default for name, setting in known.items()} | given["encoding_settings"]
    return replace(architecture, **(defaults | given | {"activations": _activations(architecture, seed)}))


def build(architecture: Architecture, seed: int, draw: int = 0) -> Field:
    """Build the field of this architecture; `draw` is the number of redraws of its weights.

        field = fields.build(fields.Architecture("WS", activations="random"), seed=7)

    ValueError for encodings that would fill memory.
    """
    architecture = resolve(architecture, seed)
    settings = architecture.encoding_settings
    if weights_in_space(architecture.encoding, settings, architecture.dimensions) > MOST_WEIGHTS:
        raise ValueError(f"the encoding {architecture.encoding!r} would fill memory; take a smaller `finest`.")
    # One generator for encoding, maps and activations, in this order: recipes of every version depend on it.
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
    # Numbers of activations after all maps: an activation more must not change the weights of a map.
    for module in field.modules():
        if isinstance(module, Weighted):
            module.draw_(generator)
    # Last, when all weights are drawn: levels and norms are statistics of the finished network on the reference grid.
    coords = pixel_centers(reference_size(architecture.dimensions))
    network.freeze(encoding(field.inputs(coords)), latent)
    return field


def draw_latent(latent_dim: int, dimensions: int, seed: int, draw: int = 0) -> Float[Tensor, " l"] | None:
    """Draw a field's latent: from U(-2, 2) for pictures, from U(-1, 1) for volumes; None of length 0."""
    if not latent_dim:
        return None
    bound = 2.0 if dimensions <= 2 else 1.0
    return torch.empty(latent_dim).uniform_(-bound, bound, generator=stream(seed, "latents", draw))


def _activations(architecture: Architecture, seed: int) -> tuple[str, ...]:
    """Choose an activation for every slot."""
    names = slots(architecture)
    topology = TOPOLOGIES[architecture.topology]
    asked = architecture.activations or topology.activations
    if isinstance(asked, tuple):
        if len(asked) != len(names):
            raise ValueError(
                f"{architecture.topology} has {len(names)} activations ({', '.join(names)}); got {len(asked)}. "
                "One name stands for all."
            )
        return asked
    if asked == "fixed":
        fixed = topology.fixed_of(architecture.dimensions)
        return tuple(fixed[name] for name in names)
    chosen = dict.fromkeys(names, asked)
    if asked == "random":
        numbers = torch.randint(2**31, (len(names),), generator=stream(seed, "activations")).tolist()
        for slot, number in zip(names, numbers, strict=True):
            choice = BOUNDED_SET if slot.startswith("end") else topology.random_set
            chosen[slot] = choice[number % len(choice)]
    # The output has the final activation for itself.
    if "output" in chosen:
        chosen["output"] = "identity"
    return tuple(chosen.values())


def _graph(architecture: Architecture, seed: int) -> list[GraphNode]:
    """Read or draw the graph, with all its operations."""
    topology = TOPOLOGIES["WS"]
    if architecture.graph is None:
        nodes = watts_strogatz(architecture.num_graph_nodes or 10, seed)
    else:
        nodes = from_graphml(architecture.graph)
        if architecture.num_graph_nodes not in (None, len(nodes)):
            raise ValueError(f"the graph has {len(nodes)} nodes, num_graph_nodes is {architecture.num_graph_nodes}.")
    # Slots name the activations of inputs and ends; nodes take theirs from the same choice.
    match architecture.activations or topology.activations:
        case "fixed":
            choice = (topology.fixed_of(architecture.dimensions)["node"],)
        case "random" | tuple():
            choice = topology.random_set
        case name:
            choice = (name,)
    return with_operations(nodes, choice, seed)


def _has_radius(architecture: Architecture) -> bool:
    """Return whether the distance from the centre is an input."""
    default = ENCODINGS[architecture.encoding or "identity"].radius
    return default if architecture.radius is None else architecture.radius


def _network(architecture: Architecture, encoded: int, inputs: int) -> ArtNetwork:
    """Create the network behind that many encoded numbers of that many inputs, its weights not drawn yet."""
    activations = architecture.activations
    assert architecture.width is not None and isinstance(activations, tuple)
    sizes = (architecture.latent_dim, architecture.width, architecture.channels, activations)
    match architecture.topology:
        case "conv":
            return ConvStack(encoded, *sizes, architecture.norm)
        case "siren":
            assert architecture.siren_scale is not None and architecture.siren_scale_init is not None
            omegas = {"first_omega": architecture.siren_scale_init, "omega": architecture.siren_scale}
            return ArtSiren(encoded, *sizes, **omegas)
    # Every axis has a linear map and an activation of its own, unless the encoding mixes axes.
    groups = [encoded]
    if ENCODINGS[architecture.encoding or "identity"].by_axis:
        groups = [encoded // inputs] * inputs
    if architecture.topology == "WS":
        assert architecture.graph is not None
        return GraphNetwork(groups, *sizes, from_graphml(architecture.graph))
    return ArtMLP(groups, *sizes, shared=architecture.topology == "simple")


@torch.no_grad()
def _draw_weights(network: ArtNetwork, architecture: Architecture, generator: torch.Generator) -> None:
    """Draw all linear maps by the architecture's rule, and keep them from painting noise."""
    chosen = {
        "name": architecture.weight_init,
        "mean": architecture.weight_init_mean,
        "std": architecture.weight_init_std,
        "low": architecture.weight_init_min,
        "high": architecture.weight_init_max,
        "scale": architecture.siren_scale,
    }
    rule = Initialization(**{name: value for name, value in chosen.items() if value is not None})
    rule(network.layers(), generator)
    if isinstance(network, ArtSiren):
        Initialization("torch")([linears(network.modulators)], generator)
        for parameter in network.modulators.parameters():
            parameter *= MODULATOR_GAIN
    # The other rules follow from fan-in and are strong enough, or weak enough, by themselves.
    if rule.name not in ("normal", "uniform"):
        return
    if isinstance(network, GraphNetwork):
        for layer in network.inner:
            layer.weight *= GRAPH_GAIN * layer.in_features**-0.5
    if architecture.encoding == "fourier" and architecture.fourier_freqs:
        # Each octave half as strong as the one below, as in pictures of the world; equal ones paint noise.
        strengths = 2.0 ** -torch.arange(architecture.fourier_freqs).repeat(2)
        for receiver in network.receivers:
            columns = (receiver.in_features - network.latents_beside) // len(strengths) * len(strengths)
            receiver.weight[:, :columns] *= strengths.repeat(columns // len(strengths))


def _set(architecture: Architecture, name: str, value: object) -> None:
    """Set a field of a frozen record that is still being made."""
    object.__setattr__(architecture, name, value)
