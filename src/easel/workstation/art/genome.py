"""Genome: a random field by its recipe: the traits that a person may change, and its variations."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from easel.fields.art.architecture import Architecture, draw_latent, resolve
from easel.fields.art.catalog import TOPOLOGIES
from easel.fields.art.random_settings import random_settings
from easel.fields.artist.inrf import INRF, INRF2D
from easel.fields.artist.recipe import Recipe
from easel.fields.model.streams import stream, stream_seed
from easel.graphics.checked_record import Range

SHAPE = (512, 512, 3)
LATENT_REACH = 3.0
"""Largest magnitude of a latent's numbers."""
MOST_SEED = 99_999
"""The end of the slider; files may have larger seeds."""
DRAWN = {"normal": "weight_init_std", "uniform": "weight_init_max"}
"""Rules with a spread → its name in an architecture."""
Activations = Literal["fixed", "random", "own", "sin", "cos", "gaussian", "Tanh", "GELU", "Softplus", "ELU"]
Output = Literal["Sigmoid", "Tanh", "half_sine", "sin", "cos", "gaussian", "identity", "own"]
ACTIVATIONS, OUTPUTS = get_args(Activations), get_args(Output)
Varied = Literal["latent", "weights", "everything"]
"""The part that variations have of their own: the latent, the weights of the same network, or all of it."""


@dataclass(frozen=True)
class Traits:
    """The settings of a random field, in a person's words."""

    topology: Literal["mlp", "simple", "conv", "WS", "siren"] = "simple"
    """mlp: sums of waves; simple: one layer thrice; conv: folded octaves; WS: a random graph; siren: sines of sines."""
    activations: Activations = "fixed"
    """fixed: the topology's; random: drawn by the seed; own: those that the picture came with; or one for all."""
    output: Output = "half_sine"
    """The last activation, which turns numbers into colours."""
    weights: Literal["normal", "uniform", "he", "torch", "siren", "dip"] = "normal"
    """The rule that weights are drawn by."""
    spread: Annotated[float, Range(0.1, 4.0)] = 1.0
    """Of normal and uniform weights: more is wilder."""
    width: Annotated[int, Range(4, 128)] = 32
    """Units of a layer."""
    nodes: Annotated[int, Range(5, 64)] = 10
    """Of the random graph of WS."""
    octaves: Annotated[int, Range(0, 8)] = 0
    """Of sines and cosines that replace the coordinates."""
    scale: Annotated[float, Range(0.1, 32.0, log=True)] = 1.0
    """Factor of coordinates and latent."""
    latents: Annotated[int, Range(0, 16)] = 8
    """Numbers of the latent z, each with a slider below."""
    seed: Annotated[int, Range(0, MOST_SEED)] = 0
    """One seed, one picture."""


