"""Validation of the generator on materials that it never learned from."""

from collections.abc import Iterator, Mapping
from itertools import islice

import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.dataset.batches import Batches
from easel.materials.dataset.keys import key
from easel.materials.dataset.sample import Batch
from easel.materials.maps import MAP_NAMES
from easel.materials.training.losses import Maps
from easel.materials.training.metrics import average, map_metrics
from easel.materials.training.networks import Networks

ERROR_GAIN = 5
"""Factor by which errors are brightened."""
MOST_PICTURES = 4
"""Samples in a picture for TensorBoard."""

Answer = tuple[Batch, Maps]


def validate(networks: Networks, batches: Batches) -> tuple[dict[str, float], Answer | None]:
    """Return (`loss`, its parts and `map_metrics`, as means over all samples; the first batch and its answer).

    The loss has no adversarial part, and its lights are the same every time.
    """
    config = networks.config
    found: list[Mapping[str, Tensor]] = []
    shown: Answer | None = None
    for number, batch in enumerate(islice(batches.epoch(0), config.training.val_batches)):
        batch = batch.to(networks.engine.device)
        answer = networks.answer(batch)
        # The first batch alone: pictures of all would fill the log.
        shown = shown or (batch, answer)
        keys = [key(config.training.seed, "validation", number, row) for row in range(len(batch.ids))]
        _, info = networks.loss(answer, batch.maps, key=keys)
        # Training has its total under the other name; curves of both are compared.
        info["loss"] = info.pop("loss_total")
        parts = {name: value.expand(len(batch.ids)) for name, value in info.items()}
        found.append({name: value.cpu() for name, value in (parts | map_metrics(answer, batch.maps)).items()})
    # Where processes share the samples, some see the first ones again, so that all see as many
    return average(part for process in networks.engine.gather(found) for part in process), shown


def pictures(answer: Answer, mean: list[float], std: list[float]) -> Iterator[tuple[str, Float[Tensor, "h w 3"]]]:
    """Yield (tag, picture) of photos, maps, truth and errors: a row for each sample."""
    batch, predicted = answer
    rows = slice(0, MOST_PICTURES)
    scale, shift = (batch.views.new_tensor(values)[:, None, None] for values in (std, mean))
    photos = (batch.views[rows] * scale + shift) * batch.valid[rows]
    yield "val/input_views", _sheet(list(photos.unbind(1)))
    # log_variance is no picture.
    mine = {name: value[rows].float() for name, value in predicted.items() if name in MAP_NAMES}
    true = batch.maps.each(lambda value: value[rows])
    columns = []
    for name in MAP_NAMES:
        shown = [_shown(name, maps[name]) for maps in (mine, true)]
        yield f"val/{name}_pred", _sheet(shown[:1])
        yield f"val/{name}_target", _sheet(shown[1:])
        columns += [*shown, (shown[0] - shown[1]).abs() * ERROR_GAIN]
    yield "val/comparison", _sheet(columns)


def _shown(name: str, values: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 3 h w"]:
    """Return a map as `MaterialMaps.picture` shows it."""
    return (values / 2 + 0.5 if name == "normal" else values).expand(-1, 3, -1, -1)


def _sheet(columns: list[Float[Tensor, "b 3 h w"]]) -> Float[Tensor, "h2 w2 3"]:
    """Lay pictures side by side, samples below each other."""
    wide = torch.cat(columns, dim=-1)
    return torch.cat(list(wide.unbind(0)), dim=-2).permute(1, 2, 0).clamp(0, 1)
