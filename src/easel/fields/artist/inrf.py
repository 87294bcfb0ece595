"""INRF2D and INRF3D: fields for artists. A seed gives a picture, and the picture every size and detail of it.

`INRF2D().generate(output_shape=(256, 256))` is the whole of it; the rest changes the network (`init_map_fn`), the part
that is shown (`zoom`, `pan`), or fits the field to a picture (`fit`). How far one seed is one picture says `painter`.
"""

import logging
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from easel.checkpoint import digest
from easel.fields.art.architecture import Architecture, draw_latent
from easel.fields.artist import storage
from easel.fields.artist.painter import Painter
from easel.fields.artist.recipe import Recipe, architecture_recipe, check_shape
from easel.fields.files.sample_files import SUFFIXES
from easel.fields.fitting.learner import OPTIMIZERS
from easel.fields.fitting.losses import LOSSES, LossWeights
from easel.fields.fitting.presets import preset_named
from easel.fields.fitting.result import FitResult, drain
from easel.fields.fitting.run import Step, fit
from easel.fields.fitting.targets import as_target
from easel.fields.model.activations import activation_name
from easel.fields.model.config import FieldConfig, Knobs
from easel.fields.model.extent import WHOLE
from easel.fields.model.field import Field
from easel.fields.model.latents import Latents, Size
from easel.fields.model.streams import stream
from easel.fields.rendering.calibration import Calibration
from easel.graphics.files import FileError
from easel.graphics.image import imwrite

Activation = str | type
PerLayer = float | int | Sequence[float | int]

_LOG = logging.getLogger("easel")
_OUTPUT_DIR = "./outputs"
_SEED_GEN = 987654321
_PATIENCE = 10
"""Multiple of the preset's steps after which a target PSNR counts as out of reach."""
_TOPOLOGY = "topology"
"""Default of `final_activation`: the topology's own, since None is a choice."""


