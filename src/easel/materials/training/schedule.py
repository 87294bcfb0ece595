"""Optimizers of a config, and their learning rates over the epochs."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from easel.materials.config import OptimizerConfig

WARMUP_START = 0.1
"""Share of the rate that the warmup starts above."""
SGD_MOMENTUM = 0.9


def build_optimizer(config: OptimizerConfig, whose: str, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
    """Build the generator's ("g") or the discriminator's ("d") optimizer; parameters that are frozen are left out."""
    kind, lr, decay, betas = (
        getattr(config, f"{whose}_{name}") for name in ("optimizer", "lr", "weight_decay", "betas")
    )
    moving = [parameter for parameter in parameters if parameter.requires_grad]
    shares = [rate_share(parameter, config.lr_fan_in) for parameter in moving]
    # One group for each share: an optimizer's rate is that of a group.
    groups = [
        {"params": [parameter for parameter, its in zip(moving, shares, strict=True) if its == share], "share": share}
        for share in sorted(set(shares))
    ]
    if kind == "sgd":
        return torch.optim.SGD(groups, lr=lr, momentum=SGD_MOMENTUM, weight_decay=decay)
    # One kernel moves all parameters; on the CPU the plain loop is kept.
    fused = all(parameter.is_cuda for parameter in moving)
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    return kinds[kind](groups, lr=lr, betas=betas, weight_decay=decay, fused=fused)


def rate_share(parameter: Tensor, fan_in: int | None) -> float:
    """Return the factor of the learning rate for one parameter.

    What a step of Adam's changes in a layer's output grows with the inputs that are added up there: beyond `fan_in` of
    them the rate falls in proportion (Yang et al. 2022, table 3). None is 1 for all.
    """
    inputs = parameter[0].numel() if parameter.ndim > 1 else 1
    return 1.0 if fan_in is None else min(1.0, fan_in / inputs)


def learning_rate(config: OptimizerConfig, lr: float, epoch: int, epochs: int, plateau: float = 1.0) -> float:
    """Return the rate in epoch `epoch`, counted from 0, of `epochs`: a linear warmup to `lr`, then the scheduler's.

    `plateau` is what `Plateau` has made of the rate so far.
    """
    warmup = config.scheduler_warmup_epochs
    # (epoch + 1) / warmup: the last epoch of the warmup has the whole rate.
    if epoch < warmup:
        return lr * (WARMUP_START + (1 - WARMUP_START) * (epoch + 1) / warmup)
    epoch = epoch - warmup
    epochs = epochs - warmup
    # A rate below the minimum must not rise towards it.
    lowest = min(config.scheduler_min_lr, lr)
    if config.scheduler == "cosine":
        # Loshchilov and Hutter 2017, eq. 5, without restarts
        return lowest + (lr - lowest) * (1 + math.cos(math.pi * min(1.0, epoch / max(1, epochs)))) / 2
    if config.scheduler == "step":
        return lr * config.gamma ** (epoch // config.step_size)
    if config.scheduler == "plateau":
        return max(lowest, lr * plateau)
    return lr


@dataclass
class Plateau:
    """Lowers the rate whenever `patience` validations have passed without a better one."""

    factor: float = 1.0
    """Factor of the learning rate."""
    best: float | None = None
    """Lowest loss so far."""
    stalled: int = 0
    """Validations since the best one."""

    def update(self, config: OptimizerConfig, loss: float) -> None:
        if self.best is None or loss < self.best:
            self.best = loss
            self.stalled = 0
            return
        self.stalled += 1
        if self.stalled > config.patience:
            self.factor = self.factor * config.factor
            self.stalled = 0


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return an optimizer's moments as "7.exp_avg": the number of the parameter and the moment's name."""
    remembered = optimizer.state_dict()["state"]
    return {
        f"{place}.{name}": value
        for place, entries in remembered.items()
        for name, value in entries.items()
        if isinstance(value, Tensor)
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` gave; ValueError where it is another optimizer's."""
    state = optimizer.state_dict()
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    # A file decides what is read here: unknown names would be kept, and saved again.
    names = {"momentum_buffer"} if isinstance(optimizer, torch.optim.SGD) else {"step", "exp_avg", "exp_avg_sq"}
    remembered: dict[int, dict[str, Tensor]] = {}
    for label, value in tensors.items():
        place, _, name = label.partition(".")
        known = place.isdecimal() and int(place) < len(parameters) and name in names
        if not known or value.shape not in ((), parameters[int(place)].shape):
            raise ValueError(f"its optimizer state {label!r} is that of another network or optimizer")
        remembered.setdefault(int(place), {})[name] = value
    if any(set(entries) != names for entries in remembered.values()):
        raise ValueError("its optimizer state is that of another optimizer")
    optimizer.load_state_dict({**state, "state": remembered})