@dataclass(frozen=True, eq=False)
class Genome:
    """A field by its recipe; the field itself is built when it is first needed, in whichever thread that is."""

    recipe: Recipe
    given: INRF | None = None
    """The model of a file, with its weights and colours."""

    @classmethod
    def of(cls, model: INRF) -> "Genome":
        """Return the genome of a file's field."""
        return cls(model.recipe, model)

    @cached_property
    def model(self) -> INRF:
        """The field."""
        if self.given is not None:
            return self.given
        network = self.recipe.network
        assert isinstance(network, Architecture)
        # Written out, so that a file made of it does not depend on what random draws mean in a later version.
        spelled_out = replace(self.recipe, network=resolve(network, self.recipe.seed))
        model = INRF2D.from_metadata(spelled_out.to_json())
        # Colours are calibrated for this very field: those of the recipe may be its parent's.
        model.adopt(model.recipe, model.map_fn)
        return model

    @property
    def is_seeded(self) -> bool:
        """True if the seed draws its weights. Learned weights are no random draw: traits cannot change them."""
        return isinstance(self.recipe.network, Architecture) and not self.recipe.fitted

    @cached_property
    def latent(self) -> tuple[float, ...]:
        """The latent z, before the recipe's scale."""
        recipe = self.recipe
        if recipe.latents:
            return recipe.latents[0]
        if not isinstance(recipe.network, Architecture):
            return ()
        # As the field itself would draw it, so that sliders stand where the picture is.
        z = draw_latent(recipe.network.latent_dim, 2, recipe.seed, recipe.latent_draw)
        return () if z is None else tuple(z.tolist())

    @cached_property
    def traits(self) -> Traits:
        """Its settings; "own" stands for activations that no choice names."""
        network = self.recipe.network
        if not isinstance(network, Architecture):
            return Traits(seed=self.recipe.seed)
        topology = TOPOLOGIES[network.topology]
        activations = network.activations or topology.activations
        output = network.final_activation or topology.final_activation
        rule = network.weight_init or topology.weight_init
        spread: Any = getattr(network, DRAWN.get(rule, ""), None)
        if not isinstance(spread, int | float):
            spread = {"normal": topology.weight_init_std, "uniform": 2.0}.get(rule, 1.0)
        octaves = topology.fourier_freqs if network.fourier_freqs is None else network.fourier_freqs
        chosen: dict[str, Any] = {
            "topology": network.topology,
            "activations": activations if activations in ACTIVATIONS else "own",
            "output": output if output in OUTPUTS else "own",
            "weights": rule,
            "spread": float(spread),
            "width": network.width or 32,
            "nodes": network.num_graph_nodes or 10,
            "octaves": octaves,
            "scale": self.recipe.latent_scale,
            "latents": network.latent_dim,
            "seed": self.recipe.seed,
        }
        return Traits(**chosen)

    def with_traits(self, wanted: Traits) -> "Genome":
        """Return the genome with the traits that differ, and whatever depends on those drawn anew.

        Raises ValueError for a field that cannot be built.
        """
        present = vars(self.traits)
        changed = {name: value for name, value in vars(wanted).items() if value != present[name]}
        network = self.recipe.network
        # "own" stands for activations that no choice names: there is nothing to change them into.
        if not changed or not isinstance(network, Architecture) or "own" in changed.values():
            return self
        # Another topology has other rules for all the rest: only what every topology knows is carried over.
        if "topology" in changed:
            kept = {"latent_dim": network.latent_dim, "width": network.width}
            network = Architecture(topology=changed["topology"], channels=network.channels, **kept)
        network = replace(network, **_architecture(changed, wanted))
        recipe = replace(self.recipe, network=network, latent_scale=wanted.scale, seed=wanted.seed)
        # Another seed or another length has another z, and another seed other weights as well.
        if {"seed", "latents"} & set(changed):
            recipe = replace(recipe, latents=(), latent_draw=0)
        if "seed" in changed:
            recipe = replace(recipe, draw=0)
        return Genome(recipe)

    def with_latent(self, latent: tuple[float, ...]) -> "Genome":
        """Return the same network with another z."""
        return Genome(replace(self.recipe, latents=(latent,)))

    def variation(self, varied: Varied, strength: float | int, number: int) -> "Genome":
        """Return the variation of that number, always the same one; `strength` is the deviation of a varied latent."""
        if varied == "everything" or not self.is_seeded:
            return random_genome(stream_seed(self.recipe.seed, "offspring", number) % MOST_SEED)
        if varied == "weights" or not self.latent:
            return Genome(replace(self.recipe, draw=self.recipe.draw + number))
        # Of the recipe's own seed: the same variation comes up in every session.
        generator = stream(self.recipe.seed, "mutations", number)
        z = torch.tensor(self.latent) + strength * torch.randn(len(self.latent), generator=generator)
        return self.with_latent(tuple(z.clamp(-LATENT_REACH, LATENT_REACH).tolist()))


def initial_genome(seed: int = 13) -> Genome:
    """Return the field that an exploration begins with."""
    return Genome(Recipe(seed, SHAPE, Architecture(topology="simple"), latent_scale=3.0))


def random_genome(seed: int) -> Genome:
    """Return a field of which the seed decides everything."""
    settings = random_settings(2, seed)
    scale = settings.pop("latent_scale")
    # The catalog's name for no activation at all; the Art page has it as a choice under this one.
    if settings["final_activation"] == "none":
        settings["final_activation"] = "identity"
    return Genome(Recipe(seed, SHAPE, Architecture(**settings), latent_scale=scale))


def rgb(picture: Float[Tensor, "h w c"]) -> Float[Tensor, "h w 3"]:
    """Return a picture with three channels: grey repeated, alpha left out."""
    return picture.expand(-1, -1, 3) if picture.shape[-1] == 1 else picture[..., :3]


def _architecture(changed: Mapping[str, Any], wanted: Traits) -> dict[str, Any]:
    """Return the fields of an architecture that changed traits stand for."""
    names = {"output": "final_activation", "width": "width", "latents": "latent_dim", "activations": "activations"}
    found = {names[name]: value for name, value in changed.items() if name in names}
    if "octaves" in changed:
        found |= {"encoding": None, "encoding_settings": {}, "fourier_freqs": wanted.octaves}
    if "weights" in changed or "spread" in changed:
        # A rule that is left out of the recipe takes the topology's spread: none of the old one may stay.
        found |= dict.fromkeys(("weight_init_mean", "weight_init_std", "weight_init_min", "weight_init_max"))
        found["weight_init"] = wanted.weights
        if wanted.weights == "normal":
            found["weight_init_std"] = wanted.spread
        elif wanted.weights == "uniform":
            found |= {"weight_init_min": -wanted.spread, "weight_init_max": wanted.spread}
    # A graph that was written out has its activations in it: drawn again, it takes the new ones.
    if wanted.topology == "WS" and {"nodes", "activations"} & set(changed):
        found |= {"graph": None, "num_graph_nodes": wanted.nodes}
    return found