class INRF(Painter):
    """Base of `INRF2D` and `INRF3D`: everything but the number of axes."""

    default_shape: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        latent_dim: int = 8,
        latent_scale: float | int = 1.0,
        graph_topology: str = "mlp",
        output_shape: Size | None = None,
        output_dir: str | os.PathLike[str] = _OUTPUT_DIR,
        tmp_dir: str | os.PathLike[str] | None = None,
        seed: int | None = None,
        seed_gen: int = _SEED_GEN,
        device: str | torch.device = "cpu",
        *,
        contrast: Literal["auto", "stretch"] = "auto",
    ) -> None:
        """Create a field with random weights; nothing is written anywhere.

        `latent_scale` multiplies coordinates and z. `output_shape` without its last number has one channel. Without a
        `seed` one is drawn below `seed_gen`. `output_dir` takes the files of `save_image` that are named without a
        folder. `contrast` 'stretch' spreads every picture of this model from black to white. `tmp_dir` has no effect.
        """
        shape = tuple(output_shape or self.default_shape)
        shape = check_shape((*shape, 1) if len(shape) == self.dimensions else shape, self.dimensions)
        architecture = Architecture(
            topology=graph_topology, dimensions=self.dimensions, channels=shape[-1], latent_dim=latent_dim
        )
        if seed is None:
            # Not torch's generator: a library must neither read nor advance it.
            seed = secrets.randbelow(seed_gen)
        recipe = architecture_recipe(architecture, seed, shape, latent_scale=float(latent_scale), contrast=contrast)
        super().__init__(recipe, device=device)
        self.output_dir = Path(output_dir)
        self._chosen = False

    def init_map_fn(
        self,
        mlp_layer_width: int | None = None,
        conv_feature_map_size: int | None = None,
        input_encoding_dim: int | None = None,
        activations: Activation | Sequence[Activation] | None = None,
        final_activation: Activation | None = _TOPOLOGY,
        weight_init: str | None = None,
        num_fourier_freqs: int | None = None,
        graph_topology: str | None = None,
        num_graph_nodes: int | None = None,
        graph: str | None = None,
        *,
        weight_init_mean: PerLayer | None = None,
        weight_init_std: PerLayer | None = None,
        weight_init_min: PerLayer | None = None,
        weight_init_max: PerLayer | None = None,
        num_siren_layers: int | None = None,
        siren_scale: float | int | None = None,
        siren_scale_init: float | int | None = None,
        encoding: str | None = None,
        encoding_settings: Mapping[str, float | int] | None = None,
        conv_norm: Literal["layer", "batch"] | None = None,
    ) -> None:
        """Replace the architecture, with weights drawn from the same seed; the topology decides what is left out.

        Activations are 'fixed', 'random', a name such as 'GELU' or 'sin', a class, or one of these for every slot;
        `final_activation=None` is none at all. `art.architecture.Architecture` says what the others mean.
        """
        old = self.recipe.network
        # A model that was fitted by a preset has no topology to keep.
        topology = graph_topology or (old.topology if isinstance(old, Architecture) else "mlp")
        # An argument of neural-canvas that follows from another one.
        if input_encoding_dim not in (None, 1) and input_encoding_dim != 2 * (num_fourier_freqs or 0):
            raise ValueError(
                f"input_encoding_dim is 2 x num_fourier_freqs, here {2 * (num_fourier_freqs or 0)}; "
                f"got {input_encoding_dim}. Leave it out."
            )
        final = "identity" if final_activation is None else _names(final_activation)
        given = {
            "topology": topology,
            "dimensions": self.dimensions,
            "channels": self.c_dim,
            "latent_dim": self.latent_dim,
            "width": conv_feature_map_size if topology.lower() == "conv" else mlp_layer_width,
            "activations": _names(activations),
            "final_activation": None if final_activation == _TOPOLOGY else final,
            "weight_init": weight_init,
            "weight_init_mean": _per_layer(weight_init_mean),
            "weight_init_std": _per_layer(weight_init_std),
            "weight_init_min": _per_layer(weight_init_min),
            "weight_init_max": _per_layer(weight_init_max),
            "num_graph_nodes": num_graph_nodes if topology.lower() == "ws" else None,
            "graph": graph,
            "fourier_freqs": num_fourier_freqs,
            "siren_layers": num_siren_layers,
            "siren_scale": siren_scale,
            "siren_scale_init": siren_scale_init,
            "encoding": encoding,
            "encoding_settings": encoding_settings,
            "norm": conv_norm,
        }
        architecture = Architecture(**{name: value for name, value in given.items() if value is not None})
        # Choices of the picture, not of the network, outlive a change of it.
        kept = {name: getattr(self.recipe, name) for name in ("latents", "latent_draw", "latent_scale", "contrast")}
        self.adopt(architecture_recipe(architecture, self.seed, self.output_shape, **kept))
        self._chosen = True

    def init_map_weights(self) -> None:
        """Draw the next weights of the same architecture, activations and graph; those of a fit are lost."""
        self.adopt(replace(self.recipe, draw=self.recipe.draw + 1, fitted=False, fitted_latent=False))

    def new_latents(self, seed: int | None = None) -> Latents:
        """Draw the next z of this model's seed, or the first of another; the model keeps it."""
        draw = self.recipe.latent_draw + 1 if seed is None else 0
        z = draw_latent(self.latent_dim, self.dimensions, self.seed if seed is None else seed, draw)
        if z is not None and self.map_fn.latent is not None:
            self.recipe = replace(self.recipe, latents=(tuple(z.tolist()),), latent_draw=draw)
            # The recipe's calibration was of the picture with the old z.
            self._given_calibration = None
            with torch.no_grad():
                self.map_fn.latent.copy_(z * self.recipe.latent_scale)
        return self.sample_latents()

    def fit(
        self,
        target: str | os.PathLike[str] | Image.Image | np.ndarray | Tensor,
        steps: int | None = None,
        loss: str | LossWeights | None = None,
        optimizer: str | None = None,
        *,
        preset: str = "auto",
        seconds: float | int | None = None,
        target_psnr: float | int | None = None,
        batch: int | None = None,
        lr: float | int | None = None,
        weight_decay: float | int | None = None,
        bounds: tuple[float | int, float | int] | None = None,
        mask: np.ndarray | Tensor | None = None,
        trainable_latent: bool = False,
        knobs: Knobs | None = None,
        on_step: Callable[[Step], object] | None = None,
    ) -> FitResult:
        """Learn a picture or a volume; afterwards `generate()` shows it, at any size.

        `fitting.targets.as_target` says what `target` and `bounds` may be, `fitting.run.fit` what `mask` does. The run
        ends after `steps` or `seconds` or at `target_psnr`, whichever is first; without any, where its preset ends, and
        with only a `target_psnr` after ten times that at the latest. The preset 'auto' is 'keep' after `init_map_fn`:
        the model's field learns, from the weights that it has; else it is 'fast', a field of its own. Others are in
        `fitting.presets.PRESETS`. `knobs` are the settings of the steps; `loss`, `optimizer`, `batch`, `lr` and
        `weight_decay` are single ones of them. `on_step` sees every step; where it returns False the run ends.

            result = INRF2D(seed=1).fit("photo.jpg", target_psnr=40)
        """
        picture = as_target(target, dimensions=self.dimensions, bounds=bounds, device=self.device)
        if preset == "auto":
            preset = "keep" if self._chosen else "fast"
        chosen = preset_named(preset)
        # Losses by name are knobs; a mixture takes their place.
        given = {"optimizer": optimizer, "batch": batch, "lr": lr, "weight_decay": weight_decay}
        losses = None
        if isinstance(loss, LossWeights):
            losses = loss
        else:
            given["loss"] = loss
        if steps is None and seconds is None:
            # A target may be out of reach: a run that only knows one must end by itself, too.
            steps = chosen.steps
            if target_psnr is not None:
                steps *= _PATIENCE
        recipe = self._subject(chosen.field, tuple(picture.shape), trainable_latent)
        # Weights are kept where they fit: another number of channels asks for a fresh draw.
        weights = None
        if chosen.field is None and recipe.network == self.recipe.network:
            weights = self.map_fn.state_dict()
        learner = recipe.build(weights).to(self.device)
        field = _in_unit_view(learner, recipe.coordinate_scale)
        if mask is not None:
            mask = torch.as_tensor(mask).to(self.device)
        run = fit(
            field,
            picture,
            _with_changes(knobs or chosen.knobs, given),
            steps=steps,
            seconds=seconds,
            target_psnr=target_psnr,
            mask=mask,
            losses=losses,
            generator=stream(self.seed, "batches", recipe.draw),
        )
        # Only now: a target or mask that does not fit leaves the model as it was.
        self.adopt(recipe, learner)
        result = drain(run, field, picture, mask=mask, model=self.map_fn, on_step=on_step)
        if recipe.fitted_latent and learner.latent is not None:
            # A recipe has z before the scale.
            z = learner.latent.detach() / recipe.latent_scale
            self.recipe = replace(recipe, latents=(tuple(z.tolist()),))
        return result

    def _subject(self, config: FieldConfig | None, shape: tuple[int, ...], trainable_latent: bool) -> Recipe:
        """Return the recipe of the field that is fitted to a target of that shape: a config's, or the model's own."""
        old = self.recipe
        # A config's grids cover the unit view and have no latent, window or scale of the old picture.
        if config is not None:
            if trainable_latent:
                raise ValueError("the field of this preset has no latent to train; preset='keep' keeps yours.")
            return Recipe(self.seed, shape, config, config_size=shape[:-1], draw=old.draw, fitted=True)
        network = old.network
        if shape[-1] != self.c_dim:
            if not isinstance(network, Architecture):
                raise ValueError(f"the field has {self.c_dim} channels, the target {shape[-1]}; choose a preset.")
            network = replace(network, channels=shape[-1])
        changes = {"network": network, "fitted": True, "fitted_latent": trainable_latent}
        return replace(old, output_shape=shape, window=WHOLE, **changes)

    @classmethod
    def from_metadata(
        cls, source: Mapping[str, Any] | str | os.PathLike[str], *, device: str | torch.device = "cpu"
    ) -> "INRF":
        """Build the model of a recipe, or of the recipe in a PNG or TIFF file; it shows the window of that picture.

        Settings in files of neural-canvas make a model of the same kind, which says that its picture is another.
        Whatever is wrong is a FileError, or a ValueError for plain data, of one line.
        """
        if isinstance(source, Mapping):
            return cls._from_plain(source, Path(), device)
        # A checkpoint has its recipe inside, as a picture has.
        if Path(source).suffix == ".safetensors":
            return cls.load(source, device=device)
        try:
            return cls._from_plain(storage.read_metadata(source), Path(source).parent, device)
        except FileError:
            raise
        except ValueError as error:
            raise FileError(f"cannot use the recipe of {os.fspath(source)!r}: {error}") from None

    @classmethod
    def _from_plain(cls, data: Mapping[str, Any], folder: Path, device: str | torch.device) -> "INRF":
        if storage.is_predecessors(data):
            constructor, architecture, z = storage.predecessors_settings(data, cls.dimensions)
            model = cls(**constructor, device=device)
            model.init_map_fn(**architecture)
            if len(z) == model.latent_dim:
                model.adopt(replace(model.recipe, latents=(z,)))
            # Its random states are in no file, so that nobody should look for the old picture in the new one.
            _LOG.warning("these are settings of neural-canvas: the picture is of the same kind, not the same")
            return model
        return cls._made(*storage.from_plain(data, folder), device)

    @classmethod
    def _made(cls, recipe: Recipe, tensors: Mapping[str, Tensor] | None, device: str | torch.device) -> "INRF":
        if recipe.dimensions != cls.dimensions:
            raise ValueError(f"the recipe has {recipe.dimensions} axes; {cls.__name__} has {cls.dimensions}.")
        model = cls.__new__(cls)
        # Past INRF's own constructor, which would draw a field that nobody needs.
        Painter.__init__(model, replace(recipe, weights=None), tensors, device)
        model.output_dir = Path(_OUTPUT_DIR)
        model._chosen = isinstance(recipe.network, Architecture)
        model._given_calibration = Calibration(*recipe.calibration)
        return model

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write weights, z and recipe as one .safetensors file, whole or not at all."""
        self._saved = storage.save_field(path, self.map_fn, self._recipe(self.sample_latents(), self.fields))

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, device: str | torch.device = "cpu") -> "INRF":
        """Read the model that `save` wrote, on any device; on the same kind of it pictures are the same bit for bit."""
        recipe, tensors = storage.load_field(path)
        try:
            model = cls._made(recipe, tensors, device)
        except ValueError as error:
            raise FileError(f"cannot use the recipe of {os.fspath(path)!r}: {error}") from None
        model._saved = storage.SavedWeights(Path(path), digest(tensors))
        return model

    def save_image(self, path: str | os.PathLike[str], dtype: str = "uint8", **settings: Any) -> Path:
        """Generate, with the settings of `generate`, into a PNG, TIFF, .npy, JPEG or WebP file, and return its path.

        A name without a folder goes into `output_dir`. PNG and TIFF keep the recipe, see `from_metadata`.
        """
        path = Path(path) if len(Path(path).parts) > 1 else self.output_dir / path
        # Other formats compress whole pictures only and keep no recipe.
        if path.suffix.lower() in SUFFIXES:
            self.generate(**settings, dtype=dtype, out=path)
        else:
            imwrite(path, self.generate(**settings))
        return path

    def __repr__(self) -> str:
        network = self.recipe.network
        kind = network.topology if isinstance(network, Architecture) else f"{network.encoding} + {network.network}"
        return f"{type(self).__name__}({kind}, {self.size:,} parameters, {self.output_shape}, seed {self.seed})"


class INRF2D(INRF):
    """Pictures: a field of two coordinates and the distance from the centre.

    INRF2D(seed=7).generate(output_shape=(256, 256), zoom=2)      # (256, 256, 3) in [0, 1]
    """

    dimensions = 2
    default_shape = (512, 512, 3)


class INRF3D(INRF):
    """Volumes: a field of three coordinates and the distance from the centre."""

    dimensions = 3
    default_shape = (256, 256, 256, 3)

    @property
    def z_dim(self) -> int:
        return self.output_shape[2]


def _names(activations: Activation | Sequence[Activation] | None) -> str | tuple[str, ...] | None:
    """Return activations as an architecture has them: by name."""
    if activations is None or isinstance(activations, str):
        return activations
    if isinstance(activations, type):
        return activation_name(activations)
    return tuple(map(activation_name, activations))


def _per_layer(value: PerLayer | None) -> float | int | tuple[float | int, ...] | None:
    """Return the value as an architecture has it: a number, or a tuple of them, which has a hash."""
    return tuple(value) if isinstance(value, Sequence) else value


def _in_unit_view(field: Field, scale: float) -> Field:
    """Return the field as a function of the unit view, on the same parameters, with `latent_scale` inside.

    Fits look at the unit view alone; afterwards the model's own extents scale the coordinates again.
    """
    if scale == 1.0:
        return field
    encoding = nn.Sequential(_Scale(scale), field.encoding)
    extent = {"dimensions": field.dimensions, "latent": field.latent, "radius": field.radius}
    return Field(encoding, field.network, field.output, **extent)


def _with_changes(knobs: Knobs, given: Mapping[str, Any]) -> Knobs:
    """Return a copy of the knobs with the given ones changed; ValueError for names and numbers that do not fit."""
    changes = {name: value for name, value in given.items() if value is not None}
    for name, known in (("optimizer", OPTIMIZERS), ("loss", LOSSES)):
        if name in changes:
            value = str(changes[name]).lower()
            changes[name] = {"l2": "mse"}.get(value, value)
            if changes[name] not in known:
                raise ValueError(f"unknown {name} {given[name]!r}. Known: {', '.join(known)}.")
    batch = changes.get("batch", 1)
    lr = changes.get("lr", 1.0)
    if not (isinstance(batch, int) and batch >= 1 and isinstance(lr, float | int) and lr >= 0):
        raise ValueError(f"batch counts from 1 and lr from 0; got batch={batch}, lr={lr}.")
    return replace(knobs, **changes)


class _Scale(nn.Module):
    """Coordinates times a factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, coords: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        return self.factor * coords
