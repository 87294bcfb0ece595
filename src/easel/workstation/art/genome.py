"""Specimen: a random field as it is bred: what it is made of, what a person may turn of that, and its offspring."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
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
from easel.fields.rendering.calibration import is_blank
from easel.graphics.checked_record import Range

SHAPE = (512, 512, 3)
LATENT_REACH = 3.0
"""Of a latent's numbers, to either side."""
MOST_SEED = 99_999
"""That the slider reaches; files may have larger ones."""
SNOW = 0.9
"""Share of the spread by which the neighbours of a thumbnail differ; independent ones do by 1.41."""
DRAWN = {"normal": "weight_init_std", "uniform": "weight_init_max"}
"""Rules with a spread, and what an architecture calls it."""
Activations = Literal["fixed", "random", "own", "sin", "cos", "gaussian", "Tanh", "GELU", "Softplus", "ELU"]
Output = Literal["Sigmoid", "Tanh", "half_sine", "sin", "cos", "gaussian", "identity", "own"]
ACTIVATIONS, OUTPUTS = get_args(Activations), get_args(Output)
Way = Literal["latent", "weights", "everything"]
"""What offspring have of their own: other numbers of the latent, other weights of the same network, or all of it."""


@dataclass(frozen=True)
class Traits:
    """What a random field is made of."""

    topology: Literal["mlp", "simple", "conv", "WS", "siren"] = "simple"
    """mlp: sums of waves; simple: one layer thrice; conv: folded octaves; WS: a random graph; siren: sines of sines."""
    activations: Activations = "fixed"
    """fixed: the topology's; random: drawn by the seed; own: those that the picture came with; or one for all."""
    output: Output = "half_sine"
    """The last activation: how numbers become colours."""
    weights: Literal["normal", "uniform", "he", "torch", "siren", "dip"] = "normal"
    """How weights are drawn."""
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
class Specimen:
    """A field by its recipe; the field itself is built when somebody needs it, in whichever thread that is."""

    recipe: Recipe
    given: INRF | None = None
    """The model of a file, with its weights and colours."""

    @classmethod
    def of(cls, model: INRF) -> "Specimen":
        """The field of a file."""
        return cls(model.recipe, model)

    @cached_property
    def model(self) -> INRF:
        if self.given is not None:
            return self.given
        network = self.recipe.network
        assert isinstance(network, Architecture)
        spelled_out = replace(self.recipe, network=resolve(network, self.recipe.seed))
        model = INRF2D.from_metadata(spelled_out.to_json())
        model.adopt(model.recipe, model.map_fn)  # with colours of its own, not those of the recipe
        return model

    @property
    def breeds(self) -> bool:
        """It is what a seed draws; learned weights are kept as they are."""
        return isinstance(self.recipe.network, Architecture) and not self.recipe.fitted

    @cached_property
    def latent(self) -> tuple[float, ...]:
        """z, before the recipe's scale."""
        recipe = self.recipe
        if recipe.latents or not isinstance(recipe.network, Architecture):
            return recipe.latents[0] if recipe.latents else ()
        z = draw_latent(recipe.network.latent_dim, 2, recipe.seed, recipe.latent_draw)
        return () if z is None else tuple(z.tolist())

    @cached_property
    def traits(self) -> Traits:
        """What it is made of, in a person's words."""
        network = self.recipe.network
        if not isinstance(network, Architecture):
            return Traits(seed=self.recipe.seed)
        topology = TOPOLOGIES[network.topology]
        asked, rule = network.activations or topology.activations, network.weight_init or topology.weight_init
        last = network.final_activation or topology.final_activation
        spread: Any = getattr(network, DRAWN.get(rule, ""), None)
        usual = topology.weight_init_std if rule == "normal" else 2.0 if rule == "uniform" else 1.0
        chosen: dict[str, Any] = {
            "topology": network.topology,
            "activations": asked if asked in ACTIVATIONS else "own",
            "output": last if last in OUTPUTS else "own",
            "weights": rule,
            "spread": float(spread) if isinstance(spread, int | float) else usual,
            "width": network.width or 32,
            "nodes": network.num_graph_nodes or 10,
            "octaves": topology.fourier_freqs if network.fourier_freqs is None else network.fourier_freqs,
            "scale": self.recipe.latent_scale,
            "latents": network.latent_dim,
            "seed": self.recipe.seed,
        }
        return Traits(**chosen)

    def with_traits(self, wanted: Traits) -> "Specimen":
        """The same but for the traits that differ; what goes with those is drawn anew. ValueError if it cannot be."""
        changed = {
            entry.name: getattr(wanted, entry.name)
            for entry in fields(Traits)
            if getattr(wanted, entry.name) != getattr(self.traits, entry.name)
        }
        network = self.recipe.network
        if not changed or not isinstance(network, Architecture) or "own" in changed.values():
            return self
        if "topology" in changed:
            kept = {"latent_dim": network.latent_dim, "width": network.width}
            network = Architecture(topology=changed["topology"], channels=network.channels, **kept)
        network = replace(network, **_architecture(changed, wanted))
        recipe = replace(self.recipe, network=network, latent_scale=wanted.scale, seed=wanted.seed)
        if {"seed", "latents"} & set(changed):
            recipe = replace(recipe, latents=(), latent_draw=0, draw=0 if "seed" in changed else recipe.draw)
        return Specimen(recipe)

    def with_latent(self, latent: tuple[float, ...]) -> "Specimen":
        """The same network with another z."""
        return Specimen(replace(self.recipe, latents=(latent,)))

    def child(self, way: Way, strength: float | int, number: int) -> "Specimen":
        """Its `number`-th offspring, always the same one; `strength` is how far latents wander."""
        if way == "everything" or not self.breeds:
            return seedling(stream_seed(self.recipe.seed, "offspring", number) % MOST_SEED)
        if way == "weights" or not self.latent:
            return Specimen(replace(self.recipe, draw=self.recipe.draw + number))
        generator = stream(self.recipe.seed, "mutations", number)
        z = torch.tensor(self.latent) + strength * torch.randn(len(self.latent), generator=generator)
        return self.with_latent(tuple(z.clamp(-LATENT_REACH, LATENT_REACH).tolist()))


def first(seed: int = 13) -> Specimen:
    """What an explorer begins with."""
    return Specimen(Recipe(seed, SHAPE, Architecture(topology="simple"), latent_scale=3.0))


def seedling(seed: int) -> Specimen:
    """A field of which the seed decides everything."""
    settings = random_settings(2, seed)
    scale = settings.pop("latent_scale")
    if settings["final_activation"] == "none":
        settings["final_activation"] = "identity"
    return Specimen(Recipe(seed, SHAPE, Architecture(**settings), latent_scale=scale))


def rgb(picture: Float[Tensor, "h w c"]) -> Float[Tensor, "h w 3"]:
    """A picture with three channels: grey repeated, alpha left out."""
    return picture.expand(-1, -1, 3) if picture.shape[-1] == 1 else picture[..., :3]


def is_dull(thumbnail: Float[Tensor, "h w c"]) -> bool:
    """It shows nothing, or television snow: neighbours that have little to do with each other."""
    step = (thumbnail[1:] - thumbnail[:-1]).square().mean().sqrt()
    return is_blank(thumbnail) or bool(step > SNOW * thumbnail.std())


def _architecture(changed: Mapping[str, Any], wanted: Traits) -> dict[str, Any]:
    """The fields of an architecture that changed traits stand for."""
    names = {"output": "final_activation", "width": "width", "latents": "latent_dim", "activations": "activations"}
    found = {names[name]: value for name, value in changed.items() if name in names}
    if "octaves" in changed:
        found |= {"encoding": None, "encoding_settings": {}, "fourier_freqs": wanted.octaves}
    if "weights" in changed or "spread" in changed:
        found |= dict.fromkeys(("weight_init_mean", "weight_init_std", "weight_init_min", "weight_init_max"))
        found["weight_init"] = wanted.weights
        if wanted.weights == "normal":
            found["weight_init_std"] = wanted.spread
        elif wanted.weights == "uniform":
            found |= {"weight_init_min": -wanted.spread, "weight_init_max": wanted.spread}
    if wanted.topology == "WS" and {"nodes", "activations"} & set(changed):
        found |= {"graph": None, "num_graph_nodes": wanted.nodes}
    return found
